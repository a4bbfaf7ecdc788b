"""Formula: a Jinja expression or template over a row's columns, in the sandbox that `filter` and `map` use.

Formula("price * 2").of({"price": 3})                                     →  6
Formula("Ask about {{ topic }}.", template=True).of({"topic": "bills"})   →  "Ask about bills."
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Annotated, Any

from jinja2 import TemplateError, TemplateSyntaxError, Undefined
from pydantic import AfterValidator

from tunewright.data.template import ENVIRONMENT

GIVEN = frozenset(ENVIRONMENT.globals) | {"fenced"}
"""Names that every expression knows, so that no column may have them."""


class BadCell(Exception):
    """A cell that cannot be filled; says why. Whoever wrote it may be asked again."""

    place: int | None = None
    """Which of several answers is at fault; none: all together are."""


def fenced(text: object, name: str = "text", *beside: str) -> str:
    """A text between tags, for prompts: it is material, and must not end where it says that it does.

    `beside` names tags that stand in the same prompt, and that it must not forge either. Lists and objects are shown as
    JSON. Raises ValueError where there is nothing to show.
    """
    if text is None:
        raise ValueError(f"what stands between <{name}> and its end is null in this row")
    said = json.dumps(text, ensure_ascii=False) if isinstance(text, bool | list | dict) else str(text)
    names = "|".join(map(re.escape, (name, *beside)))
    said = re.sub(rf"<(?=[\s/]*(?:{names})\b)", "‹", said, flags=re.IGNORECASE)
    return f"<{name}>\n{said}\n</{name}>"


class Formula:
    """A Jinja expression, or a template, compiled once."""

    def __init__(self, source: str, *, template: bool = False) -> None:
        """Raises ValueError where it is no Jinja."""
        try:
            text = source if template else "{{ " + source + " }}"
            self.names = ENVIRONMENT.asks_for(text) - GIVEN
            """The columns that it reads."""
            run = ENVIRONMENT.from_string(source).render if template else _expression(source)
        except TemplateSyntaxError as error:
            what = "template" if template else "expression"
            said = str(error.message).rstrip(".")
            raise ValueError(f"{_short(source)!r} is not a Jinja {what} ({said})") from None
        self._run = run

    def of(self, values: Mapping[str, Any]) -> Any:
        """Its value. Raises BadCell where it has none, whatever goes wrong."""
        try:
            value = self._run({**values, "fenced": fenced})
            # what `map` and `select` make can be read once alone, and several columns may read it
            value = list(value) if isinstance(value, Iterator) else value
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
            raise BadCell(str(error) or type(error).__name__) from None
        except (RecursionError, MemoryError):
            raise BadCell("what it makes is too large, or nests too deep") from None
        if isinstance(value, Undefined):
            raise BadCell(f"{_undefined(value)} is not there")
        return value


def _undefined(value: Undefined) -> str:
    return str(getattr(value, "_undefined_name", None) or "what it asks for")


def _expression(source: str) -> Any:
    return ENVIRONMENT.compile_expression(source, undefined_to_none=False)


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "…"


@lru_cache(maxsize=512)
def template(source: str) -> Formula:
    """The template, compiled once. Raises ValueError."""
    return Formula(source, template=True)


@lru_cache(maxsize=512)
def expression(source: str) -> Formula:
    """The expression, compiled once. Raises ValueError."""
    return Formula(source)


def _checked_template(source: str) -> str:
    template(source)
    return source


def _checked_expression(source: str) -> str:
    expression(source)
    return source


Template = Annotated[str, AfterValidator(_checked_template)]
"""A setting that is a template over columns."""
Expression = Annotated[str, AfterValidator(_checked_expression)]
"""A setting that is an expression over columns."""
