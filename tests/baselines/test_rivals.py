"""The rivals: which rows are shown, in which order, and which number of them wins."""

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from tunewright.baselines import few_shot, prompt
from tunewright.baselines.spec import BaselinesSpec
from tunewright.core.example import Example, ask, make_example
from tunewright.core.generation import Decoding
from tunewright.evals.scorecard import Scorecard
from tunewright.generate.variant import Variant
from tunewright.models.base import Base

BASE = Base("embedded", Path("weights"), "c0ffee")


def labelled(count: int = 60) -> list[Example]:
    """Tickets of three labels, the first the most common, of growing length."""
    labels = ["billing"] * 3 + ["delivery"] * 2 + ["return"]
    return [make_example(ask(f"ticket {i} " + "x" * i, labels[i % 6])) for i in range(count)]


def answers(shots: list) -> list[str]:
    return [shot[-1].content for shot in shots]


def test_each_label_is_shown_before_one_comes_again() -> None:
    shots = few_shot.choose_shots(labelled(), 5, seed=0)
    assert answers(shots) == ["billing", "delivery", "return", "billing", "delivery"]
    assert few_shot.choose_shots(labelled(), 2, seed=0) == shots[:2]
    assert few_shot.choose_shots(labelled(), 5, seed=1) != shots
    assert all(len(shot[0].content) < 65 for shot in few_shot.choose_shots(labelled(), 30, seed=0))


def test_json_shots_show_optional_fields_there_and_left_out() -> None:
    rows = [
        {"kind": ["bug", "idea"][i % 2], "name": f"n{i}"} | ({"order": i} if i % 4 == 0 else {})
        for i in range(40)
    ]
    train = [make_example(ask(f"ticket {i}", json.dumps(row))) for i, row in enumerate(rows)]
    shown = [json.loads(answer) for answer in answers(few_shot.choose_shots(train, 3, seed=0))]
    assert {row["kind"] for row in shown} == {"bug", "idea"}
    assert {"order" in row for row in shown} == {True, False}


def test_variants() -> None:
    spec = BaselinesSpec(few_shot=(4, 2, 2, 100))
    train, decoding = labelled(), Decoding(max_new_tokens=8)
    found = few_shot.candidates(spec, train, base=BASE, system="Label it.", decoding=decoding)
    plain = prompt.variant(base=BASE, system="Label it.", decoding=decoding)
    shots = tuple(few_shot.choose_shots(train, 4, seed=0))
    assert plain == Variant(name="prompt", base_hash="c0ffee", system="Label it.", decoding=decoding)
    assert found == [
        plain.model_copy(update={"name": "few-shot-2", "shots": shots[:2]}),
        plain.model_copy(update={"name": "few-shot-4", "shots": shots}),
    ]
    none = BaselinesSpec(few_shot=())
    assert few_shot.candidates(none, train, base=BASE, system="", decoding=decoding) == []
    assert few_shot.candidates(spec, [], base=BASE, system="", decoding=decoding) == []


def test_numbers_of_shots_that_the_rows_do_not_reach_are_told() -> None:
    spec = BaselinesSpec(few_shot=(100, 54, 55, 2))
    found = few_shot.left_out(spec, labelled(60))  # without the longest tenth, 54 can be shown
    assert found == few_shot.LeftOut((55, 100), 54)
    assert found.words == "few-shot with 55, 100 is left out: only 54 of the training rows can be shown"
    shown = few_shot.candidates(spec, labelled(60), base=BASE, system="", decoding=Decoding())
    assert [variant.name for variant in shown] == ["few-shot-2", "few-shot-54"]
    assert few_shot.left_out(BaselinesSpec(few_shot=(54,)), labelled(60)) is None
    assert few_shot.left_out(BaselinesSpec(few_shot=()), []) is None


def test_what_a_base_is_called_is_no_part_of_a_variant() -> None:
    spec, train, moved = BaselinesSpec(), labelled(), BASE._replace(ref="/elsewhere/embedded")
    first, second = (
        few_shot.candidates(spec, train, base=base, system="", decoding=Decoding()) for base in (BASE, moved)
    )
    assert first == second


def test_the_seed_draws_the_shots() -> None:
    drawn = [
        few_shot.candidates(
            BaselinesSpec(few_shot=(4,), seed=seed), labelled(), base=BASE, system="", decoding=Decoding()
        )
        for seed in (0, 0, 1)
    ]
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_fine_tune_needs_a_rival() -> None:
    with pytest.raises(ValidationError, match="there is no rival to compare the fine-tune with"):
        BaselinesSpec(prompt=False, few_shot=())
    assert BaselinesSpec(prompt=False).few_shot == (2, 4)


def test_the_best_mean_wins_and_fewer_shots_break_a_tie() -> None:
    def card(variant: str, values: list[float]) -> Scorecard:
        replies = [
            {
                "example": str(i), "text": "", "finish": "stop", "error": None, "tokens_in": 1, "tokens_out": 1,
                "scores": {"exact_match": [value, None, None]}, "slices": {},
            }
            for i, value in enumerate(values)
        ]  # fmt: skip
        return Scorecard.model_validate(
            {"variant": variant, "suite": "dev", "graders": ["exact_match"], "replies": replies}
        )

    two, four, eight = card("few-shot-2", [1, 0]), card("few-shot-4", [0, 1]), card("few-shot-8", [1, 1])
    assert few_shot.choose([two, four]) == "few-shot-2"
    assert few_shot.choose([two, four, eight]) == "few-shot-8"
