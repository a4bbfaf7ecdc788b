"""Checkpoints: everything a run needs to go on as if it had never been cut off, in a folder that survives a kill.

    run.json            what the run is (its fingerprint) and the thread count it started with
    state-a.safetensors adapter, optimizer and position after the last step, or the one before it (train/slots.py)
    state-b.safetensors the other of them
    best.safetensors    the adapter with the best dev loss, and its step
    past-12.safetensors the adapter after step 12: one for each of the last looks at dev (train.keep)
    seconds.json        how long the run has taken so far
    references.json     the rows' log-probabilities under the base, where the method needs them
    history.jsonl       one line a step and a dev loss; lines past the state's step are dropped on resume

The files are not synced to the disk at each step: a kill loses none of them, and after a power cut a torn state is seen, and
the other taken. With neither the run starts over, with the same result.
"""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from tunewright.core.files import read_json, read_jsonl, write_json
from tunewright.train.slots import Slots, Vectors

_COST = 10
"""A dear checkpoint waits until ten times its cost has passed since the last, and takes at most a tenth of the time, save
those of weights that are the best so far, which are written at once."""
_CHEAP = 0.05
"""Seconds; a checkpoint that costs less is written after every step. 700,000 weights with their moments take 0.003."""
_TRIED = 64 << 20
"""Bytes by which the cost of a checkpoint is foretold."""
_TRIAL = "trial"
"""Where they are written: a kill may leave it."""


def seconds_in_all(cost: float, steps: int, seconds: float) -> float:
    """What checkpoints that take `cost` seconds each take of a run of so many steps and seconds."""
    every = cost * steps
    return every if cost <= _CHEAP else min(every, seconds / _COST)


@dataclass
class Progress:
    """Where a run stands. Floats survive the way through JSON unchanged."""

    step: int = 0
    """Optimizer steps done."""
    tokens: int = 0
    trained_tokens: int = 0
    best_step: int = 0
    best_loss: float | None = None
    best_score: float | None = None
    misses: int = 0
    """Looks at dev since the best one."""
    reached: list[bool] = field(default_factory=list)
    """For each adapter parameter, whether a gradient other than zero has reached it."""


