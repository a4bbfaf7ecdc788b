"""Comparisons: two variants on the same examples, overall and slice by slice; one variant's summary."""

from collections.abc import Mapping
from typing import NamedTuple

from tunewright.core.errors import UserError
from tunewright.core.interval import Estimate, wilson
from tunewright.decide.cost import token_cost
from tunewright.decide.spec import PriceSpec
from tunewright.decide.verdict import Comparison, Interval, SliceChange, VariantSummary
from tunewright.evals import stats
from tunewright.evals.scorecard import Scorecard, ScoredReply

SHOWN = 5
"""A slice with fewer examples is left out."""
JUDGED = 20
"""A slice with fewer examples is shown, but no gate looks at it."""

Clusters = Mapping[str, str]
"""Example id → the name of its cluster (document, conversation, template); an id left out is a cluster alone."""


class Paired(NamedTuple):
    """Two variants' scores by one grader on the same examples, in the candidate's order."""

    ids: list[str]
    candidate: list[float]
    rival: list[float]

    @property
    def differences(self) -> list[float]:
        """Candidate minus rival, an example each."""
        return [a - b for a, b in zip(self.candidate, self.rival, strict=True)]

    def rows(self, rows: list[int]) -> "Paired":
        """Some of the examples, by their places."""
        return Paired(
            [self.ids[row] for row in rows],
            [self.candidate[row] for row in rows],
            [self.rival[row] for row in rows],
        )


def pair(candidate: Scorecard, rival: Scorecard, grader: str) -> Paired:
    """Match the two cards' scores by example id.

    Raises UserError when a card is empty, repeats an id, lacks the grader, or answers other examples.
    """
    ours, theirs = _by_example(candidate), _by_example(rival)
    if ours.keys() != theirs.keys():
        odd = min(ours.keys() ^ theirs.keys())
        raise UserError(
            f"{candidate.variant} and {rival.variant} were not scored on the same examples: {odd!r} is in one of them only.",
            where=f"suite {candidate.suite}",
            fix="Evaluate both on the same suite again.",
        )
    ids = list(ours)
    return Paired(ids, _values(candidate, ours, ids, grader), _values(rival, theirs, ids, grader))


def compare(
    candidate: Scorecard, rival: Scorecard, grader: str, confidence: float, clusters: Clusters | None = None
) -> Comparison:
    """The candidate against one rival. Raises UserError as `pair` does."""
    paired = pair(candidate, rival, grader)
    names = cluster_names(paired.ids, clusters)
    differences = paired.differences
    right = [(a >= 1, b >= 1) for a, b in zip(paired.candidate, paired.rival, strict=True)]
    spread = stats.standard_deviation(differences, names)
    return Comparison(
        rival=rival.variant,
        grader=grader,
        examples=len(paired.ids),
        difference=difference_interval(paired, confidence, clusters),
        wins=sum(d > 0 for d in differences),
        losses=sum(d < 0 for d in differences),
        ties=sum(d == 0 for d in differences),
        p_value=stats.paired_p(differences, names)
        if names
        else stats.mcnemar_midp(right.count((True, False)), right.count((False, True))),
        detectable=max(
            stats.minimum_detectable(spread, len(paired.ids), confidence=confidence),
            stats.least_visible(len(set(names or paired.ids)), confidence),
        ),
        candidate_mean=sum(paired.candidate) / len(paired.ids),
        rival_mean=sum(paired.rival) / len(paired.ids),
    )


def difference_interval(paired: Paired, confidence: float, clusters: Clusters | None) -> Interval:
    """The mean difference with its bootstrap interval."""
    names = cluster_names(paired.ids, clusters)
    return _interval(stats.paired_bootstrap(paired.candidate, paired.rival, confidence, clusters=names))


def cluster_names(ids: list[str], clusters: Clusters | None) -> list[str] | None:
    """The cluster of each example, or None where none are known."""
    return [clusters.get(example, f"\0{example}") for example in ids] if clusters else None


def slice_changes(
    candidate: Scorecard, rival: Scorecard, grader: str, confidence: float, clusters: Clusters | None = None
) -> tuple[SliceChange, ...]:
    """Every slice of `SHOWN` examples or more, fields in the suite's order, values by name; p values after Holm."""
    paired = pair(candidate, rival, grader)
    members: dict[tuple[str, str], list[int]] = {}
    for row, reply in enumerate(candidate.replies):
        for field, value in reply.slices.items():
            members.setdefault((field, value), []).append(row)
    fields = list(dict.fromkeys(field for field, _ in members))
    keys = sorted(
        (key for key, rows in members.items() if len(rows) >= SHOWN), key=lambda k: (fields.index(k[0]), k[1])
    )
    parts = {key: paired.rows(members[key]) for key in keys}
    judged = [key for key in keys if len(members[key]) >= JUDGED]
    p_values = stats.holm(
        [stats.paired_p(parts[key].differences, cluster_names(parts[key].ids, clusters)) for key in judged]
    )
    adjusted = dict(zip(judged, p_values, strict=True))
    return tuple(
        SliceChange(
            field=field,
            value=value,
            examples=len(part.ids),
            difference=difference_interval(part, confidence, clusters),
            rival=rival.variant,
            before=sum(part.rival) / len(part.ids),
            after=sum(part.candidate) / len(part.ids),
            p_value=adjusted.get((field, value)),
        )
        for (field, value), part in parts.items()
    )


def summarise(
    card: Scorecard, prices: PriceSpec, confidence: float, clusters: Clusters | None = None
) -> VariantSummary:
    """One variant on one suite: each grader's mean with its interval, tokens, price, failures."""
    by_id = _by_example(card)
    names = cluster_names(list(by_id), clusters)
    scores = {
        grader: _mean_interval(_values(card, by_id, list(by_id), grader), confidence, names)
        for grader in card.graders
    }
    count = len(by_id)
    return VariantSummary(
        variant=card.variant,
        suite=card.suite,
        scores=scores,
        tokens_in=sum(reply.tokens_in for reply in card.replies) / count,
        tokens_out=sum(reply.tokens_out for reply in card.replies) / count,
        cost_per_1000=token_cost(card, prices),
        examples=count,
        errors=sum(reply.error is not None for reply in card.replies),
        cut=sum(reply.finish == "length" for reply in card.replies),
    )


def _mean_interval(values: list[float], confidence: float, names: list[str] | None) -> Interval:
    if names is None and all(value in (0.0, 1.0) for value in values):
        return _interval(wilson(round(sum(values)), len(values), confidence))
    return _interval(stats.bootstrap_mean(values, confidence, clusters=names))


def _interval(estimate: Estimate) -> Interval:
    return Interval(value=estimate.value, low=estimate.low, high=estimate.high)


def _by_example(card: Scorecard) -> dict[str, ScoredReply]:
    by_id = {reply.example: reply for reply in card.replies}
    where = f"suite {card.suite}, variant {card.variant}"
    if not by_id:
        raise UserError(
            "There are no scored examples to decide by.", where=where, fix="Give the suite more rows."
        )
    if len(by_id) != len(card.replies):
        raise UserError("An example was scored twice.", where=where, fix="Drop duplicates before the split.")
    return by_id


def _values(card: Scorecard, by_id: dict[str, ScoredReply], ids: list[str], grader: str) -> list[float]:
    try:
        return [by_id[example].scores[grader].value for example in ids]
    except KeyError:
        raise UserError(
            f"{card.variant} has no score by {grader!r}.",
            where=f"suite {card.suite}",
            fix="Evaluate every variant with the same graders.",
        ) from None
