"""How numbers are said."""

from tunewright.decide.phrase import about, count, interval, percent, points, span
from tunewright.decide.verdict import Interval


def test_numbers():
    assert [percent(0.961), percent(1.0)] == ["96.1 %", "100.0 %"]
    assert [points(0.549), points(-0.02), points(-0.0001), points(0.0)] == ["+54.9", "−2.0", "0.0", "0.0"]
    assert interval(Interval(value=0.1, low=-0.05, high=0.25)) == "+10.0 points [−5.0, +25.0]"
    assert span(Interval(value=0.5, low=0.25, high=0.75)) == "[25.0, 75.0]"
    assert [count(1, "example"), count(2000, "example")] == ["1 example", "2,000 examples"]
    assert [about(7), about(99), about(367), about(1201), about(15000)] == [
        "7",
        "99",
        "370",
        "1,300",
        "15,000",
    ]
