"""Variant: a named way of answering, all that is needed to answer the same way again."""

from tunewright.core.generation import Decoding
from tunewright.core.message import Conversation
from tunewright.core.spec import Spec


class Variant(Spec):
    """A base, perhaps an adapter, a system prompt, perhaps worked examples, and how answers are drawn."""

    name: str
    """Its name in tables: prompt, few-shot-4, fine-tune."""
    base: str = ""
    """The base's reference (embedded, a hub id, or a path) where it is served; empty where the project file names it."""
    base_hash: str
    """The content hash of the base's files."""
    adapter: str | None = None
    """The adapter's folder, or none."""
    system: str = ""
    """The task's system prompt."""
    shots: tuple[Conversation, ...] = ()
    """Worked examples put before the question, each a conversation that ends with its answer."""
    decoding: Decoding = Decoding()
    """How answers are drawn."""
