"""The plainest rival: the base with the task's system prompt."""

from tunewright.core.generation import Decoding
from tunewright.generate.variant import Variant
from tunewright.models.base import Base

NAME = "prompt"


def variant(*, base: Base, system: str, decoding: Decoding) -> Variant:
    """The base asked with the system prompt alone."""
    return Variant(name=NAME, base_hash=base.hash, system=system, decoding=decoding)
