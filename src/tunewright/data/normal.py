"""When two rows count as the same: letter case, blanks and Unicode composition aside."""

import unicodedata

from tunewright.core.example import Example
from tunewright.core.hashing import hash_value
from tunewright.core.message import Conversation


def normal_text(text: str) -> str:
    """Case-folded, blanks collapsed, composed (NFC)."""
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())


def input_key(example: Example) -> str:
    """A hash of the normalised prompt, or of a document's text: equal for rows that ask, or say, the same."""
    return _key(example.messages if example.is_document else example.prompt)


def example_key(example: Example) -> str:
    """A hash of all normalised messages, the worse answer and the rating: equal for duplicates."""
    whole = _key(example.messages)
    if example.rejected is None and example.desirable:
        return whole
    return hash_value([whole, normal_text(example.rejected or ""), example.desirable])


def _key(messages: Conversation) -> str:
    return hash_value([[message.role, normal_text(message.content)] for message in messages])
