"""Preflight: what a run will take, in seconds and bytes, from real steps before it; what would not fit is refused.

A middling row is computed first and its memory scaled to the fullest batch, so that a run that would not fit by far is
refused before it is tried. Then the step with the fullest batch and a middling one are run, gradients and all, and
forgotten, and so is what a run does besides: a look at dev, rows read under the base, the optimizer's own step,
a checkpoint.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from statistics import median_low
from time import perf_counter
from typing import NamedTuple

import psutil
import torch

from tunewright.core.errors import GateError, Problem
from tunewright.models.machine import free_memory
from tunewright.train.checkpoint import seconds_in_all
from tunewright.train.pack import fill

FORWARD = 1 / 2
"""What a forward pass alone takes of a step where none was timed: an adapter's backward pass costs another."""
_ROOM = 0.95
"""The share of the free memory that a run may take."""
_SURE = 1.5
"""Times the room there is: what one row foretells beyond that is refused without trying."""
_SHORTEST = 32
"""Tokens below which no row is worth training."""
_SAMPLE = 0.002
"""Seconds between two looks at the process's memory."""
_DOMINATES = 0.5
"""The share of the memory there is from which a base's weights are what fills it."""
Probe = Callable[[Sequence[int]], None]
"""Computes the gradients of one step with these trees, and forgets them."""
Reading = Callable[[], int]
"""Reads some rows without gradients; how many tokens they have."""


