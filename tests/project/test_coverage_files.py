"""Coverage of files and of a project, from the command line and from Python."""

import json

import pytest
from click.testing import CliRunner

import tunewright
from tunewright.cli.main import cli
from tunewright.core.errors import DataError, UserError
from tunewright.project import coverage
from tunewright.project.coverage import Looked, cover_files

KINDS = {
    "delivery": ("parcel", "courier", "tracking", "doorstep"),
    "billing": ("invoice", "refund", "payment", "charged"),
}


def questions(kind, count):
    words = KINDS.get(kind, (kind, f"{kind}s", f"{kind}ing"))
    return [f"{words[at % len(words)]} and {words[(at + 1) % len(words)]} number {at}" for at in range(count)]


@pytest.fixture
def folder(tmp_path):
    lines = [
        f'"{text}",{kind}'
        for kind, count in (("delivery", 40), ("billing", 20))
        for text in questions(kind, count)
    ]
    (tmp_path / "rows.csv").write_text("\n".join(["text,kind", *lines]) + "\n")
    asked = [*questions("delivery", 20), *questions("garden", 40)]
    talks = [
        {"messages": [{"role": "system", "content": "Be kind."}, {"role": "user", "content": text}]}
        for text in asked
    ]
    traffic = [*map(json.dumps, talks), json.dumps({"messages": []}), "no json"]
    (tmp_path / "traffic.jsonl").write_text("\n".join(traffic) + "\n")
    return tmp_path


def test_a_table_beside_questions_without_answers(folder):
    found = cover_files([folder / "rows.csv"], against=folder / "traffic.jsonl", looked=Looked(clusters=2))
    assert [cluster.labels[0].label for cluster in found.clusters] == ["delivery", "billing"]
    assert found.gaps
    assert set(found.gaps[0].words) & {"garden", "gardens", "gardening"}
    assert found.gaps[0].examples[0].place.startswith("traffic.jsonl:")
    assert found.notes == (
        "rows.csv: The input is text: its name says so. The answer is kind: its texts are the shortest",
        "traffic.jsonl: its rows are conversations, of which the last question counts",
        "traffic.jsonl: 2 rows ask nothing and are left out",
    )


def test_several_files_are_one_set_of_rows(folder):
    (folder / "more.txt").write_text("A text alone is a row, too.")
    found = cover_files([folder / "rows.csv", folder / "more.txt"])
    assert found.rows == 61
    assert found.balance is None


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ('{"question": "Where is it?"}\n', "its only column is question"),
        ('{"text": "Where is it?", "lang": "en"}\n', "its rows are texts"),
        (
            '{"conversations": [{"from": "human", "value": "Where is it?"}]}\n',
            "its rows are conversations, of",
        ),
        (
            '{"prompt": [{"role": "user", "content": [{"type": "text", "text": "Where is it?"}]}]}\n',
            "its rows are conv",
        ),
        ('{"prompt": "Where is it?", "user_id": 3}\n', "The input is prompt: its name says so"),
    ],
)
def test_traffic_of_many_forms(folder, text, note):
    (folder / "traffic.jsonl").write_text(text * 3)
    found = cover_files([folder / "rows.csv"], against=folder / "traffic.jsonl")
    assert found.traffic == 1
    assert any(f"traffic.jsonl: {note}" in one for one in found.notes)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("none.csv", None, "none.csv: there is no such file"),
        ("empty.csv", "", "empty.csv: the file has no row that can be read"),
        ("few.csv", "text,kind\na b,c\n", "one row says something, and it takes 10 to see what rows are about."),
        ("page.pdf", "no pdf", "page.pdf: "),
    ],
)  # fmt: skip
def test_what_cannot_be_looked_at(folder, name, text, said):
    if text is not None:
        (folder / name).write_text(text)
    with pytest.raises(UserError) as caught:
        cover_files([folder / name])
    assert said in str(caught.value)


def test_columns_that_are_told(folder):
    found = cover_files([folder / "rows.csv"], columns={"input": "kind"})
    assert found.notes == ("rows.csv: the columns are taken as told",)
    with pytest.raises(
        DataError, match=r"there is no column 'txt'; there are text, kind. Did you mean 'text'\?"
    ):
        cover_files([folder / "rows.csv"], columns={"input": "txt"})
    with pytest.raises(DataError, match="'question' is neither input nor expected"):
        cover_files([folder / "rows.csv"], columns={"question": "text"})


