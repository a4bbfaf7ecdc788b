"""How a score's detail shows text and values: short, on one line, and always writable as UTF-8."""

import json

LONGEST = 60
"""Characters of a value that a detail shows."""


def show(value: object) -> str:
    """A JSON value or a text as a detail quotes it: its JSON, cut to LONGEST characters."""
    return clip(json.dumps(value, ensure_ascii=False), LONGEST)


def clip(text: str, length: int) -> str:
    """The text's first `length` characters with lone surrogates escaped, and an ellipsis where it was cut."""
    head = text[:length].encode("utf-8", "backslashreplace").decode("utf-8")
    return head + ("…" if len(text) > length else "")
