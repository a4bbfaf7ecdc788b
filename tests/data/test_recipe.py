"""Recipes: what each operation does, and how they hang together."""

from collections import Counter
from functools import partial
from pathlib import Path

import psutil
import pytest
from pydantic import ValidationError
from worked import worked

from tunewright.core.errors import DataError, ProjectFileError
from tunewright.core.example import Example, Origin, ask, make_document, make_example
from tunewright.core.message import Function, Message, ToolCall
from tunewright.data.examples import Examples, chunks, write_examples
from tunewright.data.ops import max_chars
from tunewright.data.ops.drop_contradictions import DropContradictions
from tunewright.data.ops.drop_duplicates import DropDuplicates
from tunewright.data.ops.filter import Filter
from tunewright.data.ops.map import Map
from tunewright.data.ops.max_chars import MaxChars
from tunewright.data.ops.mix import Mix, counts
from tunewright.data.ops.op import Rows
from tunewright.data.ops.redact import Redact
from tunewright.data.ops.sample import Sample
from tunewright.data.recipe import ACCOUNT, CHANGED, DROPPED, GIVEN_UP, REPORT, ROWS, TOLD, graph, work
from tunewright.data.recipe_rows import do_chunk
from tunewright.data.workers import Workers


def row(question: str, answer: str, **fields: object) -> Example:
    turns = (Message(role="user", content=question), Message(role="assistant", content=answer))
    return make_example(turns, fields=fields)


A, A_AGAIN, A_ELSE, B = row("Hi  there", "x"), row("hi THERE ", "X"), row("hi there", "y"), row("bye", "z")


def test_drop_duplicates_keeps_the_first() -> None:
    done = worked([DropDuplicates()], [A, B, A_AGAIN, A_ELSE, B])
    assert done.kept == [A, B, A_ELSE]
    assert done.dropped == [(A_AGAIN.place, f"the same as {A.place}"), (B.place, f"the same as {B.place}")]
    (step,) = done.steps
    assert (step.op, step.rows_in, step.rows_out, step.dropped) == ("drop_duplicates", 5, 3, 2)
    assert step.first == tuple(done.dropped)


def test_drop_contradictions_drops_all_sides() -> None:
    done = worked([DropContradictions()], [A, B, A_AGAIN, A_ELSE])
    assert done.kept == [B]
    assert done.dropped == [(one.place, "its prompt has 2 different answers") for one in (A, A_AGAIN, A_ELSE)]


def test_answers_to_other_system_prompts_contradict_nothing() -> None:
    rows = [
        make_example(ask("q", answer, system=system))
        for system, answer in (("In French.", "oui"), ("In Czech.", "ano"), (None, "yes"))
    ]
    assert worked([DropDuplicates(), DropContradictions()], rows).kept == rows


def test_max_chars() -> None:
    assert worked([MaxChars(chars=4)], [A, B]).dropped == [(A.place, "10 characters")]


def test_sample_is_seeded_and_does_not_hang_on_the_order() -> None:
    rows = [row(f"q{at}", "a") for at in range(50)]
    drawn = worked([Sample(rows=10)], rows).kept
    assert len(drawn) == 10
    assert [example for example in rows if example in drawn] == drawn
    assert worked([Sample(rows=10)], rows[::-1]).kept == drawn[::-1]
    assert worked([Sample(rows=10, seed=1)], rows).kept != drawn
    assert worked([Sample(rows=99)], [A, A, B]).kept == [A, A, B]


def test_operations_follow_one_another() -> None:
    done = worked([DropDuplicates(), MaxChars(chars=4), Sample(rows=1)], [A, B, B])
    assert [(step.id, step.needs, step.rows_in, step.rows_out) for step in done.steps] == [
        ("drop_duplicates", ("rows",), 3, 2),
        ("max_chars", ("drop_duplicates",), 2, 1),
        ("sample", ("max_chars",), 1, 1),
    ]


def test_a_recipe_of_nothing_changes_nothing() -> None:
    assert worked([], [A, B]).kept == [A, B]


@pytest.mark.parametrize(
    ("keep", "kept"),
    [
        ('lang == "en"', "ac"),
        ('lang != "en" or expected|length > 1', "bc"),
        ("input.startswith('q1') and turns == 2 and source is none", "a"),
        ("chars > 100", ""),
        ("size is defined and size > 3", "c"),
    ],
)
def test_filter_keeps_what_the_expression_says(keep: str, kept: str) -> None:
    rows = {
        "a": row("q1", "x", lang="en"),
        "b": row("q2", "x", lang="de"),
        "c": row("q3", "long", lang="en", size=4),
    }
    done = worked([Filter(keep=keep)], list(rows.values()))
    assert done.kept == [rows[name] for name in kept]
    assert {reason for _, reason in done.dropped} <= {f"not: {keep}"}


