"""Loading: a base's tokenizer and weights, with or without an adapter. Safetensors only, and never code from a folder."""

import os
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForImageTextToText,
    AutoTokenizer,
    PreTrainedTokenizerBase,
)
from transformers.models.auto.modeling_auto import MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES
from transformers.utils import logging as transformers_logging

from tunewright.core.errors import ModelError
from tunewright.models.adapter import attach
from tunewright.models.base import Base
from tunewright.models.four_bit import unpack_here
from tunewright.models.vocabulary import make_room

transformers_logging.disable_progress_bar()

# oneDNN keeps a compiled product for each shape it meets, and growing caches bring a new shape each time: with its default
# of 1,024 kept, memory grew by 600 MB in 85 steps. Training fills its sequences up to few shapes, some 200 products: with
# 128 kept, its steps took 1.2 times as long. It reads this at its first product.
os.environ.setdefault("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "256")

_SHORTAGE = ("out of memory", "cannot allocate memory", "can't allocate memory", "not enough memory")
"""What an error says where memory ran out."""


def load_tokenizer(base: Base, adapter: Path | None = None) -> PreTrainedTokenizerBase:
    """The base's tokenizer, or the one that the adapter brings along. Raises ModelError where it cannot be read."""
    own = adapter is not None and (adapter / "tokenizer.json").is_file()
    path = adapter if adapter is not None and own else base.path
    try:
        tokenizer = AutoTokenizer.from_pretrained(path, trust_remote_code=False, local_files_only=True)
    except Exception as error:
        raise _unreadable(base.ref, path, "tokenizer", error) from error
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
    four_bit: bool = False,
) -> Any:
    """The base in eval mode, with the adapter (a folder in PEFT's format) on top where one is given.

    Where that folder holds a whole model instead, trained from the base, it is that model. By default on the
    accelerator in bf16, else on the CPU in fp32; `four_bit` packs the linear layers' weights (NF4, arXiv:2305.14314, by
    bitsandbytes). Raises ModelError, also where there is not enough memory for it.
    """
    place = torch.device(device) if device is not None else default_device()
    wanted = dtype or default_dtype(place)
    try:
        if adapter is not None and is_whole(adapter):
            return _load(adapter, str(adapter), wanted).to(place).eval()
        if four_bit:
            return _packed(base, wanted, place).eval()
        model = _load(base.path, base.ref, wanted)
        if adapter is not None:
            model = put_adapter(model, adapter)
        return model.to(place).eval()
    except (RuntimeError, MemoryError) as error:
        if not is_shortage(error):
            raise
        raise _too_large(base, place, four_bit) from error


def base_width(base: Base) -> int:
    """The base's hidden size. Raises ModelError where its configuration cannot be read."""
    return int(_config(base).hidden_size)


def base_positions(base: Base) -> int | None:
    """How many tokens the base takes, prompt and answer together; none where its configuration does not say.

    Raises ModelError where that cannot be read.
    """
    return getattr(_config(base), "max_position_embeddings", None)


def _config(base: Base) -> Any:
    try:
        config: Any = AutoConfig.from_pretrained(base.path, trust_remote_code=False, local_files_only=True)
        return config.get_text_config()
    except Exception as error:
        raise _unreadable(base.ref, base.path, "configuration", error) from error


def default_device() -> torch.device:
    """The accelerator where there is one, else the CPU."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def default_dtype(device: torch.device) -> torch.dtype:
    """bf16 on an accelerator, fp32 on the CPU."""
    return torch.float32 if device.type == "cpu" else torch.bfloat16


def is_whole(folder: Path) -> bool:
    """Whether a folder of what was trained holds a whole model, not an adapter."""
    return (folder / "config.json").is_file() and not (folder / "adapter_config.json").is_file()


def _load(path: Path, ref: str, dtype: torch.dtype, **more: Any) -> Any:
    try:
        loader = _loader(path)
        model, report = loader.from_pretrained(
            path,
            dtype=dtype,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            output_loading_info=True,
            **more,
        )
    except Exception as error:
        if is_shortage(error):
            raise MemoryError(first_line(error)) from error
        raise _unreadable(ref, path, "model", error) from error
    if missing := sorted(report["missing_keys"]):
        message = f"The base {ref} lacks {len(missing)} of its weights, {missing[0]} among them."
        raise ModelError(message, where=str(path), fix="Fetch or save the model again.")
    if getattr(model.config, "rescale_every", 0):
        # RWKV halves weights while it answers, against overflow in fp16, and knows nothing of an adapter's beside them
        model.config.rescale_every = 0
    return model


def empty_model(base: Base) -> Any:
    """The base's model without weights, on the device `meta`: for what its layers are. Raises ModelError."""
    try:
        config = AutoConfig.from_pretrained(base.path, trust_remote_code=False, local_files_only=True)
        with torch.device("meta"):
            return _loader(base.path).from_config(config)
    except Exception as error:
        raise _unreadable(base.ref, base.path, "configuration", error) from error


