"""Talks and mail: subtitles, transcripts, mbox; mail by the library that writes it."""

import json
import mailbox
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tunewright.core.errors import DataError
from tunewright.data.rows import BadFile, Reject, Row
from tunewright.data.sources import mbox, subtitles

VTT = """\ufeffWEBVTT - A call

NOTE made by hand
over two lines

STYLE
::cue { color: red }

1
00:00:01.000 --> 00:00:02.500 align:start position:0%
<v Anna Berg>Good <i>morning</i>.</v>

00:02.500 --> 00:04.000
<v Anna Berg>How can I help &amp; serve?</v>

01:00:04.000 --> 01:00:05.250
<v.loud Ben>My <c.red>lamp</c> is broken.
<v Anna Berg>Oh.
"""


def turns(path: Path, text: str) -> list[Any]:
    path.write_text(text, encoding="utf-8")
    return [
        row if isinstance(row, Reject) else (row.number, *row.values.values())
        for row in subtitles.read(path, "utf-8").rows
    ]


def test_voices_of_webvtt(desk) -> None:
    desk.write("t.vtt", VTT)
    got = desk.ingest("t.vtt")
    assert [(e.origin.row, e.expected, e.fields) for e in got.examples] == [
        (9, "Good morning.\nHow can I help & serve?", fields("Anna Berg", 1.0, 4.0)),
        (16, "My lamp is broken.", fields("Ben", 3604.0, 3605.25)),
        (16, "Oh.", fields("Anna Berg", 3604.0, 3605.25)),
    ]
    assert all(example.is_document for example in got.examples)


def fields(speaker: str | None, start: float, end: float) -> dict[str, Any]:
    return {"speaker": speaker, "start": start, "end": end, "document": "t.vtt"}


def test_srt_without_speakers_is_one_text(tmp_path: Path) -> None:
    text = (
        "1\r\n00:00:01,5 --> 00:00:02,75\r\n{\\an8}Hello: <b>you</b>\r\n- there\r\n\r\n"
        "2\r\n00:00:03,000 --> 00:00:04,000\r\nNo more.\r\n  \r\n3\r\n00:00:05,000 --> 00:00:06,000\r\nEnd\r\n"
    )
    assert turns(tmp_path / "t.srt", text) == [
        (1, "Hello: you\n- there\nNo more.\nEnd", None, 1.5, 6.0, "t.srt")
    ]


def test_names_before_colons(tmp_path: Path) -> None:
    said = [
        "Anna: Hi.",
        "Dr. Ben O'Hara: Hello: all.",
        "and welcome",
        "Anna: Note: 3 things.",
        ">> Zoë-M: So.",
    ]
    text = "WEBVTT\n\n" + "\n".join(
        f"00:0{at}.000 --> 00:0{at}.900\n{line}\n" for at, line in enumerate(said)
    )
    assert [(turn[2], turn[1]) for turn in turns(tmp_path / "t.vtt", text)] == [
        ("Anna", "Hi."),
        ("Dr. Ben O'Hara", "Hello: all.\nand welcome"),
        ("Anna", "Note: 3 things."),
        ("Zoë-M", "So."),
    ]


def test_rolling_captions_say_each_line_once(tmp_path: Path) -> None:
    cues = [
        ("00:00.000 --> 00:02.000", " \nso<00:00:00.500><c> we</c> begin"),
        ("00:02.000 --> 00:02.010", "so we begin\n "),
        ("00:02.010 --> 00:04.000", "so we begin\nwith the first"),
        ("00:04.000 --> 00:04.010", "with the first\n "),
        ("00:04.010 --> 00:06.000", "with the first\nlamp"),
        ("00:09.000 --> 00:10.000", "lamp"),
    ]
    text = "WEBVTT\n\n" + "\n\n".join(f"{times}\n{said}" for times, said in cues)
    assert turns(tmp_path / "t.vtt", text) == [
        (3, "so we begin\nwith the first\nlamp\nlamp", None, 0.0, 10.0, "t.vtt")
    ]


