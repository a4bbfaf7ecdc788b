"""Files are replaced in one move; what is no file is written to and stays."""

import os
import stat
import threading
from pathlib import Path

import pytest

from tunewright.core.files import write_atomic


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    for content in ("one", "two, longer"):
        write_atomic(path, content)
        assert path.read_text() == content
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(OSError, match="folder"):
        write_atomic(tmp_path / "folder" / "a.txt", "one")
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        write_atomic(tmp_path / "folder", "one")
    assert sorted(tmp_path.iterdir()) == [path, tmp_path / "folder"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_written_to_and_stays(tmp_path: Path) -> None:
    path, read = tmp_path / "pipe", list[str]()
    os.mkfifo(path)
    reader = threading.Thread(target=lambda: read.append(path.read_text()))
    reader.start()
    write_atomic(path, "all of it")
    reader.join(timeout=60)
    assert read == ["all of it"]
    assert stat.S_ISFIFO(path.stat().st_mode)
    assert list(tmp_path.iterdir()) == [path]
