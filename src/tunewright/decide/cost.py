"""What answering costs: by token prices (exact, part of the verdict) and by machine time (measured, kept apart from it)."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from tunewright.decide.spec import PriceSpec
from tunewright.evals.scorecard import Scorecard

_SECONDS_PER_HOUR = 3600


class LatencySummary(NamedTuple):
    """Measured times of one variant on this machine."""

    p50: float
    """Median seconds an answer took."""
    p95: float
    """Seconds that 95 % of answers stayed within."""
    per_1000: float | None
    """Machine cost of 1,000 requests one after another, or none where no hourly price is set."""
    requests_per_s: float
    """Requests a second at the rate measured."""


def token_cost(card: Scorecard, prices: PriceSpec) -> float | None:
    """The price of 1,000 requests like the card's, by their mean tokens in and out; None where no price is set."""
    if not card.replies or not (prices.input_per_million or prices.output_per_million):
        return None
    spent = sum(
        reply.tokens_in * prices.input_per_million + reply.tokens_out * prices.output_per_million
        for reply in card.replies
    )
    return spent / len(card.replies) / 1_000_000 * 1000


def latency_cost(latencies_s: Sequence[float], prices: PriceSpec) -> LatencySummary | None:
    """Summary of the wall seconds of single requests (each its share of a batch); None for no requests."""
    if not latencies_s:
        return None
    p50, p95 = (float(value) for value in np.quantile(latencies_s, (0.5, 0.95)))
    mean = sum(latencies_s) / len(latencies_s)
    hourly = prices.machine_per_hour
    return LatencySummary(
        p50, p95, mean * 1000 / _SECONDS_PER_HOUR * hourly if hourly else None, 1 / mean if mean > 0 else 0.0
    )
