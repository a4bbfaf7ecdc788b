"""Talks and threads of mails as conversations, by the roles of who speaks."""

import json
import mailbox
from email.message import EmailMessage
from typing import Any

import pytest
from pydantic import ValidationError

from tunewright.core.errors import DataError
from tunewright.data.sources import _threads, open_file
from tunewright.data.spec import SourceSpec

ROLES = {"Agent": "assistant", "customer": "user", "IVR": "skip"}
CALL = [
    ("IVR", "Press 1."),
    ("agent", "Good morning."),
    ("Customer", "My lamp is broken."),
    ("Customer", "What now?"),
    ("Agent", "Send it back."),
    ("customer", "And who pays?"),
    ("agent", "We do."),
    ("agent", "Anything else?"),
    ("customer", "No."),
]


def call(form: str, said: list[tuple[str, str]]) -> str:
    if form == "json":
        return json.dumps(
            [
                {"speaker": who, "text": text, "start": at, "end": at + 1}
                for at, (who, text) in enumerate(said)
            ]
        )
    mark = "." if form == "vtt" else ","
    times = [f"00:00:{at:02}{mark}000 --> 00:00:{at + 1:02}{mark}000" for at in range(len(said))]
    head = "WEBVTT\n\n" if form == "vtt" else ""
    return head + "\n\n".join(f"{time}\n{who}: {text}" for time, (who, text) in zip(times, said, strict=True))


def turns(example: Any) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in example.messages]


@pytest.mark.parametrize("form", ["vtt", "srt", "json"])
def test_a_talk_is_one_conversation_up_to_its_last_answer(desk, form: str) -> None:
    desk.write(f"t.{form}", call(form, CALL))
    more = {"format": "transcript"} if form == "json" else {}
    got = desk.ingest(f"t.{form}", roles=ROLES, **more)
    (example,) = got.examples
    assert turns(example) == [
        ("user", "My lamp is broken.\nWhat now?"),
        ("assistant", "Send it back."),
        ("user", "And who pays?"),
        ("assistant", "We do.\nAnything else?"),
    ]
    about = {"asked_by": "Customer, customer", "answered_by": "agent, Agent", "start": 0.0, "end": 9.0}
    assert example.fields == {**about, "document": f"t.{form}"}
    assert not example.is_document
    assert got.rejects == []


@pytest.mark.parametrize(
    ("said", "roles", "reason"),
    [
        (
            [*CALL, ("Boss", "Hm.")],
            ROLES,
            "unknown speaker: Boss speaks; roles names agent, customer, ivr, and no '*'",
        ),
        (CALL[:4], ROLES, "no answer: nobody answers what is asked"),
        (CALL, {"agent": "assistant", "*": "skip"}, "no answer: nobody answers what is asked"),
    ],
)
def test_talks_that_are_no_conversation(
    desk, said: list[tuple[str, str]], roles: dict[str, str], reason: str
) -> None:
    desk.write("t.json", call("json", said))
    assert reasons(desk, "t.json", format="transcript", roles=roles) == [reason]


def reasons(desk: Any, path: str, **source: Any) -> list[str]:
    """Why the rows of a file are none."""
    return [row.reason for row in open_file(desk.root / path, SourceSpec(path=path, **source)).table.rows]


def test_a_lost_turn_is_no_hole_in_a_conversation(desk) -> None:
    desk.write("t.vtt", call("vtt", CALL) + "\n\n00:00:20.000 --> later\nagent: lost\n")
    why = "bad cue: its times cannot be read ('00:00:20.000 --> later')"
    assert reasons(desk, "t.vtt", roles=ROLES) == [f"lost turn: what is said at 30 cannot be read ({why})"]


def test_everyone_else(desk) -> None:
    desk.write("t.srt", call("srt", [("Ann", "Hi?"), ("Bot", "Yes."), ("Eve", "And me?"), ("Bot", "Too.")]))
    (example,) = desk.ingest("t.srt", roles={"bot": "assistant", "*": "user"}).examples
    assert turns(example) == [
        ("user", "Hi?"),
        ("assistant", "Yes."),
        ("user", "And me?"),
        ("assistant", "Too."),
    ]
    assert example.fields["asked_by"] == "Ann, Eve"


