"""Packed files: one that is compressed (gzip, bzip2, xz, Zstandard), or one entry of a zip archive.

A packed file is unpacked into a folder of the system's for temporary files, within bounds, and read from there: readers
may look at a file twice. The path of an entry goes on into its archive: `data.zip/train/rows.csv`.
"""

import bz2
import fnmatch
import gzip
import lzma
import os
import tempfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from tunewright.data.names import listed, shown
from tunewright.data.rows import BadFile
from tunewright.data.sources._exports import export_in, seen
from tunewright.data.sources._lines import Lines
from tunewright.data.sources._zip import BLOCK, blocks_of, most_unpacked, open_zip, too_large

COMPRESSED = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "Zstandard"}
ARCHIVE = ".zip"
_NESTED = {*COMPRESSED, ARCHIVE, ".tgz", ".tar", ".7z", ".rar", ".tbz2", ".txz"}
_XZ_MEMORY = 256 * 2**20
_ZIP = "a zip archive"
_NAME = 120


def inner_name(path: Path) -> str | None:
    """The name of what a packed file holds, None where the path names none.

    A zip archive of many files has no such name until one of them is chosen. Raises BadFile, OSError.
    """
    archive = archive_of(path)
    if archive is None:
        return path.stem if path.suffix.lower() in COMPRESSED else None
    if archive != path:
        return path.name
    names = entries(path)
    if len(names) != 1:
        first = f"{path.name}/{names[0]}" if names else "an entry of it"
        raise BadFile(
            f"the archive holds {len(names)} files to read ({listed(names)}).",
            fix=f"Name one of them: {first}, say.",
        )
    return names[0].rpartition("/")[2]


def archive_of(path: Path) -> Path | None:
    """The zip archive that the path is, or leads into; None where there is none."""
    for place in (path, *path.parents):
        if place.suffix.lower() == ARCHIVE and place.is_file():
            return place
    return None


def entries(archive: Path, pattern: str | None = None) -> list[str]:
    """The entries of a zip archive to read, sorted: those that the pattern takes (`*` takes folders too), or else all that
    hold rows.

    Hidden files are passed over; where no pattern is given, so are documents beside files of rows (a README).
    Raises BadFile, OSError.
    """
    from tunewright.data.sources import ENDINGS
    from tunewright.data.sources._documents import DOCUMENTS

    with open_zip(archive, _ZIP) as opened:
        names = sorted(entry.filename for entry in opened.infolist() if not entry.is_dir())
    if pattern is None:
        _refuse_exports(archive.name, names)
    if pattern is not None:
        names = (
            [pattern]
            if pattern in names
            else [name for name in seen(names) if fnmatch.fnmatch(name, pattern)]
        )
    else:
        names = seen(names)
        formats = {name: ENDINGS.get(Path(name).suffix.lower()) for name in names}
        known = [name for name in names if formats[name] or Path(name).suffix.lower() in _NESTED]
        rows = [name for name in known if formats[name] not in DOCUMENTS]
        names = rows or known or names
    nested = next((name for name in names if Path(name).suffix.lower() in _NESTED), None)
    if nested is not None:
        raise BadFile(
            f"the archive holds a packed file ({shown(nested)}), and only one layer is unpacked.",
            fix="Unpack the outer archive.",
        )
    return names


def _refuse_exports(archive: str, names: list[str]) -> None:
    """Raises BadFile for the export of a chat tool: its files are one thing, of a format that no ending tells."""
    if (found := export_in(names)) is not None:
        path = f", and path: {archive}/{found.entry}" if found.entry else ""
        raise BadFile(f"the archive is {found.what}.", fix=f"Set format: {found.format}{path}.")


@contextmanager
def unpacked(path: Path, *, by_line: bool) -> Iterator[Path]:
    """The file that a packed one holds, for as long as the context lasts, under its own name as far as one can have it.

    `by_line`: it is read line by line, so no line may be too long.
    Raises BadFile, OSError.
    """
    name = inner_name(path) or path.name
    if Path(name).suffix.lower() in _NESTED:
        raise BadFile("the packed file holds another one, and only one layer is unpacked.", fix="Unpack it.")
    with tempfile.TemporaryDirectory(prefix="tunewright-") as folder:
        target = Path(folder) / _safe(name)
        with target.open("wb") as sink:
            _copy(path, sink, by_line)
        yield target


def _copy(path: Path, sink: BinaryIO, by_line: bool) -> None:
    archive = archive_of(path)
    packed = (archive or path).stat().st_size
    limit = most_unpacked(packed)
    written = 0
    lines = Lines() if by_line else None
    for block in _entry(archive, path) if archive else _blocks(path):
        written += len(block)
        if written > limit:
            raise too_large(packed, limit, f"unpacks to more than {limit:,}")
        if lines:
            lines.see(block)
        sink.write(block)


def _entry(archive: Path, path: Path) -> Generator[bytes, None, None]:
    with open_zip(archive, _ZIP) as opened:
        name = path.relative_to(archive).as_posix() if path != archive else entries(archive)[0]
        names = {PurePosixPath(entry).as_posix(): entry for entry in opened.namelist()}
        if name not in names and path != archive:
            raise BadFile(f"the archive has no entry {shown(name)}.")
        yield from blocks_of(opened, names.get(name, name))


def _blocks(path: Path) -> Generator[bytes, None, None]:
    kind = path.suffix.lower()
    try:
        with path.open("rb") as stream:
            if kind == ".xz":
                yield from _xz(stream)
            elif kind == ".zst":
                yield from _zstandard(stream)
            else:
                with gzip.open(stream) if kind == ".gz" else bz2.open(stream) as plain:
                    while block := plain.read(BLOCK):
                        yield block
    except (EOFError, zlib.error, lzma.LZMAError, ValueError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        said = " ".join(str(error).split())[:100].rstrip(".")
        raise BadFile(
            f"it cannot be unpacked as {COMPRESSED[kind]} ({said}).", fix="Fetch or pack it anew."
        ) from None


def _xz(stream: BinaryIO) -> Generator[bytes, None, None]:
    """One stream after another, as `xz` concatenates them; a dictionary that claims too much memory is refused."""
    decoder, data = lzma.LZMADecompressor(lzma.FORMAT_AUTO, memlimit=_XZ_MEMORY), stream.read(BLOCK)
    while data or not decoder.eof:
        block = decoder.decompress(data, BLOCK)
        if block:
            yield block
        data = b""
        if decoder.eof:
            data = decoder.unused_data.lstrip(b"\0") or stream.read(BLOCK).lstrip(b"\0")
            if not data:
                return
            decoder = lzma.LZMADecompressor(lzma.FORMAT_AUTO, memlimit=_XZ_MEMORY)
        elif decoder.needs_input and not (data := stream.read(BLOCK)):
            raise EOFError("the file breaks off")


def _zstandard(stream: BinaryIO) -> Generator[bytes, None, None]:
    import pyarrow

    with pyarrow.CompressedInputStream(stream, "zstd") as plain:
        while block := plain.read(BLOCK):
            yield block


def _safe(name: str) -> str:
    """A name that a file can have: of limited length, its ending kept."""
    stem, ending = os.path.splitext(name)
    while len(os.fsencode(stem)) > _NAME:
        stem = stem[: len(stem) - 1 - (len(os.fsencode(stem)) - _NAME) // 4]
    return (stem + ending[:20]) or "rows"
