"""Cohen's kappa, by worked examples."""

import pytest

from tunewright.core.interval import wilson
from tunewright.data.review.agreement import cohens_kappa


def test_a_worked_example() -> None:
    # two readers of 50 grant proposals: both yes 20, both no 15, apart 5 and 10
    pairs = [("yes", "yes")] * 20 + [("yes", "no")] * 5 + [("no", "yes")] * 10 + [("no", "no")] * 15
    found = cohens_kappa(pairs)
    assert found is not None
    assert (found.things, found.by_chance) == (50, 0.5)
    assert found.observed == wilson(35, 50)
    assert found.kappa == pytest.approx((0.4, 2 * found.observed.low - 1, 2 * found.observed.high - 1))


def test_three_kinds_and_systematic_disagreement() -> None:
    three, never = cohens_kappa([("a", "a"), ("b", "b"), ("c", "c")]), cohens_kappa([("a", "b"), ("b", "a")])
    assert three is not None
    assert never is not None
    assert three.by_chance == pytest.approx(1 / 3)
    assert three.kappa == pytest.approx((1, 0.1578, 1), abs=1e-4)  # three things are few: no point
    assert never.kappa == pytest.approx((-1, -1, 0.3152), abs=1e-4)


def test_where_nearly_all_is_of_one_kind_chance_is_high_and_kappa_low() -> None:
    found = cohens_kappa([("a", "a")] * 90 + [("a", "b")] * 5 + [("b", "a")] * 5)
    assert found is not None
    assert (found.observed.value, found.by_chance) == pytest.approx((0.9, 0.905))
    assert found.kappa is not None
    assert found.kappa.value == pytest.approx(-0.0526, abs=1e-4)
    assert found.kappa.high > 0.4  # nothing is known


def test_where_it_says_nothing() -> None:
    assert cohens_kappa([]) is None
    always = cohens_kappa([("a", "a")] * 3)
    assert always is not None
    assert always.kappa is None
