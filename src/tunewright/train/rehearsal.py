"""Rehearsal: general prompts with the base's own answers, trained beside the task's rows against forgetting.

What the base says before training is what it should still say after it; its own words are close to what it would say
anyway, so they cost the task little (self-synthesized rehearsal, arXiv:2403.01244).
"""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from tunewright.core.files import write_atomic
from tunewright.core.message import Conversation, Message


def rehearsal_rows(answered: Iterable[tuple[Conversation, str]]) -> list[Conversation]:
    """Prompts with their answers as rows in which that answer alone is trained; empty answers are left out."""
    return [
        (*map(_untrained, prompt), Message(role="assistant", content=answer.strip()))
        for prompt, answer in answered
        if answer.strip()
    ]


def save_rows(rows: Sequence[Conversation], path: Path) -> None:
    """Write conversations as chat JSONL."""
    lines = [{"messages": [message.model_dump(exclude_none=True) for message in row]} for row in rows]
    write_atomic(path, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))


def load_rows(path: Path) -> list[Conversation]:
    """What `save_rows` wrote."""
    lines = path.read_text("utf-8").split("\n")
    return [
        tuple(Message.model_validate(turn) for turn in json.loads(line)["messages"]) for line in lines if line
    ]


def _untrained(message: Message) -> Message:
    """An answer inside the prompt is context: its words are not the base's."""
    return message.model_copy(update={"weight": 0}) if message.role == "assistant" else message
