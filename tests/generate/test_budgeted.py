"""A teacher's budget, and where asking stops."""

import pytest
from asking import prompts
from echoing import Echo

from tunewright.core.errors import ModelError
from tunewright.core.generation import BUDGET, Decoding, Reply
from tunewright.core.message import Conversation
from tunewright.generate.budgeted import Budget, Budgeted, Spent

FREE = Budget()


class Uneven(Echo):
    """Its answers have from 1 to 30 tokens, by the question."""

    def _reply(self, conversation: Conversation, decoding: Decoding) -> Reply:
        number = int(conversation[-1].content.split()[0])
        return super()._reply(conversation, decoding)._replace(tokens_out=1 + number * 7 % 30)


def errors(replies: list[Reply]) -> list[str | None]:
    return [reply.error for reply in replies]


def test_no_more_answers_are_asked_for_than_may_be():
    echo, told = Echo(), list[tuple[int, str | None]]()
    teacher = Budgeted(echo, Budget(max_calls=5))
    found = teacher.generate(prompts(3), Decoding()) + teacher.generate(
        prompts(4), Decoding(), lambda index, reply: told.append((index, reply.error))
    )
    assert errors(found) == [None] * 5 + [BUDGET] * 2
    assert len(echo.asked) == 5
    assert sorted(told) == [(0, None), (1, None), (2, BUDGET), (3, BUDGET)]
    assert teacher.spent == Spent(calls=5, failed=0, tokens_in=50, tokens_out=100, cost=0.0, refused=2)


def test_no_more_is_spent_than_may_be():
    echo = Echo()
    price = Budget(max_cost=0.01, price_in=5, price_out=10)  # an answer costs 0.00025
    teacher = Budgeted(echo, price)
    found = teacher.generate(prompts(100), Decoding())
    assert errors(found) == [None] * 40 + [BUDGET] * 60
    assert teacher.spent.cost == pytest.approx(0.01)
    again = Budgeted(Echo(), price)
    asked = [prompts(100)[begin : begin + 7] for begin in range(0, 100, 7)]
    assert [error for some in asked for error in errors(again.generate(some, Decoding()))] == errors(found)


def test_replies_keep_their_places():
    teacher = Budgeted(Echo(), Budget(max_cost=1, price_out=1))
    found = teacher.generate(prompts(9), Decoding())
    assert [reply.text.partition(" #")[0] for reply in found] == [prompt[0].content for prompt in prompts(9)]


def test_asking_stops_where_most_of_the_first_fail():
    echo = Echo(lambda nth: "the server is down" if nth % 3 else "odd")
    with pytest.raises(ModelError) as caught:
        Budgeted(echo, FREE, where="teachers.big").generate(prompts(100), Decoding())
    assert str(caught.value) == (
        "teachers.big: 20 of 20 answers failed, mostly since the server is down."
        " What was answered is kept: run again when that is mended."
    )


def test_asking_stops_where_most_of_any_fifty_fail():
    echo = Echo(lambda nth: "late" if nth > 60 else None)
    teacher = Budgeted(echo, FREE)
    teacher.generate(prompts(60), Decoding())
    for _ in range(5):
        teacher.generate(prompts(5), Decoding())
    with pytest.raises(ModelError, match="26 of 50 answers failed, mostly since late"):
        teacher.generate(prompts(5), Decoding())
    assert len(echo.asked) == 90


def test_some_may_fail():
    teacher = Budgeted(Echo(lambda nth: "odd" if nth % 2 else None), FREE)
    found = teacher.generate(prompts(200), Decoding())
    assert errors(found).count("odd") == 100


def test_money_ends_where_it_would_if_one_were_asked_after_the_other():
    budget, decoding = Budget(max_cost=0.004, price_in=1, price_out=10), Decoding(max_new_tokens=30)
    for size in (1, 7, 60):
        teacher = Budgeted(Uneven(), budget)
        asked = prompts(60)
        found = [
            error
            for begin in range(0, 60, size)
            for error in errors(teacher.generate(asked[begin : begin + size], decoding))
        ]
        assert found.index(BUDGET) == 25
        assert teacher.spent.cost < 0.004 + 0.00031


def test_money_holds_where_the_first_answers_fail():
    echo = Echo(lambda nth: "odd" if nth == 1 else None)
    teacher = Budgeted(echo, Budget(max_cost=0.0005, price_in=5, price_out=10))
    assert errors(teacher.generate(prompts(100), Decoding())) == ["odd", None, None] + [BUDGET] * 97


def test_one_question_without_an_answer_ends_nothing():
    teacher = Budgeted(Echo(lambda nth: "filtered" if nth == 1 else None), FREE)
    assert errors(teacher.generate(prompts(1), Decoding())) == ["filtered"]
    assert errors(teacher.generate(prompts(2), Decoding())) == [None, None]


def test_a_few_questions_without_any_answer_are_no_result():
    with pytest.raises(ModelError, match="none of 3 questions was answered, mostly since the key is wrong"):
        Budgeted(Echo(lambda nth: "the key is wrong"), FREE).generate(prompts(3), Decoding())
    assert Budgeted(Echo(), FREE).generate([], Decoding()) == []
