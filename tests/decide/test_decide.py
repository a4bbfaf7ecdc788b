"""The verdict on small, made-up scorecards: outcomes, gates, words, refusals."""

import pytest
from pydantic import ValidationError

from tunewright.core.errors import UserError
from tunewright.core.grading import Score
from tunewright.decide.decide import decide
from tunewright.decide.spec import GatesSpec, PriceSpec
from tunewright.decide.verdict import Verdict
from tunewright.evals.scorecard import Scorecard, ScoredReply


def card(variant, values, *, suite="test", grader="exact_match", slices=None, prefix="e"):
    replies = tuple(
        ScoredReply(
            example=f"{prefix}{row}",
            text="yes",
            finish="stop",
            error=None,
            tokens_in=100,
            tokens_out=10,
            scores={grader: Score(value)},
            slices=slices[row] if slices else {},
        )
        for row, value in enumerate(values)
    )
    return Scorecard(variant=variant, suite=suite, graders=(grader,), replies=replies)


def ruling(candidate, *rivals, general=(), clusters=None, prices=None, **gates):
    return decide(
        candidate,
        list(rivals),
        general=general,
        gates=GatesSpec(**gates),
        prices=prices or PriceSpec(),
        clusters=clusters,
    )


def right(count, of):
    return [1.0] * count + [0.0] * (of - count)


def test_helps():
    verdict = ruling(
        card("fine-tune", right(192, 200)), card("prompt", right(10, 200)), card("few-shot-4", right(82, 200))
    )
    assert verdict.outcome == "helps"
    assert verdict.releasable
    assert [comparison.rival for comparison in verdict.comparisons] == ["few-shot-4", "prompt"]
    best = verdict.comparisons[0]
    assert (best.wins, best.losses, best.ties, best.examples) == (110, 0, 90, 200)
    assert verdict.words == (
        "Fine-tuning helps: exact match 96.0 % against 41.0 % for the best baseline (few-shot-4),"
        " +55.0 points [+48.0, +61.5], 200 examples."
    )


def test_one_rival_not_beaten_is_enough_to_doubt():
    tuned = card("fine-tune", right(30, 60))
    verdict = ruling(tuned, card("prompt", right(0, 60)), card("few-shot-2", right(29, 60)))
    assert verdict.outcome == "cannot tell"
    assert not verdict.releasable


def test_does_not_help_when_a_rival_is_better():
    verdict = ruling(card("fine-tune", right(100, 200)), card("few-shot-4", right(160, 200)))
    assert verdict.outcome == "does not help"
    assert verdict.words.startswith("Fine-tuning does not help: exact match 50.0 % against 80.0 %")
    assert verdict.gates[0].passed is False


def test_does_not_help_when_every_gain_worth_having_is_ruled_out():
    verdict = ruling(card("fine-tune", right(900, 1000)), card("few-shot-4", right(900, 1000)))
    assert verdict.outcome == "does not help"
    assert verdict.words.endswith("1,000 examples; a gain of 1 point or more is ruled out.")


def test_cannot_tell_says_how_many_would_do():
    values = right(26, 30)
    verdict = ruling(card("fine-tune", values), card("few-shot-4", [*values[3:], 1.0, 0.0, 0.0]))
    assert verdict.outcome == "cannot tell"
    assert verdict.examples_needed is not None
    assert verdict.examples_needed > 30
    assert "Cannot tell from 30 examples whether fine-tuning helps" in verdict.words
    assert "test examples would settle it." in verdict.words


