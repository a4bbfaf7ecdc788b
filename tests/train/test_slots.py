"""The state's two files: the newest whole one is read, whatever became of the other."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tunewright.train import slots as written
from tunewright.train.slots import Slots

KINDS = {
    "parameters": [torch.arange(6.0).view(2, 3), torch.ones(5)],
    "half": [torch.arange(6, dtype=torch.bfloat16).view(2, 3)],
    "0.state1": [torch.arange(7, dtype=torch.uint8)],
    "0.step": [torch.tensor(3)],
}


def put(slots: Slots, step: int, size: int = 4000) -> None:
    slots.write({"parameters": [torch.full((size,), float(step))]}, {"step": step})


def step_of(folder: Path) -> int | None:
    found = Slots(folder).read()
    if found is None:
        return None
    assert found[0]["parameters"].unique().tolist() == [float(found[1]["step"])]
    return found[1]["step"]


def test_what_is_written_is_read(tmp_path: Path) -> None:
    Slots(tmp_path).write(KINDS, {"step": 7, "loss": 0.1 + 0.2, "reached": [True, False]})
    tensors, facts = Slots(tmp_path).read() or ({}, {})
    assert facts == {"step": 7, "loss": 0.1 + 0.2, "reached": [True, False]}
    assert tensors.keys() == KINDS.keys()
    (path,) = tmp_path.iterdir()
    for found in (tensors, load_file(path)):
        for name, parts in KINDS.items():
            whole = parts[0] if len(parts) == 1 else torch.cat([part.flatten() for part in parts])
            assert torch.equal(found[name], whole)
            assert found[name].dtype == whole.dtype


def test_two_files_take_turns_in_place(tmp_path: Path) -> None:
    slots = Slots(tmp_path)
    assert slots.read() is None
    put(slots, 1)
    put(slots, 2)
    places = {path.name: path.stat().st_ino for path in tmp_path.iterdir()}
    for step in (3, 4, 5):
        put(slots, step)
        assert step_of(tmp_path) == step
    put(Slots(tmp_path), 6)  # a run that goes on
    assert step_of(tmp_path) == 6
    assert {path.name: path.stat().st_ino for path in tmp_path.iterdir()} == places
    put(slots, 7, size=10)  # a smaller one leaves nothing of the larger
    assert step_of(tmp_path) == 7
    slots.clear()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("harm", ["cut short", "page lost", "facts lost", "gone"])
def test_a_torn_file_is_passed_over(tmp_path: Path, harm: str) -> None:
    slots = Slots(tmp_path)
    put(slots, 1)
    put(slots, 2)
    newest_first = sorted(tmp_path.iterdir(), key=written._turn, reverse=True)
    for path, left in zip(newest_first, (1, None), strict=True):
        data = bytearray(path.read_bytes())
        if harm == "gone":
            path.unlink()
        elif harm == "cut short":
            path.write_bytes(data[:9000])
        else:
            begin = 4096 if harm == "page lost" else data.index(b"step")
            data[begin : begin + 4] = b"\0\0\0\0"
            path.write_bytes(data)
        assert step_of(tmp_path) == left


def test_after_a_torn_file_the_whole_one_is_not_written_over(tmp_path: Path) -> None:
    """The next state takes the torn one's place, so that one is whole whenever that is cut off."""
    slots = Slots(tmp_path)
    put(slots, 1)
    put(slots, 2)
    older, torn = sorted(tmp_path.iterdir(), key=written._turn)
    data = bytearray(torn.read_bytes())
    data[4096:4100] = b"\1\2\3\4"
    torn.write_bytes(data)
    for again in (Slots(tmp_path), slots):
        assert (again.read() or ({}, {}))[1]["step"] == 1
        before = older.read_bytes()
        put(again, 3)
        assert older.read_bytes() == before
        assert step_of(tmp_path) == 3
        torn.write_bytes(data)


def test_one_that_is_being_written_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut off at each of its writes, the older file leaves the newer one as it was."""
    slots = Slots(tmp_path)
    put(slots, 1)
    put(slots, 2)

    class Cut(Exception):
        """The process was killed."""

    class Stream:
        def __init__(self, stream, left):
            self._stream, self._left = stream, left

        def write(self, data):
            if not self._left:
                raise Cut
            self._left -= 1
            self._stream.write(data)

        def __getattr__(self, name):
            return getattr(self._stream, name)

    lay = written._lay
    for left in range(4):
        monkeypatch.setattr(
            written, "_lay", lambda stream, *rest, left=left: lay(Stream(stream, left), *rest)
        )
        with pytest.raises(Cut):
            put(slots, 3)
        assert step_of(tmp_path) == 2
    monkeypatch.undo()
    put(slots, 3)
    assert step_of(tmp_path) == 3
