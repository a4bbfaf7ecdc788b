"""What the families have in common: a part's text, the texts made of several parts, and what no chat row can carry."""

import re
from collections.abc import Mapping
from typing import Any

from tunewright.data.forms.spec import Form
from tunewright.data.names import listed
from tunewright.data.ratings import read_rating
from tunewright.data.rows import BadRow
from tunewright.data.side_keys import refuse_lost
from tunewright.data.thinking import BEGIN, Thoughts

Row = Mapping[str, Any]
Turn = dict[str, Any]
"""One message of a chat row."""

_PLACE = re.compile(r"\{([a-z_]+)\}")
_IDS = ("input_ids", "token_ids", "tokens")
_BESIDE_IDS = (
    "attention_mask",
    "labels",
    "completion_mask",
    "assistant_masks",
    "token_type_ids",
    "position_ids",
)
_SAYING = ("role", "content", "tool_calls", "tool_call_id", "name")


def kind_of(value: object) -> str:
    """What a JSON value is, in words."""
    names = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def refuse(row: Row, form: Form) -> None:
    """Raises BadRow for what no form carries (pictures, sounds, token ids), and for rated steps in any form but theirs."""
    refuse_lost(row)
    for key in _IDS:
        value = row.get(key)
        if isinstance(value, list) and value and all(isinstance(each, int) for each in value):
            more = [each for each in _BESIDE_IDS if isinstance(row.get(each), list)]
            beside = f" (beside them {listed(more)})" if more else ""
            raise BadRow(
                f"not carried: {key!r} holds token ids{beside}, which mean something only to the tokenizer that made them; "
                "give the rows as they were before, without them"
            )
    if form.family != "stepwise" and all(
        isinstance(row.get(each), list) for each in ("labels", "completions")
    ):
        raise BadRow(
            "not carried: 'labels' rates the steps of 'completions', and only whole answers are rated; where each row's "
            "steps are a whole answer, form: stepwise rates it good if all of them are"
        )


def has(row: Row, form: Form, part: str) -> bool:
    """Whether a row has a part, and not null."""
    key = form.keys.get(part)
    return key is not None and row.get(key) is not None


def text(row: Row, form: Form, part: str) -> str:
    """A part's text, a list of texts as lines, empty where the row has none. Raises BadRow for what is no text."""
    key = form.keys.get(part)
    found = None if key is None else row.get(key)
    if found is None:
        return ""
    if isinstance(found, list) and found and all(isinstance(each, str) for each in found):
        return "\n".join(f'- "{each}"' for each in found)  # choices, as Axolotl lists them
    if not isinstance(found, str):
        raise BadRow(f"bad text: {key!r} is {kind_of(found)}, not a text")
    return found


def needed(row: Row, form: Form, part: str) -> str:
    """A part's text, which must not be blank. Raises BadRow."""
    value(row, form, part)
    found = text(row, form, part)
    if not found.strip():
        raise BadRow(f"empty text: {form.keys[part]!r} is blank")
    return found


def value(row: Row, form: Form, part: str) -> Any:
    """What stands under a part's key. Raises BadRow where there is none."""
    key = form.keys.get(part)
    if key is None:
        raise BadRow(f"missing column: the form {form.name} names no key for {part!r}; set form.keys.{part}")
    if row.get(key) is None:
        raise BadRow(f"missing column: no {key!r}, which {form.name} rows have; the row has {listed(row)}")
    return row[key]


def formatted(format_: str, row: Row, form: Form) -> str:
    """A format with its {parts} put in; other braces stand as they are. Raises BadRow."""

    def put(place: re.Match[str]) -> str:
        return text(row, form, place[1]) if place[1] in form.keys else place[0]

    return _PLACE.sub(put, format_)


def with_tools(made: dict[str, Any], row: Row, form: Form) -> dict[str, Any]:
    """The chat row with the row's tools, where it has any."""
    tools = row[form.keys["tools"]] if has(row, form, "tools") else None
    return made if tools in (None, "", []) else {**made, "tools": tools}


def rating(row: Row, form: Form) -> bool:
    """The row's rating. Raises BadRow where it has none, or one that cannot be read."""
    return read_rating(value(row, form, "rating"), form.keys["rating"])


