"""The guard against model collapse: how many written rows there may be, how deep, and where they may stand.

Models that are trained on models' rows lose the rare and end with little to say (Shumailov et al. 2024, "AI models
collapse when trained on recursively generated data", Nature 631). Where people's rows stay beside, they do not
(Gerstgrasser et al. 2024, arXiv:2404.01413): so the share of written rows is capped, none of them judges, and none is
written from written ones unless the project file says so.

    recursion(nodes, source_depths(sources), most=1)   operations that would write from written rows, before any is asked
    is_written(row)                                    the one measure of what is written (`beside.py` parts rows by it)
    too_deep(rows, most), too_many(40, 60, share)      what is wrong with written rows in a part
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from tunewright.core.errors import DataError, Problem
from tunewright.core.example import Example
from tunewright.data.ops.op import OpSpec
from tunewright.data.spec import SourceSpec
from tunewright.data.synthetic.made import RULES


class Node(Protocol):
    """An operation in its place in a recipe's graph."""

    @property
    def id(self) -> str:
        """Its name."""
        ...

    @property
    def spec(self) -> OpSpec:
        """Its settings."""
        ...

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of what it takes."""
        ...


def is_written(row: Example) -> bool:
    """Whether a model, or rules, wrote a part of it."""
    return row.origin is not None and row.origin.depth > 0


def author(row: Example) -> str:
    """Who wrote a written row."""
    return (row.origin.teacher if row.origin is not None else "") or RULES


def source_depths(sources: Mapping[str, SourceSpec]) -> dict[str, int]:
    """The depth of each source's rows, as its settings say it: what rows of our own form say themselves is known when they
    are read."""
    return {name: int(bool(spec.writer) or spec.tells_its_writers) for name, spec in sources.items()}


def depths(nodes: Sequence[Node], sources: Mapping[str, int]) -> dict[str, int]:
    """The depth of the deepest row that each source and operation can have."""
    found = dict(sources)
    for node in nodes:
        given = max((found.get(need, 0) for need in node.needs), default=0)
        written = getattr(node.spec, "written_depth", None)
        found[node.id] = given if written is None else max(given, written(given))
    return found


def recursion(nodes: Sequence[Node], sources: Mapping[str, int], most: int) -> Iterator[Problem]:
    """The operations whose rows would be deeper than `most`, each a problem with its place in the recipe."""
    found = depths(nodes, sources)
    for number, node in enumerate(nodes):
        given = max((found.get(need, 0) for need in node.needs), default=0)
        if given <= most < found[node.id]:
            fix = "Let it take rows that people wrote (needs, seeds), or raise data.max_depth."
            deep = f"depth {found[node.id]}, and data.max_depth is {most}"
            message = f"{node.id} writes from rows that a model wrote ({deep})."
            yield Problem(message, f"recipe.{number}", fix=fix)


def too_deep(rows: Iterable[Example], most: int) -> str | None:
    """What is wrong where rows are deeper than `most`, in a sentence; None where none is."""
    for row in rows:
        if row.origin is not None and row.origin.depth > most:
            deep = f"at depth {row.origin.depth}, and data.max_depth is {most}"
            return f"{row.place} was written by {row.origin.teacher} {deep}."
    return None


def too_many(written: int, rows: int, share: float) -> DataError | None:
    """The error where more than this share of the rows to train on is written; None where it is not."""
    if written <= share * rows:
        return None
    own = rows - written
    most = int(own * share / (1 - share)) if share < 1 else written
    return DataError(
        f"{written:,} of {rows:,} rows to train on ({written / rows:.0%}) were written by models or"
        f" rules, more than data.synthetic_share ({share:.0%}).",
        where="data.synthetic_share",
        fix=f"Write {most:,} at most, add rows of people's, or raise data.synthetic_share.",
    )
