"""Axolotl's creative_acr: a question, an answer to it, and what scores and critiques say of that answer.

    {"instruction", "answer", "scores": {…}, "critiques": {…}}                  trains {scores, critiques}, as YAML
    {"instruction", "answer", "scores": {…}, "critiques": {…}, "revision"}      trains the better answer

What asks for them is the format `user`, which has {instruction}, {answer} and {evaluation} in it. Axolotl asks at greater
length, with a page on each score, and wants the scores' names and the critiques' below one another without a key for each
of the two: a format of the user's own says it as they want, and is answered so.
"""

import re
from io import StringIO
from typing import Any

from tunewright.data.forms._parts import Row, finished, kind_of, needed, value
from tunewright.data.forms.presets import PRESETS
from tunewright.data.forms.spec import Form
from tunewright.data.rows import BadRow

_PLACE = re.compile(r"\{(instruction|answer|evaluation)\}")
_DEPTH = 30
"""The most levels of a part: what writes YAML takes many calls for each."""
_WIDE = 2**20
"""Letters of a line of YAML: long sentences are not wrapped."""


def read(row: Row, form: Form) -> dict[str, Any]:
    """The chat row. Raises BadRow."""
    parts = {part: _part(row, form, part) for part in ("scores", "critiques")}
    # a format of the user's own asks in Axolotl's way, which has no keys for the two
    ours = form.formats["user"] == PRESETS[form.name].formats["user"]
    evaluation = _yaml(parts) if ours else "".join(map(_yaml, parts.values()))
    said = {part: needed(row, form, part) for part in ("instruction", "answer")} | {"evaluation": evaluation}
    asked = _PLACE.sub(lambda place: said[place[1]], form.formats["user"])
    answer = needed(row, form, "revision") if "revision" in form.keys else evaluation
    turns = [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]
    return {"messages": finished(turns, form)}


def _part(row: Row, form: Form, part: str) -> dict[str, Any]:
    """A part, its keys in the order of the alphabet as Axolotl has them. Raises BadRow."""
    found = value(row, form, part)
    if not isinstance(found, dict) or not found:
        raise BadRow(
            f"bad {part}: {form.keys[part]!r} is {kind_of(found)}, not an object that names each of them"
        )
    return {key: _sorted(found[key], f"bad {part}: {form.keys[part]!r}") for key in sorted(found)}


def _yaml(found: dict[str, Any]) -> str:
    from ruamel.yaml import YAML

    writer = YAML(typ="safe", pure=True)
    writer.default_flow_style = False
    writer.allow_unicode = True
    writer.width = _WIDE
    writer.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # scores first
    stream = StringIO()
    writer.dump(found, stream)
    return stream.getvalue()


def _sorted(found: Any, where: str, depth: int = _DEPTH) -> Any:
    if not depth:
        raise BadRow(f"{where} nests too deep; {_DEPTH} levels are written as YAML")
    if isinstance(found, dict):
        return {key: _sorted(found[key], where, depth - 1) for key in sorted(found)}
    return [_sorted(each, where, depth - 1) for each in found] if isinstance(found, list) else found
