"""data coverage: what rows are about, how evenly, and what of real traffic they do not know."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tunewright.cli.run import PROJECT, SET, open_project

if TYPE_CHECKING:
    from tunewright.data.coverage import Cluster, Coverage, Gap

_MOST_LABELS, _MOST_CLUSTERS = 12, 20


@click.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@PROJECT
@SET
@click.option(
    "--against",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Real traffic: what it asks that no row is near to is told.",
)
@click.option(
    "--column",
    "columns",
    multiple=True,
    metavar="OURS=THEIRS",
    help="Of FILES: input=question, expected=label.",
)
@click.option(
    "--embedding", default="words", show_default=True, metavar="MODEL", help="What places the texts."
)
@click.option("--clusters", type=click.IntRange(1, 500), help="How many; left out, by the number of rows.")
@click.option("--seed", default=0, show_default=True, help="Seeds all that is drawn.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def coverage(
    files: tuple[Path, ...],
    path: str,
    settings: tuple[str, ...],
    against: Path | None,
    columns: tuple[str, ...],
    embedding: str,
    clusters: int | None,
    seed: int,
    as_json: bool,
) -> None:
    """Say what the project's training rows are about, or those of FILES: clusters, labels, rows unlike the rest, gaps."""
    from tunewright.data.embedding_spec import EmbeddingSpec
    from tunewright.project.coverage import Looked, cover_files

    looked = Looked(EmbeddingSpec(model=embedding, seed=seed), clusters, seed)
    if files:
        if settings:
            raise click.UsageError("--set is for a project, and FILES are in none.")
        found = cover_files(files, against=against, columns=dict(map(_mapping, columns)), looked=looked)
    elif columns:
        raise click.UsageError("--column is for FILES; a project says its columns itself.")
    else:
        beside = None if against is None else against.absolute()
        found = open_project(path, settings).coverage(beside, looked)
    if as_json:
        click.echo(found.model_dump_json(indent=1))
    else:
        _say(found)


def _mapping(text: str) -> tuple[str, str]:
    ours, equals, theirs = text.partition("=")
    if not equals or not ours or not theirs:
        raise click.BadParameter(f"{text!r} is not OURS=THEIRS", param_hint="--column")
    return ours, theirs


def _say(found: "Coverage") -> None:
    from tunewright.cli import render

    for note in found.notes:
        render.say(f"{note}.", "dim")
    blank = f", {found.blank:,} of them say nothing" if found.blank else ""
    render.say(f"{found.rows:,} rows{blank}, in {len(found.clusters)} clusters:")
    for cluster in found.clusters[:_MOST_CLUSTERS]:
        _say_cluster(cluster)
    if left := found.clusters[_MOST_CLUSTERS:]:
        render.say(
            f"  and {len(left)} smaller ones, of {sum(one.rows for one in left):,} rows (--json has them)",
            "dim",
        )
    _say_labels(found)
    render.say("Most unlike the rest:")
    for row in found.unlike:
        render.say(f"  {row.place}: {row.text}", "dim")
    if found.traffic is not None:
        _say_gaps(found.gaps, found.traffic)


def _say_cluster(cluster: "Cluster") -> None:
    from tunewright.cli import render

    traffic = "" if cluster.traffic_share is None else f", {cluster.traffic_share:.1%} of traffic"
    labels = ", ".join(f"{one.label} {one.rows:,}" for one in cluster.labels)
    render.say(
        f"  {cluster.rows:>7,} ({cluster.share:.1%}{traffic})  {', '.join(cluster.words) or 'no word of its own'}"
    )
    example = cluster.examples[0].text if cluster.examples else ""
    render.say(f"          {example[:100]}{f'  → {labels}' if labels else ''}", "dim")


def _say_labels(found: "Coverage") -> None:
    from tunewright.cli import render

    if found.balance is None:
        return
    labels = found.balance.labels
    told = [f"{one.label} {one.rows:,}" for one in labels]
    shown = (
        told if len(told) <= _MOST_LABELS else [*told[: _MOST_LABELS // 2], "…", *told[-_MOST_LABELS // 2 :]]
    )
    if len(labels) == 1:
        render.say(f"All rows have one label: {told[0]}")
        return
    render.say(f"{len(labels)} labels, as even as {found.balance.effective:g} equal ones: {', '.join(shown)}")


def _say_gaps(gaps: "tuple[Gap, ...]", traffic: int) -> None:
    from tunewright.cli import render

    if not gaps:
        render.say(f"Of {traffic:,} different questions of traffic, no kind is missing.", "green")
        return
    kinds = "one kind" if len(gaps) == 1 else f"{len(gaps)} kinds"
    render.say(
        f"Of {traffic:,} different questions of traffic, the rows know too little of {kinds}:", "yellow"
    )
    for gap in gaps:
        words = ", ".join(gap.words)
        render.say(
            f"  {words}: {gap.missed:,} of {gap.rows:,} questions. Add about {gap.add:,} rows like these:"
        )
        for row in gap.examples:
            render.say(f"    {row.text}  ({row.place})", "dim")
