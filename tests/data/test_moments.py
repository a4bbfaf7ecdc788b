import pytest

from tunewright.data.moments import moment_of

NOON = 1_774_440_000.0


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-03-25T12:00:00Z", NOON),
        (" 2026-03-25 12:00:00 ", NOON),
        ("2026-03-25T14:00:00+02:00", NOON),
        ("Wed, 25 Mar 2026 13:00:00 +0100", NOON),
        ("2026-03-25", NOON - 12 * 3600),
        ("20260325", NOON - 12 * 3600),
        (20260325, NOON - 12 * 3600),
        (int(NOON), NOON),
        (str(int(NOON)), NOON),
        (NOON + 0.5, NOON + 0.5),
        (int(NOON) * 1000, NOON),
        (2026, 1_767_225_600.0),
        ("2026", 1_767_225_600.0),
        (0, 0.0),
        ("1774440000.123456", 1774440000.123456),
    ],
)
def test_moments(value, moment):
    assert moment_of(value) == moment


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "  ",
        "soon",
        "25/03",
        True,
        [],
        {},
        "2026-13-40",
        "nan",
        float("nan"),
        1e300,
        "1" * 400,
        "٣",
        "Mon",
        "a" * 9999,
    ],
)
def test_no_moments(value):
    assert moment_of(value) is None
