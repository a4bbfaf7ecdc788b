"""Some of the files that `fuzz_readers.py` tries by the hundred thousand."""

from pathlib import Path

import pytest
from fuzz_files import READERS
from fuzz_readers import made, tried

EACH = 30


@pytest.mark.parametrize("reader", READERS)
def test_files_made_and_changed_at_random_are_read_or_refused(tmp_path: Path, reader: str) -> None:
    assert [(seed, what) for seed in range(EACH) if (what := tried(reader, seed, tmp_path))] == []


@pytest.mark.parametrize("reader", READERS)
def test_a_seed_is_always_the_same_file(reader: str) -> None:
    """What was found can be looked at again; packers and writers of office files put the time into theirs."""
    files = [made(reader, 3) for _ in range(2)]
    assert files[0]._replace(data=b"") == files[1]._replace(data=b"")


def test_a_reader_that_loses_rows_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tunewright.data.sources import csv

    whole = csv._rows
    monkeypatch.setattr(csv, "_rows", lambda *given: (row for row in whole(*given) if row.number % 5))
    found = [what for seed in range(0, 90, 3) if (what := tried("csv", seed, tmp_path))]
    assert found
    assert all(" rows of " in what or "rejects and no examples" in what for what in found)


def test_a_reader_that_crashes_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tunewright.data.sources import csv

    monkeypatch.setattr(csv, "_delimiter", lambda header: header[10_000])
    assert "IndexError" in str(tried("csv", 0, tmp_path))
