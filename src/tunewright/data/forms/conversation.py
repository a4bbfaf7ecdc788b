"""Conversations under keys and roles of any name: ShareGPT, Axolotl's chat_template, LLaMA-Factory, Tinker.

{"conversations": [{"from": "human", "value"}, {"from": "gpt", "value"}, …], "system"?, "tools"?}
with `chosen` and `rejected` among the form's keys a pair, with `rating` a rated answer
"""

from typing import Any

from tunewright.data.forms._parts import Row, finished, paired, rating, text, value, with_tools
from tunewright.data.forms._turns import check_alternating, read_turns
from tunewright.data.forms.spec import Form


def read(row: Row, form: Form) -> dict[str, Any]:
    """The chat row. Raises BadRow."""
    turns = read_turns(value(row, form, "messages"), form, form.keys["messages"])
    pairs = "chosen" in form.keys and "rejected" in form.keys
    if form.alternating:
        check_alternating(turns, "question" if pairs else "answer")
    made: dict[str, Any] = {"messages": turns}
    if pairs:
        sides = [
            read_turns(value(row, form, side), form, form.keys[side], "assistant")
            for side in ("chosen", "rejected")
        ]
        made = paired(turns, *sides)
    made["messages"] = finished(made["messages"], form, text(row, form, "system"))
    if "rating" in form.keys:
        made["label"] = rating(row, form)
    return with_tools(made, row, form)
