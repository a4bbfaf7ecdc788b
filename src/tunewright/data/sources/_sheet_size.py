"""How large the sheets of a workbook are, looked up before a library takes the memory for all of them.

A sheet is held as one block, from its first to its last row and column, and every cell holds its own copy of its text: one
stray cell at XFD1048576 would be seventeen billion, a long text that many cells share as many long texts. So the places
and the texts are counted first, without keeping any. What is no proper XML is refused: the library may read more in it.
"""

import zipfile
from array import array
from collections.abc import Iterable
from itertools import zip_longest
from pathlib import Path
from typing import Any
from xml.parsers import expat

from tunewright.data.names import shown
from tunewright.data.rows import BadFile
from tunewright.data.sources._zip import blocks_of, open_zip

CELLS = 2**24
"""The most cells of a sheet, blank ones counted; in ODS, of all sheets, which are held at once."""
CHARS = 2**29
"""The most characters of a sheet's cells together."""
BYTES = 2**30
"""The most bytes of a workbook, unpacked."""
_ODS = "content.xml"
"""Where all sheets of an ODS file stand."""
_SHEET, _STRINGS = b"sheetData", b"sst"
"""What the parts of an XLSX file hold that are a sheet and the texts that its cells share."""


def check_sheets(path: Path) -> None:
    """Raises BadFile where a workbook is no such thing, or a sheet of it is too large to be held."""
    with open_zip(path, "a spreadsheet") as book:
        names = book.namelist()
        if any(name.lower().endswith("workbook.bin") for name in names):
            raise BadFile("binary workbooks (XLSB) are not read.", fix="Save it as XLSX.")
        size = sum(entry.file_size for entry in book.infolist())
        if size > BYTES:
            raise _too_large("the workbook", f"has {size:,} bytes, unpacked", BYTES)
        if _ODS in names:
            _check(book, _ODS, _Tables())
            return
        kinds = {name: _kind(blocks_of(book, name)) for name in names}
        lengths = array("I")
        for name in names:
            if kinds[name] == _STRINGS:
                strings = _Strings()
                _parse(book, name, strings)
                pairs = zip_longest(lengths, strings.lengths, fillvalue=0)
                lengths = array("I", map(max, pairs)) if lengths else strings.lengths
        longest = max(lengths, default=0)
        for name in names:
            if kinds[name] == _SHEET:
                _check(book, name, _Sheet(lengths, longest))


def _kind(blocks: Iterable[bytes]) -> bytes | None:
    """Which of the two marks a part holds, the sheet's first."""
    rest, found = b"", None
    for block in blocks:
        text = rest + block
        if _SHEET in text:
            return _SHEET
        found = found or (_STRINGS if _STRINGS in text else None)
        rest = text[-len(_SHEET) :]
    return found


class _Counter:
    """Counts places and characters while XML is read."""

    def __init__(self) -> None:
        self.places = self.chars = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""

    def end(self, name: str) -> None:
        """An element ends."""

    def text(self, said: str) -> None:
        """Text stands here."""


def _check(book: zipfile.ZipFile, name: str, counter: _Counter) -> None:
    _parse(book, name, counter)
    if counter.places > CELLS:
        raise _too_large(f"the cells of {shown(name)}", f"reach over {counter.places:,} places", CELLS)
    if counter.chars > CHARS:
        raise _too_large(f"the cells of {shown(name)}", f"hold {counter.chars:,} characters", CHARS)


def _parse(book: zipfile.ZipFile, name: str, counter: _Counter) -> None:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = counter.start, counter.end
    parser.CharacterDataHandler = counter.text
    parser.StartDoctypeDeclHandler = _no_doctype
    try:
        for block in blocks_of(book, name):
            parser.Parse(block, False)
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError) as error:
        raise BadFile(f"{shown(name)} in the file is broken XML ({error}).", fix="Save it anew.") from None


def _no_doctype(*declared: Any) -> None:
    raise BadFile("the spreadsheet's XML declares entities.", fix="Save it anew.")


def _too_large(what: str, found: str, most: int) -> BadFile:
    return BadFile(
        f"{what} {found}; {most:,} are read.",
        fix="Delete what stands far outside of the table, or save the sheet as CSV.",
    )


class _Strings(_Counter):
    """The lengths of the texts that cells share."""

    def __init__(self) -> None:
        super().__init__()
        self.lengths = array("I")
        self._length = 0

    def end(self, name: str) -> None:
        if name.rpartition(":")[2] == "si":
            self.lengths.append(self._length)
            self._length = 0

    def text(self, said: str) -> None:
        self._length += len(said)


class _Sheet(_Counter):
    """An XLSX sheet from A1 to its last row and column; a cell names its place, or stands after the one before."""

    def __init__(self, lengths: "array[int]", longest: int) -> None:
        super().__init__()
        self._lengths, self._longest = lengths, longest
        self._row = self._column = self._rows = self._columns = 0
        self._shared = False
        self._index = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        name = name.rpartition(":")[2]
        if name == "c":
            place = attributes.get("r")
            if place:
                letters = place.rstrip("0123456789")
                self._column = _column(letters)
                self._row = _number(place[len(letters) :]) or self._row
            else:
                self._column += 1
            self._rows, self._columns = max(self._rows, self._row), max(self._columns, self._column)
            self.places = self._rows * self._columns
            self._shared, self._index = attributes.get("t") == "s", ""
        elif name == "row":
            self._row = _number(attributes.get("r", "")) or self._row + 1
            self._column = 0

    def text(self, said: str) -> None:
        if self._shared:
            self._index += said[:20]
        self.chars += len(said)

    def end(self, name: str) -> None:
        if self._shared and name.rpartition(":")[2] == "c":
            at = self._index.strip()
            known = at.isdecimal() and int(at) < len(self._lengths)
            self.chars += self._lengths[int(at)] if known else self._longest
            self._shared = False


class _Tables(_Counter):
    """An ODS file's tables up to their last filled cells, repeated ones as often as they repeat."""

    def __init__(self) -> None:
        super().__init__()
        self._row = self._repeat = self._column = self._filled = self._rows = self._columns = 0
        self._times = self._said = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "table:table":
            self._row = self._rows = self._columns = 0
        elif name == "table:table-row":
            self._repeat = _number(attributes.get("table:number-rows-repeated", "")) or 1
            self._column = self._filled = self._said = 0
        elif name in ("table:table-cell", "table:covered-table-cell"):
            self._times = _number(attributes.get("table:number-columns-repeated", "")) or 1
            self._column += self._times
            self._said += self._times * sum(map(len, attributes.values()))
            if "office:value-type" in attributes or "table:formula" in attributes:
                self._filled = self._column
        elif name.startswith("text:"):
            self._filled = self._column

    def text(self, said: str) -> None:
        self._said += self._times * len(said)

    def end(self, name: str) -> None:
        if name == "table:table-row":
            self._row += self._repeat
            if self._filled:
                self.chars += self._said * self._repeat
                self._rows, self._columns = self._row, max(self._columns, self._filled)
        elif name == "table:table":
            self.places += self._rows * self._columns


def _column(letters: str) -> int:
    number = 0
    for letter in letters[:8].upper():
        number = number * 26 + ord(letter) - 64
    return max(number, 0)


def _number(digits: str) -> int:
    digits = digits.strip()[:12]
    return int(digits) if digits.isascii() and digits.isdecimal() else 0
