"""Text: the part of a model that reads and writes it, where others (a vision tower) stand beside it.

part = text_part(model)
part.body      token ids in, hidden states out
part.prefix    what the names of its layers begin with, "model.language_model."; "" where it is the whole model
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from torch import nn


class TextPart(NamedTuple):
    """What a causal model has of layers between its input and its head, for text."""

    body: Any
    prefix: str


def text_part(model: Any) -> TextPart:
    """The text part of a causal model (not of a PeftModel around one)."""
    if not _has_others(model):
        return TextPart(_headless(model.base_model), "")
    body = _headless(model.get_decoder())
    name = next(name for name, module in model.named_modules() if module is body)
    return TextPart(body, f"{name}.")


def _headless(model: Any) -> Any:
    """What stands before the head, where a decoder is a causal model itself (Llama 4)."""
    return model.model if model.get_output_embeddings() is not None and hasattr(model, "model") else model


def text_parameters(model: Any) -> Iterator[nn.Parameter]:
    """The parameters that take part in text, each once: all of a plain model's, else the text part's and the head's."""
    part = text_part(model)
    if not part.prefix:
        yield from model.parameters()
        return
    yield from nn.ModuleList([part.body, model.get_output_embeddings()]).parameters()


def _has_others(model: Any) -> bool:
    """Whether the model is made of several parts: then text's configuration is one of several."""
    config = model.config
    return config.get_text_config() is not config and model.get_decoder() is not model
