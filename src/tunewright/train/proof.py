"""Proof: whether filled-up rows are what the same rows are one by one, there and back, on rows of some hundred tokens.

    proven(model, long_rows(rows, positions), together, single, 1e-4, 1e-3)

A layer's kernels may be right on a few tokens and wrong on more (they compute in chunks), right without gradients and wrong
with them, or others in training than in answering. So the trained weights' gradients are compared too, in training mode.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from tunewright.train.pack import Row, Tree

_LONG = 288
"""Tokens of the longer row, where the base takes as many: more than the chunks that state-space layers compute in (256)."""
_SHORTER = 1 / 2
"""The other row's part of that, so that much is filled up."""
_TRAINED = 32
"""Trained tokens of each, evenly spread."""
_RANDOM = ("drop", "jitter")
"""What settings of a base are called that draw something in training, in a layer or in a function."""
Reader = Callable[[Sequence[Row]], Tensor]
"""Log-probabilities [N] of the rows' trained tokens, row by row, with gradients."""


def long_rows(rows: Sequence[Row], most: float) -> list[Row]:
    """Two rows, of 288 tokens or the `most` that may be, and of fewer: the first and the last of `rows`, over and over."""
    length = int(min(_LONG, most))
    return [_long(rows[0], length), _long(rows[-1], max(2, round(length * _SHORTER)))]


def reworded(tree: Tree) -> Tree:
    """The tree with each token another one, the same for the same: what its rows share they share still."""
    tokens = sorted({token for row in tree.rows for token in row.ids})
    other = dict(zip(tokens, [*tokens[1:], *tokens[:1]], strict=True))
    return tree._replace(
        rows=tuple(row._replace(ids=[other[token] for token in row.ids]) for row in tree.rows)
    )


def _long(row: Row, length: int) -> Row:
    ids = ([*row.ids] * (length // len(row.ids) + 1))[:length]
    step = max(1, length // _TRAINED)
    return Row(row.id, ids, [int(place > 0 and place % step == 0) for place in range(length)])


def proven(
    model: Any, rows: Sequence[Row], together: Reader, single: Reader, nats: float, share: float
) -> bool:
    """Whether `together` gives the rows what `single` gives one after the other: values within `nats` in the mean, and
    each trained matrix a gradient within a `share` of its size. Raises what the model raises.
    """
    weights = _layer_weights(model)
    with _in_training(model):
        values = together(rows)
        found = _slopes(values, weights)
        wanted = list[Tensor]()
        difference, begin = 0.0, 0
        for row in rows:
            own = single([row])
            part = values[begin : begin + len(own)]
            difference += float((part - own).detach().abs().sum())
            begin += len(own)
            slopes = _slopes(own, weights)
            wanted = [a.add_(b) for a, b in zip(wanted, slopes, strict=True)] if wanted else slopes
    return difference <= nats * begin and _near(found, wanted, share)


def _layer_weights(model: Any) -> list[nn.Parameter]:
    """The weights that are trained, without the embeddings and the head, which are large and filled up for no one."""
    ends = (model.get_input_embeddings(), model.get_output_embeddings())
    left = {id(value) for end in ends if end is not None for value in end.parameters()}
    return [value for value in model.parameters() if value.requires_grad and id(value) not in left]


def _slopes(values: Tensor, weights: Sequence[nn.Parameter]) -> list[Tensor]:
    """The gradients of the sum of values [N]."""
    if not weights:
        return []
    found = torch.autograd.grad(values.sum(), weights, allow_unused=True)
    return [
        torch.zeros_like(weight) if slope is None else slope
        for weight, slope in zip(weights, found, strict=True)
    ]


def _near(found: Sequence[Tensor], wanted: Sequence[Tensor], share: float) -> bool:
    """Whether gradients are the same, save for so large a share of each matrix's and the mean matrix's size."""
    if not wanted:
        return True
    sizes = torch.stack([slope.float().norm() for slope in wanted])
    off = torch.stack([(a.float() - b.float()).norm() for a, b in zip(found, wanted, strict=True)])
    return bool((off <= share * (sizes + sizes.mean())).all())


@contextmanager
def _in_training(model: Any) -> Iterator[None]:
    """While it lasts, the model computes as in training, but draws nothing: one that would in its functions answers."""
    modes = {module: module.training for module in model.modules()}
    settings = model.config.get_text_config().to_dict()
    drawn = any(
        isinstance(value, float) and value > 0 and any(word in name for word in _RANDOM)
        for name, value in settings.items()
    )
    model.train(not drawn)
    for module in modes:
        if "dropout" in type(module).__name__.lower():
            module.eval()
    try:
        with torch.enable_grad():
            yield
    finally:
        for module, mode in modes.items():
            module.training = mode
