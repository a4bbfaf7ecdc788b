"""Which examples to show: the worst answers, and those that changed most, each beside the best baseline's."""

from typing import NamedTuple

from tunewright.evals.scorecard import Scorecard, ScoredReply
from tunewright.report.data import ExampleText, ReportData
from tunewright.report.text import Piece, compare

SHOWN = 10


class Answer(NamedTuple):
    """One variant's reply to an example, held against the expected answer."""

    variant: str
    score: float
    note: str | None
    """Why it is not 1, or the error of a failed request."""
    pieces: list[Piece]


class ShownExample(NamedTuple):
    """One example with the answers to show side by side."""

    id: str
    text: ExampleText
    answers: list[Answer]
    """The best baseline's (where there is one), then the candidate's."""


def worst(data: ReportData) -> list[ShownExample]:
    """The candidate's lowest scores below 1, the lowest first; equal ones in the suite's order."""
    candidate, baseline = _cards(data)
    if candidate is None:
        return []
    wrong = [reply for reply in candidate.replies if _score(reply, data) < 1]
    wrong.sort(key=lambda reply: _score(reply, data))
    return [_shown(reply, baseline, data) for reply in wrong[:SHOWN]]


def changed(data: ReportData) -> list[ShownExample]:
    """The largest changes of score against the best baseline: half of them losses where there are so many, then gains."""
    candidate, baseline = _cards(data)
    if candidate is None or baseline is None:
        return []
    before = {reply.example: _score(reply, data) for reply in baseline.replies}
    steps = [(_score(r, data) - before[r.example], r) for r in candidate.replies if r.example in before]
    losses = [reply for step, reply in sorted(steps, key=lambda item: item[0]) if step < 0]
    gains = [reply for step, reply in sorted(steps, key=lambda item: -item[0]) if step > 0]
    kept = losses[: max(SHOWN // 2, SHOWN - len(gains))]
    return [_shown(reply, baseline, data) for reply in [*kept, *gains[: SHOWN - len(kept)]]]


def baseline_name(data: ReportData) -> str | None:
    """The baseline shown beside the candidate: the best one."""
    return data.verdict.comparisons[0].rival if data.verdict.comparisons else None


def _cards(data: ReportData) -> tuple[Scorecard | None, Scorecard | None]:
    by_variant = {card.variant: card for card in data.cards if card.suite == data.verdict.suite}
    return by_variant.get(data.verdict.candidate), by_variant.get(baseline_name(data) or "")


def _score(reply: ScoredReply, data: ReportData) -> float:
    score = reply.scores.get(data.verdict.headline)
    return score.value if score else 0.0


def _shown(reply: ScoredReply, baseline: Scorecard | None, data: ReportData) -> ShownExample:
    text = data.examples.get(reply.example, ExampleText("(the text is not at hand)", ""))
    rivals = [other for other in baseline.replies if other.example == reply.example] if baseline else []
    answers = [_answer(baseline.variant, other, text, data) for other in rivals if baseline]
    answers.append(_answer(data.verdict.candidate, reply, text, data))
    return ShownExample(reply.example, text, answers)


def _answer(variant: str, reply: ScoredReply, text: ExampleText, data: ReportData) -> Answer:
    score = reply.scores.get(data.verdict.headline)
    note = reply.error or (score.detail if score else None)
    if reply.finish == "length":
        note = f"cut at the token limit; {note}" if note else "cut at the token limit"
    return Answer(variant, score.value if score else 0.0, note, compare(text.expected, reply.text))
