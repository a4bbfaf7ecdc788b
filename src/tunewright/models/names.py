"""Models for names: token classifiers that know persons, from folders as transformers saves them.

    names = names_model("ner", root)
    names("Ask Zorbla Quint.")        # [(4, 16)]: characters

Long texts are read in windows that overlap. A model's labels are those of CoNLL-2003 (B-PER, I-PER), of OntoNotes (PERSON)
or of like sets, in any of the usual schemes (IO, BIO, BILOU); what is cut inside a word is widened to the word, where blanks
part words.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import parent_process
from pathlib import Path
from typing import Any, NamedTuple

from tunewright.core.errors import ModelError
from tunewright.models.folder import load_folder, model_folder

FIELD = "redact.ner"
"""The setting that names one."""
_FIX = "Name a folder or a hub id of a token classifier that knows persons, or leave ner out."
_TOKENS, _OVERLAP = 512, 64
"""Tokens that are read at once, and those that two windows share."""
_WINDOWS = 16
_PERSONS = frozenset(
    ("PER", "PERSON", "NAME", "PERSONNAME", "FIRSTNAME", "MIDDLENAME", "LASTNAME", "GIVENNAME", "SURNAME")
)
_WANTED = ("*.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json", "vocab.txt")
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u312f\u31a0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff66-\uff9f\U00020000-\U0003ffff]"
)
"""Characters of scripts without blanks between words, where none tells how far a name goes: Thai, Lao, Burmese, Khmer, kana,
Bopomofo, Han."""
_COUNTED = (".json", ".safetensors", ".txt")
"""Endings of what a model is made of."""


@dataclass(frozen=True)
class Names:
    """People's names in a text: [(start, end)] in characters, in order. The model is loaded where it is first asked."""

    folder: Path
    stamp: int = 0
    """When its files were last written: one that was saved anew is loaded anew."""

    def __call__(self, text: str) -> list[tuple[int, int]]:
        """Raises ModelError where the folder holds no such model."""
        return list(_whole(text, sorted(_found(text, _loaded(self.folder, self.stamp))))) if text else []

    def load(self) -> "Names":
        """The same, after a look whether it can be loaded. Raises ModelError."""
        _loaded(self.folder, self.stamp)
        return self

    @property
    def files(self) -> list[str]:
        """What the model is made of, relative to its folder."""
        return [path.name for path in self.folder.iterdir() if path.suffix in _COUNTED]


def names_model(ref: str, root: Path) -> Names:
    """The model that `names_folder` has, loaded once to see that it can be. Raises ModelError."""
    folder = names_folder(ref, root)
    return Names(folder, max(path.stat().st_mtime_ns for path in folder.iterdir())).load()


def names_folder(ref: str, root: Path) -> Path:
    """The folder of a model for names: one relative to `root`, else the hub's. Raises ModelError where there is none."""
    path = model_folder(ref, root, "model for names", _WANTED, FIELD, _FIX)
    try:
        config = json.loads((path / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        config = None
    if not isinstance(config, dict) or not any(path.glob("*.safetensors")):
        message = f"the model for names {ref!r} has no config.json beside *.safetensors weights"
        raise ModelError(message, where=FIELD, fix=_FIX)
    kinds, numbered = config.get("architectures"), config.get("id2label")
    kind = str(kinds[0]) if isinstance(kinds, list) and kinds else "a model of no kind"
    if not kind.endswith("ForTokenClassification"):
        raise ModelError(
            f"the model for names {ref!r} is no token classifier ({kind})", where=FIELD, fix=_FIX
        )
    labels = [str(label) for label in numbered.values()] if isinstance(numbered, dict) else []
    if not any(map(_is_person, labels)):
        told = ", ".join(labels[:8]) or "none"
        raise ModelError(
            f"the model for names {ref!r} knows no persons (labels: {told})", where=FIELD, fix=_FIX
        )
    return path


class _Model(NamedTuple):
    tokenizer: Any
    model: Any
    labels: dict[int, str]


@lru_cache(maxsize=1)
def _loaded(folder: Path, stamp: int) -> _Model:
    import torch
    from transformers import AutoModelForTokenClassification

    tokenizer, model = load_folder(folder, AutoModelForTokenClassification, "model for names", _FIX)
    if not tokenizer.is_fast:
        raise ModelError(
            "the model for names has no fast tokenizer (tokenizer.json)", where=str(folder), fix=_FIX
        )
    tokenizer.padding_side = "right"  # so that a window's tokens stand where its offsets do
    if parent_process() is not None:  # one of several that share the cores
        torch.set_num_threads(1)
    return _Model(tokenizer, model, model.config.id2label)


def _found(text: str, by: _Model) -> Iterator[tuple[int, int]]:
    """The names of each window."""
    import torch

    room = min(_TOKENS, getattr(by.model.config, "max_position_embeddings", None) or _TOKENS)
    windows = by.tokenizer(
        text,
        truncation=True,
        max_length=room,
        stride=min(_OVERLAP, room // 4),
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
        return_special_tokens_mask=True,
    )
    count = len(windows["input_ids"])
    for first in range(0, count, _WINDOWS):
        numbers = range(first, min(first + _WINDOWS, count))
        given = [{name: windows[name][at] for name in ("input_ids", "attention_mask")} for at in numbers]
        batch = by.tokenizer.pad(given, return_tensors="pt").to(by.model.device)
        with torch.inference_mode():
            told = by.model(**batch).logits.argmax(-1).tolist()
        for at, labels in zip(numbers, told, strict=True):
            tokens = zip(
                windows["offset_mapping"][at], windows["special_tokens_mask"][at], labels, strict=False
            )
            yield from _spans((*place, by.labels[label]) for place, special, label in tokens if not special)


def _spans(tokens: Iterable[tuple[int, int, str]]) -> Iterator[tuple[int, int]]:
    """Persons of one window: (start, end, label) of each token in order → (start, end) of each name."""
    name: tuple[int, int] | None = None
    for start, end, label in tokens:
        if end <= start:
            continue
        if (
            name is not None
            and _is_person(label)
            and (label[:2] not in ("B-", "S-", "U-") or start == name[1])
        ):
            name = (name[0], end)
            continue
        if name is not None:
            yield name
        name = (start, end) if _is_person(label) else None
    if name is not None:
        yield name


def _whole(text: str, names: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Names in order as whole words without blanks around; what several windows saw once."""
    last = (0, 0)
    for start, end in names:
        while start < end and text[start].isspace():
            start += 1
        while start > 0 and _joined(text[start - 1], text[start]):
            start -= 1
        while end < len(text) and _joined(text[end - 1], text[end]):
            end += 1
        if start < last[1]:
            last = (last[0], max(last[1], end))
            continue
        if last[1]:
            yield last
        last = (start, end)
    if last[1]:
        yield last


def _joined(one: str, other: str) -> bool:
    """Whether two characters in a row belong to one word."""
    return one.isalnum() and other.isalnum() and not (_UNSPACED.match(one) or _UNSPACED.match(other))


def _is_person(label: str) -> bool:
    return re.sub(r"^[BIOESLUM]-", "", label.upper()).replace("_", "") in _PERSONS
