"""Rated steps, TRL's stepwise supervision: {"prompt", "completions": [a step, …], "labels": [true or false, …]}.

There the rows train a model that rates steps. Here the steps are one answer, a line each as TRL joins them, rated good where
each step is; the lists stay as fields. A good answer is taken for a whole one, and sets made of PRM800K hold many that stop
midway: only who knows the rows can choose this form, and none is detected to have it.
"""

from typing import Any

from tunewright.data.forms._parts import Row, finished, kind_of, text, value
from tunewright.data.forms._reading import kept_as
from tunewright.data.forms._turns import read_turns
from tunewright.data.forms.spec import Form
from tunewright.data.ratings import read_rating
from tunewright.data.rows import BadRow


def read(row: Row, form: Form) -> dict[str, Any]:
    """The chat row, with its rating. Raises BadRow."""
    steps, labels = (_list(row, form, part) for part in ("completions", "labels"))
    key, rating = form.keys["completions"], form.keys["labels"]
    if len(steps) != len(labels):
        raise BadRow(f"bad steps: {key!r} has {len(steps)}, and {rating!r} rates {len(labels)}")
    for at, step in enumerate(steps):
        if not isinstance(step, str) or not step.strip():
            raise BadRow(f"bad steps: {key}[{at}] is {_said(step)}, not a text")
    good = [read_rating(label, f"{rating}[{at}]") for at, label in enumerate(labels)]
    prompt = read_turns(value(row, form, "prompt"), form, form.keys["prompt"])
    turns = [*prompt, {"role": "assistant", "content": "\n".join(steps)}]
    return {
        "messages": finished(turns, form, text(row, form, "system")),
        "label": all(good),
        kept_as(key): steps,
        kept_as(rating): labels,
    }


def _list(row: Row, form: Form, part: str) -> list[Any]:
    found = value(row, form, part)
    if not isinstance(found, list) or not found:
        said = "an empty list" if found == [] else kind_of(found)
        raise BadRow(f"bad steps: {form.keys[part]!r} is {said}, not a list with a value for each step")
    return found


def _said(step: Any) -> str:
    return "blank" if isinstance(step, str) else kind_of(step)
