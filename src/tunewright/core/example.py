"""Example: one row of a data set, a conversation that ends with the expected answer, or a document."""

from typing import Any

from pydantic import BaseModel, ConfigDict

from tunewright.core.hashing import SHORT, hash_plain, hash_value
from tunewright.core.message import Conversation, Message, is_document, parts_of, tools_of


class Origin(BaseModel):
    """Where an example came from: enough to find the raw row again."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    """The source's name in the project file."""
    file: str
    """The file, relative to the project's folder where it lies within."""
    row: int
    """The 1-based line (text formats) or record number (Parquet, JSON arrays)."""
    teacher: str = ""
    """The model that wrote a part of the row; blank: none did."""
    depth: int = 0
    """How many models stand one behind the other: 1 where one wrote from what people wrote, 2 where one wrote from that."""


class Example(BaseModel):
    """One row: the conversation whose last assistant message is what we want the model to say.

    A document is a row whose only message is the assistant's: text to learn from, which answers nothing.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    """Short hash of the messages, the tools, the rejected answer, the rating and weights between 0 and 1; equal examples
    have equal ids."""
    messages: Conversation
    """Without the task's system prompt, which belongs to the variant that answers."""
    fields: dict[str, Any] = {}
    """The raw columns kept for slices and graders (JSON values)."""
    origin: Origin | None = None
    rejected: str | None = None
    """A worse answer to the same prompt, for methods that learn from pairs."""
    desirable: bool = True
    """Whether the answer is a good one; a bad one teaches methods that learn from ratings, and is no expected answer."""
    rated: bool = False
    """Whether somebody said so: an answer that nobody rated counts as a good one, but teaches no method of ratings."""

    @property
    def place(self) -> str:
        """Where it came from, for messages: file and row, or its id."""
        return f"{self.origin.file}:{self.origin.row}" if self.origin else f"example {self.id}"

    @property
    def is_document(self) -> bool:
        """Whether it is a document: its text is `expected`, and nothing is asked."""
        return is_document(self.messages)

    @property
    def prompt(self) -> Conversation:
        """Everything before the last message: what a variant is asked."""
        return self.messages[:-1]

    @property
    def worse(self) -> Conversation | None:
        """The conversation with the rejected answer in place of the expected one, where there is one."""
        if self.rejected is None:
            return None
        return (*self.prompt, Message(role="assistant", content=self.rejected))

    @property
    def expected(self) -> str:
        """What the last (assistant) message says, its tool calls as JSON; the whole text of a document."""
        return self.messages[-1].said

    @property
    def input_text(self) -> str:
        """The last user message's text, or a document's, for tables and pages."""
        if self.is_document:
            return self.expected
        return next((m.content for m in reversed(self.messages) if m.role == "user"), "")


def make_example(
    messages: Conversation,
    *,
    fields: dict[str, Any] | None = None,
    origin: Origin | None = None,
    rejected: str | None = None,
    desirable: bool | None = None,
) -> Example:
    """A conversation with its id; without `desirable` nobody rated its answer.

    Raises ValueError unless it asks something and the last message is the assistant's.
    """
    if len(messages) < 2 or messages[-1].role != "assistant":
        raise ValueError("an example needs at least one message and, last, the assistant's answer")
    return _made(messages, fields, origin, rejected, desirable)


def make_document(
    text: str, *, fields: dict[str, Any] | None = None, origin: Origin | None = None
) -> Example:
    """A document with its id."""
    return _made((Message(role="assistant", content=text),), fields, origin, None, None)


def _made(
    messages: Conversation,
    fields: dict[str, Any] | None,
    origin: Origin | None,
    rejected: str | None,
    desirable: bool | None,
) -> Example:
    good = desirable is not False
    rest: list[Any] = [] if rejected is None and good else [{"rejected": rejected, "desirable": good}]
    if tools := tools_of(messages):
        rest.append({"tools": tools})
    if parts := parts_of(messages):
        rest.append({"weights": parts})
    return Example(
        id=_hash(messages, rest)[:SHORT],
        messages=messages,
        fields=fields or {},
        origin=origin,
        rejected=rejected,
        desirable=good,
        rated=desirable is not None,
    )


def _hash(messages: Conversation, rest: list[Any]) -> str:
    """Of the messages as the wire takes them, and the rest."""
    if rest or not all(m.name is None and m.tool_call_id is None and not m.tool_calls for m in messages):
        return hash_value([*(m.wire() for m in messages), *rest])
    return hash_plain([{"content": m.content, "role": m.role} for m in messages])  # as for most rows


def ask(user: str, answer: str, *, system: str | None = None) -> Conversation:
    """A single-turn conversation."""
    head = (Message(role="system", content=system),) if system else ()
    return (*head, Message(role="user", content=user), Message(role="assistant", content=answer))
