"""Zip archives from strangers, opened within bounds; office files are zip archives too.

Nothing is ever written under a name that an archive gives. What is refused, in one sentence: a bomb, a list of entries that
would fill the memory, a path that leads out, a link, a password, a name twice.
"""

import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Generator, Iterator
from lzma import LZMAError
from pathlib import Path, PurePosixPath

from tunewright.data.names import shown
from tunewright.data.rows import BadFile

ENTRIES = 10_000
"""The most entries of an archive."""
DIRECTORY = 4 * 2**20
"""The most bytes of an archive's list of entries, which is read whole."""
UNPACKED = 16 * 2**30
"""The most bytes that a packed file may unpack to."""
RATIO = 250
"""The most times that a packed file may grow, once it has grown past SMALL."""
SMALL = 64 * 2**20
BLOCK = 2**20
_TAIL = 2**16 + 128
"""Where the records at an archive's end stand, a comment behind them included."""
_BROKEN = (
    *(zipfile.BadZipFile, zlib.error, LZMAError, struct.error),
    *(EOFError, NotImplementedError, RuntimeError, ValueError, OverflowError, LookupError),
)


def most_unpacked(packed: int) -> int:
    """The most bytes that a file of `packed` bytes may unpack to."""
    return min(UNPACKED, max(SMALL, RATIO * packed))


def open_zip(path: Path, what: str) -> zipfile.ZipFile:
    """An archive whose list of entries keeps to the bounds; `what` it is, in words. Raises BadFile, OSError."""
    if _directory_bytes(path) > DIRECTORY:
        raise _too_many()
    try:
        archive = zipfile.ZipFile(path)
    except _BROKEN as error:
        raise BadFile(f"the file is not {what} that can be read ({_said(error)}).") from None
    try:
        _check(archive, path.stat().st_size)
    except BadFile:
        archive.close()
        raise
    return archive


def blocks_of(archive: zipfile.ZipFile, name: str) -> Generator[bytes, None, None]:
    """The bytes of an entry, block by block. Raises BadFile."""
    try:
        with archive.open(name) as stream:
            while block := stream.read(BLOCK):
                yield block
    except (*_BROKEN, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise BadFile(f"{shown(name)} in the archive cannot be unpacked ({_said(error)}).") from None


def read_entry(archive: zipfile.ZipFile, name: str, limit: int) -> bytes | None:
    """An entry whole, None where there is none of that name. Raises BadFile where it has more than `limit` bytes."""
    try:
        size = archive.getinfo(name).file_size
    except KeyError:
        return None
    if size > limit:
        raise BadFile(
            f"{shown(name)} in the file has {size:,} bytes; {limit:,} are read.", fix="Split the document."
        )
    return b"".join(blocks_of(archive, name))


def _directory_bytes(path: Path) -> int:
    """How many bytes the list of entries claims at most: the largest claim among what looks like a record of it."""
    with path.open("rb") as stream:
        size = stream.seek(0, 2)
        stream.seek(max(0, size - _TAIL))
        tail = stream.read()
    claims = [tail[found.end() + at : found.end() + at + width] for found, at, width in _records(tail)]
    return min(size, max((int.from_bytes(claim, "little") for claim in claims), default=0))


def _records(tail: bytes) -> Iterator[tuple[re.Match[bytes], int, int]]:
    """The records at an archive's end, with the place and the width of the list's size in them.

    That of a very long list has a second record before it, and claims 2**32 - 1 itself.
    """
    for found in re.finditer(rb"PK\x06\x06", tail):
        yield found, 36, 8
    for found in re.finditer(rb"PK\x05\x06", tail):
        if tail[found.end() + 8 : found.end() + 12] != b"\xff" * 4:
            yield found, 8, 4


def _check(archive: zipfile.ZipFile, packed: int) -> None:
    entries = archive.infolist()
    if len(entries) > ENTRIES:
        raise _too_many()
    seen: set[str] = set()
    for entry in entries:
        if why := _wrong(entry, seen, packed):
            raise BadFile(f"the archive's entry {shown(entry.filename)} {why}.", fix="Pack the files anew.")
        seen.add(PurePosixPath(entry.filename.replace("\\", "/")).as_posix())
    total, most = sum(entry.file_size for entry in entries), most_unpacked(packed)
    if total > most:
        raise too_large(packed, most, f"says that it unpacks to {total:,}")


def _wrong(entry: zipfile.ZipInfo, seen: set[str], packed: int) -> str | None:
    name, place = entry.filename, PurePosixPath(entry.filename.replace("\\", "/"))
    if not name.strip("/") or not name.isprintable():
        return "has no name that can be printed"
    if ".." in place.parts or place.is_absolute() or ":" in (*place.parts, "")[0]:
        return "leads out of the archive"
    if not 0 <= entry.header_offset < packed:
        return "is said to stand outside of the file"
    if place.as_posix() in seen:
        return "stands in it twice"
    if entry.flag_bits & 1:
        return "is locked with a password"
    if stat.S_ISLNK(entry.external_attr >> 16):
        return "is a link to another file"
    return None


def too_large(packed: int, most: int, found: str) -> BadFile:
    """The refusal of a file of `packed` bytes that unpacks to more than `most`."""
    return BadFile(
        f"the packed file has {packed:,} bytes and {found}; {most:,} are unpacked.",
        fix="If you trust it, unpack it yourself and name what comes out.",
    )


def _too_many() -> BadFile:
    return BadFile(
        f"the archive lists more entries than the {ENTRIES:,} that are read.",
        fix="If you trust it, unpack it yourself and name its files with a pattern.",
    )


def _said(error: Exception) -> str:
    text = " ".join(str(error).split())[:100].rstrip(".")
    if text.startswith("File name in directory"):  # and two byte strings, of which one is a stranger's
        return "its own head has another name"
    return text if text and text.isprintable() else type(error).__name__
