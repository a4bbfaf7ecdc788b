"""check, run, status, report: the project at work."""

import json
from pathlib import Path
from typing import Any

import click

from tunewright.project.steps import STEPS

PROJECT = click.option(
    "-p", "--project", "path", default=".", show_default=True, help="The project's folder or file."
)
SET = click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="NAME=VALUE",
    help="Override a field of the project file; `tunewright schema NAME` says what it is.",
)
ASK = click.option(
    "--ask",
    "asks",
    is_flag=True,
    help="Let teachers answer that cost or are elsewhere (`tunewright teachers` has them), as `run` does.",
)
_STEPS = "\n".join(["\b", "Steps, in order:", *(f"  {step.name:<10} {step.title}" for step in STEPS)])
_FIELDS = (
    "Every setting is a field of the project file: `tunewright schema train.adapter.rank` says what one is, its type,"
    " choices and default, and `--set train.adapter.rank=16` sets it for this run."
)


def open_project(path: str, settings: tuple[str, ...] = ()) -> Any:
    """The project at a path, with `--set` overrides."""
    from tunewright.project.project import Project
    from tunewright.project.written import parse_setting

    return Project.open(path, dict(parse_setting(text) for text in settings))


@click.command()
@PROJECT
@SET
@ASK
@click.option("--rows/--no-rows", default=True, help="Show five rows with what is trained coloured.")
def check(path: str, settings: tuple[str, ...], asks: bool, rows: bool) -> int:
    """Check the project file, the data and the gate before training: every problem at once."""
    from tunewright.cli import render
    from tunewright.core.files import read_json
    from tunewright.data.freeze import places
    from tunewright.project.stages.data import audit_of

    project = open_project(path, settings)
    with render.watching() as watcher:
        result = project.check(watcher, ask=asks)
    if result.problems:
        render.problems(result.problems)
        render.problems(result.warnings, "warning")
        return 2
    made = {outcome.step: outcome.artifact for outcome in result.outcomes}
    _show_rejects(made["ingest"])
    for finding in audit_of(made).findings:
        render.say(f"{finding.severity}: {finding.message} Mend it: {finding.mend}.")
    gate = read_json(made["gate"].file("gate.json"))
    for fate, ids in (("lost their oldest turns", gate["cut"]), ("are left out", gate["dropped"])):
        if ids:
            longest = project.file.train.max_length
            known = places(made["split"].path)
            named = ", ".join(known.get(name, name) for name in ids[:3])
            render.say(
                f"{len(ids)} rows are longer than train.max_length ({longest} tokens) and {fate}: {named}.",
                "yellow",
            )
    for choice in project.choices(made["gate"]):
        render.say(f"train.{choice.words()}.")
    render.problems(result.warnings, "warning")
    if rows:
        render.masked_rows([row["segments"] for row in gate["samples"]])
    render.say("All checks passed.", "green")
    return 0


@click.command(epilog=f"{_STEPS}\n\n{_FIELDS}")
@click.argument("step", required=False)
@PROJECT
@SET
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
def run(step: str | None, path: str, settings: tuple[str, ...], as_json: bool) -> int:
    """Do whatever is stale, resume whatever was cut off; with STEP, only what leads to it."""
    from tunewright.cli import render

    project = open_project(path, settings)
    with render.watching() as watcher:
        result = project.run(step, watcher)
    verdict = result.verdict
    if as_json:
        click.echo(json.dumps(verdict.model_dump(mode="json") if verdict else None, ensure_ascii=False))
    else:
        _show_rejects(result.outcomes[0].artifact)
        _show_warnings(result.outcomes)
    if verdict and not as_json:
        _show_verdict(verdict, result, project)
    return 0


@click.command()
@PROJECT
@SET
@click.option("--json", "as_json", is_flag=True, help="Print what is known of the run as JSON.")
def train(path: str, settings: tuple[str, ...], as_json: bool) -> int:
    """Train the adapter, and no further: the data and the gate before it are brought up to date first."""
    from tunewright.cli import render

    project = open_project(path, settings)
    with render.watching() as watcher:
        trained = project.train(watcher)
    summary = trained.summary
    if as_json:
        click.echo(json.dumps({"adapter": str(trained.adapter), **summary.model_dump(mode="json")}))
        return 0
    for words in summary.chosen:
        render.say(f"train.{words}.")
    steps = (
        f"{summary.steps} of {summary.steps_planned} steps ({summary.epochs:g} epochs): {summary.stop_reason}"
    )
    render.say(f"{summary.method} trained {summary.trained_parameters:,} weights in {steps}.")
    score = "" if summary.best_dev_score is None else f", score {100 * summary.best_dev_score:.1f} %"
    if summary.best_dev_loss is not None and summary.first_dev_loss is not None:
        render.say(
            f"dev loss {summary.first_dev_loss:.4f} → {summary.best_dev_loss:.4f}{score}, kept from step {summary.best_step}"
        )
    for words in summary.warnings:
        render.say(f"warning: {words}", "yellow")
    for proof in summary.checks:
        render.say(f"  {'passed' if proof.passed else 'FAILED'}  {proof.name}: {proof.seen}")
    click.echo(f"adapter: {trained.adapter}")
    if (past := trained.adapter.with_name("checkpoints")).is_dir():
        click.echo(f"of the last looks at dev: {past}")
    return 0