def test_an_expression_without_a_value_stops_with_the_row_and_the_way_out() -> None:
    rows = [row("q1", "x", lang="en"), row("q2", "y", language="de")]
    with pytest.raises(DataError) as caught:
        worked([Filter(keep='lang == "en"')], rows)
    assert rows[1].place in caught.value.message
    assert caught.value.fix == "Did you mean 'language'?"
    with pytest.raises(DataError, match=r"of example .* there is no value"):
        worked([Filter(keep="expected / 2 > 1")], rows)


@pytest.mark.parametrize("source", ["", "a ==", "{{ input }}", "input.__class__.__mro__ | ("])
def test_an_expression_that_is_none_is_refused_at_once(source: str) -> None:
    with pytest.raises(ValidationError, match="cannot be read"):
        Filter(keep=source)


def test_expressions_reach_nothing_outside_the_row() -> None:
    for keep in ("input.__class__.__mro__[1]", "''.__class__", "input.format_map.__globals__"):
        with pytest.raises(DataError):
            worked([Filter(keep=keep)], [A])


def test_map_writes_parts_of_a_row_anew() -> None:
    ask_it = row("Is it on?", "Yes.", subject="Lamp", size=3)
    done = worked([Map(set={"input": "{{ subject }}: {{ input }}", "kind": "{{ size * 2 }}"})], [ask_it])
    (made,) = done.kept
    assert (made.input_text, made.expected) == ("Lamp: Is it on?", "Yes.")
    assert made.fields == {"subject": "Lamp", "size": 3, "kind": 6}
    assert done.changed == [(ask_it.id, made.id)]
    assert made.id == make_example(made.messages).id != ask_it.id


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{{ n + 1 }}", 4),
        ("{{- n / 2 -}}\n", 1.5),
        ("{{ -n }}", -3),
        ("{{ n > 2 }}", True),
        ("{{ tags }}", ["a", "b"]),
        ("{{ tags|map('upper') }}", ["A", "B"]),
        ("{{ {'n': [n, none]} }}", {"n": [3, None]}),
        ("{{ deep.items() }}", [["x", 1]]),
        ("{{ nothing }}", None),
        ("{{ lang }}", "en"),
        ("{{ n|string }}", "3"),
        (" {{ n }}", " 3"),
        ("{{ n }}{{ n }}", "33"),
        ("{% if n %}{{ n }}{% endif %}", "3"),
    ],
)
def test_a_field_has_the_value_of_its_expression(template: str, value: object) -> None:
    given = row("q", "a", n=3, tags=["a", "b"], deep={"x": 1}, nothing=None, lang="en")
    made = worked([Map(set={"made": template}), Filter(keep="true")], [given]).kept[0].fields["made"]
    assert (made, type(made)) == (value, type(value))


def test_what_is_said_is_a_text_whatever_its_expression_gives() -> None:
    assert worked([Map(set={"expected": "{{ n }}"})], [row("q", "a", n=3)]).kept[0].expected == "3"


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ 1e308 * 10 }}", "no finite number"),
        ("{{ {0: 2} }}", "an object with a name that is no text"),
        ("{{ namespace(a=1) }}", "a Namespace"),
        ("{{ range }}", "a function"),
        ("{{ 2 ** 12000 }}", "thousands of digits"),
        ("{{ [[0] * 1000] * 1000 }}", "more than 100,000 things"),
        ("{{ ['a' * 90000] * 300 }}", "more than 10,000,000 characters"),
        ("{{ {'n' * 90000: 1}.items()|list * 300 }}", "more than 10,000,000 characters"),
    ],
)
def test_a_value_that_no_row_holds_is_refused(template: str, said: str) -> None:
    with pytest.raises(DataError, match=rf"^recipe, map.set.made: of example \w+ the value is .*{said}"):
        worked([Map(set={"made": template})], [A])


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{{ tags|map('abs') }}", "bad operand type"),
        ("{{ tags|select('gt', 3) }}", "not supported between"),
        ("{{ tags|map(attribute='x') }}", "has no attribute 'x'"),
        ("{{ tags|map('nofilter') }}", "No filter named 'nofilter'"),
    ],
)
def test_a_value_that_fails_as_it_is_read_is_told(template: str, said: str) -> None:
    with pytest.raises(
        DataError, match=rf"^recipe, map.set.made: of example \w+ there is no value \(.*{said}"
    ):
        worked([Map(set={"made": template})], [row("q", "a", tags=["a"])])


