"""Errors of the system: what the user can mend is a sentence, what the package lacks is a bug."""

import errno
import os
from pathlib import Path

import pytest

import tunewright
from tunewright.cli.main import _fail_on_os_error


def missing(path: Path) -> FileNotFoundError:
    return FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))


def test_a_path_that_leads_nowhere_is_a_sentence(tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        _fail_on_os_error(missing(tmp_path / "gone"))
    assert end.value.code == 2
    assert capsys.readouterr().err == (
        f"error: {tmp_path / 'gone'}: there is no such file or folder. What was finished stands; mend it and run again.\n"
    )


def test_a_file_of_the_package_that_is_gone_is_a_bug(tmp_path):
    package = Path(tunewright.__file__).parent
    (tmp_path / "link").symlink_to(package)
    for folder in (package, tmp_path / "link"):
        with pytest.raises(FileNotFoundError):
            _fail_on_os_error(missing(folder / "gone.json"))
