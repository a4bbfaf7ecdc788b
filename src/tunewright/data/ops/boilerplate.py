"""boilerplate: lines that many rows share are taken out.

Rows are read twice: which lines stand in how many, then what is left without them. What every mail of a firm ends with, the
banner over each article; and of a PDF's pages the running heads and feet, whose page numbers differ.
What was taken out stands in the account, with the number of rows. Code has lines that many rows share by right.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from pydantic import Field

from tunewright.core.example import Example, make_document, make_example
from tunewright.core.message import Message
from tunewright.data.boilerplate import (
    RunningLines,
    SharedLines,
    shared_lines,
    without_lines,
    without_running,
)
from tunewright.data.excerpt import excerpt
from tunewright.data.ops.op import MESSAGES, REJECTED, Kept, Note, OpSpec, Rows, Said, Touched

VERSION = "2"
SHOWN = 5
"""Lines that the account shows."""
PAGE = "page"
"""The field that tells a page from other documents: the PDF reader writes its number there."""
_File = tuple[str, str]
"""Its source and its name: two sources may each have a file of one name."""


class Boilerplate(OpSpec):
    """Take out lines that many rows share: signatures of a firm, banners, disclaimers, running heads and feet of pages."""

    op: Literal["boilerplate"] = "boilerplate"
    """Chooses this op."""
    share: float = Field(0.2, gt=0, le=1)
    """A line that stands in this share of the texts goes, where it has at least four words."""
    least: int = Field(20, ge=2)
    """And in so many texts, at least."""
    running: bool = True
    """Whether heads and feet of a PDF's pages (documents with the field `page`) go, too: among the first and last two lines
    of one, in four of ten of its file and in five at least, however few words they have and whatever their page number."""
    answers: bool = False
    """Whether lines of answers go, too. What every answer says may be just what is wanted."""


class _Found(NamedTuple):
    """What is boilerplate."""

    shared: dict[str, int]
    running: dict[_File, frozenset[str]]
    """Of each file's pages."""


def touches(spec: Boilerplate, given: frozenset[str]) -> Touched:
    """The turns, and which of them are pages."""
    pages = {PAGE} & given if spec.running else frozenset[str]()
    worse = frozenset({REJECTED} if spec.answers else ())
    return Touched(frozenset({MESSAGES, *pages}), worse, changes=worse | {MESSAGES})


def apply(spec: Boilerplate, rows: Rows) -> Iterator[Said]:
    """Every row, without the lines that it shares; then what they were, and of how many rows."""
    found = _found(spec, rows)
    lines, pages = Counter[str](), 0
    for row in rows:
        gone = set[str]()

        def bare(text: str, gone: set[str] = gone) -> str:
            left = without_lines(text, found.shared)
            if left != text:
                gone |= shared_lines(text) & found.shared.keys()
            return left

        page = _page(row, found)
        made = _mended(page, spec, bare)
        pages += page is not row
        lines.update(gone)
        yield Kept(row) if made is row else Kept(made, row)
    yield from _told(lines, pages, found)


def _found(spec: Boilerplate, rows: Rows) -> _Found:
    shared, heads = SharedLines(), RunningLines[_File]()
    for row in rows:
        for text in _texts(row, spec):
            shared.add(text)
        if spec.running and _is_page(row):
            heads.add(_file(row), row.expected)
    return _Found(shared.found(spec.share, spec.least), heads.found())


def _is_page(row: Example) -> bool:
    """Whether it is a file's page. Rows of one file are none: that many answers end alike is what they teach."""
    return row.is_document and PAGE in row.fields


def _file(row: Example) -> _File:
    return (row.origin.source, row.origin.file) if row.origin else ("", "")


def _page(row: Example, found: _Found) -> Example:
    """A page without its running head and foot."""
    if not _is_page(row) or (file := _file(row)) not in found.running:
        return row
    text = without_running(row.expected, found.running[file])
    return row if text == row.expected else make_document(text, fields=row.fields, origin=row.origin)


def _is_looked_at(message: Message, spec: Boilerplate, *, document: bool) -> bool:
    """Whether it is a text in which boilerplate may stand: JSON is none, and lines of instructions stand there by right."""
    spoken = document or message.role == "user" or (message.role == "assistant" and spec.answers)
    return spoken and message.content.lstrip()[:1] not in ("{", "[")


def _texts(row: Example, spec: Boilerplate) -> Iterator[str]:
    for message in row.messages:
        if _is_looked_at(message, spec, document=row.is_document):
            yield message.content


def _mended(row: Example, spec: Boilerplate, bare: Callable[[str], str]) -> Example:
    messages = tuple(
        message.model_copy(update={"content": bare(message.content)})
        if _is_looked_at(message, spec, document=row.is_document)
        else message
        for message in row.messages
    )
    rejected = bare(row.rejected) if row.rejected is not None and spec.answers else row.rejected
    if messages == row.messages and rejected == row.rejected:
        return row
    if row.is_document:
        return make_document(messages[0].content, fields=row.fields, origin=row.origin)
    desirable = row.desirable if row.rated else None
    return make_example(
        messages, fields=row.fields, origin=row.origin, rejected=rejected, desirable=desirable
    )


def _told(lines: Counter[str], pages: int, found: _Found) -> Iterator[Note]:
    if pages:
        files = f"{len(found.running)} file{'s' * (len(found.running) > 1)}"
        heads = sorted({excerpt(line) for several in found.running.values() for line in several})
        more = f" and {len(heads) - SHOWN} more" if len(heads) > SHOWN else ""
        shown = ", ".join(map(repr, heads[:SHOWN]))
        yield Note(
            f"Heads and feet of {pages:,} pages of {files} were taken out: {shown}{more} (# is a number)."
        )
    if lines:
        most = sorted(lines.items(), key=lambda one: (-one[1], one[0]))[:SHOWN]
        shown = ", ".join(f"{excerpt(line)!r} ({count:,})" for line, count in most)
        more = f" and {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
        yield Note(f"Lines that many rows share were taken out (rows): {shown}{more}.")
    if not pages and not lines:
        yield Note("No line is shared by enough rows: nothing was taken out.")
