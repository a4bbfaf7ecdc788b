"""Loading: a base's tokenizer and weights, with or without an adapter. Safetensors only, and never code from a folder."""

import os
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase
from transformers.utils import logging as transformers_logging

from tunewright.core.errors import ModelError
from tunewright.models.adapter import attach
from tunewright.models.base import Base

transformers_logging.disable_progress_bar()

# oneDNN keeps a compiled product for each shape it meets, and growing caches bring a new shape each time: with its default
# of 1,024 kept, memory grew by 600 MB in 85 steps. Training fills its sequences up to few shapes, some 200 products: with
# 128 kept, its steps took 1.2 times as long. It reads this at its first product.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "256")


def load_tokenizer(base: Base) -> PreTrainedTokenizerBase:
    """The base's tokenizer. Raises ModelError where there is none that can be read."""
    try:
        tokenizer = AutoTokenizer.from_pretrained(base.path, trust_remote_code=False, local_files_only=True)
    except Exception as error:
        raise _unreadable(base, "tokenizer", error) from error
    if not getattr(tokenizer, "is_fast", False):
        fix = "Save it again with a tokenizer.json beside it."
        raise ModelError(f"The tokenizer of {base.ref} has no fast form.", where=str(base.path), fix=fix)
    return tokenizer


def load_model(
    base: Base,
    *,
    adapter: Path | None = None,
    dtype: torch.dtype | None = None,
    device: str | torch.device | None = None,
) -> Any:
    """The base in eval mode, with the adapter (a folder in PEFT's format) on top where one is given.

    By default on the accelerator in bf16, else on the CPU in fp32. Raises ModelError.
    """
    place = torch.device(device) if device is not None else default_device()
    model = _load_base(base, dtype or default_dtype(place))
    if adapter is not None:
        model = put_adapter(model, adapter)
    return model.to(place).eval()


def base_width(base: Base) -> int:
    """The base's hidden size. Raises ModelError where its configuration cannot be read."""
    try:
        config: Any = AutoConfig.from_pretrained(base.path, trust_remote_code=False, local_files_only=True)
        return int(config.get_text_config().hidden_size)
    except Exception as error:
        raise _unreadable(base, "configuration", error) from error


def default_device() -> torch.device:
    """The accelerator where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def default_dtype(device: torch.device) -> torch.dtype:
    """bf16 on an accelerator, fp32 on the CPU."""
    return torch.float32 if device.type == "cpu" else torch.bfloat16


def _load_base(base: Base, dtype: torch.dtype) -> Any:
    try:
        loader: Any = AutoModelForCausalLM
        model, report = loader.from_pretrained(
            base.path,
            dtype=dtype,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            output_loading_info=True,
        )
    except Exception as error:
        raise _unreadable(base, "model", error) from error
    if missing := sorted(report["missing_keys"]):
        message = f"The base {base.ref} lacks {len(missing)} of its weights, {missing[0]} among them."
        raise ModelError(message, where=str(base.path), fix="Fetch or save the model again.")
    return model


def put_adapter(model: Any, adapter: Path) -> Any:
    """The model with the adapter's weights, every one of them found and none left over. Raises ModelError."""
    from peft import PeftConfig, set_peft_model_state_dict
    from safetensors.torch import load_file

    weights = adapter / "adapter_model.safetensors"
    if not (adapter / "adapter_config.json").is_file() or not weights.is_file():
        fix = "Give a folder with adapter_config.json and adapter_model.safetensors."
        raise ModelError("There is no adapter here.", where=str(adapter), fix=fix)
    try:
        config = PeftConfig.from_pretrained(str(adapter))
        config.inference_mode = True
        config.base_model_name_or_path = model.name_or_path  # PEFT warns where its own note says otherwise
        tuned = attach(model, config)
        report: Any = set_peft_model_state_dict(tuned, load_file(weights))
    except Exception as error:
        raise ModelError(
            f"The adapter cannot be put on this base ({_first_line(error)}).", where=str(adapter)
        ) from error
    missing = [key for key in report.missing_keys if "lora_" in key]
    if missing or report.unexpected_keys:
        odd = (missing or report.unexpected_keys)[0]
        count = len(missing) + len(report.unexpected_keys)
        message = (
            f"The adapter does not fit the base: {count} weights are missing or unknown, {odd} among them."
        )
        raise ModelError(message, where=str(adapter), fix="Use the base it was trained on.")
    return tuned


def _unreadable(base: Base, what: str, error: Exception) -> ModelError:
    if "trust_remote_code" in str(error) or "custom code" in str(error):
        fix = "Choose a base whose architecture transformers itself knows."
        return ModelError(f"The base {base.ref} wants to run code of its own.", where=str(base.path), fix=fix)
    message = f"The {what} of {base.ref} cannot be read ({_first_line(error)})."
    return ModelError(message, where=str(base.path), fix="Fetch or save the model again.")


def _first_line(error: Exception) -> str:
    text = str(error).strip().split("\n")[0][:200]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
