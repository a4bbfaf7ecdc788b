"""The export of a Slack workspace, the zip archive as it is downloaded.

One row a thread, {messages, channel, started, asked_by, answered_by}.

Who begins a thread is the user, everyone who answers the assistant; what one side says in a row is joined, and what is
said after the last answer in words is cut off. An answer that is only a file before it is not trained (weight 0). Messages
outside of threads are no rows, and notes of who came and went say nothing. A thread that nobody else answers is passed over,
and so is one whose beginning is not there or is such a note, in which somebody has no name, or where one side says nothing
that is text (_slack_text.py). A row's number counts the threads, channel by channel and in the order of their beginnings.
"""

import json
import re
import zipfile
from collections import defaultdict
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from math import isfinite
from pathlib import Path, PurePosixPath
from typing import Any

from tunewright.core.strict_json import StrictJsonError, parse
from tunewright.data.names import shown
from tunewright.data.rows import BadFile, NoAnswer, Reject, Row, Table
from tunewright.data.sources._documents import clean, iso_time
from tunewright.data.sources._exports import top_of
from tunewright.data.sources._roles import joined
from tunewright.data.sources._slack_text import is_only_files, text_of
from tunewright.data.sources._zip import open_zip, read_entry

DAY_BYTES = 16 * 2**20
"""The most bytes of a channel's messages of one day."""
CHANNEL_BYTES = 2**29
"""The most bytes of a channel's messages, which are held together: threads run over days."""
_SPOKEN = (
    None,
    "thread_broadcast",
    "reply_broadcast",
    "file_share",
    "me_message",
    "bot_message",
    "slackbot_response",
)
"""Kinds of messages that somebody says; all others are notes of Slack's."""
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\.json")
_RAW = 2000


def read(path: Path, encoding: str) -> Table:
    """Open an export; `encoding` plays no part. Raises BadFile where the archive holds no channel."""
    with open_zip(path, "a Slack export (a zip archive)") as archive:
        channels = _channels(archive)
        if not channels:
            raise BadFile(
                "the archive holds no channel of messages (channel/2024-02-29.json).",
                fix="Use the archive as Slack exports it.",
            )
        names = _names(archive)
    return Table(("messages", "channel", "started", "asked_by", "answered_by"), _rows(path, channels, names))


def _channels(archive: zipfile.ZipFile) -> dict[PurePosixPath, list[str]]:
    """A channel's folder → the entries of its days, in order."""
    found: dict[PurePosixPath, list[str]] = defaultdict(list)
    for name in sorted(archive.namelist()):
        place = PurePosixPath(name)
        if _DAY.fullmatch(place.name) and place.parent.name:
            found[place.parent].append(name)
    return found


def _names(archive: zipfile.ZipFile) -> dict[str, str]:
    """The id of each person → the name that is shown."""
    names = archive.namelist()
    place = f"{top_of(names)}users.json"
    users = _parsed(archive, place) if place in names else []
    found = {}
    for user in users:
        profile = user.get("profile")
        display = profile.get("display_name") if isinstance(profile, dict) else None
        if isinstance(user.get("id"), str) and (
            name := _first(display, user.get("real_name"), user.get("name"))
        ):
            found[user["id"]] = name
    return found


def _first(*names: Any) -> str | None:
    """The first that is a name."""
    return next(filter(None, map(clean, names)), None)


def _parsed(archive: zipfile.ZipFile, name: str) -> list[dict[str, Any]]:
    """The objects of an entry that is a JSON array. Raises BadFile."""
    try:
        value = parse((read_entry(archive, name, DAY_BYTES) or b"").decode())
    except (StrictJsonError, UnicodeDecodeError) as error:
        raise BadFile(f"{shown(name)} in the archive is not JSON: {error}.", fix="Export it anew.") from None
    if not isinstance(value, list):
        raise BadFile(f"{shown(name)} in the archive holds no list.", fix="Export it anew.")
    return [item for item in value if isinstance(item, dict)]


def _rows(
    path: Path, channels: dict[PurePosixPath, list[str]], names: dict[str, str]
) -> Generator[Row | Reject, None, None]:
    number = 0
    with open_zip(path, "a Slack export (a zip archive)") as archive:
        for channel, days in channels.items():
            for thread in _threads(archive, channel.name, days):
                number += 1
                try:
                    yield Row(number, _conversation(thread, channel.name, names))
                except NoAnswer as why:
                    raw = json.dumps(thread, ensure_ascii=False)[:_RAW]
                    yield Reject(number, str(why), raw, passed_over=True)


