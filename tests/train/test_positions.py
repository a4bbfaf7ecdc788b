"""Rows longer than the base takes are refused before training, whatever train.max_length says."""

import json
import re

import pytest

import tunewright
from tiny import save_model
from tunewright.core.errors import GateError
from tunewright.train.pack import Row, Tree
from tunewright.train.positions import beyond


def trees(*lengths: int) -> list[Tree]:
    return [Tree((Row(str(length), list(range(length)), [1] * length),)) for length in lengths]


def test_rows_that_the_base_takes_are_no_problem():
    assert beyond(trees(3, 8), [3, 8], 8) == []
    assert beyond(trees(3, 8), [3, 8], None) == []
    assert beyond([], [], 8) == []


def test_a_longer_row_is_named_with_the_way_out():
    (problem,) = beyond(trees(3, 9, 1200), [3, 9, 1200], 8)
    assert str(problem) == (
        "rows 9, 1200: 2 rows are longer than the base takes: the longest has 1,200 tokens, and the base takes 8. Set"
        " train.max_length to 8 (train.over_long says what becomes of longer rows), or choose a base that takes more."
    )


def test_a_pair_is_named_once():
    rows = [Row(name, list(range(9)), [1] * 9) for name in ("a", "a", "b", "b", "c", "c", "d")]
    (problem,) = beyond([Tree(tuple(rows))], [9] * 7, 8)
    assert problem.where == "rows a, b, c"
    assert problem.message.startswith("4 rows are longer than the base takes")


def test_the_gate_refuses_them(tmp_path):
    rows = [
        {"prompt": f"What is {number}?" + " Well?" * 40 * (number % 3 == 0), "completion": "red"}
        for number in range(30)
    ]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    save_model(tmp_path / "base", "gpt2", max_position_embeddings=100)
    (tmp_path / "tunewright.yaml").write_text(
        "name: long\nbase: base\ntask: {system: Answer.}\nsources: {rows: {path: rows.jsonl}}\n"
        "suites: {target: {examples: test, graders: [{type: exact_match}]}}\n"
        "decoding: {max_new_tokens: 8}\ntrain: {max_length: 500}\n"
    )
    said = r"\d+ rows are longer than the base takes: the longest has \d+ tokens, and"
    with pytest.raises(GateError, match=said) as caught:
        tunewright.open(tmp_path).run(upto="gate")
    (where,) = {problem.where for problem in caught.value.problems if "than the base takes" in str(problem)}
    assert re.fullmatch(r"rows\.jsonl:\d+(, rows\.jsonl:\d+){2}", where)
    assert {int(place.split(":")[1]) % 3 for place in where.split(", ")} == {1}  # row 1 is number 0
