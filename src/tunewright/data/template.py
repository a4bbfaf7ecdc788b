"""The user's message: a Jinja template over a row's columns, in a sandbox, strict about what it does not know."""

import json
from typing import Any

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, UndefinedError, pass_context

from tunewright.core.errors import DataError
from tunewright.data.names import did_you_mean, listed
from tunewright.data.rows import BadRow
from tunewright.data.sandbox import Rendering, Sandbox
from tunewright.data.sandbox_sizes import TooMuch

_MOST_BEYOND = 20
"""Rows for which a template takes too much, one after the other, before it is the template's fault: each takes a while."""


class _NullPrinted(ValueError):
    pass


@pass_context
def _printed(context: Rendering, value: Any) -> Any:
    """What `{{ value }}` prints: JSON for what has no text of its own; a null must not become the word None."""
    if value is None:
        raise _NullPrinted("it prints a column that is null in this row")
    context.pay_for(value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, bool | dict | list) else value


ENVIRONMENT = Sandbox(undefined=StrictUndefined, autoescape=False, finalize=_printed)


class InputTemplate:
    """`task.input`, compiled once."""

    def __init__(self, source: str) -> None:
        """Raises DataError where the template is no Jinja."""
        self._beyond = 0
        try:
            self._template = ENVIRONMENT.from_string(source)
            self.names = ENVIRONMENT.asks_for(source)
        except TemplateSyntaxError as error:
            raise DataError(
                f"the input template is not valid Jinja ({error.message}, line {error.lineno} of the template).",
                where="task.input",
                fix="See https://jinja.palletsprojects.com/templates.",
            ) from None

    def render(self, columns: dict[str, Any]) -> str:
        """The message for one row. Raises BadRow, whatever goes wrong: the row or the template is at fault.

        Raises DataError where it takes more than it may for so many rows in a row that the template is.
        """
        try:
            said = self._template.render(columns)
            self._beyond = 0
            return said
        except TooMuch as error:
            self._beyond += 1
            if self._beyond == _MOST_BEYOND:
                raise DataError(
                    f"the input template: {error}, and {_MOST_BEYOND} rows one after the other came to that.",
                    where="task.input",
                    fix="Write a template that only puts a row's columns together.",
                ) from None
            raise BadRow(f"template: {error}") from None
        except UndefinedError as error:
            raise BadRow(f"template: {error.message}; {_known(columns, self.names)}") from None
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
            raise BadRow(f"template: {error}") from None
        except RecursionError:
            raise BadRow("template: it nests too deep") from None
        except MemoryError:
            raise BadRow("template: what it makes does not fit into memory") from None


def _known(columns: dict[str, Any], asked: frozenset[str]) -> str:
    hints = [did_you_mean(name, columns) for name in sorted(asked - columns.keys())]
    hint = next((f"; {hint[0].lower()}{hint[1:]}" for hint in hints if hint), "")
    return f"the row has {listed(columns)}{hint}"
