"""PPTX: one row a slide, {text, slide, title, notes, document}; the row's number is the slide's.

The text is Markdown: the title as a heading, points as a list, tables as tables. The speaker's notes stand apart. A slide
that says nothing is passed over; one that shows pictures and no text is a reject.
"""

import zipfile
from collections.abc import Generator, Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from tunewright.data.names import shown
from tunewright.data.rows import BadFile, Reject, Row, Table
from tunewright.data.sources._documents import TITLE, clean, document_table, markdown_table
from tunewright.data.sources._office import attribute, child, children, local, main_part, relations
from tunewright.data.sources._xml import read_part
from tunewright.data.sources._zip import open_zip

SLIDES = 10_000
"""The most slides of a file."""
_TITLES = {"title", "ctrTitle"}
_FRAME = {"dt", "ftr", "sldNum", "hdr", "sldImg"}
_POINTS = {"body", "obj", None}


def read(path: Path, encoding: str) -> Table:
    """Open a PPTX file; `encoding` plays no part. Raises BadFile."""
    with open_zip(path, "a presentation") as archive:
        part, tree = main_part(archive, "ppt/presentation.xml", "presentation")
        known = relations(archive, part)
    slides = child(tree, "sldIdLst")
    ids = [_relation_id(slide) for slide in (slides if slides is not None else ())]
    if len(ids) > SLIDES:
        raise BadFile(f"the presentation has {len(ids):,} slides; {SLIDES:,} are read.", fix="Split it.")
    names = [known[name].target if name in known else "" for name in ids]
    return document_table(path, ("slide", TITLE, "notes"), _slides(path, names))


def _relation_id(slide: Element) -> str:
    """The id of the relation; the slide's own id is an attribute without a namespace."""
    return next((value for key, value in slide.items() if key.endswith("}id")), "")


def _slides(path: Path, names: list[str]) -> Generator[Row | Reject, None, None]:
    with open_zip(path, "a presentation") as archive:
        read: set[str] = set()
        for number, name in enumerate(names, 1):
            try:
                row = _slide(archive, number, name, read)
            except BadFile as bad:
                row = Reject(number, f"broken slide: {bad.message}", "")
            if row is not None:
                yield row


def _slide(archive: zipfile.ZipFile, number: int, name: str, read: set[str]) -> Row | Reject | None:
    """A slide as a row; no part is read twice, as a hostile file would have it: `read` are those before."""
    tree = read_part(archive, name) if name not in read else None
    if tree is None:
        what = "it stands in the file twice" if name in read else f"the file has no part {shown(name)}"
        return Reject(number, f"broken slide: {what}", "")
    read.add(name)
    shapes = list(_shapes(child(tree, "cSld", "spTree")))
    title = next((clean(_said(shape)) for shape in shapes if _holder(shape) in _TITLES), None)
    blocks = [f"# {title}"] if title else []
    blocks += filter(None, (_block(shape) for shape in shapes))
    notes = _notes(archive, name, read)
    if blocks:
        return Row(number, {"text": "\n\n".join(blocks), "slide": number, TITLE: title, "notes": notes})
    if any(local(shape) == "pic" for shape in shapes):
        return Reject(number, "no text: the slide is a picture; have its text recognised (OCR) first", "")
    return None


def _shapes(tree: Element | None) -> Iterator[Element]:
    """The shapes of a slide, those of groups among them, from back to front as they are written."""
    for shape in tree if tree is not None else ():
        if local(shape) in ("grpSp", "AlternateContent", "Choice"):
            yield from _shapes(shape)
        else:
            yield shape


def _holder(shape: Element) -> str | None:
    """What a shape holds the place of on the slide's layout; `free` where it holds none."""
    for properties in shape:
        if local(properties).startswith("nv"):
            place = child(properties, "nvPr", "ph")
            return attribute(place, "type") if place is not None else "free"
    return "free"


def _block(shape: Element) -> str:
    holder = _holder(shape)
    if holder in _TITLES or holder in _FRAME:
        return ""
    if local(shape) == "graphicFrame":
        table = child(shape, "graphic", "graphicData", "tbl")
        return markdown_table(_cells(table)) if table is not None else ""
    return _said(shape, points=holder in _POINTS)


def _cells(table: Element) -> list[list[str]]:
    return [
        [_said(cell) if attribute(cell, "hMerge") is None else "" for cell in children(row, "tc")]
        for row in children(table, "tr")
    ]


def _said(shape: Element, points: bool = False) -> str:
    """The paragraphs of a shape, one a line; as the points of a list where they are."""
    body = child(shape, "txBody")
    lines = []
    for paragraph in children(body, "p") if body is not None else ():
        said = "".join(_words(paragraph)).strip()
        depth = attribute(child(paragraph, "pPr"), "lvl") or "0"
        indent = "  " * (int(depth) if depth in "012345678" else 0)
        if said:
            lines.append(f"{indent}- {clean(said)}" if points else said)
    return "\n".join(lines)


def _words(paragraph: Element) -> Iterator[str]:
    for run in paragraph:
        if local(run) == "br":
            yield "\n"
        elif local(run) in ("r", "fld"):
            said = child(run, "t")
            yield said.text or "" if said is not None else ""


def _notes(archive: zipfile.ZipFile, slide: str, read: set[str]) -> str | None:
    """What the speaker's notes of a slide say."""
    for relation in relations(archive, slide).values():
        if relation.kind == "notesSlide" and relation.target not in read:
            read.add(relation.target)
            tree = read_part(archive, relation.target)
            shapes = _shapes(child(tree, "cSld", "spTree"))
            return "\n".join(_said(shape) for shape in shapes if _holder(shape) == "body") or None
    return None
