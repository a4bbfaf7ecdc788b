import sys
from typing import NamedTuple

import pytest

from tunewright.cli.main import main


class Said(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def cli(tmp_path, monkeypatch, capsys):
    """Runs a command in an empty folder: its exit code and what it said, blanks and the folder's name folded."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Said:
        monkeypatch.setattr(sys, "argv", ["tunewright", *arguments])
        with pytest.raises(SystemExit) as caught:
            main()
        out, err = (" ".join(text.split()).replace(f"{tmp_path}/", "") for text in capsys.readouterr())
        return Said(int(caught.value.code or 0), out, err)

    return run
