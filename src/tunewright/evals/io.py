"""Scorecards as files: JSONL, the head first, then one reply a line. Equal scorecards give equal bytes."""

import json
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from tunewright.core.errors import IntegrityError
from tunewright.core.files import write_atomic
from tunewright.evals.scorecard import Scorecard, ScoredReply


def save_scorecard(card: Scorecard, path: Path) -> None:
    """Write a scorecard, atomically. Floats are written so that they are read back the same."""
    head = card.model_dump(mode="json", exclude={"replies"})
    rows = [head, *(reply.model_dump(mode="json") for reply in card.replies)]
    write_atomic(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def load_scorecard(path: Path) -> Scorecard:
    """Read a scorecard back. Raises IntegrityError when the file is not one, or not whole."""
    try:
        head, *rows = _whole_lines(path.read_bytes())
        replies = tuple(ScoredReply.model_validate(row) for row in rows)
        return Scorecard.model_validate({**head, "replies": replies})
    except (OSError, ValueError, TypeError, ValidationError) as error:
        raise IntegrityError("the file is not a scorecard.", where=str(path)) from error


def _whole_lines(content: bytes) -> list[Any]:
    """The lines' values. A file is written in one move: a torn line is a fault, not the end of a cut-off append."""
    *lines, rest = content.split(b"\n")
    if rest:
        raise ValueError("the last line is torn")
    return [json.loads(line) for line in lines]
