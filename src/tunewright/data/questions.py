"""What raw rows ask, answered or not: the rows of evaluations, of which only the questions count.

question_of({"problem": "2 + 2?"})            # 2 + 2?
question_of({"messages": [{"role": "user", "content": "Hi"}]})
"""

from typing import Any, NamedTuple

from tunewright.data.sources.chat import is_chat

COLUMNS = ("question", "problem", "instruction", "input", "text", "prompt", "query")
"""Columns that hold what is asked: the first that says something."""
_CHAT = ("messages", "prompt", "chosen", "input")
"""Keys of a chat row that hold it, likewise."""


class Question(NamedTuple):
    """What a row asks, and what says so."""

    keys: tuple[str, ...]
    """The row's keys that it was read from."""
    turns: tuple[dict[str, Any], ...]
    """Its messages up to the last one of a user's, as the row has them; of a text a single one."""

    @property
    def text(self) -> str:
        """What is asked last; blank where that is no text."""
        return _plain(self.turns[-1].get("content")) if self.turns else ""


def question_of(values: dict[str, Any], column: str | None = None) -> str | None:
    """What a row asks: the text of its column, or a chat row's last question; blank where that is no text, None where no
    column is known to ask.
    """
    found = asked_in(values, column)
    return None if found is None else found.text


def asked_in(values: dict[str, Any], column: str | None = None) -> Question | None:
    """What a row asks, with the messages before it: of its column, or of the first of the known ones that is not blank; an
    instruction goes with its input, as Alpaca's rows do. None where no column is known to ask.
    """
    chat = column is None and is_chat(values)
    keys = (column,) if column else _CHAT if chat else COLUMNS
    found = [Question((key,), _turns(values[key])) for key in keys if key in values]
    first = next((one for one in found if one.text.strip()), None)
    if first is None:
        return found[0] if found else None
    more = Question(("input",), _turns(values.get("input")))
    if column is None and first.keys == ("instruction",) and more.text.strip():
        return Question((*first.keys, *more.keys), _turns(f"{first.text}\n{more.text}"))
    return first


def _turns(asked: Any) -> tuple[dict[str, Any], ...]:
    """The messages up to the last of a user's, none where no message is one; or what is no conversation, as one."""
    turns = asked.get("messages") if isinstance(asked, dict) else asked
    if not isinstance(turns, list) or not any(isinstance(turn, dict) and "role" in turn for turn in turns):
        return ({"role": "user", "content": _plain(turns)},)
    last = max((at for at, turn in enumerate(turns) if _is_user(turn)), default=-1)
    asking = turns[: last + 1]
    return tuple(asking) if all(isinstance(turn, dict) for turn in asking) else ()


def _is_user(turn: Any) -> bool:
    return isinstance(turn, dict) and turn.get("role") == "user"


def _plain(said: Any) -> str:
    """A text, or the texts of a message's parts; nothing for anything else."""
    if isinstance(said, list):
        return "\n".join(
            part["text"] for part in said if isinstance(part, dict) and isinstance(part.get("text"), str)
        )
    return said if isinstance(said, str) else ""