def test_map_writes_documents_and_worse_answers() -> None:
    text = make_document("a note", fields={"by": "Ann"})
    assert (
        worked([Map(set={"expected": "{{ by }}: {{ expected }}"})], [text]).kept[0].expected == "Ann: a note"
    )
    pair = make_example(A.messages, rejected="worse")
    assert worked([Map(set={"rejected": "{{ rejected|upper }}"})], [pair]).kept[0].rejected == "WORSE"


def test_map_drops_what_would_say_nothing() -> None:
    done = worked([Map(set={"expected": "{{ expected|replace('x', ' ') }}"})], [A, B])
    assert (len(done.kept), done.dropped) == (1, [(A.place, "its expected would be blank")])


def test_map_cannot_set_what_a_row_is() -> None:
    with pytest.raises(ValidationError, match="turns is what the row is"):
        Map(set={"turns": "3"})


def test_mix_keeps_the_shares_and_repeats_nothing() -> None:
    given = {
        "own": [row(f"own {n}", "a") for n in range(30)],
        "other": [row(f"other {n}", "b") for n in range(50)],
    }
    done = worked([Mix(needs=("own", "other"), shares={"own": 3, "other": 1})], given)
    assert [sum(one.expected == answer for one in done.kept) for answer in "ab"] == [30, 10]
    assert {reason for _, reason in done.dropped} == {"other has more than its share"}
    done = worked([Mix(needs=("own", "other"), shares={"own": 1, "other": 1}, rows=20)], given)
    assert [sum(one.expected == answer for one in done.kept) for answer in "ab"] == [10, 10]
    with pytest.raises(ValidationError, match="name the same in both"):
        Mix(needs=("own",), shares={"own": 3, "other": 1})


def kinds(**numbers: int) -> dict[str, list[Example]]:
    return {name: [row(f"{name} {n}", name) for n in range(number)] for name, number in numbers.items()}


def mixed(given: dict[str, list[Example]], **settings: object) -> tuple[dict[str, int], tuple[str, ...]]:
    done = worked([Mix.model_validate({"needs": list(given), **settings})], given)
    found = Counter(one.expected for one in done.kept)
    return {name: found[name] for name in given}, done.steps[0].notes


def test_a_mix_has_known_shares_for_what_rows_are_for() -> None:
    given = kinds(tickets=80, chats=500, declined=500)
    shares = {"tickets": 1, "chats": "general"}
    found, (why,) = mixed({name: given[name] for name in shares}, shares=shares)
    assert found == {"tickets": 80, "chats": 20}
    assert why.startswith("chats (general) is 20 of 100 rows, 20.0% (one row for every four of the task: ")
    found, notes = mixed(given, shares={**shares, "declined": "refusals"})
    assert (found, len(notes)) == ({"tickets": 80, "chats": 21, "declined": 2}, 2)
    assert mixed(given, shares={**shares, "declined": "general"})[0] == {
        "tickets": 80,
        "chats": 10,
        "declined": 10,
    }
    assert mixed(given, shares={**shares, "declined": 1})[0] == {"tickets": 80, "chats": 40, "declined": 80}
    assert mixed(given, shares={**shares, "declined": "refusals"}, rows=50)[0] == {
        "tickets": 39,
        "chats": 10,
        "declined": 1,
    }


def test_a_known_share_never_makes_the_tasks_rows_fewer() -> None:
    given = kinds(tickets=100, declined=1)
    shares = {"tickets": 1, "declined": "no_answer"}
    found, (why,) = mixed(given, shares=shares)
    assert found == {"tickets": 100, "declined": 1}
    assert "is 1 of 101 rows, 1.0%, all there are: 15.0% were wanted (10 to 20 % of rows that" in why
    assert mixed(given, shares=shares, upsample=True)[0] == {"tickets": 100, "declined": 4}
    assert mixed(given, shares=shares, rows=10)[0] == {"tickets": 9, "declined": 1}


def test_a_role_with_too_few_rows_leaves_the_others_their_share() -> None:
    given = kinds(tickets=1000, chats=1, unsaid=1000, declined=500)
    shares = {"tickets": 1, "chats": "general", "unsaid": "no_answer"}
    three = {name: given[name] for name in shares}
    assert mixed(three, shares=shares)[0] == {"tickets": 1000, "chats": 1, "unsaid": 177}
    assert mixed(three, shares=shares, rows=100)[0] == {"tickets": 84, "chats": 1, "unsaid": 15}
    assert mixed(given, shares={**shares, "declined": "refusals"})[0] == {
        "tickets": 1000,
        "chats": 1,
        "unsaid": 181,
        "declined": 24,
    }
    few = {**given, "unsaid": given["unsaid"][:150], "declined": given["declined"][:25]}
    found, _ = mixed(few, shares={**shares, "declined": "refusals"})
    assert found == {"tickets": 1000, "chats": 1, "unsaid": 150, "declined": 23}


