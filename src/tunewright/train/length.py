"""Rows longer than train.max_length: what becomes of them is the project's word (train.over_long), and it is counted.

A document is none of them: it is trained in pieces that fit.
"""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from tunewright.core.errors import ModelError, Problem
from tunewright.core.example import Example
from tunewright.core.message import Conversation, tools_of, with_system, with_tools
from tunewright.models.template import Renderer
from tunewright.train.methods import Rendering
from tunewright.train.pack import Tree, compact
from tunewright.train.shelf import Shelf
from tunewright.train.spec import TrainSpec

_TOGETHER = 32
"""Examples that are rendered together (Renderer.trainings)."""


class Fitted(NamedTuple):
    """Examples rendered as they are trained, and the ids of those that were too long. It keeps none but the cut ones."""

    kept: Sequence[int]
    """The places, among those given, of the examples that are trained."""
    shorter: dict[int, Example]
    """Those of them that were cut, by place; without the task's system prompt."""
    shelf: Shelf
    """The trees of all, rendered with the task's system prompt."""
    pieces: Sequence[int]
    """How many trees each example has: 1, more for a long document, 0 where the template refuses it."""
    refusal: ModelError | None
    """What the template says of the first example that it refuses."""
    cut: tuple[str, ...]
    """Shortened: their oldest turns are gone."""
    dropped: tuple[str, ...]
    """Left out."""

    def trained(self, examples: Sequence[Example]) -> Iterator[Example]:
        """Of the examples given: those that are trained, as they are trained, without the task's system prompt."""
        return (self.shorter.get(place) or examples[place] for place in self.kept)

    def rendered(self) -> Shelf:
        """The trees of all examples. Raises ModelError where the template refuses one."""
        if self.refusal:
            raise self.refusal
        return self.shelf

    def by_example(self) -> Iterator[list[Tree]]:
        """The trees of each example."""
        trees = iter(self.shelf)
        return (list(islice(trees, count)) for count in self.pieces)


def fit(
    examples: Iterable[Example],
    method: Rendering,
    renderer: Renderer,
    system: str,
    spec: TrainSpec,
    scratch: Path | None = None,
) -> Fitted:
    """The examples by `spec.over_long`: as they are (`fail`: the gate refuses long ones), left out, or cut.

    An example is long when any of its rows is, with the task's system prompt. Cutting takes whole turns from the
    beginning, never instructions, the last question, an answer's part or the only trained answers; what is long even so
    stays for the gate to refuse. A document becomes as many trees as it takes, whatever `spec.over_long` says.

    What was rendered lies in a file below `scratch`, or where the system keeps temporary ones.
    """
    kept, counts, shelf = array("q"), array("i"), Shelf(folder=scratch)
    shorter = dict[int, Example]()
    dropped = list[str]()
    refusal: ModelError | None = None
    for place, (example, found) in enumerate(_rendered(examples, method, renderer, system)):
        tree = found if isinstance(found, Tree) else None
        if isinstance(found, ModelError):
            refusal = refusal or found
        if tree and example.is_document:
            kept.append(place)
            counts.append(shelf.extend(pieces(tree, spec.max_length)))
            continue
        if tree and not _fits(tree, spec.max_length):
            if spec.over_long == "drop":
                dropped.append(example.id)
                continue
            if spec.over_long == "cut" and (
                shortened := _cut(example, method, renderer, system, spec.max_length)
            ):
                shorter[place], tree = shortened
        kept.append(place)
        counts.append(shelf.extend([tree] if tree else []))
    cut = tuple(example.id for example in shorter.values())
    return Fitted(kept, shorter, shelf, counts, refusal, cut, tuple(dropped))


def pieces(tree: Tree, longest: int) -> list[Tree]:
    """A document's tree as trees of at most `longest` tokens.

    A piece begins with the last token of the one before it, which it does not train: so every token but the document's
    first is trained once.
    """
    ((name, ids, mask, *_),) = tree.rows
    starts = range(0, max(1, len(ids) - 1), longest - 1)
    ends = ((start, start + longest) for start in starts)
    return [Tree((compact(name, ids[start:end], [0, *mask[start + 1 : end]]),)) for start, end in ends]


def emptied(part: str, fitted: Fitted, longest: int) -> list[Problem]:
    """The problem of a part of the split that had examples, all of them too long."""
    if fitted.kept or not fitted.dropped:
        return []
    return [
        Problem(
            f"all {len(fitted.dropped)} {part} rows are longer than train.max_length ({longest} tokens), and dropping them"
            " leaves none",
            where="train.over_long",
            fix="Raise train.max_length, or set train.over_long to cut.",
        )
    ]


def _rendered(
    examples: Iterable[Example], method: Rendering, renderer: Renderer, system: str
) -> Iterator[tuple[Example, Tree | ModelError]]:
    """Each example with its tree, or with what the template says where it refuses it."""
    left = iter(examples)
    while some := list(islice(left, _TOGETHER)):
        trees: Sequence[Tree | ModelError]
        try:
            trees = _trees(some, method, renderer, system)
        except ModelError:  # which one, and what is said of it
            trees = [_tried(example, method, renderer, system) for example in some]
        yield from zip(some, trees, strict=True)


def _tried(example: Example, method: Rendering, renderer: Renderer, system: str) -> Tree | ModelError:
    try:
        (tree,) = _trees([example], method, renderer, system)
    except ModelError as error:
        return error
    return tree


def _trees(examples: Sequence[Example], method: Rendering, renderer: Renderer, system: str) -> list[Tree]:
    """The examples rendered with the task's system prompt. Raises ModelError where the template refuses one."""
    told = [
        example if messages is example.messages else example.model_copy(update={"messages": messages})
        for example in examples
        for messages in [with_system(example.messages, system)]
    ]
    return method.trees(told, renderer)


def _fits(tree: Tree, longest: int) -> bool:
    return all(len(row.ids) <= longest for row in tree.rows)


def _cut(
    example: Example, method: Rendering, renderer: Renderer, system: str, longest: int
) -> tuple[Example, Tree] | None:
    """The example without as many of its oldest turns as it takes; none where that is not enough or trains nothing."""
    while (messages := _without_oldest_turn(example.messages)) is not None:
        example = example.model_copy(update={"messages": messages})
        tree = _tried(example, method, renderer, system)
        if isinstance(tree, ModelError):  # fewer turns may do
            continue
        if _fits(tree, longest):
            return (example, tree) if all(row.trained for row in tree.rows) else None
    return None


def _without_oldest_turn(messages: Conversation) -> Conversation | None:
    """The conversation from its second question on, after its instructions; none where there is no second."""
    asked = [place for place, message in enumerate(messages) if message.role == "user"]
    if len(asked) < 2:
        return None
    head = 0
    while messages[head].instructs:
        head += 1
    return with_tools((*messages[:head], *messages[asked[1] :]), tools_of(messages))
