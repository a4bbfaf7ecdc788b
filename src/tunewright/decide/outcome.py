"""Outcome: helps, does not help, or cannot tell; and how many examples would settle it.

The fine-tune **helps** when it is better than every rival, each difference's interval leaving zero out. All must hold at
once, so no correction for several rivals is due (intersection-union test, Berger 1982, Technometrics 24:295).
It **does not help** when, against some rival, the interval leaves out every gain worth having. One rival is enough for
that, so the chance of a false alarm grows with their number, and these intervals are the wider simultaneous ones (1 - α/m:
Holm's first step). Else we **cannot tell**.
"""

import math
from typing import NamedTuple

from tunewright.decide.compare import Clusters, Paired, cluster_names, difference_interval
from tunewright.decide.spec import GatesSpec
from tunewright.decide.verdict import Comparison, Outcome
from tunewright.evals import stats


class Finding(NamedTuple):
    """The outcome and the comparison that decided it."""

    outcome: Outcome
    deciding: Comparison
    examples_needed: int | None


def find(
    comparisons: list[Comparison], pairs: list[Paired], gates: GatesSpec, clusters: Clusters | None
) -> Finding:
    """Weigh the comparisons (best rival first, at least one); `pairs` are their scores in the same order."""
    margin = gates.worthwhile_gain / 100
    if all(comparison.difference.low > 0 for comparison in comparisons):
        return Finding("helps", comparisons[0], None)
    for comparison, paired in zip(comparisons, pairs, strict=True):
        simultaneous = 1 - (1 - gates.confidence) / len(comparisons)
        if difference_interval(paired, simultaneous, clusters).high < margin:
            return Finding("does not help", comparison, None)
    open_ones = [
        (comparison, _needed(paired, margin, gates.confidence, clusters))
        for comparison, paired in zip(comparisons, pairs, strict=True)
        if comparison.difference.low <= 0
    ]
    against = [needed for comparison, needed in open_ones if comparison.difference.value < margin / 2]
    weakest = min((comparison for comparison, _ in open_ones), key=lambda c: c.difference.low)
    # one rival that wins settles it; to help, the fine-tune must beat them all
    return Finding("cannot tell", weakest, min(against) if against else max(n for _, n in open_ones))


def _needed(paired: Paired, margin: float, confidence: float, clusters: Clusters | None) -> int:
    """How many examples would settle one comparison with 80 % power, were the difference seen the true one.

    Settled is: zero left out from below, or the margin from above, whichever is farther from the difference. As
    many at least as let the interval of a constant sample (the rule of three in `stats.bootstrap_mean`) come that near.
    """
    differences = paired.differences
    value = sum(differences) / len(differences)
    distance = max(value, margin - value)
    sd = stats.standard_deviation(differences, cluster_names(paired.ids, clusters))
    by_spread = stats.examples_needed(distance, sd, confidence=confidence) or 0
    room = 1 + value if value >= margin / 2 else 1 - value
    unseen = min(distance / room, 0.999)
    by_unseen = math.ceil(math.log((1 - confidence) / 2) / math.log1p(-unseen))
    return max(by_spread, by_unseen, len(differences) + 1)
