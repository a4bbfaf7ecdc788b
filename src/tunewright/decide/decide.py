"""Decide: from scorecards to a verdict.

verdict = decide(tuned, [prompt, few_shot], general=(base, tuned_general), gates=GatesSpec(), prices=PriceSpec())
verdict.words        # "Fine-tuning helps: field accuracy 96.1 % against 41.2 % for the best baseline (few-shot-4), …"
"""

from collections.abc import Sequence

from tunewright.core.errors import UserError
from tunewright.decide.compare import Clusters, compare, pair, slice_changes, summarise
from tunewright.decide.gates import beats_baselines, general_loss, min_scores, slice_loss
from tunewright.decide.outcome import find
from tunewright.decide.spec import GatesSpec, PriceSpec
from tunewright.decide.verdict import Comparison, GateResult, SliceChange, VariantSummary, Verdict
from tunewright.decide.words import verdict_words
from tunewright.evals.scorecard import Scorecard


def decide(
    candidate: Scorecard,
    rivals: list[Scorecard],
    *,
    general: Sequence[Scorecard] = (),
    others: Sequence[Scorecard] = (),
    gates: GatesSpec,
    prices: PriceSpec,
    clusters: Clusters | None = None,
) -> Verdict:
    """Compare the candidate with every rival on its suite, by the headline grader, and try the gates.

    `general` are cards on the general suite: the base's, the candidate's, and after them those of rivals, which are shown
    and decide nothing. So are `others`, cards on further suites. `clusters` maps example ids to groups that are not
    independent. Equal cards give an equal verdict. Raises UserError when there is no rival, or when cards are empty or do
    not hold the same examples.
    """
    if not rivals:
        raise UserError(
            "There is no baseline to compare the fine-tune with.",
            where="baselines",
            fix="Add one, such as the base with the prompt alone.",
        )
    headline, confidence = candidate.graders[0], gates.confidence
    comparisons, ranked = _ranked(candidate, rivals, headline, confidence, clusters)
    pairs = [pair(candidate, rival, headline) for rival in ranked]
    finding = find(comparisons, pairs, gates, clusters)
    slices = slice_changes(candidate, ranked[0], headline, confidence, clusters)
    overall, skills = _general(general, confidence)
    summaries = [summarise(card, prices, confidence, clusters) for card in [candidate, *rivals, *others]]
    results: list[GateResult | None] = [
        beats_baselines(finding.outcome, comparisons) if gates.beats_baselines else None,
        *min_scores(summaries[0], gates.min_scores),
        general_loss(overall, skills, gates.max_general_loss) if overall else None,
        slice_loss(slices, gates),
    ]
    tried = [result for result in results if result is not None]
    return Verdict(
        outcome=finding.outcome,
        words=verdict_words(finding, comparisons[0], tried, gates.worthwhile_gain),
        headline=headline,
        candidate=candidate.variant,
        comparisons=tuple(comparisons),
        variants=(*summaries, *_general_summaries(general, prices, confidence)),
        slices=slices,
        gates=tuple(tried),
        examples_needed=finding.examples_needed,
        suite=candidate.suite,
        confidence=confidence,
        general=overall,
        skills=skills,
    )


def _ranked(
    candidate: Scorecard,
    rivals: list[Scorecard],
    headline: str,
    confidence: float,
    clusters: Clusters | None,
) -> tuple[list[Comparison], list[Scorecard]]:
    """Comparisons and their rivals, the best rival first; equal ones in the order given."""
    both = [(compare(candidate, rival, headline, confidence, clusters), rival) for rival in rivals]
    both.sort(key=lambda item: -item[0].rival_mean)
    return [comparison for comparison, _ in both], [rival for _, rival in both]


def _general(
    general: Sequence[Scorecard], confidence: float
) -> tuple[Comparison | None, tuple[SliceChange, ...]]:
    if not general:
        return None, ()
    base, tuned = general[:2]
    grader = tuned.graders[0]
    return compare(tuned, base, grader, confidence), slice_changes(tuned, base, grader, confidence)


def _general_summaries(
    general: Sequence[Scorecard], prices: PriceSpec, confidence: float
) -> list[VariantSummary]:
    return [summarise(card, prices, confidence) for card in (*reversed(general[:2]), *general[2:])]
