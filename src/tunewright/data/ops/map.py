"""map: parts of a row written anew from its other parts."""

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from tunewright.core.example import Example, make_document, make_example
from tunewright.core.message import Conversation
from tunewright.data.kinds import Kind
from tunewright.data.ops._expression import Expression, checked
from tunewright.data.ops.op import REJECTED, Dropped, Each, Kept, OpSpec, Said, Touched

VERSION = "2"
SPOKEN = ("input", "expected", "rejected")
"""What a template writes into the conversation; any other name is a field."""
_KINDS: Mapping[str, Kind] = {
    **dict.fromkeys((*SPOKEN, "source"), "text"),
    **dict.fromkeys(("turns", "chars"), "number"),
    "desirable": "boolean",
}
"""Of what every row has besides its fields."""


class Map(OpSpec):
    """Write the question, the answer or fields anew, each from a template over the row as it was."""

    op: Literal["map"] = "map"
    """Chooses this op."""
    set: dict[str, str] = Field(min_length=1)
    """What → Jinja template over the names that `filter` knows: {input: "{{ subject }}: {{ input }}"}. `input` is the last
    question, `expected` the answer or a document's text, `rejected` the worse answer; other names are fields. A field's
    template that is one expression gives its value as it is: "{{ n + 1 }}" a number, "{{ tags|length > 1 }}" true or false,
    "{{ tags }}" a list; "{{ n|string }}" a text."""

    @model_validator(mode="after")
    def _can_be_set(self) -> Self:
        fixed = {"turns", "chars", "source", "desirable"} & self.set.keys()
        if fixed:
            raise ValueError(f"{sorted(fixed)[0]} is what the row is, and cannot be set")
        for text in self.set.values():
            checked(text, template=True)
        return self


def reads(spec: Map) -> Mapping[str, frozenset[str]]:
    """The fields that its templates cannot do without."""
    return {f"set.{name}": Expression(text, "", template=True).reads for name, text in spec.set.items()}


def writes(spec: Map, given: frozenset[str]) -> frozenset[str]:
    """The fields that it sets."""
    return frozenset(spec.set) - set(SPOKEN)


def touches(spec: Map, given: frozenset[str]) -> Touched:
    """What its templates name. A field's template that is one expression gives any value, another one a text."""
    made = {name: Expression(text, "", template=True, native=True) for name, text in spec.set.items()}
    kinds = {name: _kind(spec.set[name]) if one.is_native else "text" for name, one in made.items()}
    return Touched(
        frozenset[str]().union(*(one.names for one in made.values())),
        changes=frozenset(spec.set),
        adds=frozenset({REJECTED} & spec.set.keys()),
        kinds=kinds,
    )


def _kind(expression: str) -> Kind:
    """What a template is that is one expression: known where that is a name of what every row has."""
    return _KINDS.get(expression.strip().removeprefix("{{").removesuffix("}}").strip(), "any")


def each(spec: Map) -> Each:
    """The rows with these parts anew; one that would ask or answer nothing is dropped. Raises DataError."""
    made = {
        name: Expression(text, f"recipe, map.set.{name}", template=True, native=name not in SPOKEN)
        for name, text in spec.set.items()
    }

    def said(row: Example) -> Said:
        if row.messages[-1].tool_calls and "expected" in made:
            return Dropped(row, "its answer calls tools, and cannot be set as a text")
        if row.is_document and (made.keys() & {"input", "rejected"}):
            return Dropped(row, "a document has neither a question nor a worse answer to set")
        values = {name: template.plain(row) for name, template in made.items()}
        blank = next((name for name in SPOKEN if name in values and not values[name].strip()), None)
        if blank is not None:
            return Dropped(row, f"its {blank} would be blank")
        return Kept(written(row, values), row)

    return said


def written(row: Example, values: dict[str, Any]) -> Example:
    """The row with these values for its question, answers and fields."""
    fields = {**row.fields, **{name: value for name, value in values.items() if name not in SPOKEN}}
    if row.is_document:
        return make_document(values.get("expected", row.expected), fields=fields, origin=row.origin)
    return make_example(
        _said(row, values),
        fields=fields,
        origin=row.origin,
        rejected=values.get("rejected", row.rejected),
        desirable=row.desirable if row.rated else None,
    )


def _said(row: Example, values: dict[str, Any]) -> Conversation:
    messages = list(row.messages)
    if "input" in values:
        at = max(number for number, message in enumerate(messages) if message.role == "user")
        messages[at] = messages[at].model_copy(update={"content": values["input"]})
    if "expected" in values:
        messages[-1] = messages[-1].model_copy(update={"content": values["expected"]})
    return tuple(messages)
