"""ReportData: all that the page shows, as plain values. Who calls `page.render` gathers it; the page reads no files."""

from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict

from tunewright.decide.cost import LatencySummary
from tunewright.decide.spec import PriceSpec
from tunewright.decide.verdict import Verdict
from tunewright.evals.scorecard import Scorecard


class ExampleText(NamedTuple):
    """One test example as people read it."""

    input: str
    expected: str
    origin: str | None = None
    """Where the raw row stands: file:row."""


class LossPoint(NamedTuple):
    """A loss at an optimizer step; `lr` is the learning rate there, where known."""

    step: int
    loss: float
    lr: float | None = None


class Segment(NamedTuple):
    """A piece of a rendered training row, and whether the loss looks at it."""

    text: str
    trained: bool


class LineageNode(NamedTuple):
    """One artifact: what it is, what it was made from, and facts worth showing."""

    kind: str
    id: str
    inputs: tuple[str, ...] = ()
    facts: dict[str, Any] = {}  # noqa: RUF012 - never written to
    done: str = ""
    """What the step did that made it, in a few words."""


class ReportData(BaseModel):
    """Everything on the page. What is left out (or empty) leaves its section out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    project: str
    verdict: Verdict
    task: dict[str, str] = {}
    """Facts of the task, in the order shown: {"system prompt": …, "output": …, "base": …}."""
    held: bool = False
    """Whether every variant's answers to the task were held to its schema while they were written."""
    cards: tuple[Scorecard, ...] = ()
    """Every variant on the target suite: the candidate's and the rivals' replies."""
    examples: dict[str, ExampleText] = {}
    """Example id → its text."""
    history: tuple[LossPoint, ...] = ()
    """Training loss, step by step."""
    dev: tuple[LossPoint, ...] = ()
    """Dev loss where it was measured."""
    train: dict[str, Any] = {}
    """Summary of the training run: steps, best step, seconds, adapter, …"""
    mask_samples: tuple[tuple[Segment, ...], ...] = ()
    """Training rows as rendered, with the mask."""
    audit: dict[str, Any] = {}
    """`findings`: [{severity, title or kind, count, examples, fix}]; `tables`: {name: {value: count} or [row, …]}; facts."""
    ingest: dict[str, Any] = {}
    """Summary of ingest: facts, and lists of rows that are shown as tables."""
    latencies: dict[str, LatencySummary] = {}
    """Variant → its measured times."""
    prices: PriceSpec = PriceSpec()
    lineage: tuple[LineageNode, ...] = ()
    """Artifacts, inputs before what was made from them."""
    commands: tuple[str, ...] = ()
    """What to type to get this report again."""
    project_file: str = ""
    """The project file as it was used: with `--set` laid over it and schema files' contents in it."""
    laid_over: tuple[str, ...] = ()
    """The `--set` values, name=value."""
    seeds: dict[str, int] = {}
    """Setting → seed."""
    versions: dict[str, str] = {}
    """Package → version."""
    created: str | None = None
    """When, as shown; left out, the page depends on the inputs alone."""
