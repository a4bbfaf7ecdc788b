"""TRL's rows, and mlx-lm's: text, conversations, prompts with completions, preferences, rated answers.

    {"text"} · {"messages", "tools"?} · {"conversations": [{"from", "value"}]} · {"prompt", "completion", "label"?}
    {"prompt", "chosen", "rejected"} · {"chosen", "rejected"}, which begin alike: the prompt is what they share

A label beside messages is a field: there it says nothing. Answers in a prompt are not trained, as there. TRL renames
ShareGPT's keys and keeps its roles `human` and `gpt`, which many templates drop; here they become user and assistant.
"""

import re
from itertools import takewhile
from typing import Any

from tunewright.data.forms._parts import (
    Row,
    Turn,
    finished,
    has,
    needed,
    note_thinking,
    of_prompt,
    paired,
    rating,
    untrained,
    value,
    with_tools,
)
from tunewright.data.forms._turns import read_turns
from tunewright.data.forms.spec import Form
from tunewright.data.names import listed
from tunewright.data.rows import BadRow

_SPOKEN = re.compile(r"(?:^|\n\n)(Human|Assistant): ?")
"""How Anthropic's preference texts tell who speaks."""


def read(row: Row, form: Form) -> dict[str, Any]:
    """The chat row, or {"text"} for a document. Raises BadRow."""
    if has(row, form, "chosen") or has(row, form, "rejected"):
        made = _pair(row, form)
    elif has(row, form, "completion"):
        prompt = read_turns(value(row, form, "prompt"), form, form.keys["prompt"])
        answer = read_turns(value(row, form, "completion"), form, form.keys["completion"], "assistant")
        before = [untrained(turn) if turn["role"] == "assistant" else turn for turn in prompt]
        made = {"messages": [*before, *answer]}
        if form.keys.get("rating") in row:
            made["label"] = rating(row, form)
    elif has(row, form, "messages"):
        made = {"messages": read_turns(value(row, form, "messages"), form, form.keys["messages"])}
    elif has(row, form, "conversations"):
        older = form._replace(message_keys={**form.message_keys, "role": "from", "content": "value"})
        made = {"messages": read_turns(value(row, form, "conversations"), older, form.keys["conversations"])}
    elif has(row, form, "text"):
        return {"text": needed(row, form, "text")}
    else:
        raise BadRow(_no_answer(row, form))
    made["messages"] = finished(made["messages"], form)
    return with_tools(made, row, form)


def _no_answer(row: Row, form: Form) -> str:
    if has(row, form, "prompt"):
        key = form.keys["prompt"]
        seeds = "prompt_only" if key == "prompt" else f"{{name: prompt_only, keys: {{prompt: {key}}}}}"
        return (
            f"no answer: the row is a prompt alone; it has {listed(row)}. form.keys.completion may name its answer; as a "
            f"seed for `generate` it has form: {seeds}; methods that answer prompts themselves (grpo) are not here yet"
        )
    return f"missing column: the row has none of {form.name}'s keys; it has {listed(row)}"


def _pair(row: Row, form: Form) -> dict[str, Any]:
    sides = [value(row, form, side) for side in ("chosen", "rejected")]
    if not has(row, form, "prompt") and all(isinstance(side, str) for side in sides):
        return _shared(*sides)
    asking = of_prompt(form)
    prompt = (
        read_turns(row[form.keys["prompt"]], asking, form.keys["prompt"]) if has(row, form, "prompt") else []
    )
    chosen, rejected = (
        read_turns(side, form, form.keys[name], "assistant")
        for name, side in zip(("chosen", "rejected"), sides, strict=True)
    )
    note_thinking(asking, form, chosen)
    return paired(prompt, chosen, rejected)


def _shared(chosen: str, rejected: str) -> dict[str, Any]:
    """Two texts that begin alike: turns where they say who speaks, else all shared words are the prompt.

    TRL cuts where the letters part, perhaps inside a word; here the cut is before the word.
    """
    spoken = [_spoken(text) for text in (chosen, rejected)]
    if spoken[0] and spoken[1]:
        return paired([], *spoken)
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(chosen, rejected, strict=False))
    shared = chosen[: sum(1 for _ in alike)]
    inside = any(len(text) > len(shared) and not text[len(shared)].isspace() for text in (chosen, rejected))
    if inside:
        shared = shared[: max((at + 1 for at, sign in enumerate(shared) if sign.isspace()), default=0)]
    prompt, better, worse = shared.rstrip(), chosen[len(shared) :].lstrip(), rejected[len(shared) :].lstrip()
    if not prompt:
        raise BadRow(
            "bad pair: the two texts share no beginning that could be the prompt; give it a key of its own"
        )
    if not better or not worse:
        raise BadRow("bad pair: nothing of one text is left behind the beginning that both share")
    return {
        "messages": [{"role": "user", "content": prompt}, {"role": "assistant", "content": better}],
        "rejected": worse,
    }


def _spoken(text: str) -> list[Turn]:
    """The turns of a text that says who speaks; none where it does not."""
    parts = _SPOKEN.split(text)
    if len(parts) < 5 or parts[0].strip() or parts[1] != "Human":
        return []
    roles = {"Human": "user", "Assistant": "assistant"}
    pairs = zip(parts[1::2], parts[2::2], strict=True)
    return [{"role": roles[who], "content": said.strip()} for who, said in pairs]
