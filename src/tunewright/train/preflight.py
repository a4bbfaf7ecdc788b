"""Preflight: what a run will take, in seconds and bytes, from real steps before it; what would not fit is refused.

A middling row is computed first and its memory scaled to the fullest batch, so that a run that would not fit by far is
refused before it is tried. Then the step with the fullest batch and a middling one are run, gradients and all, and
forgotten, and so is what a run does besides: a look at dev, its answers, rows read under the base, the optimizer's own
step, a checkpoint. A short run is looked at briefly.
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
from tunewright.models.load import is_shortage
from tunewright.models.machine import free_memory
from tunewright.train.checkpoint import seconds_in_all
from tunewright.train.layout import FORWARD, Laying
from tunewright.train.pack import Size

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


class Share(NamedTuple):
    """What one step costs, in tokens, as its batches are laid out."""

    work: float
    """What takes time: all that goes through the model, with what fills rows up."""
    batch: int
    """What its fullest batch keeps for its backward pass."""
    tree: int
    """What its largest tree alone does."""
    row: int
    """Its longest row."""


class Load(NamedTuple):
    """What there is to compute (`load_of`)."""

    steps: Sequence[Sequence[int]]
    """The trees of each step, by index."""
    shares: Sequence[Share]
    """What each step costs."""
    middling: tuple[int, int]
    """A tree that is neither large nor small, by index, and what it keeps for its backward pass."""
    filled: bool = False
    """Whether rows are filled up."""
    forward_tokens: int = 0
    """Tokens that are read under the base before the first step, where the method asks for that."""
    later: int = 0
    """Bytes that the first steps do not show: the optimizer's, a checkpoint's copies."""
    gradients: int = 0
    """Bytes of the trained weights' gradients, which one row has as a full batch does."""
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

    def scored_left(self, step: int) -> int:
        """Looks among them whose answers are scored, where that is asked for: all but those for a strength."""
        return max(0, self.looks_left(step) - self.last_looks)


def load_of(
    steps: Sequence[Sequence[int]], sizes: Sequence[Size], laying: Laying, limit: int, **more: int
) -> Load:
    """What steps of trees of these sizes cost, in batches of at most `limit` tokens. `more` are the load's other fields."""
    tokens = [size.tokens for size in sizes]
    middling = tokens.index(median_low(tokens))
    held = laying.cost([sizes[middling]]).held
    shares = [_share([sizes[index] for index in step], laying, limit) for step in steps]
    return Load(steps, shares, (middling, held), laying.layout == "padded", **more)


def _share(sizes: Sequence[Size], laying: Laying, limit: int) -> Share:
    cut = laying.cut(sizes, range(len(sizes)), limit)
    costs = [laying.cost([sizes[index] for index in batch]) for batch in cut]
    return Share(
        work=sum(cost.work for cost in costs),
        batch=max(cost.held for cost in costs),
        tree=max(laying.cost([size]).held for size in sizes),
        row=max(max(size.rows) for size in sizes),
    )


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
    answer: Callable[[], float] | None = None
    """Answers dev rows as a look at dev does that is scored; the seconds that takes."""


class Estimate(NamedTuple):
    """What a run is about to take."""

    seconds: float
    peak: int
    """Bytes at the most: of this process, or of the accelerator."""
    available: int
    """Bytes that it may have."""
    answering: float = 0.0
    """Seconds that a look at dev takes to answer its rows; 0 where it answers none."""


class _Room(NamedTuple):
    """The memory there is for a run, and what its fullest batch holds."""

    before: int
    available: int
    share: Share
    """What the step with the fullest batch costs."""
    filled: bool
    """Whether that batch's rows are filled up."""
    checkpointing: bool
    packable: int
    """Bytes of the base's weights that qlora would pack."""


NOTHING = Besides()


def look_ahead(
    load: Load,
    probe: Probe,
    device: torch.device,
    checkpointing: bool,
    besides: Besides = NOTHING,
    brief: bool = False,
) -> Estimate:
    """The estimate, after some steps. Raises GateError for a run that would not fit, with what would.

    A `brief` look computes the step with the fullest batch once and no middling one: for a run whose own steps are few.
    """
    steps, shares = load.steps, load.shares
    fullest = max(range(len(steps)), key=lambda step: (shares[step].batch, shares[step].row))
    middle = sorted(range(len(steps)), key=lambda step: shares[step].work)[len(steps) // 2]
    row, held = load.middling
    room = _room(load, device, checkpointing)
    before = room.before
    with shortage_told(load, device, checkpointing):
        probe([row])  # what the first pass alone brings: libraries, caches, pages
        start = used_bytes(device)
        with peak_bytes(device) as first:
            probe([row])
        own = max(0, first[0] - start - load.gradients)
        grown = load.gradients + own * shares[fullest].batch / max(1, held)
        if grown > _SURE * (room.available - start):
            raise _too_large(round(start + grown), room)
        with peak_bytes(device) as second:
            seconds = _timed(partial(probe, steps[fullest]), device)
        peak = second[0] + load.later
        if peak > before + _ROOM * (room.available - before):
            raise _too_large(peak, room)
        work = shares[fullest].work
        if not brief:
            probe(steps[middle])  # its shapes are new to the machine too, and a run meets each once
            seconds = sum(_timed(partial(probe, steps[step]), device) for step in (fullest, middle))
            work += shares[middle].work
        whole = _whole(load, seconds / work, besides, device)
    answering = 0.0
    if besides.answer:
        with peak_bytes(device) as third:
            answering = besides.answer()
        peak = max(peak, third[0])
    return Estimate(whole + answering * load.scored_left(0), peak, room.available, answering)


@contextmanager
def shortage_told(load: Load, device: torch.device, checkpointing: bool) -> Iterator[None]:
    """Memory that runs out meanwhile raises GateError, with what would fit."""
    room = _room(load, device, checkpointing)
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        if not is_shortage(error):
            raise
        raise _too_large(None, room) from error


def _room(load: Load, device: torch.device, checkpointing: bool) -> _Room:
    before = used_bytes(device)
    fullest = max(load.shares, key=lambda share: (share.batch, share.row))
    return _Room(before, before + free_bytes(device), fullest, load.filled, checkpointing, load.packable)


def _whole(load: Load, rate: float, besides: Besides, device: torch.device) -> float:
    """Seconds of the whole run, whose gradients take `rate` a token."""
    found = rate * sum(share.work for share in load.shares)
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
    share = room.share
    if peak is None:
        message = (
            f"Training ran out of memory, of which {_gigabytes(room.available)} were there when it began."
        )
        fitting = share.batch // 2
    else:
        message = f"Training would take about {_gigabytes(peak)} of memory, and {_gigabytes(room.available)} are there."
        fitting = int(share.batch * _ROOM * (room.available - room.before) / max(1, peak - room.before))
    ways = [] if room.checkpointing else ["set train.gradient_checkpointing to true"]
    longest = share.row * fitting // share.tree  # a tree's rows are kept together, whatever a batch may have
    if fitting >= share.tree:
        ways.append(f"set train.batch_tokens to about {fitting}")
    elif longest >= _SHORTEST:
        ways.append(
            f"set train.max_length to about {longest} (train.over_long says what becomes of longer rows)"
        )
    else:
        ways.append("choose a smaller base")
    if room.packable and (longest < _SHORTEST or room.packable > _DOMINATES * room.available):
        ways.append("set train.adapter.kind to qlora, which packs the base in four bits")
    fix = ", or ".join(ways)
    filled = ", what fills its rows up among them" if room.filled else ""
    where = f"a batch of {share.batch} tokens{filled}, its longest row of {share.row}"
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
