"""What raw rows ask, answered or not: the rows of evaluations, of which only the questions count.

question_of({"problem": "2 + 2?"})            # 2 + 2?
question_of({"messages": [{"role": "user", "content": "Hi"}]})
"""

from typing import Any

from tunewright.data.sources.chat import is_chat

COLUMNS = ("input", "question", "text", "prompt", "query", "instruction", "problem")
"""Columns that hold what is asked, the first that a row has."""


def question_of(values: dict[str, Any], column: str | None = None) -> str | None:
    """What a row asks: the text of its column, or a chat row's last question; blank where that is no text, None where no
    column is known to ask.
    """
    if column is None and is_chat(values):
        asked = next((values[key] for key in ("messages", "prompt", "chosen") if key in values), None)
        return _plain(_last(values.get("input") if asked is None else asked))
    chosen = next((one for one in ((column,) if column else COLUMNS) if one in values), None)
    return None if chosen is None else _plain(_last(values[chosen]))


def _last(asked: Any) -> Any:
    """What is asked last: the content of the last message of a user's, nothing where no message is one; or what is no
    conversation, as it is."""
    turns = asked.get("messages") if isinstance(asked, dict) else asked
    if not isinstance(turns, list) or not any(isinstance(turn, dict) and "role" in turn for turn in turns):
        return turns
    said = [turn.get("content") for turn in turns if isinstance(turn, dict) and turn.get("role") == "user"]
    return said[-1] if said else None


def _plain(said: Any) -> str:
    """A text, or the texts of a message's parts; nothing for anything else."""
    if isinstance(said, list):
        return "\n".join(
            part["text"] for part in said if isinstance(part, dict) and isinstance(part.get("text"), str)
        )
    return said if isinstance(said, str) else ""
