"""init: a project from your data."""

from pathlib import Path

import click


@click.command()
@click.argument("name", type=click.Path(path_type=Path))
@click.option(
    "--recipe", "starter", default="structured-output", show_default=True, help="What to start from."
)
@click.option(
    "--data", type=click.Path(path_type=Path), help="Your rows: CSV, TSV, JSON, JSONL, Parquet or chat JSONL."
)
@click.option("--list", "show", is_flag=True, help="Show the recipes to start from.", is_eager=True)
def init(name: Path, starter: str, data: Path | None, show: bool) -> None:
    """Make a project folder NAME with a commented tunewright.yaml."""
    from tunewright.project.init import init as init_project

    made = init_project(name, starter, data)
    click.echo(f"{made} is written: read it, then `cd {name} && tunewright check`.")
