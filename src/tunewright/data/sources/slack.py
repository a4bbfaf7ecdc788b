"""The export of a Slack workspace, the zip archive as it is downloaded.

One row a thread, {messages, channel, started, asked_by, answered_by}.

Who begins a thread is the user, everyone who answers the assistant; what one side says in a row is joined, and what the
user says after the last answer is cut off. Messages outside of threads, and notes of who came and went, are no rows; a
thread that nobody else answers is passed over. A row's number counts the threads, channel by channel and in the order of
their beginnings.
"""

import re
import zipfile
from collections import defaultdict
from collections.abc import Generator, Iterator
from html import unescape
from pathlib import Path, PurePosixPath
from typing import Any

from tunewright.core.strict_json import StrictJsonError, parse
from tunewright.data.names import shown
from tunewright.data.rows import BadFile, BadRow, NoAnswer, Reject, Row, Table
from tunewright.data.sources._documents import clean, iso_time
from tunewright.data.sources._roles import joined
from tunewright.data.sources._zip import open_zip, read_entry

DAY_BYTES = 16 * 2**20
"""The most bytes of a channel's messages of one day."""
CHANNEL_BYTES = 2**29
"""The most bytes of a channel's messages, which are held together: threads run over days."""
_SPOKEN = (None, "thread_broadcast", "file_share", "me_message", "bot_message")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\.json")
_LINK = re.compile(r"<([@#!]?)([^<>|]{1,2000})(?:\|([^<>]{0,2000}))?>")
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


def _channels(archive: zipfile.ZipFile) -> dict[str, list[str]]:
    """Channel → the entries of its days, in order."""
    found: dict[str, list[str]] = defaultdict(list)
    for name in sorted(archive.namelist()):
        place = PurePosixPath(name)
        if _DAY.fullmatch(place.name) and place.parent.name:
            found[place.parent.name].append(name)
    return found


def _names(archive: zipfile.ZipFile) -> dict[str, str]:
    """The id of each person → the name that is shown."""
    users = _parsed(archive, "users.json") if "users.json" in archive.namelist() else []
    found = {}
    for user in users:
        profile = user.get("profile")
        display = profile.get("display_name") if isinstance(profile, dict) else None
        ways = (display, user.get("real_name"), user.get("name"))
        name = next(filter(None, map(clean, ways)), None)
        if isinstance(user.get("id"), str) and name:
            found[user["id"]] = name
    return found


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
    path: Path, channels: dict[str, list[str]], names: dict[str, str]
) -> Generator[Row | Reject, None, None]:
    number = 0
    with open_zip(path, "a Slack export (a zip archive)") as archive:
        for channel, days in channels.items():
            for thread in _threads(archive, channel, days):
                number += 1
                try:
                    yield Row(number, _conversation(thread, channel, names))
                except BadRow as bad:
                    yield Reject(number, str(bad), str(thread)[:_RAW], isinstance(bad, NoAnswer))


def _threads(archive: zipfile.ZipFile, channel: str, days: list[str]) -> Iterator[list[dict[str, Any]]]:
    """The threads of a channel: messages that answer one, with it at their head."""
    if sum(archive.getinfo(day).file_size for day in days) > CHANNEL_BYTES:
        raise BadFile(f"the channel {shown(channel)} has more than {CHANNEL_BYTES:,} bytes of messages.")
    threads: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for day in days:
        for message in _parsed(archive, day):
            thread = message.get("thread_ts")
            if isinstance(thread, str) and message.get("subtype") in _SPOKEN:
                threads[thread].append(message)
    for thread in sorted(threads, key=_seconds):
        yield sorted(threads[thread], key=lambda message: _seconds(message.get("ts")))


def _conversation(thread: list[dict[str, Any]], channel: str, names: dict[str, str]) -> dict[str, Any]:
    first = thread[0]
    if first.get("ts") != first.get("thread_ts"):
        raise BadRow("no beginning: the message that the thread answers is not in the export")
    asker = _person(first)
    said = [("user" if _person(part) == asker else "assistant", _text(part, names)) for part in thread]
    others = [person for part in thread if (person := _person(part)) != asker]
    return {
        "messages": joined((role, text) for role, text in said if text),
        "channel": channel,
        "started": iso_time(_seconds(first.get("ts"))),
        "asked_by": names.get(asker, asker),
        "answered_by": ", ".join(dict.fromkeys(names.get(person, person) for person in others)),
    }


def _person(message: dict[str, Any]) -> str:
    found = message.get("user") or message.get("bot_id") or message.get("username")
    return found if isinstance(found, str) else ""


def _text(message: dict[str, Any], names: dict[str, str]) -> str:
    """The text with its references written out: people and channels by their names, links by their labels and targets."""

    def written(found: re.Match[str]) -> str:
        kind, target, label = found.groups()
        if kind == "@":
            return f"@{names.get(target, label or target)}"
        if kind:
            return f"{'@' if kind == '!' else kind}{label or target}"
        return f"{label} ({target})" if label and label != target else target

    text = message.get("text")
    return unescape(_LINK.sub(written, text)).strip() if isinstance(text, str) else ""


def _seconds(stamp: Any) -> float:
    try:
        return float(stamp)
    except (TypeError, ValueError):
        return 0.0
