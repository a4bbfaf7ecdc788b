"""`init` with rows of another tool: their form is told from them, or it is said why none is."""

import json
from pathlib import Path
from typing import Any

import pytest

from tunewright.core.errors import UserError
from tunewright.core.example import ask
from tunewright.data.forms import FormSpec
from tunewright.data.ingest import ingest
from tunewright.evals.suites import read_examples
from tunewright.project.init import init
from tunewright.project.reading import read

TALK = [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]
U, A, B = (
    {"role": role, "content": text} for role, text in (("user", "Q"), ("assistant", "A"), ("assistant", "B"))
)


def rows(folder: Path, *rows: dict[str, Any]) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    return path


def test_thinking_beside_answers_hides_no_form(tmp_path: Path) -> None:
    """What becomes of it is the user's to say, and `check` asks for it."""
    asked, said = TALK
    made = init(
        tmp_path / "mine", "chat", rows(tmp_path, {"conversations": [asked, said | {"thinking": "Hm."}]})
    )
    source = read(made.path).sources["data"]
    assert (source.form, source.thinking) == (FormSpec(name="sharegpt"), None)
    plain = rows(tmp_path, {"messages": [U, A | {"reasoning_content": "Hm."}]})
    source = read(init(tmp_path / "other", "chat", plain).path).sources["data"]
    assert (source.form, source.thinking) == (None, None)


@pytest.mark.parametrize(
    ("row", "form", "said"),
    [
        (
            {"id": 1, "conversations": TALK},
            "sharegpt",
            "ShareGPT: 1 of 1 rows have conversations (100% sure)",
        ),
        (
            {"conversations": TALK[:1], "chosen": TALK[1], "rejected": {"from": "gpt", "value": "B"}},
            {"name": "sharegpt", "keys": {"chosen": "chosen", "rejected": "rejected"}},
            "ShareGPT: 1 of 1 rows have conversations, chosen, rejected (100% sure)",
        ),
        (
            {"chosen_conversations": [U, A], "rejected_conversations": [U, B]},
            "torchtune.preference",
            "two conversations: 1 of 1 rows have chosen_conversations, rejected_conversations (100% sure)",
        ),
    ],
)
def test_rows_of_another_tool_get_their_form(
    tmp_path: Path, row: dict[str, Any], form: Any, said: str
) -> None:
    data = rows(tmp_path, row)
    made = init(tmp_path / "mine", "chat", data)
    assert made.why == f"The rows' form is told from them. {said}."
    file = read(made.path)
    source = file.sources["data"]
    assert (source.path, source.form, source.format, source.columns) == (
        "../rows.jsonl",
        FormSpec.model_validate(form),
        "auto",
        {},
    )
    (example,) = read_examples(tmp_path, "rows.jsonl", file.task, "x", source.form)
    assert example.messages == ask("Q", "A")


def test_chat_rows_that_no_form_reads_are_left_to_check(tmp_path: Path) -> None:
    data = rows(tmp_path, {"messages": [U, A], "images": ["a.png"]})
    made = init(tmp_path / "mine", "chat", data)
    source = read(made.path).sources["data"]
    assert (made.why, source.format, source.form) == (None, "chat", None)


def test_chat_rows_in_an_array(tmp_path: Path) -> None:
    data = tmp_path / "rows.json"
    data.write_text(json.dumps([{"messages": [U, A]}], indent=1), "utf-8")
    file = read(init(tmp_path / "mine", "chat", data).path)
    assert file.sources["data"].format == "auto"
    emitted = ingest(file.sources, file.task, tmp_path / "mine", tmp_path / "out", reject_budget=0)
    assert (emitted.rows, emitted.examples) == (1, 1)


def test_a_system_message_in_the_rows_leaves_the_tasks_empty(tmp_path: Path) -> None:
    data = rows(tmp_path, {"conversations": [{"from": "system", "value": "S"}, *TALK]})
    assert read(init(tmp_path / "mine", "chat", data).path).task.system == ""


def test_json_answers_of_another_tools_rows_make_the_schema(tmp_path: Path) -> None:
    answer = {"from": "gpt", "value": '{"ok": true}'}
    data = rows(tmp_path, {"conversations": [TALK[0], answer]}, {"conversations": [TALK[0], answer]})
    file = read(init(tmp_path / "mine", "structured-output", data).path)
    assert file.task.output.model_dump(by_alias=True)["schema"]["properties"] == {"ok": {"type": "boolean"}}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (
            {"prompt": "Q", "completions": ["a"], "labels": [True]},
            "form: stepwise rates it good if all of them are",
        ),
        ({"prompt": [U], "answer": "4"}, "as a seed for `generate` it has form: prompt_only"),
        ({"input_ids": [1], "labels": [1]}, "'input_ids' holds token ids (beside them labels)"),
    ],
)
def test_rows_that_are_no_table_are_not_guessed(tmp_path: Path, row: dict[str, Any], reason: str) -> None:
    data = rows(tmp_path, row)
    with pytest.raises(UserError) as caught:
        init(tmp_path / "mine", "chat", data)
    assert reason in caught.value.message
    assert caught.value.fix == "Begin without --data, and set form: for the source (docs/importing.md)."
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize(
    "row",
    [
        {"text": "Q", "label": "a", "input_ids": [1, 2]},
        {"text": "Q", "label": "a", "labels": [1]},
        {"input": "Q", "expected": "A", "before": [U, A]},
    ],
)
def test_a_table_stays_one(tmp_path: Path, row: dict[str, Any]) -> None:
    source = read(init(tmp_path / "mine", "chat", rows(tmp_path, row)).path).sources["data"]
    assert source.form is None
    assert source.columns
