"""Text files read line by line, whatever bytes they hold.

Bytes that the encoding cannot read become lone surrogates (`surrogateescape`), so that one broken row is one reject. At
the first of them the whole file is looked at: if it is simply in another encoding, that is said, with the name of one
that reads it.
"""

import codecs
import io
import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import NamedTuple

from tunewright.data.rows import BadFile

_BROKEN = re.compile("[\0\udc80-\udcff]")
_BOMS = [
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
]
_OTHER_FORMATS = [
    (b"PAR1", "a Parquet file", "Set format: parquet."),
    (b"PK\x03\x04", "a zip archive (an Excel workbook is one)", "Save the sheet as CSV, or unpack it."),
    (b"\x1f\x8b", "compressed with gzip", "Unpack it first."),
    (b"%PDF", "a PDF", "Extract its rows to CSV or JSONL first."),
]
_BLOCK = 2**16
"""Characters of a block of text."""
_WESTERN = ("utf-8", "cp1252", "latin-1")
_EASTERN = ("utf-8", "shift_jis", "gb18030", "euc_kr", "cp1251")


def text_lines(path: Path, encoding: str, *, newline: str) -> Generator[str, None, None]:
    """The lines of a file with their ends, a byte order mark left out; `newline` as in `open`.

    Raises BadFile where the file is no text in this encoding. A line with some broken bytes still comes out:
    `broken(line)` tells.
    """
    codec = _codec(encoding)
    _check_start(path, codec)
    number, examined = 0, False
    with path.open("r", encoding=codec, errors="surrogateescape", newline=newline) as stream:
        lines = iter(stream)
        while True:
            try:
                line = next(lines)
            except StopIteration:
                return
            except UnicodeError as error:
                raise _unreadable(path, encoding, number + 1, str(error)) from None
            if number == 0:
                line = line.removeprefix("\ufeff")
            number += 1
            if not examined and not (line.isascii() and "\0" not in line) and _BROKEN.search(line):
                examined = True
                _examine(path, encoding)
            yield line


def read_text(path: Path, encoding: str) -> str:
    """A whole file as text, a byte order mark left out. Raises BadFile where its bytes are not in this encoding."""
    codec = _codec(encoding)
    _check_start(path, codec)
    try:
        return path.read_bytes().decode(codec).removeprefix("\ufeff")
    except UnicodeError as error:
        spot = _first_broken(path, encoding)
        raise _wrong(path, encoding, spot) if spot else _unreadable(path, encoding, 1, str(error)) from None


def text_blocks(path: Path, encoding: str) -> Generator[str, None, None]:
    """A file's text, some of it at a time, a byte order mark left out. Raises BadFile where its bytes are not in this
    encoding.
    """
    codec = _codec(encoding)
    _check_start(path, codec)
    mark = "\ufeff"
    try:
        with path.open("r", encoding=codec, newline="") as stream:
            while block := stream.read(_BLOCK):
                if block := block.removeprefix(mark):
                    yield block
                mark = ""
    except UnicodeError as error:
        spot = _first_broken(path, encoding)
        raise _wrong(path, encoding, spot) if spot else _unreadable(path, encoding, 1, str(error)) from None


def broken(text: str, encoding: str) -> str | None:
    """A reject's reason if `text` holds a NUL or bytes that the encoding could not read."""
    if text.isascii() and "\0" not in text:
        return None
    found = _BROKEN.search(text)
    if not found:
        return None
    if found[0] == "\0":
        return "broken text: a NUL byte stands in the row"
    return f"broken text: byte 0x{ord(found[0]) - 0xDC00:02X} is not {encoding}"


class _Broken(NamedTuple):
    line: int
    offset: int
    byte: int
    broken_lines: int
    good_lines: int
    """Lines beyond ASCII that the encoding reads."""
    dense: bool
    """Whether the first broken line is mostly beyond ASCII."""


