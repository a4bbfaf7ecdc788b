"""import: a project from another tool's config."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tunewright.project.importing import Line, Tool

_HEADS = {
    "carried": "carried over",
    "changed": "carried over, and changed",
    "without": "without counterpart",
}


@click.command("import")
@click.argument("config", type=click.Path(path_type=Path))
@click.option(
    "--to",
    "folder",
    type=click.Path(path_type=Path),
    default=".",
    help="The project's folder; here, if left out.",
)
@click.option(
    "--from",
    "tool",
    type=click.Choice(["axolotl", "llamafactory", "openai"]),
    help="Whose config it is, where its keys do not tell.",
)
@click.option(
    "--dataset-info",
    type=click.Path(path_type=Path),
    help="LLaMA-Factory's dataset_info.json, where it is elsewhere.",
)
@click.option("--json", "as_json", is_flag=True, help="Print what became of each key as JSON.")
def import_(
    config: Path, folder: Path, tool: "Tool | None", dataset_info: Path | None, as_json: bool
) -> None:
    """Write a tunewright.yaml from CONFIG: Axolotl's YAML, LLaMA-Factory's, or the JSON of an OpenAI fine-tuning job.

    Every key of it is told: where it went, why it was changed, or that it has no counterpart.
    """
    from tunewright.cli import render
    from tunewright.project.importing import import_config

    made = import_config(config, folder, tool, dataset_info)
    if as_json:
        told = {"path": str(made.path), "tool": made.tool, "keys": [line._asdict() for line in made.lines]}
        click.echo(json.dumps(told, indent=1, ensure_ascii=False))
        return
    for fate, head in _HEADS.items():
        lines = [line for line in made.lines if line.fate == fate]
        if lines:
            render.say(f"{head}: {len(lines)}", "bold")
            for text in _by_reason(lines) if fate == "without" else map(_went, lines):
                render.say(f"  {text}")
    render.say(f"{made.path} is written: read it, then run `tunewright check`.")


def _went(line: "Line") -> str:
    """`lora_r: 16 → train.adapter.rank`, and why where there is a reason."""
    why = f" ({line.why})" if line.why else ""
    return f"{line.key}: {line.value} → {line.to}{why}"


def _by_reason(lines: "list[Line]") -> list[str]:
    """Each reason with the keys that go nowhere for it."""
    keys: dict[str, list[str]] = {}
    for line in lines:
        keys.setdefault(line.why, []).append(line.key)
    return [f"{why}: {', '.join(named)}" for why, named in keys.items()]
