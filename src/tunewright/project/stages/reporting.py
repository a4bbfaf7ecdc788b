"""The last step: gather what the others found, and write the page."""

from typing import Any

from tunewright.core.example import Example
from tunewright.core.files import read_json, write_atomic, write_json
from tunewright.project import reproduce
from tunewright.project.ancestry import report_lineage
from tunewright.project.auditing import audit_for_report
from tunewright.project.file import TARGET, ProjectFile
from tunewright.project.stages.deciding import general_cards, read_verdict, suite_cards
from tunewright.project.stages.measuring import built_suites, latencies
from tunewright.project.steps import StepContext
from tunewright.report.data import ExampleText, LossPoint, ReportData, Segment
from tunewright.report.page import render
from tunewright.store.artifact import MEASURED, Artifact

AUDIT = "audit.json"
"""The whole audit of the split's rows."""
REPORT = f"{MEASURED}/report.html"
"""The page shows measured times, so it is no part of the artifact's content hash."""


def report(ctx: StepContext) -> None:
    """One self-contained HTML page, and beside it the audit that it shows."""
    page = ctx.out / REPORT
    page.parent.mkdir()
    shown = gather(ctx)
    write_json(ctx.out / AUDIT, shown.audit)
    write_atomic(page, render(shown))


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
        audit=audit_for_report(ctx.file, ctx.root, ctx.store, made, ctx.emit).model_dump(mode="json"),
        ingest=read_json(made["ingest"].file("summary.json")),
        latencies=latencies(made["baselines"], made["evaluate"], ctx.file.prices),
        prices=ctx.file.prices,
        lineage=report_lineage(ctx.store, made["release"]),
        commands=reproduce.commands(ctx.file, versions),
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
        "method": f"{file.train.method}, {file.train.adapter.called}",
    }


def _train_facts(train: Artifact) -> dict[str, Any]:
    facts: dict[str, Any] = read_json(train.file("train.json"))
    return facts


def _example_texts(ctx: StepContext) -> dict[str, ExampleText]:
    return {example.id: _example_text(example) for suite in built_suites(ctx) for example in suite.examples}


def _example_text(example: Example) -> ExampleText:
    origin = f"{example.origin.file}:{example.origin.row}" if example.origin else None
    return ExampleText(example.input_text, example.expected, origin)
