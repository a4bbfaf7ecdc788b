"""Defaults from the data: what the project file leaves out, chosen from the rows and the base, each with its reason.

Rules of thumb, not proofs: a value in the project file always wins, and the dev loss says whether it was a good one.
docs/training.md shows them as a table.
"""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from tunewright.train.pack import Tree, epoch_order, fill
from tunewright.train.spec import AdapterSpec, SettledSpec, TrainSpec

_RATES = (
    (511, 2e-3, "as measured on the embedded base"),
    (1023, 6e-4, "between the embedded base's 0.002 and the 0.0002 of wide bases"),
    (6000, 2e-4, "as arXiv:2305.14314, table 9, has it for 7B and 13B"),
    (math.inf, 1e-4, "as arXiv:2305.14314, table 9, has it for 33B and 65B"),
)
"""Peak rates of an adapter by the base's hidden size: up to which size, the rate, and where it is from (LOG.md has the
embedded base's). The paper's bases are 4,096, 5,120, 6,656 and 8,192 wide."""
_SHARES = {
    "sft": Fraction(1),
    "cpt": Fraction(1, 2),
    "dpo": Fraction(1, 10),
    "orpo": Fraction(1, 4),
    "kto": Fraction(1, 10),
}
"""A method's share of that rate. Preference methods start from a model that answers already, and their papers go about
a tenth as fast; orpo learns to answer at the same time. Half for cpt is a rule of thumb: on the embedded base
faster runs learnt documents better and forgot more of the answering."""
_WHOLE = Fraction(1, 10)
"""What training all weights takes of an adapter's rate: arXiv:2405.09673 finds LoRA's best rates ten times as high."""
_FEW, _SOME, _MANY = 500, 5_000, 50_000
_AGAINST_THE_BASE = ("dpo", "kto")
"""Methods that go a pass less: with every pass the answers part further from the base's, long after they are told apart.
arXiv:2310.16944 trains dpo for one to three epochs, and the alignment handbook's recipes for one on 61,135 pairs."""
_SMALL, _LARGE = 50_000, 5_000_000
"""Trained tokens up to which rank 8 has room, and from which 16 may not have."""
_STEPS = 200
"""Optimizer steps that an epoch should have at least."""
_BATCHES = (2048, 4096, 8192, 16384)


class Facts(NamedTuple):
    """What the choices are made from."""

    examples: int
    """Training examples; a document counts once for each of its pieces."""
    tokens: int
    """Tokens of an epoch; what the rows of a pair share counts once."""
    steps: tuple[int, ...]
    """Optimizer steps that an epoch has with each batch there is to choose from."""
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
    counted = [(tree.tokens, sum(row.trained for row in tree.rows)) for tree in trees]
    lengths = [tokens for tokens, _ in counted]
    order = epoch_order(len(trees), 0, 0)
    return Facts(
        examples=len(trees),
        tokens=sum(lengths),
        steps=tuple(len(fill(lengths, order, batch)) for batch in _BATCHES),
        trained=sum(trained for _, trained in counted),
        width=width,
    )


def settle(spec: TrainSpec, facts: Facts) -> tuple[SettledSpec, tuple[Choice, ...]]:
    """The spec with every field filled in, and the choices made for it."""
    choices = list[Choice]()
    if spec.adapter.rank is None and spec.adapter.kind != "full":
        choices.append(_rank(facts))
    if spec.epochs is None:
        choices.append(_epochs(spec.method, facts))
    if spec.learning_rate is None:
        choices.append(_learning_rate(spec.method, spec.adapter, facts))
    if spec.batch_tokens is None:
        choices.append(_batch_tokens(facts))
    values = spec.model_dump()
    if spec.adapter.kind == "full":
        values["adapter"]["rank"] = 0
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


def _epochs(method: str, facts: Facts) -> Choice:
    count = facts.examples
    epochs = 4 if count < _FEW else 3 if count <= _SOME else 2 if count <= _MANY else 1
    less = ""
    if method in _AGAINST_THE_BASE and epochs > 1:
        epochs -= 1
        less = f"; {method} goes a pass less, as arXiv:2310.16944 has 1 to 3"
    more = "; training stops before that where dev gets no better" if epochs > 1 else ""
    return Choice("epochs", epochs, f"{count:,} examples, and fewer want more passes{less}{more}")


def _learning_rate(method: str, adapter: AdapterSpec, facts: Facts) -> Choice:
    """By the base's width, the method and the adapter; a method without a share is a KeyError: it has to be given one."""
    usual, source = next((rate, source) for most, rate, source in _RATES if facts.width <= most)
    share = _SHARES[method]
    reason = f"{usual:g} for a base {facts.width} wide, {source}"
    if share != 1:
        reason += f"; {method} goes at {share} of that"
    if adapter.kind == "full":
        share *= _WHOLE
        reason += f"; training all weights goes at {_WHOLE} of an adapter's rate"
    faster = adapter.b_rate
    if faster > 1:
        reason += f"; divided by √{faster:g}, for B learns {faster:g} times as fast: the geometric mean of both rates stays"
    rate = usual * share.numerator / share.denominator / math.sqrt(faster)
    return Choice("learning_rate", float(f"{rate:.3g}"), reason)


def _batch_tokens(facts: Facts) -> Choice:
    found = [at for at, steps in enumerate(facts.steps) if steps >= _STEPS]
    at = max(found, default=0)
    reason = f"the task's {facts.tokens:,} tokens are then about {facts.steps[at]:,} steps an epoch"
    return Choice("batch_tokens", _BATCHES[at], reason)
