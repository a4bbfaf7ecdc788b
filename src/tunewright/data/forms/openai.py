"""OpenAI's fine-tuning files: supervised, preference, and reinforcement with the key of a reference answer.

{"messages": [{"role", "content", "weight"?, "tool_calls"?}, …], "tools"?}           functions are read as tools
{"input": {"messages": […], "tools"?}, "preferred_output": […], "non_preferred_output": […]}
{"messages": [… the user's], "reference": …}                                         with `answer` among the form's keys
"""

import json
from typing import Any

from tunewright.data.forms._parts import (
    Row,
    Turn,
    finished,
    has,
    kind_of,
    note_thinking,
    of_prompt,
    paired,
    rating,
    value,
    with_tools,
)
from tunewright.data.forms._turns import read_turns
from tunewright.data.forms.spec import Form
from tunewright.data.rows import BadRow


def read(row: Row, form: Form) -> dict[str, Any]:
    """The chat row. Raises BadRow."""
    if has(row, form, "preferred"):
        return _pair(row, form)
    turns = _turns(value(row, form, "messages"), form, form.keys["messages"])
    if turns[-1]["role"] != "assistant":
        turns.append({"role": "assistant", "content": _reference(row, form)})
    made: dict[str, Any] = {"messages": finished(turns, form)}
    if "rating" in form.keys:
        made["label"] = rating(row, form)
    return _tools(made, row, form)


def _pair(row: Row, form: Form) -> dict[str, Any]:
    asked = value(row, form, "input")
    if not isinstance(asked, dict) or "messages" not in asked:
        raise BadRow(f"bad messages: {form.keys['input']!r} is {kind_of(asked)}, not an object with messages")
    asking = of_prompt(form)
    prompt = _turns(asked["messages"], asking, f"{form.keys['input']}.messages")
    sides = [_turns(value(row, form, side), form, form.keys[side]) for side in ("preferred", "rejected")]
    note_thinking(asking, form, sides[0])
    made = paired(prompt, *sides)
    made["messages"] = finished(made["messages"], form)
    known = ("messages", form.keys.get("tools"), form.keys.get("functions"))
    if more := {key: each for key, each in asked.items() if key not in known}:
        made["other_input"] = more
    return _tools(_tools(made, asked, form), row, form)


def _tools(made: dict[str, Any], row: Row, form: Form) -> dict[str, Any]:
    """The row's tools; the older `functions` are tools, too."""
    functions = row[form.keys["functions"]] if has(row, form, "functions") else None
    return with_tools({**made, "tools": functions} if functions else made, row, form)


def _reference(row: Row, form: Form) -> str:
    """The answer that graders of reinforcement learning compare with: its text, or its JSON."""
    if "answer" not in form.keys:
        raise BadRow(
            "no answer: the messages end without the assistant's, as those of reinforcement files do; name the key of "
            "the reference answer: form.keys.answer"
        )
    found = value(row, form, "answer")
    return found if isinstance(found, str) else json.dumps(found, ensure_ascii=False)


def _turns(rows: Any, form: Form, where: str) -> list[Turn]:
    """The turns, each of which says or calls something."""
    turns = read_turns(rows, form, where)
    for at, turn in enumerate(turns):
        if turn["role"] == "assistant" and turn["content"] is None and not turn.get("tool_calls"):
            raise BadRow(f"not carried: {where}[{at}] has neither a text nor calls (a refusal, say)")
    return turns