def _threads(archive: zipfile.ZipFile, channel: str, days: list[str]) -> Iterator[list[dict[str, Any]]]:
    """The threads of a channel: messages that answer one, with it at their head; notes, too."""
    if sum(archive.getinfo(day).file_size for day in days) > CHANNEL_BYTES:
        raise BadFile(f"the channel {shown(channel)} has more than {CHANNEL_BYTES:,} bytes of messages.")
    threads: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for day in days:
        for message in _parsed(archive, day):
            if isinstance(thread := message.get("thread_ts"), str):
                threads[thread].append(message)
    for thread in sorted(threads, key=_seconds):
        begun, answers = list[dict[str, Any]](), list[dict[str, Any]]()
        for message in threads[thread]:
            (begun if message.get("ts") == thread else answers).append(message)
        yield [*begun, *sorted(answers, key=lambda message: _seconds(message.get("ts")))]


def _is_spoken(message: Mapping[str, Any]) -> bool:
    return message.get("subtype") in _SPOKEN


def _conversation(thread: Sequence[dict[str, Any]], channel: str, names: Mapping[str, str]) -> dict[str, Any]:
    """The conversation of a thread. Raises NoAnswer where there is none, with the reason."""
    first, parts = thread[0], [part for part in thread if _is_spoken(part)]
    if first.get("ts") != first.get("thread_ts"):
        raise NoAnswer("no beginning: the message that the thread answers is not in the export")
    if not _is_spoken(first):
        what = clean(first["subtype"])
        raise NoAnswer(
            f"no question: the thread answers a note of Slack's{f' ({shown(what)})' if what else ''}"
        )
    asker = _person(first)
    others = {person: part for part in parts if (person := _person(part)) != asker}
    if not others and (asker or len(parts) == 1):
        notes = dict.fromkeys(
            clean(part.get("subtype")) or "without a name" for part in thread if part not in parts
        )
        beside = f", but for notes of Slack's ({shown(', '.join(notes))})" if notes else ""
        raise NoAnswer(f"no answer: nobody answers what is asked{beside}")
    if not all(map(_person, parts)):
        raise NoAnswer("no name: a message does not say who wrote it, so that nobody knows who answers whom")
    return {
        "messages": _messages(
            ("user" if _person(part) == asker else "assistant", text_of(part, names)) for part in parts
        ),
        "channel": channel,
        "started": iso_time(_seconds(first.get("ts"))),
        "asked_by": _name(first, names),
        "answered_by": ", ".join(dict.fromkeys(_name(part, names) for part in others.values())),
    }


def _messages(said: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    """What was said up to the last answer in words. A file cannot be written as an answer: one that is nothing else is no
    end, and before it is not trained."""
    parts = [(role, text) for role, text in said if text]
    if not any(role == "user" for role, _ in parts):
        raise NoAnswer("no question: what is asked is nothing that can be read as text")
    while parts and (parts[-1][0] == "user" or is_only_files(parts[-1][1])):
        parts.pop()
    if not parts:
        raise NoAnswer("no words: what is answered is a file, or nothing that can be read as text")
    return [
        {**turn, "weight": 0} if turn["role"] == "assistant" and is_only_files(turn["content"]) else {**turn}
        for turn in joined(parts)
    ]


def _person(message: Mapping[str, Any]) -> str:
    """What tells who wrote a message from others; blank where nothing does. An app may write under several names."""
    if isinstance(user := message.get("user"), str) and user:
        return user
    profile = message.get("bot_profile")
    app = message.get("bot_id") or (profile.get("id") if isinstance(profile, dict) else None)
    return "/".join(part for part in (app, message.get("username")) if isinstance(part, str) and part)


def _name(message: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """The name of who wrote a message, as far as the export has it."""

    def of(key: str, *parts: str) -> list[Any]:
        profile = message.get(key)
        return [profile.get(part) for part in parts] if isinstance(profile, dict) else []

    own = names.get(_person(message)) or _first(*of("user_profile", "display_name", "real_name", "name"))
    return own or _first(message.get("username"), *of("bot_profile", "name")) or _person(message)


def _seconds(stamp: Any) -> float:
    """A time as Slack writes it, a text of seconds; 0 where it is none."""
    try:
        found = float(stamp) if isinstance(stamp, str) else 0.0
    except ValueError:
        return 0.0
    return found if isfinite(found) else 0.0
