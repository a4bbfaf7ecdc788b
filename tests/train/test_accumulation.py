"""Accumulation: a step's gradient is the same vector however the step is cut into batches, for every method."""

import pytest
import torch

from tunewright.core.events import silent
from tunewright.core.example import Example, ask, make_document, make_example
from tunewright.models.base import Base
from tunewright.models.load import load_model
from tunewright.models.template import Renderer
from tunewright.train import weights
from tunewright.train.checkpoint import WorkFolder
from tunewright.train.fast import fast_layers
from tunewright.train.layout import Layout
from tunewright.train.loop import Loop
from tunewright.train.lora import add_adapter
from tunewright.train.methods import find_method
from tunewright.train.pack import shared_prefix
from tunewright.train.plan import Plan
from tunewright.train.policy import Policy
from tunewright.train.reference import refer
from tunewright.train.shelf import Shelf, Shelves
from tunewright.train.spec import AdapterSpec, TrainSpec

LIMITS = (10_000, 200, 90, 1)
"""From one batch to one for each row."""


def examples(method: str) -> list[Example]:
    """Rows of very different lengths."""
    talks = [
        ask(f"What is {i}{' and so on' * (i % 5)}?", "It is " + "eleven " * (i % 4 + 1)) for i in range(9)
    ]
    if method == "cpt":
        return [make_document(" ".join(turn.content for turn in talk)) for talk in talks]
    if method == "kto":
        return [make_example(talk, desirable=place % 3 > 0) for place, talk in enumerate(talks)]
    return [make_example(talk, rejected=None if method == "sft" else "The fox is red.") for talk in talks]


@pytest.mark.parametrize("kind", ["packed", "padded"])
@pytest.mark.parametrize(
    ("method", "settings"),
    [("sft", {}), ("cpt", {}), ("orpo", {}), ("kto", {}), ("dpo", {"dpo": {"nll": 0.5}})],
)
def test_the_gradient_is_one_vector_for_any_split(
    kind: Layout, method: str, settings: dict, tiny_base: Base, tiny_renderer: Renderer, tmp_path
) -> None:
    torch.set_num_threads(1)
    spec = TrainSpec(method=method, adapter=AdapterSpec(rank=4), learning_rate=1e-2, epochs=1, **settings)
    found = find_method(method)
    trees = found.trees(examples(method), tiny_renderer)
    prefix = shared_prefix(trees)
    model = add_adapter(load_model(tiny_base, device="cpu"), spec.adapter, tiny_base, 0)
    parameters = weights.trained(model)
    everything = tuple(range(len(trees)))
    gradients, cuts = [], []
    with fast_layers(model, torch.float32):
        policy = Policy(model, trees)
        policy.layout = kind
        if kind == "padded":
            policy.restore()
        if found.needs_reference(spec):
            work = WorkFolder(tmp_path, "accumulation", 1)
            trees = Shelves(Shelf(trees))
            refer(policy, trees, prefix, work, silent)
        with torch.no_grad():  # B = 0 would leave A without a gradient
            for name, value in parameters.items():
                value.copy_(
                    0.1 * torch.randn(value.shape, generator=torch.Generator().manual_seed(len(name)))
                )
        loop = Loop(policy, parameters, found, spec, Plan((everything,), (1,), 1, prefix, ()))
        for limit in LIMITS:
            cut = policy.laying.batches(trees, everything, prefix, limit)
            loop._gradients(cut, 0)
            cuts.append(len(cut))
            gradients.append(torch.cat([value.grad.flatten() for value in parameters.values()]).double())
            for value in parameters.values():
                value.grad = None
    assert cuts == sorted(cuts)
    assert len(set(cuts)) >= 3
    assert (cuts[0], cuts[-1]) == (1, len(trees))
    assert gradients[0].norm() > 1e-4
    for other in gradients[1:]:
        assert (other - gradients[0]).norm() <= 1e-5 * gradients[0].norm()
