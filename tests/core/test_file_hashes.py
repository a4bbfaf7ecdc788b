"""A file's hash is remembered for as long as nothing was done to the file."""

import hashlib
import os
import time
from pathlib import Path

import pytest

from tunewright.core import hashing
from tunewright.core.hashing import hash_file, hash_files, hash_hashes


def test_what_was_done_to_a_file_shows_in_its_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    for text in (b"one", b"two", b"three", b"seven"):  # at once, and some of one size
        path.write_bytes(text)
        assert hash_file(path) == hash_file(path) == hashlib.sha256(text).hexdigest()
    assert (
        hashlib.sha256(b"seven").hexdigest() not in hashing._known.values()
    )  # the disk's clock may be coarse
    monkeypatch.setattr(hashing, "_TICK_NS", 20_000_000)
    time.sleep(0.1)  # it has settled
    assert hash_file(path) == hashlib.sha256(b"seven").hexdigest()
    assert hashlib.sha256(b"seven").hexdigest() in hashing._known.values()
    facts = path.stat()
    path.write_bytes(b"eight")
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert hash_file(path) == hashlib.sha256(b"eight").hexdigest()
    path.unlink()
    path.write_bytes(b"eighx")
    assert hash_file(path) == hashlib.sha256(b"eighx").hexdigest()


def test_the_hash_of_files_is_that_of_their_hashes(tmp_path: Path) -> None:
    for name in ("b", "a"):
        (tmp_path / name).write_text(name)
    assert hash_files(tmp_path, ["b", "a"]) == hash_hashes(
        {name: hash_file(tmp_path / name) for name in ("a", "b")}
    )
