"""Examples as JSONL: the one form in which they lie in files."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from tunewright.core.errors import IntegrityError
from tunewright.core.example import Example, Origin
from tunewright.core.message import Message, tools_of, with_tools


def to_line(example: Example) -> bytes:
    """One line with its end. Raises UnicodeEncodeError for half a surrogate pair, which is no character."""
    row: dict[str, Any] = {"id": example.id, "messages": [_message(m) for m in example.messages]}
    if tools := tools_of(example.messages):
        row["tools"] = json.loads(tools)
    if example.rejected is not None:
        row["rejected"] = example.rejected
    if example.rated:
        row["desirable"] = example.desirable
    if example.fields:
        row["fields"] = example.fields
    if example.origin:
        row["origin"] = {
            "source": example.origin.source,
            "file": example.origin.file,
            "row": example.origin.row,
        }
    return (json.dumps(row, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n").encode()


def from_lines(data: bytes, where: str) -> list[Example]:
    """The examples that `to_line` wrote. Raises IntegrityError where a line is none."""
    examples = []
    for number, line in enumerate(data.split(b"\n")[:-1], 1):
        try:
            examples.append(_example(json.loads(line)))
        except (ValueError, KeyError, TypeError) as error:
            raise IntegrityError(
                f"this is not an example ({error}).", where=f"{where}:{number}", fix="Run the step again."
            ) from None
    return examples


def read_examples(path: Path) -> list[Example]:
    """The examples of a file. Raises IntegrityError, OSError."""
    return from_lines(path.read_bytes(), str(path))


def write_examples(path: Path, examples: Iterable[Example]) -> int:
    """Write examples to a file; returns their number."""
    count = 0
    with path.open("wb") as stream:
        for example in examples:
            stream.write(to_line(example))
            count += 1
    return count


def _message(message: Message) -> dict[str, Any]:
    row = message.wire()
    return row if message.weight is None else {**row, "weight": message.weight}


def _example(row: dict[str, Any]) -> Example:
    origin = row.get("origin")
    messages = tuple(Message(**message) for message in row["messages"])
    if "tools" in row:
        messages = with_tools(messages, json.dumps(row["tools"], ensure_ascii=False))
    return Example(
        id=row["id"],
        messages=messages,
        rejected=row.get("rejected"),
        desirable=row.get("desirable", True),
        rated="desirable" in row,
        fields=row.get("fields", {}),
        origin=Origin(**origin) if origin else None,
    )
