"""How far a row can be followed: the operations whose artifacts stand, and why it is no further.

    reached = reach_split(project)
    reached.nodes        each operation that was worked, with its folder
    reached.stopped      the error that the next one ended with; None where all is there

Where the sources could not be used, the rows that were set aside are there all the same.

What is fresh is read without the project's lock, so that one may ask while a run is at work.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tunewright.core.errors import UserError
from tunewright.core.events import Event, silent
from tunewright.core.files import read_json
from tunewright.data.ingest import EXAMPLES, REJECTS, SUMMARY, IngestError
from tunewright.data.recipe import OpResult, graph
from tunewright.data.sources.sql import asked_once
from tunewright.project.plan import Outside, derive
from tunewright.project.stages.data import RECIPE, account_of, reach
from tunewright.project.steps import BY_NAME, StepContext, up_to
from tunewright.store.artifact import Artifact
from tunewright.store.store import Store

if TYPE_CHECKING:
    from tunewright.project.project import Project


class Worked(NamedTuple):
    """An operation that was worked."""

    account: OpResult
    folder: Path


class Reached(NamedTuple):
    """What there is of a project's rows."""

    read: Path
    """The folder with the rows that were read, and those that were set aside."""
    nodes: tuple[Worked, ...]
    """In order."""
    split: Artifact | None
    stopped: UserError | None = None
    """Why there is no more than this."""

    @property
    def examples(self) -> Path | None:
        """The rows that were read; None where they were not kept, since the sources could not be used."""
        path = self.read / EXAMPLES
        return path if path.exists() else None

    @property
    def rejects(self) -> Path:
        """The rows that were set aside."""
        return self.read / REJECTS

    @property
    def last(self) -> str:
        """What was reached, in words."""
        return self.nodes[-1].account.id if self.nodes else "the rows as they were read"


@asked_once()  # what is found stale is made of the rows that were found
def reach_split(project: "Project") -> Reached:
    """The rows of a project up to its split; what is stale is done first. Where that stops, what stands before it.

    Raises UserError where no row was read, not even one that was set aside, IntegrityError where an artifact is not what it
    was.
    """
    made = _fresh(project)
    if "split" in made:
        return _whole(project.store, made)
    done = list[str]()

    def listen(event: Event) -> None:
        if event.kind == "prepare.op":
            done.append(event.data["id"])

    try:
        outcomes = project.run("split", listen, ask=False).outcomes
    except UserError as error:
        made = _fresh(project)
        if "ingest" not in made:
            aside = _set_aside(project) if isinstance(error, IngestError) else None
            if aside is None:
                raise
            return Reached(aside, (), None, error)
        read = made["ingest"].path
        if "prepare" in made:
            return Reached(read, _recipe(project.store, made["prepare"]), None, error)
        return Reached(read, _first(project, made["ingest"], done), None, error)
    return _whole(project.store, {outcome.step: outcome.artifact for outcome in outcomes})


def _whole(store: Store, made: Mapping[str, Artifact]) -> Reached:
    return Reached(made["ingest"].path, _recipe(store, made["prepare"]), made["split"])


def _set_aside(project: "Project") -> Path | None:
    """Where the reading that could not be finished left its rejects."""
    derivation = derive(BY_NAME["ingest"], project.file, Outside(project.file, project.root), {})
    folder = project.store.work(derivation) / "out"
    return folder if (folder / REJECTS).exists() else None


def _fresh(project: "Project") -> dict[str, Artifact]:
    """The steps up to the split whose artifacts stand."""
    outside, made = Outside(project.file, project.root), dict[str, Artifact]()
    for step in up_to("split"):
        try:
            artifact = project.store.find(derive(step, project.file, outside, made))
        except UserError:  # a file that it reads is not there: the run says so
            artifact = None
        if artifact is None:
            break
        made[step.name] = artifact
    return made


def _recipe(store: Store, prepared: Artifact) -> tuple[Worked, ...]:
    nodes = []
    for row in read_json(prepared.file(RECIPE)):
        artifact = store.get(row["artifact"])
        if artifact is None:
            raise UserError(
                f"{row['artifact']} is no longer in the store",
                fix="Delete the prepare artifact's folder and run again.",
            )
        artifact.verify()
        nodes.append(Worked(OpResult.model_validate(row["account"]), artifact.path))
    return tuple(nodes)


def _first(project: "Project", ingested: Artifact, done: Sequence[str]) -> tuple[Worked, ...]:
    """The first operations of a recipe that stopped: those that were done are fresh, so that nothing is worked here."""
    nodes = graph(project.file.recipe, read_json(ingested.file(SUMMARY))["sources"])[: len(done)]
    scratch = project.store.root / "work"
    inputs = {"ingest": ingested}
    with project.store.lock():
        context = StepContext(
            project.file, project.root, project.store, inputs, scratch, scratch, 1, silent, asks=False
        )
        made = reach(context, nodes).made
    return tuple(Worked(account_of(node, made[node.id]), made[node.id].path) for node in nodes)
