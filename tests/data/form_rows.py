"""Rows of other tools in small, and what they become: for tests of forms."""

from typing import Any

from tunewright.data.forms import FormSpec, convert


def turn(role: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


U, A, B, S = turn("user", "Q"), turn("assistant", "A"), turn("assistant", "B"), turn("system", "S")
FROM = [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]


def said(row: dict[str, Any], name: str, **spec: Any) -> dict[str, Any]:
    """The chat row that a row of the form becomes."""
    return convert(row, FormSpec(name=name, **spec))
