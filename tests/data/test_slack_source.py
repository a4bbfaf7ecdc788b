"""The export of a Slack workspace: threads as conversations, whatever their messages are made of."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tunewright.core.errors import DataError
from tunewright.data.files import find_files
from tunewright.data.sources._slack_text import text_of
from tunewright.data.spec import SourceSpec


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


def test_names_of_an_export_that_was_packed_again_with_a_folder_on_top(desk) -> None:
    thread = [said("U1", "100.1", "Where?", "100.1"), said("U2", "100.2", "There.", "100.1")]
    users = [{"id": "U1", "name": "anna"}, {"id": "U2", "name": "ben"}]
    slack(desk.root / "again.zip", **{"mine/users.json": users, "mine/help/2024-02-29.json": thread})
    (example,) = desk.ingest("again.zip", format="slack").examples
    assert (example.fields["asked_by"], example.fields["answered_by"]) == ("anna", "ben")


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


NAMES = {"U1": "Anna B.", "U2": "Ben"}
BILL = {"id": "F1", "title": "Bill  of May", "name": "bill.pdf", "mode": "hosted"}
SNIPPET = {
    "id": "F2",
    "title": "run.log",
    "mode": "snippet",
    "preview": "fault 7",
    "lines": 1,
    "lines_more": 0,
}
GONE = {"id": "F3", "mode": "tombstone"}


def rich(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"type": "rich_text", "elements": list(parts)}


def run(*elements: dict[str, Any], kind: str = "rich_text_section", **more: Any) -> dict[str, Any]:
    return {"type": kind, "elements": list(elements), **more}


def word(text: str) -> dict[str, Any]:
    return {"type": "text", "text": text, "style": {"bold": True}}


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ({"text": "<@U2> &lt;b&gt; <#C1|help>", "files": [BILL]}, "@Ben <b> #help\n\n[file: Bill of May]"),
        ({"text": "", "files": [{"name": "a.png"}, GONE]}, "[file: a.png]"),
        ({"file": BILL}, "[file: Bill of May]"),
        ({"text": "see", "files": [SNIPPET]}, "see\n\n```\nfault 7\n```"),
        ({"files": [{**SNIPPET, "lines_more": 12}]}, "[file: run.log]"),
        ({"files": [{**SNIPPET, "preview_is_truncated": True}]}, "[file: run.log]"),
        ({"files": [{"mode": "email", "title": "Order 7", "plain_text": "Where is it?"}]}, "Order 7\n\nWhere is it?"),
        ({"files": [GONE]}, ""),
        # blocks: of people they say what `text` says, of apps what is seen
        ({"text": "*Hi*", "blocks": [rich(run(word("Hi")))]}, "*Hi*"),
        ({"text": "", "blocks": [rich(run(word("Hi "), {"type": "user", "user_id": "U1"}))]}, "Hi @Anna B."),
        (
            {
                "text": "This content can't be displayed.",
                "blocks": [
                    {"type": "header", "text": {"type": "plain_text", "text": "Lamp &amp; co"}},
                    {"type": "divider"},
                    {
                        "type": "section",
                        "text": {"type": "mrkdwn", "text": "*Fault* of <@U1>"},
                        "fields": [{"type": "mrkdwn", "text": "R&amp;D"}],
                        "accessory": {"type": "button", "text": {"type": "plain_text", "text": "Open"}},
                    },
                    {"type": "context", "elements": [{"type": "image", "alt_text": "x"}, {"type": "mrkdwn", "text": "7"}]},
                    {"type": "actions", "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Yes"}}]},
                    {"type": "markdown", "text": "**end**"},
                ],
            },
            "Lamp &amp; co\n\n*Fault* of @Anna B.\nR&D\n\n7\n\n**end**",
        ),
        ({"text": "short", "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "the whole"}}]}, "the whole"),
        ({"text": "whole", "blocks": [{"type": "actions", "elements": []}]}, "whole"),
        (
            {
                "blocks": [
                    rich(
                        run(
                            run(word("one")),
                            run(word("two "), {"type": "link", "url": "https://e.com", "text": "page"}),
                            kind="rich_text_list",
                            style="ordered",
                        ),
                        run(run(word("dot")), kind="rich_text_list", style="bullet"),
                        run(word("said\nso"), kind="rich_text_quote"),
                        run(word("x = 1"), kind="rich_text_preformatted"),
                        run(
                            {"type": "emoji", "name": "wave"},
                            {"type": "broadcast", "range": "here"},
                            {"type": "channel", "channel_id": "C1"},
                            {"type": "usergroup", "usergroup_id": "S1"},
                            {"type": "date", "timestamp": 1, "fallback": "today"},
                            {"type": "link", "url": "https://e.com"},
                        ),
                    )
                ]
            },
            "1. one\n2. two page (https://e.com)\n• dot\n> said\n> so\n```x = 1```\n"
            ":wave:@here#C1@S1todayhttps://e.com",
        ),
        (
            {"blocks": [{"type": "table", "rows": [[{"type": "raw_text", "text": "a"}, rich(run(word("b")))]]}]},
            "| a | b |\n| --- | --- |",
        ),
        # attachments: what they show, or what stands for it
        (
            {
                "text": "Alarm",
                "attachments": [
                    {
                        "fallback": "f",
                        "pretext": "new",
                        "title": "Lamp <https://e.com|7>",
                        "text": "is *out*",
                        "fields": [{"title": "Room", "value": "3"}, {"value": "top"}, 3],
                    },
                    {"fallback": "only &amp; this"},
                    {"fallback": "[no preview available]", "blocks": [rich(run(word("laid out")))]},
                    {"fallback": "[no preview available]"},
                ],
            },
            "Alarm\n\nnew\nLamp 7 (https://e.com)\nis *out*\nRoom: 3\ntop\n\nonly & this\n\nlaid out",
        ),
        ({"text": "<https://e.com>", "attachments": [{"from_url": "https://e.com", "text": "About us"}]}, "https://e.com"),
        ({"text": "", "attachments": [{"original_url": "https://e.com", "title": "E"}]}, "E"),
        (
            {
                "text": "Who knows?",
                "attachments": [{"is_share": True, "from_url": "u", "text": "It hums", "files": [BILL], "fallback": "f"}],
            },
            "Who knows?\n\nIt hums\n\n[file: Bill of May]",
        ),
        # a layout that is known in part alone, lists in lists, times and groups
        (
            {"text": "Open B.", "blocks": [{"type": "header", "text": {"text": "Answer"}}, {"type": "card"}]},
            "Open B.",
        ),
        (
            {
                "blocks": [
                    rich(
                        run(run(word("a")), kind="rich_text_list", style="ordered"),
                        run(run(word("b")), kind="rich_text_list", style="bullet", indent=1),
                        run(run(word("c")), kind="rich_text_list", style="ordered", offset=1, indent=-3),
                        run(run(word("d")), kind="rich_text_list", style="ordered", offset=10**30, indent="x"),
                    )
                ]
            },
            "1. a\n  • b\n2. c\n1. d",
        ),
        (
            {"text": "<!date^1392734382^{date}|Feb 18> <!subteam^S1|@team> <!here|@here> <!channel>"},
            "Feb 18 @team @here @channel",
        ),
        ({"text": 3, "blocks": "x", "attachments": [None], "files": {}}, ""),
        ({"blocks": [{"type": []}, rich(run({"type": {}, "text": 3})), {"type": "section", "text": "x"}]}, ""),
    ],
)  # fmt: skip
def test_what_a_message_says(message: dict[str, Any], text: str) -> None:
    assert text_of(message, NAMES) == text


def threads(
    desk, *messages: dict[str, Any]
) -> tuple[list[list[tuple[str, str, Any]]], list[tuple[int, str]]]:
    """The conversations of a channel's messages, turn by turn with their weights, and what was passed over."""
    slack(
        desk.root / "e.zip",
        **{"users.json": [{"id": "U1", "name": "Ann"}], "help/2024-02-29.json": list(messages)},
    )
    got = desk.ingest("e.zip", format="slack", budget=0.0)
    assert all(reject["passed_over"] for reject in got.rejects)
    kinds = [reason.partition(":")[0] for _, reason in got.reasons]
    assert got.summary.sources["s"].passed_over_for == {kind: kinds.count(kind) for kind in kinds}
    return [[(m.role, m.content, m.weight) for m in e.messages] for e in got.examples], got.reasons


