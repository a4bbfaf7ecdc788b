"""Statistics: numbers worked by hand or known from papers, and simulations of coverage and false alarms."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunewright.evals import stats


def test_mcnemar_midp_by_hand():
    # 1 of 7 discordant: two-sided exact 2·(1 + 7)/128 = 0.125, less P(X = 1) = 7/128
    assert stats.mcnemar_midp(1, 6) == pytest.approx(16 / 128 - 7 / 128)
    assert stats.mcnemar_midp(6, 1) == stats.mcnemar_midp(1, 6)
    assert stats.mcnemar_midp(0, 6) == pytest.approx(1 / 64)
    assert stats.mcnemar_midp(0, 0) == 1.0
    assert stats.mcnemar_midp(9, 9) == 1.0
    assert stats.mcnemar_midp(4000, 100) < 1e-100


def test_standard_errors_by_hand():
    assert stats.standard_error([1.0, 2.0, 3.0, 4.0]) == pytest.approx(math.sqrt(5 / 3) / 2)
    # two clusters, residual sums -2 and +2: √(2/1 · 8) / 4 = 1
    assert stats.standard_error([1.0, 2.0, 3.0, 4.0], ["a", "a", "b", "b"]) == pytest.approx(1.0)
    assert stats.standard_error([0.5]) == 0.0
    assert stats.standard_deviation([1.0, 2.0, 3.0, 4.0]) == pytest.approx(math.sqrt(5 / 3))


def test_power_is_its_own_inverse():
    # (1.95996 + 0.84162) · 0.5 / 10
    assert stats.minimum_detectable(0.5, 100) == pytest.approx(0.140079, abs=1e-6)
    assert stats.examples_needed(0.140079, 0.5) == 101
    assert stats.examples_needed(-0.1, 0.5) == 197
    assert stats.examples_needed(0.0, 0.5) is None
    assert stats.examples_needed(0.1, 0.0) == 1


def test_least_visible_is_where_the_interval_clears_zero():
    # all 36 alike: u = 1 - 0.025^(1/36) = 0.09740, u / (1 - u) = 0.10791
    assert stats.least_visible(36) == pytest.approx(0.10791, abs=1e-5)
    assert stats.least_visible(1) == 1.0
    for gain, clears in ((0.107, False), (0.109, True)):
        assert (stats.paired_bootstrap([gain] * 36, [0.0] * 36).low > 0) is clears


def test_holm_by_hand():
    assert stats.holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert stats.holm([0.9, 0.8]) == [1.0, 1.0]
    assert stats.holm([]) == []


def test_paired_p_is_students_t():
    from scipy.stats import ttest_1samp

    values = [0.3, -0.1, 0.4, 0.0, 0.2, 0.5]
    assert stats.paired_p(values) == pytest.approx(ttest_1samp(values, 0).pvalue)
    assert stats.paired_p([0.0, 0.0, 0.0]) == 1.0
    assert stats.paired_p([0.25, 0.25, 0.25]) == 0.0
    assert stats.paired_p([1.0]) == 1.0


def test_constant_samples_get_an_honest_width():
    # with 200 of 200 alike, a share of 1 - 0.025^(1/200) of others may have gone unseen
    assert stats.paired_bootstrap([1.0] * 200, [0.0] * 200) == pytest.approx(
        (1.0, 1 - 2 * 0.018275, 1.0), abs=1e-5
    )
    assert stats.paired_bootstrap([1.0], [0.0]) == pytest.approx((1.0, -0.95, 1.0))
    assert stats.bootstrap_mean([1.0] * 9, clusters=["a"] * 9) == pytest.approx((1.0, 0.025, 1.0))


def test_bootstrap_is_seeded_and_near_the_normal_interval():
    generator = np.random.default_rng(3)
    for values in (generator.random(400).tolist(), generator.integers(0, 2, 400).astype(float).tolist()):
        estimate = stats.bootstrap_mean(values)
        assert estimate == stats.bootstrap_mean(values, seed=0)
        half = 1.96 * stats.standard_error(values)
        assert estimate == pytest.approx(
            (np.mean(values), np.mean(values) - half, np.mean(values) + half), abs=0.003
        )


def test_singleton_clusters_change_nothing():
    values = [0.0, 1.0, 1.0, 0.5, 0.0, 1.0, 1.0]
    names = [str(index) for index in range(len(values))]
    assert stats.bootstrap_mean(values, clusters=names) == stats.bootstrap_mean(values)


def test_lengths_must_match():
    with pytest.raises(ValueError, match="shorter"):
        stats.paired_bootstrap([1.0, 0.0], [1.0])
    with pytest.raises(ValueError, match="2 cluster names for 1 values"):
        stats.bootstrap_mean([1.0], clusters=["a", "b"])
    with pytest.raises(ValueError, match="no values"):
        stats.bootstrap_mean([])


@given(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=30), st.data())
def test_intervals_hold_their_value_and_bounds(values, data):
    clusters = data.draw(
        st.none() | st.lists(st.sampled_from("abc"), min_size=len(values), max_size=len(values))
    )
    estimate = stats.bootstrap_mean(values, resamples=200, clusters=clusters)
    assert 0.0 <= estimate.low <= estimate.value + 1e-12
    assert estimate.value - 1e-12 <= estimate.high <= 1.0


def _misses(draw, truth, runs, *, clusters=None):
    """How many of `runs` 95 % intervals miss the truth."""
    generator = np.random.default_rng(20)
    estimates = (
        stats.bootstrap_mean(draw(generator), resamples=1000, clusters=clusters, bounds=(-1, 1))
        for _ in range(runs)
    )
    return sum(not e.low <= truth <= e.high for e in estimates)


def test_coverage_on_small_and_rare_paired_differences():
    """95 % intervals miss at most 5 % + 3 binomial standard errors of 400 runs; small and skewed samples too."""
    chances = {"even": (0.2, 0.2), "gain": (0.4, 0.1), "rare": (0.03, 0.0)}
    misses = {
        (name, n): _misses(
            lambda g, n=n, w=win, x=loss: g.choice([1.0, -1.0, 0.0], size=n, p=[w, x, 1 - w - x]),
            win - loss,
            400,
        )
        / 400
        for name, (win, loss) in chances.items()
        for n in (20, 100)
    }
    assert {key: share for key, share in misses.items() if share > 0.083} == {}


def test_clusters_hold_the_false_alarms_that_independence_lets_through():
    """60 clusters of 5 alike examples, no difference: the plain interval alarms often, the clustered one at about 5 %."""
    names = [str(index // 5) for index in range(300)]

    def draw(generator):
        shared = np.repeat(generator.normal(0, 0.2, 60), 5)
        return np.clip(shared + generator.normal(0, 0.2, 300), -1, 1)

    assert _misses(draw, 0.0, 300) / 300 > 0.12
    assert _misses(draw, 0.0, 300, clusters=names) / 300 < 0.09
    generator = np.random.default_rng(1)
    alarms = sum(stats.paired_p(draw(generator).tolist(), names) < 0.05 for _ in range(400))
    assert alarms / 400 < 0.083


def test_power_by_simulation():
    """At the minimum detectable difference, about 80 % of runs find it."""
    generator = np.random.default_rng(5)
    gain = stats.minimum_detectable(0.3, 150)
    found = sum(stats.paired_p(generator.normal(gain, 0.3, 150).tolist()) < 0.05 for _ in range(400))
    assert found / 400 == pytest.approx(0.8, abs=0.06)
