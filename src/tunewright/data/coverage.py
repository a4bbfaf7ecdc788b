"""Coverage: what rows are about, how evenly, which are unlike the rest, and what of real traffic they do not know.

    found = coverage(lines, embed, against=traffic)
    found.clusters      what the rows are about, the largest first, each with words that name it
    found.gaps          what traffic asks that no row is near to, with what to add

Plain values, for the command line, JSON and a page. Questions are compared, or a document's text.

**Gaps.** A row of traffic is *missed* where another question of traffic is nearer to it than every row is, though there are
fewer of these to choose from, and no row is as near to it as half of the rows are to their own neighbour. Where traffic is
like the rows, this is so for p = s / (n + s) of it at most, s being the questions of traffic that are chosen from (the
nearest-neighbour test of two samples, Schilling 1986). A cluster of traffic is a gap where half of it or more is
missed, and more than chance makes it in one of a hundred looks (binomial, over all clusters). A text that is odd, or
long, is far from both, and is none.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from math import ceil, exp, log
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from tunewright.core.errors import DataError
from tunewright.data.clusters import (
    MOST_CLUSTERS,
    Clusters,
    closest_to,
    cluster_count,
    clustered,
    naming_words,
    nearest,
)
from tunewright.data.embedding_words import Vectors
from tunewright.data.excerpt import excerpt, label_excerpt
from tunewright.data.labels import MOST_LABELS, ROWS_PER_LABEL

LEAST_MISSED, CHANCE = 0.5, 0.01
_TO_CHOOSE_FROM = 0.5
"""Questions of traffic that are chosen from, for each row."""
_PER_GAP = 30
"""A cluster of traffic for so many questions of it, 100 at most."""
SHOWN, LABELS_SHOWN = 3, 3
UNLIKE = 5
"""Rows most unlike the rest that are told."""
FEWEST = 10
"""Rows below which there is nothing to cluster; also the least that is advised to add."""
_EXCERPT = 200


class Line(NamedTuple):
    """A row as it is looked at."""

    place: str
    text: str
    label: str | None = None
    """Its answer."""


class Shown(BaseModel):
    """A row, shown."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    place: str
    text: str
    """Its question, as an excerpt (data/excerpt.py)."""


class LabelCount(BaseModel):
    """An answer, and how many rows have it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str
    rows: int


class Cluster(BaseModel):
    """Rows that are about the same."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: tuple[str, ...]
    """Words that name it."""
    rows: int
    share: float
    traffic_share: float | None
    """The share of traffic whose nearest cluster it is; none without traffic."""
    closeness: float
    """The mean cosine of its rows with their middle: 1 where all say the same."""
    labels: tuple[LabelCount, ...]
    """Its most frequent answers, where answers are few."""
    examples: tuple[Shown, ...]
    """The rows nearest to its middle."""


class Gap(BaseModel):
    """What traffic asks that no row is near to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    words: tuple[str, ...]
    rows: int
    """Rows of traffic in it."""
    share: float
    """Of all traffic."""
    missed: int
    """Those of them that no row is near to."""
    examples: tuple[Shown, ...]
    add: int
    """Rows to add, so that their share is what it is in traffic."""


class Balance(BaseModel):
    """How evenly answers are spread, where they are labels."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    labels: tuple[LabelCount, ...]
    """All, the most frequent first."""
    effective: float
    """exp of the entropy: so many equally frequent labels would be as even (Hill 1973, order 1)."""


class Unlike(Shown):
    """A row that hardly any other is near to."""

    cosine: float
    """Of its nearest neighbour."""


