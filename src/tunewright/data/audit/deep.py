"""The slower part of an audit: personal data and secrets, near duplicates, too few rows."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from tunewright.core.example import Example
from tunewright.data.audit.kinds import costs
from tunewright.data.audit.seen import Scope
from tunewright.data.examples import Texts

if TYPE_CHECKING:
    from tunewright.data.audit.audit import Severity

FEWEST = 50
"""Rows to train on below which a fine-tune seldom beats a good prompt."""
_NEAR = 0.7
"""The share of word pairs that two rows have in common, as drop_near_duplicates has it."""

_NUMBER = re.compile(r"\b\w*\d[\w.,:/-]*")
"""A word with a digit in it: a number, a date, an order's or a part's number."""


class Deep(NamedTuple):
    """One oddity of a part."""

    kind: Literal["secret", "personal_data", "near_duplicate", "few_rows"]
    part: str
    odd: int
    """Rows that are so."""
    examples: tuple[str, ...]
    """Ids of all of them."""
    message: str
    severity: "Severity | None" = None
    """Where it is another than the kind's own."""


def deep(
    part: str, rows: Sequence[Example], *, trained: bool, kinds: frozenset[str] | None = None
) -> Iterator[Deep]:
    """What is odd about a part's rows; too few is said of those that are `trained` alone. Of `kinds` alone, no others are
    looked for."""
    asked = costs(kinds)
    if "personal" in asked:
        yield from _personal(part, rows, secrets_alone=kinds is not None and "personal_data" not in kinds)
    if "near" in asked:
        yield from _near(part, rows)
    if trained and 0 < len(rows) < FEWEST:
        message = f"{part} has {len(rows)} rows: below {FEWEST}, a fine-tune seldom beats a good prompt with examples."
        yield Deep("few_rows", part, len(rows), tuple(row.id for row in rows), message)


def _personal(part: str, rows: Sequence[Example], *, secrets_alone: bool) -> Iterator[Deep]:
    from tunewright.data.audit.personal import Personal
    from tunewright.data.redact.span import Kind

    personal, told = Personal(secrets_alone=secrets_alone), Counter[Kind]()
    ids: dict[str, list[str]] = {"secret": [], "personal": [], "named": []}
    for row in rows:
        held = personal.of(row)
        told += held.kinds
        if held.kinds[Kind.SECRET]:
            ids["secret"].append(row.id)
        if held.kinds.total() > held.kinds[Kind.SECRET]:
            ids["personal"].append(row.id)
        elif held.names:
            ids["named"].append(row.id)
    del told[Kind.SECRET]
    counted = ", ".join(f"{what.value} {number:,}" for what, number in told.most_common())
    of = f"of {len(rows):,} {Scope(part, len(rows)).named}"
    words = {
        "secret": "hold keys, tokens or passwords",
        "personal": f"hold personal data: {counted}",
        "named": "hold no personal data but people's first names",
    }
    for name, found in ids.items():
        if found:
            message = f"{len(found):,} {of} {words[name]}."
            kind: Literal["secret", "personal_data"] = "secret" if name == "secret" else "personal_data"
            severity: Severity | None = "info" if name == "named" else None
            yield Deep(kind, part, len(found), tuple(found), message, severity)


def _near(part: str, rows: Sequence[Example]) -> Iterator[Deep]:
    from tunewright.data.near import near_heads

    heads = near_heads(Texts(rows, _said), threshold=_NEAR).tolist() if len(rows) else []
    alike = {place for at, head in enumerate(heads) if head != at for place in (at, head)}
    ids, forms = list[str](), dict[int, tuple[int, int]]()
    for at, row in enumerate(rows):
        ids.append(row.id)
        if at in alike:
            said = _said(row)
            forms[at] = hash(tuple(_NUMBER.sub("0", text) for text in said)), hash(said)
    near = [(at, head) for at, head in enumerate(heads) if head != at and ids[at] != ids[head]]
    numbers, other = list[tuple[int, int]](), list[tuple[int, int]]()
    for at, head in near:
        (form, text), (first, said_first) = forms[at], forms[head]
        (numbers if form == first and text != said_first else other).append((at, head))
    of = f"of {len(rows):,} {Scope(part, len(rows)).named}"
    alone = (
        "say what an earlier row says with other numbers (orders, dates, amounts): a template filled in. Keep them where the"
        " numbers are what is to be learnt: of each template one row would be left"
    )
    told: tuple[tuple[list[tuple[int, int]], str, Severity | None], ...] = (
        (other, "say nearly what an earlier row says", None),
        (numbers, alone, "info"),
    )
    for pairs, words, severity in told:
        if pairs:
            named = tuple(ids[place] for pair in pairs for place in pair)
            yield Deep("near_duplicate", part, len(pairs), named, f"{len(pairs):,} {of} {words}.", severity)


def _said(row: Example) -> tuple[str, str]:
    return row.input_text, row.expected
