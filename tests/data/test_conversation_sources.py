"""Talks and threads of mails as conversations, by the roles of who speaks."""

import json
import mailbox
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tunewright.core.errors import DataError
from tunewright.core.task import TaskSpec
from tunewright.data.ingest import ingest
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
    about = {"asked_by": "Customer", "answered_by": "Agent", "start": 0.0, "end": 9.0}
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
        (CALL, {"agent": "assistant", "*": "skip"}, "no question: nobody asks in words what is answered"),
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


def test_who_said_what_was_left_out_is_not_named(desk) -> None:
    desk.write("t.srt", call("srt", [("Eve", "Hello."), ("Ann", "Hi?"), ("Bot", "Yes."), ("Ben", "Bye.")]))
    (example,) = desk.ingest("t.srt", roles={"bot": "assistant", "EVE": "assistant", "*": "user"}).examples
    assert (example.fields["asked_by"], example.fields["answered_by"]) == ("Ann", "Bot")


def test_a_name_with_two_sides(desk) -> None:
    desk.write("t.srt", call("srt", CALL))
    with pytest.raises(DataError) as caught:
        desk.ingest("t.srt", roles={"Agent": "assistant", "agent": "user"})
    assert str(caught.value) == (
        "t.srt: roles says twice, and differently, who agent is; letter case and blanks play no part."
        " Leave one of them out."
    )


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
    assert got.reasons == [
        (3, "no answer: no mail of the file answers it, and it answers none"),
        (9, "no answer: nobody answers what is asked"),
    ]


def threads(
    desk: Any, mails: list[EmailMessage]
) -> tuple[list[list[tuple[str, str]]], list[tuple[int, str]]]:
    box(desk, mails)
    got = desk.ingest("t.mbox", roles={"shop.com": "assistant", "news.org": "skip"})
    return [turns(example) for example in got.examples], sorted(got.reasons)


GOOD = [mail("g1", ANN, 1, "Hi?"), mail("g2", DESK, 2, "Yes.", In_Reply_To="<g1@mx>")]


def test_a_thread_that_lacks_a_mail_is_a_reject(desk) -> None:
    """The second answer would stand beside the first question, too."""
    blank = mail("2", DESK, 2, "", In_Reply_To="<1@mx>")
    del blank["Message-ID"]
    blank["Received"] = "by way of others " * 200
    blank["Message-Id"] = "<2@mx>"
    asked = [mail("1", ANN, 1, "Q1"), blank, mail("3", ANN, 3, "Q2", References="<1@mx> <2@mx>")]
    answered = mail("4", DESK, 4, "A2", In_Reply_To="<3@mx>")
    assert threads(desk, [*asked, answered, *GOOD]) == (
        [[("user", "Hi?"), ("assistant", "Yes.")]],
        [
            (1, "thread with a gap: mail 3 answers <2@mx>, which is a reject"),
            (2, "empty text: the mail has no text"),
        ],
    )


def test_a_mail_that_is_there_a_second_time_whole_is_not_missed(desk) -> None:
    blank = mail("g2", DESK, 2, "", In_Reply_To="<g1@mx>")
    more = mail("g3", ANN, 3, "So?", In_Reply_To="<g2@mx>")
    assert threads(desk, [blank, *GOOD, more]) == (
        [[("user", "Hi?"), ("assistant", "Yes.")]],
        [(1, "empty text: the mail has no text")],
    )


def test_other_mails_of_the_same_id(desk) -> None:
    """Which one is answered cannot be told, unless they are one mail to which something was added on its way."""
    footed = mail("g2", DESK, 2, "Yes. (To leave this list, write to us.)")
    other = [
        mail("1", ANN, 1, "Q1"),
        mail("1", "Ben@y.org", 2, "Q2"),
        mail("2", DESK, 3, "A", References="<1@mx>"),
    ]
    assert threads(desk, [*GOOD, footed, *other]) == (
        [[("user", "Hi?"), ("assistant", "Yes.")]],
        [
            (3, "second mail with this id: mail 2 has it, too, and says something else"),
            (4, "thread with a gap: mail 6 answers <1@mx>, which is a reject"),
            (5, "second mail with this id: mail 4 has it, too, and says something else"),
        ],
    )


def test_a_clock_that_is_behind_puts_no_answer_before_its_question(desk) -> None:
    late = [mail("1", ANN, 9, "Q1"), mail("2", DESK, 3, "A1", In_Reply_To="<1@mx>")]
    late += [
        mail("4", DESK, 4, "A2", References="<1@mx> <3@mx>"),
        mail("3", ANN, 10, "Q2", References="<1@mx> <2@mx>"),
    ]
    ring = [mail("r1", ANN, 1, "Q", In_Reply_To="<r2@mx>"), mail("r2", DESK, 2, "A", In_Reply_To="<r1@mx>")]
    assert threads(desk, [*late, *ring]) == (
        [
            [("user", "Q1"), ("assistant", "A1"), ("user", "Q2"), ("assistant", "A2")],
            [("user", "Q"), ("assistant", "A")],
        ],
        [],
    )


