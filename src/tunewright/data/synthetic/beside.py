"""Splitting rows of which some were written: people's own are shared out, the written ones are trained on beside them.

    found = share_beside(examples, file.split, file.data)
    found.parts.train, found.left_out

A row that was written from a row of test, or asks the same as one (nearly the same, where the split keeps these together),
gives it away: it is left out. So is one that is
tied to a row of dev; with `synthetic_dev` it stands there beside it.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from tunewright.core.errors import DataError
from tunewright.core.example import Example
from tunewright.core.hashing import canonical_json, hash_value
from tunewright.data.examples import Examples
from tunewright.data.inputs import input_keys
from tunewright.data.spec import DataSpec, SplitSpec
from tunewright.data.split import Split, share
from tunewright.data.split_near import near_rows
from tunewright.data.synthetic.collapse import authors, check, is_written
from tunewright.data.synthetic.made import FROM

Ties = frozenset[str]
"""What a row is tied to others by: what it asks, the rows that are nearly like it, its group, where it comes from."""


class Beside(NamedTuple):
    """The three parts, and what stands in none of them."""

    parts: Split
    notes: tuple[str, ...]
    """What is to be known of how rows were shared out."""
    left_out: list[Example]
    """Written rows that would give rows of dev or test away."""


def share_beside(examples: Sequence[Example], spec: SplitSpec, data: DataSpec, *, workers: int = 1) -> Beside:
    """Share out people's rows; put the written ones into train, as far as they give nothing away.

    Where none is written, rows of a file stay there; else they are all read. Raises DataError as `share` and `check`
    do, and where people wrote too few rows to judge by.
    """
    if not any_written(examples):
        return Beside(*share(examples, spec, workers=workers), [])
    rows = list(examples)
    written, own = [row for row in rows if is_written(row)], [row for row in rows if not is_written(row)]
    if written and len(own) < 3:
        raise DataError(
            f"{len(written):,} of {len(rows):,} rows were written by models or rules, and dev and test are of people's"
            " rows.",
            where="split",
            fix="Add rows of people's: 30 is the least that gives three parts of any use.",
        )
    parts, notes = share(own, spec, workers=workers)
    ties = dict(zip(map(id, rows), _ties(rows, spec), strict=True))
    found = _placed(written, ties, parts, data.synthetic_dev)
    whole = Split(
        _ordered([*parts.train, *found.train], spec.seed),
        _ordered([*parts.dev, *found.dev], spec.seed) if found.dev else parts.dev,
        parts.test,
    )
    check(whole._asdict(), data)
    return Beside(whole, (*notes, *_told(whole.train, found.left_out)), found.left_out)


def _told(train: Sequence[Example], left_out: Sequence[Example]) -> Iterator[str]:
    """What is to be known of the written rows."""
    who = authors(train)
    if who:
        by = ", ".join(f"{name} {count:,}" for name, count in who.most_common())
        share = who.total() / len(train)
        yield f"{who.total():,} of {len(train):,} rows to train on ({share:.0%}) were written by models or rules ({by})"
    if left_out:
        first = ", ".join(row.place for row in left_out[:3])
        yield (
            f"{len(left_out):,} written rows stand in no part, since they are tied to rows of dev or test"
            f" (the first: {first})"
        )


def any_written(examples: Sequence[Example]) -> bool:
    """Whether one of the rows may be a written one; rows of a file are not read for it."""
    if isinstance(examples, Examples):
        return any(b'"depth":' in lines for lines in examples.chunks())
    return any(map(is_written, examples))


class _Placed(NamedTuple):
    train: list[Example]
    dev: list[Example]
    left_out: list[Example]


def _placed(rows: Sequence[Example], ties: dict[int, Ties], parts: Split, in_dev: bool) -> _Placed:
    """Where each written row goes. One that is tied to dev and to train goes nowhere: it would stand astride."""
    train, dev, test = (_all(part, ties) for part in parts)
    found = _Placed([], [], [])
    for row in rows:
        own = ties[id(row)]
        if own & test or (own & dev and (own & train or not in_dev)):
            found.left_out.append(row)
        else:
            (found.dev if own & dev else found.train).append(row)
    taken = _all(found.dev, ties)
    astride = [row for row in found.train if ties[id(row)] & taken]
    return found._replace(
        train=[row for row in found.train if not ties[id(row)] & taken], left_out=[*found.left_out, *astride]
    )


def _all(rows: Iterable[Example], ties: dict[int, Ties]) -> Ties:
    return frozenset[str]().union(*(ties[id(row)] for row in rows))


def _ties(examples: list[Example], spec: SplitSpec) -> list[Ties]:
    near = near_rows(examples).tolist() if spec.near else range(len(examples))
    found = []
    for row, key, first in zip(examples, input_keys(examples), near, strict=True):
        value = row.fields.get(spec.group_by) if spec.group_by else None
        group = {f"field {canonical_json(value)}"} if value not in (None, "") else set[str]()
        found.append(frozenset({f"asks {key}", f"near {first}"} | group | places_of(row)))
    return found


def places_of(row: Example) -> Ties:
    """Where a row comes from: its own place, and those of the rows that it was shown while it was written."""
    if row.origin is None:
        return frozenset()
    shown = row.fields.get(FROM) if is_written(row) else None
    shown = shown if isinstance(shown, list) else []
    return frozenset({f"place {row.place}"} | {f"place {place}" for place in shown if isinstance(place, str)})


def _ordered(rows: Sequence[Example], seed: int) -> list[Example]:
    """In the order of a hash, as `split` orders a part, so that the first N are a fair sample."""
    seen = Counter[str]()
    keyed = []
    for row in sorted(rows, key=lambda row: row.place):
        seen[row.id] += 1
        keyed.append((hash_value([seed, row.id, seen[row.id]]), row))
    return [row for _, row in sorted(keyed, key=lambda pair: pair[0])]
