"""What is odd about labels: one for nearly all rows, and one label spelt in several ways."""

import json
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence

from tunewright.data.audit.recipes import quoted
from tunewright.data.audit.seen import Hits, Oddity, Scope, Shown
from tunewright.data.excerpt import excerpt, is_personal, label_excerpt
from tunewright.data.labels import ABSENT, LabelRow, LabelTable

MOSTLY = 0.8
"""The share of one label from which on always answering it looks like skill. Our own choice: it would be
right four times in five."""
_RATIO = 50
"""How many times more rows the largest label has than the smallest before it is told. Our own choice: it is information, and
told where thinning out alone would throw most rows away."""
_THINNED = "{op: balance, ratio: 3}"
"""What brings the largest of two labels below MOSTLY."""
_LONG = 6
"""Letters from which on a label with one letter more, less or other may be a slip. Our own choice, because of shorter
words many are one letter apart."""
_SLIP = 0.1
"""A slip is rare: at most this share of the rows of what was meant. Our own choice, because what
more rows have is meant."""


def label_oddities(tables: Sequence[LabelTable], parts: Sequence[Scope]) -> Iterator[Oddity]:
    """What is odd about the tables of an audit. What is uneven is told of the first part, which is trained."""
    for table in tables:
        of = f" of {excerpt(table.field)}" if table.field else ""
        rows = [row for row in table.rows if row.value != ABSENT]
        if twins := list(_twins(rows)):
            yield _told_twins(twins, of, table.field)
        if table.field is None and parts:
            yield from _uneven(rows, parts[0])


def _told_twins(twins: Sequence[tuple[LabelRow, LabelRow]], of: str, field: str | None) -> Oddity:
    named = "; ".join(f"{_said(meant)} and {_said(other)}" for meant, other in twins[:3])
    more = f" and {len(twins) - 3} more" if len(twins) > 3 else ""
    hits = Hits()
    hits.count = len(twins)
    hits.shown = [
        Shown(id=other.example, place="", excerpt=label_excerpt(other.value)) for _, other in twins[:3]
    ]
    pairs = [
        (meant.value, other.value)
        for meant, other in twins
        if not (is_personal(meant.value) or is_personal(other.value))
    ]
    spelt = ", ".join(f"{quoted(other)}: {quoted(meant)}" for meant, other in pairs[:20])
    template = json.dumps("{{ {" + spelt + "}.get(expected | trim, expected) }}", ensure_ascii=False)
    recipe = f"{{op: map, set: {{expected: {template}}}}}"
    values = f"1 value{of} looks" if len(twins) == 1 else f"{len(twins):,} values{of} look"
    return Oddity(
        "label_twin",
        hits,
        f"{values} like another way to spell a more frequent one: {named}{more}.",
        recipe=recipe if pairs and field is None else None,
    )


def _said(row: LabelRow) -> str:
    return repr(label_excerpt(row.value, most=60))


def _twins(rows: Sequence[LabelRow]) -> Iterator[tuple[LabelRow, LabelRow]]:
    """(what was meant, what is written otherwise): the rows come the most frequent first."""
    met: dict[str, LabelRow] = {}
    by_length: dict[int, list[tuple[str, LabelRow]]] = defaultdict(list)
    for row in rows:
        key = _key(row.value)
        if not key:
            continue
        if key in met:
            yield met[key], row
            continue
        met[key] = row
        if len(key) >= _LONG and not any(sign.isdigit() for sign in key):
            near = (
                other
                for length in (len(key) - 1, len(key), len(key) + 1)
                for spelt, other in by_length[length]
                if _size(row) <= _SLIP * _size(other) and _one_off(key, spelt)
            )
            if (meant := next(near, None)) is not None:
                yield meant, row
                continue
            by_length[len(key)].append((key, row))


def _key(value: str) -> str:
    """The label without letter case, accents, signs and the s of a plural; a number keeps its signs."""
    if not any(sign.isalpha() for sign in value):
        return value
    plain = unicodedata.normalize("NFKD", value).casefold()
    letters = "".join(sign for sign in plain if sign.isalnum())
    return (
        letters[:-1] if len(letters) > 4 and letters.endswith("s") and not letters.endswith("ss") else letters
    )


def _one_off(one: str, other: str) -> bool:
    """Whether one letter is other, missing or added, or two neighbours are swapped."""
    if one == other:
        return True
    start = next(
        (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    if len(one) == len(other):
        swapped = one[start : start + 2] == other[start : start + 2][::-1]
        return one[start + 1 :] == other[start + 1 :] or (swapped and one[start + 2 :] == other[start + 2 :])
    longer, shorter = (one, other) if len(one) > len(other) else (other, one)
    return longer[start + 1 :] == shorter[start:]


def _size(row: LabelRow) -> int:
    return sum(row.counts.values())


def _uneven(rows: Sequence[LabelRow], scope: Scope) -> Iterator[Oddity]:
    """One label that most rows have, or labels of very different numbers of rows."""
    counts = {row.value: row.counts.get(scope.part, 0) for row in rows}
    held = [row for row in rows if counts[row.value]]
    if len(held) < 2 or scope.rows < 20:
        return
    largest = max(held, key=lambda row: counts[row.value])
    smallest = min(held, key=lambda row: counts[row.value])
    most, least = counts[largest.value], counts[smallest.value]
    hits = Hits()
    hits.count = most
    hits.shown = [Shown(id=largest.example, place="", excerpt=label_excerpt(largest.value))]
    if most >= MOSTLY * scope.rows:
        message = f"{scope.share(most)} have the label {_said(largest)}: always answering it would be right as often."
        yield Oddity("imbalance", hits, message, recipe=_THINNED)
    elif most >= _RATIO * least and least >= 1:
        message = (
            f"labels of {scope.named} stand in {least:,} ({_said(smallest)}) to {most:,} ({_said(largest)})."
        )
        yield Oddity("imbalance", hits, message, "info")
