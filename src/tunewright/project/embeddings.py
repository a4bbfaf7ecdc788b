"""Embedding models of a project, and models for names: found, known by their content, and run."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tunewright.core.errors import ModelError
from tunewright.core.hashing import hash_files
from tunewright.data.embedding import embed
from tunewright.data.embedding_spec import WORDS, EmbeddingSpec
from tunewright.data.ops import RecipeOp

if TYPE_CHECKING:
    from tunewright.data.embedding_words import Vectors


def vectors(texts: Sequence[str], spec: EmbeddingSpec, root: Path) -> "Vectors":
    """The texts' vectors by the model that the settings name: float32 (n, d). Raises ModelError, DataError."""
    if spec.model == WORDS:
        return embed(texts, spec)
    from tunewright.data.embedding_static import is_static, static_vectors
    from tunewright.models.encoder import embedding_folder, encode

    folder = embedding_folder(spec.model, root)
    return static_vectors(texts, folder) if is_static(folder) else encode(texts, folder)


def identities(root: Path, ops: Iterable[RecipeOp]) -> dict[str, str]:
    """Of each model that operations name, a hash of its files. Raises ModelError where there is none."""
    found = {}
    for spec in ops:
        settings = getattr(spec, "embedding", None)
        if isinstance(settings, EmbeddingSpec) and settings.model != WORDS:
            found[f"embedding {settings.model}"] = _identity(settings.model, root, spec.id or spec.op)
        if isinstance(model := getattr(spec, "ner", None), str):
            found[f"names {model}"] = _names_identity(model, root, spec.id or spec.op)
    return dict(sorted(found.items()))


def _identity(model: str, root: Path, operation: str) -> str:
    from tunewright.models.encoder import embedding_folder

    try:
        folder = embedding_folder(model, root)
    except ModelError as error:
        where = f"recipe, {operation}.embedding.model"
        raise ModelError(error.message, where=where, fix=error.fix) from None
    names = [path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.suffix in _COUNTED]
    if not any(name.endswith(".safetensors") for name in names):
        fix = "Save it again as safetensors, or use model: words."
        raise ModelError("the embedding model has no *.safetensors weights", where=str(folder), fix=fix)
    return hash_files(folder, names)


def _names_identity(model: str, root: Path, operation: str) -> str:
    from tunewright.models.names import Names, names_folder

    try:
        folder = names_folder(model, root)
    except ModelError as error:
        raise ModelError(error.message, where=f"recipe, {operation}.ner", fix=error.fix) from None
    return hash_files(folder, Names(folder).files)


_COUNTED = (".json", ".safetensors", ".txt")
"""Endings of what a model is made of."""