def test_of_many_rows_some_are_drawn(folder, monkeypatch):
    monkeypatch.setattr(coverage, "MOST", 30)
    found = cover_files([folder / "rows.csv"])
    assert found.rows == 30
    assert "rows.csv: 30 of 60 rows are looked at, drawn with the seed" in found.notes


PROJECT = """\
name: kinds
task: {system: Say the kind.}
sources: {rows: {path: rows.csv, columns: {input: text, expected: kind}}}
"""


def run(folder, *arguments):
    return CliRunner().invoke(cli, ["data", "coverage", *map(str, arguments)], catch_exceptions=False)


def test_a_project_and_the_command_line(folder, monkeypatch):
    (folder / "tunewright.yaml").write_text(PROJECT)
    found = tunewright.open(folder).coverage("traffic.jsonl")
    assert 40 <= found.rows < 60
    assert found.gaps
    monkeypatch.chdir(folder)
    told = run(folder, "--against", "traffic.jsonl", "--json")
    assert json.loads(told.stdout) == found.model_dump(mode="json")


@pytest.mark.parametrize(("name", "text"), [("a.csv", ""), ("b.csv", "text,kind\n"), ("c.jsonl", "\n\n")])
def test_a_file_of_nothing_is_one_sentence(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(DataError) as caught:
        cover_files([tmp_path / name])
    assert str(caught.value) == f"{tmp_path / name}: the file has no row that can be read"


def test_rows_of_signs_alone_and_of_other_scripts(tmp_path):
    smiles = [{"input": "😀🎉" * (n + 1), "expected": "👍"} for n in range(12)]
    hebrew = [{"input": f"אין עוד חבילה {n}? مرحبا", "expected": "כן"} for n in range(12)]
    long = [{"input": "word " * 400_000, "expected": "כן"}]
    for at, rows in enumerate((smiles, [*hebrew, *long])):
        path = tmp_path / f"{at}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
        found = cover_files([path])
        assert (found.rows, found.blank) == (len(rows), 0)
        assert all(len(one.text) <= 202 for cluster in found.clusters for one in cluster.examples)
        (label,) = found.balance.labels
        assert f"All rows have one label: {label.label} {len(rows)}" in run(tmp_path, path).stdout


def test_a_row_that_the_recipe_repeats_counts_once(folder):
    (folder / "tunewright.yaml").write_text(
        "name: kinds\ntask: {system: Say the kind.}\n"
        "sources: {rows: {path: rows.csv, columns: {input: text, expected: kind}}}\n"
        "recipe: [{op: balance, least: 40}]\n"
    )
    project = tunewright.open(folder)
    train = project.run("split").outcomes[-1].artifact.file("train.jsonl").read_text().splitlines()
    found = project.coverage()
    (note,) = found.notes
    assert len(train) > found.rows
    assert note == f"{len(train) - found.rows} repetitions that the recipe made are left out"
    assert {one.label: one.rows for one in found.balance.labels}["billing"] <= 20


def test_what_the_terminal_shows(folder):
    told = run(folder, folder / "rows.csv", "--against", folder / "traffic.jsonl", "--clusters", 2).stdout
    assert "60 rows, in 2 clusters:" in told
    assert "2 labels, as even as 1.89 equal ones: delivery 40, billing 20" in told
    assert "the rows know too little of one kind:" in told
    assert "Add about " in told
    same = run(folder, folder / "rows.csv", "--against", folder / "rows.csv").stdout
    assert "Of 60 different questions of traffic, no kind is missing." in same


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["rows.csv", "--set", "a=1"], "--set is for a project"),
        (["--column", "input=text"], "--column is for FILES"),
        (["rows.csv", "--column", "text"], "'text' is not OURS=THEIRS"),
    ],
)
def test_options_that_do_not_go_together(folder, monkeypatch, arguments, said):
    monkeypatch.chdir(folder)
    told = CliRunner().invoke(cli, ["data", "coverage", *arguments])
    assert told.exit_code == 2
    assert said in told.output
