"""The recipe as a picture: sources and operations, what goes in and out of each, and which of them are worked.

    for operation in recipe_graph(project).operations:
        print(operation.id, operation.state, [column.name for column in operation.columns.made or ()])

Nothing is run or written. Of what is worked, rows and columns are as they are; of the rest, columns are what the operations'
settings say, as far as their sources were read.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from tunewright.core.errors import Problem, ProblemsError, UserError
from tunewright.core.files import read_json
from tunewright.data.ingest import SUMMARY, IngestSummary, SourceSummary
from tunewright.data.recipe import Node, OpResult, graph
from tunewright.data.recipe_columns import Columns, Passed, columns_of, passed, together
from tunewright.data.rows import BadFile
from tunewright.data.sources.sql import asked_once
from tunewright.project.plan import Outside, derive
from tunewright.project.stages.data import Given, account_of, derivation_of, of_sources
from tunewright.project.steps import BY_NAME
from tunewright.store.artifact import Artifact

if TYPE_CHECKING:
    from tunewright.project.project import Project

State = Literal["fresh", "stale", "waits"]
"""As of steps: its rows are there; they have to be made; what it takes has to be made first."""


class SourceNode(NamedTuple):
    """A source in the graph."""

    id: str
    state: State
    counts: SourceSummary | None
    """How many rows it has, how many of them became examples, file by file; None where it is not read."""
    columns: Columns | None
    """Of its examples; None where it is not read."""


class OperationNode(NamedTuple):
    """An operation in the graph."""

    id: str
    op: str
    needs: tuple[str, ...]
    """Ids of the nodes, sources or operations, whose rows it takes."""
    settings: Mapping[str, Any]
    """All of them, those left out too, as JSON values."""
    state: State
    columns: Passed
    account: OpResult | None
    """What it did; None where it is not worked."""
    artifact: str | None
    """What has its rows; None where it is not worked."""


class RecipeGraph(NamedTuple):
    """The recipe's nodes, each behind those that it needs; the last operation's rows are the recipe's."""

    sources: tuple[SourceNode, ...]
    operations: tuple[OperationNode, ...]
    stopped: Problem | None = None
    """Why it cannot be told of one node whether it is fresh; None where it can of all."""


@asked_once()  # a query is asked for its hash
def recipe_graph(project: "Project") -> RecipeGraph:
    """The graph of a project's recipe, as it stands."""
    stopped, ingested = None, None
    try:
        outside = Outside(project.file, project.root)
        ingested = project.store.find(derive(BY_NAME["ingest"], project.file, outside, {}))
    except UserError as error:
        stopped = _problem(error)
    given = of_sources(ingested) if ingested is not None else {}
    sources = _read(ingested, given) if ingested is not None else _unread(project)
    columns = {node.id: node.columns for node in sources}
    operations = list[OperationNode]()
    made: Artifact | None
    state: State
    for node in graph(project.file.recipe, project.file.sources):
        made, state = None, "waits"
        if given.keys() >= {*node.needs}:
            state = "stale"
            try:
                made = project.store.find(derivation_of(project.file, project.root, node, given))
            except (UserError, BadFile) as error:
                stopped = stopped or _problem(error, node)
        if made is not None:
            state, given[node.id] = "fresh", Given.of(made)
        operations.append(_operation(node, made, given, columns, state))
        columns[node.id] = operations[-1].columns.made
    return RecipeGraph(tuple(sources), tuple(operations), stopped)


def _operation(
    node: Node,
    made: Artifact | None,
    given: Mapping[str, Given],
    columns: Mapping[str, Columns | None],
    state: State,
) -> OperationNode:
    seen = columns_of(given[node.id].rows) if made is not None else None
    return OperationNode(
        id=node.id,
        op=node.spec.op,
        needs=node.needs,
        settings=node.spec.model_dump(mode="json", exclude={"op", "id", "needs"}),
        state=state,
        columns=passed(node, together(columns[need] for need in node.needs), seen),
        account=account_of(node, made) if made is not None else None,
        artifact=made.id if made is not None else None,
    )


def _read(ingested: Artifact, given: Mapping[str, Given]) -> list[SourceNode]:
    counts = IngestSummary.model_validate(read_json(ingested.file(SUMMARY))).sources
    return [SourceNode(name, "fresh", counts[name], columns_of(one.rows)) for name, one in given.items()]


def _unread(project: "Project") -> list[SourceNode]:
    return [SourceNode(name, "stale", None, None) for name in project.file.sources]


def _problem(error: UserError | BadFile, node: Node | None = None) -> Problem:
    first = error.problems[0] if isinstance(error, ProblemsError) else error
    where = None if isinstance(first, BadFile) else first.where
    return Problem(first.message, where or (f"recipe.{node.number}" if node else None), first.fix)
