"""A desk for columns: teachers that answer by a rule, and the real graders."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from pydantic import TypeAdapter

from tunewright.core.errors import UserError
from tunewright.core.example import Example
from tunewright.core.files import read_jsonl
from tunewright.core.generation import Decoding, Generator, OnReply, Reply
from tunewright.core.grading import Grader
from tunewright.core.message import Conversation
from tunewright.core.task import TaskSpec
from tunewright.data.ops.generate import Generate
from tunewright.data.recipe import DROPPED, OpResult, apply_recipe, graph
from tunewright.grade.build import build_grader
from tunewright.grade.spec import GraderSpec

Rule = Callable[[str, Decoding], str | Reply]
"""What is answered to the last message's text."""


class RuleTeacher:
    """A generator that answers by a rule, and keeps what it was asked."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self.asked: list[Conversation] = []
        self.calls: list[int] = []
        """Conversations of each call."""

    def generate(
        self, conversations: Sequence[Conversation], decoding: Decoding, on_reply: OnReply | None = None
    ) -> list[Reply]:
        self.asked += conversations
        self.calls.append(len(conversations))
        said = [self._rule(conversation[-1].content, decoding) for conversation in conversations]
        replies = [one if isinstance(one, Reply) else Reply(one, 5, 5, 0.0, "stop") for one in said]
        for index, reply in enumerate(replies):
            if on_reply:
                on_reply(index, reply)
        return replies


class WritingDesk:
    """Means with teachers by name; the graders are those of suites."""

    root = Path()

    def __init__(self, **rules: Rule) -> None:
        self.teachers = {name: RuleTeacher(rule) for name, rule in rules.items()}

    def generator(self, name: str) -> Generator:
        if name not in self.teachers:
            raise UserError(f"there is no teacher {name!r}")
        return self.teachers[name]

    def decoding(self, name: str) -> Decoding:
        return Decoding(temperature=0.7, max_new_tokens=100)

    def grader(self, settings: Mapping[str, Any]) -> Grader:
        return build_grader(TypeAdapter[Any](GraderSpec).validate_python(dict(settings)), TaskSpec())

    def lengths(self, rows: Sequence[Example]) -> list[int]:
        raise UserError("there is no base")


class Wrote(NamedTuple):
    rows: list[Example]
    """All that go on."""
    new: list[Example]
    account: OpResult
    dropped: list[tuple[str, str]]
    desk: WritingDesk

    def values(self, name: str) -> list[Any]:
        return [row.fields[name] for row in self.new]


def wrote(spec: Generate | dict[str, Any], given: Sequence[Example] = (), **rules: Rule) -> Wrote:
    """What `generate` makes of rows, through a recipe; `base` answers by the rule of that name."""
    op = spec if isinstance(spec, Generate) else Generate.model_validate(spec)
    desk = WritingDesk(**rules)
    with TemporaryDirectory() as folder:
        found = apply_recipe(graph([op], {"rows": given}), {"rows": given}, Path(folder), means=desk)
        (step,) = found.steps
        rows = list(found.examples)
        dropped = [(row["place"], row["reason"]) for row in read_jsonl(found.folder / DROPPED)]
    assert step.rows_in + step.added == step.rows_out + step.dropped
    return Wrote(rows, rows[len(rows) - step.added :], step, dropped, desk)


def sampled(columns: dict[str, Any], rows: int = 200, **more: Any) -> Wrote:
    """Rows of columns that no teacher fills."""
    return wrote({"rows": rows, "columns": columns, "input": "q", "expected": "a", **more})
