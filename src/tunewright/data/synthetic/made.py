"""From a filled row to an example: its question, its answers, its fields, and where it came from."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from tunewright.core.example import Example, Origin, make_document, make_example
from tunewright.core.message import Conversation, Message
from tunewright.data.repeats import REPEAT
from tunewright.data.synthetic.columns.column import Cells
from tunewright.data.synthetic.formula import BadCell, template

PARTS = ("input", "expected", "rejected", "desirable", "system", "text")
"""What a row is made of; a column of such a name is that part."""
RULES = "rules"
"""Who wrote a row in which no model wrote."""
FROM = "written_from"
"""The field with the places of further rows that a new one was shown."""


def example(
    cells: Cells,
    parts: Mapping[str, str],
    source: str,
    number: int,
    carry: Sequence[str] | None,
    *,
    onto: Example | None = None,
) -> Example:
    """The row as an example; with `onto` that row, these parts anew. Raises BadCell.

    `carry` names the seed's fields that go along, all without it.
    """
    values = {name: _part(name, said, cells.values) for name, said in parts.items()}
    fields, origin = _fields(cells, carry), _origin(cells, source, number)
    try:
        if "text" in values:
            return make_document(_text("text", values["text"]), fields=fields, origin=origin)
        return make_example(
            _talk(values) if onto is None else _talk_onto(onto, values),
            fields=fields,
            origin=origin,
            rejected=_text("rejected", values["rejected"]) if values.get("rejected") is not None else None,
            desirable=_rating(values["desirable"]) if "desirable" in values else None,
        )
    except ValueError as error:  # of pydantic: half a surrogate pair
        raise BadCell(f"it is no text ({str(error).splitlines()[0][:80]})") from None


def _talk(values: Mapping[str, Any]) -> Conversation:
    system = str(values.get("system") or "").strip()
    head = (Message(role="system", content=system),) if system else ()
    asked = Message(role="user", content=_text("input", values["input"]))
    return (*head, asked, Message(role="assistant", content=_text("expected", values["expected"])))


def _talk_onto(row: Example, values: Mapping[str, Any]) -> Conversation:
    """The row's turns, with the last question and the answer anew where they are given."""
    if row.is_document:
        raise BadCell("a document has no question and no answer to write anew")
    last = row.messages[-1]
    if "expected" in values:
        last = Message(role="assistant", content=_text("expected", values["expected"]))
    turns = list(row.prompt)
    if "input" in values:
        at = max((place for place, turn in enumerate(turns) if turn.role == "user"), default=None)
        if at is None:
            raise BadCell("nobody asks anything in it")
        turns[at] = turns[at].model_copy(update={"content": _text("input", values["input"])})
    return (*turns, last)


def depth_of(cells: Cells) -> int:
    """How many models stand one behind the other; a row that rules alone made counts as written, too."""
    below = max((row.origin.depth for row in _seeds(cells) if row.origin), default=0)
    return max(1, below + bool(cells.teachers))


def _seeds(cells: Cells) -> list[Example]:
    further = [row for rows in cells.further.values() for row in rows]
    return further if cells.seed is None else [cells.seed, *further]


def _part(name: str, said: str, values: Mapping[str, Any]) -> Any:
    """A part's value: the column that is named, or what the template makes."""
    return values[said] if said in values else template(said).of(values)


def _text(name: str, value: Any) -> str:
    """A part as text; JSON where it is no text."""
    if value is None:
        raise BadCell(f"its {name} is not there")
    said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if not said.strip():
        raise BadCell(f"its {name} is blank")
    if "\0" in said:
        raise BadCell(f"a NUL character stands in its {name}")
    said.encode("utf-8")
    return said


def _rating(value: Any) -> bool:
    said = {"true": True, "false": False}.get(str(value).strip().lower())
    if said is None:
        raise BadCell(f"desirable is {value!r:.40}, neither true nor false")
    return said


def _fields(cells: Cells, carry: Sequence[str] | None) -> dict[str, Any]:
    own = dict(cells.seed.fields) if cells.seed is not None else {}
    own.pop(REPEAT, None)  # its seed stands again, not the new row
    carried = own if carry is None else {name: own[name] for name in carry if name in own}
    told = {
        name: _plain(name, value)
        for name, value in cells.values.items()
        if name not in PARTS and not name.startswith("_")
    }
    further = [row.place for rows in cells.further.values() for row in rows]
    # what seeds were written from stands behind this row, too, whatever it carries of them
    behind = [place for row in _seeds(cells) for place in shown(row)]
    places = list(dict.fromkeys([*further, *behind]))
    return {**carried, **told, **({FROM: places} if places else {})}


def shown(row: Example) -> list[str]:
    """The places of further rows that a written row was shown while it was written."""
    places = row.fields.get(FROM) if row.origin is not None and row.origin.depth else None
    return [place for place in places if isinstance(place, str)] if isinstance(places, list) else []


def _plain(name: str, value: Any) -> Any:
    try:
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError):
        raise BadCell(f"{name} is no JSON value ({type(value).__name__})") from None
    return value


def _origin(cells: Cells, source: str, number: int) -> Origin:
    """The seed's place, or the new row's number, with who wrote it."""
    written = {"teacher": ", ".join(cells.teachers) or RULES, "depth": depth_of(cells)}
    if cells.seed is not None and cells.seed.origin is not None:
        return cells.seed.origin.model_copy(update=written)
    return Origin(source=source, file=source, row=number, **written)
