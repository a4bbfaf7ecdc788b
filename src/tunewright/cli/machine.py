"""schema, doctor: what the file may say, what the machine can do."""

import json
import textwrap
from typing import TYPE_CHECKING

import click

from tunewright.cli.run import PROJECT

if TYPE_CHECKING:
    from tunewright.project.fields import FieldDoc

_WIDTH = 100


@click.command()
@click.argument("name", required=False)
def schema(name: str | None) -> None:
    """Print the project file's JSON Schema, for editors; with NAME, what that field is: `train.adapter.rank`."""
    import tunewright

    if name is None:
        click.echo(json.dumps(tunewright.schema(), indent=2, ensure_ascii=False))
        return
    _show_field(tunewright.field(name))


def _show_field(field: "FieldDoc") -> None:
    """The field's doc, its type, choices and default, and the first words on what is below it."""
    from tunewright.project.fields import REQUIRED, field_docs

    click.echo(field.name)
    click.echo(
        textwrap.fill(" ".join(field.doc.split()), _WIDTH, initial_indent="  ", subsequent_indent="  ")
    )
    click.echo(f"  type: {field.kind}")
    if field.choices:
        click.echo(f"  choices: {', '.join(field.choices)}")
    click.echo("  required" if field.default == REQUIRED else f"  default: {field.default}")
    for model in field.models:
        click.echo(f"\n{model.__name__}: {' '.join((model.__doc__ or '').split())}")
        for below in field_docs(model):
            click.echo(f"  {below.name:<24} {textwrap.shorten(below.doc, _WIDTH - 27, placeholder=' …')}")


@click.command()
@PROJECT
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
def doctor(path: str, as_json: bool) -> None:
    """Say what this machine can do, and what that means for the project at hand."""
    import tunewright
    from tunewright.cli import render
    from tunewright.project.advice import shown

    found = tunewright.doctor(path)
    if as_json:
        told = {"facts": found.facts._asdict(), "advice": found.advice}
        click.echo(json.dumps(told, indent=1, ensure_ascii=False))
        return
    render.table(["what", "here"], shown(found.facts))
    for line in found.advice:
        render.say(f"• {line}")
