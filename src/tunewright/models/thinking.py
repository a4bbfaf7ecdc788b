"""Thinking parts of answers, as chat templates write them: <think>…</think> before what is said.

Answers come without one. Where a template writes an empty one at the end of the prompt (Qwen3's), it belongs to the prompt
in training too: an answer that begins with an empty one is rendered without, and one that thinks is refused.
"""

import re

from tunewright.core.errors import ModelError

_BEGIN, _END = "<think>", "</think>"
FIX_IN_SOURCE = "thinking: drop for a source that has thinking: inline"
_EMPTY = re.compile(r"\s*<think>\s*</think>")


class ThinkingError(ModelError):
    """An answer that is to be trained has a thinking part, and the template asks for answers without one."""

    def __init__(self) -> None:
        fix = (
            f"Take <think>…</think> out of the answers ({FIX_IN_SOURCE}), or choose a base whose chat template writes no"
            " thinking part into the prompt."
        )
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
            fix = "Choose a base whose chat template shows an answer as its own prompt leads to it."
        super().__init__("The chat template shows an answer in training otherwise than in serving.", fix=fix)


def closing(prompt: str) -> str | None:
    """The blanks after the thinking part that a prompt's text ends with, so that the answer has none; none without one."""
    _, end, blanks = prompt.rpartition(_END)
    return blanks if end and not blanks.strip() else None


def without_empty(answer: str) -> str:
    """An answer without the empty thinking part that it begins with, where it does. What it is indented by stays."""
    found = _EMPTY.match(answer)
    return answer[found.end() :].lstrip("\r\n") if found else answer


def after_empty(text: str, begin: int, blanks: str) -> int:
    """Where an empty thinking part that begins there has ended, and the prompt's `blanks` after it, where they stand there.

    The same place where none begins there.
    """
    found = _EMPTY.match(text, begin)
    end = found.end() if found else begin
    return end + len(blanks) if found and text.startswith(blanks, end) else end


def thought(answer: str) -> str:
    """What stands in an answer's thinking part, up to its end; blank where it has none."""
    head, end, _ = answer.partition(_END)
    return head.replace(_BEGIN, "", 1).strip() if end else ""


def thinks(answer: str) -> bool:
    """Whether an answer has a thinking part, or begins one and was cut off."""
    return _END in answer or answer.lstrip().startswith(_BEGIN)
