"""field_accuracy: the share of JSON fields that are right, with a score for each field.

Both values are flattened to leaf paths (`customer.name`, `items[0].sku`). The score is right paths over all paths that
either side has: a field that is missing, extra or different is wrong, an optional one that neither side has is no fault.
"""

from collections.abc import Iterator
from typing import Any

from tunewright.core.example import Example
from tunewright.core.grading import Grader, Score
from tunewright.core.strict_json import equal, parse
from tunewright.grade.detail import clip, show
from tunewright.grade.spec import FieldAccuracy

Path = tuple[str | int, ...]
_ABSENT = object()


class FieldAccuracyGrader:
    """Right leaf fields over all leaf fields of expected answer and reply together."""

    name = "field_accuracy"

    def __init__(self, ignore_case: bool) -> None:
        self._ignore_case = ignore_case

    def grade(self, example: Example, reply: str) -> Score:
        """The share of right fields; parts maps each field's path to 0 or 1."""
        try:
            expected = dict(leaves(parse(example.expected)))
        except ValueError as error:
            return Score(0.0, f"the expected answer is not JSON: {error}")
        try:
            given = dict(leaves(parse(reply)))
        except ValueError as error:
            return Score(0.0, f"not JSON: {error}", {path_text(path): 0.0 for path in expected})
        return self._compare(expected, given)

    def _compare(self, expected: dict[Path, Any], given: dict[Path, Any]) -> Score:
        paths = [*expected, *(path for path in given if path not in expected)]
        right = {path: self._same(expected.get(path, _ABSENT), given.get(path, _ABSENT)) for path in paths}
        wrong = [path for path in paths if not right[path]]
        parts = {path_text(path): float(right[path]) for path in paths}
        if not wrong:
            return Score(1.0, None, parts)
        first = _difference(wrong[0], expected, given)
        more = f", and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        return Score(1 - len(wrong) / len(paths), first + more, parts)

    def _same(self, expected: object, given: object) -> bool:
        if self._ignore_case and isinstance(expected, str) and isinstance(given, str):
            return expected.casefold() == given.casefold()
        return equal(expected, given)


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The leaf fields of a JSON value, in order: (path, scalar or empty container)."""
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, (*path, key))
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from leaves(inner, (*path, index))
    else:
        yield path, value


def path_text(path: Path) -> str:
    """A path as tables show it: `a.b[0]`, `a["odd key"]`; `$` for the value itself."""
    text = "".join(_step(step) for step in path).removeprefix(".")
    return text or "$"


def _step(step: str | int) -> str:
    if isinstance(step, int):
        return f"[{step}]"
    if step.isidentifier():
        return f".{step}"
    return f"[{clip(show(step), 80)}]"


def _difference(path: Path, expected: dict[Path, Any], given: dict[Path, Any]) -> str:
    name = clip(path_text(path), 80)
    if path not in given:
        return f"{name} is missing"
    if path not in expected:
        return f"{name} is extra"
    return f"{name} is {show(given[path])}, expected {show(expected[path])}"


def build(spec: FieldAccuracy, task_schema: object) -> Grader:
    """The grader; it compares with the expected answer and needs no schema."""
    return FieldAccuracyGrader(spec.ignore_case)