def mail(own: str, sender: str, day: int, body: str, **more: str) -> EmailMessage:
    made = EmailMessage()
    made["From"], made["Subject"], made["Message-ID"] = sender, f"mail {own}", f"<{own}@mx>"
    made["Date"] = f"Thu, {day:02} Feb 2024 13:05:00 +0100"
    for name, value in more.items():
        made[name.replace("_", "-")] = value
    made.set_content(body)
    return made


DESK, ANN = "The desk <help@shop.com>", "Ann <ann@x.org>"
MAILS = [
    mail("4", DESK, 4, "We do.", References="<1@mx> <2@mx> <3@mx>"),
    mail("1", ANN, 1, "My lamp is broken."),
    mail("alone", ANN, 1, "Thanks for all."),
    mail("a", "Ben@y.org", 2, "Where is it?"),
    mail("2", DESK, 2, "Send it back.", In_Reply_To="<1@mx>"),
    mail("b", DESK, 9, "On its way.", In_Reply_To='Your mail of Friday <a@mx>'),
    mail("3", ANN, 3, "Who pays?", In_Reply_To="<2@mx>"),
    mail("2", DESK, 2, "Send it back.", In_Reply_To="<1@mx>"),
    mail("c", ANN, 5, "Hello?"),
    mail("d", ANN, 6, "Anybody?", References="<c@mx>"),
]  # fmt: skip


def box(desk: Any, mails: list[EmailMessage]) -> None:
    made = mailbox.mbox(desk.root / "t.mbox")
    for one in mails:
        made.add(one)
    made.close()


@pytest.mark.parametrize("who", ["HELP@shop.com", "@shop.com", "shop.com"])
def test_mails_that_answer_one_another_are_a_conversation(desk, who: str) -> None:
    box(desk, MAILS)
    got = desk.ingest("t.mbox", roles={who: "assistant"})
    assert [(example.origin.row, turns(example)) for example in got.examples] == [
        (
            1,
            [
                ("user", "My lamp is broken."),
                ("assistant", "Send it back."),
                ("user", "Who pays?"),
                ("assistant", "We do."),
            ],
        ),
        (4, [("user", "Where is it?"), ("assistant", "On its way.")]),
    ]
    assert got.examples[1].fields == {
        "subject": "mail a",
        "started": "2024-02-02T13:05:00+01:00",
        "asked_by": "Ben@y.org",
        "answered_by": "help@shop.com",
        "document": "t.mbox",
    }
    assert got.reasons == [(9, "no answer: nobody answers what is asked")]


def test_without_roles_mails_are_documents(desk) -> None:
    box(desk, MAILS)
    got = desk.ingest("t.mbox")
    assert len(got.examples) == len(MAILS)
    assert "references" not in got.examples[0].fields
    assert all(example.is_document for example in got.examples)


def test_mails_without_dates_come_as_they_stand_in_the_file(desk) -> None:
    made = [mail("1", ANN, 9, "Why?"), mail("2", DESK, 1, "So.", In_Reply_To="<1@mx>")]
    del made[1]["Date"]
    box(desk, made)
    (example,) = desk.ingest("t.mbox", roles={"shop.com": "assistant"}).examples
    assert turns(example) == [("user", "Why?"), ("assistant", "So.")]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("t.csv", "t.csv: it is no mail, no transcript and no subtitles, and has no roles. Leave out roles:"),
        ("t.mbox", "sources.s: the source has no rows (t.mbox holds no conversation)."),
    ],
)  # fmt: skip
def test_files_without_conversations(desk, name: str, message: str) -> None:
    if name == "t.mbox":
        box(desk, MAILS[1:2])
    else:
        desk.write(name, "input,expected\na,b\n")
    with pytest.raises(DataError) as caught:
        desk.ingest(name, roles={"shop.com": "assistant"})
    assert str(caught.value).startswith(message)


def test_bounds(desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_threads, "MOST_CHARS", 20)
    box(desk, MAILS)
    with pytest.raises(DataError, match="its mails have more than 20 characters"):
        desk.ingest("t.mbox", roles={"shop.com": "assistant"})
    with pytest.raises(ValidationError, match="a query's rows are in no file, so it has no roles"):
        SourceSpec(sql={"query": "select 1", "url": "sqlite:///t.db"}, roles={"a": "user"})
    with pytest.raises(ValidationError, match="skip"):
        SourceSpec(path="t.mbox", roles={"a": "boss"})
