"""Configs of LLaMA-Factory become project files."""

import json

import pytest
from config_bench import Bench

import tunewright as tw

LLAMAFACTORY = """
model_name_or_path: Qwen/Qwen3-0.6B
stage: dpo
do_train: true
finetuning_type: lora
lora_target: q_proj,v_proj
quantization_bit: 4
dataset: pairs, elsewhere
template: qwen3
cutoff_len: 1024
max_samples: 500
packing: false
per_device_train_batch_size: 1
num_train_epochs: 3.0
pref_loss: simpo
pref_beta: 2.0
simpo_gamma: 0.7
mask_history: true
val_size: 0.1
report_to: none
ddp_timeout: 180000000
"""
PAIRS = {
    "file_name": "pairs.json",
    "formatting": "sharegpt",
    "ranking": True,
    "columns": {"messages": "talk", "chosen": "good", "rejected": "bad", "images": "pictures"},
    "tags": {"role_tag": "role", "content_tag": "content", "user_tag": "user", "assistant_tag": "bot"},
}


def test_a_llamafactory_config(bench: Bench) -> None:
    bench.write("data/dataset_info.json", json.dumps({"pairs": PAIRS}))
    turns = {"good": {"role": "bot", "content": "A"}, "bad": {"role": "bot", "content": "B"}}
    rows = [{"talk": [{"role": "user", "content": "Q"}], **turns}, {"talk": [], **turns}]
    bench.write("data/pairs.json", json.dumps(rows))
    file = bench.run(LLAMAFACTORY)
    assert file.train.model_dump(exclude_unset=True) == {
        "method": "dpo",
        "dpo": {"loss": "simpo", "beta": 2.0, "margin": 0.7},
        "adapter": {"kind": "qlora", "rank": 8, "targets": ("q_proj", "v_proj")},
        "epochs": 3,
        "learning_rate": 5e-5,
        "max_length": 1024,
        "warmup": 0.0,
        "schedule": "linear",
        "gradient_checkpointing": True,
        "seed": 42,
    }
    assert [op.model_dump(exclude_unset=True) for op in file.recipe] == [
        {"op": "drop_duplicates"},
        {"op": "sample", "rows": 1000},
    ]
    assert {name: source.model_dump(exclude_unset=True) for name, source in file.sources.items()} == {
        "pairs": {
            "path": "../data/pairs.json",
            "form": {
                "name": "llamafactory.sharegpt",
                "keys": {"messages": "talk", "chosen": "good", "rejected": "bad"},
                "message_keys": {"role": "role", "content": "content"},
                "roles": {"bot": "assistant"},
                "trained": "last",
            },
        },
        "elsewhere": {"path": "data/elsewhere.jsonl"},
    }
    assert bench.line("dataset[pairs]").why == (
        "1 of the first 2 rows are rejects; row 2: bad messages: 'talk' is an empty list, not a list of turns"
    )
    assert bench.fate("dataset[pairs].columns.images") == ("without", "")
    assert bench.line("cutoff_len").fate == "changed"
    assert bench.fate("learning_rate (left out)") == ("carried", "train.learning_rate")


@pytest.mark.parametrize(
    ("packing", "fates"),
    [
        ({"packing": True}, ["changed"]),
        ({"packing": True, "neat_packing": False}, ["changed", "without"]),
        ({"packing": True, "neat_packing": True}, ["carried", "carried"]),
        ({"packing": False}, ["without"]),
        ({"stage": "pt", "packing": True}, ["carried", "changed"]),
        ({"stage": "pt", "packing (left out)": True}, ["carried", "changed"]),
        ({"stage": "dpo", "packing": True}, ["carried", "changed"]),
    ],
)
def test_rows_that_saw_each_other_there_are_kept_apart_and_it_says_so(
    bench: Bench, packing: dict[str, bool], fates: list[str]
) -> None:
    """LLaMA-Factory's `packing` lets rows of one sequence attend to each other, unless `neat_packing` is set as well."""
    bench.write("data/dataset_info.json", json.dumps({"rows": {"hf_hub_url": "a/b"}}))
    config = {key: value for key, value in packing.items() if "left out" not in key}
    bench.run({"model_name_or_path": "b", "stage": "sft", "dataset": "rows", **config})
    assert [bench.line(key).fate for key in packing] == fates
    assert all("none sees another" in bench.line(key).why for key in packing if key != "stage")


def test_nothing_is_added_to_a_system_message(bench: Bench) -> None:
    """LLaMA-Factory's `formatting: openai` adds "detailed thinking off" to every one."""
    row = {"messages": [{"role": r, "content": r[0]} for r in ("system", "user", "assistant")]}
    bench.write("data/rows.json", json.dumps([row]))
    bench.write(
        "data/dataset_info.json", json.dumps({"rows": {"file_name": "rows.json", "formatting": "openai"}})
    )
    file = bench.run({"model_name_or_path": "b", "stage": "sft", "dataset": "rows"})
    assert bench.line("dataset[rows].formatting").fate == "changed"
    assert bench.line("dataset[rows].formatting").why == "nothing is added to the system message"
    source = file.sources["rows"].model_dump(exclude_unset=True)
    (found,) = tw.apply_recipe(source, [], bench.root / "out", root=bench.root / "mine").examples
    assert [(said.role, said.content) for said in found.messages] == [
        ("system", "s"), ("user", "u"), ("assistant", "a"),
    ]  # fmt: skip


