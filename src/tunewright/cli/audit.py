"""data audit: what is odd about the project's data, or about a file, and what mends it."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tunewright.cli.run import PROJECT, SET, open_project

if TYPE_CHECKING:
    from tunewright.data.audit.whole import AuditFinding, WholeAudit
    from tunewright.project.auditing import AuditSpec

_FAIL_ON = {"error": "error", "warn": "warning", "info": "info"}
_COLOURS = {"error": "red", "warning": "yellow"}


@click.command()
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
@click.option(
    "--form", metavar="NAME", help="Of FILE: the form of another tool's rows (alpaca, sharegpt, …)."
)
@click.option(
    "--format",
    "file_format",
    metavar="NAME",
    help="Of FILE: its format, where its ending does not tell it (slack, chatgpt, traces, jsonl, …).",
)
@click.option("--base", metavar="REF", help="Count tokens as this base does: a folder, a hub id, embedded.")
@click.option(
    "--max-length", type=click.IntRange(8), metavar="TOKENS", help="Tokens of the longest row that fits."
)
@click.option("--method", metavar="NAME", help="What the rows are to train: sft, dpo, orpo, kto, cpt.")
@click.option(
    "--schema",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The JSON Schema that answers are to keep to.",
)
@click.option(
    "--against",
    multiple=True,
    metavar="FILE",
    help="Tell the rows of this test file that are trained on; several times for several.",
)
@click.option(
    "--only", multiple=True, metavar="KIND", help="Look for this kind of finding; docs/audit.md lists them."
)
@click.option(
    "--fail-on",
    type=click.Choice(list(_FAIL_ON)),
    default="error",
    show_default=True,
    help="The exit code is 1 where a finding is as bad as this, or worse.",
)
@click.option(
    "--html", type=click.Path(path_type=Path, dir_okay=False), help="Write the audit as a page, too."
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def audit(
    file: Path | None,
    path: str,
    settings: tuple[str, ...],
    columns: tuple[str, ...],
    form: str | None,
    file_format: str | None,
    base: str | None,
    max_length: int | None,
    method: str | None,
    schema: Path | None,
    against: tuple[str, ...],
    only: tuple[str, ...],
    fail_on: str,
    html: Path | None,
    as_json: bool,
) -> int:
    """Say what is odd about the project's data after the recipe, or about FILE, and what mends it.

    FILE may be a folder of files, or hub:owner/name. Leaks, duplicates, contradictions, personal data, secrets; answers,
    turns, letters, labels, lengths, languages; tokens and the loss mask. The exit code is 1 where something must be mended
    before training.
    """
    from tunewright.cli import render
    from tunewright.project.auditing import AuditSpec, read_schema

    if html is not None and not html.absolute().parent.is_dir():
        raise click.UsageError(f"--html: there is no folder {html.absolute().parent}")
    looked = AuditSpec(
        base=base,
        max_length=max_length,
        method=method,
        output=read_schema(schema) if schema else None,
        kinds=only or None,
        against=against,
    )
    if file is None:
        _of_file_alone({"--column": columns, "--form": form, "--format": file_format})
        project = open_project(path, settings)
        found, name = project.audit(looked), project.file.name
    else:
        _of_project_alone({"--set": settings})
        found = _audit_file(file, columns, form, file_format, looked, quiet=as_json)
        name = file.name or str(file)
    if html is not None:
        from tunewright.core.files import write_atomic
        from tunewright.report.audit_page import audit_page

        write_atomic(html, audit_page(name, found.model_dump(mode="json")))
    if as_json:
        click.echo(found.model_dump_json(indent=1))
    else:
        show(found)
        if html is not None:
            render.say(f"The page is {html}.")
    return 0 if found.holds(_FAIL_ON[fail_on]) else 1


def _audit_file(
    file: Path,
    columns: tuple[str, ...],
    form: str | None,
    file_format: str | None,
    looked: "AuditSpec",
    *,
    quiet: bool,
) -> "WholeAudit":
    from tunewright.cli import render
    from tunewright.project.auditing import audit_file

    if columns and form:
        raise click.UsageError("--column and --form both say how FILE is read: give one of them")
    audited = audit_file(file, dict(map(_mapping, columns)), form, looked, file_format=file_format)
    if not quiet:
        render.say(audited.why)
    return audited.audit


def show(found: "WholeAudit") -> None:
    """The audit on the terminal, the worst first."""
    from tunewright.cli import render
    from tunewright.data.audit.seen import ALL

    counts = (f"{rows:,}" if part == ALL else f"{part} {rows:,}" for part, rows in found.rows.items())
    render.say(f"{', '.join(counts)} {'row' if sum(found.rows.values()) == 1 else 'rows'}")
    for row in found.tokens:
        share = f"{row.trained / row.tokens:.0%}" if row.tokens else "none"
        of = "" if row.part == ALL else f"{row.part}: "
        render.say(
            f"{of}{row.tokens:,} tokens ({row.base}), {share} of them trained; half the rows have at most"
            f" {row.median:,}, the longest has {row.longest:,}."
        )
    for finding in found.findings:
        _say(finding)
    for note in found.notes:
        render.say(f"note: {note}.", "dim")
    counted = [
        (found.count("error"), "error"),
        (found.count("warning"), "warning"),
        (found.count("info"), "note"),
    ]
    told = ", ".join(f"{number} {word}{'s' if number > 1 else ''}" for number, word in counted if number)
    render.say(f"Found: {told}." if told else "Nothing odd was found.", "" if told else "green")


def _say(finding: "AuditFinding") -> None:
    from tunewright.cli import render

    colour = _COLOURS.get(finding.severity, "")
    render.say(f"{finding.severity} {finding.kind}: {finding.message}", colour)
    for example in finding.examples:
        render.say(f"    {example.place}{'  ' if example.excerpt else ''}{example.excerpt}", "dim")
    render.say(f"    Mend it: {finding.mend}")
    if finding.recipe:
        render.say(f"      - {finding.recipe}")


def _of_file_alone(given: dict[str, Any]) -> None:
    for option, value in given.items():
        if value:
            raise click.UsageError(f"{option} says how FILE is read, and no FILE is given")


def _of_project_alone(given: dict[str, Any]) -> None:
    for option, value in given.items():
        if value:
            raise click.UsageError(f"{option} is for a project's file, and FILE is in none")


def _mapping(text: str) -> tuple[str, str]:
    ours, equals, theirs = text.partition("=")
    if not equals or not ours or not theirs:
        raise click.BadParameter(f"{text!r} is not OURS=THEIRS", param_hint="--column")
    return ours, theirs
