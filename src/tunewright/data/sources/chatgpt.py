"""The export of a ChatGPT account (conversations.json): one row a conversation.

A row is {messages, title, model, created, written_by}; `written_by` is the model that answered, `unknown` where the export
does not name it. Of a conversation's tree the branch is read that was shown last. What the system says, hidden messages,
thoughts, and calls of tools with their results are left out; messages of one role that follow one another are joined, and
what follows the last answer is cut off. A conversation with pictures or sounds is a reject, one without an answer is passed
over. A row's number is its place in the file.
"""

from collections.abc import Generator, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from tunewright.data.names import listed
from tunewright.data.rows import BadRow, NoAnswer, Reject, Row, Table
from tunewright.data.sources import json
from tunewright.data.sources._documents import clean, iso_time
from tunewright.data.sources._roles import joined

_TEXTS = ("text", "multimodal_text")
_RAW = 2000


def read(path: Path, encoding: str) -> Table:
    """Open an export's conversations.json. Raises BadFile, also while reading."""
    return Table(None, _rows(json.read(path, encoding)))


def _rows(table: Table) -> Generator[Row | Reject, None, None]:
    with closing(table.rows):
        for row in table.rows:
            if isinstance(row, Row):
                try:
                    yield Row(row.number, _conversation(row.values))
                except BadRow as bad:
                    unanswered = isinstance(bad, NoAnswer)
                    yield Reject(row.number, str(bad), str(row.values)[:_RAW], unanswered)
            else:
                yield row


def _conversation(values: dict[str, Any]) -> dict[str, Any]:
    tree = values.get("mapping")
    if not isinstance(tree, dict):
        raise BadRow(f"bad conversation: it has no 'mapping' of messages; it has {listed(values)}")
    last = values.get("current_node")
    if not isinstance(last, str) or last not in tree:
        raise BadRow("bad conversation: 'current_node' names none of its messages")
    said = map(_said, _branch(tree, last))
    model = clean(values.get("default_model_slug"))
    return {
        "messages": joined(part for part in said if part is not None),
        "title": clean(values.get("title")),
        "model": model,
        "created": iso_time(values.get("create_time")),
        "written_by": model or "unknown",
    }


def _branch(tree: dict[str, Any], last: Any) -> Iterator[dict[str, Any]]:
    """The messages from the root to the node shown last."""
    way: dict[str, Any] = {}
    while isinstance(last, str) and last not in way and isinstance(node := tree.get(last), dict):
        way[last] = node.get("message")
        last = node.get("parent")
    return (message for message in reversed(way.values()) if isinstance(message, dict))


def _said(message: dict[str, Any]) -> tuple[str, str] | None:
    """The role and the text of a message, None where it is not part of the talk. Raises BadRow for a picture."""
    author, content, about = (_object(message, name) for name in ("author", "content", "metadata"))
    role = author.get("role")
    hidden = about.get("is_visually_hidden_from_conversation") is True
    spoken = message.get("recipient", "all") == "all" and content.get("content_type") in _TEXTS
    if hidden or not spoken or role not in ("user", "assistant"):
        return None
    parts = content.get("parts")
    texts = parts if isinstance(parts, list) else []
    if not all(isinstance(part, str) for part in texts):
        raise BadRow("bad messages: the conversation holds pictures or sounds, and only texts are read")
    text = "\n".join(texts).strip()
    return (role, text) if text else None


def _object(values: dict[str, Any], name: str) -> dict[str, Any]:
    found = values.get(name)
    return found if isinstance(found, dict) else {}
