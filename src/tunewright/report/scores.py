"""Scores as plots and tables: variants, differences, slices, general skills."""

from itertools import groupby

from tunewright.decide.phrase import count, grader_name, interval, percent, point_span, points, span
from tunewright.decide.verdict import Comparison, Interval, SliceChange, VariantSummary, Verdict
from tunewright.report.plots import SHARES, Axis, axis, axis_row, change_row, interval_row
from tunewright.report.tables import Plot, PlotRow, Table

_SLICES = 30
"""The most slices of one field that are drawn: the largest changes."""


def score_plots(verdict: Verdict) -> list[Plot]:
    """For each suite, every variant's headline score with its interval; the target suite first."""
    return [_score_plot(verdict, suite, summaries) for suite, summaries in _suites(verdict).items()]


def grader_tables(verdict: Verdict) -> list[Table]:
    """For each suite with several graders, or with failed or cut replies, every mean by variant."""
    tables = []
    for suite, summaries in _suites(verdict).items():
        graders = list(summaries[0].scores)
        troubled = any(summary.errors or summary.cut for summary in summaries)
        if len(graders) < 2 and not troubled:
            continue
        head = ("Variant", *(grader_name(grader) for grader in graders), "failed", "cut at the limit")
        rows = [
            (
                summary.variant,
                *(_cell(summary.scores.get(grader)) for grader in graders),
                f"{summary.errors:,}",
                f"{summary.cut:,}",
            )
            for summary in summaries
        ]
        tables.append(Table(f"Every grader on {suite}", head, rows, frozenset(range(1, len(head)))))
    return tables


def difference_plot(verdict: Verdict) -> Plot | None:
    """The candidate minus each rival, with zero marked."""
    if not verdict.comparisons:
        return None
    rows = [(c.rival, c.difference, "") for c in verdict.comparisons]
    return _differences(f"Points of {grader_name(verdict.headline)}", "Baseline", rows)


def comparison_table(comparisons: tuple[Comparison, ...]) -> Table:
    """Wins, losses, p value and power of each comparison."""
    rows = [
        (
            c.rival,
            f"{c.wins:,}",
            f"{c.losses:,}",
            f"{c.ties:,}",
            p_text(c.p_value),
            f"{100 * c.detectable:.1f} points",
        )
        for c in comparisons
    ]
    head = ("Baseline", "better", "worse", "equal", "p", "shows from")
    return Table("Examples where the fine-tune is", head, rows, frozenset(range(1, 6)))


def slice_plots(slices: tuple[SliceChange, ...]) -> list[Plot]:
    """One plot of differences for each slice field."""
    plots = []
    for field, group in groupby(slices, key=lambda change: change.field):
        changes = list(group)
        shown = sorted(changes, key=lambda change: -abs(change.difference.value))[:_SLICES]
        kept = [change for change in changes if change in shown]
        more = f", the {_SLICES} largest changes of {len(changes)}" if len(changes) > _SLICES else ""
        plots.append(
            _differences(f"By {field}{more}", field, [(c.value, c.difference, _slice_note(c)) for c in kept])
        )
    return plots


def general_plot(verdict: Verdict) -> Plot:
    """The general suite before and after, overall and skill by skill (those that lost most first)."""
    rows = []
    if verdict.general:
        whole = verdict.general
        rows.append(
            _change(
                "all skills",
                whole.examples,
                whole.rival_mean,
                whole.candidate_mean,
                whole.difference,
                strong=True,
            )
        )
    for skill in sorted(verdict.skills, key=lambda change: change.difference.value):
        rows.append(_change(skill.value, skill.examples, skill.before, skill.after, skill.difference))
    return Plot("General suite, base to fine-tune", "Skill", "score", "points", rows, axis_row(SHARES))


def p_text(p: float) -> str:
    """A p value with three decimals, or that it is smaller."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _suites(verdict: Verdict) -> dict[str, list[VariantSummary]]:
    suites: dict[str, list[VariantSummary]] = {}
    for summary in verdict.variants:
        suites.setdefault(summary.suite, []).append(summary)
    return suites


def _score_plot(verdict: Verdict, suite: str, summaries: list[VariantSummary]) -> Plot:
    target = suite == verdict.suite and verdict.headline in summaries[0].scores
    grader = verdict.headline if target else next(iter(summaries[0].scores))
    rows = [
        PlotRow(
            summary.variant,
            interval_row(
                score.value,
                score.low,
                score.high,
                SHARES,
                "cand" if summary.variant == verdict.candidate else "rival",
                f"{summary.variant}: {percent(score.value)} {span(score)}",
            ),
            percent(score.value),
            span(score),
            strong=summary.variant == verdict.candidate,
        )
        for summary in summaries
        for score in [summary.scores[grader]]
    ]
    caption = f"Suite {suite}, {count(summaries[0].examples, 'example')}"
    return Plot(caption, "Variant", grader_name(grader), "mean", rows, axis_row(SHARES))


def _differences(drawn: str, label: str, rows: list[tuple[str, Interval, str]]) -> Plot:
    scale = _difference_axis([difference for _, difference, _ in rows])
    return Plot(
        drawn,
        label,
        "fine-tune minus baseline",
        "points",
        [
            PlotRow(
                name,
                interval_row(d.value, d.low, d.high, scale, _kind(d), f"{name}: {interval(d)}"),
                points(d.value),
                point_span(d),
                note,
            )
            for name, d, note in rows
        ],
        axis_row(scale, signed=True),
    )


def _difference_axis(differences: list[Interval]) -> Axis:
    low = min([0.0, *(d.low for d in differences)])
    high = max([0.0, *(d.high for d in differences)])
    return axis(low, high) if high > low else axis(-0.01, 0.01)


def _change(
    name: str, examples: int, before: float, after: float, difference: Interval, *, strong: bool = False
) -> PlotRow:
    title = f"{name}: {percent(before)} before, {percent(after)} after"
    return PlotRow(
        name,
        change_row(before, after, _kind(difference), title),
        points(difference.value),
        point_span(difference),
        note=f"{100 * before:.1f} → {percent(after)}, {count(examples, 'example')}",
        strong=strong,
    )


def _slice_note(change: SliceChange) -> str:
    p = "too few to judge" if change.p_value is None else f"p {p_text(change.p_value)}"
    return f"{count(change.examples, 'example')}, {p}"


def _kind(difference: Interval) -> str:
    return "good" if difference.low > 0 else "bad" if difference.high < 0 else "rival"


def _cell(score: Interval | None) -> str:
    return f"{percent(score.value)} {span(score)}" if score else "–"
