"""What a message of Slack says, as text: its words, what its layout and its attachments say, and the files that it shares.

    text_of(message, {"U1": "Anna"})        "@Anna see the bill\n\n[file: Bill.pdf]"

Words are `text`. Where an app lays its message out in blocks, these are what is seen, and `text` is for notices alone. An
attachment says what it shows, or else its fallback; previews of links are told only where the message says nothing else, a
message that is shared always. A file is told by its title (`[file: Bill.pdf]`), a snippet or a mail that is there whole by
its text. Buttons and pictures in the layout say nothing.
"""

import re
from collections.abc import Iterable, Mapping
from html import unescape
from typing import Any

from tunewright.data.sources._documents import clean, markdown_table

_LINK = re.compile(r"<([@#!]?)([^<>|]{1,2000})(?:\|([^<>]{0,2000}))?>")
_FILES = re.compile(r"(?:\[file: [^\n]*\]\s*)+")
_NOTHING = {
    "This content can't be displayed.",
    "This message contains interactive elements.",
    "[no preview available]",
}
"""What Slack writes as the text of a message that has none."""
_BLOCKS = {"rich_text", "markdown", "section", "header", "context", "table", "divider", "image", "actions"}
"""Blocks that are known: those that are read, and those that say nothing in words."""
_DEEPEST = 8
"""Levels that a list in a list is set in."""
_Names = Mapping[str, str]
"""A person's id → the name that is shown."""


def text_of(message: Mapping[str, Any], names: _Names) -> str:
    """All that a message says; blank where that is nothing."""
    text, blocks = _marked(message.get("text"), names), _objects(message.get("blocks"))
    laid_out = _joined(_block(block, names) for block in blocks)
    kinds = {clean(block.get("type")) or "" for block in blocks}
    is_seen = (
        kinds - {"rich_text"} and kinds <= _BLOCKS
    )  # of a block that is not known nobody knows what it says
    own = laid_out if laid_out and (is_seen or not text) else text
    attached = _objects(message.get("attachments"))
    told = [each for each in attached if not _is_preview(each)]
    words = _joined((own, *(_attachment(each, names) for each in told)))
    if not words:
        words = _joined(_attachment(each, names) for each in attached)
    files = (*_objects(message.get("files")), *_objects([message.get("file")]))  # one was `file` until 2018
    return _joined((words, *map(_file, files)))


def is_only_files(text: str) -> bool:
    """Whether a text names files and says nothing else."""
    return _FILES.fullmatch(text) is not None


def _marked(text: Any, names: _Names) -> str:
    """A text of Slack's with its references written out: people and channels by names, links by their labels and targets."""

    def written(found: re.Match[str]) -> str:
        kind, target, label = found.groups()
        if kind == "@":
            return f"@{names.get(target, label or target)}"
        if kind == "!":
            return (
                label or target if target.startswith("date^") else f"@{(label or target).removeprefix('@')}"
            )
        if kind:
            return f"{kind}{label or target}"
        return f"{label} ({target})" if label and label != target else target

    found = unescape(_LINK.sub(written, text)).strip() if isinstance(text, str) else ""
    return "" if found in _NOTHING else found


def _block(block: Mapping[str, Any], names: _Names) -> str:
    """What a block of the layout says."""
    match block.get("type"):
        case "rich_text":
            return _joined((_rich(part, names) for part in _objects(block.get("elements"))), "\n")
        case "markdown":
            return _plain(block.get("text"))
        case "section" | "header" | "context":
            parts = [block.get("text"), *_list(block.get("fields")), *_list(block.get("elements"))]
            return _joined((_text_object(part, names) for part in _objects(parts)), "\n")
        case "table":
            rows = [_objects(row) for row in _list(block.get("rows"))]
            return markdown_table([[_cell(cell, names) for cell in row] for row in rows])
    return ""


