"""DOCX: the document is one row, {text, title, document}; headings, lists and tables are written as Markdown.

Tracked deletions, comments, hidden text, headers and footers are left out; footnotes stand at the end. Read from the file's
XML itself, within bounds; macros and fields are not run.
"""

import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element

from tunewright.data.rows import Reject, Row, Table
from tunewright.data.sources._documents import TITLE, clean, document_table, markdown_table
from tunewright.data.sources._office import (
    attribute,
    child,
    children,
    file_title,
    local,
    main_part,
    relations,
)
from tunewright.data.sources._xml import read_part
from tunewright.data.sources._zip import open_zip

_PASSED_OVER = {
    "del",
    "moveFrom",
    "delText",
    "instrText",
    "rPr",
    "pPr",
    "Fallback",
    "sdtPr",
    "commentReference",
}
_MARKS = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-"}
_NOTES = {"footnoteReference": "footnotes", "endnoteReference": "endnotes"}
_WIDE = 1_000
"""Rows of so many cells are not widened further by cells that cover several."""
_CHAIN = 20
"""How many styles may be based on one another."""


def read(path: Path, encoding: str) -> Table:
    """Open a DOCX file as one document; `encoding` plays no part. Raises BadFile."""
    with open_zip(path, "a Word document") as archive:
        part, tree = main_part(archive, "word/document.xml", "document")
        parts = {relation.kind: relation.target for relation in relations(archive, part).values()}
        reader = _Reader(
            styles=_styles(_tree(archive, parts.get("styles"))),
            formats=_formats(_tree(archive, parts.get("numbering"))),
            notes={kind: _notes(_tree(archive, parts.get(kind))) for kind in _NOTES.values()},
        )
        text = reader.text(tree)
        title = file_title(archive) or reader.title
    row = Row(1, {"text": text, TITLE: title}) if text.strip() else None
    return document_table(path, (TITLE,), [row or Reject(1, "empty text: the document says nothing", "")])


class _Style(NamedTuple):
    """What a style says of its paragraphs, or leaves to the style it is based on."""

    level: int | None
    """1 for the highest heading."""
    list: tuple[str, int] | None
    """The id of a list and the depth in it."""
    parent: str | None


def _tree(archive: zipfile.ZipFile, name: str | None) -> Element | None:
    return read_part(archive, name) if name else None


def _styles(tree: Element | None) -> dict[str, _Style]:
    found = {}
    for style in children(tree, "style") if tree is not None else ():
        name = (attribute(child(style, "name"), "val") or "").lower()
        properties = child(style, "pPr")
        level = _level(properties)
        if name == "title":
            level = 1
        elif name.startswith("heading ") and name[8:].isdecimal():
            level = min(int(name[8:10]), 6)
        parent = attribute(child(style, "basedOn"), "val")
        found[attribute(style, "styleId") or ""] = _Style(level, _list_place(properties), parent)
    return found


def _level(properties: Element | None) -> int | None:
    """The heading's level that a paragraph's properties name; 9 is the body."""
    value = attribute(child(properties, "outlineLvl"), "val") or ""
    return min(int(value) + 1, 6) if value.isdecimal() and len(value) == 1 and int(value) < 9 else None


def _list_place(properties: Element | None) -> tuple[str, int] | None:
    numbers = child(properties, "numPr")
    name, depth = attribute(child(numbers, "numId"), "val"), attribute(child(numbers, "ilvl"), "val") or "0"
    return (name, int(depth) if depth in "012345678" else 0) if name else None


def _formats(tree: Element | None) -> dict[tuple[str, int], str]:
    """List and depth → how its points are marked: bullet, decimal, …"""
    if tree is None:
        return {}
    abstract = {}
    for kind in children(tree, "abstractNum"):
        abstract[attribute(kind, "abstractNumId")] = {
            attribute(level, "ilvl"): attribute(child(level, "numFmt"), "val") or ""
            for level in children(kind, "lvl")
        }
    found = {}
    for number in children(tree, "num"):
        levels = abstract.get(attribute(child(number, "abstractNumId"), "val"), {})
        for depth, mark in levels.items():
            if depth and depth.isdecimal() and len(depth) == 1:
                found[attribute(number, "numId") or "", int(depth)] = mark
    return found


def _notes(tree: Element | None) -> dict[str, Element]:
    return {attribute(note, "id") or "": note for note in tree} if tree is not None else {}