class Coverage(BaseModel):
    """What rows are about."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: int
    blank: int
    """Rows that say nothing."""
    clusters: tuple[Cluster, ...]
    balance: Balance | None
    """None where answers are no labels."""
    unlike: tuple[Unlike, ...]
    """The rows most unlike the rest, the most unlike first."""
    near: float
    """The cosine from which on a row is near: half of the rows have a neighbour as near."""
    traffic: int | None
    """Different questions of traffic; none where there is none."""
    missed: int
    """Questions of traffic that no row is near to, single odd ones among them."""
    gaps: tuple[Gap, ...]
    """The largest first."""
    notes: tuple[str, ...] = ()
    """What is to be known of how rows were read."""


def coverage(
    lines: Sequence[Line],
    embed: Callable[[Sequence[str]], Vectors],
    *,
    against: Sequence[Line] = (),
    clusters: int | None = None,
    seed: int = 0,
) -> Coverage:
    """Look at rows, and at traffic beside them. Without `clusters`, their number goes by that of the rows.

    Raises DataError where there are fewer than ten rows that say something. Time: n² · d products.
    """
    against = list({" ".join(line.text.casefold().split()): line for line in reversed(against)}.values())[
        ::-1
    ]
    vectors = embed([line.text for line in (*lines, *against)])
    said = np.flatnonzero(vectors.any(1))
    blank = len(lines) - int((said < len(lines)).sum())
    own = [lines[at] for at in said[said < len(lines)].tolist()]
    asked = [against[at - len(lines)] for at in said[said >= len(lines)].tolist()]
    if len(own) < FEWEST:
        told = "one row says" if len(own) == 1 else f"{len(own)} rows say"
        message = f"{told} something, and it takes {FEWEST} to see what rows are about."
        raise DataError(message, fix="Give more rows.")
    ours, theirs = vectors[said[said < len(lines)]], vectors[said[said >= len(lines)]]
    found = clustered(ours, clusters or cluster_count(len(own)), seed)
    beside = nearest(ours, ours, at=np.arange(len(ours)))
    near = float(np.median(beside.cosines))
    missed = _missed(theirs, ours, near, seed)
    return Coverage(
        rows=len(lines),
        blank=blank,
        clusters=tuple(_clusters(own, ours, found, theirs)),
        balance=_balance(own),
        unlike=tuple(
            Unlike(**_shown(own[at]).model_dump(), cosine=round(float(beside.cosines[at]), 4))
            for at in np.argsort(beside.cosines, kind="stable")[:UNLIKE].tolist()
        ),
        near=round(near, 4),
        traffic=len(against) if against else None,
        missed=int(missed.rows.sum()),
        gaps=tuple(_gaps(asked, theirs, ours, missed, seed)),
    )


def _clusters(lines: Sequence[Line], ours: Vectors, found: Clusters, theirs: Vectors) -> list[Cluster]:
    count = len(found.centres)
    words = naming_words((line.text for line in lines), found.labels.tolist(), count)
    traffic = np.bincount((theirs @ found.centres.T).argmax(1), minlength=count) if len(theirs) else None
    few = _has_labels(lines)
    made = []
    for at in range(count):
        members = np.flatnonzero(found.labels == at)
        answers = Counter(lines[one].label or "" for one in members.tolist()) if few else Counter[str]()
        made.append(
            Cluster(
                words=words[at],
                rows=len(members),
                share=round(len(members) / len(lines), 4),
                traffic_share=None if traffic is None else round(float(traffic[at] / len(theirs)), 4),
                closeness=round(float(found.cosines[members].mean()), 4),
                labels=_counts(answers)[:LABELS_SHOWN],
                examples=_examples(lines, found.centres[at], ours, members),
            )
        )
    return made


class _Missed(NamedTuple):
    rows: npt.NDArray[np.bool_]
    """Which rows of traffic are missed."""
    chance: float
    """The most that it is by chance."""


def _missed(theirs: Vectors, ours: Vectors, near: float, seed: int) -> _Missed:
    few = max(1, round(_TO_CHOOSE_FROM * len(ours)))
    chosen = np.arange(len(theirs))
    if len(theirs) > few:
        chosen = np.sort(np.random.default_rng(seed).choice(len(theirs), few, replace=False))
    to_ours = nearest(theirs, ours).cosines
    to_theirs = nearest(theirs, theirs[chosen], at=chosen).cosines
    return _Missed((to_theirs > to_ours) & (to_ours < near), len(chosen) / (len(chosen) + len(ours)))


def _gaps(asked: Sequence[Line], theirs: Vectors, ours: Vectors, missed: _Missed, seed: int) -> list[Gap]:
    """The clusters of traffic of which more is missed than chance makes it."""
    if not len(theirs):
        return []
    from scipy.stats import binom

    found = clustered(theirs, max(1, min(len(theirs) // _PER_GAP, 2 * MOST_CLUSTERS)), seed)
    count = len(found.centres)
    words = naming_words((line.text for line in asked), found.labels.tolist(), count)
    made = []
    for at in range(count):
        members = np.flatnonzero(found.labels == at)
        gone = members[missed.rows[members]]
        by_chance = binom.sf(len(gone) - 1, len(members), missed.chance)
        if len(gone) < LEAST_MISSED * len(members) or by_chance > CHANCE / count:
            continue
        share = len(gone) / len(asked)
        made.append(
            Gap(
                words=words[at],
                rows=len(members),
                share=round(len(members) / len(asked), 4),
                missed=len(gone),
                examples=_examples(asked, found.centres[at], theirs, gone),
                add=max(FEWEST, ceil(min(share / (1 - share), 1) * len(ours)) if share < 1 else len(ours)),
            )
        )
    return sorted(made, key=lambda gap: -gap.missed)


def _examples(
    lines: Sequence[Line], centre: Vectors, vectors: Vectors, members: npt.NDArray[np.int64]
) -> tuple[Shown, ...]:
    """The members nearest to the centre, no text twice."""
    texts: dict[str, Shown] = {}
    for at in closest_to(centre, vectors, members, 10 * SHOWN):
        texts.setdefault(" ".join(lines[at].text.casefold().split()), _shown(lines[at]))
    return tuple(list(texts.values())[:SHOWN])


def _balance(lines: Sequence[Line]) -> Balance | None:
    if not _has_labels(lines):
        return None
    counts = Counter(line.label or "" for line in lines)
    entropy = -sum(seen / len(lines) * log(seen / len(lines)) for seen in counts.values())
    return Balance(labels=_counts(counts), effective=round(exp(entropy), 2))


def _has_labels(lines: Sequence[Line]) -> bool:
    """Whether answers are labels: few, short, and given again and again."""
    labels = {line.label for line in lines}
    few = len(labels) <= MOST_LABELS and len(labels) * ROWS_PER_LABEL <= len(lines)
    return few and None not in labels and max(len(label or "") for label in labels) <= _EXCERPT / 2


def _counts(answers: Counter[str]) -> tuple[LabelCount, ...]:
    order = sorted(answers, key=lambda label: (-answers[label], label))
    return tuple(LabelCount(label=label_excerpt(label), rows=answers[label]) for label in order)


def _shown(line: Line) -> Shown:
    return Shown(place=line.place, text=excerpt(line.text.strip(), most=_EXCERPT))
