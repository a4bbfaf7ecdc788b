"""The task's system prompt: in training and in the gate it is put before a row in one and the same way."""

from tunewright.core.message import Conversation, Message


def with_system(conversation: Conversation, system: str) -> Conversation:
    """The conversation with the task's system prompt before it, unless it has one of its own."""
    if not system or (conversation and conversation[0].role in ("system", "developer")):
        return conversation
    return (Message(role="system", content=system), *conversation)
