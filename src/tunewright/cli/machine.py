"""schema, doctor: what the file may say, what the machine can do."""

import json
from pathlib import Path

import click

from tunewright.cli.run import PROJECT


@click.command()
def schema() -> None:
    """Print the project file's JSON Schema, for editors."""
    from tunewright.project.file import ProjectFile

    click.echo(json.dumps(ProjectFile.model_json_schema(), indent=2, ensure_ascii=False))


@click.command()
@PROJECT
@click.option("--json", "as_json", is_flag=True, help="Print the facts as JSON.")
def doctor(path: str, as_json: bool) -> None:
    """Say what this machine can do, and what that means for the project at hand."""
    from tunewright.cli import render
    from tunewright.models.machine import machine_facts
    from tunewright.project.advice import advice, shown
    from tunewright.project.file import file_path

    facts = machine_facts(Path(path))
    at_hand = file_path(Path(path))
    lines = advice(facts, at_hand if at_hand.is_file() else None)
    if as_json:
        click.echo(json.dumps({"facts": facts._asdict(), "advice": lines}, indent=1, ensure_ascii=False))
        return
    render.table(["what", "here"], shown(facts))
    for line in lines:
        render.say(f"• {line}")
