"""The top of the page: the outcome, the numbers it rests on, whether it may be released."""

from typing import NamedTuple

from tunewright.decide.phrase import count, grader_name, percent, point_span, points, span
from tunewright.decide.verdict import Verdict

_TONES = {"helps": "good", "does not help": "bad", "cannot tell": "unsure"}


class Figure(NamedTuple):
    """A number set large."""

    name: str
    value: str
    note: str


def tone(verdict: Verdict) -> str:
    """The outcome's colour: good, bad or unsure."""
    return _TONES[verdict.outcome]


def title_and_words(verdict: Verdict) -> tuple[str, str]:
    """The verdict's words, parted where its numbers begin, so that the outcome can stand large above them."""
    title, _, rest = verdict.words.partition(": ")
    return title, (rest[:1].upper() + rest[1:]) or verdict.words


def figures(verdict: Verdict) -> list[Figure]:
    """The fine-tune's score, the best baseline's, and the difference."""
    if not verdict.comparisons:
        return []
    best = verdict.comparisons[0]
    grader = grader_name(verdict.headline)
    ranges = {
        summary.variant: f"{span(summary.scores[verdict.headline])}"
        for summary in verdict.variants
        if summary.suite == verdict.suite and verdict.headline in summary.scores
    }
    shown = [
        Figure(f"{grader}, {name}", percent(mean), ranges.get(variant, ""))
        for name, variant, mean in (
            ("fine-tuned", verdict.candidate, best.candidate_mean),
            (f"best baseline ({best.rival})", best.rival, best.rival_mean),
        )
    ]
    return [
        *shown,
        Figure("difference, in points", points(best.difference.value), point_span(best.difference)),
    ]


def release(verdict: Verdict) -> str:
    """Whether it may be released, and how many gates forbid it."""
    failed = sum(not gate.passed for gate in verdict.gates)
    if not failed:
        return "Ready for release: every gate passes"
    return f"Held back: {failed} of {count(len(verdict.gates), 'gate')} {'fails' if failed == 1 else 'fail'}"
