"""Methods: one file each, found by its name. A method makes rows of conversations, batches of rows, and a loss."""

from collections.abc import Sequence
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Protocol, cast

from tunewright.core.errors import UserError

if TYPE_CHECKING:
    from torch import Tensor

    from tunewright.core.message import Conversation
    from tunewright.models.template import Renderer
    from tunewright.train.pack import Batch, Row
    from tunewright.train.policy import Policy


class Method(Protocol):
    """What the loop asks of a method's module."""

    def rows(self, named: "Sequence[tuple[str, Conversation]]", renderer: "Renderer") -> "list[Row]":
        """The (id, conversation) pairs as the method trains them."""
        ...

    def batches(
        self, rows: "Sequence[Row]", group: Sequence[int], prefix: int, limit: int, packed: bool
    ) -> "list[Batch]":
        """One optimizer step's rows (by index) as batches of at most `limit` tokens each."""
        ...

    def loss(self, policy: "Policy", batch: "Batch") -> "Tensor":
        """The loss summed over the batch's trained tokens; the loop divides by the step's number of them."""
        ...


def find_method(name: str) -> Method:
    """The method called `name`. Raises UserError where there is no such file."""
    known = sorted(module.name for module in iter_modules(__path__))
    if name not in known:
        raise UserError(
            f"There is no training method {name!r}.", where="train.method", fix=f"Known: {', '.join(known)}."
        )
    return cast("Method", import_module(f"{__name__}.{name}"))
