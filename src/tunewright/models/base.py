"""Base: the model a fine-tune starts from, found by its reference and known by its content.

A reference is `embedded` (the model in the package), a folder, or a hub id such as `Qwen/Qwen3-0.6B`.
"""

import json
import re
from pathlib import Path
from typing import NamedTuple

from tunewright.core.errors import ModelError
from tunewright.core.hashing import hash_file, hash_value

EMBEDDED = "embedded"
"""The reference of the base model in the package."""
FIELD = "base"
"""The project file's field that names a base."""

_WANTED = (
    "*.safetensors", "*.safetensors.index.json", "config.json", "generation_config.json", "tokenizer.json",
    "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json", "vocab.json", "merges.txt", "vocab.txt",
    "tokenizer.model", "chat_template.json", "*.jinja",
)  # fmt: skip
"""What a model is made of; cards and other papers in its folder do not count."""
_PART = re.compile(r"-\d+-of-\d+$")
"""What the name of one of several weight files ends with."""
_PICKLES = ("*.bin", "*.pt", "*.pth")
_USE_EMBEDDED = "Give a folder that holds a model, or use `base: embedded`."


class Base(NamedTuple):
    """A base that is at hand: what the user called it, its folder, and the content hash of its files."""

    ref: str
    path: Path
    hash: str

    @property
    def portable_ref(self) -> str:
        """The reference as it may stand in a file that leaves this machine: no absolute path."""
        return Path(self.ref).name if Path(self.ref).expanduser().is_absolute() else self.ref


def resolve_base(ref: str, root: Path) -> Base:
    """The base that `ref` names; a folder is looked for below `root` first, then the hub is asked.

    Raises ModelError where there is none, or where its weights are not safetensors.
    """
    path = _folder(ref, root)
    _check(path, ref)
    return Base(ref, path, _hash(path))


def check_folder(ref: str, root: Path) -> None:
    """Raise ModelError where `ref` names a folder that is not there or holds no model; a hub id is not looked up."""
    if (path := _local(ref, root)) is not None:
        _check(path, ref)


def folder_at_hand(ref: str, root: Path) -> Path | None:
    """The folder of a base that is on this machine; the hub is not asked. None for a hub id that was never fetched.

    Raises ModelError as `resolve_base` does.
    """
    path = _local(ref, root) or _cached(ref)
    if path is not None:
        _check(path, ref)
    return path


def _folder(ref: str, root: Path) -> Path:
    return _local(ref, root) or _download(ref)


def _local(ref: str, root: Path) -> Path | None:
    """The folder that `ref` names; None for what may be a hub id."""
    if ref == EMBEDDED:
        from tunewright.models.embedded import PATH

        return PATH
    if not ref.strip():
        raise ModelError("The base has no name.", where=FIELD, fix=_USE_EMBEDDED)
    try:
        path = root / Path(ref).expanduser()
    except RuntimeError:
        message = f"There is no home folder to find {ref} in."
        raise ModelError(message, where=FIELD, fix=_USE_EMBEDDED) from None
    if path.exists():
        return path
    if _looks_like_path(ref):
        raise ModelError(f"The base's folder {ref} does not exist.", where=FIELD, fix=_USE_EMBEDDED)
    return None


def _looks_like_path(ref: str) -> bool:
    return ref[0] in "./~" or "\\" in ref or ref.count("/") > 1 or ref.endswith("/")


def _cached(ref: str) -> Path | None:
    """The snapshot of `ref` that was fetched before, where it is whole enough to have weights."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        path = Path(snapshot_download(ref, local_files_only=True))
    except HFValidationError:
        raise ModelError(
            f"{ref!r} is neither a folder nor a hub id.", where=FIELD, fix=_USE_EMBEDDED
        ) from None
    except LocalEntryNotFoundError:
        return None
    return path if (path / "config.json").is_file() and _has_all_weights(path) else None


def _has_all_weights(folder: Path) -> bool:
    """Whether the weights are there: one file, or each that the index of several names."""
    if (folder / "model.safetensors").is_file():
        return True
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return any(not _PART.search(path.stem) for path in folder.glob("*.safetensors"))
    try:
        return all(
            (folder / name).is_file() for name in json.loads(index.read_text("utf-8"))["weight_map"].values()
        )
    except (OSError, ValueError, TypeError, LookupError, AttributeError):
        return False


def _download(ref: str) -> Path:
    """The hub's snapshot of `ref`, without weights in any form but safetensors."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import GatedRepoError, HFValidationError, RepositoryNotFoundError

    try:
        return Path(snapshot_download(ref, allow_patterns=list(_WANTED)))
    except HFValidationError:
        raise ModelError(
            f"{ref!r} is neither a folder nor a hub id.", where=FIELD, fix=_USE_EMBEDDED
        ) from None
    except GatedRepoError:
        fix = "Accept the terms on its page and log in with `hf auth login`."
        raise ModelError(f"The hub lets only registered users have {ref}.", where=FIELD, fix=fix) from None
    except RepositoryNotFoundError:
        raise ModelError(
            f"There is no folder and no model on the hub called {ref}.", where=FIELD, fix=_USE_EMBEDDED
        ) from None
    except Exception as error:  # the client has many ways to say: no network
        reason = type(error).__name__
        message = f"{ref} is no folder here, and the hub could not be reached for it ({reason})."
        raise ModelError(message, where=FIELD, fix=_USE_EMBEDDED) from error


def _check(path: Path, ref: str) -> None:
    where = f"{FIELD}, {path}"
    if not path.is_dir():
        raise ModelError(f"The base {ref} is a file, not a folder.", where=FIELD, fix=_USE_EMBEDDED)
    if not (path / "config.json").is_file():
        raise ModelError(f"The base {ref} has no config.json.", where=where, fix=_USE_EMBEDDED)
    if any(path.glob("*.safetensors")):
        return
    if any(found for pattern in _PICKLES for found in path.glob(pattern)):
        fix = "Convert it with `save_pretrained(…, safe_serialization=True)`: pickles can run code when they are read."
        raise ModelError(f"The base {ref} has its weights as pickles only.", where=where, fix=fix)
    raise ModelError(f"The base {ref} has no *.safetensors weights.", where=where, fix=_USE_EMBEDDED)


def _hash(path: Path) -> str:
    names = sorted({file.name for pattern in _WANTED for file in path.glob(pattern) if file.is_file()})
    return hash_value([[name, hash_file(path / name)] for name in names])
