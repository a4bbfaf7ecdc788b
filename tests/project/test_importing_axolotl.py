"""Configs of Axolotl become project files."""

import json
from typing import Any

import pytest
from config_bench import Bench

from tunewright.core.errors import UserError
from tunewright.data.spec import SourceSpec
from tunewright.project.importing.carried import Line

MAPPED = "message_property_mappings"
AXOLOTL = """
base_model: Qwen/Qwen3-0.6B
model_type: AutoModelForCausalLM
load_in_4bit: true
adapter: qlora
lora_r: 32
lora_alpha: 16
lora_dropout: 0.05
lora_target_linear: true
datasets:
  - path: rows.jsonl
    type: chat_template
    field_messages: talk
    message_property_mappings: {role: who, content: what}
    roles: {user: [kunde], assistant: [wir]}
    roles_to_train: [wir]
    split: train
  - path: some/alpaca-set
    type: alpaca:chat
dataset_prepared_path:
val_set_size: 0.05
sequence_len: 2048
sample_packing: true
micro_batch_size: 2
gradient_accumulation_steps: 4
num_epochs: 2.5
optimizer: paged_adamw_8bit
lr_scheduler: rex
learning_rate: 2e-4
warmup_steps: 10
max_steps: 100
bf16: auto
gradient_checkpointing: true
flash_attention: true
deepspeed: ds.json
wandb_project: mine
lora_rr: 7
"""


def test_an_axolotl_config(bench: Bench) -> None:
    talk = [{"who": "kunde", "what": "Q"}, {"who": "wir", "what": "A"}]
    bench.write("rows.jsonl", f"{json.dumps({'talk': talk})}\n")
    file = bench.run(AXOLOTL)
    assert file.base == "Qwen/Qwen3-0.6B"
    assert file.train.model_dump(exclude_unset=True) == {
        "adapter": {"kind": "qlora", "rank": 32, "alpha": 16, "dropout": 0.05, "targets": "all-linear"},
        "epochs": 3,
        "learning_rate": 2e-4,
        "batch_tokens": 2 * 4 * 2048,
        "max_length": 2048,
        "over_long": "drop",
        "warmup": 0.1,
        "schedule": "cosine",
        "optimizer": "adamw8bit",
        "gradient_checkpointing": True,
        "sinks": ("wandb",),
        "precision": "auto",
    }
    assert (file.split.train, file.split.dev, file.split.test) == (0.9, 0.05, 0.05)
    assert {name: source.model_dump(exclude_unset=True) for name, source in file.sources.items()} == {
        "rows-jsonl": {
            "path": "../rows.jsonl",
            "form": {
                "name": "chat_template",
                "keys": {"messages": "talk"},
                "message_keys": {"role": "who", "content": "what"},
                "roles": {"kunde": "user", "wir": "assistant"},
            },
        },
        "alpaca-set": {"path": "hub:some/alpaca-set", "form": {"name": "alpaca"}},
    }


def test_what_became_of_each_key(bench: Bench) -> None:
    bench.run(AXOLOTL)
    assert bench.fate("lora_r") == ("carried", "train.adapter.rank")
    assert bench.fate("num_epochs") == ("changed", "train.epochs")
    assert bench.line("lr_scheduler") == Line(
        "lr_scheduler", "rex", "changed", "train.schedule", "there is cosine, linear, constant and wsd"
    )
    assert bench.fate("sample_packing") == ("carried", "always so")
    assert bench.fate("datasets[0].roles_to_train") == ("carried", "always so")
    assert bench.fate("datasets[1].type") == ("changed", "form alpaca")
    assert bench.fate("datasets[1].path") == ("carried", "sources.alpaca-set.path")
    assert bench.fate("datasets[0].split") == ("carried", "always so")
    for key in ("model_type", "flash_attention", "deepspeed", "max_steps"):
        assert bench.fate(key) == ("without", "")
    assert bench.line("dataset_prepared_path").why == "it says nothing"
    assert (
        bench.line("lora_rr").why == "unknown: no key of Axolotl that is known here. Did you mean 'lora_r'?"
    )
    assert len(bench.keys) == len(set(bench.keys))


