"""When something was: the moments that fields of rows name, in the forms in which files write them.

moment_of("2026-03-25T10:00:00Z")   →  1774432800.0
"""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

_MILLISECONDS = 1e11
"""A number above this counts milliseconds: in seconds it is the year 5138."""
_FORMS = {4: "%Y", 8: "%Y%m%d", 14: "%Y%m%d%H%M%S"}
"""Of numbers of so many digits."""
_FEWEST_SECONDS = 1e8
"""A smaller number (in seconds, before March 1973) that is neither a year nor a date counts something else."""
_BEGIN, _END = -62_135_596_800, 253_402_300_800
"""The years 1 to 9999."""


def moment_of(value: Any) -> float | None:
    """Seconds since 1970; None for what is no date.

    ISO 8601 (a date without a time is its midnight, a time without a zone is UTC), the dates of mails, numbers of Unix
    seconds or milliseconds, in texts too; a number of four digits is a year, one of eight a date, one of fourteen a date
    and time. Smaller numbers than those are none: they count turns, not seconds since 1970.
    """
    found = _read(value)
    return found if found is not None and _BEGIN <= found < _END else None


def _read(value: Any) -> float | None:
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
    if number == int(number) and (day := _of_day(int(number))) is not None:
        return day
    if abs(number) < _FEWEST_SECONDS:
        return None
    return number / 1000 if abs(number) > _MILLISECONDS else float(number)


def _of_day(number: int) -> float | None:
    """The year of four digits, the date of eight, or the date and time of fourteen, that a number is."""
    form = _FORMS.get(len(str(number)))
    try:
        return datetime.strptime(str(number), form).replace(tzinfo=UTC).timestamp() if form else None
    except ValueError:
        return None
