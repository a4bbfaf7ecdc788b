"""Transcripts in JSON, as speech recognition writes them: one row a turn, {text, speaker, start, end, document}.

    [{"speaker"?, "text", "start"?, "end"?}, …]     or such a list under one of the keys of _LISTS

The names that other tools give these keys are known too. Times are kept as they are, in seconds with most tools; what is no
number is null. A row's number is the place of its first piece in the list.
"""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tunewright.core.strict_json import StrictJsonError, parse
from tunewright.data.names import listed
from tunewright.data.rows import BadFile, Reject, Table
from tunewright.data.sources._documents import TALK_BYTES, clean, whole_text
from tunewright.data.sources._turns import Cue, turn_table
from tunewright.data.sources.jsonl import kind_of

_LISTS = (
    ("segments",),
    ("utterances",),
    ("results", "utterances"),
    ("transcript",),
    ("monologues",),
    ("turns",),
)
"""Where the pieces may stand in an object."""
_TEXT = ("text", "transcript", "content")
_SPEAKER = ("speaker", "speaker_label", "speaker_name", "speaker_id")
_START, _END = ("start", "start_time"), ("end", "end_time")
_RAW = 2000


def read(path: Path, encoding: str) -> Table:
    """Open a transcript. Raises BadFile where it is no JSON, or holds no list of pieces."""
    try:
        value = parse(whole_text(path, encoding, TALK_BYTES))
    except StrictJsonError as error:
        raise BadFile(f"the file is not JSON: {error}.", fix="Write the transcript anew.") from None
    return turn_table(path, _cues(_pieces(value)))


def _pieces(value: Any) -> list[Any]:
    if isinstance(value, list):
        return value
    for way in _LISTS if isinstance(value, dict) else ():
        found = value
        for name in way:
            found = found.get(name) if isinstance(found, dict) else None
        if isinstance(found, list):
            return found
    known = f"it has {listed(value)}" if isinstance(value, dict) else f"it is {kind_of(value)}"
    raise BadFile(
        f"the transcript holds no list of what is said; {known}.",
        fix=f"Put the pieces under one of {listed('.'.join(way) for way in _LISTS)}.",
    )


def _cues(pieces: list[Any]) -> Iterator[Cue | Reject]:
    for number, piece in enumerate(pieces, 1):
        if not isinstance(piece, dict):
            yield Reject(number, f"not an object: it is {kind_of(piece)}", str(piece)[:_RAW])
            continue
        text = _first(piece, _TEXT)
        if not isinstance(text, str):
            what = "has no text" if text is None else f"has {kind_of(text)} for a text"
            yield Reject(number, f"bad piece: it {what}", str(piece)[:_RAW])
            continue
        yield Cue(number, _time(piece, _START), _time(piece, _END), _speaker(_first(piece, _SPEAKER)), text)


def _first(piece: dict[str, Any], names: tuple[str, ...]) -> Any:
    return next((piece[name] for name in names if piece.get(name) is not None), None)


def _speaker(value: Any) -> str | None:
    """A speaker's name, or the number of one."""
    if isinstance(value, dict):
        value = _first(value, ("name", "id"))
    return f"speaker {value}" if isinstance(value, int) and not isinstance(value, bool) else clean(value)


def _time(piece: dict[str, Any], names: tuple[str, ...]) -> float | None:
    """Seconds, as a number or as a text of one; None where there are none."""
    value = _first(piece, names)
    try:
        seconds = (
            float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else None
        )
    except (ValueError, OverflowError):
        return None
    return seconds if seconds is not None and math.isfinite(seconds) else None