def test_columns_that_are_left_out_are_not_there(bench: Bench) -> None:
    """LLaMA-Factory reads no `input` where `columns` names others; neither does the form."""
    info = {"a": {"file_name": "a.json", "columns": {"prompt": "q", "response": "a", "kto_tag": "good"}}}
    bench.write("data/dataset_info.json", json.dumps(info))
    bench.write("data/a.json", json.dumps([{"q": "Q", "a": "A", "input": "x", "good": True}]))
    file = bench.run({"model_name_or_path": "b", "stage": "kto", "dataset": "a"})
    assert file.sources["a"].form is not None
    assert file.sources["a"].form.keys == {"input": "", "instruction": "q", "output": "a", "rating": "good"}
    assert bench.line("dataset[a]").why == "the first 1 rows have this form"


def test_a_base_in_a_folder_is_named_from_the_project(bench: Bench) -> None:
    (bench.root / "models" / "mine").mkdir(parents=True)
    config = {"base_model": "models/mine", "adapter": "lora", "datasets": [{"path": "a/b", "type": "alpaca"}]}
    assert bench.run(config).base == "../models/mine"


def test_a_form_is_told_from_rows_where_no_config_says_it(bench: Bench) -> None:
    bench.write("rows.jsonl", '{"question": "Q", "answer": "A"}\n')
    file = bench.run({"model_name_or_path": "b", "stage": "sft", "dataset": "rows.jsonl"})
    assert file.sources["rows-jsonl"].form is not None
    assert file.sources["rows-jsonl"].form.name == "alpaca_chat.load_qa"
    assert bench.line("dataset[rows.jsonl]").why.endswith(
        "its rows tell the form: question and answer: 1 of 1 rows have question, answer (100% sure)"
    )


def test_rows_that_are_rejects_for_their_thinking_say_so(bench: Bench) -> None:
    row = '{"conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A", "thinking": "Hm."}]}\n'
    bench.write("rows.jsonl", 3 * row + row.replace("Hm.", ""))
    config = {"base_model": "b", "datasets": [{"path": "rows.jsonl", "type": "mine.py"}]}
    (source,) = bench.run(config).sources.values()
    assert (source.form.name, source.thinking) == ("sharegpt", None)
    told, _, more = bench.line("datasets[0].path").why.partition("; ")
    assert told.startswith("its rows tell the form: ")
    assert more == "3 have thinking beside an answer and are rejects until then: set thinking for it"


def test_a_config_of_llamafactorys_version_1(bench: Bench) -> None:
    bench.write("data/sets.yaml", "mine: {path: pairs.jsonl, source: local, converter: pair, size: 5}\n")
    file = bench.run(
        {
            "model": "b",
            "peft_config": {"name": "lora", "r": 16, "target_modules": "all", "export_dir": "out"},
            "quant_config": {"name": "bnb", "quantization_bit": 4},
            "train_dataset": "data/sets.yaml",
            "learning_rate": "1e-5",
            "kernel_config": {"name": "auto"},
        },
        tool="llamafactory",
    )
    assert (file.train.method, file.train.adapter.kind, file.train.adapter.rank) == ("dpo", "qlora", 16)
    assert file.train.learning_rate == 1e-5
    assert file.sources["mine"].form is not None
    assert file.sources["mine"].form.name == "dpo.argilla_chat"
    assert bench.fate("peft_config.export_dir") == ("without", "")
    assert (file.train.adapter.alpha, file.train.adapter.dropout) == (16, 0.05)
    assert bench.fate("peft_config.lora_alpha (left out)") == ("carried", "train.adapter.alpha")


def test_what_goes_together_in_an_adapter_of_version_1(bench: Bench) -> None:
    """Its lora has flags for both, and values of its own where rank, alpha or dropout is left out."""
    own = {"name": "lora", "use_rslora": True, "use_dora": True, "lora_alpha": 4, "lora_dropout": 0.0}
    bench.write("data/sets.yaml", "mine: {path: a/b, source: hf_hub}\n")
    config = {"model": "b", "peft_config": own, "train_dataset": "data/sets.yaml"}
    quant = {"quant_config": {"name": "bnb", "quantization_bit": 4}}
    file = bench.run({**config, **quant}, tool="llamafactory")
    assert file.train.adapter.model_dump(exclude_unset=True) == {
        "kind": "qlora", "rank": 8, "alpha": 4, "dropout": 0.0, "rslora": True, "dora": True,
    }  # fmt: skip
    assert [bench.fate(f"peft_config.use_{kind}") for kind in ("rslora", "dora")] == [
        ("carried", "train.adapter.rslora"), ("carried", "train.adapter.dora"),
    ]  # fmt: skip
    assert bench.fate("peft_config.r (left out)") == ("carried", "train.adapter.rank")


def test_what_goes_together_in_an_adapter_of_llamafactory(bench: Bench) -> None:
    bench.write("data/dataset_info.json", json.dumps({"rows": {"hf_hub_url": "a/b"}}))
    common = {
        "model_name_or_path": "b",
        "dataset": "rows",
        "lora_rank": 4,
        "use_rslora": True,
        "use_dora": True,
    }
    file = bench.run({**common, "quantization_bit": 4})
    assert file.train.adapter.model_dump(exclude_unset=True) == {
        "kind": "qlora", "rank": 4, "rslora": True, "dora": True,
    }  # fmt: skip
    bench = Bench(bench.root / "two")
    bench.write("data/dataset_info.json", json.dumps({"rows": {"hf_hub_url": "a/b"}}))
    file = bench.run({**common, "pissa_init": True})
    assert file.train.adapter.model_dump(exclude_unset=True) == {"kind": "pissa", "rank": 4, "rslora": True}
    assert bench.line("use_dora").why == (
        "train.adapter.dora does not take it: pissa saves a plain update, which dora's sizes are not: leave"
        " train.adapter.dora out"
    )
