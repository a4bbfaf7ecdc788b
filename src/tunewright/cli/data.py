"""data: what was read, what the recipe makes of it, and what is odd about it."""

import json
from pathlib import Path

import click

from tunewright.cli.run import PROJECT, SET, open_project


@click.group()
def data() -> None:
    """Look into the data: why a row is as it is, what an operation makes of rows, what is odd."""


@data.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@PROJECT
@SET
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="OURS=THEIRS",
    help="Of FILE: input=question, expected=label.",
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def audit(
    file: Path | None, path: str, settings: tuple[str, ...], columns: tuple[str, ...], as_json: bool
) -> int:
    """Say what is odd about the project's data, or about FILE: leaks, duplicates, contradictions, personal data, secrets.

    The exit code is 1 where something must be mended before training.
    """
    from tunewright.cli import render

    if file is None:
        found = open_project(path, settings).audit()
    else:
        from tunewright.project.auditing import audit_file

        audited = audit_file(file, dict(_mapping(one) for one in columns))
        found = audited.audit
        if not as_json:
            render.say(audited.why)
            for reason, count in audited.summary.reasons.items():
                render.say(f"  {count:,} rows set aside: {reason}", "yellow")
    if as_json:
        click.echo(found.model_dump_json(indent=1))
    else:
        render.say(", ".join(f"{part} {rows:,}" for part, rows in found.rows.items()) + " rows")
        for finding in found.findings:
            colour = {"error": "red", "warning": "yellow"}.get(finding.severity, "")
            render.say(f"{finding.severity}: {finding.message} Mend it: {finding.mend}.", colour)
            shown = finding.examples or finding.places
            if shown:
                render.say(f"  {', '.join(shown)}", "dim")
        if not found.findings:
            render.say("Nothing odd was found.", "green")
    return 1 if any(finding.severity == "error" for finding in found.findings) else 0


def _mapping(text: str) -> tuple[str, str]:
    ours, equals, theirs = text.partition("=")
    if not equals or not ours or not theirs:
        raise click.BadParameter(f"{text!r} is not OURS=THEIRS", param_hint="--column")
    return ours, theirs


@data.command()
@click.argument("row")
@PROJECT
@SET
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def why(row: str, path: str, settings: tuple[str, ...], as_json: bool) -> None:
    """Tell where ROW (tickets.csv:12, or an example's id) came from, and what each operation made of it."""
    from tunewright.cli import render
    from tunewright.project.why import Rejected, changes, shown

    found = open_project(path, settings).why(row)
    if as_json:
        click.echo(json.dumps([_plain(one) for one in found], ensure_ascii=False, indent=1))
        return
    for one in found:
        render.say(f"{one.place}  (source {one.source})", "bold")
        if isinstance(one, Rejected):
            render.say(f"  set aside   {one.reason}")
            render.say(f"              {one.raw[:200]}")
            continue
        _say_row("read", shown(one.row))
        before = one.row
        for touch in one.touches:
            if touch.fate == "changed":
                for after in touch.rows:
                    _say_row(f"{touch.node} changed it", changes(before, after))
                before = touch.rows[0]
            else:
                render.say(f"  {touch.node}: {touch.fate}{f' ({touch.reason})' if touch.reason else ''}")
        for part, name in one.parts:
            render.say(f"  in {part} as example {name}")
        if not one.parts and all(touch.fate != "dropped" for touch in one.touches):
            render.say("  in no part of the split")


@data.command()
@click.argument("operation", required=False)
@PROJECT
@SET
@click.option("--rows", default=5, show_default=True, type=click.IntRange(1, 1000), help="Rows to show.")
@click.option(
    "--of",
    "of_",
    default=200,
    show_default=True,
    type=click.IntRange(1),
    help="First rows of each source to work on.",
)
def preview(operation: str | None, path: str, settings: tuple[str, ...], rows: int, of_: int) -> None:
    """Show what the recipe, up to OPERATION, makes of the first rows; nothing is kept."""
    from tunewright.cli import render
    from tunewright.project.why import shown

    found = open_project(path, settings).preview(operation, shown=rows, rows=of_)
    done = found.account
    for row in found.rows:
        _say_row(row.place, shown(row))
    for place, reason in found.dropped:
        render.say(f"  {place} dropped: {reason}", "dim")
    render.say(
        f"{done.id}: of {done.rows_in:,} rows {done.rows_out:,} go on,"
        f" {done.dropped:,} are dropped, {done.changed:,} changed."
    )


def _say_row(title: str, row: dict[str, object]) -> None:
    from tunewright.cli import render

    render.say(f"  {title}")
    for name, value in row.items():
        render.say(f"    {name}: {str(value)[:500]}")


def _plain(one: object) -> object:
    if isinstance(one, tuple) and hasattr(one, "_asdict"):
        return {name: _plain(value) for name, value in one._asdict().items()}
    if isinstance(one, tuple):
        return [_plain(value) for value in one]
    return one.model_dump(mode="json") if hasattr(one, "model_dump") else one
