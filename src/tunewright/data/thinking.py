"""Thinking that other tools' rows have beside an answer, in a key of its own: left out, put into the text, or refused.

    thoughts = Thoughts("inline")
    turn = thoughts.part({"reasoning_content": "2 + 2."}, "assistant", "messages[1]")     → Parted({}, "2 + 2.")
    thoughts.joined("4", turn.thought, calls=False, where="messages[1]")   → "<think>\\n2 + 2.\\n</think>\\n\\n4"
    thoughts.found                                                         → True

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
_KINDS = frozenset(("thinking", "redacted_thinking", "reasoning"))
"""Kinds of such parts in a content of several."""
_TEXTS = ("thinking", "text", "summary", "content", "value")
"""Keys under which a block or a part has its text."""
BEGIN, _END = "<think>", "</think>"
_OTHERWISE = (
    "take it out, or set thinking for the source or suite: inline puts it into the text, drop leaves it out"
)
_DROP = "thinking: drop leaves it out"


class Parted(NamedTuple):
    """What a turn has beside its thinking, and that as plain text; blank where there is none."""

    rest: Any
    thought: str


class Thoughts:
    """What becomes of the thinking in a row's turns, and whether there was any."""

    def __init__(self, how: Thinking | None = None) -> None:
        """Without `how` a row that has some is refused."""
        self.how = how
        self.found = False

    def part(
        self, keys: Mapping[str, Any], role: str, where: str, named: str = "", inside: str = ""
    ) -> Parted:
        """Part the thinking from a turn's other keys; `named` is one more key that holds it, `inside` what its content has.

        Raises BadRow where it is refused, is no plain text that could go into the text, or is not the assistant's.
        """
        if THINKING_KEYS.isdisjoint(keys) and named not in keys:  # as most turns'
            return Parted(keys, inside)
        ours = [key for key in keys if key in THINKING_KEYS or key == named]
        rest = {key: each for key, each in keys.items() if key not in ours}
        held = {key: keys[key] for key in ours if _says(keys[key])}
        if not held:
            return Parted(rest, inside)
        first = f"{where}.{next(iter(held))}"
        if self.how is None:
            raise BadRow(f"not carried: {first} is thinking beside the answer; {_OTHERWISE}")
        self.found = True
        if self.how == "inline" and role != "assistant":
            raise BadRow(f"not carried: {first} is thinking of the {role}; {_DROP}")
        texts = {key: _texts(each) for key, each in held.items()}
        said = {key: each for key, each in texts.items() if each} | ({"content": [inside]} if inside else {})
        plain = next(("\n".join(each) for each in said.values() if self.how == "drop" or len(each) == 1), "")
        if self.how == "inline":
            unread = [key for key, each in texts.items() if each is None]
            if unread or not plain:
                raise BadRow(
                    f"not carried: {where}.{next(iter(unread or held))} is thinking that is no plain text (blocks of it,"
                    f" say), and only such can go into the answer; {_DROP}"
                )
            if len({"".join("".join(each).split()) for each in said.values()}) > 1:
                raise BadRow(
                    f"not carried: {' and '.join(said)} of {where} say different things; thinking: drop leaves both out"
                )
        return Parted(rest, plain)

    def parts(self, content: Any, role: str, where: str) -> Parted:
        """Part the pieces of an assistant's content that are thinking from the others. Raises BadRow where it is refused."""
        if not isinstance(content, list) or role != "assistant":
            return Parted(content, "")
        ours = [part for part in content if isinstance(part, dict) and str(part.get("type")) in _KINDS]
        if not ours:
            return Parted(content, "")
        rest = [part for part in content if not any(part is one for one in ours)] or None
        if not any(each for part in ours for key, each in part.items() if key != "type"):
            return Parted(rest, "")
        if self.how is None:
            raise BadRow(f"not carried: {where} has parts that are thinking; {_OTHERWISE}")
        self.found = True
        texts = _texts(ours) or []
        if self.how == "inline" and len(texts) != 1:
            raise BadRow(
                f"not carried: {where} has parts that are thinking and not one plain text, and only such can go into the"
                f" answer; {_DROP}"
            )
        return Parted(rest, "\n".join(texts))

    def apart(self, where: str, there: bool) -> None:
        """There is thinking in turns that are read for what stands beside them alone; whether it is `there` in the text
        that is trained, too. Raises BadRow where it is not, and is to be.
        """
        if self.how is None:
            raise BadRow(f"not carried: {where} has thinking beside an answer; {_OTHERWISE}")
        if self.how == "inline" and not there:
            raise BadRow(
                f"not carried: {where} has thinking that its answers' conversations have not; {_DROP}"
            )
        self.found = True

    def joined(self, content: Any, thought: str, *, calls: bool, where: str) -> Any:
        """A turn's content as it is trained: what is left out beside the text is left out of it too, where that begins with
        it once more. Raises BadRow where thinking is to be put before a text that has such a part of its own.
        """
        if self.how == "inline":
            return before(content, thought, calls=calls, where=where)
        if self.how is None or not thought or not isinstance(content, str):
            return content
        head, _, rest = content.partition(_END)
        own = head.lstrip()
        again = own.startswith(BEGIN) and own.removeprefix(BEGIN).split() == thought.split()
        return rest.lstrip("\n") if again else content


REFUSED = Thoughts()
"""For rows that nothing says it of."""


def before(content: Any, thought: str, *, calls: bool, where: str) -> Any:
    """A content with the thinking before it: <think>, a line's end, the thinking, a line's end, </think>, a blank line.

    What is no text stays for the turn's reader to refuse. Raises BadRow where one of the two has such a part already, or the
    turn neither says anything nor calls a tool.
    """
    if not thought or not isinstance(content, str | None):
        return content
    for place, text in (("its text", content or ""), ("its thinking", thought)):
        if mark := next((mark for mark in (BEGIN, _END) if mark in text), None):
            raise BadRow(f"not carried: {where} has {mark} in {place}, beside thinking of its own; {_DROP}")
    if not calls and not (content or "").strip():
        raise BadRow(f"empty answer: {where} has thinking and says nothing")
    return f"{BEGIN}\n{thought}\n{_END}\n\n{(content or '').lstrip(chr(10))}"


def _says(value: Any) -> bool:
    return bool(value.strip()) if isinstance(value, str) else bool(value)


def _texts(value: Any) -> list[str] | None:
    """The plain texts of thinking, without line ends around them: a text, or what blocks or parts hold.

    Empty for blocks that hold none (they are encrypted); None for what is neither text nor blocks.
    """
    if isinstance(value, str):
        return [value.strip("\n")]
    blocks = value if isinstance(value, list) else [value]
    if not all(isinstance(block, dict) for block in blocks):
        return None
    return [
        text.strip("\n")
        for block in blocks
        for key in _TEXTS
        if isinstance(text := block.get(key), str) and text
    ]
