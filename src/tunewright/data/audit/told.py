"""Whether questions hold the labels that answer them: what a model can copy, it does not learn."""

from collections.abc import Iterator

from tunewright.core.example import Example
from tunewright.data.audit.seen import Hits, Oddity, Scope
from tunewright.data.labels import MOST_LABELS, ROWS_PER_LABEL
from tunewright.data.normal import plain_text

_FEWEST = 10
"""Below this many rows, shares say little. Our own choice, as in answers.py."""
_LEAKS, _ELSEWHERE = 0.8, 1.5
"""The share of questions that hold their label, and the labels that a question holds on average. Our own choice: where a
question lists its choices it holds them all, where it gives the answer away it holds that one."""
_INPUTS = 200
"""Questions that are kept, to see whether they hold other labels as well."""


class Told:
    """Looks for each row's answer in its question."""

    kinds: tuple[str, ...] = ("label_in_input",)
    _longest = 60

    def __init__(self) -> None:
        self._own = Hits()
        self._seen = 0
        self._labels: dict[str, int] = {}
        self._inputs: list[str] = []

    def see(self, row: Example) -> None:
        """Take a row in."""
        if row.is_document or not row.desirable:
            return
        self._seen += 1
        label = plain_text(row.expected)
        if len(label) > self._longest or sum(map(str.isalpha, label)) < 3:
            return
        if label in self._labels or len(self._labels) <= MOST_LABELS:
            self._labels[label] = self._labels.get(label, 0) + 1
        asked = plain_text(row.input_text)
        at = _whole(label, asked)
        if at >= 0:
            self._own.add(row, row.input_text, min(at, len(row.input_text)))
        if len(self._inputs) < _INPUTS:
            self._inputs.append(asked)

    def found(self, scope: Scope) -> Iterator[Oddity]:
        """Told where nearly every question holds its label, and few hold another one: a list of choices is no leak."""
        labels = len(self._labels)
        if not 2 <= labels <= MOST_LABELS or labels * ROWS_PER_LABEL > self._seen or self._seen < _FEWEST:
            return
        if self._own.count < _LEAKS * self._seen:
            return
        held = [sum(_whole(label, asked) >= 0 for label in self._labels) for asked in self._inputs]
        if sum(held) / len(held) < _ELSEWHERE:
            message = f"{scope.share(self._own.count)} hold their answer in the question: a model would learn to copy it."
            yield Oddity("label_in_input", self._own, message)


def _whole(label: str, text: str) -> int:
    """Where a label stands in a text as whole words; -1 where it does not."""
    at = text.find(label)
    while at >= 0:
        end = at + len(label)
        if not (text[at - 1 : at].isalnum() or text[end : end + 1].isalnum()):
            return at
        at = text.find(label, at + 1)
    return -1
