"""Parquet: columns with types; a row's number is its record number.

Values take their JSON form: dates and times ISO texts, decimals texts, bytes UTF-8 texts (base64 where they are none),
NaN null. A struct has all its members in every row: null may mean that the row had none.
"""

import base64
import datetime
import decimal
import math
from collections.abc import Generator
from pathlib import Path
from typing import Any

from tunewright.core.strict_json import MAX_DEPTH
from tunewright.data.rows import BadFile, BadRow, Reject, Row, Table

BATCH = 1024
"""Rows held in memory at a time."""
_RAW = 2000


def read(path: Path, encoding: str) -> Table:
    """Open a Parquet file; `encoding` plays no part. Raises BadFile."""
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            names = tuple(file.schema_arrow.names)
    except (pyarrow.ArrowException, ValueError) as error:
        raise BadFile(f"the file is not readable Parquet ({first_line(error)}).") from None
    check_names(names)
    return Table(names, _rows(path), sparse=True)


def _rows(path: Path) -> Generator[Row | Reject, None, None]:
    import pyarrow
    import pyarrow.parquet

    number = 0
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(BATCH, use_threads=False):
                yield from batch_rows(batch, number)
                number += batch.num_rows
    except (pyarrow.ArrowException, ValueError, RecursionError) as error:
        raise BadFile(f"reading stopped after record {number} ({first_line(error)}).") from None


def batch_rows(batch: Any, before: int) -> Generator[Row | Reject, None, None]:
    """The rows of an Arrow record batch that stands behind `before` other rows. Raises ArrowException, ValueError."""
    for number, values in enumerate(_in_microseconds(batch).to_pylist(), before + 1):
        yield _row(number, values)


def check_names(names: tuple[str, ...]) -> None:
    """Raises BadFile where two columns have one name."""
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise BadFile(f"the column {twice!r} stands in the file more than once.", fix="Rename one of them.")


def _row(number: int, values: dict[str, Any]) -> Row | Reject:
    try:
        return Row(number, {name: _plain(value) for name, value in values.items()})
    except BadRow as error:
        return Reject(number, str(error), repr(values)[:_RAW])


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


def _plain(value: Any, depth: int = 0) -> Any:
    """The JSON form of an Arrow value."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if depth > MAX_DEPTH:
        raise BadRow(f"not JSON: it is nested more than {MAX_DEPTH} deep")
    if isinstance(value, float):
        if math.isinf(value):
            raise BadRow("not JSON: a number is infinite")
        return None if math.isnan(value) else value
    if isinstance(value, dict):
        return {key: _plain(part, depth + 1) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part, depth + 1) for part in value]
    return _text(value)


def _text(value: Any) -> str:
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return base64.b64encode(value).decode("ascii")
    if isinstance(value, decimal.Decimal | datetime.timedelta):
        return str(value)
    raise BadRow(f"not JSON: a {type(value).__name__} has no JSON form")


def first_line(error: Exception) -> str:
    """What a library said, on one line."""
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
