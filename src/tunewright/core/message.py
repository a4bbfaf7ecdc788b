"""Message: one turn of a conversation, in the shape of the OpenAI wire."""

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer

Role = Literal["system", "developer", "user", "assistant", "tool"]


class Function(BaseModel):
    """Which function is called, and with what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    arguments: str
    """A JSON object as text."""


class ToolCall(BaseModel):
    """A call that the assistant asks for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str | None = None
    type: Literal["function"] = "function"
    function: Function

    @property
    def said(self) -> str:
        """The call as JSON, for tables and pages."""
        name = json.dumps(self.function.name, ensure_ascii=False)
        return f'{{"name": {name}, "arguments": {self.function.arguments}}}'


class Message(BaseModel):
    """One turn. `weight` is how much an assistant turn counts in the loss: 0 keeps it in the context alone."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Role
    content: str
    weight: Annotated[int | float, Field(ge=0, le=1)] | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    """Of a tool's answer: the call that it answers."""
    name: str | None = None
    tools: str | None = None
    """The functions that may be called in the conversation: a JSON list of OpenAI's tools as text. One message of a
    conversation carries them for all, so that they go wherever it goes."""

    @property
    def instructs(self) -> bool:
        """Whether it tells the model how to answer, rather than being a turn of the talk."""
        return self.role in ("system", "developer")

    @property
    def is_plain(self) -> bool:
        """Whether it is a role and a text and has nothing to do with calls and tools."""
        return not (self.tool_calls or self.tool_call_id or self.name or self.tools)

    @property
    def said(self) -> str:
        """Its text, and each call as a line of JSON."""
        if not self.tool_calls:
            return self.content
        text = [self.content] if self.content else []
        return "\n".join([*text, *(call.said for call in self.tool_calls)])

    @property
    def chars(self) -> int:
        """Characters of all that it says, of calls and tools too."""
        return len(self.said) + len(self.tools or "")

    def wire(self) -> dict[str, Any]:
        """The message as the OpenAI wire takes it: role, content and what belongs to calls, without weight and tools."""
        row: dict[str, Any] = {"role": self.role, "content": self.content}
        if self.name is not None:
            row["name"] = self.name
        if self.tool_call_id is not None:
            row["tool_call_id"] = self.tool_call_id
        if self.tool_calls:
            row["tool_calls"] = [call.model_dump(exclude_none=True) for call in self.tool_calls]
        return row

    @model_serializer(mode="wrap")
    def _dumped(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """As JSON; without what belongs to calls and tools where there are none, so that other rows' hashes stay."""
        row: dict[str, Any] = dump(self)
        return {key: value for key, value in row.items() if value or key in ("role", "content", "weight")}


Conversation = tuple[Message, ...]
"""Messages in order. As a prompt it ends before the answer; as a training row it ends with the assistant."""


def tools_of(conversation: Conversation) -> str | None:
    """The JSON list of the functions that may be called in it, none where there are none."""
    return next((message.tools for message in conversation if message.tools), None)


def with_tools(conversation: Conversation, tools: str | None) -> Conversation:
    """The conversation with these tools and no others."""
    if tools is None and tools_of(conversation) is None:
        return conversation
    own = (tools, *[None] * (len(conversation) - 1))
    return tuple(
        message if message.tools == held else message.model_copy(update={"tools": held})
        for message, held in zip(conversation, own, strict=True)
    )


def parts_of(conversation: Conversation) -> list[int | float | None]:
    """The answers' weights, where one of them counts by a part; none where all count whole or not at all."""
    weights = [message.weight for message in conversation if message.role == "assistant"]
    return weights if any(weight not in (None, 0, 1) for weight in weights) else []


def last_answer_trained(conversation: Conversation) -> Conversation:
    """The conversation with its last answer alone trained: the earlier ones are the prompt."""
    prompt = [
        message.model_copy(update={"weight": 0}) if message.role == "assistant" else message
        for message in conversation[:-1]
    ]
    return (*prompt, conversation[-1].model_copy(update={"weight": None}))


def is_document(conversation: Conversation) -> bool:
    """Whether it is a document: one message of the assistant's, which nothing asks for."""
    return len(conversation) == 1 and conversation[0].role == "assistant"


def with_system(conversation: Conversation, system: str) -> Conversation:
    """The conversation with the task's system prompt before it, unless it begins with instructions of its own.

    A document stays as it is. Training, evals and serving all put the prompt there, and through this function alone:
    they must agree.
    """
    if not system or is_document(conversation) or (conversation and conversation[0].instructs):
        return conversation
    return (Message(role="system", content=system), *conversation)