def _loader(path: Path) -> Any:
    """What loads a folder's model as it was saved: one that reads images too is loaded whole.

    Its layers keep the names that an adapter is to have where the whole model is served.
    """
    config = AutoConfig.from_pretrained(path, trust_remote_code=False, local_files_only=True)
    whole = MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES.get(config.model_type)
    with_images = whole in (config.architectures or ()) and not config.is_encoder_decoder
    return AutoModelForImageTextToText if with_images else AutoModelForCausalLM


def _packed(base: Base, dtype: torch.dtype, place: torch.device) -> Any:
    """The base with its linear layers' weights in four bits."""
    if find_spec("bitsandbytes") is None:
        raise ModelError(
            "qlora needs bitsandbytes, which is not installed.",
            where="train.adapter.kind",
            fix="pip install 'tunewright[qlora]', or choose lora.",
        )
    from transformers import BitsAndBytesConfig

    how: Any = BitsAndBytesConfig
    packing = how(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )
    model = _load(base.path, base.ref, dtype, quantization_config=packing, device_map={"": place})
    if place.type == "cpu":
        unpack_here(model)
    return model


def put_adapter(model: Any, adapter: Path) -> Any:
    """The model with the adapter's weights, every one of them found and none left over. Raises ModelError.

    A folder that holds a whole model gives its weights to this one.
    """
    if is_whole(adapter):
        model.load_state_dict(_load(adapter, str(adapter), model.dtype).state_dict())
        return model
    from safetensors.torch import load_file

    from tunewright.models.peft import PeftConfig, set_peft_model_state_dict

    weights = adapter / "adapter_model.safetensors"
    if not (adapter / "adapter_config.json").is_file() or not weights.is_file():
        fix = "Give a folder with adapter_config.json and adapter_model.safetensors."
        raise ModelError("There is no adapter here.", where=str(adapter), fix=fix)
    try:
        config = PeftConfig.from_pretrained(str(adapter))
        config.inference_mode = True
        config.base_model_name_or_path = model.name_or_path  # PEFT warns where its own note says otherwise
        indices: Any = getattr(config, "trainable_token_indices", None) or {}
        make_room(model, 1 + max((token for ids in indices.values() for token in ids), default=-1))
        tuned = attach(model, config)
        report: Any = set_peft_model_state_dict(tuned, load_file(weights))
    except Exception as error:
        if is_shortage(error):
            raise MemoryError(first_line(error)) from error
        raise ModelError(
            f"The adapter cannot be put on this base ({first_line(error)}).", where=str(adapter)
        ) from error
    # a head that is tied to the embeddings takes their new rows, and has none of its own in the file
    held = indices and any("trainable_tokens" in key for key in load_file(weights))
    wanted = (
        ("lora_",)
        if held and model.config.get_text_config().tie_word_embeddings
        else ("lora_", "trainable_tokens")
    )
    missing = [key for key in report.missing_keys if any(word in key for word in wanted)]
    if missing or report.unexpected_keys:
        odd = (missing or report.unexpected_keys)[0]
        count = len(missing) + len(report.unexpected_keys)
        message = (
            f"The adapter does not fit the base: {count} weights are missing or unknown, {odd} among them."
        )
        raise ModelError(message, where=str(adapter), fix="Use the base it was trained on.")
    return tuned


def _unreadable(ref: str, path: Path, what: str, error: Exception) -> ModelError:
    if "trust_remote_code" in str(error) or "custom code" in str(error):
        fix = "Choose a base whose architecture transformers itself knows."
        return ModelError(f"The base {ref} wants to run code of its own.", where=str(path), fix=fix)
    message = f"The {what} of {ref} cannot be read ({first_line(error)})."
    return ModelError(message, where=str(path), fix="Fetch or save the model again.")


def is_shortage(error: BaseException) -> bool:
    """Whether memory ran out: each allocator says so in its own way."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    said = str(error).lower()
    return any(words in said for words in _SHORTAGE)


def _too_large(base: Base, place: torch.device, four_bit: bool) -> ModelError:
    size = sum(file.stat().st_size for file in base.path.glob("*.safetensors")) / 1e9
    where = "this machine" if place.type == "cpu" else f"the accelerator {place}"
    ways = "Choose a smaller base or free memory"
    if not four_bit:
        ways += "; to train it, train.adapter.kind qlora packs it in four bits"
    return ModelError(
        f"The base {base.ref} ({size:.2f} GB of weights) does not fit into the free memory of {where}.",
        where=str(base.path),
        fix=f"{ways}.",
    )


def first_line(error: BaseException) -> str:
    """The error's type and the first line of what it says, for a sentence that names it."""
    text = str(error).strip().split("\n")[0][:200]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
