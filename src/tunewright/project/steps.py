"""THE TABLE: every step of the main job, in order. The CLI, the plan and the pages are drawn from it.

`tunewright run --help` shows it, so that nothing costly is imported here.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tunewright.core.errors import UserError
from tunewright.core.events import Emit
from tunewright.train.version import VERSION as TRAINING

if TYPE_CHECKING:
    from tunewright.project.file import ProjectFile
    from tunewright.store.artifact import Artifact
    from tunewright.store.store import Store


class StepContext(NamedTuple):
    """What a step is given: the settings, its inputs, and where to write."""

    file: "ProjectFile"
    root: Path
    """The project's folder."""
    store: "Store"
    inputs: "dict[str, Artifact]"
    """The artifacts of the steps it needs, by step."""
    work: Path
    """Scratch that outlives a cut-off run."""
    out: Path
    """The artifact being built; empty at the start."""
    threads: int
    """Compute threads, the same when a cut-off step goes on."""
    emit: Emit
    asks: bool = True
    """Whether teachers are asked that cost or are elsewhere; without it, what they were not asked yet is an error."""


class Step(NamedTuple):
    """One row of the table."""

    name: str
    title: str
    """What it does, in a few words, for progress and help."""
    needs: tuple[str, ...]
    """The steps whose artifacts it reads."""
    settings: "Callable[[ProjectFile], dict[str, Any]]"
    """The part of the project file that decides its result."""
    run: str
    """module:function, imported when the step runs."""
    version: str = "1"
    """Raised when the same inputs and settings give another result."""
    external: "tuple[str, ...] | Callable[[ProjectFile], tuple[str, ...]]" = ()
    """What it reads from outside the store: `sources`, `base`, `suites` (or of these the `suite files`), `recipe files`,
    `teachers`, `embeddings`."""

    def reads(self, file: "ProjectFile") -> tuple[str, ...]:
        """What it reads from outside the store, with this project file."""
        return self.external(file) if callable(self.external) else self.external


def _task(file: "ProjectFile") -> dict[str, Any]:
    """The task; of a schema also the order of its properties, which no hash of values sees and answers are written in."""
    from tunewright.core.task import JsonOutput

    output = file.task.output
    order = {"schema": json.dumps(output.schema_)} if isinstance(output, JsonOutput) else {}
    return {"task": file.task, **order}


def _asking(file: "ProjectFile") -> dict[str, Any]:
    """What decides how a variant answers and is scored."""
    return {**_task(file), "suites": file.suites, "decoding": file.decoding}


def _asked(file: "ProjectFile") -> dict[str, Any]:
    """What decides the prompts of the project's own suites, and the room for their answers."""
    from tunewright.project.file import GENERAL

    suites = {
        name: spec.model_dump(include={"examples", "form", "thinking", "limit"})
        for name, spec in file.suites.items()
        if spec.examples != GENERAL
    }
    return {**_task(file), "asked": suites, "max_new_tokens": file.decoding.max_new_tokens}


def _held_to(file: "ProjectFile") -> dict[str, Any]:
    """The schema that answers are held to, where they are."""
    schema = file.answering.json_schema
    return {} if schema is None else {"held_to": json.dumps(schema)}


def _new_words(file: "ProjectFile") -> dict[str, Any]:
    """The words that get tokens of their own, where there are any."""
    words = file.train.adapter.new_words
    return {"new_words": words} if words else {}


def _judging(file: "ProjectFile") -> dict[str, Any]:
    """What decides the scores of dev answers, where training asks for some."""
    from tunewright.project.file import TARGET

    if not file.train.dev_answers:
        return {}
    return {**_task(file), "target": file.suites[TARGET], "decoding": file.decoding}


def _order(file: "ProjectFile") -> dict[str, Any]:
    """The order of several sources, which no hash of a mapping sees: their rows stand in it."""
    return {"order": list(file.sources)} if len(file.sources) > 1 else {}


def _recipe(file: "ProjectFile") -> dict[str, Any]:
    """The recipe, and its operations' versions."""
    from tunewright.data.recipe import uses, versions

    found = versions(file.recipe)
    task = of_task(file, uses(file.recipe))
    return {"recipe": list(file.recipe), **({"versions": found} if found else {}), **task}


def of_task(file: "ProjectFile", used: tuple[str, ...]) -> dict[str, Any]:
    """What of the task decides what operations make that use the base, or graders."""
    from tunewright.core.task import JsonOutput

    output = file.task.output
    graded = {"schema": json.dumps(output.schema_)} if isinstance(output, JsonOutput) else {}
    return {
        **({"system": file.task.system} if "base" in used else {}),
        **(graded if "graders" in used else {}),
    }


