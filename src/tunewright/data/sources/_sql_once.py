"""A query asked once: within a run, its rows are kept and its content is known by their hash.

    with asked_once():
        contents(spec, root)    # asks the database, and keeps the rows in a file without a name
        read(root, spec.sql)    # reads these
        let_go()                # they are examples now
        contents(spec, root)    # knows them: what was made of the rows is made of what was hashed

A run has to know what a source holds before it reads it, and again when it has; asked three times, a query of an hour takes
three, and rows that come between look like a change. Outside of it, every call asks, so that the next run sees what
has changed.
"""

import hashlib
import json
import tempfile
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import BinaryIO, NamedTuple

from tunewright.core.hashing import canonical_json
from tunewright.data.rows import Reject, Row, Table
from tunewright.data.source_spec import SqlSpec

KEPT = 2**30
"""The most bytes of a query's rows that are kept; of more only the hash is, and they are asked for again."""
_BLOCK = 2**20


class _Known(NamedTuple):
    """What was asked."""

    columns: tuple[str, ...] | None
    digest: str
    file: BinaryIO | None
    """The rows, a line each; none where they are too many."""


_Asked = dict[tuple[str, SqlSpec], _Known]
_asked: ContextVar[_Asked | None] = ContextVar("asked", default=None)


@contextmanager
def asked_once() -> Iterator[None]:
    """Ask each query once until the context ends. One inside another is the same."""
    if _asked.get() is not None:
        yield
        return
    known: _Asked = {}
    token = _asked.set(known)
    try:
        yield
    finally:
        _asked.reset(token)
        for one in known.values():
            if one.file is not None:
                one.file.close()


def kept(root: Path, spec: SqlSpec) -> Table | None:
    """The rows that were kept; None where there are none."""
    found = (_asked.get() or {}).get(_key(root, spec))
    return None if found is None or found.file is None else Table(found.columns, _rows(found.file))


def known_digest(root: Path, spec: SqlSpec) -> str:
    """The hash of the rows; blank where they were not asked for."""
    found = (_asked.get() or {}).get(_key(root, spec))
    return "" if found is None else found.digest


def remembered() -> bool:
    """Whether this is such a run, in which what is read to its end is known by its hash."""
    return _asked.get() is not None


def let_go() -> None:
    """Let the rows go, of which examples were made; their hashes stay known. Who reads them again asks again."""
    for key, one in (known := _asked.get() or {}).items():
        if one.file is not None:
            one.file.close()
        known[key] = one._replace(file=None)


def keeping(root: Path, spec: SqlSpec, table: Table) -> Table:
    """The table, whose rows are kept as they pass: known once all of them have."""
    known = _asked.get()
    return table if known is None else table._replace(rows=_passing(known, _key(root, spec), table))


class Digest:
    """The sha256 of a query's rows in their order."""

    def __init__(self, columns: tuple[str, ...] | None) -> None:
        self._hash = hashlib.sha256(_bytes(canonical_json(list(columns or ()))))

    def add(self, row: Row | Reject) -> None:
        """Take the next row."""
        self._hash.update(_bytes(canonical_json(_plain(row))) + b"\n")

    def hex(self) -> str:
        """The hash of the rows so far."""
        return self._hash.hexdigest()


def _passing(known: _Asked, key: tuple[str, SqlSpec], table: Table) -> Generator[Row | Reject, None, None]:
    digest = Digest(table.columns)
    with closing(table.rows), closing(_Spool()) as spool:
        for row in table.rows:
            digest.add(row)
            spool.add(row)
            yield row
        if key not in known or known[key].file is None:  # another may have read it to its end meanwhile
            known[key] = _Known(table.columns, digest.hex(), spool.whole())


class _Spool:
    """Rows in a file without a name, so that nothing of them is left whatever ends the process."""

    def __init__(self) -> None:
        self._file: BinaryIO | None = None
        self._room = KEPT
        with suppress(OSError):
            self._file = tempfile.TemporaryFile()  # noqa: SIM115  # it is closed when the run ends

    def add(self, row: Row | Reject) -> None:
        """Write a row, where there is room."""
        if self._file is None:
            return
        line = json.dumps(_plain(row)).encode("ascii") + b"\n"
        self._room -= len(line)
        try:
            if self._room < 0:
                raise OSError("too many")
            self._file.write(line)
        except OSError:
            self.close()

    def whole(self) -> BinaryIO | None:
        """The file, where all rows are in it; it is the caller's then."""
        with suppress(OSError):
            if self._file is not None:
                self._file.flush()
                file, self._file = self._file, None
                return file
        return None

    def close(self) -> None:
        """Let the file go, if it is here."""
        file, self._file = self._file, None
        with suppress(OSError):  # what a full disk did not take is tried again
            if file is not None:
                file.close()


def _rows(file: BinaryIO) -> Generator[Row | Reject, None, None]:
    at = 0
    while True:
        file.seek(at)  # another may read, too
        lines = file.readlines(_BLOCK)
        at = file.tell()
        if not lines:
            return
        for line in lines:
            said = json.loads(line)
            yield Row(*said) if len(said) == 2 else Reject(*said)


def _plain(row: Row | Reject) -> list[object]:
    return [row.number, row.values] if isinstance(row, Row) else [row.number, row.reason, row.raw]


def _key(root: Path, spec: SqlSpec) -> tuple[str, SqlSpec]:
    return str(root.resolve()), spec


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
