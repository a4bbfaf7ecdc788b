"""Histograms: columns as high as their counts, every number in the picture's label."""

import re
from xml.etree import ElementTree

from tunewright.report.histogram import columns


def heights(svg):
    return [float(found) for found in re.findall(r'<rect[^>]* height="([\d.]+)"', svg)]


def test_columns_are_as_high_as_their_counts():
    svg = columns("Tokens", [0, 10, 20, 50], [1, 4, 2])
    assert heights(svg) == [32, 128, 64]
    assert 'aria-label="Tokens. 0 to 9: 1; 10 to 19: 4; 20 to 49: 2"' in svg
    assert re.findall(r">([\dk]+)</text>", svg) == ["1", "4", "2", "0", "10", "20", "50"]
    ElementTree.fromstring(svg)


def test_empty_columns_are_left_out_and_small_ones_are_seen():
    assert heights(columns("x", [0, 1, 2, 3], [10_000, 0, 1])) == [128, 1.5]
    assert heights(columns("x", [], [])) == []


def test_thousands_are_short_and_hostile_captions_stay_text():
    svg = columns('<b>"\x00', [1000, 2500, 100_000], [1, 1])
    assert ">1k</text>" in svg
    assert ">2.5k</text>" in svg
    assert "<b>" not in svg
    ElementTree.fromstring(svg)
