"""Configs of other tools become project files; every key of theirs is told."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunewright.core.errors import ProjectFileError, UserError
from tunewright.project.file import ProjectFile
from tunewright.project.importing import Imported, import_config
from tunewright.project.importing.carried import Line
from tunewright.project.reading import read

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


class Bench:
    """A folder with a config and files, and the way to import the config."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._made: Imported | None = None

    def write(self, name: str, content: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
        return path

    def run(self, content: Any, name: str = "config.yaml", **more: Any) -> ProjectFile:
        text = content if isinstance(content, str) else json.dumps(content)
        self._made = import_config(self.write(name, text), self.root / "mine", **more)
        return read(self._made.path)

    def line(self, key: str) -> Line:
        assert self._made is not None
        (found,) = (line for line in self._made.lines if line.key == key)
        return found

    def fate(self, key: str) -> tuple[str, str]:
        return self.line(key).fate, self.line(key).to

    @property
    def keys(self) -> list[str]:
        assert self._made is not None
        return [line.key for line in self._made.lines]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.chdir(tmp_path)
    return Bench(tmp_path)


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
        "alpaca-set": {"path": "data/some-alpaca-set.jsonl", "form": {"name": "alpaca"}},
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
    assert bench.line("datasets[1].path").why == (
        "save the rows of some/alpaca-set as data/some-alpaca-set.jsonl, one JSON object a line"
    )
    for key in ("model_type", "flash_attention", "deepspeed", "max_steps", "datasets[0].split"):
        assert bench.fate(key) == ("without", "")
    assert bench.line("dataset_prepared_path").why == "it says nothing"
    assert (
        bench.line("lora_rr").why == "unknown: no key of Axolotl that is known here. Did you mean 'lora_r'?"
    )
    assert len(bench.keys) == len(set(bench.keys))


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
    assert (file.train.method, file.sources["c"].path) == ("cpt", "data/a-c.jsonl")


def test_an_adapter_is_of_one_kind(bench: Bench) -> None:
    data = [{"path": "a/b", "type": "alpaca"}]
    file = bench.run(
        {"base_model": "b", "adapter": "qlora", "peft_use_dora": True, "lora_r": 9000, "datasets": data}
    )
    assert (file.train.adapter.kind, file.train.adapter.rank) == ("qlora", None)
    assert bench.line("peft_use_dora").why == "an adapter is of one kind, and this one is qlora"
    assert bench.line("lora_r").why.startswith("train.adapter.rank does not take it: ")


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"rl": "grpo"}, "rl: grpo is not among the methods here"),
        (
            {"reward_model": True},
            "reward_model trains a reward model, and that is not among the methods here",
        ),
        ({"datasets": [{"path": "a/b"}]}, "the config has no data set that can be a source"),
        ({"datasets": "rows"}, "the config has no data set that can be a source"),
    ],
)
def test_what_cannot_be_imported_is_refused(bench: Bench, more: dict[str, Any], message: str) -> None:
    config = {"base_model": "b", "datasets": [{"path": "a/b", "type": "alpaca"}], **more}
    if more.get("datasets") == "rows":
        config["datasets"] = [7]
    with pytest.raises(UserError) as caught:
        bench.run(config)
    assert caught.value.message == message
    assert not (bench.root / "mine").exists()


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


