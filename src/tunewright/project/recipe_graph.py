"""The recipe as a picture: sources and operations, what goes in and out of each, and which of them are worked.

    for operation in recipe_graph(project).operations:
        print(operation.id, operation.state, [column.name for column in operation.columns.made or ()])

Nothing is run or written. Of what is worked, rows and columns are as they are; of the rest, columns are what the operations'
settings say, as far as their sources were read.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from tunewright.core.errors import Problem, ProblemsError, UserError
from tunewright.core.example import Example
from tunewright.core.files import read_json
from tunewright.data.ingest import SUMMARY, IngestSummary, SourceSummary
from tunewright.data.recipe import Node, OpResult, graph
from tunewright.data.recipe_columns import Columns, Passed, columns_of, completed, named, passed, together
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
    nodes = graph(project.file.recipe, project.file.sources)
    worked = dict[str, tuple[Artifact | None, State]]()
    for node in nodes:
        made: Artifact | None = None
        state: State = "waits"
        if given.keys() >= {*node.needs}:
            state = "stale"
            try:
                made = project.store.find(derivation_of(project.file, project.root, node, given))
            except (UserError, BadFile) as error:
                stopped = stopped or _problem(error, node)
        if made is not None:
            state, given[node.id] = "fresh", Given.of(made)
        worked[node.id] = made, state
    known = {node.id: node.columns for node in sources}
    passes = _passes(nodes, known, {name: one.rows for name, one in given.items()})
    return RecipeGraph(
        tuple(one._replace(columns=known[one.id]) for one in sources),
        tuple(_operation(node, *worked[node.id], passes[node.id]) for node in nodes),
        stopped,
    )


def _passes(
    nodes: Sequence[Node], known: dict[str, Columns | None], rows: Mapping[str, Sequence[Example]]
) -> dict[str, Passed]:
    """What becomes of columns in each node; `known` has those of the sources, and then those of all nodes.

    What few rows have, so that a look at some of them may miss it, is looked for in a node where one beside it has it, or
    names it in its settings.
    """
    found = dict[str, Passed]()

    def given(node: Node) -> Columns | None:
        return together(known[need] for need in node.needs)

    def complete(name: str, others: Columns) -> None:
        if (columns := known[name]) is not None and name in rows:
            known[name] = completed(columns, rows[name], others)

    for node in nodes:
        known[node.id] = columns_of(rows[node.id]) if node.id in rows else passed(node, given(node)).made
    for node in reversed(nodes):
        for need in node.needs:
            complete(need, (*(known[node.id] or ()), *named(node)))
    for node in nodes:
        complete(node.id, given(node) or ())
        found[node.id] = passed(node, given(node), known[node.id] if node.id in rows else None)
        known[node.id] = found[node.id].made
    return found


def _operation(node: Node, made: Artifact | None, state: State, columns: Passed) -> OperationNode:
    return OperationNode(
        id=node.id,
        op=node.spec.op,
        needs=node.needs,
        settings=node.spec.model_dump(mode="json", exclude={"op", "id", "needs"}),
        state=state,
        columns=columns,
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
