"""What the rows of a part hold that is odd, found in one reading of them.

    read = Reading("train", rows, kinds=None)
    for oddity in read.oddities(): ...

Rows may lie in a file: each check keeps counts, small keys and three examples. To add one, write a `Check`
(data/audit/seen.py), name it in `_checks` and its kinds in data/audit/kinds.py.
"""

from collections.abc import Callable, Collection, Iterator, Sequence

from tunewright.core.example import Example
from tunewright.core.task import JsonOutput
from tunewright.data.audit.answers import Answers
from tunewright.data.audit.json import Json
from tunewright.data.audit.languages import Languages, detector
from tunewright.data.audit.lengths import Lengths
from tunewright.data.audit.pairs import Pairs
from tunewright.data.audit.schema import Schema
from tunewright.data.audit.seen import Check, Oddity, Scope
from tunewright.data.audit.signs import Signs
from tunewright.data.audit.told import Told
from tunewright.data.audit.turns import Order, Systems, Templates

Wanted = Collection[str] | None
"""Kinds of findings that are looked for; None: all."""


class Reading:
    """One reading of a part's rows by all checks whose kinds are wanted."""

    def __init__(
        self,
        part: str,
        rows: Sequence[Example],
        kinds: Wanted = None,
        *,
        output: JsonOutput | None = None,
        also: Callable[[Example], object] | None = None,
    ) -> None:
        """`output` is what answers are held against; `also` is told every row, too: who wants them need not read them
        again. Raises DataError where the output has no schema."""
        self.scope = Scope(part, len(rows))
        self.lengths = Lengths(rows) if kinds is None or not set(Lengths.kinds).isdisjoint(kinds) else None
        self.languages = _languages(rows, kinds)
        self._kinds = kinds
        self._looking: list[Check] = [check for check in _checks(rows, output) if _wanted(check, kinds)]
        self._looking += [check for check in (self.lengths, self.languages) if check is not None]
        sees = [check.see for check in self._looking]
        for row in rows if sees or also is not None else ():
            for see in sees:
                see(row)
            if also is not None:
                also(row)

    def oddities(self) -> Iterator[Oddity]:
        """What was found, of the kinds that are wanted."""
        if not self.scope.rows:
            return
        for check in self._looking:
            for oddity in check.found(self.scope):
                if self._kinds is None or oddity.kind in self._kinds:
                    yield oddity


def _checks(rows: Sequence[Example], output: JsonOutput | None) -> Iterator[Check]:
    from tunewright.data.audit.unlike import Unlike

    every: tuple[Check, ...] = (
        *(Answers(), Told(), Pairs(), Json()),
        *(Order(), Systems(), Templates(), Signs(), Unlike(rows)),
    )
    yield from every
    if output is not None:
        yield Schema(output)


def _wanted(check: Check, kinds: Wanted) -> bool:
    return kinds is None or not set(check.kinds).isdisjoint(kinds)


def _languages(rows: Sequence[Example], kinds: Wanted) -> Languages | None:
    if kinds is not None and set(Languages.kinds).isdisjoint(kinds):
        return None
    detect = detector()
    return Languages(detect, rows) if detect else None
