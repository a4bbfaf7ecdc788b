"""A talk that was written down as one conversation: {messages, asked_by, answered_by, start, end, document}.

A source's `roles` says who is the assistant and who the user. One whose turn was lost, or in which somebody speaks who is
neither, is a reject: an answer would stand beside the wrong question. One in which nobody answers is passed over.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import closing
from typing import Any

from tunewright.data.rows import BadRow, NoAnswer, Reject, Row, Table
from tunewright.data.source_spec import Side
from tunewright.data.sources._roles import Said, Sides, conversation

COLUMNS = ("messages", "asked_by", "answered_by", "start", "end", "document")
_RAW = 2000


def talk_table(table: Table, roles: Mapping[str, Side]) -> Table:
    """The conversation that the turns of a file make."""
    return Table(COLUMNS, _rows(table, Sides(roles)))


def _rows(table: Table, sides: Sides) -> Generator[Row | Reject, None, None]:
    with closing(table.rows):
        turns = list(table.rows)  # talks are small: see TALK_BYTES
    if not turns:
        return
    try:
        yield Row(1, _talk(turns, sides))
    except BadRow as bad:
        yield Reject(1, str(bad), _shown(turns), isinstance(bad, NoAnswer))


def _talk(turns: Sequence[Row | Reject], sides: Sides) -> dict[str, Any]:
    said = []
    for turn in turns:
        if isinstance(turn, Reject):
            raise BadRow(f"lost turn: what is said at {turn.number} cannot be read ({turn.reason})")
        said.append(turn.values)
    parts = (Said(sides.of(turn["speaker"]), turn["speaker"], turn["text"]) for turn in said)
    last = {"start": said[0]["start"], "end": said[-1]["end"], "document": said[0]["document"]}
    return {**conversation(parts), **last}


def _shown(turns: Sequence[Row | Reject]) -> str:
    texts = (
        turn.raw if isinstance(turn, Reject) else f"{turn.values['speaker']}: {turn.values['text']}"
        for turn in turns
    )
    return "\n".join(text[:_RAW] for text, _ in zip(texts, range(_RAW), strict=False))[:_RAW]
