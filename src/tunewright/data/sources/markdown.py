"""Markdown: the file is one row, {text, title, document}; its marks stay in the text.

The title is the front matter's, or else the first heading's. Front matter (settings of a site between `---` lines at the
head) is no part of the text.
"""

import re
from pathlib import Path

from tunewright.data.rows import Row, Table
from tunewright.data.sources._documents import TITLE, clean, document_table, whole_text

_FRONT = re.compile(
    r"---[ \t]*\n((?:[A-Za-z_][\w .-]*:[^\n]*\n)(?:[A-Za-z_][\w .-]*:[^\n]*\n|[ \t#-][^\n]*\n|\n)*?)---[ \t]*(?:\n|$)"
)
_NAMED = re.compile(r"title:[ \t]*(.+)", re.IGNORECASE)
_HEADING = re.compile(r" {0,3}#{1,6}[ \t]+(.+?)[ \t]*#*[ \t]*")
_UNDERLINE = re.compile(r" {0,3}(=+|-{3,})[ \t]*")
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")


def read(path: Path, encoding: str) -> Table:
    """Open a Markdown file as one document. Raises BadFile."""
    text = whole_text(path, encoding)
    front = _FRONT.match(text)
    body = text[front.end() :].lstrip("\n") if front else text
    title = _front_title(front[1]) if front else None
    return document_table(path, (TITLE,), [Row(1, {"text": body, TITLE: title or first_heading(body)})])


def _front_title(front: str) -> str | None:
    found = next(filter(None, map(_NAMED.fullmatch, front.split("\n"))), None)
    return clean(found[1].strip().strip("\"'")) if found else None


def first_heading(text: str) -> str | None:
    """The first heading outside of blocks of code."""
    fence, before = "", ""
    for line in text.split("\n"):
        mark = _FENCE.match(line)
        if fence:
            fence = "" if mark and mark[1].startswith(fence) and not line.strip().strip(fence[0]) else fence
        elif mark:
            fence = mark[1]
        elif heading := _HEADING.fullmatch(line):
            return clean(heading[1])
        elif before.strip() and _UNDERLINE.fullmatch(line):
            return clean(before)
        before = "" if fence else line
    return None