def test_broken_cues_are_rejects(tmp_path: Path) -> None:
    text = (
        "WEBVTT\n\n00:01.000 --> later\nlost\n\nwords alone\n\n00:05.000 --> 00:04.000\nbackwards\n\n"
        "00:06.000 --> 00:07.000\nkept\n"
    )
    assert turns(tmp_path / "t.vtt", text) == [
        Reject(3, "bad cue: its times cannot be read ('00:01.000 --> later')", "00:01.000 --> later\nlost"),
        Reject(6, "bad cue: it has no times", "words alone"),
        Reject(
            8,
            "bad cue: its times cannot be read ('00:05.000 --> 00:04.000')",
            "00:05.000 --> 00:04.000\nbackwards",
        ),
        (11, "kept", None, 6.0, 7.0, "t.vtt"),
    ]
    with pytest.raises(BadFile, match="no times of subtitles"):
        turns(tmp_path / "t.srt", "Just a text.")


@pytest.mark.parametrize(
    "wrap",
    [
        lambda pieces: pieces,
        lambda pieces: {"language": "en", "segments": pieces},
        lambda pieces: {"results": {"utterances": pieces}},
    ],
)
def test_transcripts(desk, wrap: Any) -> None:
    pieces = [
        {"speaker": "Anna", "text": "Hi. ", "start": 0, "end": 1.5},
        {"speaker": "Anna", "text": " You called?", "start": 1.5, "end": 2},
        {"speaker": 1, "transcript": "Yes.", "start_time": "2.0", "end_time": "nan"},
        {"speaker": {"name": "Eve"}, "text": ""},
        {"text": "No."},
        "words",
        {"speaker": "Anna", "text": 3},
        {"speaker": "Anna", "start": 4},
    ]
    desk.write("t.json", json.dumps(wrap(pieces)))
    got = desk.ingest("t.json", format="transcript")
    names = ("speaker", "start", "end")
    assert [(e.origin.row, e.expected, *(e.fields[name] for name in names)) for e in got.examples] == [
        (1, "Hi.\nYou called?", "Anna", 0.0, 2.0),
        (3, "Yes.", "speaker 1", 2.0, None),
        (5, "No.", None, None, None),
    ]
    assert got.reasons == [
        (6, "not an object: it is a text"),
        (7, "bad piece: it has a number for a text"),
        (8, "bad piece: it has no text"),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            '{"text": "all in one"}',
            "t.json: the transcript holds no list of what is said; it has text. Put the pieces under",
        ),
        ("3", "t.json: the transcript holds no list of what is said; it is a number."),
        ("{", "t.json: the file is not JSON"),
        ("[" * 100_000, "t.json: the file is not JSON: it is nested more than 64 deep."),
    ],
)
def test_what_is_no_transcript(desk, content: str, message: str) -> None:
    desk.write("t.json", content)
    with pytest.raises(DataError) as caught:
        desk.ingest("t.json", format="transcript")
    assert str(caught.value).startswith(message)


def mail(subject: str, body: str, **headers: str) -> EmailMessage:
    made = EmailMessage()
    made["Subject"], made["From"], made["To"] = subject, "Zoë Berg <zoe@example.com>", "desk@example.com"
    made["Date"] = "Thu, 29 Feb 2024 13:05:00 +0100"
    for name, value in headers.items():
        made[name.replace("_", "-")] = value
    made.set_content(body)
    return made


def test_mails(desk) -> None:
    answer = mail(
        "Re: Läuft nicht",
        "Gern.\n\n> Die Lampe\n> läuft nicht.\nFrom here on all is well.\n",
        In_Reply_To="<1@x>",
    )
    answer.add_alternative("<p>Gern.", subtype="html")
    answer.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="a.pdf")
    web = EmailMessage()
    web.set_content("<style>p{}</style><h1>Offer</h1><p>Buy <b>now</b>", subtype="html")
    picture = EmailMessage()
    picture.set_content(b"\x89PNG", maintype="image", subtype="png")
    box = mailbox.mbox(desk.root / "t.mbox")
    for made in (answer, web, picture):
        box.add(made)
    box.close()
    got = desk.ingest("t.mbox")
    assert [(e.origin.row, e.expected, e.fields) for e in got.examples] == [
        (
            1,
            "Gern.\n\n> Die Lampe\n> läuft nicht.\nFrom here on all is well.",
            {
                "subject": "Re: Läuft nicht",
                "from": "Zoë Berg <zoe@example.com>",
                "to": "desk@example.com",
                "date": "2024-02-29T13:05:00+01:00",
                "message_id": None,
                "in_reply_to": "<1@x>",
                "document": "t.mbox",
            },
        ),
        (2, "# Offer\n\nBuy now", dict.fromkeys(got.examples[0].fields) | {"document": "t.mbox"}),
    ]
    assert got.reasons == [(3, "empty text: the mail has no text")]


