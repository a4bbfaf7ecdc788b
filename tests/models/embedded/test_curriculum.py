"""The curriculum: every skill's draws are well formed, repeatable, gradable, and held out where they say so."""

import json
from random import Random

import pytest

from tunewright.models.embedded import suite, words
from tunewright.models.embedded.curriculum import draw_from, skills
from tunewright.models.embedded.curriculum.shots import UNSEEN

SKILLS = sorted(skills())


@pytest.mark.parametrize("skill", SKILLS)
@pytest.mark.parametrize("held_out", [False, True])
def test_the_gold_answer_scores_one(skill: str, held_out: bool) -> None:
    rng = Random(7)
    for _ in range(200):
        draw = skills()[skill](rng, held_out)
        assert suite.grade(draw, draw.messages[-1][1]) == 1.0
        assert suite.grade(draw, "certainly not this") == 0.0


@pytest.mark.parametrize("skill", SKILLS)
def test_a_draw_is_a_chat_that_ends_with_the_assistant(skill: str) -> None:
    rng = Random(3)
    for _ in range(200):
        draw = skills()[skill](rng, False)
        assert draw.skill == skill
        assert draw.messages[-1][0] == "assistant"
        assert draw.messages[-2][0] == "user"
        assert draw.given < len(draw.messages)
        assert {role for role, _ in draw.messages} <= {"system", "user", "assistant"}
        assert all(text == text.strip() != "" for _, text in draw.messages)


@pytest.mark.parametrize("skill", SKILLS)
def test_a_seed_names_its_draws(skill: str) -> None:
    assert [skills()[skill](Random(5), False) for _ in range(3)] == [
        skills()[skill](Random(5), False) for _ in range(3)
    ]


def test_training_and_held_out_words_are_disjoint() -> None:
    rng = Random(0)
    seen = {world: {words.pseudo(rng, world) for _ in range(2000)} for world in (False, True)}
    assert seen[False].isdisjoint(seen[True])
    names = {world: {words.word(rng, words.PEOPLE, world) for _ in range(500)} for world in (False, True)}
    assert names[False].isdisjoint(names[True])


def test_no_held_out_prompt_occurs_in_training() -> None:
    held = {draw.messages[:-1] for draw in suite.general_suite(16)}
    rng = Random(1)
    trained = {draw_from(skill, rng, False).messages[:-1] for skill in SKILLS for _ in range(1500)}
    assert held.isdisjoint(trained)


def test_the_unseen_format_is_in_no_training_draw() -> None:
    rng = Random(2)
    for skill in SKILLS:
        for _ in range(800):
            text = " ".join(text for _, text in skills()[skill](rng, False).messages)
            assert not any(mark in text for mark in UNSEEN)


def test_the_suite_is_the_same_each_time_and_balanced() -> None:
    first = suite.general_suite(4)
    assert first == suite.general_suite(4)
    assert [sum(draw.skill == skill for draw in first) for skill in SKILLS] == [4] * len(SKILLS)
    assert suite.general_suite(4, seed=1) != first


def test_shots_are_the_only_difference_between_zero_and_four() -> None:
    for bare, shown in zip(suite.unseen_format(8, 0), suite.unseen_format(8, 4), strict=True):
        assert (bare.messages[0], bare.messages[-2:]) == (shown.messages[0], shown.messages[-2:])
        assert len(shown.messages) - len(bare.messages) == 8


def test_the_gold_answers_have_the_unseen_format() -> None:
    assert all(suite.in_unseen_format(draw.messages[-1][1]) for draw in suite.unseen_format(8))
    assert not suite.in_unseen_format("AB-12, Anna")


def test_json_is_graded_by_value_not_by_layout() -> None:
    draw = next(draw for draw in suite.general_suite(4) if draw.grade == "json")
    gold = json.loads(draw.messages[-1][1])
    assert suite.grade(draw, json.dumps(gold, indent=2)) == 1.0
    assert suite.grade(draw, json.dumps({**gold, "more": 1})) == 0.0
