"""Few-shot: the base with worked examples from the training rows in its prompt (arXiv:2005.14165).

The examples are chosen to cover the answers. Of a seeded draw of training rows, without its longest tenth, each pick is
the row that shows most of what no earlier pick has shown, common traits first and equals in the order of the draw. A
trait of an answer is its text (labels) or, of JSON, a field that is there, one that is left out, a field's value that
other rows share. So 4 shots begin with the same rows as 2 shots.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from random import Random
from typing import Any, NamedTuple, Protocol

from tunewright.baselines import prompt
from tunewright.baselines.spec import BaselinesSpec
from tunewright.core.example import Example
from tunewright.core.generation import Decoding
from tunewright.core.message import Conversation
from tunewright.core.strict_json import parse
from tunewright.generate.variant import Variant
from tunewright.grade.field_accuracy import leaves
from tunewright.models.base import Base

POOL = 1000
"""Training rows that are looked at, at most."""
LONG = 10
"""One row in so many is passed over for its length."""

Trait = tuple[Any, ...]


class Card(Protocol):
    """What is needed of a scorecard to choose by it."""

    @property
    def variant(self) -> str:
        """The variant's name."""
        ...

    def mean(self) -> float:
        """The mean of the headline score."""
        ...


class LeftOut(NamedTuple):
    """Numbers of shots that were asked for and are not tried."""

    shots: tuple[int, ...]
    rows: int
    """How many training rows can be shown."""

    @property
    def words(self) -> str:
        """It as a sentence."""
        shots = ", ".join(f"{number:,}" for number in self.shots)
        return f"few-shot with {shots} is left out: only {self.rows:,} of the training rows can be shown"


def candidates(
    spec: BaselinesSpec,
    train: Sequence[Example],
    *,
    base: Base,
    system: str,
    decoding: Decoding,
) -> list[Variant]:
    """One variant for each number of shots asked for, fewest first; numbers beyond the rows to show are `left_out`."""
    plain = prompt.variant(base=base, system=system, decoding=decoding)
    shots = choose_shots(train, max(spec.few_shot, default=0), spec.seed)
    return [
        plain.model_copy(update={"name": f"few-shot-{count}", "shots": tuple(shots[:count])})
        for count in sorted(set(spec.few_shot))
        if count <= len(shots)
    ]


def left_out(spec: BaselinesSpec, train: Sequence[Example]) -> LeftOut | None:
    """The numbers of shots that there are too few rows for; None where there are enough."""
    rows = len(_short(train, spec.seed))
    shots = tuple(number for number in sorted(set(spec.few_shot)) if number > rows)
    return LeftOut(shots, rows) if shots else None


def choose(cards: Sequence[Card]) -> str:
    """The name of the variant with the best mean; of equals the first."""
    return max(cards, key=lambda card: card.mean()).variant


def choose_shots(train: Sequence[Example], count: int, seed: int) -> list[Conversation]:
    """Up to `count` training rows to show, best first; the same for the same rows, count and seed."""
    short = _short(train, seed)
    pool = list(zip(short, _traits(short), strict=True))
    common = Counter(trait for _, traits in pool for trait in traits)
    shown: set[Trait] = set()
    shots: list[Conversation] = []
    while pool and len(shots) < count:
        news = [sum(common[trait] for trait in traits - shown) for _, traits in pool]
        if not any(news) and shown:
            shown = set()  # all is shown once: begin a second round
            continue
        example, traits = pool.pop(news.index(max(news)))
        shown |= traits
        shots.append(example.messages)
    return shots


def _short(train: Sequence[Example], seed: int) -> list[Example]:
    """A seeded draw of the rows, without its longest tenth: those that can be shown."""
    drawn = Random(seed).sample(train, min(POOL, len(train)))
    longest = sorted(map(_length, drawn))[-1 - len(drawn) // LONG] if drawn else 0
    return [example for example in drawn if _length(example) <= longest]


def _length(example: Example) -> int:
    return sum(message.chars for message in example.messages)


def _traits(examples: Sequence[Example]) -> list[set[Trait]]:
    """Each row's traits, without those of one row alone."""
    own = [set(_answer_traits(example.expected)) for example in examples]
    fields = {trait for traits in own for trait in traits if trait[0] == "has"}
    full = [
        traits | {("lacks", *trait[1:]) for trait in fields - traits} if ("json",) in traits else traits
        for traits in own
    ]
    rows = Counter(trait for traits in full for trait in traits)
    return [{trait for trait in traits if rows[trait] > 1} for traits in full]


def _answer_traits(answer: str) -> Iterator[Trait]:
    try:
        value = parse(answer)
    except ValueError:
        value = None
    if not isinstance(value, (dict, list)):
        yield ("text", answer.strip())
        return
    yield ("json",)
    for path, leaf in leaves(value):
        steps = tuple(step if isinstance(step, str) else "[]" for step in path)
        for end in range(1, len(steps) + 1):
            yield ("has", *steps[:end])
        yield ("is", *steps, repr(leaf))
