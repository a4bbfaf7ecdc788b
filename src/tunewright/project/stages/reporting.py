"""The last step: gather what the others found, and write the page."""

from typing import Any

from tunewright.core.example import Example
from tunewright.core.files import read_json, write_atomic
from tunewright.project import reproduce
from tunewright.project.file import TARGET, ProjectFile
from tunewright.project.stages.deciding import RELEASE, general_cards, read_verdict, suite_cards
from tunewright.project.stages.measuring import built_suites, latencies
from tunewright.project.steps import BY_NAME, StepContext
from tunewright.report.data import ExampleText, LineageNode, LossPoint, ReportData, Segment
from tunewright.report.page import render
from tunewright.store import lineage
from tunewright.store.artifact import MEASURED, Artifact

REPORT = f"{MEASURED}/report.html"
"""The page shows measured times, so it is no part of the artifact's content hash."""


def report(ctx: StepContext) -> None:
    """One self-contained HTML page."""
    page = ctx.out / REPORT
    page.parent.mkdir()
    write_atomic(page, render(gather(ctx)))


def gather(ctx: StepContext) -> ReportData:
    """All that the page shows, read from the artifacts."""
    made = ctx.inputs
    versions = made["train"].manifest.libraries
    history = read_json(made["train"].file("history.json"))
    return ReportData(
        project=ctx.file.name,
        verdict=read_verdict(made["decide"]),
        task=_task_facts(ctx.file),
        held=ctx.file.answering.json_schema is not None,
        cards=(*suite_cards(ctx, TARGET), *general_cards(ctx)),
        examples=_example_texts(ctx),
        history=tuple(LossPoint(step["step"], step["loss"], step.get("lr")) for step in history["steps"]),
        dev=tuple(LossPoint(point["step"], point["loss"]) for point in history["dev"]),
        train=_train_facts(made["train"]),
        mask_samples=tuple(
            tuple(Segment(*segment) for segment in row["segments"])
            for row in read_json(made["gate"].file("gate.json"))["samples"]
        ),
        audit=read_json(made["split"].file("audit.json")),
        ingest=read_json(made["ingest"].file("summary.json")),
        latencies=latencies(made["baselines"], made["evaluate"], ctx.file.prices),
        prices=ctx.file.prices,
        lineage=_lineage(ctx),
        commands=reproduce.commands(ctx.file, versions["tunewright"]),
        project_file=reproduce.effective_file(ctx.file),
        laid_over=reproduce.laid_over(ctx.file),
        seeds=reproduce.seeds(ctx.file),
        versions=versions,
    )


def _task_facts(file: ProjectFile) -> dict[str, str]:
    return {
        "system prompt": file.task.system or "none",
        "answers": file.task.output.type,
        "base": file.base,
        "method": f"{file.train.method}, {file.train.adapter.kind}",
    }


def _train_facts(train: Artifact) -> dict[str, Any]:
    facts: dict[str, Any] = read_json(train.file("train.json"))
    return facts


def _example_texts(ctx: StepContext) -> dict[str, ExampleText]:
    return {example.id: _example_text(example) for suite in built_suites(ctx) for example in suite.examples}


def _example_text(example: Example) -> ExampleText:
    origin = f"{example.origin.file}:{example.origin.row}" if example.origin else None
    return ExampleText(example.input_text, example.expected, origin)


def _lineage(ctx: StepContext) -> tuple[LineageNode, ...]:
    """The release and all it was made from, in the order of the table of steps."""
    nodes = lineage.ancestors(ctx.store, ctx.inputs["release"]).ancestors
    places = {name: place for place, name in enumerate(BY_NAME)}
    made = [ancestor.artifact for ancestor in nodes]
    return tuple(
        _node(artifact) for artifact in sorted(made, key=lambda a: (places[a.manifest.derivation.step], a.id))
    )


def _node(artifact: Artifact) -> LineageNode:
    derivation = artifact.manifest.derivation
    facts = {"content": artifact.manifest.content[:12], **{k: v[:12] for k, v in derivation.external.items()}}
    if derivation.step == "release":
        facts["template"] = read_json(artifact.file(RELEASE))["template"][:12]
    inputs = tuple(ref.id for ref in derivation.inputs.values())
    return LineageNode(derivation.step, artifact.id, inputs, facts, BY_NAME[derivation.step].title)
