"""How far two people who judged the same things agree, beyond what chance would make them.

cohens_kappa([("accept", "accept"), ("reject", "accept"), …])
"""

from collections import Counter
from collections.abc import Hashable, Sequence
from typing import NamedTuple

from tunewright.core.interval import Estimate, wilson


class Agreement(NamedTuple):
    """How two judges agree on the things that both judged."""

    things: int
    observed: Estimate
    """The share of things that they judge alike, with Wilson's interval."""
    by_chance: float
    """The share that two judges with their habits would judge alike, were each to judge blindly."""
    kappa: Estimate | None
    """1 where they always agree, 0 where chance would do as well; none where chance alone makes them agree always."""


def cohens_kappa(pairs: Sequence[tuple[Hashable, Hashable]]) -> Agreement | None:
    """Cohen's κ = (p_o - p_e) / (1 - p_e) of pairs of judgements (Cohen 1960, Educ. Psychol. Meas. 20:37, eq. 1).

    p_e = Σ_k p_1k · p_2k over the kinds of judgement. Where most things are of one kind p_e is high, and κ low for judges
    who seldom differ: it is to be read beside p_o and p_e. The interval is p_o's by Wilson, put through the same formula
    with p_e as if it were known, which Cohen's standard error (eq. 7) does too; unlike that one, it is no point where few
    things are all judged alike. None where nothing was judged by both.
    """
    if not pairs:
        return None
    things = len(pairs)
    observed = wilson(sum(one == other for one, other in pairs), things)
    first, second = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    by_chance = sum(number * second[kind] for kind, number in first.items()) / things**2
    kappa = (
        None if by_chance == 1 else Estimate(*((bound - by_chance) / (1 - by_chance) for bound in observed))
    )
    return Agreement(things, observed, by_chance, kappa)
