"""Examples in files: a file that was cut off is not a shorter one."""

from pathlib import Path

import pytest

from tunewright.core.errors import IntegrityError
from tunewright.core.example import ask, make_example
from tunewright.data.examples import Examples, read_examples, write_examples


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    rows = [make_example(ask(f"question {at}", "a\u2028b\rc")) for at in range(3)]
    write_examples(path, rows)
    assert read_examples(path) == list(Examples(path)) == rows
    for bytes_lost in (1, 9):
        path.write_bytes(path.read_bytes()[:-bytes_lost])
        for read in (read_examples, lambda path: list(Examples(path)), lambda path: Examples(path)[2]):
            with pytest.raises(IntegrityError, match="the last line has no end: the file is cut off"):
                read(path)
