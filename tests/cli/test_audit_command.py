"""`tunewright data audit`: a file or a project looked over, what is told, as a page, and the exit code."""

import json
from collections.abc import Iterable
from pathlib import Path

import pytest
import yaml

from tunewright.data.ops import RecipeOp

ECHO = {"input": "Say it back to me", "expected": "say it back to me"}
PROJECT = """\
name: look
task: {system: Say the kind.}
sources: {rows: {path: rows.jsonl}}
recipe:
  - {op: drop_duplicates}
train: {max_length: 64}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    kinds = ("delivery", "refund", "billing")
    rows = [{"input": f"Where is parcel {n}, please?", "expected": kinds[n % 3]} for n in range(60)]
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in [*rows, ECHO]))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_finding_has_its_kind_its_rows_and_what_mends_it(cli, folder):
    said = cli("data", "audit", "rows.jsonl", "--only", "echo_answer")
    assert (said.code, said.err) == (0, "")
    assert said.out == (
        "The input is input: its name says so. The answer is expected: its name says so. 61 rows warning echo_answer:"
        " 1 of 61 rows (1.6%) answer with the question itself. rows.jsonl:61 say it back to me Mend it: Leave them out."
        " - {op: filter, keep: '(expected | lower).split() != (input | lower).split()'} Found: 1 warning."
    )


def test_tokens_of_the_embedded_base_and_rows_that_do_not_fit(cli, folder):
    said = cli("data", "audit", "rows.jsonl", "--max-length", "12")
    assert "tokens (embedded), " in said.out
    assert "have more than 12 tokens: they would not fit." in said.out
    assert "- {op: max_tokens, tokens: 12}" in said.out
    assert "tokens are those of the embedded base; --base names another" in said.out


def test_the_exit_code_goes_by_the_worst_finding(cli, folder):
    ask = ("data", "audit", "rows.jsonl", "--only", "echo_answer")
    assert [cli(*ask, "--fail-on", level).code for level in ("error", "warn", "info")] == [0, 1, 1]
    assert cli("data", "audit", "rows.jsonl", "--only", "leak", "--fail-on", "info").code == 0


def lines(path: Path, rows: Iterable[object]) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def test_rows_that_were_set_aside_are_an_error_whatever_is_looked_for(cli, folder):
    rows = [{"input": f"Where is {n}?", "expected": "" if n < 70 else f"In box {n}."} for n in range(100)]
    lines(folder / "e.jsonl", rows)
    said = cli("data", "audit", "e.jsonl", "--only", "trivial_answer", "--html", "page.html")
    assert said.code == 1
    assert said.out == (
        "The input is input: its name says so. The answer is expected: its name says so. 30 rows"
        " error set_aside: 70 of 100 rows (70.0%) cannot be used and are set aside: empty answer 70, and a project takes"
        " 1.00% at most (data.reject_budget). e.jsonl:1 empty answer: the expected column is blank e.jsonl:2 empty answer:"
        " the expected column is blank e.jsonl:3 empty answer: the expected column is blank Mend it: Mend them in the"
        " source, or say how its rows are read (`columns`, `form`): no other finding is about them. Found: 1 error."
        " The page is page.html."
    )
    assert "70 of 100 rows (70.0%) cannot be used" in (folder / "page.html").read_text()
    told = json.loads(cli("data", "audit", "e.jsonl", "--only", "trivial_answer", "--json").out)
    assert [(one["kind"], one["count"], len(one["examples"])) for one in told["findings"]] == [
        ("set_aside", 70, 3)
    ]


def test_few_rows_that_were_set_aside_are_a_warning(cli, folder):
    rows = [{"input": f"Where is {n}?", "expected": "" if n == 7 else f"In box {n}."} for n in range(100)]
    lines(folder / "e.jsonl", rows)
    ask = ("data", "audit", "e.jsonl", "--only", "trivial_answer")
    assert [cli(*ask, "--fail-on", level).code for level in ("error", "warn")] == [0, 1]
    assert (
        "warning set_aside: 1 of 100 rows (1.0%) cannot be used and are set aside: empty answer 1."
        in cli(*ask).out
    )


def test_a_test_file_is_held_against_a_folder_that_is_trained_on(cli, folder):
    asked = [f"Which of the {n} boxes did the driver leave at door {n * 7}?" for n in range(60)]
    lines(folder / "train" / "a.jsonl", ({"question": one, "answer": "b"} for one in asked[:30]))
    lines(folder / "train" / "b.jsonl", ({"question": one, "answer": "c"} for one in asked[30:50]))
    lines(folder / "test" / "a.jsonl", ({"question": one.upper(), "answer": "b"} for one in asked[20:]))
    ask = ("data", "audit", "train", "--only", "leak", "--against")
    said = cli(*ask, "test/a.jsonl")
    assert said.code == 1
    assert (
        "50 rows error leak: test/a.jsonl: of its 40 examples, 30 ask what training rows ask, and scores on them flatter the"
        " fine-tune. The first asks what train/a.jsonl:21 asks."
        " test/a.jsonl:1 in train/a.jsonl:21 WHICH OF THE 20 BOXES"
    ) in said.out
    line = '{op: decontaminate, against: ["test/a.jsonl"], column: "question"}'
    assert f"- {line}" in said.out
    (folder / "tunewright.yaml").write_text(
        "name: look\ntask: {}\nsources: {rows: {path: train, columns: {input: question, expected: answer}}}\n"
    )
    assert "of its 40 examples, " in cli("data", "audit", "--only", "leak", "--against", "test").out
    with (folder / "tunewright.yaml").open("a") as file:
        file.write(f"recipe:\n  - {line}\n")
    assert "Nothing odd" in cli("data", "audit", "--only", "leak", "--against", "test").out


def test_a_suites_file_is_held_against_the_rows(cli, folder):
    rows = [
        {"input": f"Which of the {n} boxes is at door {n * 7}?", "expected": f"It is box {n}."}
        for n in range(60)
    ]
    lines(folder / "rows.jsonl", rows)
    lines(
        folder / "mine.jsonl",
        (
            {"messages": [{"role": "user", "content": one}, {"role": "assistant", "content": "No."}]}
            for one in [*(row["input"] for row in rows[:32]), *(f"Who is {n}?" for n in range(8))]
        ),
    )
    project = PROJECT.replace("recipe:\n  - {op: drop_duplicates}\n", "")
    suites = "suites: {target: {examples: test}, mine: {examples: mine.jsonl}}\n"
    (folder / "tunewright.yaml").write_text(project + suites)
    ask = ("data", "audit", "--only", "leak", "--only", "near_leak")
    said = cli(*ask, "--json")
    assert said.code == 1
    found = {(one["part"], one["severity"]): one for one in json.loads(said.out)["findings"]}
    assert set(found) == {("train", "error"), ("dev", "warning")}
    assert sum(one["count"] for one in found.values()) in range(20, 33)
    told = found["train", "error"]
    assert told["message"].startswith(
        f"suites.mine: of its 40 examples, {told['count']} ask what training rows ask"
    )
    assert (len(told["examples"]), told["recipe"]) == (3, "{op: decontaminate, against: [suites]}")
    (folder / "tunewright.yaml").write_text(f"{project}{suites}recipe:\n  - {told['recipe']}\n")
    assert (cli(*ask).code, "Nothing odd" in cli(*ask).out) == (0, True)
    assert cli("data", "audit", "--only", "echo_answer").code == 0
    (folder / "mine.jsonl").unlink()
    (folder / "tunewright.yaml").write_text(project + suites)
    assert "note: suites were not held against the rows: " in cli(*ask).out


def test_as_json_and_as_a_page(cli, folder):
    said = cli("data", "audit", "rows.jsonl", "--json", "--html", "page.html")
    found = json.loads(said.out)
    assert found["rows"] == {"all": 61}
    assert found["tokens"][0]["base"] == "embedded"
    echo = next(one for one in found["findings"] if one["kind"] == "echo_answer")
    assert echo["examples"][0]["place"] == "rows.jsonl:61"
    page = (folder / "page.html").read_text()
    assert "Answers that repeat the question" in page
    assert "<script" not in page


def test_a_project_is_looked_at_after_its_recipe_with_its_own_base_and_length(cli, folder):
    (folder / "tunewright.yaml").write_text(PROJECT)
    said = cli("data", "audit", "--json", "--max-length", "16")
    found = json.loads(said.out)
    assert sum(found["rows"].values()) == 61
    long = [one for one in found["findings"] if one["kind"] == "over_length"]
    assert [(one["part"], one["severity"]) for one in long] == [
        (part, "error") for part in ("train", "dev", "test")
    ]
    assert "training refuses them" in long[0]["message"]
    assert said.code == 1


def test_answers_are_held_against_a_schema(cli, folder):
    rows = [{"input": f"Order {n}", "expected": json.dumps({"qty": n if n else "0"})} for n in range(60)]
    (folder / "json.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "schema.json").write_text('{"properties": {"qty": {"type": "number"}}}')
    said = cli("data", "audit", "json.jsonl", "--schema", "schema.json", "--only", "off_schema")
    assert said.code == 1
    assert "1 of 60 rows (1.7%) have an answer that the schema does not allow: qty: '0' is not" in said.out
    assert cli("data", "audit", "json.jsonl", "--schema", "no.json").err.startswith(
        "error: no.json: the schema cannot"
    )
    assert cli("data", "audit", "json.jsonl", "--schema", "rows.jsonl").err == (
        "error: rows.jsonl: the schema is no JSON object"
    )


def test_what_mends_it_can_be_pasted(cli, folder):
    from pydantic import TypeAdapter

    found = json.loads(cli("data", "audit", "rows.jsonl", "--max-length", "12", "--json").out)
    recipes = [one["recipe"] for one in found["findings"] if one["recipe"]]
    assert recipes
    for recipe in recipes:
        TypeAdapter(RecipeOp).validate_python(yaml.safe_load(f"- {recipe}")[0])


def test_a_format_that_the_ending_does_not_tell(cli, folder):
    (folder / "rows.jsonl").rename(folder / "rows.dat")
    said = cli("data", "audit", "rows.dat", "--format", "jsonl", "--only", "few_rows")
    assert (said.code, said.err) == (0, "")
    assert "61 rows" in said.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("rows.jsonl", "--only", "echo"), "no finding is named 'echo'; there are "),
        (("rows.jsonl", "--method", "sftt"), "There is no training method 'sftt'."),
        (("rows.jsonl", "--form", "alpacc"), "there is no form 'alpacc'. Did you mean 'alpaca'?"),
        (("rows.jsonl", "--base", "no/such"), "no/such is no folder here"),
        (("rows.jsonl", "--form", "alpaca", "--column", "input=q"), "--column and --form both say how FILE is read"),
        (("rows.jsonl", "--format", "jsnol"), "no format is named 'jsnol'; there are auto, chat, csv, "),
        (("rows.dat",), "rows.dat: the ending '.dat' does not tell the format. Say --format NAME ("),
        (("--format", "slack"), "--format says how FILE is read, and no FILE is given"),
        (("rows.jsonl", "--set", "a=b"), "--set is for a project's file"),
        (("--form", "alpaca"), "no FILE is given"),
        (("rows.jsonl", "--html", "no/such.html"), "there is no folder "),
        (("mixed",), "mixed: 'mixed' is a folder of several formats (a.csv and b.jsonl). Name its files: mixed/*.csv"),
        (("hub:a/b",), "hub:a/b: the hub could not be reached for the data set a/b"),
        (("rows.jsonl", "--against", "no.jsonl", "--only", "leak"), "no.jsonl: there is no such file"),
        (("no.jsonl",), "there is no such file"),
        (("rows.jsonl", "--column", "input=nope"), "no row can be used; of the first: missing column"),
    ],
)  # fmt: skip
def test_what_cannot_be_looked_at_is_one_sentence(cli, folder, arguments, said, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    (folder / "mixed").mkdir()
    (folder / "rows.dat").write_text("{}")
    for name in ("a.csv", "b.jsonl"):
        (folder / "mixed" / name).touch()
    done = cli("data", "audit", *arguments)
    assert done.code == 2
    assert said in done.err
    assert "Traceback" not in done.err
