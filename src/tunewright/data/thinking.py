"""Thinking that other tools' rows have beside an answer, in a key of its own: left out, put into the text, or refused.

    thoughts = Thoughts("inline")
    turn = thoughts.part({"reasoning_content": "2 + 2."}, "assistant", "messages[1]")     → Parted({}, "2 + 2.")
    before("4", turn.thought, calls=False, where="messages[1]")       → "<think>\\n2 + 2.\\n</think>\\n\\n4"
    thoughts.found                                                     → True

One Thoughts goes with one row. The text is what Qwen3's templates write of thinking that they are given apart.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from tunewright.data.rows import BadRow

Thinking = Literal["drop", "inline"]
"""What is done with it."""
THINKING_KEYS = frozenset(
    (
        "reasoning_content",
        "reasoning",
        "reasoning_details",
        "thinking",
        "thinking_blocks",
        "thoughts",
        "thought",
    )
)
"""Keys of turns that other tools have it under."""
_PARTS = frozenset(("thinking", "redacted_thinking", "reasoning"))
"""Kinds of such parts in a content of several."""
_MARKS = ("<think>", "</think>")
_OTHERWISE = "set thinking beside the file's path: inline puts it into the text, drop leaves it out"


class Parted(NamedTuple):
    """A turn's other keys, and its thinking where that goes into the text; blank: none does."""

    keys: Mapping[str, Any]
    thought: str


class Thoughts:
    """What becomes of the thinking in a row's turns, and whether there was any."""

    def __init__(self, how: Thinking | None = None) -> None:
        """Without `how` a row that has some is refused."""
        self.how = how
        self.found = False

    def part(self, keys: Mapping[str, Any], role: str, where: str, named: str = "") -> Parted:
        """Part the thinking from a turn's other keys; `named` is one more key that holds it.

        Raises BadRow where it is refused, is no plain text that could go into the text, or is not the assistant's.
        """
        if THINKING_KEYS.isdisjoint(keys) and named not in keys:  # as most turns'
            return Parted(keys, "")
        ours = [key for key in keys if key in THINKING_KEYS or key == named]
        rest = {key: each for key, each in keys.items() if key not in ours}
        held = {key: keys[key] for key in ours if _says(keys[key])}
        if not held:
            return Parted(rest, "")
        first = f"{where}.{next(iter(held))}"
        if self.how is None:
            raise BadRow(f"not carried: {first} is thinking beside the answer; {_OTHERWISE}")
        self.found = True
        if self.how == "drop":
            return Parted(rest, "")
        if role != "assistant":
            raise BadRow(f"not carried: {first} is thinking of the {role}; thinking: drop leaves it out")
        for key, each in held.items():
            if not isinstance(each, str):
                raise BadRow(
                    f"not carried: {where}.{key} is thinking that is no plain text (blocks of it, say), and only such "
                    "can go into the answer; thinking: drop leaves it out"
                )
        if len(texts := {each.strip("\n") for each in held.values()}) > 1:
            raise BadRow(
                f"not carried: {' and '.join(held)} of {where} say different things; thinking: drop leaves both out"
            )
        return Parted(rest, texts.pop())

    def parts(self, content: Any, where: str) -> Any:
        """A content without its parts that are thinking, where it has parts. Raises BadRow unless they are dropped."""
        if not isinstance(content, list):
            return content
        rest = [part for part in content if not (isinstance(part, dict) and _is_thinking(part))]
        if len(rest) == len(content):
            return content
        if self.how != "drop":
            raise BadRow(
                f"not carried: {where} has parts that are thinking; beside the file's path thinking: drop leaves them out"
            )
        self.found = True
        return rest or None


REFUSED = Thoughts()
"""For rows that nothing says it of."""


def before(content: Any, thought: str, *, calls: bool, where: str) -> Any:
    """A content with the thinking before it: <think>, a line's end, the thinking, a line's end, </think>, a blank line.

    What is no text stays for the turn's reader to refuse. Raises BadRow where one of the two has such a part already, or the
    turn neither says anything nor calls a tool.
    """
    if not thought or not isinstance(content, str | None):
        return content
    if any(mark in text for mark in _MARKS for text in (content or "", thought)):
        raise BadRow(
            f"not carried: {where} has {_MARKS[0]} in its text and thinking beside it; thinking: drop leaves out what is "
            "beside it"
        )
    if not calls and not (content or "").strip():
        raise BadRow(f"empty answer: {where} has thinking and says nothing")
    return f"{_MARKS[0]}\n{thought}\n{_MARKS[1]}\n\n{(content or '').lstrip(chr(10))}"


def _says(value: Any) -> bool:
    return bool(value.strip()) if isinstance(value, str) else bool(value)


def _is_thinking(part: Mapping[str, Any]) -> bool:
    return isinstance(part.get("type"), str) and part["type"] in _PARTS
