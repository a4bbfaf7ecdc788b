"""The JSON form of the values of typed columns: of Parquet, Arrow and databases.

Dates and times are ISO texts, decimals and spans of time texts, bytes UTF-8 texts (base64 where they are none), NaN null.
"""

import base64
import datetime
import decimal
import ipaddress
import math
import uuid
from typing import Any

from tunewright.core.strict_json import MAX_DEPTH
from tunewright.data.rows import BadRow, Reject, Row

_RAW = 2000
_WRITTEN = (
    *(decimal.Decimal, datetime.timedelta, uuid.UUID),
    *(ipaddress.IPv4Address, ipaddress.IPv6Address, ipaddress.IPv4Interface, ipaddress.IPv6Interface),
    *(ipaddress.IPv4Network, ipaddress.IPv6Network),
)


def row_of(number: int, values: dict[str, Any]) -> Row | Reject:
    """The row of a typed table's values, or why it is none."""
    try:
        return Row(number, {name: json_form(value) for name, value in values.items()})
    except BadRow as error:
        return Reject(number, str(error), repr(values)[:_RAW])


def json_form(value: Any, depth: int = 0) -> Any:
    """A value's JSON form. Raises BadRow where it has none."""
    if value is None or isinstance(value, str | bool | int):
        return value
    if depth > MAX_DEPTH:
        raise BadRow(f"not JSON: it is nested more than {MAX_DEPTH} deep")
    if isinstance(value, float):
        if math.isinf(value):
            raise BadRow("not JSON: a number is infinite")
        return None if math.isnan(value) else value
    if isinstance(value, dict):
        return {key: json_form(part, depth + 1) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [json_form(part, depth + 1) for part in value]
    return _text(value)


def _text(value: Any) -> str:
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    if isinstance(value, bytes | bytearray | memoryview):
        data = bytes(value)
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError:
            return base64.b64encode(data).decode("ascii")
    if isinstance(value, _WRITTEN):
        return str(value)
    raise BadRow(f"not JSON: a {type(value).__name__} has no JSON form")
