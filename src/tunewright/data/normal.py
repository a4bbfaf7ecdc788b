"""When two rows count as the same.

What is dropped, or called a contradiction, goes by a narrow measure (`whole` and `prompt` of `Keys`): all messages, but for
letter case, blanks and Unicode composition. What must not be both trained on and scored goes by a wide one
(`input_key`): the instructions before the turns and the typography are set aside too.
"""

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from hashlib import sha256
from itertools import takewhile
from typing import NamedTuple

from tunewright.core.example import Example
from tunewright.core.hashing import hash_value, plain_json
from tunewright.core.message import Conversation, parts_of, tools_of

_SIGNS = {**dict.fromkeys("‘’‚‛‹›′´", "'"), **dict.fromkeys("“”„‟«»″", '"'), "−": "-"}
"""Typographic signs → plain ones. Dashes are told by their category."""
_FOLDED = bytes(ord(" " if chr(code).isspace() else chr(code).lower()) for code in range(128)).ljust(256)
"""ASCII in small letters, all blanks alike."""
_SAYS_MORE = ("<super>", "<sub>", "<fraction>")
"""Compatibility forms that mean something else than the plain letters: x² is not x2."""
_SHORT = 1 << 14
"""Characters of instructions that are remembered: many rows have the same."""
_Turn = tuple[str, str]
"""The role, and what is said."""


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
    return _instructions_digest(_instructions(_said(example))).hex()


def _completed(whole: str, example: Example) -> str:
    """The hash of all messages with what else makes rows differ."""
    if parts := parts_of(example.messages):
        whole = hash_value([whole, parts])
    if example.rejected is None and example.desirable:
        return whole
    return hash_value([whole, normal_text(example.rejected or ""), example.desirable])


class Keys(NamedTuple):
    """All that rows are compared by, worked out at once: most of the work is the same. Hashes have 32 bytes."""

    input: bytes
    """`input_key`."""
    instructions: bytes
    """`instructions_key`."""
    prompt: bytes
    """Of the whole normalised prompt, or a document's text: rows with equal ones should answer alike."""
    whole: bytes
    """Of all normalised messages, the worse answer, the rating and weights between 0 and 1: equal for duplicates."""
    answer: str
    """The normalised answer, or document."""


def keys_of(example: Example) -> Keys:
    """The keys of an example."""
    messages, said = example.messages, _said(example)
    told, tools = _instructions(said), tools_of(messages)
    texts = [message.said for message in messages]
    normal = list(map(normal_text, texts))
    written = [plain_json((message.role, text)) for message, text in zip(messages, normal, strict=True)]
    folded = [plain_json(normal_text(tools))] if tools else []
    whole = _joined([*written, *folded])
    if not (example.rejected is None and example.desirable) or parts_of(messages):
        whole = bytes.fromhex(_completed(whole.hex(), example))
    prompt = _joined([*written[: len(said)], *(folded if tools_of(said) else ())])
    if tools or not all(map(str.isascii, texts[: len(said)])):
        asked = bytes.fromhex(input_key(example))
    else:  # plain text is normal text
        asked = _joined(written[len(told) : len(said)]) if told else prompt
    return Keys(asked, _instructions_digest(told), prompt, whole, normal[-1])


def _said(example: Example) -> Conversation:
    return example.messages if example.is_document else example.prompt


def _instructions(prompt: Conversation) -> Conversation:
    """What it begins with before the first turn; none where it holds nothing else."""
    if not prompt or not prompt[0].instructs:
        return ()
    found = tuple(takewhile(lambda message: message.instructs, prompt))
    return () if len(found) == len(prompt) else found


def _instructions_digest(told: Conversation) -> bytes:
    """The hash of these instructions in plain text."""
    turns = tuple((message.role, message.said) for message in told)
    if sum(len(said) for _, said in turns) > _SHORT:
        return _plain_digest(turns)
    return _known_digest(turns)


def _plain_digest(turns: tuple[_Turn, ...]) -> bytes:
    return _digest([(role, plain_text(said)) for role, said in turns], None)


_known_digest = lru_cache(maxsize=256)(_plain_digest)


def _key(messages: Conversation, tools: str | None, folded: Callable[[str], str]) -> str:
    turns = [(message.role, folded(message.said)) for message in messages]
    return _digest(turns, folded(tools) if tools else None).hex()


def _digest(turns: Iterable[_Turn], tools: str | None) -> bytes:
    """The hash of [[role, text], …, tools]."""
    return _joined([plain_json(part) for part in (*turns, *(() if tools is None else (tools,)))])


def _joined(written: Sequence[bytes]) -> bytes:
    """The hash of a JSON list of what is written."""
    return sha256(b"[%b]" % b",".join(written)).digest()


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
