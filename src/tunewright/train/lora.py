"""The adapter: PEFT's LoRA modules around the base's linear layers, and its files in PEFT's format."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from tunewright.core.errors import ModelError
from tunewright.core.files import write_atomic, write_json
from tunewright.core.hashing import SHORT
from tunewright.models.adapter import attach
from tunewright.models.base import Base
from tunewright.models.four_bit import four_bit
from tunewright.models.peft import LoraConfig
from tunewright.models.text import text_part
from tunewright.train.spec import SettledAdapter

ADAPTER = "default"
_EXACT = 1024
"""The largest hidden size whose singular values are computed exactly for pissa; above, by 16 passes of an iteration."""
_PASSED = {
    "out_proj": (
        "bamba", "falcon_h1", "falcon_mamba", "granitemoehybrid", "mamba", "mamba2", "nemotron_h", "zamba2",
    ),
    "dt_proj": ("falcon_mamba", "jamba", "mamba"),
    "x_proj": ("falcon_mamba", "mamba"),
}  # fmt: skip
"""Layer → the bases that read its weights past an adapter on it, some in their fused kernels alone; PEFT refuses some."""


def add_adapter(model: Any, spec: SettledAdapter, base: Base, seed: int, tokens: Sequence[int] = ()) -> Any:
    """The model with a fresh adapter (B = 0), only the adapter trainable, and the embeddings of `tokens` with it.

    Raises ModelError where no layer fits, or where one has fewer singular values than pissa is to begin with.
    """
    targets, excluded = _targets(model, spec)
    _refuse_words(model, spec)
    if spec.kind == "pissa":
        _refuse_high_rank(model, spec)
    config: Any = LoraConfig(
        r=spec.rank,
        lora_alpha=spec.alpha or (8 if spec.scaled_by_root else 2 * spec.rank),  # type: ignore[arg-type]  # PEFT divides it
        use_rslora=spec.scaled_by_root,
        use_dora=spec.sized,
        lora_dropout=spec.dropout,
        target_modules=targets,
        exclude_modules=excluded,
        init_lora_weights=_beginning(spec, model),
        trainable_token_indices=_new_tokens(model, tokens) if tokens else None,
        task_type="CAUSAL_LM",
    )
    torch.manual_seed(seed)
    try:
        tuned = attach(model, config)
    except (ValueError, AttributeError) as error:
        refused = "ParamWrapper" in str(error) or isinstance(error, AttributeError)
        if refused and (spec.sized or spec.kind == "pissa" or spec.dropout):
            raise _no_place_in_experts(spec) from error
        fix = 'Set train.adapter.targets to "all-linear", or to names of the base\'s linear layers.'
        raise ModelError(f"The adapter finds no place in the base ({error}).", fix=fix) from error
    # equal bases give equal files, whatever they are called here; a release names its base in words
    tuned.peft_config[ADAPTER].base_model_name_or_path = base.hash[:SHORT]
    return tuned


def _no_place_in_experts(spec: SettledAdapter) -> ModelError:
    """What PEFT says of kinds that it cannot put on experts whose weights are stacked in one tensor."""
    what: str
    if spec.kind in ("dora", "pissa"):
        what, where, way = spec.kind, "train.adapter.kind", "Choose lora or rslora"
    elif spec.dora:
        what, where, way = "dora", "train.adapter.dora", "Leave it out"
    else:
        what, where, way = "dropout", "train.adapter.dropout", "Set it to 0"
    return ModelError(
        f"The base's experts are stacked in one tensor, which {what} cannot be put on.",
        where=where,
        fix=f"{way}, or adapt the attention alone: train.adapter.targets: [q_proj, k_proj, v_proj, o_proj].",
    )


def _refuse_words(model: Any, spec: SettledAdapter) -> None:
    """Raise ModelError where a target is the output head or the embeddings."""
    if spec.targets == "all-linear":
        return
    found = [module for name, module in model.named_modules() if _is_target(name, spec)]
    if any(module is model.get_output_embeddings() for module in found):
        fix = "Leave the output head out of train.adapter.targets: engines that serve adapters refuse one on it."
        raise ModelError("The adapter would sit on the output head.", fix=fix)
    if any(isinstance(module, nn.Embedding) for module in found):
        fix = "Leave them out of train.adapter.targets; train.adapter.new_words teaches words an embedding of their own."
        raise ModelError("The adapter would sit on the embeddings.", fix=fix)


def _targets(model: Any, spec: SettledAdapter) -> tuple[Any, str | None]:
    """PEFT's target_modules, and the expression for its exclude_modules.

    Left out is what reads no text, for no gradient would reach it (a vision tower), and by default what is a linear layer by
    descent alone (a router, whose output is no plain tensor) and what a state-space base reads past an adapter.
    """
    targets = spec.targets if isinstance(spec.targets, str) else list(spec.targets)
    part = text_part(model)
    linear = {name: module for name, module in part.body.named_modules() if isinstance(module, nn.Linear)}
    ends = {name.split(".")[-1] for name, module in linear.items() if _is_plain(module)}
    ends -= {name for name, bases in _PASSED.items() if model.config.model_type in bases}
    odd = {name.split(".")[-1] for name in linear} - ends
    if spec.targets == "all-linear" and (part.prefix or odd):
        targets = sorted(ends)
    return targets, rf"(?!{re.escape(part.prefix)}).*" if part.prefix else None


def _is_plain(module: nn.Module) -> bool:
    """Whether it is a linear layer itself, or one of bitsandbytes'."""
    return type(module) is nn.Linear or four_bit(module)


