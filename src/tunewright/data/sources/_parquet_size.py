"""How much memory the rows of a Parquet file want, looked up before they take it.

A few bytes may stand for very many: a page that is packed well, a long text that a dictionary holds once and each row points
at, a list of a million nulls. A file that could fill the memory of a machine by its pages is refused; columns whose texts
might are read as pointers into their dictionaries, and written out only so far as they keep to the bounds.
"""

from pathlib import Path
from typing import Any, NamedTuple

from tunewright.data.rows import BadFile
from tunewright.data.sources._parquet_pages import chunks
from tunewright.data.sources._zip import RATIO, most_unpacked

HELD = 2**30
"""The most bytes of the pages that are held together, one of each column, uncompressed."""
ROW = 64 * 2**20
"""The most bytes of a row, and of the rows that are written out at a time."""
WRITTEN = 2**30
"""The least bytes that all rows together may be written out to, whatever the file's size."""
VALUES = 2**26
"""The least values that a column may say it has, whatever the file's size."""
_WORD = 2**12
"""The most bytes of a value of fixed length."""


class Reading(NamedTuple):
    """How a file is to be read: the columns to leave as pointers, the rows at a time, the most bytes of all rows."""

    pointers: list[str]
    batch: int
    most: int


def plan_reading(path: Path, rows: int, batch: int) -> Reading:
    """How to read a file that says it has so many rows, `batch` rows at a time at most.

    Raises BadFile where it would take too much, ValueError where it is broken.
    """
    packed = path.stat().st_size
    values = max(VALUES, 8 * packed)
    if not 0 <= rows <= values:
        raise BadFile(f"it says that it has {rows:,} rows.", fix="Write it anew.")
    held: dict[str, int] = {}
    longest: dict[str, int] = {}
    pointers: set[str] = set()
    for chunk in chunks(path):
        if chunk.width > _WORD:
            raise BadFile(
                f"each value of {chunk.path[:60]!r} has {chunk.width:,} bytes.", fix="Write it anew."
            )
        if chunk.values > values:
            raise BadFile(
                f"the column {chunk.path[:60]!r} says that it has {chunk.values:,} values, in a file of {packed:,} bytes.",
                fix="If you trust it, write its rows as JSONL.",
            )
        held[chunk.path] = max(held.get(chunk.path, 0), chunk.page + chunk.dictionary)
        longest[chunk.path] = max(longest.get(chunk.path, 0), chunk.longest)
        if chunk.nested and chunk.values * chunk.longest > HELD:
            pointers.add(chunk.path)
        batch = _fewer(batch, chunk.growing, chunk.values if chunk.nested else 0)
    most = min(most_unpacked(packed), HELD)
    if sum(held.values()) > most:
        raise too_large(packed, most, f"its pages unpack to {sum(held.values()):,} bytes at a time")
    if batch * sum(longest.values()) > HELD:
        pointers |= {path for path, length in longest.items() if length}
    return Reading(sorted(pointers), batch, max(WRITTEN, RATIO * packed))


def too_large(packed: int, most: int, found: str) -> BadFile:
    """The refusal of a file of `packed` bytes that would take more than `most`."""
    return BadFile(
        f"the file has {packed:,} bytes and {found}; {most:,} are read.",
        fix="If you trust it, write its rows as JSONL.",
    )


def _fewer(batch: int, growing: int, values: int) -> int:
    """So few rows at a time that a column whose values grow from one to the next keeps to the bound."""
    if growing * values > HELD:
        raise BadFile(
            "the texts in one of its lists are packed so that they may take any memory (DELTA_BYTE_ARRAY).",
            fix="Write it anew, with plain texts.",
        )
    return min(batch, max(1, HELD // growing)) if growing else batch


def written_out(array: Any) -> int:
    """The bytes that an Arrow array or record batch takes where each value is written out."""
    import pyarrow
    import pyarrow.compute as compute

    kind = getattr(array, "type", None)
    if kind is None:
        return sum(map(written_out, array.columns))
    if pyarrow.types.is_dictionary(kind):
        lengths = compute.take(compute.binary_length(array.dictionary), array.indices)
        return int(compute.sum(lengths).as_py() or 0) + 8 * len(array)
    if pyarrow.types.is_struct(kind):
        return sum(map(written_out, array.flatten())) + len(array)
    if pyarrow.types.is_list(kind) or pyarrow.types.is_large_list(kind):
        return written_out(array.flatten()) + 8 * len(array)
    if pyarrow.types.is_map(kind):
        start, end = array.offsets[0].as_py(), array.offsets[len(array)].as_py()
        inner = (part.slice(start, end - start) for part in (array.keys, array.items))
        return sum(map(written_out, inner)) + 8 * len(array)
    return int(array.nbytes)
