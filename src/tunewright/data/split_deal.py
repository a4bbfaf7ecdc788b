"""Groups of rows, and how they are dealt out to the parts: by shares, within strata, or by time.

**Strata.** A group counts to the stratum that most of its rows are in, and each stratum is dealt out by itself. What one
gives too much or too little of a part, the next ones make up for, so that the shares hold in all too, and strata of a row
or two need not fill three parts.

**Time.** A group goes by its newest row, and groups that end at the same moment stay together: no row of train is newer
than the newest of any group of dev, nor one of dev than those of test.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tunewright.core.errors import DataError
from tunewright.core.hashing import canonical_json
from tunewright.data.inputs import Digests, hashed, hex_of
from tunewright.data.parts import PARTS
from tunewright.data.spec import SplitSpec
from tunewright.data.split_rows import Facts

_TRAIN, _DEV, _TEST = range(3)
_FEWEST_IN_STRATA = 2
"""Rows that a stratum has on average, at least: with fewer it is no stratum."""
Places = npt.NDArray[np.int64]


class Groups(NamedTuple):
    """Which rows stay together."""

    of: Places
    """Each row's group. (rows,)"""
    sizes: Places
    """(groups,)"""
    rank: Places
    """Each group's place in the order in which they are dealt out. (groups,)"""
    near: int | None = None
    """Groups that nearness joined to others; none where it was not looked for."""


class Dealt(NamedTuple):
    """Each group's part, by its place in PARTS, and what is to be known of it."""

    part: npt.NDArray[np.int8]
    notes: tuple[str, ...] = ()


def groups_of(facts: Facts, spec: SplitSpec, near: Places | None = None) -> Groups:
    """The groups of the rows. `near` names for each row one that it is nearly like, itself for none.

    A group goes by its smallest key, which the order of the rows does not change.
    """
    keys, asked = np.unique(facts.asked, return_inverse=True)
    of, count = asked, len(keys)
    if spec.group_by and len(facts.groups):
        values, value = np.unique(facts.groups, return_inverse=True)
        named = facts.groups != b""
        of = _joined(asked[named], len(keys) + value[named], len(keys) + len(values))[asked]
    joined = None
    if near is not None:
        before = of
        of = _joined(before, before[near], max(count, int(before.max(initial=0)) + 1))[before]
        joined = len(np.unique(before)) - len(np.unique(of))
    roots, of = np.unique(of, return_inverse=True)
    sizes = np.bincount(of, minlength=len(roots))
    return Groups(of, sizes, _ranks(keys[roots], spec.seed), joined)


def _joined(ones: Places, others: Places, count: int) -> Places:
    """The smallest member of each one's set, when these pairs are joined. (count,)"""
    parent = list(range(count))
    for one, other in zip(ones.tolist(), others.tolist(), strict=True):
        first, second = _root(parent, one), _root(parent, other)
        parent[max(first, second)] = min(first, second)
    return np.array([_root(parent, at) for at in range(count)], np.int64)


def _root(parent: list[int], at: int) -> int:
    while parent[at] != at:
        parent[at] = parent[parent[at]]
        at = parent[at]
    return at


def _ranks(keys: Digests, seed: int) -> Places:
    begin = canonical_json(seed)
    order = np.argsort(hashed(f'[{begin},"{hex_of(key)}"]' for key in keys), kind="stable")
    ranks = np.empty(len(order), np.int64)
    ranks[order] = np.arange(len(order))
    return ranks


def by_shares(facts: Facts, groups: Groups, spec: SplitSpec) -> Dealt:
    """Groups dealt out in order."""
    order = np.argsort(groups.rank).tolist()
    part = np.full(len(order), _TRAIN, np.int8)
    notes: tuple[str, ...] = ()
    if spec.stratify_by:
        notes = _by_strata(part, order, facts, groups, spec)
    else:
        _in_order(part, order, groups, spec)
    return Dealt(part, (*_told_of_groups(groups), *notes))


def _in_order(part: npt.NDArray[np.int8], order: Sequence[int], groups: Groups, spec: SplitSpec) -> None:
    rows, sizes = int(groups.sizes.sum()), groups.sizes.tolist()
    left = {group: sizes[group] for group in order}
    _deal(part, left, _TEST, spec.test * rows, 2)
    _deal(part, left, _DEV, spec.dev * rows, 1)


def _deal(part: npt.NDArray[np.int8], left: dict[int, int], name: int, target: float, reserve: int) -> None:
    """Move groups out of `left` into a part, in order, as near to `target` rows as they allow: at least one, and `reserve`
    stay."""
    for group in _taken(left, target, reserve) or [min(left, key=left.__getitem__)]:
        left.pop(group)
        part[group] = name


