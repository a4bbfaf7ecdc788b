"""A recipe from Python gives the rows that a project file gives, and is refused alike."""

from pathlib import Path
from typing import Any

import pytest

import tunewright as tw
from tunewright.core.files import read_jsonl
from tunewright.data import ops
from tunewright.data.examples import Examples
from tunewright.data.recipe import DROPPED, ROWS

YAML = """
name: n
task: {system: s, input: "Ticket: {{ input }}"}
sources:
  tickets: {path: tickets.csv, columns: {input: text, expected: kind}}
  more: {path: more.jsonl}
recipe:
  - {op: drop_duplicates, id: once, needs: [tickets, more]}
  - {op: filter, keep: 'size is not defined or size|int < 30'}
  - {op: map, set: {long: "{{ chars > 20 }}"}}
  - {op: sample, share: 0.5, stratify_by: label, shuffle: true}
"""
SOURCES: dict[str, Any] = {
    "tickets": {"path": "tickets.csv", "columns": {"input": "text", "expected": "kind"}},
    "more": "more.jsonl",
}
OPS: list[tw.Op] = [
    {"op": "drop_duplicates", "id": "once", "needs": ["tickets", "more"]},
    ops.Filter(keep="size is not defined or size|int < 30"),
    ops.Map(set={"long": "{{ chars > 20 }}"}),
    {"op": "sample", "share": 0.5, "stratify_by": "label", "shuffle": True},
]
ROWS_GIVEN = [{"input": f"lamp {at}", "expected": "lamp", "size": at} for at in range(6)]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    lines = [f"question {at % 33},{'ab'[at % 2]},{at}" for at in range(40)]
    Path("tickets.csv").write_text("\n".join(["text,kind,size", *lines]) + "\n")
    Path("more.jsonl").write_text('{"input": "What else?", "expected": "c"}\n')
    Path("tunewright.yaml").write_text(YAML)
    return tmp_path


def test_it_gives_the_rows_that_the_file_gives(here: Path) -> None:
    made = tw.open(".").run("prepare").outcomes[-1].artifact
    done = tw.apply_recipe(SOURCES, OPS, "out", task={"input": "Ticket: {{ input }}"})
    assert list(done.examples) == list(Examples(made.file(ROWS)))
    assert (done.folder / ROWS).read_bytes() == made.file(ROWS).read_bytes()
    assert [step.id for step in done.steps] == ["once", "filter", "map", "sample"]
    assert {row.fields.get("long") for row in done.examples} <= {True, False}
    assert len(list(read_jsonl(done.folder / DROPPED))) == done.steps[-1].dropped > 0


def test_rows_may_be_given_as_such(here: Path) -> None:
    done = tw.apply_recipe(ROWS_GIVEN, [ops.Filter(keep="size > 3")], "out")
    assert [(row.input_text, row.fields, row.place) for row in done.examples] == [
        ("lamp 4", {"size": 4}, "out/given/source-1.jsonl:5"),
        ("lamp 5", {"size": 5}, "out/given/source-1.jsonl:6"),
    ]
    chats = [{"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}]
    assert [row.expected for row in tw.apply_recipe({"one/two": chats}, [], "other").examples] == ["a"]
    assert len(tw.apply_recipe(SOURCES["tickets"], [], "third").examples) == 40


@pytest.mark.parametrize(
    ("sources", "recipe", "said"),
    [
        (ROWS_GIVEN, [{"op": "filtr"}], "apply_recipe: recipe.0: 'filtr' is not known here"),
        (ROWS_GIVEN, [{"op": "filter", "kep": "x"}], "recipe.0.kep is not a setting. Did you mean keep?"),
        (
            ROWS_GIVEN,
            [ops.Filter(keep="sise > 3")],
            "has a field 'sise'; they have size. Did you mean 'size'?",
        ),
        (ROWS_GIVEN, [ops.Filter(keep="1", needs=("nope",))], "'nope' is neither a source nor an operation"),
        ({"a": 3}, [], "sources: the source 'a' is 3. Give a path"),
        ([3], [], "rows, row 1: the row is 3. Give rows as"),
        ([{"input": {1, 2}}], [], "rows, row 1: the row is no JSON"),
        ("nope.csv", [], "nope.csv"),
        ({"a": {"path": "tickets.csv", "colums": {}}}, [], "sources.a.colums is not a setting"),
        (ROWS_GIVEN, [ops.MaxTokens(tokens=9)], "here is no project"),
        (
            ROWS_GIVEN,
            [{"op": "decontaminate", "against": ["suites"]}],
            "suites stands for those of a project, and here is none. Name the files.",
        ),
        (
            {"path": "tickets.csv", "colums": {}},
            [],
            "sources: 'colums' is no setting of a source. Give one source's settings (path, columns, …), or sources",
        ),
        ({"path": ROWS_GIVEN}, [], "sources.rows.path"),
    ],
)
def test_what_is_wrong_is_told_as_of_a_file(here: Path, sources: Any, recipe: list[tw.Op], said: str) -> None:
    with pytest.raises(tw.UserError) as caught:
        tw.apply_recipe(sources, recipe, "out")
    assert said in str(caught.value)
    assert {path.name for path in Path("out").rglob("*") if path.is_file()} <= {"rejects.jsonl"}
    tw.apply_recipe(ROWS_GIVEN, [], "out")


def test_a_result_is_not_written_over(here: Path) -> None:
    first = tw.apply_recipe(ROWS_GIVEN, [], "out")
    with pytest.raises(tw.UserError, match="out: there is something already"):
        tw.apply_recipe(ROWS_GIVEN[:2], [], "out")
    assert len(list(first.examples)) == 6
    Path("out/ingest/summary.json").unlink()  # as of a call that was killed
    assert len(list(tw.apply_recipe(ROWS_GIVEN[:2], [], "out").examples)) == 2


def test_what_fails_takes_back_its_own_files_alone(here: Path) -> None:
    Path("out/given").mkdir(parents=True)
    Path("out/given/mine.txt").write_text("mine")
    with pytest.raises(tw.UserError):
        tw.apply_recipe({"a": ROWS_GIVEN, "b": [3]}, [], "out")
    assert [path.as_posix() for path in Path("out").rglob("*")] == ["out/given", "out/given/mine.txt"]


def test_a_source_may_have_a_long_name(here: Path) -> None:
    done = tw.apply_recipe({"a" * 300: ROWS_GIVEN[:1], "b": ROWS_GIVEN[:1]}, [], "out")
    assert [row.place for row in done.examples] == [
        "out/given/source-1.jsonl:1",
        "out/given/source-2.jsonl:1",
    ]


def test_a_folder_that_holds_something_is_left_alone(here: Path) -> None:
    Path("out").mkdir()
    Path("out/mine.txt").write_text("mine")
    with pytest.raises(tw.UserError, match="out: there is something already"):
        tw.apply_recipe(ROWS_GIVEN, [], "out")
    assert [one.name for one in Path("out").iterdir()] == ["mine.txt"]
