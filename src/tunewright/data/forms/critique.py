"""Axolotl's creative_acr: a question, an answer to it, and what scores and critiques say of that answer.

    {"instruction", "answer", "scores": {…}, "critiques": {…}}                  trains the scores and critiques, as YAML
    {"instruction", "answer", "scores": {…}, "critiques": {…}, "revision"}      trains the better answer

What asks for them is the format `user`, which has {instruction}, {answer} and {evaluation} in it. Axolotl asks at greater
length, with a page on each score; a format of the user's own says it as they want.
"""

import re
from io import StringIO
from typing import Any

from tunewright.data.forms._parts import Row, finished, kind_of, needed, value
from tunewright.data.forms.spec import Form
from tunewright.data.rows import BadRow

_PLACE = re.compile(r"\{(instruction|answer|evaluation)\}")
_WIDE = 2**20
"""Letters of a line of YAML: long sentences are not wrapped."""


def read(row: Row, form: Form) -> dict[str, Any]:
    """The chat row. Raises BadRow."""
    evaluation = "".join(_yaml(row, form, part) for part in ("scores", "critiques"))
    said = {part: needed(row, form, part) for part in ("instruction", "answer")} | {"evaluation": evaluation}
    asked = _PLACE.sub(lambda place: said[place[1]], form.formats["user"])
    answer = needed(row, form, "revision") if "revision" in form.keys else evaluation
    turns = [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]
    return {"messages": finished(turns, form)}


def _yaml(row: Row, form: Form, part: str) -> str:
    """A part as YAML, its keys in the order of the alphabet as Axolotl has them. Raises BadRow."""
    from ruamel.yaml import YAML

    found = value(row, form, part)
    if not isinstance(found, dict) or not found:
        raise BadRow(
            f"bad {part}: {form.keys[part]!r} is {kind_of(found)}, not an object that names each of them"
        )
    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    writer.allow_unicode = True
    writer.width = _WIDE
    stream = StringIO()
    writer.dump(_sorted(found), stream)
    return stream.getvalue()


def _sorted(found: Any) -> Any:
    if isinstance(found, dict):
        return {key: _sorted(found[key]) for key in sorted(found)}
    return [_sorted(each) for each in found] if isinstance(found, list) else found
