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
        (20260325120000, NOON),
        ("20260325120000", NOON),
        (99_999_999_999, 99_999_999_999.0),
        ("1900-01-01T00:00:00Z", -2_208_988_800.0),
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
        0,  # a counter is no moment: 1000 of them would be a year
        999,
        "12345",
        20261345,
        1e15,
        -1e15,
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
    ],
)
def test_no_moments(value):
    assert moment_of(value) is None