class Load(NamedTuple):
    """What there is to compute."""

    steps: Sequence[Sequence[int]]
    """The trees of each step, by index."""
    tokens: Sequence[int]
    """Tokens of each tree."""
    limit: int
    """Tokens of the longest batch that a step is cut into, save for longer rows."""
    forward_tokens: int = 0
    """Tokens that are read under the base before the first step, where the method asks for that."""
    later: int = 0
    """Bytes that the first steps do not show: the optimizer's, a checkpoint's copies."""
    packable: int = 0
    """Bytes of the base's weights; 0 where qlora would make none of them less, for they are packed already or trained."""
    look_tokens: int = 0
    """Tokens of a look at dev."""
    dev_every: int = 1
    """Steps between two looks."""
    last_looks: int = 0
    """Looks after the last step: strengths to try."""

    def looks_left(self, step: int) -> int:
        """Looks at dev that are to come when `step` steps are done and looked at."""
        if not self.look_tokens:
            return 0
        last = len(self.steps)
        after = -(-last // self.dev_every) - step // self.dev_every if step < last else 0
        return after + self.last_looks

    def fullest(self, step: Sequence[int]) -> tuple[int, int]:
        """Tokens of a step's fullest batch, and of its longest row."""
        groups = fill({index: self.tokens[index] for index in step}, step, self.limit)
        return max(sum(self.tokens[i] for i in group) for group in groups), max(self.tokens[i] for i in step)

    def size(self, step: Sequence[int]) -> int:
        """Tokens of a step."""
        return sum(self.tokens[index] for index in step)


class Besides(NamedTuple):
    """What a run does besides its gradients, to be tried out; none for what it does not do."""

    look: Reading | None = None
    """The method's loss of some dev rows."""
    refer: Reading | None = None
    """Some rows' log-probabilities."""
    update: Callable[[], None] | None = None
    """The optimizer's own step, on gradients of zero: weights and moments stay."""
    save: Callable[[], float] | None = None
    """Writes a checkpoint as it is written over an old one; the seconds that takes."""


class Estimate(NamedTuple):
    """What a run is about to take."""

    seconds: float
    peak: int
    """Bytes at the most: of this process, or of the accelerator."""
    available: int
    """Bytes that it may have."""


class _Room(NamedTuple):
    """The memory there is for a run, and what its fullest batch holds."""

    before: int
    available: int
    batch: int
    """Tokens."""
    row: int
    """Tokens of its longest row."""
    checkpointing: bool
    packable: int
    """Bytes of the base's weights that qlora would pack."""


NOTHING = Besides()


def look_ahead(
    load: Load, probe: Probe, device: torch.device, checkpointing: bool, besides: Besides = NOTHING
) -> Estimate:
    """The estimate, after some steps. Raises GateError for a run that would not fit, with what would."""
    heavy = max(load.steps, key=load.fullest)
    middle = sorted(load.steps, key=load.size)[len(load.steps) // 2]
    row = load.tokens.index(median_low(load.tokens))
    most, longest = load.fullest(heavy)
    before = used_bytes(device)
    room = _Room(before, before + free_bytes(device), most, longest, checkpointing, load.packable)
    try:
        probe([row])  # what the first pass alone brings: libraries, caches, pages
        start = used_bytes(device)
        with peak_bytes(device) as first:
            probe([row])
        grown = max(0, first[0] - start) * most / max(1, load.tokens[row])
        if grown > _SURE * (room.available - start):
            raise _too_large(round(start + grown), room)
        with peak_bytes(device) as second:
            probe(heavy)
        peak = second[0] + load.later
        if peak > before + _ROOM * (room.available - before):
            raise _too_large(peak, room)
        probe(middle)  # its shapes are new to the machine too, and a run meets each once
        seconds = sum(_timed(partial(probe, step), device) for step in (heavy, middle))
        rate = seconds / (load.size(heavy) + load.size(middle))
        return Estimate(_whole(load, rate, besides, device), peak, room.available)
    except torch.OutOfMemoryError as error:
        raise _too_large(None, room) from error


def _whole(load: Load, rate: float, besides: Besides, device: torch.device) -> float:
    """Seconds of the whole run, whose gradients take `rate` a token."""
    found = rate * sum(map(load.size, load.steps))
    looks = load.looks_left(0) + 1
    for read, tokens in ((besides.look, looks * load.look_tokens), (besides.refer, load.forward_tokens)):
        found += tokens * _reading_rate(read, rate, device) if tokens else 0
    if besides.update:
        besides.update()  # the first one makes the moments
        found += len(load.steps) * _timed(besides.update, device)
    return found + (seconds_in_all(besides.save(), len(load.steps), found) if besides.save else 0.0)


def _reading_rate(read: Reading | None, rate: float, device: torch.device) -> float:
    """Seconds a token that is read without gradients."""
    if read is None:
        return FORWARD * rate
    tokens = read()  # not timed: the first pass alone brings libraries and caches
    return _timed(read, device) / tokens


def free_bytes(device: torch.device) -> int:
    """Bytes that a run may still take: of the accelerator, or of this machine."""
    if device.type == "cuda":
        reserved = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + int(reserved)
    return free_memory()


def _timed(act: Callable[[], object], device: torch.device) -> float:
    _wait(device)
    begin = perf_counter()
    act()
    _wait(device)
    return perf_counter() - begin


def _wait(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _too_large(peak: int | None, room: _Room) -> GateError:
    """The refusal; `peak` is none where memory ran out before it could be measured."""
    if peak is None:
        message = f"Training ran out of memory, of which {_gigabytes(room.available)} are there."
        fitting = room.batch // 2
    else:
        message = f"Training would take about {_gigabytes(peak)} of memory, and {_gigabytes(room.available)} are there."
        fitting = int(room.batch * _ROOM * (room.available - room.before) / max(1, peak - room.before))
    ways = [] if room.checkpointing else ["set train.gradient_checkpointing to true"]
    if fitting >= room.row:
        ways.append(f"set train.batch_tokens to about {fitting}")
    elif fitting >= _SHORTEST:
        ways.append(
            f"set train.max_length to about {fitting} (train.over_long says what becomes of longer rows)"
        )
    else:
        ways.append("choose a smaller base")
    if room.packable and (fitting < _SHORTEST or room.packable > _DOMINATES * room.available):
        ways.append("set train.adapter.kind to qlora, which packs the base in four bits")
    fix = ", or ".join(ways)
    where = f"a batch of {room.batch} tokens, its longest row of {room.row}"
    return GateError([Problem(message, where=where, fix=f"{fix[0].upper()}{fix[1:]}.")])


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.2f} GB"


def used_bytes(device: torch.device) -> int:
    """Memory in use now: of this process, or of the accelerator."""
    if device.type == "cuda":
        return int(torch.cuda.memory_allocated(device))
    return int(psutil.Process().memory_info().rss)


@contextmanager
def peak_bytes(device: torch.device, sample: float = _SAMPLE) -> Iterator[list[int]]:
    """The largest memory in use while it lasts, in bytes, as the list's only item.

    An accelerator tells it; of a process it is the largest of what is seen every `sample` seconds.
    """
    found = [used_bytes(device)]
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        try:
            yield found
        finally:
            found[0] = int(torch.cuda.max_memory_allocated(device))
        return
    done = threading.Event()

    def watch() -> None:
        while not done.wait(sample):
            found[0] = max(found[0], used_bytes(device))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        done.set()
        thread.join()
        found[0] = max(found[0], used_bytes(device))
