"""Turns of a conversation, whatever their keys and whatever who speaks is called, as a chat row's messages."""

from typing import Any

from tunewright.core.strict_json import StrictJsonError, parse
from tunewright.data.forms._parts import Turn, kind_of
from tunewright.data.forms.spec import Form
from tunewright.data.names import listed
from tunewright.data.rows import BadRow
from tunewright.data.side_keys import beside

_PART = ("type", "text", "value", "train", "weight")
_OTHER = {"role": "other_role", "content": "other_content"}
"""How OpenAI's keys are kept that stand beside those of ShareGPT's list."""
_WORDS = {"answer": "an answer", "question": "a question"}


def read_turns(value: Any, form: Form, where: str, speaker: str = "user") -> list[Turn]:
    """A list of turns, or one turn, or a text of `speaker`'s, as messages; `where` is its key. Raises BadRow."""
    if isinstance(value, str):
        return [{"role": speaker, "content": value}]
    turns = [value] if isinstance(value, dict) else value
    if not isinstance(turns, list) or not turns:
        raise BadRow(f"bad messages: {where!r} is {_said(value)}, not a list of turns")
    return [_turn(turn, form, f"{where}[{at}]") for at, turn in enumerate(turns)]


def check_alternating(messages: list[Turn], ends: str) -> None:
    """Raises BadRow unless questions (or tools' answers) and answers take turns and the last is of the kind `ends`.

    LLaMA-Factory drops other conversations with a line in its log; here they are rejects.
    """
    turns = messages[1:] if messages and messages[0]["role"] == "system" else messages
    kinds = ["answer" if turn["role"] == "assistant" else "question" for turn in turns]
    tools = [turn["role"] == "tool" for turn in turns]
    joined = [
        at for at in range(len(kinds)) if not (at and tools[at] and tools[at - 1])
    ]  # tools answer in a row
    for number, at in enumerate(joined):
        wanted = ("question", "answer")[number % 2]
        if kinds[at] != wanted or turns[at]["role"] in ("system", "developer"):
            raise BadRow(
                f"bad messages: turn {at + 1} is the {turns[at]['role']}'s where {_WORDS[wanted]} should stand"
            )
    if not joined or kinds[-1] != ends:
        raise BadRow(f"bad messages: the conversation does not end with {_WORDS[ends]}")


def _turn(turn: Any, form: Form, where: str) -> Turn:
    if not isinstance(turn, dict):
        raise BadRow(f"bad messages: {where} is {kind_of(turn)}, not an object")
    keys = form.message_keys
    if keys["role"] not in turn and "role" in turn:  # ShareGPT's list, OpenAI's turns: many sets are so
        keys = {**keys, "role": "role", "content": "content"}
    role = _role(turn, keys["role"], form, where)
    place = f"{where}.{keys['content']}"
    made: Turn = {"role": "assistant" if role == "call" else role}
    told, inside = form.thoughts.parts(turn.get(keys["content"]), made["role"], place)
    content, flags = _content(told, place)
    made["content"] = content
    for part in ("weight", "train", "tool_calls", "tool_call_id", "name"):
        if (found := turn.get(keys[part])) is not None:
            made[part] = found
    detail = turn.get(keys["train_detail"])
    for flag in (flags, _whole(detail, content, where)):
        if flag is not None:
            made.pop("train", None)
            made["weight"] = flag
    if role == "call":
        made = {**made, "content": "", "tool_calls": _calls(content, where)}
    elif older := turn.get("function_call"):  # OpenAI's before there were tools
        made["tool_calls"] = [*made.get("tool_calls", ()), older]
    taken = {"function_call", *(key for part, key in keys.items() if part != "thinking")}
    more, thought = form.thoughts.part(
        {key: each for key, each in turn.items() if key not in taken},
        made["role"],
        where,
        keys["thinking"],
        inside,
    )
    calls = bool(made.get("tool_calls") or more.get("tool_calls"))
    made["content"] = form.thoughts.joined(made["content"], thought, calls=calls, where=where)
    given = dict[str, str]()
    for key, each in beside(more, made["role"], calls, where).items():
        name = _OTHER.get(key, key)
        if made.get(name, each) != each:
            one = given.get(name) or keys.get(name, name)
            kept = f"are both kept as {name!r}" if name in _OTHER.values() else "say otherwise"
            raise BadRow(f"bad messages: {where} has both {one!r} and {key!r}, which {kept}")
        made[name], given[name] = each, key
    if made["role"] != "assistant" and made.get("weight") not in (None, 0):
        raise BadRow(f"not carried: {where} is trained, and only the assistant's turns are")
    return made


def _role(turn: dict[str, Any], key: str, form: Form, where: str) -> str:
    if key not in turn:
        raise BadRow(f"bad messages: {where} has no {key!r}; it has {listed(turn)}")
    word = turn[key]
    role = form.roles.get(word) if isinstance(word, str) else None
    if role is None:
        raise BadRow(
            f"bad messages: {where}.{key} is {str(word)[:40]!r}; {form.name} knows {listed(form.roles)}. "
            "Say who it is under form.roles"
        )
    return role


def _content(value: Any, where: str) -> tuple[Any, int | float | None]:
    """A turn's text, and its weight where its parts have one. Parts that are weighted differently are refused."""
    if not isinstance(value, list):
        return value, None
    texts, weights = [], []
    for at, part in enumerate(value):
        kind = part.get("type") if isinstance(part, dict) else None
        said = part.get("text", part.get("value")) if isinstance(part, dict) else None
        if kind != "text" or not isinstance(said, str):
            what = repr(str(kind)[:40]) if kind and kind != "text" else kind_of(part)
            raise BadRow(f"not carried: {where}[{at}] is {what}, and only texts are trained")
        extra = [key for key in part if key not in _PART and part[key] is not None]
        if extra:
            raise BadRow(
                f"not carried: {where}[{at}] has {listed(extra)}; a part has type, text, train and weight"
            )
        train, weight = part.get("train"), part.get("weight")
        texts.append(said)
        weights.append(weight if weight is not None else None if train is None else int(bool(train)))
    if len({str(weight) for weight in weights}) > 1:
        raise BadRow(f"not carried: parts of {where} are trained and others not; only whole turns can be")
    return "".join(texts), weights[0] if weights else None


def _whole(detail: Any, content: Any, where: str) -> int | None:
    """The weight that spans of a turn say, where they say the same of the whole turn; none without spans."""
    if not detail:
        return None
    if not isinstance(detail, list) or not isinstance(content, str):
        raise BadRow(f"not carried: the trained spans of {where} cannot be read")
    at, said = 0, set()
    for span in detail:
        if (
            not isinstance(span, dict)
            or span.get("begin_offset") != at
            or not isinstance(span.get("end_offset"), int)
        ):
            said = {True, False}
            break
        at = span["end_offset"] + 1
        said.add(bool(span.get("train", True)))
    if len(said) > 1 or at < len(content):
        raise BadRow(f"not carried: a part of {where} is trained and another not; only whole turns can be")
    return int(said.pop())


def _calls(content: Any, where: str) -> list[Any]:
    """The calls that a text of JSON makes: one, or a list."""
    try:
        found = parse(content) if isinstance(content, str) else content
    except StrictJsonError as error:
        raise BadRow(f"bad messages: {where} calls a tool, and its text is not JSON: {error}") from None
    calls = found if isinstance(found, list) else [found]
    if not calls or not all(isinstance(call, dict) for call in calls):
        raise BadRow(f"bad messages: {where} calls a tool, and its text names no call")
    return calls


def _said(value: Any) -> str:
    return "an empty list" if value == [] else kind_of(value)
