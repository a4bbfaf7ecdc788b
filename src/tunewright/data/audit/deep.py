"""The slower part of an audit: personal data and secrets, near duplicates, too few rows."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from tunewright.core.example import Example
from tunewright.data.audit.seen import Scope
from tunewright.data.examples import Texts

FEWEST = 50
"""Rows to train on below which a fine-tune seldom beats a good prompt."""
_NEAR = 0.7
"""See data/near.py."""


class Deep(NamedTuple):
    """One oddity of a part."""

    kind: Literal["secret", "personal_data", "near_duplicate", "few_rows"]
    part: str
    odd: int
    """Rows that are so."""
    examples: tuple[str, ...]
    """Ids of all of them."""
    message: str


def deep(part: str, rows: Sequence[Example], *, trained: bool) -> Iterator[Deep]:
    """What is odd about a part's rows; too few is said of those that are `trained` alone."""
    yield from _personal(part, rows)
    yield from _near(part, rows)
    if trained and 0 < len(rows) < FEWEST:
        message = f"{part} has {len(rows)} rows: below {FEWEST}, a fine-tune seldom beats a good prompt with examples."
        yield Deep("few_rows", part, len(rows), tuple(row.id for row in rows), message)


def _personal(part: str, rows: Sequence[Example]) -> Iterator[Deep]:
    from tunewright.data.ops._texts import texts_of
    from tunewright.data.redact.redactor import Redactor
    from tunewright.data.redact.span import Kind

    redactor, named = Redactor(sure=0.6), Scope(part, len(rows)).named
    counts = {"secret": Counter[str](), "personal_data": Counter[str]()}
    ids: dict[str, list[str]] = {"secret": [], "personal_data": []}
    for row in rows:
        found = Counter(span.kind for text in texts_of(row) for span in redactor.find(text))
        for kind, number in found.items():
            name = "secret" if kind is Kind.SECRET else "personal_data"
            counts[name][kind.value] += number
            if row.id not in ids[name][-1:]:
                ids[name].append(row.id)
    if ids["secret"]:
        message = f"{len(ids['secret']):,} of {len(rows):,} {named} hold keys, tokens or passwords."
        yield Deep("secret", part, len(ids["secret"]), tuple(ids["secret"]), message)
    if ids["personal_data"]:
        told = ", ".join(f"{what} {number:,}" for what, number in counts["personal_data"].most_common())
        message = f"{len(ids['personal_data']):,} of {len(rows):,} {named} hold personal data: {told}."
        yield Deep("personal_data", part, len(ids["personal_data"]), tuple(ids["personal_data"]), message)


def _near(part: str, rows: Sequence[Example]) -> Iterator[Deep]:
    from tunewright.data.near import near_heads

    heads = near_heads(Texts(rows, _said), threshold=_NEAR).tolist() if len(rows) else []
    ids = [row.id for row in rows]
    near = [(ids[at], ids[head]) for at, head in enumerate(heads) if head != at and ids[at] != ids[head]]
    if near:
        message = f"{len(near):,} of {len(rows):,} {Scope(part, len(rows)).named} say nearly what an earlier row says."
        yield Deep("near_duplicate", part, len(near), tuple(name for pair in near for name in pair), message)


def _said(row: Example) -> tuple[str, str]:
    return row.input_text, row.expected
