"""Exports of chat services, in the form that each service writes."""

import json
from typing import Any

import pytest

from tunewright.core.errors import DataError


def node(name: str, parent: str | None, role: str, *parts: Any, **more: Any) -> dict[str, Any]:
    message = {
        "author": {"role": role},
        "content": {"content_type": "text", "parts": list(parts)},
        "recipient": "all",
    }
    return {name: {"id": name, "parent": parent, "children": [], "message": {**message, **more}}}


TREE = {
    "root": {"id": "root", "parent": None, "message": None},
    **node("s", "root", "system", "", metadata={"is_visually_hidden_from_conversation": True}),
    **node("u1", "s", "user", "What is a lamp?"),
    **node("old", "u1", "assistant", "A wrong answer."),
    **node("call", "u1", "assistant", "search(lamp)", recipient="browser"),
    **node("tool", "call", "tool", "results"),
    **node("think", "tool", "assistant", content={"content_type": "thoughts", "thoughts": []}),
    **node("a1", "think", "assistant", "A light."),
    **node("a2", "a1", "assistant", "More of it."),
    **node("u2", "a2", "user", "Thanks."),
}


def export(**changes: Any) -> dict[str, Any]:
    row = {"title": "Lamps", "create_time": 1709208300.5, "mapping": TREE, "current_node": "u2"}
    return {**row, "default_model_slug": "gpt-x", **changes}


def test_an_accounts_conversations(desk) -> None:
    picture = TREE | node("u1", "s", "user", {"content_type": "image_asset_pointer"}, "What is this?")
    silent = TREE | node("a1", "u2", "assistant", "  ")
    rows = [
        export(),
        export(current_node="old", title=None),
        export(mapping=picture),
        export(mapping=silent, current_node="u1"),
        export(mapping=TREE | {"u1": {"parent": "u2"}}, create_time=1e300),
        {"messages": []},
        "text",
        export(current_node=None),
    ]
    desk.write("conversations.json", json.dumps(rows))
    got = desk.ingest("conversations.json", format="chatgpt")
    assert [([m.wire() for m in e.messages], e.fields, e.origin.row) for e in got.examples] == [
        (
            [
                {"role": "user", "content": "What is a lamp?"},
                {"role": "assistant", "content": "A light.\n\nMore of it."},
            ],
            {
                "title": "Lamps",
                "model": "gpt-x",
                "created": "2024-02-29T12:05:00+00:00",
                "written_by": "gpt-x",
            },
            1,
        ),
        (
            [
                {"role": "user", "content": "What is a lamp?"},
                {"role": "assistant", "content": "A wrong answer."},
            ],
            {"title": None, "model": "gpt-x", "created": "2024-02-29T12:05:00+00:00", "written_by": "gpt-x"},
            2,
        ),
    ]
    assert got.reasons == [
        (3, "bad messages: the conversation holds pictures or sounds, and only texts are read"),
        (4, "no answer: nobody answers what is asked"),
        (5, "no answer: nobody answers what is asked"),
        (6, "bad conversation: it has no 'mapping' of messages; it has messages"),
        (7, "not an object: it is a text"),
        (8, "bad conversation: 'current_node' names none of its messages"),
    ]


def test_an_export_without_its_format_is_told(desk) -> None:
    desk.write("conversations.json", json.dumps([export()]))
    with pytest.raises(DataError, match=r"conversations as ChatGPT exports them\. Set format: chatgpt"):
        desk.ingest("conversations.json")


def test_a_sheet_of_what_has_none(desk) -> None:
    desk.write("t.csv", "input,expected\na,b\n")
    with pytest.raises(DataError, match="it is no spreadsheet, and has no sheets"):
        desk.ingest("t.csv", sheet="one")


def test_lists_where_words_should_stand_are_passed_over(desk) -> None:
    """Found by fuzzing: what cannot be looked up in a set."""
    odd = {
        **TREE,
        "tool": {"parent": "call", "message": {"author": {"role": "tool"}, "content": {"content_type": []}}},
    }
    desk.write("conversations.json", json.dumps([export(mapping=odd)]))
    assert len(desk.ingest("conversations.json", format="chatgpt").examples) == 1
