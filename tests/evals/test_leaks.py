"""Leaks: a suite's examples that ask what rows of train or dev ask, told with the first and the count."""

import random
from collections.abc import Iterator

import pytest

from tunewright.core.example import Example, Origin, ask, make_example
from tunewright.evals.leaks import Leak, leaks, near_leaks
from tunewright.evals.suite import Suite


def rows(file: str, *questions: str) -> tuple[Example, ...]:
    return tuple(
        make_example(ask(question, file), origin=Origin(source="s", file=file, row=number))
        for number, question in enumerate(questions, 1)
    )


def suite(name: str, *questions: str) -> Suite:
    return Suite(name, rows(f"{name}.jsonl", *questions), lambda _: (), ())


def test_the_same_question_is_a_leak_whatever_its_answer_case_and_blanks() -> None:
    train = rows("rows.csv", "Where is it?", "And when?")
    found = leaks([suite("target", "why?", "where  is IT?", "and when?"), suite("mine", "Who?")], train)
    assert found == {
        "target": Leak(
            "of its 3 examples, 2 ask what training rows ask, and scores on them flatter the fine-tune."
            " The first asks what rows.csv:1 asks",
            where="suites.target, target.jsonl:2",
            fix="Take such rows out of the suite's file, or out of the sources.",
            count=2,
            of=3,
            pairs=(
                ("target.jsonl:2", "rows.csv:1", "where is IT?"),
                ("target.jsonl:3", "rows.csv:2", "and when?"),
            ),
        )
    }


def test_a_question_below_the_tasks_own_prompt_and_in_other_typography_is_a_leak() -> None:
    train = rows("rows.csv", "Don't go?")
    told = make_example(ask("Don’t go\u200b？", "a", system="Answer with the label."))
    other = make_example(ask("Do go?", "a", system="Answer with the label."))
    own = Suite("target", (other, told), lambda _: (), ())
    assert leaks([own], train)["target"].where == f"suites.target, {told.place}"
    assert leaks([own._replace(examples=(other,))], train) == {}


def test_a_suite_that_asks_one_thing_about_texts_of_its_own_is_no_leak() -> None:
    def about(*texts: int) -> tuple[Example, ...]:
        return tuple(make_example(ask("Summarise.", "a", system=f"Text {at}")) for at in texts)

    def own(*texts: int) -> Suite:
        return Suite("target", about(*texts), lambda _: (), ())

    train = about(*range(9))
    assert leaks([own(10, 11)], train) == {}
    assert leaks([own(10, 8)], train)["target"].where == f"suites.target, {about(8)[0].place}"


class Read(list[Example]):
    """Rows that count how often all of them are read."""

    times = 0

    def __iter__(self) -> Iterator[Example]:
        self.times += 1
        return super().__iter__()


def test_rows_are_read_once_for_all_suites_and_each_has_the_first_row() -> None:
    train = Read(rows("rows.csv", *(f"question {at}" for at in range(200)), "question 7"))
    several = [suite(f"s{at}", "why?", f"question {at}", f"QUESTION {at}") for at in range(20)]
    found = leaks(several, train)
    assert train.times == 1
    assert [problem.message.rpartition("first asks ")[2] for problem in found.values()] == [
        f"what rows.csv:{at + 1} asks" for at in range(20)
    ]
    assert all(problem.message.startswith("of its 3 examples, 2 ask") for problem in found.values())


def test_questions_of_dev_are_told_as_such() -> None:
    found = leaks(
        [suite("mine", "Who?"), suite("target", "why?", "And when?")], rows("rows.csv", "why?"), "dev"
    )
    assert found == {
        "target": Leak(
            "of its 2 examples, 1 ask what dev rows ask, by which checkpoint, worked examples and strength are chosen:"
            " scores on them flatter. The first asks what rows.csv:1 asks",
            where="suites.target, target.jsonl:1",
            fix="Take such rows out of the suite's file, or out of the sources.",
            count=1,
            of=2,
            pairs=(("target.jsonl:1", "rows.csv:1", "why?"),),
        )
    }


def questions(count: int, seed: int) -> list[str]:
    rng = random.Random(seed)
    return [" ".join(rng.choices([f"word{n}" for n in range(60)], k=14)) for _ in range(count)]


def test_examples_that_training_nearly_holds_are_a_warning_with_the_closest_row() -> None:
    asked, train = questions(60, 2), [*rows("rows.csv", *questions(400, 1))]
    for at in range(8):
        train[at] = make_example(
            ask("Write a question.", f"please {asked[at]}"), origin=train[at].origin, fields={"n": at}
        )
    train[9] = make_example(ask(asked[9], "x"), origin=train[9].origin)
    found = near_leaks([suite("mine", *asked), suite("clean", *questions(60, 3))], train)
    assert found == {
        "mine": Leak(
            "of 59 of its examples, 8 are nearly what training rows say, and scores on them may flatter. The closest is near"
            " rows.csv:1",
            where="suites.mine, mine.jsonl:1",
            fix="Drop such rows, - {op: decontaminate, against: [suites]}, or take them out of the suite.",
            count=8,
            of=59,
            pairs=tuple((f"mine.jsonl:{at}", f"rows.csv:{at}", asked[at - 1]) for at in (1, 2, 3)),
        )
    }
    assert near_leaks([suite("mine", *asked)], []) == near_leaks([suite("mine")], train) == {}


def test_one_example_that_stands_whole_in_a_row_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = questions(60, 2)
    train = rows("rows.csv", *questions(300, 1), f"see what it says: {asked[5]} and no more than that")
    assert near_leaks([suite("mine", *asked)], train)["mine"].where == "suites.mine, mine.jsonl:6"
    monkeypatch.setattr("tunewright.evals.leaks.MOST_ROWS", 200)
    told = near_leaks([suite("mine", *asked)], [*train[:2], train[-1], *train[2:-1]])
    assert told == {}
    told = near_leaks([suite("mine", *asked)], [train[-1], *train[:-1]])
    assert "1 are nearly what 200 of the 301 training rows say" in told["mine"].message
