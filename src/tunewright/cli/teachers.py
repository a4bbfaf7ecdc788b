"""teachers: the models that write or judge rows, and whether they answer."""

import json
from typing import TYPE_CHECKING

import click

from tunewright.cli.run import PROJECT, SET, open_project

if TYPE_CHECKING:
    from tunewright.project.teachers import TeacherFacts


@click.command()
@click.argument("names", nargs=-1)
@PROJECT
@SET
@click.option(
    "--ask", "asks", is_flag=True, help="Ask each one question, and show what it answers, takes and costs."
)
@click.option("--question", help="What to ask with --ask.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def teachers(
    names: tuple[str, ...],
    path: str,
    settings: tuple[str, ...],
    asks: bool,
    question: str | None,
    as_json: bool,
) -> int:
    """List the project's teachers (or those of these NAMES): what they are, who asks them, and how much they may be asked.

    With --ask, the exit code is 1 where one does not answer.
    """
    from tunewright.cli import render
    from tunewright.project.teachers import QUESTION

    if question is not None and not question.strip():
        raise click.BadParameter("there is nothing to answer in an empty question", param_hint="--question")
    project = open_project(path, settings)
    asked = question or (QUESTION if asks else None)
    found = project.teachers(*names, ask=asked)
    if as_json:
        rows = [{**one._asdict(), "reply": one.reply and one.reply._asdict()} for one in found]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=1))
    else:
        table = [
            [one.name, one.model, one.url or "here", one.key, ", ".join(one.used_by), one.budget]
            for one in found
        ]
        render.table(["teacher", "model", "answers at", "key", "asked by", "at most"], table)
        for one in found:
            _show_answer(one, project.file.prices.currency)
    return int(any(one.reply and one.reply.error for one in found))


def _show_answer(found: "TeacherFacts", currency: str) -> None:
    from tunewright.cli import render
    from tunewright.decide.phrase import seconds

    reply = found.reply
    if reply is None:
        return
    render.say("")
    if reply.error:
        render.say(f"{found.name} does not answer: {reply.error}", "red")
        return
    cost = f", {found.cost:.6f} {currency}" if found.cost else ""
    took = f"{seconds(reply.latency_s)}, {reply.tokens_in:,} + {reply.tokens_out:,} tokens{cost}"
    cut = " (cut off by max_new_tokens)" if reply.finish == "length" else ""
    render.say(f"{found.name} answers ({took}){cut}: {reply.text}")
    for words in found.said:
        render.say(f"  {words}", "yellow")
