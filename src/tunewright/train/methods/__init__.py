"""Methods: one file each, found by its name. A method makes trees of examples and a loss of their log-probabilities.

The loop packs the trees of an optimizer step into batches, asks for the step's `totals` once, and sums each batch's
`loss`: its share of the step's loss, so that cutting a step into more batches changes nothing.
"""

from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

from tunewright.core.errors import Problem, UserError

if TYPE_CHECKING:
    from torch import Tensor

    from tunewright.core.example import Example
    from tunewright.core.message import Conversation
    from tunewright.models.template import Renderer
    from tunewright.train.pack import Batch, Tree
    from tunewright.train.policy import Policy
    from tunewright.train.spec import TrainSpec


class Totals(NamedTuple):
    """What a loss needs to know of its whole step."""

    tokens: float
    """Trained tokens, in sft each by its weight."""
    trees: int
    kl: float = 0.0
    """KTO's estimate of how far the policy is from the base, in nats."""
    rehearsed: int = 0
    """Trained tokens of rows that rehearse beside a preference method's; they are in no other count."""


class Part(NamedTuple):
    """A batch's share of its step's loss, and of the means shown beside it (reward margin, accuracy)."""

    loss: "Tensor"
    means: "dict[str, Tensor]" = {}  # noqa: RUF012  # never changed


class Rendering(Protocol):
    """How examples become trees."""

    def trees(self, examples: "Sequence[Example]", renderer: "Renderer") -> "list[Tree]":
        """The examples, which `examine` has taken, as the method trains them."""
        ...


class Method(Rendering, Protocol):
    """What the loop asks of a method's module."""

    def examine(self, examples: "Sequence[Example]", spec: "TrainSpec") -> list[Problem]:
        """What should be known before training on the examples. Raises DataError where the method cannot take them."""
        ...

    def needs_reference(self, spec: "TrainSpec") -> bool:
        """Whether rows need their log-probability under the base."""
        ...

    def conversations(self, example: "Example") -> "list[Conversation]":
        """What is rendered of an example, a row each, with weight 0 on the answers that are not trained."""
        ...

    def totals(self, policy: "Policy", batches: "Sequence[Batch]", spec: "TrainSpec") -> Totals:
        """What the step's batches come to."""
        ...

    def part(self, policy: "Policy", batch: "Batch", totals: Totals, spec: "TrainSpec") -> Part:
        """The batch's share of the step's loss."""
        ...


def counted(batches: "Sequence[Batch]") -> Totals:
    """The totals that batches have by themselves."""
    return Totals(sum(len(batch.labels) for batch in batches), sum(len(batch.trees) for batch in batches))


def find_method(name: str) -> Method:
    """The method called `name`. Raises UserError where there is no such file."""
    known = sorted(module.name for module in iter_modules(__path__) if not module.name.startswith("_"))
    if name not in known:
        raise UserError(
            f"There is no training method {name!r}.", where="train.method", fix=f"Known: {', '.join(known)}."
        )
    return cast("Method", import_module(f"{__name__}.{name}"))
