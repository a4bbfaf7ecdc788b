"""Gates: what must hold before a release, each with what was asked and what was seen."""

from collections.abc import Iterable

from tunewright.core.errors import UserError
from tunewright.decide.compare import JUDGED
from tunewright.decide.phrase import grader_name, interval, percent, points, span
from tunewright.decide.spec import GatesSpec
from tunewright.decide.verdict import Comparison, GateResult, Interval, Outcome, SliceChange, VariantSummary

KEEPS_GENERAL = "keeps general skill"
"""The gate on what the general suite loses."""


def beats_baselines(outcome: Outcome, comparisons: list[Comparison]) -> GateResult:
    """Better than every rival, beyond chance."""
    weakest = min(comparisons, key=lambda comparison: comparison.difference.low)
    return GateResult(
        name="beats every baseline",
        passed=outcome == "helps",
        asked=f"{grader_name(weakest.grader)} above each of {len(comparisons)}, zero outside the interval",
        seen=f"{interval(weakest.difference)} against {weakest.rival}",
    )


def min_scores(summary: VariantSummary, least: dict[str, float]) -> list[GateResult]:
    """Each grader's mean reaches its least. Raises UserError for a grader the suite does not have."""
    unknown = sorted(least.keys() - summary.scores.keys())
    if unknown:
        raise UserError(
            f"No grader {unknown[0]!r} on the suite {summary.suite!r}.",
            where="gates.min_scores",
            fix=f"It has: {', '.join(summary.scores)}.",
        )
    return [_min_score(grader, summary.scores[grader], bound) for grader, bound in least.items()]


def _min_score(grader: str, score: Interval, least: float) -> GateResult:
    name = grader_name(grader)
    passed = score.value >= least - 1e-9  # a mean of 0.99 summed from floats must pass 0.99
    return GateResult(
        name=f"{name} high enough",
        passed=passed,
        asked=f"at least {percent(least)}",
        seen=f"{percent(score.value)} {span(score)}",
        clause="" if passed else f"{name} is {percent(score.value)} where {percent(least)} is asked",
    )


def general_loss(general: Comparison, skills: Iterable[SliceChange], most: float) -> GateResult:
    """The general suite's mean loses no more than `most` points against the base."""
    lost = -100 * general.difference.value
    passed = lost <= most + 1e-7
    worst = min(skills, key=lambda change: change.difference.value, default=None)
    where = f", most in {worst.value} ({points(worst.difference.value)})" if worst else ""
    return GateResult(
        name=KEEPS_GENERAL,
        passed=passed,
        asked=f"loses at most {most:.1f} points against the base",
        seen=f"{interval(general.difference)}, {general.examples:,} examples",
        clause="" if passed else f"general skill loses {lost:.1f} points where {most:.1f} are allowed{where}",
    )


def failing_slices(slices: Iterable[SliceChange], most: float, confidence: float) -> list[SliceChange]:
    """The slices that lose more than `most` points, and not by chance (Holm-adjusted), the worst first."""
    lost = [
        change
        for change in slices
        if change.p_value is not None
        and change.p_value <= 1 - confidence
        and change.difference.value * 100 < -most - 1e-7
    ]
    return sorted(lost, key=lambda change: change.difference.value)


def slice_loss(slices: Iterable[SliceChange], gates: GatesSpec) -> GateResult | None:
    """No slice of `JUDGED` examples or more loses too much, beyond chance; None when no slice is that large."""
    judged = [change for change in slices if change.p_value is not None]
    if not judged:
        return None
    failing = failing_slices(judged, gates.max_slice_loss, gates.confidence)
    worst = failing[0] if failing else min(judged, key=lambda change: change.difference.value)
    name = f"{worst.field} = {worst.value}"
    lost = f"{name} loses {-100 * worst.difference.value:.1f} points where {gates.max_slice_loss:.1f} are allowed"
    return GateResult(
        name="no slice left behind",
        passed=not failing,
        asked=f"no slice of {JUDGED}+ examples loses more than {gates.max_slice_loss:.1f} points, beyond chance",
        seen=f"{name}: {interval(worst.difference)}, {worst.examples:,} examples",
        clause=lost if failing else "",
    )
