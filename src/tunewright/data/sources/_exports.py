"""Exports of chat tools: what a file is whose ending says only that it is an archive, or JSON.

    found = export_of(Path("slack.zip"))        # of a Slack workspace: format slack

A source names its format; who has yet to write a source is told here which one to name.
"""

import re
from collections.abc import Collection, Iterable
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple

from tunewright.data.rows import BadFile, Row
from tunewright.data.sources._zip import open_zip

_HIDDEN = re.compile(r"\.[^.]|__MACOSX$")
_DAY = re.compile(r"[^/]+/\d{4}-\d{2}-\d{2}\.json")
"""What Slack calls the messages of a channel's day."""
_BESIDE = {"user.json", "message_feedback.json", "chat.html"}
"""What stands beside the conversations of a ChatGPT account."""
_TREE = {"mapping", "current_node"}
"""Keys of a conversation of ChatGPT's."""
_FIRST = 100
"""Rows among which the first that can be read is looked for."""


class Export(NamedTuple):
    """The export of a chat tool."""

    what: str
    """Whose: the export of a Slack workspace."""
    format: Literal["slack", "chatgpt"]
    entry: str = ""
    """The entry of an archive that holds the conversations; none where the file is read as a whole."""


_SLACK = Export("the export of a Slack workspace", "slack")
_ACCOUNT = Export("the export of a ChatGPT account", "chatgpt", "conversations.json")


def seen(names: Iterable[str]) -> list[str]:
    """The names without those of hidden files and of what macOS packs beside them."""
    return [name for name in names if not any(map(_HIDDEN.match, name.split("/")))]


def top_of(names: Iterable[str]) -> str:
    """The one folder that all entries of an archive lie in ("export/"), as where it was packed again; else nothing."""
    tops = {name.partition("/")[:2] for name in seen(names)}
    top, slash = tops.pop() if len(tops) == 1 else ("", "")
    return f"{top}/" if slash else ""


def export_in(names: Collection[str]) -> Export | None:
    """What an archive of these entries is the export of, whether or not they lie in one folder."""
    top = top_of(names)
    inner = {name.removeprefix(top) for name in names}
    if "users.json" in inner and any(map(_DAY.fullmatch, inner)):
        return _SLACK
    if _ACCOUNT.entry in inner and not _BESIDE.isdisjoint(inner):
        return _ACCOUNT._replace(entry=f"{top}{_ACCOUNT.entry}")
    return None


def is_of_chatgpt(values: dict[str, Any]) -> bool:
    """Whether a row is a conversation as ChatGPT exports it."""
    return values.keys() >= _TREE


def export_of(path: Path) -> Export | None:
    """What a file on disk is the export of, or an entry of an archive; None where it is none, or cannot be read: who
    reads it in earnest says why.
    """
    try:
        if archive := next((place for place in path.parents if place.is_file()), None):
            inside = path.relative_to(archive).as_posix()
            found = _in_archive(archive, inside) if path.name == _ACCOUNT.entry else None
            return found._replace(entry="") if found is not None and found.entry == inside else None
        if path.suffix.lower() == ".zip":
            return _in_archive(path)
        if path.suffix.lower() == ".json":
            return _ACCOUNT._replace(entry="") if _begins_with_a_tree(path) else None
    except (BadFile, OSError):
        pass
    return None


def _in_archive(archive: Path, entry: str | None = None) -> Export | None:
    """What an archive is the export of; where conversations alone lie in it, or are named, their rows tell."""
    from tunewright.data.sources._unpack import unpacked

    with open_zip(archive, "a zip archive") as opened:
        names = opened.namelist()
    if (found := export_in(names)) is not None:
        return found
    files = [name for name in seen(names) if not name.endswith("/")]
    entry = entry or (files[0] if len(files) == 1 else None)
    if entry not in files or Path(entry).name != _ACCOUNT.entry:
        return None
    with unpacked(archive / entry, by_line=False) as file:
        return _ACCOUNT._replace(entry=entry) if _begins_with_a_tree(file) else None


def _begins_with_a_tree(path: Path) -> bool:
    from tunewright.data.sources import json

    with closing(json.read(path, "utf-8").rows) as rows:
        first = next((row for row in islice(rows, _FIRST) if isinstance(row, Row)), None)
    return first is not None and is_of_chatgpt(first.values)