def test_the_tasks_rows_have_a_number() -> None:
    with pytest.raises(ValidationError, match="no share is a number"):
        Mix(needs=("a", "b"), shares={"a": "general", "b": "refusals"})


def test_counts_of_a_mix() -> None:
    assert counts({"a": 10, "b": 1000}, {"a": 0.5, "b": 0.5}, None) == {"a": 10, "b": 10}
    assert counts({"a": 10, "b": 1000}, {"a": 1, "b": 9}, 50) == {"a": 5, "b": 45}
    assert counts({"a": 0, "b": 5}, {"a": 1, "b": 1}, None) == {"a": 0, "b": 0}


def test_branches_come_together() -> None:
    given = {"a": [row("a1", "x"), row("a2", "long")], "b": [row("b1", "x"), row("b2", "x")]}
    ops = [
        MaxChars(id="short", needs=("a",), chars=4),
        Sample(id="few", needs=("b",), rows=1),
        DropDuplicates(needs=("short", "few")),
    ]
    done = worked(ops, given)
    assert done.kept[0] == given["a"][0]
    assert done.kept[1] in given["b"]
    assert [step.needs for step in done.steps] == [("a",), ("b",), ("short", "few")]


@pytest.mark.parametrize(
    ("ops", "where", "said"),
    [
        (
            [MaxChars(chars=4, needs=("rwos",))],
            "recipe.0.needs",
            "'rwos' is neither a source nor an operation before this one",
        ),
        ([MaxChars(chars=4, id="x", needs=("x",))], "recipe.0.needs", "'x' is neither"),
        ([MaxChars(chars=4, id="rows")], "recipe.0.id", "'rows' is the name of another operation or source"),
        ([MaxChars(chars=4, needs=("rows", "rows"))], "recipe.0.needs", "a name stands twice"),
        (
            [MaxChars(chars=4), Sample(rows=1, needs=("rows",))],
            "recipe.0",
            "no operation takes what 'max_chars' makes",
        ),
    ],
)
def test_a_graph_that_does_not_stand_is_refused(ops: list[MaxChars], where: str, said: str) -> None:
    with pytest.raises(ProjectFileError) as caught:
        graph(ops, ["rows"])
    assert [problem.where for problem in caught.value.problems] == [where]
    assert said in caught.value.problems[0].message


def test_a_source_that_nothing_takes_is_refused() -> None:
    with pytest.raises(ProjectFileError, match="no operation takes the source 'b'"):
        graph([MaxChars(chars=4, needs=("a",))], ["a", "b"])


def test_operations_of_one_kind_get_numbers() -> None:
    nodes = graph([Sample(rows=3), Sample(rows=2), Sample(rows=1)], ["rows"])
    assert [node.id for node in nodes] == ["sample", "sample-2", "sample-3"]


def test_any_number_of_processes_gives_the_same_rows() -> None:
    rows = [row(f"question {n}", "x" * (n % 9 + 1), n=n) for n in range(25_000)]
    ops = [Filter(keep="n % 3"), Map(set={"input": "{{ n }}. {{ input }}"})]
    one, two = worked(ops, rows), worked(ops, rows, workers=2)
    assert one == two
    assert len(one.kept) == 16_666


def test_examples_of_a_file_are_read_as_they_are_asked_for(tmp_path: Path) -> None:
    rows = [row(f"q{n} é", "a" * n) for n in range(1, 1500)]
    write_examples(tmp_path / "rows.jsonl", rows)
    whole, middle = Examples(tmp_path / "rows.jsonl"), Examples(tmp_path / "rows.jsonl", 500, 700)
    assert (list(whole), len(whole), whole[3], whole[-1], whole[2:5]) == (
        rows,
        1499,
        rows[3],
        rows[-1],
        rows[2:5],
    )
    assert (list(middle), len(middle), middle[0], middle[-1]) == (rows[500:1200], 700, rows[500], rows[1199])
    assert list(Examples(tmp_path / "rows.jsonl", 1400, 99)) == rows[1400:1499]
    assert list(Examples(tmp_path / "rows.jsonl", 5, 0)) == []
    with pytest.raises(IndexError):
        middle[700]


