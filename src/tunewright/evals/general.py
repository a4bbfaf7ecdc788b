"""The built-in general suite: held-out draws of every skill the embedded base was taught.

What a fine-tune scores lower here than its base, it has forgotten. Each draw says how its answer is graded.
"""

from functools import cache
from typing import TYPE_CHECKING

from tunewright.core.example import Example, make_example
from tunewright.core.grading import Grader, Score
from tunewright.core.hashing import hash_value
from tunewright.core.message import Message
from tunewright.core.strict_json import equal, parse
from tunewright.core.task import TaskSpec
from tunewright.evals.spec import SuiteSpec
from tunewright.evals.suite import Suite
from tunewright.grade.build import build_grader
from tunewright.grade.detail import show
from tunewright.grade.spec import Contains, ExactMatch, GraderSpec, Number

if TYPE_CHECKING:
    from tunewright.models.embedded.curriculum import Draw

PER_SKILL = 16
"""Draws of each skill."""
SEED = 0
"""Seeds the draws: the suite is the same in every project."""
_WAYS: dict[str, GraderSpec] = {
    "exact": ExactMatch(),
    "contains": Contains(ignore_case=False),
    "number": Number(),
}
"""How a draw may ask to be graded, besides `json`."""


def general(name: str, spec: SuiteSpec) -> Suite:
    """The general suite, sliced by skill besides the slices asked for; `spec.limit` takes evenly from the skills."""
    slices = tuple(dict.fromkeys(("skill", *spec.slices)))
    graders = (Correct(),)
    return Suite(name, tuple(general_examples()[: spec.limit]), lambda example: graders, ("correct",), slices)


def general_examples() -> list[Example]:
    """The draws as examples, one of each skill in turn; `skill` and `grade` stand in their fields."""
    return list(_drawn(PER_SKILL, SEED))


@cache
def _drawn(per_skill: int, seed: int) -> tuple[Example, ...]:
    from tunewright.models.embedded.suite import general_suite

    draws = general_suite(n_per_skill=per_skill, seed=seed)
    turns: dict[str, int] = {}
    placed: dict[str, tuple[int, Example]] = {}
    for draw in draws:
        example = _example(draw)
        turn = turns[draw.skill] = turns.get(draw.skill, -1) + 1
        placed.setdefault(example.id, (turn, example))
    return tuple(example for _, example in sorted(placed.values(), key=lambda each: each[0]))


def practice(name: str, count: int) -> Suite:
    """Other draws of the same skills, for rehearsal: none of the general suite's prompts, names or values is among them."""
    from tunewright.models.embedded.suite import practice as practice_draws

    examples = {example.id: example for example in map(_example, practice_draws(count, SEED))}
    graders = (Correct(),)
    return Suite(name, tuple(examples.values()), lambda example: graders, ("correct",), ("skill",))


def _example(draw: "Draw") -> Example:
    messages = tuple(Message(role=role, content=text) for role, text in draw.messages)
    return make_example(messages, fields={"skill": draw.skill, "grade": draw.grade})


@cache
def general_hash() -> str:
    """The content hash of the suite: its examples and how each is graded. Worked out once in a process."""
    return hash_value([general_examples(), _WAYS, JsonEqual.name])


class JsonEqual:
    """1 when reply and expected answer are the same JSON value."""

    name = "json_equal"

    def grade(self, example: Example, reply: str) -> Score:
        """The score of the reply's value; the order of keys and blanks play no part."""
        try:
            same = equal(parse(reply), parse(example.expected))
        except ValueError as error:
            return Score(0.0, f"not JSON: {error}")
        return Score(1.0) if same else Score(0.0, f"expected {show(example.expected)}")


class Correct:
    """Grades a draw as the draw says: by its `grade` field, exact where there is none."""

    name = "correct"

    def __init__(self) -> None:
        self._ways: dict[object, Grader] = {
            way: build_grader(spec, TaskSpec()) for way, spec in _WAYS.items()
        }
        self._ways["json"] = JsonEqual()

    def grade(self, example: Example, reply: str) -> Score:
        """The score of the reply by the draw's own grader."""
        return self._ways[example.fields.get("grade", "exact")].grade(example, reply)
