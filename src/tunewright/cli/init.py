"""init: a project from your data."""

import shlex
from pathlib import Path

import click


def _show_recipes(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from tunewright.project.starters import names, starter

        for name in names():
            click.echo(f"{name:<18} {starter(name).title}: {starter(name).when}")
        ctx.exit()


@click.command()
@click.argument("name", type=click.Path(path_type=Path))
@click.option("--recipe", default="structured-output", show_default=True, help="What to start from.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Your rows: CSV, TSV, JSON, JSONL, Parquet, chat JSONL, or an export of Slack or ChatGPT.",
)
@click.option(
    "--base",
    default="embedded",
    show_default=True,
    help="The model to start from: embedded, a hub id, or a folder.",
)
@click.option(
    "--recipes",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_recipes,
    help="Show the recipes there are.",
)
def init(name: Path, recipe: str, data: Path | None, base: str) -> None:
    """Make a project folder NAME with a commented tunewright.yaml."""
    from tunewright.core.hidden import visible
    from tunewright.project.init import init as init_project

    made = init_project(name, recipe, data, base)
    if made.why:
        click.echo(visible(made.why))
    click.echo(f"{made.path} is written: read it, then `cd {shlex.quote(str(name))} && tunewright check`.")
