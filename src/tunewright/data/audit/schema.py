"""Whether answers are what the task's JSON Schema allows: numbers as texts, missing fields, values that are no choice."""

from collections import Counter
from collections.abc import Iterator

from tunewright.core.example import Example
from tunewright.core.task import JsonOutput
from tunewright.data.answers import answer_reader
from tunewright.data.audit.seen import Hits, Oddity, Scope
from tunewright.data.excerpt import excerpt
from tunewright.data.rows import BadRow

_MOST_FAULTS = 1000
"""Faults that are told apart: they name the values, which may all differ."""


class Schema:
    """Holds each answer against a schema; what is rated bad need not keep to it."""

    kinds: tuple[str, ...] = ("off_schema",)

    def __init__(self, output: JsonOutput) -> None:
        """Raises DataError where the schema is none."""
        self._read = answer_reader(output)
        self._hits = Hits()
        self._faults = Counter[str]()

    def see(self, row: Example) -> None:
        """Take a row in."""
        last = row.messages[-1]
        if row.is_document or not row.desirable or last.tool_calls:
            return
        try:
            self._read(last.content, False)
        except BadRow as bad:
            self._hits.add(row, last.content)
            fault = str(bad).removeprefix("schema: ")
            if fault in self._faults or len(self._faults) < _MOST_FAULTS:
                self._faults[fault] += 1

    def found(self, scope: Scope) -> Iterator[Oddity]:
        """What is odd, when all rows have been seen."""
        if self._hits:
            named = "; ".join(f"{excerpt(fault)} ({count:,})" for fault, count in self._faults.most_common(3))
            message = (
                f"{scope.share(self._hits.count)} have an answer that the schema does not allow: {named}."
            )
            yield Oddity("off_schema", self._hits, message)