def test_the_number_that_would_do_does():
    """Repeat the sample as often as `examples_needed` asks, and the outcome is settled."""
    ours, theirs = right(28, 40), [0.0, *right(27, 39)[:-3], 1.0, 0.0, 0.0]
    first = ruling(card("fine-tune", ours), card("prompt", theirs))
    assert first.outcome == "cannot tell"
    assert first.examples_needed is not None
    times = -(-first.examples_needed // 40)
    assert ruling(card("fine-tune", ours * times), card("prompt", theirs * times)).outcome != "cannot tell"


def test_one_example_never_tells():
    verdict = ruling(card("fine-tune", [1.0]), card("prompt", [0.0]))
    assert verdict.outcome == "cannot tell"
    assert "from 1 example " in verdict.words


def test_scores_are_paired_by_id_not_by_place():
    tuned, prompt = card("fine-tune", right(40, 80)), card("prompt", right(40, 80))
    turned = prompt.model_copy(update={"replies": prompt.replies[::-1]})
    assert ruling(tuned, turned).comparisons[0].ties == 80


def test_gates():
    skills = [{"skill": "copy"}] * 40 + [{"skill": "arithmetic"}] * 40
    verdict = ruling(
        card("fine-tune", right(195, 200)),
        card("prompt", right(20, 200)),
        general=(
            card("base", right(80, 80), suite="general", slices=skills),
            card("fine-tune", right(60, 80), suite="general", slices=skills),
        ),
        min_scores={"exact_match": 0.975},
    )
    assert [(gate.name, gate.passed) for gate in verdict.gates] == [
        ("beats every baseline", True),
        ("exact match high enough", True),
        ("keeps general skill", False),
    ]
    assert verdict.outcome == "helps"
    assert not verdict.releasable
    assert verdict.words.endswith(
        " But it is not ready for release: general skill loses 25.0 points where 3.0 are allowed,"
        " most in arithmetic (−50.0)."
    )
    assert [(s.value, s.before, s.after) for s in verdict.skills] == [
        ("arithmetic", 1.0, 0.5),
        ("copy", 1.0, 1.0),
    ]


@pytest.mark.parametrize(("lost", "passes"), [(2, True), (10, False)])
def test_a_slice_fails_only_beyond_chance(lost, passes):
    """2 of 20 lost is within chance; 10 of 20 is not."""
    slices = [{"product": "kettle"}] * 20 + [{"product": "lamp"}] * 80 + [{"product": "few"}] * 4
    tuned = [0.0] * lost + [1.0] * (104 - lost)
    prompt = [1.0] * 20 + [0.0] * 84
    verdict = ruling(card("fine-tune", tuned, slices=slices), card("prompt", prompt))
    assert [(s.value, s.examples) for s in verdict.slices] == [("kettle", 20), ("lamp", 80)]
    gate = next(gate for gate in verdict.gates if gate.name == "no slice left behind")
    assert gate.passed is passes
    assert gate.seen.startswith("product = kettle: −")


@pytest.mark.parametrize(("score", "message"), [(97, "97 does not: 97 % is 0.97"), (-0.1, "-0.1 does not")])
def test_a_least_score_is_a_share(score, message):
    with pytest.raises(ValidationError, match=f"a score lies between 0 and 1, and {message}"):
        GatesSpec(min_scores={"exact_match": score})


def test_further_suites_are_shown_and_decide_nothing():
    cards = card("fine-tune", right(37, 50)), card("prompt", right(31, 50))
    general = [card(name, [1.0], suite="general") for name in ("base", "fine-tune")]
    shown = [*general, card("few-shot-4", [0.0], suite="general")]
    others = [card(name, right(5, 9), suite="mine", grader="number") for name in ("fine-tune", "prompt")]
    plain, more = (
        decide(cards[0], [cards[1]], general=asked, others=own, gates=GatesSpec(), prices=PriceSpec())
        for asked, own in ((general, ()), (shown, others))
    )
    assert [(s.suite, s.variant, s.examples) for s in more.variants] == [
        ("test", "fine-tune", 50),
        ("test", "prompt", 50),
        ("mine", "fine-tune", 9),
        ("mine", "prompt", 9),
        ("general", "fine-tune", 1),
        ("general", "base", 1),
        ("general", "few-shot-4", 1),
    ]
    assert more.model_copy(update={"variants": plain.variants}) == plain


def test_false_alarms_by_simulation():
    """Two equal variants: "helps" in at most 2.5 % of runs and "does not help" seldom, within simulation error."""
    import numpy as np

    generator = np.random.default_rng(8)

    def draw():
        return (generator.random(120) < 0.7).astype(float).tolist()

    outcomes = [
        ruling(card("fine-tune", draw()), card("prompt", draw()), worthwhile_gain=5).outcome
        for _ in range(100)
    ]
    assert outcomes.count("helps") <= 6


def test_costs_come_from_token_prices():
    verdict = ruling(
        card("fine-tune", [1.0, 1.0]),
        card("prompt", [0.0, 1.0]),
        prices=PriceSpec(input_per_million=0.5, output_per_million=2.0),
    )
    assert [summary.cost_per_1000 for summary in verdict.variants] == [pytest.approx(0.07)] * 2


def test_clusters_widen_the_interval():
    values, other = right(60, 100), right(40, 100)
    plain = ruling(card("fine-tune", values), card("prompt", other))
    grouped = ruling(
        card("fine-tune", values),
        card("prompt", other),
        clusters={f"e{row}": str(row // 20) for row in range(100)},
    )
    assert plain.outcome == "helps"
    assert grouped.outcome == "cannot tell"


def test_deterministic_and_serialisable():
    cards = card("fine-tune", right(37, 50)), card("prompt", right(31, 50))
    verdict = ruling(*cards)
    assert ruling(*cards).model_dump_json() == verdict.model_dump_json()
    assert Verdict.model_validate_json(verdict.model_dump_json()) == verdict


@pytest.mark.parametrize(
    ("cards", "message"),
    [
        ([card("fine-tune", [1.0])], "no baseline"),
        ([card("fine-tune", []), card("prompt", [])], "no scored examples"),
        ([card("fine-tune", [1.0]), card("prompt", [1.0, 0.0])], "'e1' is in one of them only"),
        ([card("fine-tune", [1.0]), card("prompt", [1.0], prefix="x")], "not scored on the same examples"),
        ([card("fine-tune", [1.0]), card("prompt", [1.0], grader="number")], "no score by 'exact_match'"),
    ],
)
def test_refusals(cards, message):
    with pytest.raises(UserError, match=message):
        ruling(*cards)


def test_a_repeated_example_is_refused():
    once = card("fine-tune", [1.0])
    twice = once.model_copy(update={"replies": once.replies * 2})
    with pytest.raises(UserError, match="scored twice"):
        ruling(twice, once)


def test_a_gate_on_an_unknown_grader_is_refused():
    with pytest.raises(UserError, match=r"gates.min_scores: No grader 'json_schema'"):
        ruling(card("fine-tune", [1.0]), card("prompt", [0.0]), min_scores={"json_schema": 0.9})
