"""Configs of other tools become project files; every key of theirs is told."""

import json
from pathlib import Path
from typing import Any

import pytest
from config_bench import Bench
from hypothesis import given, settings
from hypothesis import strategies as st

from tunewright.core.errors import ProjectFileError, UserError
from tunewright.project.importing import Tool, import_config
from tunewright.project.importing.carried import Line
from tunewright.project.reading import read


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
    with pytest.raises(UserError, match="there is no method 'reinforcement' here yet"):
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
        bench.run({"base_model": "b"})
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
    from tunewright.project.importing import axolotl, llamafactory, llamafactory_v1, openai

    root = tmp_path_factory.mktemp("any")
    sets = [{"path": "a/b", "type": "alpaca"}]
    starts: dict[str, tuple[Tool, dict[str, Any], list[str]]] = {
        "axolotl": (
            "axolotl",
            {"base_model": "b", "datasets": sets},
            [*axolotl.RULES, "adapter", "load_in_4bit"],
        ),
        "factory": (
            "llamafactory",
            {"model_name_or_path": "b", "dataset": "a"},
            [*llamafactory.RULES, "stage", "finetuning_type", "quantization_bit"],
        ),
        "version 1": (
            "llamafactory",
            {"model": "b", "train_dataset": "o/a"},
            [*llamafactory_v1.RULES, "peft_config", "quant_config"],
        ),
        "openai": (
            "openai",
            {"model": "m", "training_file": "t.jsonl"},
            [
                *openai.RULES,
                "method",
                "hyperparameters",
                "suffix",
                "integrations",
                "validation_file",
                "metadata",
            ],
        ),
    }
    for name, (tool, start, keys) in starts.items():
        config = start | data.draw(
            st.dictionaries(st.sampled_from([*keys, "unknown_key"]), _VALUES, max_size=6)
        )
        path = root / f"{name}.json"
        path.write_text(json.dumps(config), "utf-8")
        try:
            made = import_config(path, root / name, tool)
        except UserError:
            continue
        told = {line.key.partition("[")[0].partition(".")[0] for line in made.lines}
        assert config.keys() <= told
