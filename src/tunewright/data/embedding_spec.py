"""What places texts: the settings of an embedding. data/embedding.py goes by them."""

from pydantic import Field

from tunewright.core.spec import Spec

WORDS = "words"
"""The model that ships."""


class EmbeddingSpec(Spec):
    """What places texts in the space where near means alike."""

    model: str = Field(WORDS, min_length=1)
    """`words` learns from the rows at hand which words go together, and needs nothing; or a folder (a hub id) with
    the static vectors of model2vec, or with an encoder as sentence-transformers saves them."""
    dimensions: int = Field(256, ge=16, le=1024)
    """Numbers of a vector, for `words`; other models have their own."""
    seed: int = 0
    """Seeds which texts `words` learns from, and its algebra."""
