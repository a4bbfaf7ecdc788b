"""What the generator's tests ask, and how they compare replies."""

from tunewright.core.generation import Reply
from tunewright.core.message import Conversation, Message

SENTENCE = "the quick brown fox jumps over a lazy dog while it rains in Prague and nobody minds"
WORDS = SENTENCE.split()


def prompts(count: int = 12, shared: str = "") -> list[Conversation]:
    """Questions of different lengths."""
    texts = [shared + " ".join(WORDS[i % 5 : 3 + i * 5 % 13]) + "?" * (i % 3) for i in range(count)]
    return [(Message(role="user", content=f"{i} {text}"),) for i, text in enumerate(texts)]


def settled(replies: list[Reply]) -> list[Reply]:
    """Replies without their measured times."""
    return [reply._replace(latency_s=0.0) for reply in replies]
