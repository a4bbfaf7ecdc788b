"""data recipe: the graph of the recipe, node by node."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, is_dataclass
from typing import TYPE_CHECKING, Any

import click

from tunewright.cli.run import PROJECT, SET, open_project

if TYPE_CHECKING:
    from tunewright.data.recipe_columns import Column
    from tunewright.project.recipe_graph import OperationNode, SourceNode


@click.command()
@PROJECT
@SET
@click.option("--json", "as_json", is_flag=True, help="As JSON, for a program that draws it.")
def recipe(path: str, settings: tuple[str, ...], as_json: bool) -> None:
    """Show the recipe's graph: what each operation takes, reads, adds and changes, what it did, and what is stale."""
    from tunewright.cli import render

    found = open_project(path, settings).recipe()
    if as_json:
        click.echo(json.dumps(plain(found), ensure_ascii=False, indent=1))
        return
    for source in found.sources:
        _say_source(source)
    for operation in found.operations:
        _say_operation(operation)
    if not found.operations:
        render.say("The recipe has no operation: rows go on as they were read.")
    if found.stopped is not None:
        render.problems([found.stopped], "warning")
    if any(node.state != "fresh" for node in (*found.sources, *found.operations)):
        render.say(
            "What is stale is worked by `tunewright run prepare`; `tunewright data preview` shows first rows."
        )


def plain(one: Any) -> Any:
    """A value as JSON has it: named tuples, dataclasses and settings are objects."""
    if is_dataclass(one) and not isinstance(one, type):
        return plain(asdict(one))
    if isinstance(one, dict):
        return {name: plain(value) for name, value in one.items()}
    if isinstance(one, tuple) and hasattr(one, "_asdict"):
        return {name: plain(value) for name, value in one._asdict().items()}
    if isinstance(one, tuple):
        return [plain(value) for value in one]
    return one.model_dump(mode="json") if hasattr(one, "model_dump") else one


def _say_source(source: "SourceNode") -> None:
    from tunewright.cli import render

    _say_title(source.id, "source", source.state)
    if (counts := source.counts) is not None:
        passed = f"passed over{render.tallied(counts.passed_over_for)}"
        more = ((counts.rejects, "set aside"), (counts.passed_over, passed))
        said = [
            f"{counts.examples:,} of {counts.rows:,}",
            *(f"{count:,} {what}" for count, what in more if count),
        ]
        _say("rows", ", ".join(said) + render.thinking_words(counts.thinking))
    _say("columns", _listed(source.columns))


def _say_operation(operation: "OperationNode") -> None:
    name = "" if operation.op == operation.id else f"{operation.op} "
    _say_title(operation.id, f"{name}of {', '.join(operation.needs)}", operation.state)
    told = operation.columns
    _say("reads", ", ".join(told.reads))
    _say("adds" if told.is_seen else "may add", _listed(told.adds))
    done = operation.account
    if done is None or done.changed:
        _say("changes" if done else "may change", ", ".join(told.changes))
    _say("removes", ", ".join(told.removes))
    if done is not None:
        counts = ((done.dropped, "dropped"), (done.changed, "changed"), (done.added, "new"))
        more = [f"{count:,} {what}" for count, what in (*counts, (done.given_up, "given up")) if count]
        _say("rows", ", ".join([f"{done.rows_in:,} in, {done.rows_out:,} out", *more]))
    _say("columns", _listed(told.made))


def _say_title(name: str, what: str, state: str) -> None:
    from tunewright.cli import render

    render.say(f"{name}  ({what})  {state}", "bold" if state == "fresh" else "bold yellow")


def _say(label: str, words: str) -> None:
    from tunewright.cli import render

    if words:
        render.say(f"  {label:<10} {words}")


def _listed(columns: "Sequence[Column] | None") -> str:
    return ", ".join(_each(columns or ()))


def _each(columns: "Iterable[Column]") -> Iterable[str]:
    return (column.name if column.kind == "any" else f"{column.name} ({column.kind})" for column in columns)
