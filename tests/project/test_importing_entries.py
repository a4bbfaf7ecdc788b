"""The keys of a data set in another tool's config: what becomes of each, whatever it holds."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from config_bench import Bench
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tunewright.core.errors import UserError
from tunewright.data.forms import PRESETS
from tunewright.project.importing import import_config
from tunewright.project.importing.axolotl_forms import LEFT

_TURNS = {"path": "o/a", "type": "chat_template"}


@pytest.mark.parametrize(
    ("entry", "form"),
    [
        ({"field_tools": "functions"}, {"keys": {"tools": "functions"}}),
        ({"drop_system_message": True}, {"drop_system": True}),
        ({"drop_system_message": False}, {}),
        (
            {"message_field_training": "learn", "message_field_training_detail": "spans"},
            {"message_keys": {"train": "learn", "train_detail": "spans"}},
        ),
        ({"roles": {"assistant": ["bot"], "tool": ["tool"]}}, {"roles": {"bot": "assistant"}}),
        ({"train_on_eos": "turn", "train_on_eot": "turn"}, {}),
    ],
)
def test_what_a_key_says_of_the_form(bench: Bench, entry: dict[str, Any], form: dict[str, Any]) -> None:
    file = bench.run({"base_model": "b", "datasets": [{**_TURNS, **entry}]})
    assert file.sources["a"].form is not None
    assert file.sources["a"].form.model_dump(exclude_unset=True) == {"name": "chat_template", **form}
    lines = [
        line for line in bench.lines if line.key.startswith(tuple(f"datasets[0].{key}" for key in entry))
    ]
    assert {line.fate for line in lines} == {"carried"}


@pytest.mark.parametrize("key", ["train_on_eos", "train_on_eot"])
@pytest.mark.parametrize("value", ["all", "last", "none", False])
def test_ends_of_turns_that_are_trained_otherwise(bench: Bench, key: str, value: Any) -> None:
    bench.run({"base_model": "b", "datasets": [{**_TURNS, key: value}]})
    assert bench.line(f"datasets[0].{key}")[2:] == (
        "without",
        "",
        "every trained turn ends with its trained end",
    )


@pytest.mark.parametrize(("asked", "ops"), [(True, ["drop_duplicates"]), (False, [])])
def test_duplicates_are_dropped_where_the_config_says_so(bench: Bench, asked: bool, ops: list[str]) -> None:
    file = bench.run({"base_model": "b", "datasets": [_TURNS], "dataset_exact_deduplication": asked})
    assert [op.op for op in file.recipe] == ops


_SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-3, 3000), st.text(max_size=6))
_ANY = st.one_of(
    _SCALARS, st.lists(_SCALARS, max_size=2), st.dictionaries(st.text(max_size=4), _SCALARS, max_size=2)
)
_SPLIT = r"[a-z]{0,3}(\[-?[0-9]{0,2}%?:-?[0-9]{0,2}%?\])?"
_SPLITS = st.from_regex(rf"{_SPLIT}(\+{_SPLIT})?", fullmatch=True)
_WORDS = st.sampled_from(["role", "content", "assistant", "user", "from", "x"])
_WORDED = st.dictionaries(_WORDS, st.one_of(_WORDS, st.lists(_WORDS, max_size=2)), max_size=2)
_AXOLOTL = st.fixed_dictionaries(
    {"path": st.sampled_from(["o/a", "imdb", "s3://x/y", "a.jsonl", "../a"])},
    optional={
        "type": st.one_of(st.sampled_from([*PRESETS, "llama3.ultra", "chatml.intel"]), _ANY),
        "split": st.one_of(_SPLITS, _ANY),
        **dict.fromkeys(
            (
                *(
                    "name",
                    "revision",
                    "data_files",
                    "field",
                    "field_messages",
                    "field_chosen",
                    "roles_to_train",
                ),
                *("drop_system_message", "train_on_eos", "message_field_role", "an_unknown_key", *LEFT),
            ),
            _ANY,
        ),
        "roles": st.one_of(_WORDED, _ANY),
        "message_property_mappings": st.one_of(_WORDED, _ANY),
    },
)
_COLUMNS = st.sampled_from(["prompt", "query", "response", "messages", "chosen", "rejected", "kto_tag", "x"])
_FACTORY = st.fixed_dictionaries(
    {},
    optional={
        "formatting": st.sampled_from(["alpaca", "sharegpt", "openai", "other"]),
        "columns": st.one_of(st.dictionaries(_COLUMNS, _SCALARS, max_size=3), _ANY),
        "tags": st.one_of(st.dictionaries(st.sampled_from(["role_tag", "user_tag", "y"]), _SCALARS), _ANY),
        "split": st.one_of(_SPLITS, _ANY),
        **dict.fromkeys(
            (
                *(
                    "file_name",
                    "hf_hub_url",
                    "ms_hub_url",
                    "script_url",
                    "cloud_file_name",
                    "subset",
                    "folder",
                ),
                *("num_samples", "ranking", "an_unknown_key"),
            ),
            _ANY,
        ),
    },
)


def told_of(root: Path, config: dict[str, Any], at: str, **more: Any) -> list[str] | None:
    """The keys of the entry `at` that were told; none where the import was refused."""
    path = root / "config.json"
    path.write_text(json.dumps(config), "utf-8")
    try:
        made = import_config(path, root / "mine", **more)
    except UserError:
        return None
    keys = [line.key.removeprefix(f"{at}.") for line in made.lines if line.key.startswith(f"{at}.")]
    return [key.partition(".")[0] for key in keys]


def test_whatever_an_entry_of_axolotl_holds_each_key_is_told(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    imported = Counter[bool]()

    @settings(max_examples=60, deadline=None)
    @given(entry=_AXOLOTL, rl=st.sampled_from([None, "dpo", "kto", "orpo"]))
    @example(entry={"path": "o/a", "type": "alpaca", "split": "train[-%:]"}, rl=None)
    @example(entry={"path": "o/a", "type": "alpaca", "split": f"train[:{5000 * '9'}]"}, rl=None)
    def each(entry: dict[str, Any], rl: str | None) -> None:
        config = {"base_model": "b", "rl": rl, "datasets": [entry, {"path": "o/b", "type": "alpaca"}]}
        told = told_of(tmp_path_factory.mktemp("any"), config, "datasets[0]", tool="axolotl")
        imported[told is not None] += 1
        assert told is None or entry.keys() <= set(told)

    each()
    assert imported[True] > imported[False]


def test_whatever_an_entry_of_llamafactory_holds_each_key_is_told(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    imported = Counter[bool]()
    where = {"file_name", "hf_hub_url", "ms_hub_url", "om_hub_url", "script_url", "cloud_file_name"}

    @settings(max_examples=60, deadline=None)
    @given(entry=_FACTORY, stage=st.sampled_from(["sft", "pt", "dpo", "kto"]))
    def each(entry: dict[str, Any], stage: str) -> None:
        config = {"model_name_or_path": "b", "stage": stage, "dataset": "a", "dataset_dir": {"a": entry}}
        told = told_of(tmp_path_factory.mktemp("any"), config, "dataset[a]", tool="llamafactory")
        imported[told is not None] += 1
        assert told is None or entry.keys() - where <= set(told)

    each()
    assert imported[True] > imported[False]