def test_mails_to_skip_are_passed_over(desk) -> None:
    news = mail("n", "News <weekly@news.org>", 1, "Ten lamps.")
    assert threads(desk, [news, *GOOD]) == ([[("user", "Hi?"), ("assistant", "Yes.")]], [])


def test_what_nobody_answers_is_passed_over_and_counts_against_no_budget(desk) -> None:
    box(desk, [*GOOD, *(mail(f"news {at}", "info@x.org", 3, f"Offer {at}") for at in range(20))])
    got = desk.ingest("t.mbox", budget=0.0, roles={"shop.com": "assistant"})
    counts = {"rows": 21, "examples": 1, "rejects": 0, "passed_over": 20}
    reasons = {"no answer": 20}
    files = {"t.mbox": counts}
    assert got.summary.model_dump() == {
        **counts,
        "sources": {"s": {**counts, "files": files, "passed_over_for": reasons, "thinking": {}}},
        "reasons": reasons,
    }
    assert got.rejects[0] == {
        "source": "s",
        "file": "t.mbox",
        "row": 3,
        "reason": "no answer: no mail of the file answers it, and it answers none",
        "raw": "Offer 0",
        "passed_over": True,
    }
    blank = mail("blank", ANN, 4, "")
    box(desk, [blank])
    with pytest.raises(
        DataError, match=r"1 of 2 rows \(50\.00%\) cannot be used, more than the budget of 10"
    ):
        desk.ingest("t.mbox", budget=0.1, roles={"shop.com": "assistant"})


def test_where_most_are_passed_over_the_roles_are_asked_about(desk, tmp_path: Path) -> None:
    box(desk, [*GOOD, *(mail(f"news {at}", "info@x.org", 3, f"Offer {at}") for at in range(2))])
    told = list[tuple[str, str]]()

    def hear(kind: str, **data: Any) -> None:
        told.extend([(data["source"], data["words"])] if kind == "ingest.warning" else [])

    spec = SourceSpec(path="t.mbox", roles={"shop.com": "assistant"})
    ingest({"s": spec}, TaskSpec(), desk.root, tmp_path / "out", reject_budget=0.0, emit=hear)
    assert told == [
        (
            "s",
            "2 of 3 conversations are passed over (no answer 2): look at the first, and at whom `roles` names,"
            " where it does",
        )
    ]


def test_where_nobody_answers_at_all_the_roles_are_asked_about(desk) -> None:
    box(desk, MAILS)
    with pytest.raises(DataError) as caught:
        desk.ingest("t.mbox", roles={"shop.org": "assistant"})
    assert str(caught.value) == (
        "sources.s: nothing can be learnt from any of its 4 conversations (no answer 4). The first: t.mbox:1: no answer:"
        " nobody answers what is asked. Look at who speaks in them: where `roles` says who the assistant is, it has to be as"
        " they name themselves."
    )


def test_one_mail_is_no_conversation(desk) -> None:
    desk.write("t.eml", bytes(MAILS[1]).decode())
    with pytest.raises(
        DataError, match=r"t\.eml: it is one mail, which no other answers\. Put the mails into one mbox"
    ):
        desk.ingest("t.eml", roles={"shop.com": "assistant"})


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
        box(desk, [mail("1", "info@news.org", 1, "Ten lamps.")])
    else:
        desk.write(name, "input,expected\na,b\n")
    with pytest.raises(DataError) as caught:
        desk.ingest(name, roles={"shop.com": "assistant", "news.org": "skip"})
    assert str(caught.value).startswith(message)


def test_bounds(desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_threads, "MOST_CHARS", 20)
    box(desk, MAILS)
    with pytest.raises(DataError, match="its mails have more than 20 characters"):
        desk.ingest("t.mbox", roles={"shop.com": "assistant"})
    monkeypatch.setattr(_threads, "MOST_CHARS", 2000)
    box(desk, [mail("1", ANN, 1, "Why?", References="".join(f"<{at}>" for at in range(9)))])
    with pytest.raises(DataError, match="its mails have more than 2,000 characters"):
        desk.ingest("t.mbox", roles={"shop.com": "assistant"})
    with pytest.raises(ValidationError, match="a query's rows are in no file, so it has no roles"):
        SourceSpec(sql={"query": "select 1", "url": "sqlite:///t.db"}, roles={"a": "user"})
    with pytest.raises(ValidationError, match="skip"):
        SourceSpec(path="t.mbox", roles={"a": "boss"})
