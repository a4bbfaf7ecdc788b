"""Machine cost and latency by hand."""

import pytest

from tunewright.decide.cost import LatencySummary, latency_cost
from tunewright.decide.spec import PriceSpec


def test_latency_summary_by_hand():
    # 1,000 requests of 0.36 s are a tenth of an hour
    summary = latency_cost([0.36] * 10, PriceSpec(machine_per_hour=2.0))
    assert summary == LatencySummary(0.36, 0.36, pytest.approx(0.2), pytest.approx(1 / 0.36))


def test_quantiles_and_no_price():
    summary = latency_cost([0.1, 0.2, 0.3, 0.4, 1.0], PriceSpec())
    assert summary is not None
    assert summary[:3] == (pytest.approx(0.3), pytest.approx(0.88), None)
    assert latency_cost([], PriceSpec()) is None
