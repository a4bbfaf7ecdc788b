"""The share of a kind in a sample, with its confidence interval.

wilson(54, 60)      # Estimate(value=0.9, low=0.799, high=0.953)
"""

import math
from statistics import NormalDist
from typing import NamedTuple


class Estimate(NamedTuple):
    """A value with its confidence interval."""

    value: float
    low: float
    high: float


def wilson(successes: int, n: int, confidence: float = 0.95) -> Estimate:
    """The share successes/n with Wilson's score interval (Wilson 1927; Brown, Cai, DasGupta 2001, eq. 4).

    With n = 0 nothing is known: 0 in [0, 1]. Raises ValueError unless 0 ≤ successes ≤ n.
    """
    if not 0 <= successes <= n:
        raise ValueError(f"{successes} successes of {n}")
    if n == 0:
        return Estimate(0.0, 0.0, 1.0)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = successes / n
    center = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    # at the ends the formula gives exactly 0 and 1, but for rounding
    low = 0.0 if successes == 0 else max(0.0, center - half)
    high = 1.0 if successes == n else min(1.0, center + half)
    return Estimate(share, low, high)
