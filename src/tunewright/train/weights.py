"""What is trained: an adapter's weights or all of the model's, how they begin, and how they are saved.

An adapter is saved in PEFT's format, a whole model (`full`) in transformers'. Either goes on the base, or in its
place, by `models/load.py`, so that nothing after training has to know which it was.
"""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from tunewright.models.base import Base
from tunewright.models.four_bit import four_bit
from tunewright.models.load import load_model, load_tokenizer
from tunewright.models.text import text_parameters
from tunewright.models.vocabulary import add_words, begin, make_room, pieces
from tunewright.train import lora, pissa
from tunewright.train.spec import AdapterSpec, SettledAdapter

Weights = Mapping[str, Tensor]
"""Parameters by name."""


def prepare(base: Base, spec: SettledAdapter, device: torch.device, seed: int, dtype: torch.dtype) -> Any:
    """The base, ready to train what the spec names and nothing else, with products in `dtype`.

    Raises ModelError where it cannot be.
    """
    kept = torch.float32 if spec.keeps_fp32(device.type == "cpu") else dtype
    model = load_model(base, device=device, dtype=kept, four_bit=spec.kind == "qlora")
    tokens: Sequence[int] = ()
    if spec.new_words:
        tokenizer = own_tokenizer(base, spec)
        parts = pieces(tokenizer, load_tokenizer(base), spec.new_words)
        make_room(model, len(tokenizer))
        begin(model, parts)
        tokens = sorted(parts)
    if spec.kind != "full":
        return lora.add_adapter(model, spec, base, seed, tokens)
    model.requires_grad_(False)
    for parameter in text_parameters(model):
        parameter.requires_grad_(True)
    return model


def own_tokenizer(base: Base, spec: AdapterSpec) -> Any:
    """The base's tokenizer with the adapter's new words. Raises ModelError for one that it has already."""
    tokenizer = load_tokenizer(base)
    add_words(tokenizer, spec.new_words)
    return tokenizer


def trained(model: Any) -> dict[str, nn.Parameter]:
    """The trainable parameters by name, in a fixed order."""
    return {name: value for name, value in sorted(model.named_parameters()) if value.requires_grad}


def base_size(model: Any) -> int:
    """How many weights the base has; of those packed in four bits, each counts."""
    added = (".lora_", ".trainable_tokens_")
    parameters = model.named_parameters()
    own = sum(value.numel() for name, value in parameters if not any(part in name for part in added))
    packed = [layer for layer in model.modules() if four_bit(layer)]
    return own + sum(layer.in_features * layer.out_features - layer.weight.numel() for layer in packed)


def copied(parameters: Weights) -> dict[str, Tensor]:
    """A copy on the CPU."""
    return {name: value.detach().to("cpu", copy=True) for name, value in parameters.items()}


def save(model: Any, base: Base, spec: SettledAdapter, start: Weights, end: Weights, folder: Path) -> None:
    """Write what was trained from `start` to `end`. Equal weights give equal bytes. Raises OSError."""
    if spec.kind == "full":
        with _system_errors(folder):
            model.save_pretrained(folder)
            for file in base.path.glob("*processor_config.json"):  # what prepares images, where it reads some
                (folder / file.name).write_bytes(file.read_bytes())
            own_tokenizer(base, spec).save_pretrained(folder)
        return
    changes, weights = (
        pissa.as_update(model, start, end) if spec.kind == "pissa" else ({}, lora.file_weights(end))
    )
    lora.save_adapter(model, weights, folder, changes)
    if spec.new_words:
        with _system_errors(folder):
            own_tokenizer(base, spec).save_pretrained(folder)


@contextmanager
def _system_errors(folder: Path) -> Iterator[None]:
    """What the system refuses to libraries in Rust (safetensors, tokenizers) as the OSError that it is: a full disk.

    It names the folder where no file is named.
    """
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(folder)
        raise
    except Exception as error:
        number = re.search(r"\(os error (\d+)\)", str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), os.strerror(int(number[1])), str(folder)) from error


def without(model: Any, spec: SettledAdapter, start: Weights) -> Any:
    """The model without its adapter: the base again. A model trained whole stays as it is."""
    if spec.kind == "full":
        return model
    if spec.kind == "pissa":
        pissa.give_back(model, start)
    return model.unload()