def _recipe_reads(file: "ProjectFile") -> tuple[str, ...]:
    """What the recipe's operations read besides rows."""
    from tunewright.data.recipe import uses

    kinds = {"files": "recipe files", "base": "base", "teacher": "teachers"}
    kinds |= {"embedding": "embeddings", "names": "embeddings"}
    return tuple(kinds[name] for name in uses(file.recipe) if name in kinds)


_GUARDS = {"synthetic_share", "synthetic_dev", "max_depth"}
"""What of `data` decides where written rows may stand."""

STEPS: tuple[Step, ...] = (
    Step(
        "ingest",
        "read the sources into examples",
        needs=(),
        settings=lambda file: {
            **_task(file),
            "sources": file.sources,
            **_order(file),
            "data": {"reject_budget": file.data.reject_budget},
        },
        run="tunewright.project.stages.data:ingest",
        version="10",
        external=("sources",),
    ),
    Step(
        "prepare",
        "work the recipe",
        needs=("ingest",),
        settings=_recipe,
        run="tunewright.project.stages.data:prepare",
        external=_recipe_reads,
    ),
    Step(
        "split",
        "audit the data and split it",
        needs=("prepare",),
        settings=lambda file: {"split": file.split, "written": file.data.model_dump(include=_GUARDS)},
        run="tunewright.project.stages.data:split",
        version="8",
    ),
    Step(
        "gate",
        "check rendering and loss masks",
        needs=("split",),
        settings=lambda file: {
            **_asked(file),
            "max_length": file.train.max_length,
            "over_long": file.train.over_long,
            "method": file.train.method,
            **_held_to(file),
            **_new_words(file),
        },
        run="tunewright.project.stages.training:gate",
        version="5",
        external=("base", "suite files"),
    ),
    Step(
        "baselines",
        "measure the rivals",
        needs=("split", "gate"),
        settings=lambda file: {**_asking(file), "baselines": file.baselines},
        run="tunewright.project.stages.measuring:baselines",
        version="3",
        external=("base", "suites"),
    ),
    Step(
        "rehearse",
        "let the base answer general prompts",
        needs=("split", "gate"),
        settings=lambda file: {"rehearsal": file.train.rehearsal},
        run="tunewright.project.stages.training:rehearse",
        version="2",
        external=("base",),
    ),
    Step(
        "train",
        "fine-tune",
        needs=("split", "gate", "rehearse"),
        settings=lambda file: {"system": file.task.system, "train": file.train.deciding, **_judging(file)},
        run="tunewright.project.stages.training:train",
        version=TRAINING,
        external=("base",),
    ),
    Step(
        "evaluate",
        "measure the fine-tune",
        needs=("split", "train"),
        settings=_asking,
        run="tunewright.project.stages.measuring:evaluate",
        version="2",
        external=("base", "suites"),
    ),
    Step(
        "decide",
        "compare and decide",
        needs=("split", "baselines", "evaluate"),
        settings=lambda file: {"gates": file.gates, "prices": file.prices, "group_by": file.split.group_by},
        run="tunewright.project.stages.deciding:decide",
        external=("suites",),
    ),
    Step(
        "release",
        "freeze the release",
        needs=("train", "baselines", "evaluate", "decide"),
        settings=lambda file: {
            "name": file.name,
            "base": file.base,
            **_task(file),
            "decoding": file.decoding,
        },
        run="tunewright.project.stages.deciding:release",
        external=("base",),
    ),
    Step(
        "report",
        "write the report",
        needs=(
            "ingest",
            "prepare",
            "split",
            "gate",
            "baselines",
            "rehearse",
            "train",
            "evaluate",
            "decide",
            "release",
        ),
        settings=lambda file: {"file": file, "laid_over": file.laid_over},
        run="tunewright.project.stages.reporting:report",
        version="8",
        external=("suites",),
    ),
)

BY_NAME: dict[str, Step] = {step.name: step for step in STEPS}


def up_to(name: str | None) -> tuple[Step, ...]:
    """The steps that lead to one (itself last), in the table's order; all of them for None.

    Raises UserError, with the steps there are, for another name.
    """
    if name is None:
        return STEPS
    if name not in BY_NAME:
        raise UserError(f"there is no step {name!r}; the steps are {', '.join(BY_NAME)}", fix=_meant(name))
    wanted = {name}
    for step in reversed(STEPS):
        if step.name in wanted:
            wanted.update(step.needs)
    return tuple(step for step in STEPS if step.name in wanted)


def _meant(name: str) -> str | None:
    import difflib

    close = difflib.get_close_matches(name, BY_NAME, n=1)
    return f"Did you mean {close[0]}?" if close else None
