"""Embeddings: texts as vectors, so that texts of one meaning lie close together.

    vectors = embed(texts)                                    # float32 (n, dimensions), each of length 1
    vectors = embed(texts, EmbeddingSpec(model="encoder"))    # a folder with model2vec's static vectors

`words` (data/embedding_words.py) ships with the package and needs nothing: it learns from the texts at hand which words go
together. Static vectors (data/embedding_static.py) know what words mean beforehand, at the same speed. An encoder, a
transformer in the layout of sentence-transformers, knows more, and takes a hundred times as long:
`models/encoder.py` runs it, and a recipe's operations reach it through their means.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tunewright.core.errors import DataError
from tunewright.data.embedding_spec import WORDS, EmbeddingSpec

if TYPE_CHECKING:
    from tunewright.data.embedding_words import Vectors

MOST_CHARS = 8_000
"""Characters of a text that are read: its beginning."""

Embed = Callable[[Sequence[str], EmbeddingSpec], "Vectors"]
"""What `embed` is to who need not know where models lie: texts (n) in, float32 (n, d) out."""


def embed(texts: Sequence[str], spec: EmbeddingSpec | None = None, root: Path = Path()) -> "Vectors":
    """The texts' vectors, float32 (n, d), each of length 1, or 0 where a text says nothing. Equal texts have equal ones.

    `model` is looked for below `root`. Texts are read in order, twice by `words`, and not kept. Raises DataError where the
    model is not there, or is an encoder, which a project runs.
    """
    spec = spec or EmbeddingSpec()
    if spec.model == WORDS:
        from tunewright.data.embedding_words import word_vectors

        return word_vectors(texts, spec.dimensions, spec.seed)
    from tunewright.data.embedding_static import is_static, static_vectors

    folder = root / Path(spec.model).expanduser()
    if is_static(folder):
        return static_vectors(texts, folder)
    known = folder.is_dir()
    raise DataError(
        f"the embedding model {spec.model!r} {'holds no static vectors' if known else 'is no folder here'}.",
        where=str(folder) if known else None,
        fix=f"Use model: {WORDS}, or a folder with model.safetensors and tokenizer.json of model2vec.",
    )