def _text_object(part: Mapping[str, Any], names: _Names) -> str:
    return _plain(part.get("text")) if part.get("type") == "plain_text" else _marked(part.get("text"), names)


def _cell(cell: Mapping[str, Any], names: _Names) -> str:
    return _block(cell, names) if cell.get("type") == "rich_text" else _plain(cell.get("text"))


def _rich(part: Mapping[str, Any], names: _Names) -> str:
    """What a part of a rich text says, marked as Slack marks it in `text`."""
    inner = _objects(part.get("elements"))
    match part.get("type"):
        case "rich_text_list":
            ordered = part.get("style") == "ordered"
            items = enumerate((_rich(item, names) for item in inner), 1 + _small(part.get("offset"), 10**6))
            blanks = "  " * _small(part.get("indent"), _DEEPEST)
            return "\n".join(f"{blanks}{f'{at}.' if ordered else '•'} {item}" for at, item in items)
        case "rich_text_quote":
            return "\n".join(f"> {line}" for line in _run(inner, names).split("\n"))
        case "rich_text_preformatted":
            return f"```{_run(inner, names)}```" if inner else ""
    return _run(inner, names)


def _run(elements: Iterable[Mapping[str, Any]], names: _Names) -> str:
    """Elements of one line after the other, as a text."""
    return "".join(_element(element, names) for element in elements)


def _element(element: Mapping[str, Any], names: _Names) -> str:
    def found(key: str) -> str:
        value = element.get(key)
        return value if isinstance(value, str) else ""

    match element.get("type"):
        case "link":
            url, label = found("url"), found("text")
            return f"{label} ({url})" if label and label != url else url
        case "user":
            return f"@{names.get(found('user_id'), found('user_id'))}"
        case "usergroup":
            return f"@{found('usergroup_id')}"
        case "channel":
            return f"#{found('channel_id')}"
        case "broadcast":
            return f"@{found('range')}"
        case "emoji":
            return f":{found('name')}:"
        case "date":
            return found("fallback")
    return found("text")


def _is_preview(attachment: Mapping[str, Any]) -> bool:
    """Whether it shows what a link leads to, and is no message that was shared."""
    shared = attachment.get("is_share") or attachment.get("is_msg_unfurl")
    return not shared and bool(attachment.get("from_url") or attachment.get("original_url"))


def _attachment(attachment: Mapping[str, Any], names: _Names) -> str:
    """What an attachment shows, or else what stands for it."""
    blocks = _objects(attachment.get("blocks"))
    marked = [_marked(attachment.get(key), names) for key in ("pretext", "title", "text")]
    fields = [
        _joined((_marked(field.get("title"), names), _marked(field.get("value"), names)), ": ")
        for field in _objects(attachment.get("fields"))
    ]
    shown = _joined(_block(block, names) for block in blocks) or _joined((*marked, *fields), "\n")
    files = map(_file, _objects(attachment.get("files")))
    return _joined((shown, *files)) or _marked(attachment.get("fallback"), names)


def _file(file: Mapping[str, Any]) -> str:
    """The text of a snippet or a mail that is there whole, else the file's title; blank where it was deleted."""
    title = clean(file.get("title")) or clean(file.get("name"))
    if mail := _plain(file.get("plain_text")):
        return _joined((title or "", mail))
    whole = file.get("preview_is_truncated") is not True and file.get("lines_more") == 0
    if whole and (snippet := _plain(file.get("preview"))):
        return f"```\n{snippet}\n```"
    return f"[file: {title}]" if title else ""


def _plain(text: Any) -> str:
    return text.strip() if isinstance(text, str) else ""


def _joined(parts: Iterable[str], between: str = "\n\n") -> str:
    return between.join(part for part in parts if part.strip())


def _small(value: Any, most: int) -> int:
    """A number from 0 to `most`; 0 where it is none."""
    return value if type(value) is int and 0 <= value <= most else 0


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _objects(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list."""
    return [item for item in _list(value) if isinstance(item, dict)]
