"""Spreadsheets (XLSX, XLSM, ODS): the first visible sheet or the one named; a header, then rows.

A row's number is the sheet's. Values take their JSON form: whole numbers integers, dates and times ISO texts, blank cells
null, and so are cells that hold an error (#N/A). Of a formula the result that was saved is read; macros are not run.
"""

import datetime
import math
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Any

from tunewright.data.names import did_you_mean, listed
from tunewright.data.rows import BadFile, Reject, Row, Table, no_rows
from tunewright.data.sources._sheet_size import check_sheets

_LARGEST = 2**53
"""Whole numbers up to this are held exactly by a cell."""
_RAW = 2000


def read(path: Path, encoding: str, sheet: str | None = None) -> Table:
    """Open a sheet, the first visible one unless named; `encoding` plays no part. Raises BadFile."""
    check_sheets(path)
    rows = _cells(path, sheet)
    number, header = next((row for row in rows if any(map(_filled, row[1]))), (0, []))
    if not number:
        return Table((), no_rows())
    columns = _columns(header, number)
    return Table(tuple(name for name in columns if name), _rows(rows, columns))


def _cells(path: Path, sheet: str | None) -> Generator[tuple[int, list[Any]], None, None]:
    """The rows of cells with their numbers. What the library cannot read, and where it breaks down, is a BadFile."""
    import python_calamine

    try:
        with python_calamine.CalamineWorkbook.from_path(str(path)) as book:
            chosen = book.get_sheet_by_name(_chosen(book, sheet))
            yield from enumerate(chosen.iter_rows(), 1)
    except (python_calamine.CalamineError, OSError, ValueError, OverflowError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise _unreadable(error) from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # how Rust code says that it met what it did not expect
            raise
        raise _unreadable(error) from None


def _chosen(book: Any, sheet: str | None) -> str:
    """The name of the sheet to read. Raises BadFile where there is none."""
    import python_calamine

    kinds, sights = python_calamine.SheetTypeEnum, python_calamine.SheetVisibleEnum
    sheets = [found for found in book.sheets_metadata if found.typ == kinds.WorkSheet]
    names: list[str] = [found.name for found in sheets]
    if sheet is not None:
        if sheet not in names:
            raise BadFile(
                f"there is no sheet {sheet!r}; the sheets are {listed(names)}.",
                fix=did_you_mean(sheet, names),
            )
        return sheet
    visible: list[str] = [found.name for found in sheets if found.visible == sights.Visible]
    if not visible:
        raise BadFile(
            f"the workbook has no visible sheet of cells; its sheets are {listed(names)}.",
            fix="Name one with sheet: for this source." if names else None,
        )
    return visible[0]


def _columns(header: list[Any], number: int) -> list[str | None]:
    """The names of the columns; None where a column has none: it must be blank all the way down."""
    names = [_name(cell) for cell in header]
    for name in filter(None, names):
        if names.count(name) > 1:
            raise BadFile(
                f"the header names {name!r} more than once (it has {listed(filter(None, names))}).",
                line=number,
                fix="Give each column its own name.",
            )
    return names


def _name(cell: Any) -> str | None:
    value = _plain(cell)
    return None if value is None else " ".join(str(value).split())


def _rows(
    rows: Generator[tuple[int, list[Any]], None, None], columns: list[str | None]
) -> Generator[Row | Reject, None, None]:
    with closing(rows):
        for number, cells in rows:
            if any(map(_filled, cells)):
                yield _row(number, cells, columns)


def _row(number: int, cells: list[Any], columns: list[str | None]) -> Row | Reject:
    stray = next((at for at, cell in enumerate(cells) if _filled(cell) and not columns[at]), None)
    if stray is not None:
        what = f"value {stray + 1} stands in a column that the header does not name"
        return Reject(number, f"wrong number of columns: {what}", repr(cells)[:_RAW])
    try:
        values = {name: _plain(cell) for name, cell in zip(columns, cells, strict=True) if name}
    except OverflowError:
        return Reject(number, "not JSON: a number is infinite", repr(cells)[:_RAW])
    return Row(number, values)


def _filled(cell: Any) -> bool:
    return not isinstance(cell, str) or bool(cell.strip())


def _plain(cell: Any) -> Any:
    """The JSON form of a cell. Raises OverflowError for an infinite number."""
    if isinstance(cell, bool | int) or cell is None:
        return cell
    if isinstance(cell, float):
        if math.isinf(cell):
            raise OverflowError
        return None if math.isnan(cell) else int(cell) if cell.is_integer() and abs(cell) < _LARGEST else cell
    if isinstance(cell, datetime.date | datetime.time):  # a datetime is a date
        return cell.isoformat()
    return cell if isinstance(cell, str) and cell.strip() else None if isinstance(cell, str) else str(cell)


def _unreadable(error: BaseException) -> BadFile:
    said = " ".join(str(error).split())[:100].rstrip(".")
    why = f" ({said})" if said.isprintable() and said else ""
    return BadFile(f"the file is not a readable spreadsheet{why}.", fix="Save it anew as XLSX or as CSV.")
