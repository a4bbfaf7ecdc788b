"""What expressions and templates of operations may say of a row, in a sandbox."""

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from math import isfinite
from typing import Any

from jinja2 import TemplateError, TemplateSyntaxError, UndefinedError, nodes

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


_MOST_BITS, _MOST_ITEMS, _MOST_CHARS, _DEEPEST = 10_000, 100_000, 10_000_000, 100
"""Of a number; of things in a value, and of their characters, to its depth; of lists in lists: what rows hold as a value."""
OWN = frozenset({"input", "expected", "rejected", "desirable", "turns", "chars", "source"})
"""What every row has, besides its fields."""


def names(row: Example) -> dict[str, Any]:
    """A row's fields by their names, and over them what every row has."""
    return {**row.fields, **_own(row)}


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


class NotPlain(ValueError):
    """A value that rows do not hold; the message says what it is."""


class Expression:
    """A Jinja expression, or the template `{{ … }}` around it, over a row's names."""

    def __init__(self, source: str, where: str, *, template: bool = False, native: bool = False) -> None:
        """With `native`, a template that is one expression has that one's value, and text only where it is none.

        Raises DataError where it is no Jinja.
        """
        inner = _inner(source) if native else None
        self.is_native = inner is not None
        """Whether its value is whatever the expression gives, rather than a text."""
        if inner is not None:
            source, template = inner, False
        self._where = where
        text = source if template else "{{ " + source + " }}"
        try:
            self.asked = ENVIRONMENT.asks_for(text)
            self.names = self.asked - ENVIRONMENT.globals.keys()
            """What it names of a row, what every row has and what it may do without with it."""
            self.reads = self.names - OWN - _asked_whether(text)
            """The fields without which it has no value."""
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
        return self._value(row, lambda value: str(value) if hasattr(value, "_undefined_name") else value)

    def plain(self, row: Example) -> Any:
        """Its value as rows hold it, what is worked out as it is read (`tags|map(…)`) read. Raises DataError."""
        return self._value(row, plain)

    def _value(self, row: Example, made: Callable[[Any], Any]) -> Any:
        known = names(row)
        if hidden := sorted(self.asked & row.fields.keys() & _own(row).keys()):
            raise DataError(
                f"{row.place} has a field {hidden[0]!r}, and every row has a {hidden[0]} of its own: which is meant?",
                where=self._where,
                fix=f"Map the field to another name under the source's columns: {{my_{hidden[0]}: {hidden[0]}}}.",
            )
        try:
            return made(self._run(known))
        except NotPlain as error:
            raise DataError(
                f"of {row.place} the value is {error}.",
                where=self._where,
                fix=f"Write what gives texts, numbers, true, false, null, lists and objects, of {_MOST_ITEMS:,} things and"
                f" {_MOST_CHARS:,} characters in all at most.",
            ) from None
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


def _inner(source: str) -> str | None:
    """What stands between the braces of a template that is one expression and nothing else."""
    text = source.strip()
    try:
        tree = ENVIRONMENT.parse(source)
        output = tree.body[0] if len(tree.body) == 1 else None
        if not isinstance(output, nodes.Output) or len(output.nodes) != 1:
            return None
        inner = text.removeprefix("{{").removesuffix("}}")
        inner = inner.removeprefix("-").removesuffix("-").removeprefix("+").strip()
        return inner if ENVIRONMENT.parse("{{ " + inner + " }}") == tree else None
    except TemplateSyntaxError:
        return None


def _asked_whether(source: str) -> set[str]:
    """The names of which it asks whether they are there, or that have a default: it may do without."""
    tree = ENVIRONMENT.parse(source)
    asked = [one for one in tree.find_all(nodes.Test) if one.name in ("defined", "undefined")]
    given = [one for one in tree.find_all(nodes.Filter) if one.name in ("default", "d")]
    return {one.node.name for one in (*asked, *given) if isinstance(one.node, nodes.Name)}


def plain(value: Any) -> Any:
    """An expression's value as JSON has it: what can be read item by item is a list. Raises NotPlain for another."""
    return _Plain().of(value)


class _Plain:
    """Makes one value plain, and counts what is in it: a list that stands in another many times is written as often."""

    def __init__(self) -> None:
        self._items, self._chars = _MOST_ITEMS, _MOST_CHARS

    def of(self, value: Any, deep: int = 0) -> Any:
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, int | float):
            return self._number(value)
        if deep == _DEEPEST:
            raise NotPlain("nested too deep")
        if isinstance(value, Mapping):
            self._take(len(value))
            return {self._name(name): self.of(inner, deep + 1) for name, inner in value.items()}
        if isinstance(value, Iterable):
            items = list(islice(value, self._items + 1))
            self._take(len(items))
            return [self.of(item, deep + 1) for item in items]
        raise NotPlain(f"a {type(value).__name__}")

    def _take(self, items: int) -> None:
        self._items -= items
        if self._items < 0:
            raise NotPlain(f"more than {_MOST_ITEMS:,} things")

    def _text(self, text: str) -> str:
        self._chars -= len(text)
        if self._chars < 0:
            raise NotPlain(f"more than {_MOST_CHARS:,} characters")
        return str(text)

    def _name(self, name: Any) -> str:
        if not isinstance(name, str):
            raise NotPlain(f"an object with a name that is no text ({name!r})")
        return self._text(name)

    def _number(self, number: float) -> float:
        if isinstance(number, int) and number.bit_length() > _MOST_BITS:
            raise NotPlain("a number of thousands of digits")
        if not isfinite(number):
            raise NotPlain(f"no finite number ({number})")
        return number


def checked(source: str, *, template: bool = False) -> str:
    """The source, where it is Jinja; for settings. Raises ValueError."""
    try:
        Expression(source, "", template=template)
    except DataError as error:
        raise ValueError(f"{error.message} {error.fix}") from None
    return source
