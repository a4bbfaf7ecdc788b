"""The verdict in words: what a person who decides reads first, with the numbers it rests on."""

from tunewright.decide.outcome import Finding
from tunewright.decide.phrase import about, count, grader_name, interval, percent
from tunewright.decide.verdict import Comparison, GateResult

_OPENING = {
    "helps": "Fine-tuning helps",
    "does not help": "Fine-tuning does not help",
}


def verdict_words(finding: Finding, best: Comparison, gates: list[GateResult], margin_points: float) -> str:
    """One sentence for the outcome; others for what follows: examples to collect, gates that fail."""
    sentences = [_outcome(finding, best, margin_points)]
    if finding.outcome == "cannot tell" and finding.examples_needed is not None:
        sentences.append(f"About {about(finding.examples_needed)} test examples would settle it.")
    clauses = "; ".join(gate.clause for gate in gates if gate.clause)
    if clauses:
        opening = "But it is not ready for release" if finding.outcome == "helps" else "Besides"
        sentences.append(f"{opening}: {clauses}.")
    return " ".join(sentences)


def _outcome(finding: Finding, best: Comparison, margin_points: float) -> str:
    deciding = finding.deciding
    rival = f"the best baseline ({deciding.rival})" if deciding.rival == best.rival else deciding.rival
    numbers = (
        f"{grader_name(deciding.grader)} {percent(deciding.candidate_mean)} against"
        f" {percent(deciding.rival_mean)} for {rival}, {interval(deciding.difference)}"
    )
    examples = count(deciding.examples, "example")
    if finding.outcome == "cannot tell":
        return f"Cannot tell from {examples} whether fine-tuning helps: {numbers}."
    # worse beyond doubt speaks for itself; a gain too small to matter has to be explained
    ruled_out = finding.outcome == "does not help" and deciding.difference.high >= 0
    reason = (
        f"; a gain of {margin_points:g} {'point' if margin_points == 1 else 'points'} or more is ruled out"
        if ruled_out
        else ""
    )
    return f"{_OPENING[finding.outcome]}: {numbers}, {examples}{reason}."
