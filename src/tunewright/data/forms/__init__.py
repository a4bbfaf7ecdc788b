"""Rows of other tools become chat rows. One file for each family of forms, found by its name; presets.py lists the forms.

    convert({"instruction": "Add.", "input": "1, 2", "output": "3"}, FormSpec(name="alpaca"))
    → {"messages": [{"role": "user", "content": "Add.\\n1, 2"}, {"role": "assistant", "content": "3"}]}
    detect(rows).spec         the form of rows of which nothing is known

A row that its own tool would drop, or train wrongly, in silence is refused with the reason. What no chat row can carry
(pictures, token ids) is refused by name, and so is thinking beside an answer of which nothing is said. What trains nothing
(ids, times) is kept as fields.
"""

from collections.abc import Callable, Mapping
from typing import Any

from tunewright.data.forms.detect import Detected, detect
from tunewright.data.forms.presets import PRESETS
from tunewright.data.forms.spec import FormSpec
from tunewright.data.thinking import Thinking, Thoughts

__all__ = ["PRESETS", "Detected", "FormSpec", "convert", "detect", "reader"]


def convert(row: Mapping[str, Any], spec: FormSpec, thinking: Thinking | None = None) -> dict[str, Any]:
    """The chat row ({"messages", "tools"?, "rejected"?, "label"?}) or document ({"text"}) that another tool's row is.

    Keys that the form does not read are kept, as `other_<key>` where a chat row would take them for its own. Raises BadRow
    where the row cannot be carried whole, the chat row could not be read, or the tool itself would drop it. `thinking` is
    what becomes of thinking beside an answer, as a source says it.
    """
    from tunewright.data.sources.chat import talk

    made = reader(spec)(row, Thoughts(thinking))
    if "messages" in made:
        talk(made, {})
    return made


def reader(spec: FormSpec) -> Callable[[Mapping[str, Any], Thoughts], dict[str, Any]]:
    """`convert` for many rows of one form. What a chat row may hold is left to its reader to check."""
    from tunewright.data.forms._reading import reader_of

    read = reader_of(spec)
    return lambda row, thoughts: read(row, thoughts).row