def _codec(encoding: str) -> str:
    try:
        io.TextIOWrapper(io.BytesIO(), encoding=encoding).close()
        name = codecs.lookup(encoding).name
    except (LookupError, ValueError):
        raise BadFile(
            f"there is no text encoding {encoding!r}.", fix="Use utf-8, utf-16, cp1252, latin-1, shift_jis, …"
        ) from None
    return "utf-8-sig" if name == "utf-8" else name


def _check_start(path: Path, codec: str) -> None:
    with path.open("rb") as stream:
        start = stream.read(4096)
    for magic, what, fix in _OTHER_FORMATS:
        if start.startswith(magic):
            raise BadFile(f"the file is {what}, not text.", fix=fix)
    for mark, name in _BOMS:
        if start.startswith(mark):
            if not codec.startswith(name):
                shown = mark.hex(" ").upper()
                raise BadFile(
                    f"the file begins with the byte order mark of {name} ({shown}) and is not {codec.removesuffix('-sig')}.",
                    fix=f"Set encoding: {name} for this source.",
                )
            return
    if not codec.startswith(("utf-16", "utf-32")):
        _check_wide(start)


def _check_wide(start: bytes) -> None:
    """Plain text in UTF-16 without its mark is every other byte NUL."""
    for name, nul_at in (("utf-16-le", 1), ("utf-16-be", 0)):
        nuls = start[nul_at::2].count(0)
        if nuls > 4 and nuls > 0.4 * len(start[nul_at::2]) and not start[1 - nul_at :: 2].count(0):
            raise BadFile(
                f"every other byte is NUL: the file looks like {name}.",
                fix=f"Set encoding: {name} for this source.",
            )


def _examine(path: Path, encoding: str) -> None:
    """Raises BadFile if the file is in another encoding; a file with some broken lines passes."""
    spot = _first_broken(path, encoding)
    if spot and spot.broken_lines >= spot.good_lines:
        raise _wrong(path, encoding, spot)


def _first_broken(path: Path, encoding: str) -> _Broken | None:
    offset = broken_lines = good_lines = 0
    first: tuple[int, int, int, bool] | None = None
    with path.open("rb") as stream:
        for number, line in enumerate(stream, 1):
            if not line.isascii():
                try:
                    line.decode(encoding)
                    good_lines += 1
                except UnicodeDecodeError as error:
                    broken_lines += 1
                    dense = sum(byte > 127 for byte in line) > 0.4 * len(line)
                    first = first or (number, offset + error.start, line[error.start], dense)
            offset += len(line)
    return _Broken(*first[:3], broken_lines, good_lines, first[3]) if first else None


def _wrong(path: Path, encoding: str, spot: _Broken) -> BadFile:
    message = f"byte 0x{spot.byte:02X} at offset {spot.offset} is not {encoding}"
    if _holds_nul(path):
        return BadFile(
            f"{message}, and there are NUL bytes: this is not a text file.",
            line=spot.line,
            fix="Point the source at a CSV, TSV, JSON, JSONL or Parquet file.",
        )
    names = [name for name in (_EASTERN if spot.dense else _WESTERN) if _reads(path, name)]
    if not names or not spot.dense or names[0] == "utf-8":
        names = names[:1] or ["latin-1"]
    advice = (
        f"Set encoding: {names[0]} for this source"
        if len(names) == 1
        else "Set encoding: for this source to the one in which the text looks right"
    )
    return BadFile(
        f"{message}; the file reads as {' or '.join(names)}.",
        line=spot.line,
        fix=f"{advice}, or save the file as UTF-8.",
    )


def _unreadable(path: Path, encoding: str, line: int, why: str) -> BadFile:
    names = [name for name in _WESTERN if name != encoding and _reads(path, name)]
    hint = f"Set encoding: {names[0]} for this source." if names and not _holds_nul(path) else None
    return BadFile(f"the text is not {encoding} ({why}).", line=line, fix=hint)


def _reads(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for block in _blocks(path):
            decoder.decode(block)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _holds_nul(path: Path) -> bool:
    return any(b"\0" in block for block in _blocks(path))


def _blocks(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        while block := stream.read(1 << 20):
            yield block
