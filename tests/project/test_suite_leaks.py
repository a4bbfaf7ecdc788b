"""What suites' own files share with rows: as far as it is asked, and what was not looked at."""

import json
from pathlib import Path
from typing import Any

import pytest

import tunewright
from tunewright.project.project import Project
from tunewright.project.suite_leaks import near_note, suite_leaks


@pytest.fixture
def project(tmp_path: Path) -> Project:
    rows = [{"input": f"Which box is at door {n * 7}?", "expected": f"box {n}"} for n in range(60)]
    suite = [{"input": f"Who lives in house {n}?", "expected": "a"} for n in range(520)]
    for name, held in (("rows", rows), ("big", [*rows[:20], *suite]), ("small", suite[:5])):
        (tmp_path / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in held))
    suites = "{target: {examples: test}, big: {examples: big.jsonl}, small: {examples: small.jsonl}}"
    (tmp_path / "tunewright.yaml").write_text(
        f"name: some\ntask: {{}}\nsources: {{rows: {{path: rows.jsonl}}}}\nsuites: {suites}\n"
    )
    return tunewright.open(tmp_path)


def test_near_leaks_are_looked_for_where_they_are_asked_for(project: Project) -> None:
    split = project.run("split", ask=False).outcomes[-1].artifact
    heard = list[str]()

    def hear(kind: str, **_: Any) -> None:
        heard.append(kind)

    where = (project.file, project.root, project.store, split, hear)
    same = suite_leaks(*where, kinds=("leak",))
    assert (heard, same.near, same.notes) == ([], {}, ())
    assert {*same.train} == {"big"}
    near = suite_leaks(*where, kinds=("near_leak",))
    assert (heard, near.train, near.dev) == (["check.leaks"], {}, {})
    both = suite_leaks(*where)
    assert (both.train, both.dev, both.near, both.notes) == (same.train, same.dev, near.near, near.notes)
    assert both.problems == [*same.train.values(), *same.dev.values(), *near.near.values()]


def test_what_was_not_looked_at_is_a_note_whatever_is_found(project: Project) -> None:
    split = project.run("split", ask=False).outcomes[-1].artifact
    rows = len(split.file("train.jsonl").read_text().splitlines())
    note = (
        "what suites.big asks was looked for word for word in all rows; nearly, 500 of its 540 examples in"
        f" {rows} of {rows} rows, evenly drawn"
    )
    looked = project.audit(tunewright.AuditSpec(kinds=("leak", "near_leak")))
    assert note in looked.notes
    assert note not in project.audit(tunewright.AuditSpec(kinds=("leak",))).notes


def test_one_note_tells_of_all_suites() -> None:
    assert near_note({"a": 500, "b": 3}, 20_000) is None
    assert near_note({"a": 500, "b": 1_000, "c": 2_000}, 60) == (
        "what b asks was looked for word for word in all rows; nearly, 500 of its 1,000 examples, of c 500 of its 2,000,"
        " in 60 of 60 rows, evenly drawn"
    )
    assert near_note({"a": 5}, 30_000) == (
        "what a asks was looked for word for word in all rows; nearly, 5 of its 5 examples in 20,000 of 30,000 rows,"
        " evenly drawn"
    )
