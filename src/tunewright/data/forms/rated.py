"""An answer and whether it is a good one: Axolotl's KTO types.

    {"system"?, "prompt", "completion", "label": true or false}     the completion a text or a whole conversation

Axolotl's fixed types never set the rating and fail late without the column; here such a row is a reject.
"""

from typing import Any

from tunewright.data.forms._parts import Row, finished, formatted, has, rating, text, value, with_tools
from tunewright.data.forms._turns import read_turns
from tunewright.data.forms.spec import Form
from tunewright.data.rows import BadRow


def read(row: Row, form: Form) -> dict[str, Any]:
    """The chat row. Raises BadRow."""
    answer = read_turns(value(row, form, "completion"), form, form.keys["completion"], "assistant")
    whole = any(turn["role"] != "assistant" for turn in answer)
    if whole and has(row, form, "prompt"):
        raise BadRow(
            f"bad messages: {form.keys['completion']!r} is a whole conversation, and there is a {form.keys['prompt']!r} too"
        )
    prompt = []
    if not whole:
        asked = value(row, form, "prompt")
        if "user" in form.formats:
            asked = formatted(form.formats["user"], row, form)
        prompt = read_turns(asked, form, form.keys["prompt"])
    messages = finished([*prompt, *answer], form, text(row, form, "system"))
    return with_tools({"messages": messages, "label": rating(row, form)}, row, form)
