"""Queues for other tools, and what comes back."""

import json
from pathlib import Path
from typing import Any

import pytest
from reviewed_rows import NOON, row, said

from tunewright.core.errors import DataError
from tunewright.core.example import Example, Origin, ask, make_document, make_example
from tunewright.core.message import Function, Message, ToolCall, with_tools
from tunewright.data.review.decision import Decision, Key, key_of
from tunewright.data.review.edit import edited
from tunewright.data.review.exchange import queue_line, read_decisions
from tunewright.data.review.file import append
from tunewright.data.review.standing import UNREVIEWED, Standing
from tunewright.data.rows import BadRow

HOME = Origin(source="s", file="f.csv", row=1)
CALLS = make_example(
    with_tools(
        (
            Message(role="user", content="find"),
            Message(
                role="assistant",
                content="",
                tool_calls=(ToolCall(id="c", function=Function(name="f", arguments="{}")),),
            ),
            Message(role="tool", content="3", tool_call_id="c"),
            Message(role="assistant", content="It is 3.", weight=0.5),
        ),
        '[{"type": "function", "function": {"name": "f"}}]',
    ),
    origin=HOME,
)
KINDS = [
    row(1, fields_too={"a": [None]}),
    make_example(row(1).messages, rejected="no\u2028", origin=HOME),
    make_example(row(1).messages, desirable=False, origin=HOME),
    make_document("a document", fields={"page": 3}, origin=HOME),
    CALLS,
]  # fmt: skip


def taken(path: Path, *lines: dict[str, Any], rows: tuple[Example, ...] = ()) -> list[Decision]:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return read_decisions(
        path, "bob", NOON, lambda keys: {key_of(one): one for one in rows if key_of(one) in keys}
    ).decisions


def line_of(one: Example) -> dict[str, Any]:
    return json.loads(queue_line(one, "drawn at random", "random", UNREVIEWED))


@pytest.mark.parametrize("one", KINDS)
def test_a_row_goes_out_whole_and_its_verdict_comes_back(tmp_path: Path, one: Example) -> None:
    line = line_of(one)
    assert taken(tmp_path / "q.jsonl", line, rows=(one,)) == []
    (decision,) = taken(tmp_path / "q.jsonl", line | {"verdict": "reject", "reason": "no"}, rows=(one,))
    assert (decision.key, decision.verdict, decision.reason) == (key_of(one), "reject", "no")
    assert (decision.by, decision.drawn) == ("bob", "random")


@pytest.mark.parametrize("one", KINDS)
def test_an_edit_in_place_is_what_differs_from_the_row(tmp_path: Path, one: Example) -> None:
    line = line_of(one) | {"verdict": "edit"}
    line["messages"][-1]["content"] = "Better."
    line["fields"] = {**line.get("fields", {}), "new": 1}
    (decision,) = taken(tmp_path / "q.jsonl", line, rows=(one,))
    assert decision.edit is not None
    made = edited(one, decision.edit)
    assert (made.expected, made.fields, made.rejected) == ("Better.", {**one.fields, "new": 1}, one.rejected)
    assert (made.id, made.origin, made.desirable) == (decision.becomes, one.origin, one.desirable)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            {"verdict": "ok"},
            "q.jsonl:1: the verdict is 'ok'. It is one of accept, reject, edit, withdraw, or null.",
        ),
        ({"messages": []}, "q.jsonl:1: bad messages: 'messages' must be an array of at least"),
        (
            {"verdict": "accept", "rejected": "x"},
            "q.jsonl:1: the row says something else than when it was written, but",
        ),
        (
            {"rejected": "x"},
            "q.jsonl:1: the row says something else than when it was written, but its verdict is not edit",
        ),
        ({"verdict": "edit"}, "q.jsonl:1: the verdict is edit, but the row says what it said. Write accept."),
        ({"verdict": "edit", "place": "g.csv:1"}, "q.jsonl:1: no row to review is "),
        ({"verdict": "accept", "id": None}, "q.jsonl:1: the line does not say which row it is about"),
        ({"fields": {"a": 1}}, "q.jsonl:1: the row says something else than when it was written, but"),
        (
            {"verdict": "edit", "messages": [{"role": "assistant", "content": "x"}]},
            "q.jsonl:1: the edit makes a document of a conversation, or a conversation of a document",
        ),
        (
            {"verdict": "edit", "messages": [turn.wire() for turn in ask("q", "")]},
            "q.jsonl:1: the edited answer is blank",
        ),
        ({"verdict": "edit", "id": None}, "q.jsonl:1: the line does not say which row it is about"),
        (
            {"verdict": "reject", "reason": 3},
            "q.jsonl:1: this is no decision (reason: input should be a valid string)",
        ),
        ({"verdict": "edit", "fields": [1]}, "q.jsonl:1: the row's fields are no object"),
        ({"verdict": "accept", "at": "yesterday"}, "q.jsonl:1: this is no decision (at: "),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, change: dict[str, Any], told: str) -> None:
    with pytest.raises(DataError) as caught:
        taken(tmp_path / "q.jsonl", line_of(row(1)) | change, rows=(row(1),))
    assert str(caught.value).startswith(told)


