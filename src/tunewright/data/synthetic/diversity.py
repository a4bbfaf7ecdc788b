"""Diversity: whether new rows are as varied as the rows that they were written from.

distinct(texts, 2)        the share of different pairs among all pairs of words (Li et al. 2016, arXiv:1510.03055, §5)
self_bleu(texts)          how much texts repeat one another: BLEU of each against the others (Zhu et al. 2018,
                          arXiv:1802.01886); BLEU itself after Papineni et al. 2002 (ACL P02-1040), smoothed as Chen and
                          Cherry's method 1 (2014, ACL W14-3346)
near_rate(new, old)       the share of new texts that say nearly what an old one says
"""

import math
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from tunewright.core.example import Example

SAMPLE = 400
"""Texts that are compared: all measures hang on how many there are, so both sides are cut to as many."""
_BLEU = 100
"""Texts of which self-BLEU is taken, each against as many."""
_ORDER = 4
_EPSILON = 0.1
_NEAR = 0.7
_WORD = re.compile(r"\w+|[^\w\s]")
_LEAST = 20
"""Fewer texts say nothing of variety."""


class Sampled:
    """A seeded sample of texts from a stream, each as likely as the others (Vitter 1985, algorithm R)."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self.texts = list[str]()
        self.seen = 0

    def take(self, row: Example) -> None:
        """See a row: what it asks and answers."""
        self.seen += 1
        text = row.expected if row.is_document else f"{row.input_text}\n{row.expected}"
        if len(self.texts) < SAMPLE:
            self.texts.append(text)
        elif (at := self._chance.randrange(self.seen)) < SAMPLE:
            self.texts[at] = text


class Measures(NamedTuple):
    """How varied some texts are."""

    texts: int
    distinct: tuple[float, float, float]
    """The share of different words, pairs and triples of words."""
    self_bleu: float
    """0 where texts share nothing, 1 where all are the same."""
    words: tuple[float, float, float]
    """Words of a text: the tenth part has fewer, the half, and nine tenths."""
    spread: float | None = None
    """How far texts lie from their middle, 0 to 1 (`spreads`); none where it was not looked at."""


class Portrait(NamedTuple):
    """New rows beside the seeds."""

    new: Measures | None
    old: Measures | None
    near: float | None
    """The share of the new that is nearly the same as a seed."""

    @classmethod
    def of(cls, new: Sampled, old: Sampled) -> "Portrait":
        """Both measured on as many texts; none where there are too few to say anything."""
        if len(new.texts) < _LEAST:
            return cls(None, None, None)
        beside = len(old.texts) >= _LEAST
        count = min(len(new.texts), len(old.texts)) if beside else len(new.texts)
        fresh, seeds = new.texts[:count], old.texts[:count] if beside else []
        near = near_rate(new.texts, old.texts) if old.texts else None
        both = spreads(fresh, seeds)
        told = [
            measures(texts)._replace(spread=spread)
            for texts, spread in zip((fresh, seeds), both, strict=True)
            if texts
        ]
        return cls(told[0], told[1] if seeds else None, near)

    def notes(self) -> Iterator[str]:
        """What is to be told, in sentences."""
        if self.new is None:
            return
        yield f"Variety of the new rows: {_told(self.new)}{f'; of the seeds: {_told(self.old)}' if self.old else ''}."
        if self.near:
            yield f"{self.near:.0%} of the new rows say nearly what a seed says."
        if self.new.self_bleu > 0.7 and (self.old is None or self.new.self_bleu > self.old.self_bleu + 0.1):
            yield "The new rows repeat one another: let prompts name more categories, or raise the temperature."


def _told(found: Measures) -> str:
    one, two, three = (f"{share:.2f}" for share in found.distinct)
    low, middle, high = (f"{words:.0f}" for words in found.words)
    spread = "" if found.spread is None else f", spread {found.spread:.2f}"
    return (
        f"distinct words {one}, pairs {two}, triples {three}, self-BLEU {found.self_bleu:.2f}{spread},"
        f" {low} to {high} words (half of them up to {middle})"
    )


def measures(texts: Sequence[str]) -> Measures:
    """All measures of some texts, at least one, but for their spread."""
    words = [_words(text) for text in texts]
    lengths = sorted(map(len, words))
    quantiles = tuple(float(lengths[round(share * (len(lengths) - 1))]) for share in (0.1, 0.5, 0.9))
    return Measures(
        len(texts),
        (distinct(texts, 1), distinct(texts, 2), distinct(texts, 3)),
        self_bleu(texts),
        (quantiles[0], quantiles[1], quantiles[2]),
    )


def distinct(texts: Sequence[str], n: int) -> float:
    """The share of different runs of n words among all runs of n words of the texts; 1 where there are none."""
    runs = Counter(run for text in texts for run in _runs(_words(text), n))
    return len(runs) / runs.total() if runs else 1.0


def self_bleu(texts: Sequence[str], seed: int = 0) -> float:
    """The mean BLEU of a sample of the texts, each against the others of the sample; 0 for a single text."""
    chosen = [_words(text) for text in random.Random(seed).sample(list(texts), min(_BLEU, len(texts)))]
    if len(chosen) < 2:
        return 0.0
    best = [_counted(words) for words in chosen]
    scores = []
    for at, words in enumerate(chosen):
        others = [best[other] for other in range(len(chosen)) if other != at]
        lengths = [len(chosen[other]) for other in range(len(chosen)) if other != at]
        scores.append(_bleu(len(words), best[at], others, lengths))
    return sum(scores) / len(scores)


def near_rate(new: Sequence[str], old: Sequence[str]) -> float:
    """The share of new texts that are near duplicates of an old one."""
    from tunewright.data.near import near_heads

    heads = near_heads([*old, *new], threshold=_NEAR)
    close = sum(1 for at in range(len(old), len(old) + len(new)) if heads[at] < len(old))
    return close / len(new) if new else 0.0


def spreads(*groups: Sequence[str]) -> list[float | None]:
    """Of each group of texts the mean of 1 − cosine between a text's embedding and the middle of its group, 0 to 1.

    All are embedded in one space, so that the groups can be compared; None for a group of none.
    """
    import numpy as np

    from tunewright.data.embedding import embed

    vectors = embed([text for group in groups for text in group])
    found, begin = list[float | None](), 0
    for group in groups:
        own = vectors[begin : begin + len(group)]
        begin += len(group)
        length = float(np.linalg.norm(own.mean(axis=0))) if len(group) else 0.0
        # the mean cosine with the middle is the length of the mean of vectors of length 1
        found.append(1 - length if len(group) else None)
    return found


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _runs(words: Sequence[str], n: int) -> Iterator[tuple[str, ...]]:
    return (tuple(words[at : at + n]) for at in range(len(words) - n + 1))


_Counts = list[Counter[tuple[str, ...]]]


def _counted(words: Sequence[str]) -> _Counts:
    return [Counter(_runs(words, n)) for n in range(1, _ORDER + 1)]


def _bleu(length: int, own: _Counts, others: Sequence[_Counts], lengths: Sequence[int]) -> float:
    """BLEU of a text of so many words against several: clipped precisions of runs of 1 to 4, and the brevity penalty."""
    if not length:
        return 0.0
    logs = []
    for n in range(_ORDER):
        if not (total := own[n].total()):
            break
        hits = sum(min(times, max(other[n][run] for other in others)) for run, times in own[n].items())
        logs.append(math.log((hits or _EPSILON) / total))
    nearest = min(lengths, key=lambda other: (abs(other - length), other))
    brevity = min(1.0, math.exp(1 - nearest / length))
    return brevity * math.exp(sum(logs) / len(logs))
