"""Prompts without an answer, TRL's prompt-only rows: {"prompt": a text, or one question as a list of messages}.

They become texts, which `generate` takes as seeds and has answered. A system message before the question is the field
`system`, other keys of turns are the field `turn_fields`. A talk of several turns is no seed.
"""

from typing import Any

from tunewright.data.forms._parts import Row, needed, value
from tunewright.data.forms._turns import read_turns
from tunewright.data.forms.spec import Form
from tunewright.data.rows import BadRow
from tunewright.data.side_keys import TURN_FIELDS


def read(row: Row, form: Form) -> dict[str, Any]:
    """The document, {"text", "system"?}. Raises BadRow."""
    found, key = value(row, form, "prompt"), form.keys["prompt"]
    if isinstance(found, str):
        return {"text": needed(row, form, "prompt")}
    turns = read_turns(found, form, key)
    system = turns[0]["content"] if turns[0]["role"] in ("system", "developer") else None
    asked = turns if system is None else turns[1:]
    if [turn["role"] for turn in asked] != ["user"]:
        roles = ", ".join(turn["role"] for turn in turns[:9])
        raise BadRow(
            f"not carried: {key!r} is no single question ({roles}), and a seed is one; methods that would answer such talks "
            "themselves (grpo) are not here yet"
        )
    if system is not None and row.get("system") not in (None, "", system):
        raise BadRow("bad messages: the system message of the row is another than that of its messages")
    if not isinstance(asked[0]["content"], str) or not asked[0]["content"].strip():
        raise BadRow(f"empty text: {key!r} asks nothing")
    if not isinstance(system, str | None):
        raise BadRow(f"bad messages: {key}[0].content is no text")
    more = ({name: each for name, each in turn.items() if name not in ("role", "content")} for turn in turns)
    aside = {f"{key}[{at}]": each for at, each in enumerate(more) if each}
    return {
        "text": asked[0]["content"],
        **({} if system is None else {"system": system}),
        **({TURN_FIELDS: aside} if aside else {}),
    }
