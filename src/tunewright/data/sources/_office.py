"""What DOCX and PPTX files share: parts that point at parts, and names without their namespaces.

The transitional and the strict form of the formats differ in namespaces alone, so elements go by their local names.
"""

import posixpath
import zipfile
from collections.abc import Iterator
from typing import NamedTuple
from xml.etree.ElementTree import Element

from tunewright.data.rows import BadFile
from tunewright.data.sources._documents import clean
from tunewright.data.sources._xml import read_part


class Relation(NamedTuple):
    """A part that another one points at."""

    kind: str
    """The last word of the relation's type: slide, notesSlide, officeDocument, …"""
    target: str
    """The part's name in the archive."""


def local(element: Element) -> str:
    """An element's name without its namespace; empty for a comment."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


def attribute(element: Element | None, name: str) -> str | None:
    """An attribute by its local name."""
    if element is None:
        return None
    return next((value for key, value in element.items() if key.rpartition("}")[2] == name), None)


def child(element: Element | None, *names: str) -> Element | None:
    """The first child of a name, or the first grandchild along several names."""
    for name in names:
        if element is None:
            return None
        element = next((inner for inner in element if local(inner) == name), None)
    return element


def children(element: Element, name: str) -> Iterator[Element]:
    """The children of a name."""
    return (inner for inner in element if local(inner) == name)


def relations(archive: zipfile.ZipFile, part: str) -> dict[str, Relation]:
    """Id → what the part points at within the file; `part` is empty for the file itself. Raises BadFile."""
    folder, name = posixpath.split(part)
    tree = read_part(archive, posixpath.join(folder, "_rels", f"{name}.rels"))
    found = {}
    for relation in tree if tree is not None else ():
        target, key = attribute(relation, "Target"), attribute(relation, "Id")
        if target and key and attribute(relation, "TargetMode") != "External":
            whole = target.lstrip("/") if target.startswith("/") else posixpath.join(folder, target)
            kind = (attribute(relation, "Type") or "").rpartition("/")[2]
            found[key] = Relation(kind, posixpath.normpath(whole))
    return found


def main_part(archive: zipfile.ZipFile, usual: str, root: str) -> tuple[str, Element]:
    """The name and the tree of the part that holds the document; its root must be called `root`. Raises BadFile."""
    kinds = {relation.kind: relation.target for relation in relations(archive, "").values()}
    name = kinds.get("officeDocument", usual)
    tree = read_part(archive, name)
    if tree is None or local(tree) != root:
        kind = "Word document" if root == "document" else "presentation"
        raise BadFile(f"the file holds no {kind}.", fix="Look whether its ending is right, or save it anew.")
    return name, tree


def file_title(archive: zipfile.ZipFile) -> str | None:
    """The title among the file's properties. Raises BadFile."""
    tree = read_part(archive, "docProps/core.xml")
    found = child(tree, "title")
    return clean(found.text) if found is not None else None
