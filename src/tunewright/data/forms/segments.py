"""Axolotl's input_output: {"segments": [{"label": trained or not, "text"}, …]}, texts that stand one behind the other.

They become turns where an untrained segment is followed by a trained one. Axolotl puts nothing between them and no template
around them, so its rows often hold a template's own markup; such a row is a reject, since it would stand there twice.
"""

from itertools import groupby
from typing import Any

from tunewright.data.forms._parts import Row, finished, kind_of, value
from tunewright.data.forms.markup import MARKUP
from tunewright.data.forms.spec import Form
from tunewright.data.rows import BadRow


def read(row: Row, form: Form) -> dict[str, Any]:
    """The chat row. Raises BadRow."""
    key = form.keys["segments"]
    segments = value(row, form, "segments")
    if not isinstance(segments, list) or not segments:
        raise BadRow(f"bad segments: {key!r} is {kind_of(segments)}, not a list of segments")
    for at, segment in enumerate(segments):
        label = segment.get("label") if isinstance(segment, dict) else None
        if not isinstance(label, bool) or not isinstance(segment.get("text"), str):
            raise BadRow(f"bad segments: {key}[{at}] has no text with a label that is true or false")
        if found := MARKUP.search(segment["text"]):
            raise BadRow(
                f"bad segments: {key}[{at}] holds {found[0]!r}, which the base's own template puts around turns; take it out"
            )
    turns = [
        {"role": "assistant" if trained else "user", "content": "".join(each["text"] for each in group)}
        for trained, group in groupby(segments, key=lambda each: each["label"])
    ]
    if turns[0]["role"] == "assistant":
        raise BadRow(
            "bad segments: the first one is trained, and nothing asks for it; text alone is the form `completion`"
        )
    if turns[-1]["role"] == "user":
        raise BadRow("bad segments: the last one is not trained, so it would have no effect")
    return {"messages": finished(turns, form)}