GOOD = (said("U1", "1.0", "How?", "1.0"), said("U2", "1.1", "So.", "1.0"))


def test_files_are_told_and_are_no_answer_to_be_learnt(desk) -> None:
    found = threads(
        desk,
        said("U1", "1.0", "", "1.0", files=[BILL]),
        said("U2", "1.1", "", "1.0", files=[{"title": "Form"}]),
        said("U1", "1.2", "Where do I sign?", "1.0"),
        said("U2", "1.3", "Here.", "1.0", files=[{"title": "Page 2"}]),
        said("U1", "1.4", "Is it right so?", "1.0"),
        said("U2", "1.5", "", "1.0", files=[{"title": "Signed"}]),
    )
    assert found == (
        [
            [
                ("user", "[file: Bill of May]", None),
                ("assistant", "[file: Form]", 0),
                ("user", "Where do I sign?", None),
                ("assistant", "Here.\n\n[file: Page 2]", None),
            ]
        ],
        [],
    )


@pytest.mark.parametrize(
    ("thread", "reason"),
    [
        ([said("U1", "9.0", "Anybody?", "9.0")], "no answer: nobody answers what is asked"),
        ([said("", "9.0", "Anybody?", "9.0")], "no answer: nobody answers what is asked"),
        (
            [said("U1", "9.0", "", "9.0", files=[GONE]), said("U2", "9.1", "Yes.", "9.0")],
            "no question: what is asked is nothing that can be read as text",
        ),
        (
            [said("U1", "9.0", "", "9.0"), said("U2", "9.1", "Yes.", "9.0"), said("U1", "9.2", "Thanks", "9.0")],
            "no question: nobody asks in words what is answered",
        ),
        (
            [said("U1", "9.0", "The form?", "9.0"), said("U2", "9.1", "", "9.0", files=[BILL])],
            "no words: what is answered is a file, or nothing that can be read as text",
        ),
        (
            [said("U1", "9.0", "The form?", "9.0"), said("U2", "9.1", "", "9.0", files=[GONE])],
            "no words: what is answered is a file, or nothing that can be read as text",
        ),
        (
            [said("", "9.0", "How?", "9.0"), said("", "9.1", "So.", "9.0")],
            "no name: a message does not say who wrote it, so that nobody knows who answers whom",
        ),
        (
            [said("U1", "9.0", "How?", "9.0"), said("U2", "9.1", "So.", "9.0"), said("", "9.2", "Or so.", "9.0")],
            "no name: a message does not say who wrote it, so that nobody knows who answers whom",
        ),
        ([said("U2", "9.1", "So.", "9.0")], "no beginning: the message that the thread answers is not in the export"),
        (
            [said("U1", "9.0", "joined", "9.0", subtype="channel_join"), said("U2", "9.1", "Welcome!", "9.0")],
            "no question: the thread answers a note of Slack's (channel_join)",
        ),
        ([said("U1", "9.0", "", "9.0", subtype=[])], "no question: the thread answers a note of Slack's"),
        (
            [said("U1", "9.0", "This message was deleted.", "9.0", subtype="tombstone"), said("U2", "9.1", "So.", "9.0")],
            "no question: the thread answers a note of Slack's (tombstone)",
        ),
    ],
)  # fmt: skip
def test_what_is_passed_over_has_its_reason(desk, thread: list[dict[str, Any]], reason: str) -> None:
    assert threads(desk, *GOOD, *thread) == (
        [[("user", "How?", None), ("assistant", "So.", None)]],
        [(2, reason)],
    )


