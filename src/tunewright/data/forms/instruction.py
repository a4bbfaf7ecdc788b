"""Alpaca and its kin: an instruction, perhaps an input, and an answer, each under a key of its own.

    {"instruction", "input"?, "output", "system"?, "history"?: [[question, answer], …]}
    with `chosen` and `rejected` among the form's keys a pair, with `rating` a rated answer

The user's message is the instruction and, on the next line, the input, unless a format says otherwise.
"""

from typing import Any

from tunewright.data.forms._parts import (
    Row,
    Turn,
    finished,
    formatted,
    has,
    kind_of,
    needed,
    paired,
    rating,
    text,
    with_tools,
)
from tunewright.data.forms.spec import Form
from tunewright.data.rows import BadRow


def read(row: Row, form: Form) -> dict[str, Any]:
    """The chat row. Raises BadRow."""
    turns = [*_history(row, form), {"role": "user", "content": _question(row, form)}]
    system = text(row, form, "system")
    if "chosen" in form.keys and "rejected" in form.keys:
        sides = [
            [{"role": "assistant", "content": needed(row, form, side)}] for side in ("chosen", "rejected")
        ]
        made = paired(turns, *sides)
    else:
        made = {"messages": [*turns, {"role": "assistant", "content": _answer(row, form)}]}
    made["messages"] = finished(made["messages"], form, system)
    if "rating" in form.keys:
        made["label"] = rating(row, form)
    return with_tools(made, row, form)


def _question(row: Row, form: Form) -> str:
    more = text(row, form, "input").strip() != ""
    format_ = form.formats.get("user") if more else form.formats.get("user_alone")
    if format_ is None and not more and "user" in form.formats and "{input}" not in form.formats["user"]:
        format_ = form.formats["user"]
    if format_ is not None:
        asked = formatted(format_, row, form)
    else:
        parts = (text(row, form, part) for part in ("instruction", "input"))
        asked = "\n".join(part for part in parts if part.strip())
    if not any(text(row, form, part).strip() for part in ("instruction", "input")):
        key = form.keys.get("instruction", "instruction")
        raise BadRow(f"empty input: neither {key!r} nor an input says anything")
    return asked


def _answer(row: Row, form: Form) -> str:
    format_ = form.formats.get("answer")
    if format_ is None and "output" not in form.keys:
        raise BadRow(f"no answer: {form.name} rows have none; say what is answered: form.formats.answer")
    if format_ is None:
        return needed(row, form, "output")
    if "output" in form.keys and "{output}" in format_:
        needed(row, form, "output")
    return formatted(format_, row, form)


def _history(row: Row, form: Form) -> list[Turn]:
    """Earlier questions and answers. LLaMA-Factory passes over a history that is no list; here the row is a reject."""
    if not has(row, form, "history"):
        return []
    key = form.keys["history"]
    pairs = row[key]
    if not isinstance(pairs, list):
        raise BadRow(f"bad history: {key!r} is {kind_of(pairs)}, not a list of questions and answers")
    turns: list[Turn] = []
    for at, pair in enumerate(pairs):
        if not isinstance(pair, list) or len(pair) != 2 or not all(isinstance(each, str) for each in pair):
            raise BadRow(f"bad history: {key}[{at}] is not a question and its answer")
        turns += [{"role": "user", "content": pair[0]}, {"role": "assistant", "content": pair[1]}]
    return turns
