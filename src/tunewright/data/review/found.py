"""The rows that a finding of the audit is about, each with the finding in words: what a reviewer wants to look at.

    why = find(rows, "contradiction")
    why(17, rows[17])       # "its prompt has 2 different answers"; None where nothing is odd

What operations drop is found by asking them, what only the audit knows by asking its checks.
"""

from collections.abc import Callable, Iterator, Sequence

from tunewright.core.errors import UserError
from tunewright.core.example import Example
from tunewright.data.audit.kinds import KINDS
from tunewright.data.audit.seen import every_row
from tunewright.data.names import did_you_mean
from tunewright.data.ops import DropContradictions, DropDuplicates, DropNearDuplicates, RecipeOp
from tunewright.data.ops.op import Rows
from tunewright.data.recipe_rows import reasons

ANY = "any"
PERSONAL = ("secret", "personal_data")
_MENDS: dict[str, RecipeOp] = {
    "contradiction": DropContradictions(),
    "duplicate": DropDuplicates(),
    "near_duplicate": DropNearDuplicates(),
}
_DROPPED = tuple(_MENDS)
_NOT_ROWS = (
    *("leak", "duplicate_across", "near_leak", "refused_row", "over_length", "few_rows", "few_test_rows"),
    *("unseen_label", "rare_label", "imbalance", "trivial_answer", "reviewed", "written"),
    *("replaced", "dropped", "set_aside"),
)
"""Kinds that are about parts, numbers of rows, labels or the base."""


def kinds() -> tuple[str, ...]:
    """The kinds of findings that are about single rows of a set that is not split."""
    return (*_DROPPED, *PERSONAL, *(kind for kind in KINDS if kind not in (*_DROPPED, *PERSONAL, *_NOT_ROWS)))


def find(rows: Rows, kind: str) -> Callable[[int, Example], str | None]:
    """What is odd about a row of a number, of one kind or of `any`; None where nothing is.

    Raises UserError for a kind that there is not.
    """
    known = kinds()
    if kind not in (ANY, *known):
        fix = did_you_mean(kind, known) or f"The kinds are {', '.join(known)}; `any` takes all."
        raise UserError(f"there is no finding {kind!r} about single rows", where="--finding", fix=fix)
    wanted = known if kind == ANY else (kind,)
    told: dict[int | str, list[str]] = {}
    for key, words in _all(rows, wanted):
        told.setdefault(key, []).append(words)

    def why(number: int, row: Example) -> str | None:
        return "; ".join([*told.get(number, ()), *told.get(row.id, ())]) or None

    return why


def _all(rows: Rows, wanted: Sequence[str]) -> Iterator[tuple[int | str, str]]:
    """(the row's number, or its id, what is odd about it)."""
    for kind in _DROPPED:
        if kind in wanted:
            yield from _dropped(rows, kind)
    if asked := [kind for kind in PERSONAL if kind in wanted]:
        yield from _personal(rows, asked)
    if rest := [kind for kind in wanted if kind not in (*_DROPPED, *PERSONAL)]:
        yield from _read(rows, rest)


def _dropped(rows: Rows, kind: str) -> Iterator[tuple[int, str]]:
    """What the operation that mends it would drop, and why."""
    for number, reason in enumerate(reasons(_MENDS[kind], rows)):
        if reason is not None:
            yield number, reason


def _personal(rows: Sequence[Example], asked: Sequence[str]) -> Iterator[tuple[int, str]]:
    from tunewright.data.audit.personal import Personal
    from tunewright.data.redact.span import Kind

    personal = Personal(secrets_alone="personal_data" not in asked)
    for number, row in enumerate(rows):
        held = personal.of(row).kinds
        told = [one.value for one in Kind if held[one] and PERSONAL[one is not Kind.SECRET] in asked]
        if told:
            yield number, f"holds {', '.join(told)}"


def _read(rows: Sequence[Example], asked: Sequence[str]) -> Iterator[tuple[str, str]]:
    from tunewright.data.audit.content import Reading

    with every_row():
        oddities = list(Reading("the rows", rows, frozenset(asked)).oddities())
    for oddity in oddities:
        title = KINDS[oddity.kind].title
        for name in dict.fromkeys(oddity.hits.ids or [one.id for one in oddity.hits.shown]):
            yield name, f"{title[:1].lower()}{title[1:]}"
