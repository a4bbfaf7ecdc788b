"""Statistics: intervals for one mean, paired comparisons of two variants, power. Small samples and ties are the rule here.

    differences = [a - b for a, b in zip(tuned, baseline, strict=True)]
    paired_bootstrap(tuned, baseline)            # Estimate(value=0.549, low=0.507, high=0.587)
    minimum_detectable(standard_deviation(differences), len(differences))

Values are scores in [0, 1]; `clusters` names the group of each example (conversation, document, template) where
examples are not independent: taking them for independent raises the false alarms of every test here severalfold.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from tunewright.core.interval import Estimate

Floats = NDArray[np.float64]

RESAMPLES = 10_000
_FEW_KINDS = 24
"""Up to so many different units a resample is drawn as counts of each, which is much faster than unit by unit."""
_BLOCK = 200_000
"""Draws held in memory at a time: few enough to stay in the cache."""


def bootstrap_mean(
    values: Sequence[float],
    confidence: float = 0.95,
    seed: int = 0,
    *,
    resamples: int = RESAMPLES,
    clusters: Sequence[str] | None = None,
    bounds: tuple[float, float] = (0.0, 1.0),
) -> Estimate:
    """The mean with a BCa bootstrap interval that holds its confidence on small and on nearly constant samples too.

    BCa: Efron 1987 (JASA 82:171), the acceleration from the units' influence. Its tail levels are widened for small
    samples with Student's t and √(G/(G-1)) (Hesterberg 2015, Am. Stat. 69:371, "expanded" intervals), G the number of
    independent units: examples, or whole clusters where `clusters` is given. A bootstrap cannot see what the sample
    lacks (all values equal would give an interval of no width), so the interval also reaches as far as the share of
    unseen values at either of the `bounds` that the sample cannot exclude, 1 - (α/2)^(1/G) (the "rule of three",
    Hanley & Lippman-Hand 1983, JAMA 249:1743).
    """
    values_N = _scores(values)
    sums_G, sizes_G = _units(values_N, clusters)
    units = len(sums_G)
    mean = float(values_N.mean())
    alpha = 1 - confidence
    unseen = _unseen(units, alpha)
    low, high = mean - unseen * (mean - bounds[0]), mean + unseen * (bounds[1] - mean)
    influence_G = sums_G - mean * sizes_G
    spread = float(np.square(influence_G).sum())
    if units > 1 and spread > 1e-12:
        means_B = _resampled_means(sums_G, sizes_G, resamples, np.random.default_rng(seed))
        acceleration = float((influence_G**3).sum()) / (6 * spread**1.5)
        levels = _bca_levels(means_B, mean, acceleration, units, alpha)
        quantiles = np.quantile(means_B, levels)
        low, high = min(low, float(quantiles[0])), max(high, float(quantiles[1]))
    return Estimate(mean, max(low, bounds[0]), min(high, bounds[1]))


def paired_bootstrap(
    a: Sequence[float],
    b: Sequence[float],
    confidence: float = 0.95,
    seed: int = 0,
    *,
    resamples: int = RESAMPLES,
    clusters: Sequence[str] | None = None,
) -> Estimate:
    """The mean difference a - b over the same examples, with the interval of `bootstrap_mean`.

    Pairing takes out what makes an example hard for both. Raises ValueError when the lengths differ.
    """
    differences = [x - y for x, y in zip(a, b, strict=True)]
    return bootstrap_mean(
        differences, confidence, seed, resamples=resamples, clusters=clusters, bounds=(-1.0, 1.0)
    )


def mcnemar_midp(wins: int, losses: int) -> float:
    """McNemar's two-sided mid-p value for `wins` and `losses` among paired right/wrong outcomes.

    2·P(X < k) + P(X = k), X ~ Binomial(wins + losses, ½), k the smaller (Fagerland, Lydersen, Laake 2013, BMC Med.
    Res. Methodol. 13:91, eq. 6). 1 when nothing differs. For independent examples only: see `paired_p`.
    """
    from scipy.special import bdtr

    discordant, fewer = wins + losses, min(wins, losses)
    if wins == losses:
        return 1.0
    below = float(bdtr(fewer - 1, discordant, 0.5)) if fewer else 0.0
    return min(1.0, below + float(bdtr(fewer, discordant, 0.5)))


def paired_p(differences: Sequence[float], clusters: Sequence[str] | None = None) -> float:
    """Two-sided p value of "the mean difference is zero": Student's t on the cluster-robust standard error, G-1 degrees.

    1 when every difference is zero or there is one unit alone.
    """
    from scipy.special import stdtr

    values_N = _scores(differences)
    units = len(_units(values_N, clusters)[0])
    error = standard_error(differences, clusters)
    if units < 2:
        return 1.0
    if error < 1e-9:
        return 1.0 if abs(float(values_N.mean())) < 1e-12 else 0.0
    return float(2 * stdtr(units - 1, -abs(float(values_N.mean())) / error))


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p values, in the order given, that hold the chance of any false alarm (Holm 1979, Scand. J. Stat. 6:65)."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def standard_error(values: Sequence[float], clusters: Sequence[str] | None = None) -> float:
    """The standard error of the mean; with clusters the cluster-robust one. 0 for one unit alone.

    √(G/(G-1) · Σ_g (Σ_{i in g} (x_i - x̄))²) / n (Liang & Zeger 1986; Cameron & Miller 2015, J. Hum. Resour. 50:317,
    with the finite-cluster factor). Each example its own cluster, it is the textbook s/√n.
    """
    values_N = _scores(values)
    sums_G, sizes_G = _units(values_N, clusters)
    units = len(sums_G)
    if units < 2:
        return 0.0
    influence_G = sums_G - float(values_N.mean()) * sizes_G
    return math.sqrt(units / (units - 1) * float(np.square(influence_G).sum())) / len(values_N)


def standard_deviation(values: Sequence[float], clusters: Sequence[str] | None = None) -> float:
    """The standard deviation of an example that has the standard error at hand: √n · SE, the design effect included."""
    return standard_error(values, clusters) * math.sqrt(len(values))


def minimum_detectable(sd: float, n: int, power: float = 0.8, confidence: float = 0.95) -> float:
    """The smallest true mean difference that n paired examples show with this power: (z_{1-α/2} + z_power) · sd / √n.

    `sd` is that of the differences, from `standard_deviation` (Miller 2024, arXiv:2411.00640, power analysis).
    """
    return (_z(confidence) + NormalDist().inv_cdf(power)) * sd / math.sqrt(n)


def least_visible(units: int, confidence: float = 0.95) -> float:
    """The smallest mean difference whose interval can leave zero out at all with so many independent units.

    u / (1 - u), u the unseen share that `bootstrap_mean` allows for: there low = d - u·(1 + d) > 0. At most 1.
    """
    unseen = _unseen(units, 1 - confidence)
    return min(1.0, unseen / (1 - unseen))


def examples_needed(difference: float, sd: float, power: float = 0.8, confidence: float = 0.95) -> int | None:
    """How many paired examples show this true mean difference with this power: `minimum_detectable` solved for n.

    None when the difference is zero: no number would.
    """
    if difference == 0:
        return None
    return max(1, math.ceil(((_z(confidence) + NormalDist().inv_cdf(power)) * sd / difference) ** 2))


def _unseen(units: int, alpha: float) -> float:
    """The share of values of another kind that may be there though none of `units` shows it."""
    return float(1 - (alpha / 2) ** (1 / units))


def _z(confidence: float) -> float:
    return NormalDist().inv_cdf((1 + confidence) / 2)


def _scores(values: Sequence[float]) -> Floats:
    if len(values) == 0:
        raise ValueError("no values")
    return np.asarray(values, dtype=np.float64)


def _units(values_N: Floats, clusters: Sequence[str] | None) -> tuple[Floats, Floats]:
    """Sum and size of each independent unit: an example alone, or a cluster (in order of first appearance)."""
    if clusters is None:
        return values_N, np.ones_like(values_N)
    if len(clusters) != len(values_N):
        raise ValueError(f"{len(clusters)} cluster names for {len(values_N)} values")
    index: dict[str, int] = {}
    unit_N = np.array([index.setdefault(name, len(index)) for name in clusters])
    sizes_G: Floats = np.bincount(unit_N).astype(np.float64)
    return np.bincount(unit_N, weights=values_N).astype(np.float64), sizes_G


def _resampled_means(
    sums_G: Floats, sizes_G: Floats, resamples: int, generator: np.random.Generator
) -> Floats:
    """Means of `resamples` draws of G units with replacement, [resamples]."""
    kinds_K2, counts_K = np.unique(np.stack([sums_G, sizes_G], axis=1), axis=0, return_counts=True)
    units = len(sums_G)
    if len(kinds_K2) <= _FEW_KINDS:
        drawn_BK = generator.multinomial(units, counts_K / units, size=resamples)
        totals_B2 = drawn_BK @ kinds_K2
        return np.asarray(totals_B2[:, 0] / totals_B2[:, 1])
    same_size = bool((sizes_G == sizes_G[0]).all())
    means_B = np.empty(resamples)
    block = max(1, _BLOCK // units)
    for start in range(0, resamples, block):
        stop = min(start + block, resamples)
        drawn_bG = generator.integers(0, units, size=(stop - start, units))
        totals_b = sums_G.take(drawn_bG).sum(axis=1)
        sizes_b = units * sizes_G[0] if same_size else sizes_G.take(drawn_bG).sum(axis=1)
        means_B[start:stop] = totals_b / sizes_b
    return means_B


def _bca_levels(
    means_B: Floats, mean: float, acceleration: float, units: int, alpha: float
) -> tuple[float, float]:
    """The two quantile levels of the BCa interval, expanded for small samples."""
    from scipy.special import ndtr, ndtri, stdtrit

    below = float((means_B < mean - 1e-12).mean())
    tied = float((np.abs(means_B - mean) <= 1e-12).mean())
    edge = 1 / (len(means_B) + 1)
    bias = float(ndtri(min(max(below + tied / 2, edge), 1 - edge)))
    tail = math.sqrt(units / (units - 1)) * float(stdtrit(units - 1, alpha / 2))
    shifted = (bias + tail, bias - tail)
    # where the correction passes its pole (a handful of very skewed units), the level is at the end of the range
    low, high = (float(ndtr(bias + s / max(1 - acceleration * s, 1e-9))) for s in shifted)
    return low, high