class _Reader:
    """Writes a document's body as Markdown."""

    def __init__(
        self,
        styles: dict[str, _Style],
        formats: dict[tuple[str, int], str],
        notes: dict[str, dict[str, Element]],
    ) -> None:
        self.title: str | None = None
        self._styles, self._formats, self._notes = styles, formats, notes
        self._counts: Counter[tuple[str, int]] = Counter()
        self._cited: list[str] = []
        self._known: dict[str, Element] = {}
        self._aside: list[str] = []

    def text(self, document: Element) -> str:
        """The blocks of the document, then its notes, parted by blank lines; points of a list stand close."""
        body = child(document, "body")
        blocks = list(self._blocks(body)) if body is not None else []
        for name in self._cited:  # a note may cite another one: the list grows
            note = " ".join(block for block, _ in self._blocks(self._known[name]))
            blocks.append((f"[^{name}]: {note}", False))
        before, parts = False, list[str]()
        for block, point in blocks:
            parts += ["\n" if point and before else "\n\n", block]
            before = point
        return "".join(parts[1:])

    def _blocks(self, element: Element) -> Iterator[tuple[str, bool]]:
        """Blocks, and whether each is a point of a list."""
        for inner in element:
            name = local(inner)
            if name == "p":
                yield from self._paragraph(inner)
            elif name == "tbl":
                if table := markdown_table(self._table(inner)):
                    yield table, False
            elif name not in _PASSED_OVER:  # content controls, insertions, custom XML
                yield from self._blocks(inner)

    def _paragraph(self, paragraph: Element) -> Iterator[tuple[str, bool]]:
        outer, self._aside = self._aside, []
        said = "".join(self._words(paragraph)).strip()
        aside, self._aside = self._aside, outer
        if said:
            level, place = self._kind(paragraph)
            if level:
                said = clean(said) or ""
                self.title = self.title or said
                yield f"{'#' * level} {said}", False
            elif place:
                yield self._marked(said, place), True
            else:
                yield said, False
        for block in aside:
            yield block, False

    def _kind(self, paragraph: Element) -> tuple[int | None, tuple[str, int] | None]:
        """The paragraph's level as a heading, and its place in a list; its style's where it says nothing itself."""
        properties = child(paragraph, "pPr")
        level, place = _level(properties), _list_place(properties)
        name = attribute(child(properties, "pStyle"), "val")
        for _ in range(_CHAIN):
            style = self._styles.get(name or "")
            if style is None:
                break
            level, place, name = level or style.level, place or style.list, style.parent
        return level, None if place and place[0] == "0" else place

    def _marked(self, said: str, place: tuple[str, int]) -> str:
        name, depth = place
        self._counts[place] += 1
        for deeper in range(depth + 1, 9):
            self._counts.pop((name, deeper), None)
        bullet = self._formats.get(place, "bullet") in ("bullet", "none")
        mark = "-" if bullet else f"{self._counts[place]}."
        return f"{'  ' * depth}{mark} {said}"

    def _words(self, element: Element) -> Iterator[str]:
        for inner in element:
            name = local(inner)
            if name == "t":
                yield inner.text or ""
            elif name in _MARKS:
                yield _MARKS[name]
            elif name in _NOTES:
                yield self._cite(name, attribute(inner, "id") or "")
            elif name == "txbxContent":
                self._aside += [block for block, _ in self._blocks(inner)]
            elif name == "tbl":  # within a drawing
                self._aside.append(markdown_table(self._table(inner)))
            elif name not in _PASSED_OVER and not (name == "r" and _hidden(inner)):
                yield from self._words(inner)

    def _cite(self, kind: str, name: str) -> str:
        note = self._notes[_NOTES[kind]].get(name)
        if note is None:
            return ""
        shown = name if kind == "footnoteReference" else f"e{name}"
        if shown not in self._known:
            self._known[shown] = note
            self._cited.append(shown)
        return f"[^{shown}]"

    def _table(self, table: Element) -> list[list[str]]:
        return [self._cells(row) for row in _within(table, "tr")]

    def _cells(self, row: Element) -> list[str]:
        """The row's cells; those that one cell covers are blank, beside it and below."""
        cells: list[str] = []
        for cell in _within(row, "tc"):
            properties = child(cell, "tcPr")
            merged = child(properties, "vMerge")
            below = merged is not None and attribute(merged, "val") != "restart"
            span = attribute(child(properties, "gridSpan"), "val") or "1"
            cells.append("" if below else " ".join(block for block, _ in self._blocks(cell)))
            if span.isdecimal() and len(span) < 3 and len(cells) < _WIDE:
                cells += [""] * (int(span) - 1)
        return cells


def _within(element: Element, name: str) -> Iterator[Element]:
    """The elements of a name among the children, also within content controls and tracked insertions."""
    for inner in element:
        if local(inner) == name:
            yield inner
        elif local(inner) in ("sdt", "sdtContent", "ins", "customXml", "moveTo"):
            yield from _within(inner, name)


def _hidden(run: Element) -> bool:
    vanish = child(run, "rPr", "vanish")
    return vanish is not None and attribute(vanish, "val") not in ("0", "false")
