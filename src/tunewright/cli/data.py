"""data: what was read, what the recipe makes of it, and what is odd about it."""

import json
from collections.abc import Mapping

import click

from tunewright.cli.audit import audit
from tunewright.cli.coverage import coverage
from tunewright.cli.recipe import plain, recipe
from tunewright.cli.review.command import review
from tunewright.cli.run import ASK, PROJECT, SET, open_project
from tunewright.core.errors import UserError
from tunewright.core.events import Event


@click.group()
def data() -> None:
    """Look into the data: why a row is as it is, what an operation makes of rows, what is odd."""


data.add_command(audit)
data.add_command(coverage)
data.add_command(recipe)
data.add_command(review)


@data.command()
@click.argument("row")
@PROJECT
@SET
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def why(row: str, path: str, settings: tuple[str, ...], as_json: bool) -> None:
    """Tell where ROW (tickets.csv:12, or an example's id) came from, and what each operation made of it."""
    from tunewright.cli import render
    from tunewright.core.errors import Problem
    from tunewright.project.why import Rejected, changes, shown

    found = open_project(path, settings).why(row)
    if as_json:
        click.echo(json.dumps([plain(one) for one in found.found], ensure_ascii=False, indent=1))
    for one in () if as_json else found.found:
        render.say(f"{one.place}  (source {one.source})", "bold")
        if isinstance(one, Rejected):
            render.say(f"  {'passed over' if one.passed_over else 'set aside  '} {one.reason}")
            render.say(f"              {one.raw[:200]}")
            continue
        _say_row("read", shown(one.row))
        before = one.row
        for touch in one.touches:
            if touch.fate == "changed":
                if same := touch.rows.count(before):  # mix and balance repeat rows
                    render.say(f"  {touch.node}: kept{f', {same} times' if same > 1 else ''}")
                for after in touch.rows:
                    if after != before:
                        _say_row(f"{touch.node} changed it", changes(before, after))
                before = touch.rows[0]
            else:
                render.say(f"  {touch.node}: {touch.fate}{f' ({touch.reason})' if touch.reason else ''}")
        for part, name in one.parts:
            render.say(f"  in {part} as example {name}")
        if not one.parts and not one.ended and found.stopped is None:
            render.say("  in no part of the split")
    if found.more:
        fix = "Name a file and line (tickets.csv:12) to see one of them."
        render.problems([Problem(f"{found.more:,} more rows are named so.", fix=fix)], "warning")
    if found.stopped is not None:
        render.problems([found.stopped], "warning")


@data.command()
@click.argument("operation", required=False)
@PROJECT
@SET
@ASK
@click.option("--rows", default=5, show_default=True, type=click.IntRange(1, 1000), help="Rows to show.")
@click.option(
    "--of",
    "of_",
    default=200,
    show_default=True,
    type=click.IntRange(1),
    help="First rows of each source to work on.",
)
def preview(
    operation: str | None, path: str, settings: tuple[str, ...], asks: bool, rows: int, of_: int
) -> None:
    """Show what the recipe, up to OPERATION, makes of the first rows; only teachers' answers are kept.

    The name of a source shows its rows as they were read.
    """
    from tunewright.cli import render
    from tunewright.project.why import shown

    project, spent = open_project(path, settings), dict[str, str]()
    with render.watching() as watcher:

        def hear(event: Event) -> None:
            watcher(event)
            if event.kind == "teacher.asked":
                spent[event.data["teacher"]] = render.teacher_words(event.data)

        try:
            found = project.preview(operation, shown=rows, rows=of_, ask=asks, listen=hear)
        except UserError:
            _say_spent(spent)
            raise
    done = found.account
    for row in found.rows:
        _say_row(row.place, {**row.fields, **shown(row)})
    for place, reason in found.dropped:
        render.say(f"  {place} dropped: {reason}", "dim")
    for place, reason in found.given_up:
        render.say(f"  {place} given up: {reason}", "dim")
    _say_spent(spent)
    for note in done.notes:
        render.say(f"  {note}", "dim")
    if done.report.get("samples"):
        told = "; ".join(f"{kind} {', '.join(masks)}" for kind, masks in done.report["samples"].items())
        render.say(f"  found, masked: {told}", "dim")
    added = f", {done.added:,} are new" if done.added else ""
    render.say(
        f"{done.id}: of {done.rows_in:,} rows {done.rows_out - done.added:,} go on,"
        f" {done.dropped:,} are dropped, {done.changed:,} changed{added}{render.tallied(done.tally)}."
    )


def _say_row(title: str, row: dict[str, object]) -> None:
    from tunewright.cli import render

    render.say(f"  {title}")
    for name, value in row.items():
        render.say(f"    {name}: {str(value)[:500]}")


def _say_spent(spent: Mapping[str, str]) -> None:
    from tunewright.cli import render

    for words in spent.values():
        render.say(f"  {words}", "dim")
