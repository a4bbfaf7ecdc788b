"""Defaults from the data: what the project file leaves out, chosen from the rows and the base, each with its reason.

Rules of thumb, not proofs: a value in the project file always wins, and the dev loss says whether it was a good one.
docs/training.md shows them as a table.
"""

from collections.abc import Sequence
from typing import NamedTuple

from tunewright.train.pack import Tree
from tunewright.train.spec import SettledSpec, TrainSpec

_WIDTH = 2048
"""Hidden size at which the rates below hold."""
_RATES = {"sft": 2e-4, "dpo": 2e-5, "orpo": 5e-5, "kto": 2e-5}
"""Peak rates of an adapter. 2e-4 is the usual one for LoRA (arXiv:2305.14314, table 9); preference methods start from
a model that answers already, and their papers go a tenth as fast."""
_FEW, _SOME, _MANY = 500, 5_000, 50_000
_SMALL, _LARGE = 50_000, 5_000_000
"""Trained tokens up to which rank 8 has room, and from which 16 may not have."""
_STEPS = 60
"""Optimizer steps that an epoch should have at least."""
_BATCH = (2048, 16384)


class Facts(NamedTuple):
    """What the choices are made from."""

    examples: int
    """Training examples."""
    tokens: int
    """Tokens of their rows."""
    trained: int
    """Trained tokens of an epoch."""
    width: int
    """The base's hidden size."""


class Choice(NamedTuple):
    """A value chosen for a field that the project file leaves out."""

    field: str
    value: float | int
    reason: str

    def words(self) -> str:
        """As a sentence without its end."""
        return f"{self.field} {self.value:g}: {self.reason}"


def facts_of(trees: Sequence[Tree], width: int) -> Facts:
    """What the task's training trees come to."""
    rows = [row for tree in trees for row in tree.rows]
    return Facts(len(trees), sum(len(row.ids) for row in rows), sum(row.trained for row in rows), width)


def settle(spec: TrainSpec, facts: Facts) -> tuple[SettledSpec, tuple[Choice, ...]]:
    """The spec with every field filled in, and the choices made for it."""
    choices = list[Choice]()
    if spec.adapter.rank is None:
        choices.append(_rank(facts))
    if spec.epochs is None:
        choices.append(_epochs(facts))
    if spec.learning_rate is None:
        choices.append(_learning_rate(spec.method, facts))
    if spec.batch_tokens is None:
        choices.append(_batch_tokens(facts))
    values = spec.model_dump()
    for choice in choices:
        place, _, name = choice.field.rpartition(".")
        (values[place] if place else values)[name] = choice.value
    return SettledSpec.model_validate(values), tuple(choices)


def _rank(facts: Facts) -> Choice:
    rank, size = (
        (8, "few") if facts.trained <= _SMALL else (16, "enough") if facts.trained <= _LARGE else (32, "many")
    )
    reason = {
        "few": f"{facts.trained:,} trained tokens are few: a format or labels, which a low rank holds",
        "enough": f"{facts.trained:,} trained tokens: the usual rank",
        "many": f"{facts.trained:,} trained tokens hold more than a low rank",
    }[size]
    return Choice("adapter.rank", rank, reason)


def _epochs(facts: Facts) -> Choice:
    count = facts.examples
    epochs = 4 if count < _FEW else 3 if count <= _SOME else 2 if count <= _MANY else 1
    more = "; training stops before that where dev gets no better" if epochs > 1 else ""
    return Choice("epochs", epochs, f"{count:,} examples, and fewer want more passes{more}")


def _learning_rate(method: str, facts: Facts) -> Choice:
    usual = _RATES.get(method, _RATES["sft"])
    rate = float(f"{usual * _WIDTH / facts.width:.1g}")
    reason = f"{usual:g} is usual for {method} at width {_WIDTH}; narrower bases go faster, this one is {facts.width} wide"
    return Choice("learning_rate", rate, reason)


def _batch_tokens(facts: Facts) -> Choice:
    low, high = _BATCH
    tokens = min(high, max(low, 1 << (max(1, facts.tokens // _STEPS).bit_length() - 1)))
    steps = -(-facts.tokens // tokens)
    return Choice(
        "batch_tokens", tokens, f"an epoch of {facts.tokens:,} tokens then has about {steps:,} steps"
    )
