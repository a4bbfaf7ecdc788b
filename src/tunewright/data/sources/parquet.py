"""Parquet: columns with types; a row's number is its record number.

Values take their JSON form: dates and times ISO texts, decimals texts, bytes UTF-8 texts (base64 where they are none),
NaN null. A struct has all its members in every row: null may mean that the row had none.
"""

from collections.abc import Generator
from pathlib import Path
from typing import Any

from tunewright.data.rows import BadFile, Reject, Row, Table
from tunewright.data.sources._features import class_names, with_names
from tunewright.data.sources._json_form import row_of
from tunewright.data.sources._parquet_size import ROW, Reading, plan_reading, too_large, written_out

BATCH = 1024
"""Rows held in memory at a time."""


def read(path: Path, encoding: str) -> Table:
    """Open a Parquet file; `encoding` plays no part. Raises BadFile."""
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            names = tuple(file.schema_arrow.names)
            check_names(names)
            features = class_names(file.schema_arrow.metadata, names)
            reading = plan_reading(path, file.metadata.num_rows, BATCH)
    except (pyarrow.ArrowException, OSError, ValueError, OverflowError, RuntimeError) as error:
        raise unless_of_the_system(error, "the file is not readable Parquet") from None
    rows = _rows(path, reading)
    return Table(names, with_names(rows, features) if features else rows, sparse=True)


def _rows(path: Path, reading: Reading) -> Generator[Row | Reject, None, None]:
    import pyarrow
    import pyarrow.parquet

    number = written = 0
    try:
        with pyarrow.parquet.ParquetFile(path, read_dictionary=reading.pointers) as file:
            for batch in file.iter_batches(reading.batch, use_threads=False):
                written += written_out(batch)
                if written > reading.most:
                    raise too_large(path.stat().st_size, reading.most, "its rows come to more")
                yield from _in_parts(batch, number)
                number += batch.num_rows
    except (pyarrow.ArrowException, OSError, ValueError, RuntimeError) as error:  # too deep is one, too
        raise unless_of_the_system(error, f"reading stopped after record {number}") from None


def _in_parts(batch: Any, before: int) -> Generator[Row | Reject, None, None]:
    """The rows of a batch, so many at a time as keep to the bound; one that alone is beyond it is a reject."""
    size = written_out(batch)
    if size <= ROW:
        yield from batch_rows(batch, before)
    elif batch.num_rows == 1:
        yield Reject(before + 1, f"too long: the row has {size:,} bytes; {ROW:,} are read", "")
    else:
        half = batch.num_rows // 2
        yield from _in_parts(batch.slice(0, half), before)
        yield from _in_parts(batch.slice(half), before + half)


def batch_rows(batch: Any, before: int) -> Generator[Row | Reject, None, None]:
    """The rows of an Arrow record batch that stands behind `before` other rows. Raises ArrowException.

    A row that Python has no values for (a time beyond the year 9999, a text that is no UTF-8) is a reject alone.
    """
    batch = _in_microseconds(batch)
    try:
        rows = batch.to_pylist()
    except (ValueError, OverflowError) as error:
        if batch.num_rows == 1:
            yield Reject(before + 1, f"no value: {' '.join(first_line(error).split())}", "")
        else:
            half = batch.num_rows // 2
            yield from batch_rows(batch.slice(0, half), before)
            yield from batch_rows(batch.slice(half), before + half)
        return
    for number, values in enumerate(rows, before + 1):
        yield row_of(number, values)


def check_names(names: tuple[str, ...]) -> None:
    """Raises BadFile where two columns have one name."""
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise BadFile(f"the column {twice!r} stands in the file more than once.", fix="Rename one of them.")


def _in_microseconds(batch: Any) -> Any:
    """Python's times end at microseconds: nanoseconds are cut off."""
    import pyarrow

    for at, field in enumerate(batch.schema):
        kind = str(field.type)
        if kind.startswith("timestamp[ns"):
            coarser = pyarrow.timestamp("us", field.type.tz)
        elif kind in ("time64[ns]", "duration[ns]"):
            coarser = pyarrow.time64("us") if kind == "time64[ns]" else pyarrow.duration("us")
        else:
            continue
        batch = batch.set_column(at, field.name, batch.column(at).cast(coarser, safe=False))
    return batch


def unless_of_the_system(error: Exception, what: str) -> Exception:
    """The file's fault as BadFile, the system's as it is."""
    if isinstance(error, OSError) and error.errno is not None:
        return error
    return BadFile(f"{what} ({first_line(error)}).")


def first_line(error: Exception) -> str:
    """What a library said, on one line that can be shown."""
    said = (str(error).splitlines() or [""])[0][:200]
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in said) or type(error).__name__