@pytest.mark.parametrize(
    ("keys", "key", "form"),
    [
        ({"field_thinking": "thinking", "template_thinking_key": "thinking"}, "thinking", "chat_template"),
        (
            {"field_thinking": "cot"},
            "cot",
            {"name": "chat_template", "message_keys": {"thinking": "cot"}},
        ),
        (
            {"message_property_mappings": {"reasoning_content": "cot"}},
            "cot",
            {"name": "chat_template", "message_keys": {"thinking": "cot"}},
        ),
        ({"template_thinking_key": "thinking"}, "reasoning_content", "chat_template"),
    ],
)
def test_thinking_beside_answers(bench: Bench, keys: dict[str, Any], key: str, form: Any) -> None:
    """It is put into the text, as the templates do that are given it, and the rows are tried with it."""
    row = [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A", key: "Hm."}]
    bench.write("rows.jsonl", f"{json.dumps({'messages': row})}\n")
    config = {"base_model": "b", "datasets": [{"path": "rows.jsonl", "type": "chat_template", **keys}]}
    (source,) = bench.run(json.dumps(config)).sources.values()
    assert source == SourceSpec(path="../rows.jsonl", form=form, thinking="inline")
    assert bench.line("datasets[0].path").why == "the first 1 rows have this form"
    told = [f"{name}.reasoning_content" if name == "message_property_mappings" else name for name in keys]
    for name in told:
        assert bench.fate(f"datasets[0].{name}") == ("changed", "thinking: inline")


@pytest.mark.parametrize(
    ("keys", "spec", "fates"),
    [
        (
            {
                "field_thinking": "reasoning_content",
                "message_property_mappings": {"reasoning_content": "cot", "thinking": "cot"},
            },
            {"form": {"name": "chat_template", "message_keys": {"thinking": "cot"}}, "thinking": "inline"},
            {"field_thinking": "", f"{MAPPED}.reasoning_content": "", f"{MAPPED}.thinking": ""},
        ),
        (
            {"field_thinking": "cot", "message_property_mappings": {"reasoning_content": "rc2"}},
            {"form": {"name": "chat_template", "message_keys": {"thinking": "cot"}}, "thinking": "inline"},
            {
                "field_thinking": "",
                f"{MAPPED}.reasoning_content": "a turn has one key for its thinking, and that is 'cot'",
            },
        ),
        (
            {"field_thinking": "content"},
            {"form": "chat_template"},
            {"field_thinking": "a turn's 'content' is its content, so it is not its thinking, too"},
        ),
        ({"field_thinking": ["x"]}, {"form": "chat_template"}, {"field_thinking": "it is no name of a key"}),
    ],
)
def test_only_keys_that_are_read_are_said_to_be(
    bench: Bench, keys: dict[str, Any], spec: dict[str, Any], fates: dict[str, str]
) -> None:
    """Each is told as put before the answer, or left with why."""
    config = {"base_model": "b", "datasets": [{"path": "o/a", "type": "chat_template", **keys}]}
    (source,) = bench.run(json.dumps(config)).sources.values()
    assert source == SourceSpec(path="hub:o/a", **spec)
    for name, why in fates.items():
        line = bench.line(f"datasets[0].{name}")
        expected = (
            ("without", why) if why else ("changed", "put before the answer, between <think> and </think>")
        )
        assert (line.fate, line.why) == expected


def test_thinking_of_rows_without_turns(bench: Bench) -> None:
    config = {
        "base_model": "b",
        "datasets": [{"path": "o/a", "type": "alpaca", "field_thinking": "t", "template_thinking_key": ""}],
    }
    (source,) = bench.run(json.dumps(config)).sources.values()
    assert source == SourceSpec(path="hub:o/a", form="alpaca")
    assert (
        bench.line("datasets[0].field_thinking").why
        == "the form has no turns that thinking could stand beside"
    )
    assert bench.line("datasets[0].template_thinking_key").why == "it says nothing"


@pytest.mark.parametrize(
    ("rl", "kind", "form", "train"),
    [
        ("dpo", "chatml.intel", "dpo.intel", {"method": "dpo", "dpo": {"beta": 0.3}}),
        (
            "ipo",
            "llama3.argilla_chat",
            "dpo.argilla_chat",
            {"method": "dpo", "dpo": {"loss": "ipo", "beta": 0.3}},
        ),
        (
            "simpo",
            "chat_template.default",
            "dpo.chat_template",
            {"method": "dpo", "dpo": {"loss": "simpo", "beta": 0.3}},
        ),
        ("orpo", "chat_template.argilla", "orpo.chat_template", {"method": "orpo", "orpo": {"weight": 0.3}}),
        ("kto", "llama3.ultra", "kto.ultra", {"method": "kto", "kto": {"beta": 0.3}}),
    ],
)
def test_methods_of_axolotl(bench: Bench, rl: str, kind: str, form: str, train: dict[str, Any]) -> None:
    config = {
        "base_model": "b",
        "adapter": "lora",
        "rl": rl,
        "rl_beta": 0.3,
        "datasets": [{"path": "a/b", "type": kind}],
    }
    file = bench.run(config)
    assert file.sources["b"].form is not None
    assert file.sources["b"].form.name == form
    given = file.train.model_dump(exclude_unset=True)
    assert {key: given[key] for key in ("method", *train)} == train


def test_a_type_that_axolotls_config_defines(bench: Bench) -> None:
    kind = {
        "field_instruction": "q",
        "field_output": "a",
        "field_system": "s",
        "system_prompt": "Be brief.",
        "format": "Question: {instruction} {input}",
        "no_input_format": "<|user|>{instruction}",
    }
    file = bench.run({"base_model": "b", "adapter": "lora", "datasets": [{"path": "a/b", "type": kind}]})
    assert file.sources["b"].form is not None
    assert file.sources["b"].form.model_dump(exclude_unset=True) == {
        "name": "alpaca",
        "keys": {"system": "s", "instruction": "q", "output": "a", "history": "", "tools": ""},
        "formats": {"user": "Question: {instruction} {input}"},
        "system": "Be brief.",
    }
    assert bench.line("datasets[0].type.no_input_format").why == (
        "the base's own template puts a turn's markup and the system message"
    )


def test_documents_are_trained_as_such(bench: Bench) -> None:
    file = bench.run(
        {"base_model": "b", "datasets": [{"path": "a/b", "type": "completion", "field": "body"}]}
    )
    assert file.train.method == "cpt"
    assert file.train.adapter.kind == "full"
    assert file.sources["b"].form is not None
    assert file.sources["b"].form.keys == {"text": "body"}
    file = Bench(bench.root / "two").run({"base_model": "b", "pretraining_dataset": "a/c"})
    assert (file.train.method, file.sources["c"].path) == ("cpt", "hub:a/c")


@pytest.mark.parametrize(
    ("asked", "laid", "left"),
    [
        (
            {"adapter": "qlora", "peft_use_dora": True, "peft_use_rslora": True},
            {"kind": "qlora", "rslora": True, "dora": True},
            {},
        ),
        ({"adapter": "lora", "peft_use_dora": True}, {"kind": "lora", "dora": True}, {}),
        (
            {
                "adapter": "lora",
                "peft_use_dora": True,
                "peft_use_rslora": True,
                "peft_init_lora_weights": "pissa",
            },
            {"kind": "pissa", "rslora": True},
            {
                "peft_use_dora": "train.adapter.dora does not take it: pissa saves a plain update, which dora's sizes"
                " are not: leave train.adapter.dora out"
            },
        ),
        (
            {"adapter": "qlora", "peft_init_lora_weights": "pissa_niter_4", "lora_r": 9000},
            {"kind": "qlora"},
            {
                "peft_init_lora_weights": "an adapter is of one kind, and this one is qlora",
                "lora_r": "train.adapter.rank does not take it: should be less than or equal to 512",
            },
        ),
        (
            {"peft_use_rslora": True},
            {"kind": "full"},
            {
                "peft_use_rslora": "train.adapter.rslora does not take it: full trains all weights, and rslora is an"
                " adapter's: leave train.adapter.rslora out"
            },
        ),
    ],
)
def test_what_goes_together_in_an_adapter(
    bench: Bench, asked: dict[str, Any], laid: dict[str, Any], left: dict[str, str]
) -> None:
    data = [{"path": "a/b", "type": "alpaca"}]
    file = bench.run({"base_model": "b", **asked, "datasets": data})
    assert file.train.adapter.model_dump(exclude_unset=True) == laid
    assert {key: bench.line(key).why for key in left} == left


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"rl": "grpo"}, "rl: grpo is not among the methods here"),
        (
            {"reward_model": True},
            "reward_model trains a reward model, and that is not among the methods here",
        ),
        (
            {"datasets": [{"path": "a/b"}]},
            "the config has no data set that can be a source (datasets[0].type: without a type rows are token ids, which "
            "mean something to one tokenizer; give the rows as they were before)",
        ),
        ({"datasets": "rows"}, "the config has no data set that can be a source"),
    ],
)
def test_what_cannot_be_imported_is_refused(bench: Bench, more: dict[str, Any], message: str) -> None:
    config = {"base_model": "b", "datasets": [{"path": "a/b", "type": "alpaca"}], **more}
    if more.get("datasets") == "rows":
        config["datasets"] = [7]
    with pytest.raises(UserError) as caught:
        bench.run(config)
    assert caught.value.message.startswith(message)
    assert not (bench.root / "mine").exists()