class WorkFolder:
    """A run's scratch folder. One run writes to it at a time."""

    def __init__(self, path: Path, fingerprint: str, threads: int) -> None:
        """Take up the run that lies in `path` where it is this one; else clear it and start."""
        path.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._slots = Slots(path)
        self._written = 0.0
        self._cost = 0.0
        self._opened = time.perf_counter()
        known = _read_run(path / "run.json")
        self.resumed = known.get("fingerprint") == fingerprint
        self.discarded = bool(known) and not self.resumed
        self.threads = int(known["threads"]) if self.resumed else threads
        if not self.resumed:
            self.clear()
            write_json(path / "run.json", {"fingerprint": fingerprint, "threads": threads})
        self._before = _read_seconds(path / "seconds.json")

    def seconds(self) -> float:
        """Seconds that the run has taken, with those of processes that were cut off, up to what each wrote last."""
        return self._before + time.perf_counter() - self._opened

    def trial(self, tensors: Vectors) -> float:
        """Seconds that a checkpoint of the tensors takes, by some of them, written where it is no checkpoint; 0 where the
        disk is full, say, which is for the run to tell.
        """
        few, left = dict[str, list[Tensor]](), _TRIED
        for name, parts in tensors.items():
            for part in parts:
                some = part.detach().flatten()[: left // part.element_size()]
                if some.numel():
                    few.setdefault(name, []).append(some)
                    left -= some.nbytes
        folder = self._path / _TRIAL
        slots = Slots(folder)
        try:
            folder.mkdir(exist_ok=True)
            for _ in range(3):  # the third one is written over an old one, as nearly all are
                begin = time.perf_counter()
                slots.write(few, {})
            took = time.perf_counter() - begin
        except OSError:
            return 0.0
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        return took * _size(tensors) / max(1, _size(few))

    def clear(self) -> None:
        """Forget the run."""
        for name in ("run.json", "seconds.json", "best.safetensors", "history.jsonl", "references.json"):
            (self._path / name).unlink(missing_ok=True)
        shutil.rmtree(self._path / _TRIAL, ignore_errors=True)
        self._slots.clear()
        self._drop_past(lambda step: True)

    def load(self) -> tuple[Progress, dict[str, Tensor]] | None:
        """The last checkpoint, or none. The history and the past adapters are cut back to it."""
        stored = self._slots.read()
        if stored is None:
            (self._path / "history.jsonl").unlink(missing_ok=True)
            self._drop_past(lambda step: True)
            return None
        tensors, facts = stored
        progress = Progress(**facts)
        self._drop_past(lambda step: step > progress.step)
        self._rewrite([line for line in self.history() if line["step"] <= progress.step])
        return progress, tensors

    def save(self, progress: Progress, tensors: Callable[[], Vectors], *, due: bool = False) -> None:
        """Write a checkpoint of what `tensors` gives, when `due` or when it is cheap enough by now."""
        begin = time.perf_counter()
        if not due and self._cost > _CHEAP and begin - self._written < _COST * self._cost:
            return
        self._slots.write(tensors(), asdict(progress))
        self._keep_seconds()
        os.utime(
            self._path
        )  # writing over files leaves no trace on it, and what nobody goes on with is swept away
        self._written = time.perf_counter()
        self._cost = self._written - begin

    def save_best(self, step: int, weights: Mapping[str, Tensor]) -> None:
        """Keep the best weights so far."""
        _write_tensors(self._path / "best.safetensors", weights, {"step": step})

    def load_best(self) -> tuple[int, dict[str, Tensor]] | None:
        """The best weights and their step, or none."""
        stored = _read_tensors(self._path / "best.safetensors")
        return None if stored is None else (stored[1]["step"], stored[0])

    def save_past(self, step: int, weights: Mapping[str, Tensor], count: int) -> None:
        """Keep the weights after `step`, and of those kept before as many as make `count` with them."""
        _write_tensors(self._past(step), weights, {"step": step})
        kept = self._past_steps()[-count:]
        self._drop_past(lambda other: other not in kept)

    def past(self) -> Iterator[tuple[int, dict[str, Tensor]]]:
        """The last weights kept by `save_past`, with their steps, the oldest first."""
        for step in self._past_steps():
            if stored := _read_tensors(self._past(step)):
                yield step, stored[0]

    def references(self) -> list[float] | None:
        """The rows' log-probabilities under the base, or none where they were not all taken."""
        try:
            return [float(value) for value in read_json(self._path / "references.json")]
        except (OSError, ValueError, TypeError):
            return None

    def save_references(self, values: Sequence[float]) -> None:
        """Keep the rows' log-probabilities under the base."""
        write_json(self._path / "references.json", list(values))
        self._keep_seconds()

    def note(self, **facts: Any) -> None:
        """Add a line to the history."""
        with (self._path / "history.jsonl").open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(facts) + "\n")

    def history(self) -> list[dict[str, Any]]:
        """The history's lines."""
        path = self._path / "history.jsonl"
        return list(read_jsonl(path)) if path.exists() else []

    def _keep_seconds(self) -> None:
        """Beside the checkpoint, not in it: equal runs have equal checkpoints."""
        (self._path / "seconds.json").write_text(json.dumps(self.seconds()), encoding="utf-8")

    def _past(self, step: int) -> Path:
        return self._path / f"past-{step}.safetensors"

    def _past_steps(self) -> list[int]:
        names = (path.stem.partition("-")[2] for path in self._path.glob("past-*.safetensors"))
        return sorted(int(name) for name in names if name.isdigit())

    def _drop_past(self, dropped: Callable[[int], bool]) -> None:
        for step in filter(dropped, self._past_steps()):
            self._past(step).unlink()

    def _rewrite(self, lines: list[dict[str, Any]]) -> None:
        text = "".join(json.dumps(line) + "\n" for line in lines)
        _replace(self._path / "history.jsonl", text.encode())


def _size(tensors: Vectors) -> int:
    return sum(part.nbytes for parts in tensors.values() for part in parts)


def _read_seconds(path: Path) -> float:
    """What was kept of the time; none of it where the file is missing or torn."""
    try:
        return float(read_json(path))
    except (OSError, ValueError, TypeError):
        return 0.0


def _read_run(path: Path) -> dict[str, Any]:
    try:
        return dict(read_json(path))
    except (OSError, ValueError):
        return {}


def _write_tensors(path: Path, tensors: Mapping[str, Tensor], facts: dict[str, Any]) -> None:
    _replace(path, save(dict(tensors), metadata={"facts": json.dumps(facts)}))


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _read_tensors(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
    """Tensors and facts of a file, or none where it is missing or torn."""
    try:
        with safe_open(path, framework="pt") as stored:
            facts = json.loads(stored.metadata()["facts"])
            return {name: stored.get_tensor(name).clone() for name in stored.keys()}, facts  # noqa: SIM118  # no mapping
    except (OSError, SafetensorError, KeyError, TypeError, ValueError):
        return None