def test_another_reviewers_file_is_read_as_it_is(tmp_path: Path) -> None:
    decisions = [
        said(row(1), "accept"),
        said(row(2), "edit", new=row(2, "no")),
        said(row(1), "withdraw", minute=1),
    ]
    append(tmp_path / "theirs.jsonl", *decisions)

    def nothing(keys: set[Key]) -> dict[Key, Example]:
        raise AssertionError(keys)

    assert read_decisions(tmp_path / "theirs.jsonl", "bob", NOON, nothing) == (decisions, 0)


def test_a_file_that_was_cut_off_on_its_way_is_not_taken(tmp_path: Path) -> None:
    append(tmp_path / "theirs.jsonl", said(row(1), "accept"), said(row(2), "accept"))
    (tmp_path / "theirs.jsonl").write_bytes((tmp_path / "theirs.jsonl").read_bytes()[:-20])
    with pytest.raises(DataError, match=r"theirs.jsonl:2: the line is not JSON"):
        read_decisions(tmp_path / "theirs.jsonl", "bob", NOON, lambda keys: {})


def test_what_was_decided_before_stands_beside_the_row() -> None:
    decision = said(row(1), "reject", reason="no")
    line = json.loads(queue_line(row(1), "why", "chosen", Standing(decision, {decision.by: decision})))
    known = {
        "verdict": "reject",
        "reason": "no",
        "drawn": "chosen",
        "by": "ann",
        "at": "2026-03-01T12:00:00Z",
    }
    assert line["before"] == known
    assert (line["verdict"], line["why"]) == (None, "why")


def test_an_edit_in_place_is_held_to_the_task(tmp_path: Path) -> None:
    def check(answer: str) -> str:
        if answer not in ("yes", "no"):
            raise BadRow(f"schema: {answer!r} is neither yes nor no")
        return answer

    one, path = row(1), tmp_path / "q.jsonl"
    line = line_of(one) | {"verdict": "edit"}
    for answer, taken_in in (("no", True), ("perhaps", False)):
        line["messages"][-1]["content"] = answer
        path.write_text(json.dumps(line) + "\n")
        if taken_in:
            assert (
                len(read_decisions(path, "bob", NOON, lambda keys: {key_of(one): one}, check).decisions) == 1
            )
        else:
            with pytest.raises(DataError, match=r"q\.jsonl:1: schema: 'perhaps' is neither yes nor no"):
                read_decisions(path, "bob", NOON, lambda keys: {key_of(one): one}, check)


def test_a_line_without_its_row_is_a_verdict_all_the_same(tmp_path: Path) -> None:
    line = line_of(row(1)) | {"messages": None}
    assert taken(tmp_path / "q.jsonl", line) == []
    (decision,) = taken(tmp_path / "q.jsonl", line | {"verdict": "accept"})
    assert (decision.key, decision.at) == (key_of(row(1)), NOON)
