"""Queues and decisions as files for other tools, and back without loss.

    {"id", "place", "source", "why", "messages" …, "fields", "verdict": null, "reason": ""}     a line of a queue
    {"id", "place", "source", "verdict": "accept", "by", "at"}                                  a line of a file of reviews

A tool fills in the verdict of a queue's line; of an edit it changes the messages, the worse answer, the rating or fields
in place. Lines whose verdict is null say nothing. Both kinds of line are read from one file.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from tunewright.core.errors import DataError
from tunewright.core.example import Example, make_document, make_example
from tunewright.data.examples import to_line
from tunewright.data.names import listed
from tunewright.data.review.decision import Decision, Drawn, Key, key_of, wrong
from tunewright.data.review.edit import edit_of, edited, held_to
from tunewright.data.review.file import decision_of, rows
from tunewright.data.review.standing import Standing
from tunewright.data.rows import BadRow
from tunewright.data.sources.chat import talk

_ROW = ("messages", "tools", "rejected", "desirable", "fields", "origin")
_OURS = ("id", "place", "source", "verdict", "reason", "edit", "becomes", "drawn", "by", "at", "seen")
_VERDICTS = ("accept", "reject", "edit", "withdraw")


def queue_line(row: Example, why: str, drawn: Drawn, standing: Standing) -> bytes:
    """A row of the queue, with the decision that counts for it now and who judged it, if anybody did."""
    key = key_of(row)
    head: dict[str, Any] = {"id": row.id, "place": key.place, "source": key.source, "why": why}
    # what was decided before stands beside the row as it is: its verdict would not fit an edited row
    said: dict[str, Any] = {"verdict": None, "reason": "", "drawn": drawn}
    if standing.decision is not None:
        plain = standing.decision.plain()
        said["before"] = {name: value for name, value in plain.items() if name in _OURS[3:]}
        said["judged_by"] = list(standing.by)
    whole = {
        **head,
        **{name: value for name, value in json.loads(to_line(row)).items() if name != "id"},
        **said,
    }
    return (json.dumps(whole, ensure_ascii=False) + "\n").encode()


class Taken(NamedTuple):
    """What a file of decisions holds."""

    decisions: list[Decision]
    silent: int
    """Lines without a verdict."""


def read_decisions(
    path: Path,
    by: str,
    at: datetime,
    find: Callable[[set[Key]], Mapping[Key, Example]],
    check: Callable[[str], str] = str,
) -> Taken:
    """The decisions of a file, all looked over before one is taken; `by` and `at` stand in where a line does not
    say who or when.

    `find` looks rows up: an edit in place is what differs from them. `check` is what the task makes of an expected answer
    (it raises BadRow). Raises DataError with the line for what is no decision, an edit of a row that is not there or whose
    answer the task does not take, and rows that were changed under another verdict.
    """
    found = list(rows(path, path.name))
    wanted = {_key(value, where) for where, value in found if _holds_row(value)}
    known = find(wanted) if wanted else {}
    decisions = []
    for where, value in found:
        _refuse_silent_change(value, where, known)
        if value.get("verdict") is not None:
            decisions.append(_decision(value, where, known, {"by": by, "at": at.isoformat()}, check))
    return Taken(decisions, len(found) - len(decisions))


def _in_place(value: dict[str, Any]) -> bool:
    return value.get("verdict") == "edit" and "edit" not in value and _holds_row(value)


def _holds_row(value: dict[str, Any]) -> bool:
    return value.get("messages") is not None


def _key(value: dict[str, Any], where: str) -> Key:
    parts = [value.get("source", ""), value.get("place", ""), value.get("id")]
    if not all(isinstance(part, str) for part in parts):
        raise DataError("the line does not say which row it is about (id, place, source)", where=where)
    return Key(*parts)


def _refuse_silent_change(value: dict[str, Any], where: str, known: Mapping[Key, Example]) -> None:
    """Raises DataError where a line's row was changed, but its verdict is not edit: what was written must not get lost."""
    if not _holds_row(value) or value.get("verdict") == "edit":
        return
    old = known.get(_key(value, where))
    new = _row(value, where, old)
    if new.id != value["id"] or (old and edit_of(old, new)):
        message = "the row says something else than when it was written, but its verdict is not edit"
        raise DataError(message, where=where, fix='Write "verdict": "edit", or take the change back.')


def _decision(
    value: dict[str, Any],
    where: str,
    known: Mapping[Key, Example],
    missing: Mapping[str, str],
    check: Callable[[str], str],
) -> Decision:
    if value["verdict"] not in _VERDICTS:
        said = f"the verdict is {str(value['verdict'])[:40]!r}"
        raise DataError(said, where=where, fix=f"It is one of {listed(_VERDICTS)}, or null.")
    plain = {**missing, **{name: value[name] for name in _OURS if value.get(name) is not None}}
    if _in_place(value):
        plain |= _edit(value, where, known, check)
    judges = value.get("judged_by")
    if isinstance(judges, list) and any(name != plain["by"] for name in judges):
        plain["seen"] = True  # the queue's line said what somebody else had decided
    return decision_of(plain, where)


def _edit(
    value: dict[str, Any], where: str, known: Mapping[Key, Example], check: Callable[[str], str]
) -> dict[str, Any]:
    """What an edit in place changed, as a decision says it."""
    key = _key(value, where)
    if key not in known:
        raise DataError(f"no row to review is {key.id} of {key.place}, which the line edits", where=where)
    old, new = known[key], _row(value, where, known[key])
    if new.is_document != old.is_document:
        message = "the edit makes a document of a conversation, or a conversation of a document"
        raise DataError(message, where=where, fix="Reject the row, and put the other into a source.")
    try:
        edit = edit_of(old, held_to(new, check))
    except (BadRow, ValidationError) as error:
        said = wrong(error) if isinstance(error, ValidationError) else str(error)
        raise DataError(said, where=where) from None
    if edit is None:
        raise DataError(
            "the verdict is edit, but the row says what it said", where=where, fix="Write accept."
        )
    return {"edit": edit.model_dump(mode="json", exclude_unset=True), "becomes": edited(old, edit).id}


def _row(value: dict[str, Any], where: str, old: Example | None = None) -> Example:
    """The row that a line holds, read as strictly as one of a source. Raises DataError."""
    parts = {name: value[name] for name in _ROW if value.get(name) is not None}
    fields, good = parts.get("fields", {}), parts.get("desirable")
    origin = old.origin if old else None
    if not isinstance(fields, dict) or not isinstance(good, bool | None):
        raise DataError(
            "the row's fields are no object, or its rating is neither true nor false", where=where
        )
    messages = parts["messages"]
    try:
        if _is_document(messages):
            return make_document(messages[0]["content"], fields=fields, origin=origin)
        said = talk({name: parts[name] for name in ("messages", "tools", "rejected") if name in parts})
    except BadRow as bad:
        raise DataError(str(bad), where=where) from None
    return make_example(said.messages, fields=fields, origin=origin, rejected=said.rejected, desirable=good)


def _is_document(messages: Any) -> bool:
    return (
        isinstance(messages, list)
        and len(messages) == 1
        and isinstance(messages[0], dict)
        and messages[0].get("role") == "assistant"
        and isinstance(messages[0].get("content"), str)
    )