def test_apps_and_guests_have_their_names(desk) -> None:
    bot = {"subtype": "bot_message", "bot_id": "B1"}
    guest = {"user_profile": {"display_name": "", "real_name": "Gus G.", "name": "gus"}}
    helper = {"bot_id": "B2", "bot_profile": {"id": "B2", "name": "Helper"}}
    messages = [
        said("", "1.0", "It is dark.", "1.0", username="Alarms", **bot),
        said("", "1.1", "A lamp is out.", "1.0", username="Desk", **bot),
        said("U9", "1.2", "I go.", "1.0", **guest),
        said("U8", "1.3", "Noted.", "1.0", **helper),
        said("", "1.4", "Closed.", "1.0", bot_profile={"id": "B3"}),
        said("U1", "2.0", "Hm?", "2.0"),
        said("", "2.1", "A note", "2.0", subtype="reminder_add"),
    ]
    slack(desk.root / "e.zip", **{"help/2024-02-29.json": messages})
    got = desk.ingest("e.zip", format="slack")
    assert [(e.fields["asked_by"], e.fields["answered_by"]) for e in got.examples] == [
        ("Alarms", "Desk, Gus G., Helper, B3")
    ]
    assert got.reasons == [
        (2, "no answer: nobody answers what is asked, but for notes of Slack's (reminder_add)")
    ]
    assert json.loads(got.rejects[0]["raw"]) == messages[5:]


def test_a_list_where_a_word_should_stand_is_passed_over(desk) -> None:
    """Found by fuzzing: what cannot be looked up in a set."""
    odd = said("U2", "1.3", "odd", "1.0", subtype=["x"])
    assert threads(desk, *GOOD, odd)[0] == [[("user", "How?", None), ("assistant", "So.", None)]]


@pytest.mark.parametrize("stamp", [10**401, "nan", "inf", "x", None, 1.1, True])
def test_times_that_are_none(desk, stamp: Any) -> None:
    """The head of a thread stands first, and what has no time before what has one."""
    odd = {**said("U2", "0", "Like so.", "9.0"), "ts": stamp}
    assert threads(desk, said("U1", "9.0", "How?", "9.0"), odd) == (
        [[("user", "How?", None), ("assistant", "Like so.", None)]],
        [],
    )
    assert threads(desk, *GOOD, said("U1", "inf", "How?", "inf"), said("U2", "1", "So.", "inf"))[1] == []


def test_channels_of_one_name_in_two_folders_stay_apart(desk) -> None:
    days = {
        f"{team}/help/2024-02-29.json": [{**part, "user": team + part["user"]} for part in GOOD]
        for team in "ab"
    }
    slack(desk.root / "e.zip", **days)
    got = desk.ingest("e.zip", format="slack")
    assert [(one.fields["channel"], one.fields["asked_by"]) for one in got.examples] == [
        ("help", "aU1"),
        ("help", "bU1"),
    ]
