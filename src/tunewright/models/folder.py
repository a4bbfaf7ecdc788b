"""Folders of models beside the base (encoders, models for names): those at hand, else the hub's.

folder = model_folder("models/ner", root, "model for names", ("*.safetensors", "config.json"), "redact.ner", fix)
tokenizer, model = load_folder(folder, AutoModelForTokenClassification, "model for names", fix)
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tunewright.core.errors import ModelError


def model_folder(ref: str, root: Path, what: str, wanted: Sequence[str], field: str, fix: str) -> Path:
    """The folder that `ref` names, relative to `root` where it is not absolute; else the `wanted` files of a hub id.

    `what`, `field` and `fix` are what the model is called, the setting that names it, and the way out. Raises ModelError
    where there is none.
    """
    path = root / Path(ref).expanduser()
    if path.is_dir():
        return path
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError

    try:
        return Path(snapshot_download(ref, allow_patterns=list(wanted)))
    except HFValidationError:
        message = f"the {what} {ref!r} is neither a folder nor a hub id"
        raise ModelError(message, where=field, fix=fix) from None
    except Exception as error:  # the client has many ways to say: no network, no such model
        message = (
            f"the {what} {ref!r} is no folder here, and the hub did not give it ({type(error).__name__})"
        )
        raise ModelError(message, where=field, fix=fix) from error


def load_folder(folder: Path, loader: Any, what: str, fix: str) -> tuple[Any, Any]:
    """The tokenizer and, by transformers' `loader`, the model of a folder: in fp32, on the default device.

    No code of the folder's is run. Raises ModelError where either cannot be read, or texts cannot be padded.
    """
    import torch
    from transformers import AutoTokenizer

    from tunewright.models.load import default_device

    how: dict[str, Any] = {"trust_remote_code": False, "local_files_only": True}
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, **how)
        model = loader.from_pretrained(folder, use_safetensors=True, dtype=torch.float32, **how)
    except Exception as error:
        said = str(error).strip().split("\n")[0][:200]
        raise ModelError(f"the {what} cannot be read ({said})", where=str(folder), fix=fix) from error
    if tokenizer.pad_token is None:
        raise ModelError(f"the tokenizer of the {what} has no padding token", where=str(folder), fix=fix)
    return tokenizer, model.to(default_device()).eval()
