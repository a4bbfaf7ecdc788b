"""Building patterns out of plain word lists."""

import re


def one_of(words: str) -> str:
    """A pattern for any of the words, which blanks separate; `_` stands for a blank inside one."""
    return f"(?:{'|'.join(re.escape(word).replace('_', '[ ]') for word in words.split())})"
