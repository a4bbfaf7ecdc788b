"""Plots: axes with round ticks, marks where the numbers are, titles that say what is drawn."""

import re

import pytest

from tunewright.report.data import LossPoint
from tunewright.report.plots import SHARES, axis, axis_row, interval_row, loss_curve


def test_axes_have_round_ticks():
    assert axis(0.0, 0.586).ticks == (0.0, 0.2, 0.4, 0.6)
    assert axis(-0.042, 0.018).ticks == (-0.06, -0.04, -0.02, 0.0, 0.02)
    assert axis(0, 1, 6).ticks == (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    assert axis(0.5, 0.5).low <= 0.5 <= axis(0.5, 0.5).high


def test_interval_row_places_in_percent():
    svg = interval_row(0.5, 0.25, 0.75, SHARES, "cand", "a <b>")
    assert '<circle class="dot cand" cx="50.00%"' in svg
    assert 'x1="25.00%" x2="75.00%"' in svg
    assert "<title>a &lt;b&gt;</title>" in svg


def test_signed_ticks():
    row = axis_row(axis(-0.02, 0.02), signed=True)
    assert re.findall(">([^<]+)</text>", row) == ["−2", "−1", "0", "+1", "+2"]


@pytest.mark.parametrize("points", [[], [LossPoint(1, float("inf"))]])
def test_nothing_to_draw(points):
    assert loss_curve(points, []) == ""


def test_loss_curve_rings_the_best():
    svg = loss_curve([LossPoint(1, 1.0), LossPoint(2, 0.5)], [LossPoint(1, 0.9), LossPoint(2, 0.8)])
    assert svg.count('class="best"') == 1
    assert "best dev loss 0.8 at step 2" in svg
