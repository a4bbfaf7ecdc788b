"""Rows of our own form that are a source again keep who wrote them and their depth."""

import json
from typing import Any

import pytest

from tunewright.data.spec import SourceSpec
from tunewright.data.synthetic.collapse import source_depths

WAS = {"source": "s", "file": "s.csv", "row": 4, "teacher": "big", "depth": 2}


def row(origin: Any) -> str:
    talk = [{"role": "user", "content": "Where?"}, {"role": "assistant", "content": "Here."}]
    return json.dumps({"messages": talk, "origin": origin}) + "\n"


def writers(desk: Any, *origins: Any, **settings: Any) -> list[tuple[str, int]]:
    desk.write("rows.jsonl", "".join(map(row, origins)))
    return [(one.origin.teacher, one.origin.depth) for one in desk.ingest("rows.jsonl", **settings).examples]


def test_a_written_row_keeps_its_teacher_and_depth(desk: Any) -> None:
    people = {"source": "s", "file": "s.csv", "row": 4}
    other = [{"depth": 2}, {**WAS, "more": 1}, "an origin", None]
    assert writers(desk, WAS, {**WAS, "teacher": "", "depth": 1}, people, *other) == [
        ("big", 2),
        ("unknown", 1),
        ("", 0),
        *[("", 0)] * 4,
    ]


def test_what_the_source_says_names_the_writer_and_takes_no_depth_away(desk: Any) -> None:
    people = {"source": "s", "file": "s.csv", "row": 4}
    assert writers(desk, WAS, people, written_by="gpt") == [("gpt", 2), ("gpt", 1)]
    assert writers(desk, WAS, people, written_by="people") == [("big", 2), ("", 0)]


def test_answers_that_people_checked_are_peoples(desk: Any) -> None:
    """Of a format whose rows name the model that answered: a project may have no others."""
    told = {
        "mapping": {
            "a": {
                "parent": None,
                "message": {
                    "author": {"role": "user"},
                    "content": {"content_type": "text", "parts": ["Where?"]},
                },
            },
            "b": {
                "parent": "a",
                "message": {
                    "author": {"role": "assistant"},
                    "content": {"content_type": "text", "parts": ["Here."]},
                },
            },
        },
        "current_node": "b",
        "default_model_slug": "big",
    }
    desk.write("conversations.json", json.dumps([told]))
    for settings, origin in (
        ({}, ("big", 1)),
        ({"written_by": "people"}, ("", 0)),
        ({"written_by": "me"}, ("big", 1)),
    ):
        (one,) = desk.ingest("conversations.json", format="chatgpt", **settings).examples
        assert (one.origin.teacher, one.origin.depth) == origin
    specs = {by: SourceSpec(path="c.json", format="chatgpt", written_by=by) for by in ("", "people", "me")}
    assert source_depths(specs) == {"": 1, "people": 0, "me": 1}


@pytest.mark.parametrize("depth", [0, -1, 100, 10**30, 1.5, True, "1", None])
def test_a_depth_that_is_none_is_a_reject(desk: Any, depth: Any) -> None:
    desk.write("rows.jsonl", row(WAS) + row({**WAS, "depth": depth}))
    got = desk.ingest("rows.jsonl")
    assert got.reasons == [(2, "bad origin: its depth is no whole number from 1 to 99")]


@pytest.mark.parametrize("teacher", [1, None, "x" * 201])
def test_so_is_a_teacher(desk: Any, teacher: Any) -> None:
    desk.write("rows.jsonl", row(WAS) + row({**WAS, "teacher": teacher}))
    got = desk.ingest("rows.jsonl")
    assert got.reasons == [(2, "bad origin: its teacher is no text of at most 200 characters")]