def _new_tokens(model: Any, tokens: Sequence[int]) -> dict[str, list[int]]:
    """The tokens by the layers that have a row for each: the embeddings, and the head where it has weights of its own."""
    layers = [model.get_input_embeddings()]
    if not model.config.get_text_config().tie_word_embeddings:
        layers.append(model.get_output_embeddings())
    return {
        name.split(".")[-1]: list(tokens)
        for name, module in model.named_modules()
        if any(module is layer for layer in layers)
    }


def _refuse_high_rank(model: Any, spec: SettledAdapter) -> None:
    """Raise ModelError where a layer to be adapted has fewer singular values than the rank."""
    head = model.get_output_embeddings()
    values = [
        min(module.weight.shape)
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear | Conv1D) and module is not head and _is_target(name, spec)
    ]
    if values and spec.rank > min(values):
        raise ModelError(
            f"pissa begins as the base's largest singular values, and a layer of this base has {min(values)},"
            f" fewer than the rank {spec.rank}.",
            where="train.adapter.rank",
            fix=f"Set it to {min(values)} or less, or choose another train.adapter.kind.",
        )


def _is_target(name: str, spec: SettledAdapter) -> bool:
    """Whether PEFT puts the adapter on the linear layer of that name."""
    return spec.targets == "all-linear" or any(f".{name}".endswith(f".{end}") for end in spec.targets)


def _beginning(spec: SettledAdapter, model: Any) -> Any:
    """PEFT's name of how A and B begin."""
    if spec.kind != "pissa":
        return True
    return "pissa" if model.config.get_text_config().hidden_size <= _EXACT else "pissa_niter_16"


def file_weights(parameters: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """A copy of the adapter's parameters on the CPU, named as PEFT's files name them."""
    return {
        file_name(name): value.detach().to("cpu", copy=True).contiguous()
        for name, value in parameters.items()
    }


def file_name(name: str) -> str:
    """A parameter's name in PEFT's files, which leave the adapter's name out, and the end of a magnitude's."""
    plain = name.replace(f".{ADAPTER}.", ".").removesuffix(f".{ADAPTER}")
    return plain.replace("lora_magnitude_vector.weight", "lora_magnitude_vector")


def save_adapter(
    model: Any, weights: dict[str, Tensor], folder: Path, changes: Mapping[str, Any] | None = None
) -> None:
    """Write adapter_config.json and adapter_model.safetensors. Equal weights give equal bytes.

    `changes` are what the file's configuration says otherwise than the model's.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = model.peft_config[ADAPTER].to_dict() | {"inference_mode": True, **(changes or {})}
    plain = {
        name: sorted(value) if isinstance(value, set) else value for name, value in sorted(config.items())
    }
    write_json(folder / "adapter_config.json", plain)
    write_atomic(folder / "adapter_model.safetensors", save(weights, metadata={"format": "pt"}))
