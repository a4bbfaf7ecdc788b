"""Clusters of vectors, nearest neighbours, and words that name a cluster.

found = clustered(vectors, cluster_count(len(vectors)), seed=0)
found.labels          the cluster of each vector, the largest 0
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from math import log
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from tunewright.data.embedding_words import Vectors
from tunewright.data.normal import plain_text
from tunewright.data.quality_text import STOP_WORDS

MOST_CLUSTERS = 50
"""More than a person looks at."""
_ROUNDS, _STARTS = 30, 3
_BLOCK = 2048
_WORD = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]{2}|[^\\W\\d_]{3,}"
)
_READ = 200
_PRIOR = 0.5
_DULL = frozenset().union(
    *STOP_WORDS.values(),
    *(words.split() for words in (
        "this these those they them their there then than was were been being has had does did doing can could would",
        "should will may might must what when where which who whom whose why how your yours our ours from about into over",
        "under again once here only just also very some any each such but not nor too its it's don i'm i've am my me we us",
        "he she his her if or as at by so up out get got please hello thanks thank dont cant didnt still there's",
    )),
)  # fmt: skip
"""Words that name nothing."""
_Numbers = npt.NDArray[np.int64]


class Clusters(NamedTuple):
    """Vectors shared out to clusters, the largest first."""

    centres: Vectors
    """(k, d), each of length 1."""
    labels: _Numbers
    """The cluster of each vector. (n,)"""
    cosines: Vectors
    """Of each vector with its centre. (n,)"""


class Nearest(NamedTuple):
    """The nearest vector to each of some."""

    cosines: Vectors
    places: _Numbers


def cluster_count(rows: int) -> int:
    """How many clusters so many rows are put into: √(n / 2), at least one and at most 50 (Mardia, Kent and Bibby
    1979, p. 365)."""
    return max(1, min(round((rows / 2) ** 0.5), MOST_CLUSTERS))


def clustered(vectors: Vectors, count: int, seed: int = 0) -> Clusters:
    """Spherical k-means (Dhillon and Modha 2001): the best of three starts, each seeded as k-means++ (Arthur and
    Vassilvitskii 2007). Vectors have length 1. Time: 180 · n · count · d products at most.
    """
    random = np.random.default_rng(seed)
    count = max(1, min(count, len(vectors)))
    tried = [_once(vectors, _first(vectors, count, random)) for _ in range(_STARTS)]
    best = max(tried, key=lambda one: float(one.cosines.sum()))
    sizes = np.bincount(best.labels, minlength=count)
    order = np.argsort(-sizes, kind="stable")[: int((sizes > 0).sum())]
    place = np.zeros(count, np.int64)
    place[order] = np.arange(len(order))
    return Clusters(best.centres[order], place[best.labels], best.cosines)


def nearest(vectors: Vectors, others: Vectors, *, at: _Numbers | None = None) -> Nearest:
    """The nearest of the others to each vector. `at` are the others' places among the vectors, where they are some of these:
    none is its own neighbour then. Where there is no other, the cosine is -2.
    """
    cosines = np.full(len(vectors), -2, np.float32)
    places = np.zeros(len(vectors), np.int64)
    own = np.full(len(vectors), -1, np.int64)
    if at is not None:
        own[at] = np.arange(len(at))
    for start in range(0, len(vectors) if len(others) else 0, _BLOCK):
        near = vectors[start : start + _BLOCK] @ others.T
        rows = np.arange(len(near))
        itself = own[start : start + len(near)]
        near[rows[itself >= 0], itself[itself >= 0]] = -2
        places[start : start + len(near)] = near.argmax(1)
        cosines[start : start + len(near)] = near[rows, places[start : start + len(near)]]
    return Nearest(cosines, places)


def naming_words(
    texts: Iterable[str], labels: Iterable[int], count: int, words: int = 4
) -> list[tuple[str, ...]]:
    """The words that name each of `count` clusters: those that more of its rows have than of the others, by the z-score of
    their log odds (Monroe, Colaresi and Quinn 2008, "Fightin' Words", equation 22). Of scripts without blanks, pairs
    of letters.
    """
    inside = [Counter[str]() for _ in range(count)]
    rows = [0] * count
    for text, label in zip(texts, labels, strict=True):
        rows[label] += 1
        inside[label].update(set(_WORD.findall(plain_text(text))[:_READ]) - _DULL)
    everywhere = Counter[str]()
    for counts in inside:
        everywhere.update(counts)
    return [
        _best(counts, size, everywhere, sum(rows), words) for counts, size in zip(inside, rows, strict=True)
    ]


def _best(
    inside: Counter[str], size: int, everywhere: Counter[str], rows: int, words: int
) -> tuple[str, ...]:
    scores = dict[str, float]()
    for word, seen in inside.items():
        one, other = seen + _PRIOR, everywhere[word] - seen + _PRIOR
        odds = log(one / (size - seen + _PRIOR)) - log(
            other / (rows - size - everywhere[word] + seen + _PRIOR)
        )
        scores[word] = odds / (1 / one + 1 / other) ** 0.5
    return tuple(sorted(scores, key=lambda word: (-scores[word], word))[:words])


def _first(vectors: Vectors, count: int, random: np.random.Generator) -> Vectors:
    """The first centres, each drawn by how far it is from those before it."""
    chosen = [int(random.integers(len(vectors)))]
    far = np.maximum(1 - vectors @ vectors[chosen[0]], 0)
    while len(chosen) < count:
        whole = far.sum(dtype=np.float64)
        at = (
            int(np.searchsorted(np.cumsum(far, dtype=np.float64), random.random() * whole))
            if whole > 0
            else 0
        )
        chosen.append(min(at, len(vectors) - 1))
        far = np.minimum(far, np.maximum(1 - vectors @ vectors[chosen[-1]], 0))
    return vectors[chosen]


def _once(vectors: Vectors, centres: Vectors) -> Clusters:
    labels = np.full(len(vectors), -1, np.int64)
    cosines = np.zeros(len(vectors), np.float32)
    for _ in range(_ROUNDS):
        near = vectors @ centres.T
        found = near.argmax(1)
        cosines = near[np.arange(len(near)), found]
        if np.array_equal(found, labels):
            break
        labels = found
        centres = _means(vectors, labels, centres)
    return Clusters(centres, labels, cosines)


def _means(vectors: Vectors, labels: _Numbers, centres: Vectors) -> Vectors:
    """The mean of each cluster, at length 1; an empty one stays where it was."""
    order = np.argsort(labels, kind="stable")
    there, begins = np.unique(labels[order], return_index=True)
    sums = np.add.reduceat(vectors[order], begins, axis=0)
    lengths = np.linalg.norm(sums, axis=1, keepdims=True)
    moved = centres.copy()
    moved[there] = np.where(lengths > 1e-6, sums / np.maximum(lengths, 1e-6), centres[there])
    return moved


def closest_to(centre: Vectors, vectors: Vectors, places: Sequence[int] | _Numbers, count: int) -> list[int]:
    """Of the vectors at these places, the places of those nearest to a centre."""
    places = np.asarray(places, np.int64)
    cosines = vectors[places] @ centre
    return places[np.argsort(-cosines, kind="stable")[:count]].tolist()
