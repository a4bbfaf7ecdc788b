"""The run: do what is stale, go on with what was cut off, publish each artifact whole."""

import importlib
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tunewright.core.errors import GateError, Problem, TunewrightError, UserError
from tunewright.core.events import Event, EventLog
from tunewright.core.files import write_atomic
from tunewright.data.sources.sql import asked_once
from tunewright.project.file import ProjectFile
from tunewright.project.plan import Outside, derive
from tunewright.project.steps import Step, StepContext, up_to
from tunewright.store.artifact import Artifact, Derivation
from tunewright.store.store import Store

if TYPE_CHECKING:
    from tunewright.project.reproduce import Checkout

LIBRARIES = (
    *("tunewright", "torch", "transformers", "peft", "tokenizers", "safetensors", "numpy"),
    *("llguidance", "jsonschema", "regex", "semchunk"),  # they decide held answers, scores and pieces
)
"""Whose versions a manifest records."""


class StepOutcome(NamedTuple):
    """A step done: its artifact, and whether it had to be made."""

    step: str
    artifact: Artifact
    made: bool


@asked_once()  # a query's rows are read as they were hashed
def run(
    file: ProjectFile,
    root: Path,
    store: Store,
    *,
    upto: str | None = None,
    listen: Callable[[Event], None] | None = None,
    asks: bool = True,
) -> list[StepOutcome]:
    """Bring every step (or those that lead to `upto`) up to date; returns them in order. The caller holds the store's lock.

    Without `asks`, an operation that would have to ask a teacher that costs or is elsewhere is an error.
    Raises TunewrightError from the step that failed; what was finished before it stands.
    """
    outside = Outside(file, root)
    made: dict[str, Artifact] = {}
    outcomes: list[StepOutcome] = []
    steps = up_to(upto)
    for number, step in enumerate(steps, 1):
        derivation = derive(step, file, outside, made)
        artifact = store.find(derivation)
        fresh = artifact is not None
        if artifact is None:
            place = {"step": step.name, "title": step.title, "number": number, "of": len(steps)}
            artifact = _make(step, derivation, file, root, store, made, place, listen, asks)
            _give_back_memory()
        else:
            store.settle(artifact.id)
            if listen:
                listen(Event("step.fresh", time.time(), {"step": step.name, "artifact": artifact.id}))
        made[step.name] = artifact
        outcomes.append(StepOutcome(step.name, artifact, not fresh))
    store.sweep()
    return outcomes


def _make(
    step: Step,
    derivation: Derivation,
    file: ProjectFile,
    root: Path,
    store: Store,
    made: dict[str, Artifact],
    place: dict[str, object],
    listen: Callable[[Event], None] | None,
    asks: bool,
) -> Artifact:
    """Run one step and publish what it built."""
    work = store.work(derivation)
    out = work / "out"
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir()
    number = store.catalogue.start_run(step.name, derivation.id)
    log = EventLog(store.run_log(number), *([listen] if listen else []))
    inputs = {name: made[name] for name in step.needs}
    context = StepContext(file, root, store, inputs, work, out, pinned_threads(work), log, asks)
    log("step.start", artifact=derivation.id, **place)
    code = _code(step)  # as it is loaded: a clone may be at another commit when the step is done
    started = time.monotonic()
    try:
        for artifact in inputs.values():
            artifact.verify()
        _carry_out(step, context)
        _refuse_changed(step, derivation, file, root)
        artifact = store.publish(derivation, out, code)
    except BaseException as error:
        status = "failed" if isinstance(error, Exception) else "interrupted"
        said = str(error) if isinstance(error, TunewrightError) else f"{type(error).__name__}: {error}"
        store.catalogue.end_run(number, status, said[:2000])
        log("step.failed", step=step.name, status=status, error=said[:2000])
        raise
    else:
        store.catalogue.end_run(number, "done")
        log("step.done", step=step.name, artifact=artifact.id, seconds=round(time.monotonic() - started, 3))
        return artifact
    finally:
        log.close()


def _carry_out(step: Step, context: StepContext) -> None:
    """Let the step do its work. What a gate refuses is named by file and row, not by example."""
    try:
        _function(step)(context)
    except GateError as error:
        raise GateError(_placed(error.problems, context.inputs)) from None


def _placed(problems: list[Problem], inputs: Mapping[str, Artifact]) -> list[Problem]:
    """The problems with their examples' places, where the step reads the split."""
    if "split" not in inputs or not any(problem.examples for problem in problems):
        return problems
    from tunewright.data.freeze import places

    known = places(inputs["split"].path)
    return [
        replace(problem, where=", ".join(known.get(name, f"example {name}") for name in problem.examples))
        if problem.examples
        else problem
        for problem in problems
    ]


def _refuse_changed(step: Step, derivation: Derivation, file: ProjectFile, root: Path) -> None:
    """What was read from outside must still be what the artifact's name says it was made from."""
    now = Outside(file, root)
    changed = {
        name
        for kind in step.reads(file)
        for name, digest in now.hashes(kind).items()
        if derivation.external.get(name) != digest
    }
    if changed:
        raise UserError(f"{sorted(changed)[0]} changed while {step.name} was at work", fix="Run again.")


def _function(step: Step) -> Callable[[StepContext], None]:
    module, _, name = step.run.partition(":")
    function: Callable[[StepContext], None] = getattr(importlib.import_module(module), name)
    return function


def pinned_threads(work: Path) -> int:
    """The step's compute threads: as many as cores are free when it first starts, and the same when it goes on.

    Sums in another order round otherwise, so a step that goes on with other threads would give other bytes.
    """
    note = work / "threads"
    if note.is_file():
        return int(note.read_text())
    threads = _free_cores()
    write_atomic(note, str(threads))
    return threads


@cache
def _free_cores() -> int:
    """Looked at once a run, before we are the ones who keep the cores busy."""
    from tunewright.models.machine import free_cores

    return free_cores()


def _give_back_memory() -> None:
    from tunewright.models.machine import give_back_memory

    give_back_memory()


def library_versions() -> dict[str, str]:
    """The versions of the code that makes artifacts."""
    return {name: metadata.version(name) for name in LIBRARIES}


def _code(step: Step) -> dict[str, str]:
    """What a step is made with; of training, from which the report tells how to get it again, the clone's commit too."""
    from tunewright.project.reproduce import COMMIT

    found = _checkout() if step.name == "train" else None
    return library_versions() | ({COMMIT: found.words()} if found else {})


@cache
def _checkout() -> "Checkout | None":
    from tunewright.project.reproduce import checkout

    return checkout()