def test_rows_of_several_needs_stand_one_after_the_other() -> None:
    rows = Rows({"a": [A, B], "b": [], "c": [A_ELSE]})
    assert (list(rows), len(rows), rows[1], rows[2], rows[-1]) == ([A, B, A_ELSE], 3, B, A_ELSE, A_ELSE)
    assert rows[1:] == [B, A_ELSE]


def test_a_place_names_the_raw_row_through_all_operations() -> None:
    first = make_example(A.messages, origin=Origin(source="s", file="rows.csv", row=7))
    done = worked([Map(set={"input": "again: {{ input }}"}), MaxChars(chars=1)], [first])
    assert done.dropped[0][0] == "rows.csv:7"


def test_counts_keep_the_limit_and_the_largest_remainders() -> None:
    assert counts({"a": 10, "b": 10}, {"a": 1, "b": 1}, 3) == {"a": 2, "b": 1}
    assert counts({"a": 10, "b": 10}, {"a": 1, "b": 1}, 1) == {"a": 1, "b": 0}
    assert counts({"a": 9, "b": 30}, {"a": 0.3, "b": 0.7}, 10) == {"a": 3, "b": 7}


def test_a_mix_of_nothing_names_what_is_empty() -> None:
    given = {"own": [A], "other": [B]}
    ops = [
        MaxChars(id="none", needs=("own",), chars=1),
        Mix(needs=("none", "other"), shares={"none": 1, "other": 1}),
    ]
    with pytest.raises(DataError, match="none has no rows"):
        worked(ops, given)


def test_map_leaves_calls_and_weights_and_documents_alone() -> None:
    call = ToolCall(id="1", function=Function(name="f", arguments="{}"))
    turns = (Message(role="user", content="q"), Message(role="assistant", content="", tool_calls=(call,)))
    calling, text = make_example(turns), make_document("a note")
    half = make_example(
        (Message(role="user", content="q"), Message(role="assistant", content=" a ", weight=0.5))
    )
    done = worked([Map(set={"expected": "{{ expected|trim }}"})], [calling, half])
    assert [(one.expected, one.messages[-1].weight) for one in done.kept] == [("a", 0.5)]
    assert done.dropped == [(calling.place, "its answer calls tools, and cannot be set as a text")]
    assert worked([Map(set={"input": "x"})], [text]).dropped[0][1].startswith("a document has neither")


@pytest.mark.parametrize("keep", ["range(9)|random < 5", "lipsum()"])
def test_an_expression_draws_nothing(keep: str) -> None:
    with pytest.raises((ValidationError, DataError)):
        worked([Filter(keep=keep)], [A])


def test_an_expression_that_could_mean_two_things_or_a_text_is_refused() -> None:
    with pytest.raises(DataError, match="has a field 'source', and every row has a source of its own"):
        worked([Filter(keep='source == "wiki"')], [row("q", "x", source="wiki")])
    with pytest.raises(DataError, match=r"the text 'false' for .*, neither true nor false"):
        worked([Filter(keep="good")], [row("q", "x", good="false")])
    with pytest.raises(DataError, match="it takes more than a template may"):
        worked([Map(set={"expected": "{{ '-' * size }}"})], [row("q", "x", size=10**13)])


def test_an_operation_that_loses_a_row_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(max_chars, "each", lambda spec: lambda row: [])
    node = graph([MaxChars(chars=123)], ["rows"])[0]  # what it makes is remembered by its settings
    with pytest.raises(RuntimeError, match="max_chars told of 0 rows where it was given 2"):
        work(node, {"rows": [A, B]}, tmp_path)


def test_nothing_of_an_earlier_run_is_left(tmp_path: Path) -> None:
    rows = {"rows": [row("I am at ann@mail.example", "x")]}
    work(graph([Redact()], rows)[0], rows, tmp_path)
    assert (tmp_path / REPORT).is_file()
    for name in (GIVEN_UP, TOLD):
        (tmp_path / name).touch()
    work(graph([MaxChars(chars=99)], rows)[0], rows, tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {ROWS, DROPPED, CHANGED, ACCOUNT}


def test_what_a_dead_process_left_is_done_here() -> None:
    """Its workers are killed while they work: the rows are the same."""
    spec = Map(set={"input": "{{ n }}. {{ input }}"}).model_dump_json()
    pieces = list(chunks(row(f"question {n}", "x" * 40, n=n) for n in range(25_000)))
    assert len(pieces) > 12
    with Workers(2) as workers:
        shared = workers.each(partial(do_chunk, spec), pieces)
        done = [next(shared)]
        for child in psutil.Process().children():
            if "spawn_main" in " ".join(child.cmdline()):
                child.kill()
        assert [*done, *shared] == [do_chunk(spec, lines) for lines in pieces]
