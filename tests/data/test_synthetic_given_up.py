"""Rows that `generate` tried and did not make: each is written down, with the reason and what stood in it."""

from pathlib import Path
from typing import Any

import pytest
from writing_desk import WritingDesk

from tunewright.core.errors import ProjectFileError
from tunewright.core.example import Example, Origin, ask, make_example
from tunewright.core.files import read_jsonl
from tunewright.core.generation import BUDGET, Decoding, Reply
from tunewright.data.ops.generate import Generate, design_of
from tunewright.data.ops.op import Added
from tunewright.data.recipe import apply_recipe, graph
from tunewright.data.synthetic.given_up import FILE, GivenUp
from tunewright.data.synthetic.written import Order, written

SEEDS = [
    make_example(ask(f"question {n}", "a"), origin=Origin(source="rows", file="rows.csv", row=n + 2))
    for n in range(40)
]
COLUMNS: dict[str, Any] = {
    "like": {"type": "seed"},
    "_topic": {"type": "category", "values": ["bills"]},
    "input": {"type": "text", "prompt": "{{ like }}", "retries": 1},
    "expected": {"type": "expression", "template": "yes"},
    "checked": {"type": "validate", "of": "input", "holds": "'7' not in input"},
}


def tried(
    rule: Any, given: list[Example] = SEEDS, columns: Any = COLUMNS, **more: Any
) -> tuple[int, list[GivenUp]]:
    """How many rows were made, and the others."""
    spec = Generate.model_validate({"columns": columns, "stop_after_failures": 1, **more})
    order = Order(design_of(spec), "more", spec.rows, None if spec.rows else 1, None, None, "base", 1, 0)
    said = list(written(order, given, WritingDesk(base=rule)))
    return sum(isinstance(one, Added) for one in said), [one for one in said if isinstance(one, GivenUp)]


def test_a_row_that_fails_is_written_down_with_what_stood_in_it() -> None:
    made, others = tried(
        lambda asked, _: asked.upper() if asked.startswith("question") and "3" not in asked else "  "
    )
    assert made + len(others) == 40
    blank = next(one for one in others if one.values["like"] == "question 30")
    assert blank.line() == {
        "place": "rows.csv:32",
        "source": "rows",
        "number": 31,
        "reason": "input: it is blank",
        "values": {"like": "question 30", "_topic": "bills"},
        "said": ("  ",),
    }
    failed = next(one for one in others if one.values["like"] == "question 7")
    assert (failed.reason, failed.said) == ("checked: not: '7' not in input", ())
    assert failed.values == {
        "like": "question 7",
        "_topic": "bills",
        "input": "QUESTION 7",
        "expected": "yes",
    }


def test_what_a_teacher_refused_and_what_a_budget_ended_count_too() -> None:
    def rule(asked: str, _: Decoding) -> Reply | str:
        number = int(asked.split()[-1])
        error = "no answer in 3 tries" if number == 5 else BUDGET if number > 30 else None
        return asked if error is None else Reply("", 0, 0, 0.0, "error", error)

    columns = {name: column for name, column in COLUMNS.items() if name != "checked"}
    made, others = tried(rule, columns=columns)
    assert (made, [(one.number, one.reason) for one in others]) == (
        30,
        [(6, "input: no answer in 3 tries"), *((n, BUDGET) for n in range(32, 41))],
    )


def test_rows_from_nothing_are_named_by_the_operation_and_odd_values_are_bounded() -> None:
    columns = {
        "long": {"type": "expression", "value": "'ab' * 30000"},
        "_odd": {"type": "expression", "value": "[1, range(3), 0.0]"},
        "_half": {"type": "expression", "value": r"'\ud800'"},
        "input": {"type": "text", "prompt": "hi", "retries": 0},
        "expected": {"type": "expression", "template": "a"},
    }
    said = iter(["", "x", ""])
    _, (first, second) = tried(lambda *_: next(said), [], columns, rows=3)
    assert (first.place, first.source, second.place) == ("more:1", "more", "more:3")
    assert first.values["long"] == "ab" * 10_000 + "…"
    assert first.values["_odd"] == "list"
    assert first.values["_half"] == "\\ud800"


def test_they_stand_in_the_operations_folder_and_rows_tried_are_rows_made_and_these(tmp_path: Path) -> None:
    spec = Generate.model_validate({"id": "more", "columns": COLUMNS, "per_row": 2})
    desk = WritingDesk(base=lambda asked, _: asked)
    found = apply_recipe(graph([spec], {"rows": SEEDS}), {"rows": SEEDS}, tmp_path, means=desk)
    (step,) = found.steps
    lines = list(read_jsonl(found.folder / FILE))
    assert (step.rows_in, step.added, len(lines)) == (40, 2 * 36, 2 * 4)
    assert {line["reason"] for line in lines} == {"checked: not: '7' not in input"}
    assert [line["place"] for line in lines[:2]] == ["rows.csv:9", "rows.csv:9"]
    told = "8 of 80 new rows were given up (given_up.jsonl has them): 8 × checked: not: '7' not in input."
    assert told in step.notes


def test_where_none_is_given_up_there_is_no_file(tmp_path: Path) -> None:
    columns = {"text": {"type": "expression", "template": "a"}}
    spec = Generate.model_validate({"rows": 3, "columns": columns})
    for _ in range(2):
        found = apply_recipe(graph([spec], {"rows": []}), {"rows": []}, tmp_path)
        assert not (found.folder / FILE).exists()
        (found.folder / FILE).write_text("of a run before")


def test_a_second_operation_has_a_name_of_its_own_and_names_its_rows_by_it(tmp_path: Path) -> None:
    columns = {
        "input": {"type": "text", "prompt": "Ask."},
        "expected": {"type": "expression", "template": "a"},
    }
    spec = Generate.model_validate({"rows": 3, "columns": columns})
    with pytest.raises(ProjectFileError) as caught:
        graph([spec, spec], {"rows": []})
    assert [str(problem) for problem in caught.value.problems] == [
        "recipe.1: a second `generate` needs an id: its rows are drawn by its name, and a number would be its place. Give it"
        " one: {op: generate, id: refusals, …}."
    ]
    nodes = graph([spec, spec.model_copy(update={"id": "more"})], {"rows": []})
    assert nodes[0].settings != nodes[1].settings
    desk = WritingDesk(base=lambda asked, how: f"{asked} {how.seed}")
    made = list(apply_recipe(nodes, {"rows": []}, tmp_path, means=desk).examples)
    assert [row.place for row in made] == [f"{name}:{n}" for name in ("generate", "more") for n in (1, 2, 3)]
    assert len({row.input_text for row in made}) == 6
