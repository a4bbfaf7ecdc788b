"""When something was: the moments that fields of rows name, in the forms in which files write them.

moment_of("2026-03-25T10:00:00Z")   →  1774432800.0
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

_MILLISECONDS = 1e11
"""A number above this counts milliseconds: in seconds it is the year 5138."""
_LAST_YEAR, _FIRST_DAY = 9999, 1000_01_01


def moment_of(value: Any) -> float | None:
    """Seconds since 1970; None for what is no date.

    ISO 8601 (a date without a time is its midnight, a time without a zone is UTC), the dates of mails, numbers of Unix
    seconds or milliseconds, in texts too; a number of four digits is a year, and one of eight that is a date is that date.
    """
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return _of_number(value)
    if not isinstance(value, str) or not (text := value.strip()):
        return None
    try:
        number = float(text)
    except ValueError:
        return _of_text(text)
    return _of_number(number) if text.isascii() else None


def _of_text(text: str) -> float | None:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = read(text)
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
    return None


def _of_number(number: float) -> float | None:
    if number != number or abs(number) > 1e15:
        return None
    if number == int(number):
        day = _of_day(int(number))
        if day is not None:
            return day
    return number / 1000 if abs(number) > _MILLISECONDS else float(number)


def _of_day(number: int) -> float | None:
    """The year of four digits, or the date of eight, that a number is."""
    try:
        if 1000 <= number <= _LAST_YEAR:
            return datetime(number, 1, 1, tzinfo=UTC).timestamp()
        if number >= _FIRST_DAY:
            return datetime(number // 10000, number // 100 % 100, number % 100, tzinfo=UTC).timestamp()
    except ValueError:
        pass
    return None
