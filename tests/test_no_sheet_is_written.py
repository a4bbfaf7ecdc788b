"""No table that a spreadsheet opens is written: there a cell that begins with `=`, `+`, `-` or `@` is run as a formula.

Who adds an export of that kind escapes its cells, and tests that here instead.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "tunewright"
WRITERS = frozenset(
    (
        *("writer", "DictWriter", "writerow", "writerows", "to_csv", "write_csv", "sink_csv", "to_excel", "write_excel"),
        *("Workbook", "ExcelWriter", "to_clipboard", "CSVWriter"),
    )
)  # fmt: skip


def written(source: str) -> Iterator[str]:
    """Calls that write CSV, TSV or a workbook, whatever name their module was imported by."""
    for node in ast.walk(ast.parse(source)):
        called = node.func if isinstance(node, ast.Call) else None
        name = getattr(called, "attr", None) or getattr(called, "id", None)
        if name in WRITERS:
            yield name
        if isinstance(node, ast.ImportFrom) and node.module in ("csv", "pyarrow.csv", "xlsxwriter"):
            yield from (one.name for one in node.names if one.name in WRITERS)


def test_nothing_writes_a_table_that_a_spreadsheet_opens() -> None:
    found = {str(path.relative_to(PACKAGE)): [*written(path.read_text())] for path in PACKAGE.rglob("*.py")}
    assert {path: names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import csv\ncsv.writer(open('a'))",
        "from csv import DictWriter as D",
        "table.to_csv('a')",
        "from pyarrow import csv as c\nc.write_csv(t, 'a')",
    ],
)
def test_what_would_write_one_is_seen(source: str) -> None:
    assert [*written(source)]
