"""Preflight: what a run will take, in seconds and bytes, from real steps before it; what would not fit is refused.

A middling row is computed first and its memory scaled to the fullest batch, so that a run that would not fit is refused
before it is tried. Then the step with the fullest batch and a middling one are run, gradients and all, and forgotten.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from statistics import median_low
from typing import NamedTuple

import psutil
import torch

from tunewright.core.errors import GateError, Problem
from tunewright.models.machine import free_memory

_FORWARD = 1 / 3
"""A dev loss is a forward pass: a third of a step's products."""
_ROOM = 0.95
"""The share of the free memory that a run may take."""
_SAMPLE = 0.002
"""Seconds between two looks at the process's memory."""
_NOISE = 64 << 20
"""Growth in bytes below which a single row says nothing of a full batch: libraries that load, pages that stay."""

Probe = Callable[[Sequence[int]], None]
"""Computes the gradients of one step with these trees, and forgets them."""


class Load(NamedTuple):
    """What there is to compute."""

    steps: Sequence[Sequence[int]]
    """The trees of each step, by index."""
    tokens: Sequence[int]
    """Tokens of each tree."""
    limit: int
    """Tokens of the longest batch that a step is cut into, save for longer rows."""
    dev_tokens: int
    """Tokens of all dev losses together."""

    def fullest(self, step: Sequence[int]) -> int:
        """About the tokens of a step's fullest batch."""
        return max(max(self.tokens[i] for i in step), min(self.limit, sum(self.tokens[i] for i in step)))


class Estimate(NamedTuple):
    """What a run is about to take."""

    seconds: float
    peak: int
    """Bytes at the most: of this process, or of the accelerator."""
    available: int
    """Bytes that it may have."""


def look_ahead(load: Load, probe: Probe, device: torch.device, checkpointing: bool) -> Estimate:
    """The estimate, after three steps. Raises GateError for a run that would not fit, with what would."""
    heavy = max(range(len(load.steps)), key=lambda number: load.fullest(load.steps[number]))
    most = load.fullest(load.steps[heavy])
    row = load.tokens.index(median_low(load.tokens))
    before = _used(device)
    available = before + _free(device)
    try:
        with _peak(device) as first:
            probe([row])
        grown = max(0, first[0] - before)
        expected = before + round(grown * most / max(1, load.tokens[row]))
        if grown > _NOISE:
            _refuse(expected, before, available, most, checkpointing)
        with _peak(device) as second:
            probe(load.steps[heavy])
        _refuse(second[0], before, available, most, checkpointing)
        middle = sorted(range(len(load.steps)), key=lambda number: _size(load, number))[len(load.steps) // 2]
        seconds = _timed(probe, load.steps[heavy]) + _timed(probe, load.steps[middle])
    except torch.OutOfMemoryError as error:
        raise _too_large(available + 1, before, available, most, checkpointing) from error
    rate = seconds / (_size(load, heavy) + _size(load, middle))
    work = sum(_size(load, number) for number in range(len(load.steps))) + _FORWARD * load.dev_tokens
    return Estimate(rate * work, second[0], available)


def _size(load: Load, step: int) -> int:
    return sum(load.tokens[index] for index in load.steps[step])


def _timed(probe: Probe, trees: Sequence[int]) -> float:
    begin = time.perf_counter()
    probe(trees)
    return time.perf_counter() - begin


def _refuse(peak: int, before: int, available: int, tokens: int, checkpointing: bool) -> None:
    if peak > before + _ROOM * (available - before):
        raise _too_large(peak, before, available, tokens, checkpointing)


def _too_large(peak: int, before: int, available: int, tokens: int, checkpointing: bool) -> GateError:
    fitting = int(tokens * _ROOM * (available - before) / max(1, peak - before))
    ways = [] if checkpointing else ["Set train.gradient_checkpointing to true"]
    ways.append(f"set train.max_length to about {fitting} (train.over_long says what becomes of longer rows)")
    message = (
        f"Training would take about {_gigabytes(peak)} of memory, and {_gigabytes(available)} are there."
    )
    fix = ", or ".join(ways)
    return GateError(
        [Problem(message, where=f"a batch of {tokens} tokens", fix=f"{fix[0].upper()}{fix[1:]}.")]
    )


def _gigabytes(count: int) -> str:
    return f"{count / 1e9:.2f} GB"


def _used(device: torch.device) -> int:
    if device.type == "cuda":
        return int(torch.cuda.memory_allocated(device))
    return int(psutil.Process().memory_info().rss)


def _free(device: torch.device) -> int:
    if device.type == "cuda":
        reserved = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
        return int(torch.cuda.mem_get_info(device)[0]) + int(reserved)
    return free_memory()


@contextmanager
def _peak(device: torch.device) -> Iterator[list[int]]:
    """The largest memory in use while it lasts, in bytes, as the list's only item."""
    found = [_used(device)]
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        yield found
        found[0] = int(torch.cuda.max_memory_allocated(device))
        return
    done = threading.Event()

    def watch() -> None:
        while not done.wait(_SAMPLE):
            found[0] = max(found[0], _used(device))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        done.set()
        thread.join()
        found[0] = max(found[0], _used(device))