def finished(turns: list[Turn], form: Form, system: str = "") -> list[Turn]:
    """The conversation with its system message, and with the answers trained that the spec says. Raises BadRow."""
    own = [turn["content"] for turn in turns if turn["role"] == "system"]
    if system.strip() and own and own[0] != system:
        raise BadRow("bad messages: the system message of the row is another than that of its messages")
    if form.spec.drop_system:
        turns = [turn for turn in turns if turn["role"] != "system"]
    elif not own and (system.strip() or form.spec.system):
        turns = [{"role": "system", "content": system if system.strip() else form.spec.system}, *turns]
    if form.spec.trained == "all":
        return turns
    last = max((at for at, turn in enumerate(turns) if turn["role"] == "assistant"), default=-1)
    return [
        untrained(turn) if turn["role"] == "assistant" and at != last else turn
        for at, turn in enumerate(turns)
    ]


def untrained(turn: Turn) -> Turn:
    """An answer that is read and not trained."""
    return {key: each for key, each in turn.items() if key != "train"} | {"weight": 0}


def paired(prompt: list[Turn], chosen: list[Turn], rejected: list[Turn]) -> dict[str, Any]:
    """A chat row of two conversations, or of a prompt and two answers. Raises BadRow where they part before the end."""
    if not chosen or not rejected:
        raise BadRow("bad pair: one of the two answers is empty")
    whole = [any(turn["role"] != "assistant" for turn in side) for side in (chosen, rejected)]
    if whole[0] != whole[1]:
        raise BadRow("bad pair: one side is a whole conversation, the other an answer")
    if whole[0]:
        asked = [turn["content"] for turn in prompt if turn["role"] == "user"]
        there = [turn["content"] for turn in chosen if turn["role"] == "user"]
        if any(each not in there for each in asked):
            raise BadRow("bad pair: the prompt is another than that of the chosen conversation")
        told = [_told(turn) for turn in chosen]
        head = [turn for turn in prompt if turn["role"] == "system" and _told(turn) not in told]
        for turn in (turn for turn in prompt if _told(turn) in told):  # said once more: its own keys are kept
            at = told.index(_told(turn))
            chosen = [*chosen[:at], chosen[at] | _more(chosen[at], turn, "prompt"), *chosen[at + 1 :]]
    else:
        head = prompt
    chosen, rejected = [*head, *chosen], [*head, *rejected]
    sides = [[(_told(turn), _trained(turn)) for turn in side[:-1]] for side in (chosen, rejected)]
    if sides[0] != sides[1]:
        raise BadRow("bad pair: the two answers do not follow the same messages")
    if chosen[-1]["role"] != "assistant" or rejected[-1]["role"] != "assistant":
        raise BadRow("bad pair: a side does not end with the assistant's answer")
    before = [turn | _more(turn, other) for turn, other in zip(chosen[:-1], rejected[:-1], strict=True)]
    return {"messages": [*before, chosen[-1]], "rejected": [rejected[-1]]}


def of_prompt(form: Form) -> Form:
    """The form for a pair's prompt: its thinking is noted apart, for whole conversations hold their prompt themselves."""
    return form._replace(thoughts=Thoughts(form.thoughts.how))


def note_thinking(prompt: Form, form: Form, answer: list[Turn]) -> None:
    """Note a prompt's thinking with that of the two sides. Raises BadRow where it would be lost and is to be trained."""
    if not prompt.thoughts.found:
        return
    if any(turn["role"] != "assistant" for turn in answer):
        form.thoughts.apart("prompt", any(str(turn["content"]).startswith(BEGIN) for turn in answer[:-1]))
    form.thoughts.found = True


def _told(turn: Turn) -> Turn:
    """What a turn says, without the keys that are kept as fields (its id, its time)."""
    return {key: turn[key] for key in _SAYING if key in turn}


def _trained(turn: Turn) -> Turn:
    """What a turn says of its training."""
    return {key: turn[key] for key in ("weight", "train") if key in turn}


def _more(turn: Turn, other: Turn, whose: str = "rejected") -> Turn:
    """Keys that are kept as fields, of the same turn of the rejected conversation or the prompt, where they are others."""
    aside = {key: each for key, each in other.items() if key not in (*_SAYING, "weight", "train")}
    return {f"{whose}_{key}": each for key, each in aside.items() if turn.get(key) != each}
