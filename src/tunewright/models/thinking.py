"""Thinking parts of answers, as chat templates write them: <think>…</think> before what is said.

Answers come without one. Where a template writes an empty one at the end of the prompt (Qwen3's), it belongs to the prompt
in training too: an answer that begins with an empty one is rendered without, and one that thinks is refused.
"""

import re

from tunewright.core.errors import ModelError

_END = "</think>"
_EMPTY = re.compile(r"\s*<think>\s*</think>\s*")
_OPEN, _BASE = "<think>…</think>", "Choose a base whose chat template"


class ThinkingError(ModelError):
    """An answer that is to be trained has a thinking part, and the template asks for answers without one."""

    def __init__(self) -> None:
        fix = f"Take {_OPEN} out of the answers, or c{_BASE[1:]} writes no thinking part into the prompt."
        super().__init__(
            "The chat template asks for an answer without thinking, and one has a thinking part.", fix=fix
        )


class ServedOtherwiseError(ModelError):
    """The chat template shows an answer that is to be trained otherwise than its prompt leads to it."""

    def __init__(self, *, last: bool) -> None:
        """`last` says that it is the last one: then no earlier answer is at fault, but the template."""
        self.last = last
        fix = 'Give the earlier answers of such rows "weight": 0, or train them as rows of their own.'
        if last:
            fix = f"{_BASE} shows an answer as its own prompt leads to it."
        super().__init__("The chat template shows an answer in training otherwise than in serving.", fix=fix)


def is_over(prompt: str) -> bool:
    """Whether a prompt's text ends with a thinking part that is over, so that the answer has none."""
    return prompt.rstrip().endswith(_END)


def without_empty(answer: str) -> str:
    """An answer without the empty thinking part that it begins with, where it does."""
    return answer[after_empty(answer, 0) :]


def after_empty(text: str, begin: int) -> int:
    """Where an empty thinking part that begins there has ended; the same place where none does."""
    found = _EMPTY.match(text, begin)
    return found.end() if found else begin


def thinks(answer: str) -> bool:
    """Whether an answer has a thinking part."""
    return _END in answer
