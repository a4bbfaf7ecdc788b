"""Vectors of words known beforehand: a text is the mean of its tokens' vectors, in the formats of model2vec and
sentence-transformers.

A folder has model.safetensors with a vector for each token (`embeddings`, or `embedding.weight`), and
tokenizer.json; where the vocabulary was shared out to fewer vectors, also `mapping` (token → vector) and `weights`
(of each token). Tokens that the tokenizer does not know are passed over, and 512 are read. (github.com/MinishLab/model2vec)
"""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tunewright.core.errors import DataError
from tunewright.data.embedding import MOST_CHARS
from tunewright.data.embedding_words import Vectors, unit

TOKENS = 512
"""Tokens of a text that are read."""
_WEIGHTS, _TOKENIZER = "model.safetensors", "tokenizer.json"
_NAMES = ("embeddings", "embedding.weight")
_SOME = 1024
_FIX = "Save it again with model2vec (`save_pretrained`), or use model: words."


class _Static(NamedTuple):
    vectors: npt.NDArray[Any]
    """(rows, d)"""
    mapping: npt.NDArray[np.int64] | None
    """Token → row of `vectors`."""
    weights: Vectors | None
    """Of each token."""
    tokenizer: Any
    unknown: int | None
    """The token that stands for what the tokenizer does not know."""


def is_static(folder: Path) -> bool:
    """Whether a folder holds such vectors."""
    home = _home(folder)
    if not ((home / _WEIGHTS).is_file() and (home / _TOKENIZER).is_file()):
        return False
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(home / _WEIGHTS, framework="numpy") as held:
            return not {*_NAMES}.isdisjoint(held.keys())
    except (SafetensorError, OSError):
        return False


def static_vectors(texts: Sequence[str], folder: Path) -> Vectors:
    """The texts' vectors, float32 (n, d), each of length 1, or 0 where no token is known. Raises DataError."""
    model = _loaded(_home(folder))
    found = np.zeros((len(texts), model.vectors.shape[1]), np.float32)
    start = 0
    for block in _blocks(texts):
        for row, encoding in enumerate(model.tokenizer.encode_batch_fast(block, add_special_tokens=False)):
            tokens = np.array([token for token in encoding.ids if token != model.unknown], np.int64)
            if len(tokens):
                found[start + row] = _mean(tokens, model)
        start += len(block)
    return unit(found)


def _home(folder: Path) -> Path:
    inner = folder / "0_StaticEmbedding"
    return inner if inner.is_dir() else folder


def _blocks(texts: Sequence[str]) -> Iterator[list[str]]:
    left = iter(texts)
    while block := [text[:MOST_CHARS] for text in islice(left, _SOME)]:
        yield block


def _mean(tokens: npt.NDArray[np.int64], model: _Static) -> Vectors:
    rows = tokens if model.mapping is None else model.mapping[tokens]
    vectors = model.vectors[rows].astype(np.float32)
    if model.weights is not None:
        vectors *= model.weights[tokens, None]
    mean: Vectors = vectors.mean(0)
    return mean


def _loaded(folder: Path) -> _Static:
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    try:
        held = load_file(folder / _WEIGHTS)
        tokenizer = Tokenizer.from_file(str(folder / _TOKENIZER))
    except Exception as error:  # noqa: BLE001 - tokenizers raises no class of its own
        raise DataError(
            f"the static vectors cannot be read ({error}).", where=str(folder), fix=_FIX
        ) from None
    vectors = next(held[name] for name in _NAMES if name in held)
    mapping, weights = held.get("mapping"), held.get("weights")
    tokens = 1 + max(tokenizer.get_vocab().values(), default=-1)
    room = len(vectors) if mapping is None else len(mapping)
    outside = mapping is not None and len(mapping) and not 0 <= mapping.min() <= mapping.max() < len(vectors)
    if outside:
        raise DataError("the mapping names vectors that are not there.", where=str(folder), fix=_FIX)
    if vectors.ndim != 2 or room < tokens or (weights is not None and len(weights) < tokens):
        raise DataError(f"there are vectors for {room:,} of {tokens:,} tokens.", where=str(folder), fix=_FIX)
    if not np.isfinite(vectors).all():
        raise DataError("a vector holds something that is no number.", where=str(folder), fix=_FIX)
    tokenizer.no_padding()
    tokenizer.enable_truncation(TOKENS)
    unknown = getattr(tokenizer.model, "unk_token", None)
    return _Static(
        vectors,
        None if mapping is None else mapping.astype(np.int64),
        None if weights is None else weights.astype(np.float32),
        tokenizer,
        None if unknown is None else tokenizer.token_to_id(unknown),
    )
