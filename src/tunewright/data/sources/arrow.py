"""Arrow and Feather files, and Arrow streams: columns with types; a row's number is its record number.

Values take the same JSON form as those of Parquet. Feather files of the first version, from before 2020, are refused.
"""

import struct
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tunewright.data.rows import BadFile, Reject, Row, Table
from tunewright.data.sources._arrow_size import wanted
from tunewright.data.sources._features import class_names, with_names
from tunewright.data.sources._zip import most_unpacked, too_large
from tunewright.data.sources.parquet import BATCH, batch_rows, check_names, unless_of_the_system

MOST_BYTES = 2**30
"""The most bytes of a batch, uncompressed: it is held whole."""
_FILE, _FIRST_FEATHER = b"ARROW1", b"FEA1"
_STREAM = 8
"""Where the stream of a file begins."""


def read(path: Path, encoding: str) -> Table:
    """Open an Arrow file or stream; `encoding` plays no part. Raises BadFile."""
    import pyarrow

    with path.open("rb") as stream:
        start = stream.read(len(_FILE))
    if start.startswith(_FIRST_FEATHER):
        raise BadFile(
            "the file is Feather of the first version.", fix="Write it anew as Feather 2 or Parquet."
        )
    try:
        _check(path)
        with _batches(path) as (schema, _):
            names, metadata = tuple(schema.names), schema.metadata
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError, RuntimeError, struct.error) as error:
        raise unless_of_the_system(error, "the file is not readable Arrow") from None
    check_names(names)
    features = class_names(metadata, names)
    rows = _rows(path)
    return Table(names, with_names(rows, features) if features else rows, sparse=True)


def _check(path: Path) -> None:
    """Raises BadFile where a batch wants more memory, or says it has more rows, than a file of its size may unpack to."""
    import pyarrow.ipc

    packed = path.stat().st_size
    most = min(most_unpacked(packed), MOST_BYTES)
    with _stream(path) as source:
        for message in pyarrow.ipc.MessageReader.open_stream(source):
            size, rows = wanted(message)
            if size > most:
                raise too_large(packed, most, f"one of its batches unpacks to {size:,}")
            if not 0 <= rows <= most:
                raise BadFile(f"one of its batches says that it has {rows:,} rows.", fix="Write it anew.")


def _rows(path: Path) -> Generator[Row | Reject, None, None]:
    import pyarrow

    number = 0
    try:
        with _batches(path) as (_, batches):
            for batch in batches:
                batch.validate(full=True)  # offsets may point anywhere in a file from a stranger
                for start in range(0, batch.num_rows, BATCH):
                    part = batch.slice(start, BATCH)
                    yield from batch_rows(part, number)
                    number += part.num_rows
    except (pyarrow.ArrowException, OSError, ValueError, RuntimeError) as error:
        raise unless_of_the_system(error, f"reading stopped after record {number}") from None


@contextmanager
def _batches(path: Path) -> Iterator[tuple[Any, Iterator[Any]]]:
    """The schema and the record batches."""
    import pyarrow.ipc

    with _stream(path) as source, pyarrow.ipc.open_stream(source) as stream:
        yield stream.schema, iter(stream)


@contextmanager
def _stream(path: Path) -> Iterator[Any]:
    """The file at the beginning of its stream; a file is a stream between its marks, and its index is not needed."""
    import pyarrow

    with pyarrow.OSFile(str(path), "rb") as source:
        if source.read(len(_FILE)) == _FILE:
            source.seek(_STREAM)
        else:
            source.seek(0)
        yield source
