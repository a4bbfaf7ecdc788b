"""Wilson's interval, by figures of papers, of R's `binom::binom.confint(…, methods = "wilson")`, and of scipy."""

import pytest

from tunewright.core.interval import wilson


@pytest.mark.parametrize(
    ("successes", "n", "value", "low", "high"),
    [
        (0, 0, 0, 0, 1),
        (0, 10, 0, 0, 0.2775),
        (5, 10, 0.5, 0.2366, 0.7634),
        (10, 10, 1, 0.7225, 1),
        (54, 60, 0.9, 0.7985, 0.9534),
    ],
)
def test_wilson(successes: int, n: int, value: float, low: float, high: float) -> None:
    assert wilson(successes, n) == pytest.approx((value, low, high), abs=1e-4)


def test_wilson_matches_known_values() -> None:
    # 81 of 263: Newcombe 1998 (Stat. Med. 17:857), table I, method 3
    assert wilson(81, 263) == pytest.approx((81 / 263, 0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((15 / 148, 0.0624, 0.1605), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.0, 0.1611), abs=5e-5)
    assert wilson(29, 29) == pytest.approx((1.0, 0.8830, 1.0), abs=5e-5)
    assert wilson(0, 0) == (0.0, 0.0, 1.0)
    with pytest.raises(ValueError, match="5 successes of 4"):
        wilson(5, 4)


def test_wilson_agrees_with_scipy() -> None:
    from scipy.stats import binomtest

    for successes, n in ((3, 10), (50, 100), (999, 1000)):
        interval = binomtest(successes, n).proportion_ci(0.9, method="wilson")
        assert wilson(successes, n, 0.9)[1:] == pytest.approx((interval.low, interval.high))