def test_one_mail(desk) -> None:
    desk.write("t.eml", bytes(mail("One", "From the start.\n\nFrom me.\n")))
    (example,) = desk.ingest("t.eml").examples
    assert (example.expected, example.fields["subject"]) == ("From the start.\n\nFrom me.", "One")
    desk.write("t.eml", "no mail at all\n")
    with pytest.raises(DataError, match="does not begin with a mail's headers"):
        desk.ingest("t.eml")


@pytest.mark.parametrize(
    ("raw", "text", "subject"),
    [
        (
            b"Subject: =?nope?B?xx?=\nContent-Type: text/plain; charset=nope\n\ncaf\xe9",
            "café",
            "=?nope?B?xx?=",
        ),
        (b"Subject: a\n b\nDate: never\n\n\xe2\x82\xac 3", "€ 3", "a b"),
        (b"Content-Type: multipart/mixed\n\nno boundary", "no boundary", None),
        (b"Subject: x\nContent-Transfer-Encoding: base64\n\n!!!aGVsbG8=", "hello", "x"),
    ],
)
def test_mails_that_keep_to_no_standard(tmp_path: Path, raw: bytes, text: str, subject: str | None) -> None:
    (tmp_path / "t.eml").write_bytes(raw)
    (row,) = mbox.read(tmp_path / "t.eml", "utf-8").rows
    assert isinstance(row, (Row, Reject))
    if isinstance(row, Row):
        assert (row.values["text"], row.values["subject"], row.values["date"]) == (text, subject, None)
    else:
        assert text == "no boundary"


def test_too_long_a_mail_is_a_reject_and_the_next_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mbox, "MOST_BYTES", 1000)
    box = mailbox.mbox(tmp_path / "t.mbox")
    box.add(mail("long", "x" * 900 + "\n" + "y" * 900))
    box.add(mail("short", "z"))
    box.close()
    first, second = mbox.read(tmp_path / "t.mbox", "utf-8").rows
    assert isinstance(first, Reject)
    assert first.reason == "too long: the mail has more than 1,000 bytes"
    assert isinstance(second, Row)
    assert second.values["text"] == "z"


def test_a_mail_nested_without_end_is_a_reject(tmp_path: Path) -> None:
    parts = "".join(f'Content-Type: multipart/mixed; boundary="b{at}"\n\n--b{at}\n' for at in range(5000))
    (tmp_path / "t.eml").write_text("Subject: deep\n" + parts)
    (row,) = mbox.read(tmp_path / "t.eml", "utf-8").rows
    assert isinstance(row, Reject)


def test_a_mail_of_a_million_parts_is_a_reject(tmp_path: Path) -> None:
    head = 'Subject: many\nContent-Type: multipart/mixed; boundary="b"\n\n'
    (tmp_path / "t.eml").write_text(head + "--b\n\n" * 1_000_000)
    (row,) = mbox.read(tmp_path / "t.eml", "utf-8").rows
    assert isinstance(row, Reject)
    assert row.reason == "too many parts: more than 20,000 lines of the mail may begin one"


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (
            "Content-Type: text/plain" + ";\n a=b" * 1_000_000,
            "too long: the mail's headers have more than 1,048,576 bytes",
        ),
        (
            "Content-Type: text/plain" + ";\n a=b" * 10_000,
            "too long: a header that tells a part's kind has more than 10,000 characters",
        ),
    ],
)
def test_headers_without_end_are_rejects(tmp_path: Path, head: str, reason: str) -> None:
    """The standard library takes time that grows with the square of a header's parameters."""
    (tmp_path / "t.eml").write_text(head + "\n\nHi.")
    (row,) = mbox.read(tmp_path / "t.eml", "utf-8").rows
    assert isinstance(row, Reject)
    assert row.reason == reason