def _taken(left: dict[int, int], target: float, reserve: int) -> list[int]:
    taken, rows = list[int](), 0
    for group, size in left.items():
        if len(left) - len(taken) <= reserve:
            break
        if abs(rows + size - target) < abs(rows - target):
            taken.append(group)
            rows += size
    return taken


def _by_strata(
    part: npt.NDArray[np.int8],
    order: Sequence[int],
    facts: Facts,
    groups: Groups,
    spec: SplitSpec,
) -> tuple[str, ...]:
    """Deal out each stratum by itself, the largest first; what one leaves over the next makes up for."""
    stratum = _strata(facts, groups, spec)
    sizes = groups.sizes.tolist()
    members: dict[int, list[int]] = {}
    for group in order:
        members.setdefault(stratum[group], []).append(group)
    field = "the answer" if spec.stratify_by == "label" else f"{spec.stratify_by!r}"
    if len(members) == 1:
        _in_order(part, order, groups, spec)
        return (f"all rows are in one stratum by {field}",)
    over = {_TEST: 0.0, _DEV: 0.0}
    for name in sorted(members, key=lambda name: (-sum(sizes[group] for group in members[name]), name)):
        left = {group: sizes[group] for group in members[name]}
        rows = sum(left.values())
        for place, share in ((_TEST, spec.test), (_DEV, spec.dev)):
            target = share * rows + over[place]
            taken = _taken(left, target, 1)
            over[place] = target - sum(left.pop(group) for group in taken)
            part[taken] = place
    left = {group: sizes[group] for group in order if part[group] == _TRAIN}
    for place in (_TEST, _DEV):
        if not (part == place).any():
            _deal(part, left, place, 0, 1)
    told = f"the shares hold within each of {len(members):,} strata by {field}"
    alone = sum(len(of) == 1 for of in members.values())
    return (f"{told}; but {alone:,} of them are one group of rows each, and in one part" if alone else told,)


def _strata(facts: Facts, groups: Groups, spec: SplitSpec) -> list[int]:
    """Each group's stratum: that of most of its rows, of equals the first by name."""
    rows, kinds = len(facts.ids), len(facts.stratum_names)
    if kinds * _FEWEST_IN_STRATA > rows:
        raise DataError(
            f"{spec.stratify_by!r} has {kinds:,} values in {rows:,} rows; strata are for values that many rows share.",
            where="split.stratify_by",
            fix="Name a field of few values: a label, a language, a source.",
        )
    pairs, counts = np.unique(groups.of * kinds + facts.strata, return_counts=True)
    group, stratum = pairs // kinds, pairs % kinds
    best = np.lexsort((stratum, -counts, group))
    firsts = np.flatnonzero(np.diff(group[best], prepend=-1))
    found: list[int] = stratum[best][firsts].tolist()
    return found


def by_time(facts: Facts, groups: Groups, spec: SplitSpec) -> Dealt:
    """The oldest groups to train, the newest to test. Raises DataError where there are fewer than three moments."""
    newest = np.full(len(groups.sizes), -np.inf)
    np.maximum.at(newest, groups.of, facts.times)
    moments, moment = np.unique(newest, return_inverse=True)
    if len(moments) < len(PARTS):
        raise DataError(
            f"the field {spec.by_time!r} tells {len(moments)} moments at which groups of rows end; three parts need three.",
            where="split.by_time",
            fix="Name a field with finer times, or leave split.by_time out.",
        )
    ends = np.cumsum(np.bincount(moment, weights=groups.sizes))
    rows = len(facts.ids)
    first = _nearest(ends, spec.train * rows, 0, len(moments) - 2)
    second = _nearest(ends, (spec.train + spec.dev) * rows, first + 1, len(moments) - 1)
    part = np.where(moment <= first, _TRAIN, np.where(moment <= second, _DEV, _TEST)).astype(np.int8)
    told = f"by {spec.by_time!r}: train to {_day(moments[first])}, dev to {_day(moments[second])}, test after that"
    return Dealt(part, (*_told_of_groups(groups), told))


def _nearest(ends: npt.NDArray[np.number], target: float, begin: int, end: int) -> int:
    """The place in [begin, end) whose sum is nearest to the target."""
    return begin + int(np.argmin(np.abs(ends[begin:end] - target)))


def _day(moment: float) -> str:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=float(moment))).strftime("%Y-%m-%d %H:%M")


def _told_of_groups(groups: Groups) -> tuple[str, ...]:
    largest, rows = int(groups.sizes.max()), int(groups.sizes.sum())
    told = []
    if groups.near is not None:
        many = f"{groups.near:,} groups of rows were joined to others that are nearly alike"
        told.append(many if groups.near else "no groups of rows are nearly alike")
    if largest > rows / 2:
        told.append(f"{largest:,} of {rows:,} rows are one group, which stays whole")
    return tuple(told)
