"""Folders of models beside the base (encoders, models for names): those at hand, else the hub's.

folder = model_folder("models/ner", root, "model for names", ("*.safetensors", "config.json"), "redact.ner", fix)
"""

from collections.abc import Sequence
from pathlib import Path

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
