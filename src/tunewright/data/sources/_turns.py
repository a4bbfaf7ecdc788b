"""Turns of a talk: what one speaker says until another does, as rows {text, speaker, start, end, document}."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tunewright.data.rows import Reject, Row, Table
from tunewright.data.sources._documents import document_table

COLUMNS = ("speaker", "start", "end")


class Cue(NamedTuple):
    """A piece of a talk: its place in the file, its times in seconds, who speaks, where they are known."""

    number: int
    start: float | None
    end: float | None
    speaker: str | None
    text: str


def turn_table(path: Path, cues: Iterable[Cue | Reject]) -> Table:
    """The table of a talk's turns: cues that follow one another and are of one speaker, or of nobody named, are one row.

    A row has the number and the start of its first cue, and the end of its last; its cues are parted by line feeds. Cues
    that say nothing are passed over.
    """
    return document_table(path, COLUMNS, _turns(cues))


def _turns(cues: Iterable[Cue | Reject]) -> Iterator[Row | Reject]:
    turn: list[Cue] = []
    for cue in cues:
        if isinstance(cue, Reject):
            yield cue
            continue
        if not cue.text.strip():
            continue
        if turn and turn[-1].speaker != cue.speaker:
            yield _row(turn)
            turn = []
        turn.append(cue)
    if turn:
        yield _row(turn)


def _row(turn: list[Cue]) -> Row:
    values: dict[str, Any] = {"text": "\n".join(cue.text.strip() for cue in turn)}
    return Row(
        turn[0].number, {**values, "speaker": turn[0].speaker, "start": turn[0].start, "end": turn[-1].end}
    )