def _show_rejects(ingest: Any) -> None:
    """How many rows were set aside, why the first was, and where they lie; apart, those that were passed over."""
    from collections import Counter

    from tunewright.cli import render
    from tunewright.core.files import read_jsonl

    path = ingest.file("rejects.jsonl")
    rows = list(read_jsonl(path))
    for passed, what in ((False, "rows were set aside"), (True, "conversations were passed over")):
        some = [row for row in rows if row.get("passed_over", False) == passed]
        if some:
            kinds = render.tallied(
                dict(sorted(Counter(row["reason"].partition(":")[0] for row in some).items()))
            )
            first = f"{some[0]['file']}:{some[0]['row']}: {some[0]['reason']}"
            render.say(
                f"{len(some):,} {what}{kinds}, the first at {first}. All of them: {path}",
                "" if passed else "yellow",
            )


def _show_warnings(outcomes: Any) -> None:
    """What training has to say of itself: loss spikes, a divergence."""
    from tunewright.cli import render
    from tunewright.core.files import read_json

    for outcome in outcomes:
        if outcome.step == "train":  # the file itself: a run with nothing to do imports no stage
            for words in read_json(outcome.artifact.file("train.json"))["warnings"]:
                render.say(f"warning: {words}", "yellow")


def _show_verdict(verdict: Any, result: Any, project: Any) -> None:
    from tunewright.cli import render
    from tunewright.decide.gates import KEEPS_GENERAL

    colour = {"helps": "bold green", "does not help": "bold red"}.get(verdict.outcome, "bold yellow")
    render.say("")
    render.say(verdict.words, colour)
    for gate in verdict.gates:
        mark = "passed" if gate.passed else "FAILED"
        render.say(f"  {mark}  {gate.name}: {gate.seen} (asked: {gate.asked})", "" if gate.passed else "red")
    forgot = any(gate.name == KEEPS_GENERAL and not gate.passed for gate in verdict.gates)
    if forgot and not project.file.train.rehearsal:
        render.say(
            "Try `--set train.rehearsal=0.25`: the base's own answers to general prompts, trained beside yours, keep more"
            " of what it could do."
        )
    costs = render.costs(verdict, project.latencies(result.outcomes), project.file.prices.currency)
    if costs:
        render.say(costs)
    stays = f"production stays {result.production}" if result.production else "nothing is released"
    if result.promoted:
        render.say(f"released: production → {result.production}", "green")
    elif not verdict.releasable:
        render.say(f"Not released, a gate failed: {stays}.")
    elif any(
        outcome.step == "release" and outcome.artifact.id != result.production for outcome in result.outcomes
    ):
        render.say(
            f"Not released, it was rolled back before: {stays}. `tunewright release promote release` takes it anyway."
        )
    if any(outcome.step == "report" for outcome in result.outcomes):
        render.say(f"report: {project.report()}")


@click.command()
@PROJECT
@SET
def status(path: str, settings: tuple[str, ...]) -> None:
    """Show which steps are fresh, stale or waiting for a stale one, and what another terminal's run is at."""
    from tunewright.cli import render

    project = open_project(path, settings)
    entries = project.plan()
    rows = [
        (entry.step.name, entry.state, entry.artifact.id if entry.artifact else "", entry.step.title)
        for entry in entries
    ]
    render.table(["step", "state", "artifact", "what it does"], rows)
    if now := project.at_work():
        render.say(now.words())


@click.command()
@PROJECT
@click.option("--open", "show", is_flag=True, help="Open it in the browser.")
def report(path: str, show: bool) -> None:
    """Print the newest report's path, or open it."""
    page: Path = open_project(path).report()
    click.echo(page)
    if show:
        import webbrowser

        if not webbrowser.open(page.as_uri()):
            click.echo("No browser could be opened: open that file yourself.", err=True)
