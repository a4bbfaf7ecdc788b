"""What follows from a suite's graders before any is built: their names, and which ones a suite has that names none."""

from collections import Counter
from collections.abc import Iterable

from tunewright.core.task import JsonOutput, TaskSpec
from tunewright.grade.spec import ExactMatch, FieldAccuracy, GraderSpec, JsonSchema


def grader_names(specs: Iterable[GraderSpec]) -> tuple[str, ...]:
    """The graders' names, in order: the type, and for the second of a type `type_2`, and so on."""
    return names_of(spec.type for spec in specs)


def names_of(types: Iterable[str]) -> tuple[str, ...]:
    """The names of graders of these types, in order."""
    seen: Counter[str] = Counter()
    names: list[str] = []
    for kind in types:
        seen[kind] += 1
        names.append(kind if seen[kind] == 1 else f"{kind}_{seen[kind]}")
    return tuple(names)


def default_graders(task: TaskSpec) -> tuple[GraderSpec, ...]:
    """The graders of a suite that names none: field_accuracy and json_schema for JSON tasks, exact_match for others."""
    return (FieldAccuracy(), JsonSchema()) if isinstance(task.output, JsonOutput) else (ExactMatch(),)
