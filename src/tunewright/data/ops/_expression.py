"""What expressions and templates of operations may say of a row, in a sandbox."""

from collections.abc import Callable
from typing import Any

from jinja2 import TemplateError, TemplateSyntaxError, UndefinedError

from tunewright.core.errors import DataError
from tunewright.core.example import Example
from tunewright.data.names import did_you_mean, listed
from tunewright.data.template import ENVIRONMENT

_FAULTS = (
    TemplateError,
    ArithmeticError,
    LookupError,
    TypeError,
    ValueError,
    AttributeError,
    RecursionError,
    MemoryError,
)


def names(row: Example) -> dict[str, Any]:
    """A row's fields by their names, and over them what every row has."""
    return {
        **row.fields,
        **_own(row),
    }


def _own(row: Example) -> dict[str, Any]:
    """What every row has."""
    return {
        "input": row.input_text,
        "expected": row.expected,
        "rejected": row.rejected,
        "desirable": row.desirable,
        "turns": len(row.messages),
        "chars": sum(message.chars for message in row.messages),
        "source": row.origin.source if row.origin else None,
    }


class Expression:
    """A Jinja expression, or the template `{{ … }}` around it, over a row's names."""

    def __init__(self, source: str, where: str, *, template: bool = False) -> None:
        """Raises DataError where it is no Jinja."""
        self._where = where
        text = source if template else "{{ " + source + " }}"
        try:
            self.asked = ENVIRONMENT.asks_for(text)
            self._run: Callable[..., Any] = (
                ENVIRONMENT.from_string(source).render
                if template
                else ENVIRONMENT.compile_expression(source, undefined_to_none=False)
            )
        except TemplateSyntaxError as error:
            raise DataError(
                f"{source!r} cannot be read ({str(error.message).rstrip('.')}).",
                where=where,
                fix="Write a Jinja expression over the row's fields, input and expected: chars < 500.",
            ) from None

    def __call__(self, row: Example) -> Any:
        """Its value for a row. Raises DataError, with the row's place, where it has none."""
        known = names(row)
        if hidden := sorted(self.asked & row.fields.keys() & _own(row).keys()):
            raise DataError(
                f"{row.place} has a field {hidden[0]!r}, and every row has a {hidden[0]} of its own: which is meant?",
                where=self._where,
                fix=f"Map the field to another name under the source's columns: {{my_{hidden[0]}: {hidden[0]}}}.",
            )
        try:
            value = self._run(known)
            return str(value) if hasattr(value, "_undefined_name") else value
        except UndefinedError as error:
            hints = (did_you_mean(name, known) for name in sorted(self.asked - known.keys()))
            raise DataError(
                f"of {row.place} there is no value ({error.message}); it has {listed(known)}.",
                where=self._where,
                fix=next(filter(None, hints), "Ask `name is defined` first, where not every row has it."),
            ) from None
        except _FAULTS as error:
            raise DataError(
                f"of {row.place} there is no value ({str(error) or type(error).__name__}).", where=self._where
            ) from None


def checked(source: str, *, template: bool = False) -> str:
    """The source, where it is Jinja; for settings. Raises ValueError."""
    try:
        Expression(source, "", template=template)
    except DataError as error:
        raise ValueError(f"{error.message} {error.fix}") from None
    return source
