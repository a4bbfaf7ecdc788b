"""When two rows count as the same.

What is dropped, or called a contradiction, goes by a narrow measure (`example_key`, `prompt_key`): all messages, but for
letter case, blanks and Unicode composition. What must not be both trained on and scored goes by a wide one
(`input_key`): the instructions before the turns and the typography are set aside too.
"""

import unicodedata
from collections.abc import Callable, Iterable
from itertools import takewhile
from typing import NamedTuple

from tunewright.core.example import Example
from tunewright.core.hashing import hash_plain, hash_value
from tunewright.core.message import Conversation, parts_of, tools_of

_SIGNS = {**dict.fromkeys("‘’‚‛‹›′´", "'"), **dict.fromkeys("“”„‟«»″", '"'), "−": "-"}
"""Typographic signs → plain ones. Dashes are told by their category."""
_FOLDED = bytes(ord(" " if chr(code).isspace() else chr(code).lower()) for code in range(128)).ljust(256)
"""ASCII in small letters, all blanks alike."""
_SAYS_MORE = ("<super>", "<sub>", "<fraction>")
"""Compatibility forms that mean something else than the plain letters: x² is not x2."""


def normal_text(text: str) -> str:
    """Case-folded, blanks collapsed, composed (NFC)."""
    if not text.isascii():
        return " ".join(unicodedata.normalize("NFC", text).casefold().split())
    folded = text.encode().translate(_FOLDED)
    while b"  " in folded:
        folded = folded.replace(b"  ", b" ")
    return folded.strip(b" ").decode()


def plain_text(text: str) -> str:
    """`normal_text` without typography: full-width letters, ligatures, quotes and dashes plain, zero-width signs gone."""
    return normal_text(text if text.isascii() else text.translate(_PLAIN))


def input_key(example: Example) -> str:
    """A hash of what is asked, or of a document's text, in plain text.

    The instructions before the turns are not asked: sources write them or leave them to the task. A prompt of
    instructions alone is the question itself.
    """
    said = _said(example)
    return _key(said[len(_instructions(said)) :], tools_of(said), plain_text)


def instructions_key(example: Example) -> str:
    """A hash of the instructions that `input_key` leaves out, in plain text."""
    return _key(_instructions(_said(example)), None, plain_text)


def prompt_key(example: Example) -> str:
    """A hash of the whole normalised prompt, or of a document's text: rows with equal ones should answer alike."""
    said = _said(example)
    return _key(said, tools_of(said), normal_text)


def example_key(example: Example) -> str:
    """A hash of all normalised messages, the worse answer, the rating and weights between 0 and 1: equal for duplicates."""
    return _completed(_key(example.messages, tools_of(example.messages), normal_text), example)


def _completed(whole: str, example: Example) -> str:
    """The hash of all messages with what else makes rows differ."""
    if parts := parts_of(example.messages):
        whole = hash_value([whole, parts])
    if example.rejected is None and example.desirable:
        return whole
    return hash_value([whole, normal_text(example.rejected or ""), example.desirable])


class Keys(NamedTuple):
    """All that rows are compared by, worked out at once: most of the work is the same."""

    input: str
    instructions: str
    prompt: str
    whole: str
    answer: str
    """The normalised answer, or document."""


def keys_of(example: Example) -> Keys:
    """`input_key`, `instructions_key`, `prompt_key`, `example_key` and the answer of an example."""
    said, tools = _said(example), tools_of(example.messages)
    normal = [(message.role, normal_text(message.said)) for message in example.messages]
    if tools or not all(message.said.isascii() for message in said):
        asked = (input_key(example), instructions_key(example))
    else:  # plain text is normal text
        begins = len(_instructions(said))
        asked = (_hash(normal[begins : len(said)], None), _hash(normal[:begins], None))
    folded = normal_text(tools) if tools else None
    prompt = _hash(normal[: len(said)], normal_text(held) if (held := tools_of(said)) else None)
    whole = _completed(_hash(normal, folded), example)
    return Keys(*asked, prompt, whole, normal[-1][1])


def _said(example: Example) -> Conversation:
    return example.messages if example.is_document else example.prompt


def _instructions(prompt: Conversation) -> Conversation:
    """What it begins with before the first turn; none where it holds nothing else."""
    found = tuple(takewhile(lambda message: message.instructs, prompt))
    return () if len(found) == len(prompt) else found


def _key(messages: Conversation, tools: str | None, folded: Callable[[str], str]) -> str:
    return _hash(
        [(message.role, folded(message.said)) for message in messages], folded(tools) if tools else None
    )


def _hash(turns: Iterable[tuple[str, str]], tools: str | None) -> str:
    """The hash of [[role, text], …, tools]."""
    return hash_plain([*turns] if tools is None else [*turns, tools])


class _Plain(dict[int, str]):
    """Code point → its plain text, worked out when it is first met."""

    def __missing__(self, code: int) -> str:
        self[code] = _plain(chr(code))
        return self[code]


def _plain(sign: str) -> str:
    if sign in _SIGNS:
        return _SIGNS[sign]
    category = unicodedata.category(sign)
    if category in ("Cf", "Pd"):
        return "-" if category == "Pd" else ""
    if unicodedata.decomposition(sign).startswith(_SAYS_MORE):
        return sign
    return unicodedata.normalize("NFKC", sign)


_PLAIN = _Plain()
