"""A better and a worse answer under keys of any name: Axolotl's DPO, IPO, ORPO and reward types, torchtune's preferences.

    {"system"?, "prompt" or "messages"?, "chosen", "rejected"}     a side is a text, a turn, or a list of turns
    {"prompt", "answers": [{"answer", "rank"}, …]}                 with `best` saying which rank is the best

A side that is a whole conversation is taken whole: Axolotl takes its second message for the answer, however many follow. An
answer keeps its outer blanks, which cost Axolotl the whole answer under some templates.
"""

from typing import Any

from tunewright.data.forms._parts import (
    Row,
    Turn,
    finished,
    formatted,
    has,
    kind_of,
    needed,
    note_thinking,
    of_prompt,
    paired,
    text,
    value,
    with_tools,
)
from tunewright.data.forms._turns import read_turns
from tunewright.data.forms.spec import Form
from tunewright.data.rows import BadRow


def read(row: Row, form: Form) -> dict[str, Any]:
    """The chat row. Raises BadRow."""
    asking = of_prompt(form)
    prompt = _prompt(row, asking)
    if "answers" in form.keys:
        sides = _ranked(value(row, form, "answers"), form)
    else:
        sides = [_side(row, form, name) for name in ("chosen", "rejected")]
    made = paired(prompt, *sides)
    note_thinking(asking, form, sides[0])
    if not any(turn["role"] == "user" and str(turn["content"]).strip() for turn in made["messages"]):
        raise BadRow("empty input: nothing asks for the two answers")
    made["messages"] = finished(made["messages"], form, text(row, form, "system"))
    return with_tools(made, row, form)


def _prompt(row: Row, form: Form) -> list[Turn]:
    if has(row, form, "messages"):
        return read_turns(row[form.keys["messages"]], form, form.keys["messages"])
    if not has(row, form, "prompt"):
        return []
    if "user" in form.formats:
        return [{"role": "user", "content": formatted(form.formats["user"], row, form)}]
    return read_turns(row[form.keys["prompt"]], form, form.keys["prompt"])


def _side(row: Row, form: Form, name: str) -> list[Turn]:
    found = value(row, form, name)
    if isinstance(found, str):
        needed(row, form, name)
    return read_turns(found, form, form.keys[name], "assistant")


def _ranked(answers: Any, form: Form) -> list[list[Turn]]:
    """The best and the worst of ranked answers. Axolotl takes the last two by rank, the best of which may be rank 1."""
    if form.spec.best is None:
        raise BadRow(
            "bad pair: the answers are ranked, and nothing says which rank is the best; set form.best to lowest or highest"
        )
    if not isinstance(answers, list) or len(answers) < 2:
        raise BadRow(f"bad pair: 'answers' is {kind_of(answers)}, not a list of at least two answers")
    ranked: list[tuple[float, str]] = []
    for at, answer in enumerate(answers):
        rank = answer.get("rank") if isinstance(answer, dict) else None
        said = answer.get("answer") if isinstance(answer, dict) else None
        if isinstance(rank, bool) or not isinstance(rank, int | float) or not isinstance(said, str):
            raise BadRow(f"bad pair: answers[{at}] has no text under 'answer' with a number under 'rank'")
        ranked.append((float(rank), said))
    ranked.sort(key=lambda each: each[0], reverse=form.spec.best == "highest")
    if ranked[0][0] == ranked[-1][0]:
        raise BadRow("bad pair: all answers have the same rank")
    return [[{"role": "assistant", "content": ranked[at][1]}] for at in (0, -1)]
