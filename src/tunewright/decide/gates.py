"""Gates: what must hold before a release, each with what was asked and what was seen."""

from collections.abc import Iterable

from tunewright.core.errors import UserError
from tunewright.decide.compare import JUDGED
from tunewright.decide.phrase import grader_name, interval, minus, percent, points, span
from tunewright.decide.spec import GatesSpec
from tunewright.decide.verdict import Comparison, GateResult, Outcome, SliceChange, VariantSummary


def beats_baselines(outcome: Outcome, comparisons: list[Comparison]) -> GateResult:
    """Better than every rival, beyond chance."""
    weakest = min(comparisons, key=lambda comparison: comparison.difference.low)
    return GateResult(
        name="beats every baseline",
        passed=outcome == "helps",
        asked=f"{grader_name(weakest.grader)} above each of {len(comparisons)}, zero outside the interval",
        seen=f"{interval(weakest.difference)} points against {weakest.rival}",
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
    return [
        GateResult(
            name=f"least {grader_name(grader)}",
            # a mean of 0.99 summed from floats must pass 0.99
            passed=summary.scores[grader].value >= bound - 1e-9,
            asked=f"at least {percent(bound)}",
            seen=f"{percent(summary.scores[grader].value)} {span(summary.scores[grader])}",
        )
        for grader, bound in least.items()
    ]


def general_loss(general: Comparison, most: float) -> GateResult:
    """The general suite's mean loses no more than `most` points against the base."""
    return GateResult(
        name="keeps general skill",
        passed=general.difference.value * 100 >= -most - 1e-7,
        asked=f"loses at most {most:.1f} points against {general.rival}",
        seen=f"{interval(general.difference)} points, {general.examples:,} examples",
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
    return GateResult(
        name="no slice left behind",
        passed=not failing,
        asked=f"no slice of {JUDGED}+ examples loses more than {gates.max_slice_loss:.1f} points, beyond chance",
        seen=f"{worst.field} = {worst.value}: {interval(worst.difference)} points, {worst.examples:,} examples",
    )


def lost_skill(skills: Iterable[SliceChange]) -> str | None:
    """The general skill that lost most, in words; None when none lost."""
    worst = min(skills, key=lambda change: change.difference.value, default=None)
    if worst is None or worst.difference.value >= 0:
        return None
    return f"{worst.value} ({minus(points(worst.difference.value))})"
