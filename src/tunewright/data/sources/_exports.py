"""Exports of chat tools: what a file is whose ending says only that it is an archive, or JSON.

    found = export_of(Path("slack.zip"))        # of a Slack workspace: format slack

A source names its format; who has yet to write a source is told here which one to name.
"""

import re
from collections.abc import Collection
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, Literal, NamedTuple

from tunewright.data.rows import BadFile, Row
from tunewright.data.sources._zip import open_zip

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


def export_in(names: Collection[str]) -> Export | None:
    """What an archive of these entries is the export of."""
    if "users.json" in names and any(map(_DAY.fullmatch, names)):
        return _SLACK
    return _ACCOUNT if _ACCOUNT.entry in names and not _BESIDE.isdisjoint(names) else None


def is_of_chatgpt(values: dict[str, Any]) -> bool:
    """Whether a row is a conversation as ChatGPT exports it."""
    return values.keys() >= _TREE


def export_of(path: Path) -> Export | None:
    """What a file on disk is the export of, or an entry of an archive; None where it is none, or cannot be read: who
    reads it in earnest says why.
    """
    try:
        if path.name == _ACCOUNT.entry and path.parent.is_file():
            found = export_of(path.parent)
            return found._replace(entry="") if found == _ACCOUNT else None
        if path.suffix.lower() == ".zip":
            with open_zip(path, "a zip archive") as archive:
                return export_in(archive.namelist())
        if path.suffix.lower() == ".json":
            return _ACCOUNT._replace(entry="") if _begins_with_a_tree(path) else None
    except (BadFile, OSError):
        pass
    return None


def _begins_with_a_tree(path: Path) -> bool:
    from tunewright.data.sources import json

    with closing(json.read(path, "utf-8").rows) as rows:
        first = next((row for row in islice(rows, _FIRST) if isinstance(row, Row)), None)
    return first is not None and is_of_chatgpt(first.values)
