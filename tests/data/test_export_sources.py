"""Exports of chat services, in the form that each service writes."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tunewright.core.errors import DataError
from tunewright.data.files import find_files
from tunewright.data.spec import SourceSpec


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
            {"title": "Lamps", "model": "gpt-x", "created": "2024-02-29T12:05:00+00:00"},
            1,
        ),
        (
            [
                {"role": "user", "content": "What is a lamp?"},
                {"role": "assistant", "content": "A wrong answer."},
            ],
            {"title": None, "model": "gpt-x", "created": "2024-02-29T12:05:00+00:00"},
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


def said(user: str, ts: str, text: str, thread: str | None = None, **more: Any) -> dict[str, Any]:
    return {
        "type": "message",
        "user": user,
        "ts": ts,
        "text": text,
        **({"thread_ts": thread} if thread else {}),
        **more,
    }


def slack(path: Path, **entries: Any) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, value in entries.items():
            archive.writestr(name, json.dumps(value))
    return path


def test_threads_of_slack(desk) -> None:
    users = [
        {"id": "U1", "name": "anna", "profile": {"display_name": "Anna B."}},
        {"id": "U2", "real_name": "Ben"},
        3,
    ]
    first_day = [
        said("U1", "100.1", "<@U2> the lamp &amp; its <https://e.com|page> are broken", "100.1"),
        said("U1", "50.1", "hello all"),
        said("U1", "100.2", "see <#C9|help>", "100.1"),
        said("U1", "70.1", "Anybody?", "70.1"),
        said("U3", "60.1", "joined", subtype="channel_join"),
    ]
    second_day = [
        said("U2", "200.1", "On it.", "100.1"),
        said("", "200.2", "Ticket <!here> 7", "100.1", subtype="bot_message", bot_id="B1"),
        said("U1", "201.1", "Thanks", "100.1"),
        said("U2", "300.1", "Late reply", "1.0"),
    ]
    slack(
        desk.root / "export.zip",
        **{
            "users.json": users,
            "channels.json": [],
            "help/2024-02-29.json": first_day,
            "help/2024-03-01.json": second_day,
        },
    )
    assert len(find_files(SourceSpec(path="export.zip", format="slack"), desk.root)) == 1
    got = desk.ingest("export.zip", format="slack")
    (example,) = got.examples
    assert [m.wire() for m in example.messages] == [
        {"role": "user", "content": "@Ben the lamp & its page (https://e.com) are broken\n\nsee #help"},
        {"role": "assistant", "content": "On it.\n\nTicket @here 7"},
    ]
    assert example.fields == {
        "channel": "help",
        "started": "1970-01-01T00:01:40+00:00",
        "asked_by": "Anna B.",
        "answered_by": "Ben, B1",
    }
    assert got.reasons == [
        (1, "no beginning: the message that the thread answers is not in the export"),
        (2, "no answer: nobody answers what is asked"),
    ]


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"users.json": []}, "the archive holds no channel of messages"),
        ({"help/2024-02-29.json": {}}, "help/2024-02-29.json in the archive holds no list."),
        ({"../help/2024-02-29.json": []}, "leads out of the archive"),
    ],
)
def test_what_is_no_export(desk, entries: dict[str, Any], message: str) -> None:
    slack(desk.root / "export.zip", **entries)
    with pytest.raises(DataError, match=message):
        desk.ingest("export.zip", format="slack")


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
    said = [
        {"user": "U1", "ts": "1.1", "thread_ts": "1.1", "text": "q"},
        {"user": "U2", "ts": "1.2", "thread_ts": "1.1", "text": "a"},
        {"user": "U2", "ts": "1.3", "thread_ts": "1.1", "text": "odd", "subtype": ["x"]},
    ]
    with zipfile.ZipFile(desk.root / "slack.zip", "w") as archive:
        archive.writestr("help/2024-02-29.json", json.dumps(said))
    assert [e.expected for e in desk.ingest("slack.zip", format="slack").examples] == ["a"]
