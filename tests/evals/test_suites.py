"""Suites: from the split, from a file, and the built-in general one."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pydantic import ValidationError

from tunewright.core.errors import UserError
from tunewright.core.example import Example, Origin, ask, make_example
from tunewright.core.grading import Score
from tunewright.core.task import TaskSpec
from tunewright.data.forms import FormSpec
from tunewright.evals.general import Correct, general_examples, general_hash, practice
from tunewright.evals.spec import SuiteSpec
from tunewright.evals.suites import SuiteError, build_suite, read_examples
from tunewright.grade.gold import check_gold
from tunewright.grade.spec import ExactMatch, Number

TEST = [
    make_example(ask(f"question {i}", str(i)), fields={"lang": ["en", None][i % 2], "n": i}) for i in range(5)
]


def test_over_the_split() -> None:
    spec = SuiteSpec(graders=(Number(), ExactMatch()), slices=("lang", "n"), limit=3)
    suite = build_suite("target", spec, TEST, TaskSpec(), Path())
    assert suite.examples == tuple(TEST[:3])
    assert suite.grader_names == ("number", "exact_match")
    assert check_gold(suite.examples, suite.graders_for, suite.name) == []
    assert [suite.slices_of(example) for example in suite.examples] == [
        {"lang": "en", "n": "0"},
        {"lang": "(none)", "n": "1"},
        {"lang": "en", "n": "2"},
    ]


@pytest.mark.parametrize(
    ("examples", "field", "message"),
    [
        ("test", "langue", "'langue'; their fields are lang, n. Did you mean 'lang'?"),
        ("test", "x", "'x'; their fields are lang, n. Name a column"),
        ("general", "skil", "'skil'; their fields are skill, grade. Did you mean 'skill'?"),
    ],
)
def test_a_slice_that_no_example_has(examples: str, field: str, message: str) -> None:
    with pytest.raises(UserError) as caught:
        build_suite("own", SuiteSpec(examples=examples, slices=(field,)), TEST, TaskSpec(), Path())
    assert f"suites.own.slices: no example of the suite has the field {message}" in str(caught.value)


def test_an_example_that_stands_twice(tmp_path: Path) -> None:
    row = {"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}
    rows_file(tmp_path, row, row)
    with pytest.raises(UserError, match=r"has own.jsonl:2 twice, own.jsonl:1 is the same"):
        build_suite("own", SuiteSpec(examples="own.jsonl"), [], TaskSpec(), tmp_path)
    once = build_suite("own", SuiteSpec(examples="own.jsonl", limit=1), [], TaskSpec(), tmp_path)
    assert len(once.examples) == 1


def test_rows_in_another_tools_form(tmp_path: Path) -> None:
    rows_file(
        tmp_path,
        {"messages": [{"role": "user", "content": "Q", "id": 1}], "ref": {"a": 1}},
        {"messages": [{"role": "user", "content": "R"}], "ref": "b"},
    )
    form = FormSpec(name="openai", keys={"answer": "ref"})
    suite = build_suite("own", SuiteSpec(examples="own.jsonl", form=form), [], TaskSpec(), tmp_path)
    assert [(each.messages, each.fields, each.place) for each in suite.examples] == [
        (ask("Q", '{"a": 1}'), {"turn_fields": {"messages[0]": {"id": 1}}}, "own.jsonl:1"),
        (ask("R", "b"), {}, "own.jsonl:2"),
    ]
    rows_file(tmp_path, {"prompt": "Q"})
    spec = SuiteSpec(examples="own.jsonl", form=FormSpec(name="prompt_only"))
    with pytest.raises(UserError, match="all 1 rows are documents, and nothing can be asked"):
        build_suite("own", spec, [], TaskSpec(), tmp_path)


@pytest.mark.parametrize("examples", ["test", "general"])
def test_a_form_is_a_files(examples: str) -> None:
    with pytest.raises(
        ValidationError, match=f"the examples are {examples}, which are of no form: a form is a file's"
    ):
        SuiteSpec(examples=examples, form=FormSpec(name="openai"))


def test_rows_that_differ_in_what_was_rejected_ask_once() -> None:
    rows = [make_example(ask("q", "a"), rejected=word) for word in ("b", "c")]
    rows += [make_example(ask("q", "b"), desirable=False), make_example(ask("r", "a"))]
    suite = build_suite("target", SuiteSpec(), rows, TaskSpec(), Path())
    assert suite.examples == (rows[0], rows[3])
    with pytest.raises(UserError, match="the suite has no examples: all 1 rows are rated bad"):
        build_suite("target", SuiteSpec(), rows[2:3], TaskSpec(), Path())


def test_practice_is_none_of_the_general_suite() -> None:
    suite = practice("rehearsal", 130)
    known = {example.prompt for example in general_examples()}
    assert not known & {example.prompt for example in suite.examples}
    assert len({example.fields["skill"] for example in suite.examples}) == 13
    assert len(suite.examples) > 125
    assert suite.examples == practice("rehearsal", 130).examples
    assert check_gold(suite.examples, suite.graders_for, suite.name) == []


def rows_file(folder: Path, *rows: object) -> Path:
    path = folder / "own.jsonl"
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def test_over_a_file(tmp_path: Path) -> None:
    messages = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    rows_file(tmp_path, {"messages": messages, "lang": "en"})
    suite = build_suite("own", SuiteSpec(examples="own.jsonl"), [], TaskSpec(), tmp_path)
    origin = Origin(source="suite", file="own.jsonl", row=1)
    assert suite.examples == (make_example(ask("a", "b"), fields={"lang": "en"}, origin=origin),)


def test_every_bad_row_is_named(tmp_path: Path) -> None:
    rows_file(tmp_path, {"messages": 3}, "nonsense", {"text": "a"})
    with pytest.raises(UserError) as caught:
        build_suite("own", SuiteSpec(examples="own.jsonl"), [], TaskSpec(), tmp_path)
    lines = str(caught.value).splitlines()
    assert [line.partition(": ")[0] for line in lines] == ["own.jsonl:1", "own.jsonl:2", "own.jsonl:3"]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (SuiteSpec(), "suites.own: the suite has no examples."),
        (
            SuiteSpec(examples="gone.jsonl"),
            "suites.own.examples: there is no file 'gone.jsonl'. Name test, or a file of chat rows",
        ),
        (SuiteSpec(examples="empty.jsonl"), "suites.own: the suite has no examples."),
    ],
)
def test_nothing_to_ask(tmp_path: Path, spec: SuiteSpec, message: str) -> None:
    (tmp_path / "empty.jsonl").touch()
    with pytest.raises(UserError) as caught:
        build_suite("own", spec, [], TaskSpec(), tmp_path)
    assert message in str(caught.value)


def test_the_general_suite_is_balanced_stable_and_passes_its_own_grader() -> None:
    suite = build_suite("general", SuiteSpec(examples="general"), TEST, TaskSpec(), Path())
    assert suite.grader_names == ("correct",)
    assert suite.examples == tuple(general_examples())
    assert check_gold(suite.examples, lambda _: [Correct()], "general") == []
    skills = Counter(suite.slices_of(example)["skill"] for example in suite.examples)
    assert len(skills) >= 10
    assert 150 <= len(suite.examples) <= 250
    assert len({example.id for example in suite.examples}) == len(suite.examples)
    limited = build_suite("general", SuiteSpec(examples="general", limit=len(skills)), [], TaskSpec(), Path())
    assert limited.examples == suite.examples[: len(skills)]
    assert len({example.fields["skill"] for example in limited.examples}) == len(skills)


@pytest.mark.parametrize(
    ("way", "gold", "reply", "value"),
    [
        ("exact", "Ann", " Ann", 1),
        ("exact", "Ann", "ann", 0),
        ("contains", "not given", "That is not given here.", 1),
        ("contains", "Ann", "ann", 0),
        ("number", "12", "= 12", 1),
        ("number", "12", "12 or 13", 0),
        ("json", '{"a": 1, "b": true}', '{"b":true,"a":1.0}', 1),
        ("json", '{"a": 1}', '{"a": true}', 0),
        ("json", '{"a": 1}', "a", 0),
    ],
)
def test_each_draw_is_graded_its_own_way(way: str, gold: str, reply: str, value: float) -> None:
    example: Example = make_example(ask("?", gold), fields={"grade": way})
    score: Score = Correct().grade(example, reply)
    assert score.value == value


def test_the_general_suites_hash_is_that_of_its_content(monkeypatch: pytest.MonkeyPatch) -> None:
    found = general_hash()
    general_hash.cache_clear()
    assert general_hash() == found
    monkeypatch.setattr("tunewright.evals.general.PER_SKILL", 2)
    general_hash.cache_clear()
    assert general_hash() != found
    general_hash.cache_clear()


@pytest.mark.parametrize(
    ("name", "pack"),
    [
        ("own.csv", lambda path: path.write_text("input,expected,lang\nHi?,hello,en\nBye?,bye,de\n")),
        (
            "own.csv.gz",
            lambda path: path.write_bytes(gzip.compress(b"input,expected,lang\nHi?,hello,en\nBye?,bye,de\n")),
        ),
        (
            "own.jsonl",
            lambda path: path.write_text(
                '{"input": "Hi?", "expected": "hello", "lang": "en"}\n{"input": "Bye?", "expected": "bye", "lang": "de"}\n'
            ),
        ),
        (
            "own.parquet",
            lambda path: pq.write_table(
                pa.table({"input": ["Hi?", "Bye?"], "expected": ["hello", "bye"], "lang": ["en", "de"]}), path
            ),
        ),
    ],
)
def test_a_suite_is_read_from_tables_as_sources_are(tmp_path, name, pack) -> None:
    pack(tmp_path / name)
    found = read_examples(tmp_path, name, TaskSpec(), "suites.own.examples")
    assert [(one.input_text, one.expected, one.fields["lang"]) for one in found] == [
        ("Hi?", "hello", "en"),
        ("Bye?", "bye", "de"),
    ]
    assert found[1].origin.row == (3 if ".csv" in name else 2)


def test_thinking_beside_a_suites_answers(tmp_path) -> None:
    """The suite says what becomes of it, as a source does."""
    row = {"role": "assistant", "content": "hello", "reasoning_content": "They greet."}
    (tmp_path / "own.jsonl").write_text(json.dumps({"messages": [{"role": "user", "content": "Hi?"}, row]}))

    def expected(**spec: str) -> str:
        suite = build_suite("own", SuiteSpec(examples="own.jsonl", **spec), [], TaskSpec(), tmp_path)
        return suite.examples[0].expected

    assert expected(thinking="drop") == "hello"
    assert expected(thinking="inline") == "<think>\nThey greet.\n</think>\n\nhello"
    with pytest.raises(
        SuiteError, match=r"own\.jsonl:1: not carried: messages\[1\]\.reasoning_content is thinking"
    ):
        expected()
    with pytest.raises(ValidationError, match="the examples are test: thinking is said of a file's rows"):
        SuiteSpec(thinking="drop")


def test_a_table_without_the_columns_says_which(tmp_path) -> None:
    (tmp_path / "own.csv").write_text("question,answer\nHi?,hello\n")
    with pytest.raises(SuiteError) as caught:
        read_examples(tmp_path, "own.csv", TaskSpec(), "suites.own.examples")
    assert str(caught.value) == (
        "own.csv: there is no column 'expected'; the columns are question, answer."
        " Call them input and expected, or say of which form the rows are (form: alpaca, …)."
    )
