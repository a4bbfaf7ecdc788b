"""Message: one turn of a conversation, in the shape of the OpenAI wire."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Role = Literal["system", "developer", "user", "assistant", "tool"]


class Message(BaseModel):
    """One turn. `weight` 0 on an assistant turn keeps it in the context but out of the loss."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    role: Role
    content: str
    weight: Literal[0, 1] | None = None

    @property
    def instructs(self) -> bool:
        """Whether it tells the model how to answer, rather than being a turn of the talk."""
        return self.role in ("system", "developer")

    def wire(self) -> dict[str, Any]:
        """The message as chat templates and the OpenAI wire take it: role and content alone."""
        return {"role": self.role, "content": self.content}


Conversation = tuple[Message, ...]
"""Messages in order. As a prompt it ends before the answer; as a training row it ends with the assistant."""


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
