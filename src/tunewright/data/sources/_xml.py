"""XML parts of office files, read within bounds: no entities of their own, no bottomless nesting, not too many elements."""

import zipfile
from typing import Any
from xml.etree import ElementTree

from tunewright.data.names import shown
from tunewright.data.rows import BadFile
from tunewright.data.sources._zip import read_entry

PART_BYTES = 64 * 2**20
"""The most bytes of a part, unpacked."""
ELEMENTS = 4_000_000
"""The most elements of a part."""
DEPTH = 200
"""The deepest nesting."""


class _Bounded(ElementTree.TreeBuilder):
    """Builds the tree as long as it keeps to the bounds."""

    def __init__(self, part: str) -> None:
        super().__init__()
        self._part = part
        self._depth = self._elements = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> ElementTree.Element:
        self._depth += 1
        self._elements += 1
        if self._depth > DEPTH or self._elements > ELEMENTS:
            what = (
                f"nested more than {DEPTH} deep"
                if self._depth > DEPTH
                else f"of more than {ELEMENTS:,} elements"
            )
            raise BadFile(f"{shown(self._part)} in the file is {what}.", fix="Save the document anew.")
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> ElementTree.Element:
        self._depth -= 1
        return super().end(tag)

    def doctype(self, *declared: Any) -> None:
        raise BadFile(
            f"{shown(self._part)} in the file declares XML entities.", fix="Save the document anew."
        )


def read_part(archive: zipfile.ZipFile, name: str) -> ElementTree.Element | None:
    """The tree of a part, None where the file has none of that name. Raises BadFile."""
    data = read_entry(archive, name, PART_BYTES)
    if data is None:
        return None
    parser = ElementTree.XMLParser(target=_Bounded(name))
    try:
        parser.feed(data)
        tree: ElementTree.Element = parser.close()
    except (ElementTree.ParseError, ValueError, LookupError) as error:
        raise BadFile(
            f"{shown(name)} in the file is broken XML ({error}).", fix="Save the document anew."
        ) from None
    return tree