def test_an_openai_job(bench: Bench) -> None:
    bench.write(
        "train.jsonl",
        '{"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]}\n',
    )
    job = {
        "object": "fine_tuning.job",
        "id": "ftjob-1",
        "model": "gpt-4.1-mini",
        "training_file": "train.jsonl",
        "validation_file": None,
        "suffix": "support bot",
        "seed": 7,
        "method": {
            "type": "dpo",
            "dpo": {
                "hyperparameters": {
                    "n_epochs": 2,
                    "beta": 0.2,
                    "batch_size": "auto",
                    "learning_rate_multiplier": 1.8,
                }
            },
        },
        "integrations": [{"type": "wandb", "wandb": {"project": "p"}}],
        "metadata": {},
    }
    file = bench.run(job, "job.json")
    assert (file.name, file.base) == ("support-bot", "embedded")
    assert file.train.model_dump(exclude_unset=True) == {
        "method": "dpo",
        "dpo": {"beta": 0.2},
        "epochs": 2,
        "sinks": ("wandb",),
        "seed": 7,
    }
    assert file.sources["training"].path == "../train.jsonl"
    assert bench.line("training_file").why == "the first 1 rows have this form"
    assert bench.line("model") == Line(
        "model", "gpt-4.1-mini", "changed", "base", "its weights are not to be had: choose an open model"
    )
    assert bench.fate("method.dpo.hyperparameters.learning_rate_multiplier") == ("without", "")
    with pytest.raises(UserError, match="the method 'reinforcement' is not among those here"):
        Bench(bench.root / "two").run({**job, "method": {"type": "reinforcement"}}, "job.json")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.yaml", "a: [1", "this is not valid YAML"),
        ("a.yaml", "- a\n- b\n", "the file holds no mapping of keys"),
        ("a.yaml", "compute_environment: LOCAL\n", "the keys are those of no tool that is known here"),
        ("a.json", "{", "this is not valid JSON"),
        ("a.yaml", "x: &x [*x]\nbase_model: b\n", "the config has more than"),
        (
            "a.yaml",
            "a: &a [x,x,x,x,x,x,x,x,x]\n"
            + "".join(
                f"{y}: &{y} [{','.join([f'*{x}'] * 9)}]\n" for x, y in zip("abcdef", "bcdefg", strict=True)
            ),
            "the config has more than",
        ),
        ("a.yaml", "base_model: b\ntraining_file: t\n", "the keys are those of axolotl and openai"),
    ],
)
def test_a_file_that_is_no_config(bench: Bench, name: str, content: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        bench.run(content, name)
    assert not (bench.root / "mine").exists()


def test_a_tool_that_is_named_and_a_config_that_is_not_its(bench: Bench) -> None:
    for tool, message in (
        ("axolotl", "the config names no model"),
        ("llamafactory", "the config names no model"),
        ("openai", "the job names no training_file"),
    ):
        with pytest.raises(UserError, match=message):
            bench.run({"x": 1}, tool=tool)


def test_a_form_that_is_misspelt_in_a_project_file_is_told_with_its_line(bench: Bench) -> None:
    text = "name: n\ntask: {}\nsources:\n  a:\n    path: a.jsonl\n    form: alpacca\n"
    with pytest.raises(ProjectFileError) as caught:
        read(bench.write("tunewright.yaml", text))
    assert str(caught.value).endswith(
        "tunewright.yaml:6: sources.a.form.name: there is no form 'alpacca'. Did you mean 'alpaca'?"
    )


def test_a_project_is_never_written_over(bench: Bench) -> None:
    bench.write("mine/tunewright.yaml", "mine")
    with pytest.raises(UserError, match=r"there is a project here already\. Choose another folder with --to"):
        bench.run(AXOLOTL)
    assert (bench.root / "mine/tunewright.yaml").read_text("utf-8") == "mine"


def test_the_page_names_every_key_that_goes_somewhere() -> None:
    """Keys that only say what is always so, or go nowhere, are printed with their reason and not on the page."""
    from tunewright.project.importing import axolotl, llamafactory, llamafactory_v1

    page = (Path(__file__).parents[2] / "docs" / "importing.md").read_text("utf-8")
    elsewhere = ("always.", "leave.")
    for module in (axolotl, llamafactory, llamafactory_v1):
        going = [key for key, rule in module.RULES.items() if not rule.__qualname__.startswith(elsewhere)]
        assert going
        assert [key for key in going if f"`{key}`" not in page] == []


_SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-3, 3000), st.floats(-1, 2), st.text(max_size=6))
_VALUES = st.one_of(
    _SCALARS, st.lists(_SCALARS, max_size=2), st.dictionaries(st.text(max_size=4), _SCALARS, max_size=2)
)


@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_whatever_values_keys_have_each_is_told(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """No value of a known key crashes an import, and no key is passed over."""
    from tunewright.project.importing import axolotl, llamafactory

    root = tmp_path_factory.mktemp("any")
    starts = {
        "axolotl": ({"base_model": "b", "datasets": [{"path": "a/b", "type": "alpaca"}]}, axolotl.RULES),
        "llamafactory": ({"model_name_or_path": "b", "dataset": "a"}, llamafactory.RULES),
    }
    for tool, (start, rules) in starts.items():
        structure = ["adapter", "load_in_4bit", "stage", "finetuning_type", "quantization_bit", "unknown_key"]
        config = start | data.draw(
            st.dictionaries(st.sampled_from([*rules, *structure]), _VALUES, max_size=6)
        )
        path = root / f"{tool}.json"
        path.write_text(json.dumps(config), "utf-8")
        try:
            made = import_config(path, root / tool, tool)
        except UserError:
            continue
        told = {line.key.partition("[")[0].partition(".")[0] for line in made.lines}
        assert config.keys() <= told
