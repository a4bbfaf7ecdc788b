"""data review: rows one after the other, each accepted, rejected or edited by a key."""

import sys
from pathlib import Path
from typing import Any

import click

from tunewright.cli.run import PROJECT, SET, open_project

NOT_YET = "They do not count yet: put `- {op: review}` at the end of the recipe, then `tunewright run`."


@click.command()
@PROJECT
@SET
@click.option("--rows", type=click.IntRange(1), help="At most so many rows.")
@click.option(
    "--row", multiple=True, metavar="PLACE", help="Just this row (tickets.csv:12, or an id); several times."
)
@click.option("--of", metavar="OPERATION", help="Rows that this operation changed.")
@click.option("--where", metavar="EXPRESSION", help="Rows of which it is true: 'chars > 2000'.")
@click.option(
    "--finding", metavar="KIND", help="Rows that the audit finds odd: secret, contradiction, …; any."
)
@click.option("--lowest", metavar="FIELD", help="Rows with the lowest numbers in a field first.")
@click.option("--second", is_flag=True, help="Rows that others reviewed and you did not.")
@click.option("--disagreed", is_flag=True, help="Rows that reviewers judged differently.")
@click.option("--again", is_flag=True, help="Reviewed rows as well, behind the others.")
@click.option("--in-order", is_flag=True, help="In the order in which they stand, not drawn at random.")
@click.option("--seed", default=0, help="Seeds the draw.")
@click.option("--by", metavar="NAME", help="Who reviews; left out, the machine's user.")
@click.option("--at", metavar="OPERATION", help="Which review, where the recipe has several.")
@click.option(
    "--export", type=click.Path(path_type=Path), help="Write the queue to a file, for another tool."
)
@click.option(
    "--decisions", type=click.Path(path_type=Path), help="Take in decisions: an exported queue, or reviews."
)
@click.option("--status", "wants_status", is_flag=True, help="Say how far the review is, and who agrees.")
@click.option("--json", "as_json", is_flag=True, help="The status as JSON.")
def review(
    path: str,
    settings: tuple[str, ...],
    by: str | None,
    at: str | None,
    export: Path | None,
    decisions: Path | None,
    wants_status: bool,
    as_json: bool,
    **selection: Any,
) -> int:
    """Look at rows one by one and accept, reject or edit them; without a choice, rows that nobody reviewed, at random.

    Decisions go to reviews.jsonl in the project's folder, and count through `- {op: review}` in the recipe.
    """
    from tunewright.cli import render

    asks = not (export or decisions or wants_status)
    if asks and not (sys.stdin.isatty() and sys.stdout.isatty()):
        _refuse_without_terminal()
    queue = open_project(path, settings).review(
        {name: value for name, value in selection.items() if value is not None}, by=by, at=at
    )
    if decisions:
        _say_taken(queue.take(decisions), decisions, queue)
    if export:
        render.say(f"{queue.export(export):,} rows to review: {export}")
    if wants_status:
        _say_status(queue.status(), as_json)
    if not asks:
        return 0
    from tunewright.cli.review.session import Session

    return Session(queue).run()


def _refuse_without_terminal() -> None:
    from tunewright.core.errors import UserError

    raise UserError(
        "a review asks for keys, and here is no terminal",
        fix="Write the queue to a file (--export queue.jsonl), fill in the verdicts, take it in (--decisions queue.jsonl).",
    )


def _say_taken(taken: Any, path: Path, queue: Any) -> None:
    from tunewright.cli import render

    silent = f", {taken.silent:,} lines without a verdict" if taken.silent else ""
    render.say(f"{path}: {taken.new:,} new decisions, {taken.known:,} known ones{silent} → {queue.path}")
    if not queue.counts:
        render.say(NOT_YET, "yellow")
    if taken.disagreed:
        named = ", ".join(taken.disagreed[:3])
        more = f" and {len(taken.disagreed) - 3:,} more" if len(taken.disagreed) > 3 else ""
        render.say(
            f"Judged differently by two people, the later judgement counts: {named}{more}."
            " Look at them: tunewright data review --disagreed",
            "yellow",
        )


def _say_status(status: Any, as_json: bool) -> None:
    from tunewright.cli import render

    if as_json:
        click.echo(status.model_dump_json(indent=1))
        return
    render.say(f"{status.words}; {status.left:,} are left.")
    if status.reviewers:
        head = ["reviewer", "rows", "accepted", "edited", "rejected", "accepted of drawn (95 % interval)"]
        rows = [_judged(one.by or "—", one.rows, one) for one in status.reviewers]
        render.table(head, [*rows, _judged("all", status.reviewed, status)], right=(1, 2, 3, 4, 5))
    for pair in status.pairs:
        render.say(_agreement(pair))
    if status.shown:
        said = "1 row was" if status.shown == 1 else f"{status.shown:,} rows were"
        render.say(
            f"{said} judged with another's decision shown (--again, --disagreed, --row): that says nothing of how far"
            " reviewers agree, and is left out there.",
            "dim",
        )
    if status.disagreed:
        render.say(f"Judged differently: {', '.join(status.disagreed)}.", "yellow")
    for reason, count in list(status.reasons.items())[:9]:
        render.say(f"  {count:,} × rejected: {reason}")
    for places, fate in (
        (status.older, "said something else when they were reviewed"),
        (status.gone, "are gone"),
    ):
        if places:
            render.say(f"Reviewed rows that {fate}: {', '.join(places)}.", "yellow")


def _judged(name: str, rows: int, one: Any) -> tuple[str, ...]:
    """A line of the table: only rows that were drawn speak for others, and have an interval."""
    parts = [f"{part.count:,}  {part.value:.1%}" for part in (one.accept, one.edit, one.reject)]
    drawn = one.drawn_accept
    told = (
        f"{drawn.count:,} of {drawn.of:,}  {drawn.value:.1%} ({100 * drawn.low:.0f}–{drawn.high:.0%})"
        if drawn
        else "none drawn"
    )
    return name, f"{rows:,}", *parts, told


def _agreement(pair: Any) -> str:
    names = f"{pair.first or 'somebody'} and {pair.second or 'somebody'}"
    alike = f"{names} both judged {pair.rows:,} row{'s' * (pair.rows != 1)}, {pair.alike.value:.1%} alike"
    if pair.kappa is None:
        return f"{alike}; both give one verdict to all, of which Cohen's κ says nothing."
    return (
        f"{alike}, where chance would make {pair.by_chance:.1%}: Cohen's κ {pair.kappa:.2f}"
        f" (95 % interval {pair.kappa_low:.2f} to {pair.kappa_high:.2f})."
    )
