"""Encoders: transformers that give a text a vector, from folders in the layout of sentence-transformers.

    vectors = encode(texts, embedding_folder("encoder", root))        # float32 (n, d), each of length 1

A folder has a transformer, and in modules.json how its tokens' states become one vector: their mean or the first one's, at
length 1. Without modules.json it is their mean (Reimers and Gurevych 2019, arXiv:1908.10084).
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from tunewright.core.errors import ModelError
from tunewright.models.folder import load_folder, model_folder

TOKENS = 512
"""Tokens of a text that are read, at most."""
_WANTED = (
    *("*.safetensors", "config.json", "modules.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt"),
    *("special_tokens_map.json", "sentence_bert_config.json", "config_sentence_transformers.json"),
    *("*/config.json", "0_StaticEmbedding/*"),
)
FIELD = "embedding.model"
"""The setting that names one."""
_KNOWN = ("Transformer", "Pooling", "Normalize", "StaticEmbedding")
_BATCH_TOKENS = 8192
_CHARS_PER_TOKEN = 3
_FIX = "Use model: words, or another folder."


class _Layout(NamedTuple):
    """How a folder's encoder is to be run."""

    transformer: Path
    first: bool
    """Whether the first token's state is the vector, and not the mean."""
    tokens: int
    before: str
    """What is put before every text."""


def embedding_folder(ref: str, root: Path) -> Path:
    """The folder of an embedding model: one relative to `root`, else the hub's. Raises ModelError where there is none."""
    return model_folder(ref, root, "embedding model", _WANTED, FIELD, _FIX)


def encode(texts: Sequence[str], folder: Path) -> npt.NDArray[np.float32]:
    """The texts' vectors, float32 (n, d), each of length 1. Raises ModelError where the folder holds no such encoder."""
    layout = _layout(folder)
    tokenizer, model = _loaded(layout.transformer)
    room = min(layout.tokens, getattr(model.config, "max_position_embeddings", None) or TOKENS)
    found: npt.NDArray[np.float32] = np.zeros((len(texts), model.config.hidden_size), np.float32)
    sizes = [min(len(text) // _CHARS_PER_TOKEN + 2, room) for text in texts]
    for group in _batches(sizes):
        given = [layout.before + texts[at][: room * 16] for at in group]
        batch = tokenizer(given, padding=True, truncation=True, max_length=room, return_tensors="pt")
        found[group] = _pooled(model, batch.to(model.device), layout.first).cpu().numpy()
    return found


def _batches(sizes: Sequence[int]) -> list[list[int]]:
    """Texts of like length together, so that little is padded."""
    groups: list[list[int]] = []
    for at in sorted(range(len(sizes)), key=sizes.__getitem__):
        if groups and sizes[at] * (len(groups[-1]) + 1) <= _BATCH_TOKENS:
            groups[-1].append(at)
        else:
            groups.append([at])
    return groups


def _pooled(model: Any, batch: Any, first: bool) -> Tensor:
    with torch.inference_mode():
        states = model(**batch).last_hidden_state.float()
    if first:
        vectors = states[:, 0]
    else:
        seen = batch["attention_mask"][..., None].float()
        vectors = (states * seen).sum(1) / seen.sum(1).clamp_min(1)
    return torch.nn.functional.normalize(vectors, dim=-1)


def _loaded(folder: Path) -> tuple[Any, Any]:
    from transformers import AutoModel

    return load_folder(folder, AutoModel, "encoder", _FIX)


def _layout(folder: Path) -> _Layout:
    """Read modules.json and what it names. Raises ModelError for what is not known here."""
    modules = _json(folder / "modules.json", list)
    if not all(isinstance(one, dict) for one in modules):
        raise ModelError("its modules.json lists no modules", where=str(folder), fix=_FIX)
    kinds = {str(one.get("type")).rpartition(".")[2]: str(one.get("path", "")) for one in modules}
    if strange := [kind for kind in kinds if kind not in _KNOWN]:
        raise ModelError(
            f"the encoder has a module {strange[0]!r}, which is not known here", where=str(folder), fix=_FIX
        )
    if any(not (folder / path).resolve().is_relative_to(folder.resolve()) for path in kinds.values()):
        raise ModelError("a module of the encoder lies outside of its folder", where=str(folder), fix=_FIX)
    transformer = folder / kinds.get("Transformer", "")
    pooling = _json(folder / kinds.get("Pooling", "1_Pooling") / "config.json", dict)
    ways = {name for name, on in pooling.items() if name.startswith("pooling_mode_") and on is True}
    ways |= {f"pooling_mode_{pooling['pooling_mode']}"} if "pooling_mode" in pooling else set()
    ways = {way.removesuffix("_token").removesuffix("_tokens") for way in ways} or {"pooling_mode_mean"}
    if len(ways) > 1 or not ways <= {"pooling_mode_mean", "pooling_mode_cls"}:
        raise ModelError(f"the encoder pools by {', '.join(sorted(ways))}", where=str(folder), fix=_FIX)
    tokens = _json(transformer / "sentence_bert_config.json", dict).get("max_seq_length")
    tokens = min(tokens, TOKENS) if isinstance(tokens, int) and tokens > 0 else TOKENS
    told = _json(folder / "config_sentence_transformers.json", dict)
    prompts, name = told.get("prompts"), told.get("default_prompt_name")
    before = prompts.get(name, "") if isinstance(prompts, dict) and isinstance(name, str) else ""
    return _Layout(transformer, ways == {"pooling_mode_cls"}, tokens, str(before))


def _json(path: Path, kind: type) -> Any:
    """What a file holds; nothing where there is none. Raises ModelError where it is not of that kind."""
    if not path.is_file():
        return kind()
    try:
        value = json.loads(path.read_text("utf-8"))
    except (ValueError, RecursionError, OSError) as error:
        raise ModelError(f"it is not JSON ({error})", where=str(path), fix=_FIX) from None
    if not isinstance(value, kind):
        raise ModelError(f"it holds no {kind.__name__}", where=str(path), fix=_FIX)
    return value
