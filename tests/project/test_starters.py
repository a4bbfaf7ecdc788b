"""The recipe starters: each begins a project file that stands, with its columns guessed for a stated reason."""

import json
from pathlib import Path
from typing import Any

import pytest

from tunewright.core.errors import DataError, ProjectFileError
from tunewright.project import starters
from tunewright.project.file import ProjectFile
from tunewright.project.starters._sample import all_values

NAMES = ["chat", "classification", "dsl", "structured-output", "voice"]
EXAMPLE = Path(__file__).parents[2] / "examples" / "support-json" / "tickets.jsonl"


def write_csv(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def write_rows(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


@pytest.fixture
def intents(tmp_path: Path) -> Path:
    rows = [f"where is parcel {n}?,delivery\nrefund bill {n} please,billing\n" for n in range(20)]
    return write_csv(tmp_path / "intents.csv", "text,category\n" + "".join(rows))


def test_they_are_found_by_name() -> None:
    assert starters.names() == NAMES


def test_an_unknown_recipe_is_one_clear_sentence() -> None:
    with pytest.raises(ProjectFileError, match=r"there is no recipe 'sft'.*chat, classification"):
        starters.starter("sft")


@pytest.mark.parametrize("recipe", NAMES)
@pytest.mark.parametrize("base", ["embedded", "Qwen/Qwen3-0.6B"])
def test_each_begins_a_project_file_that_stands(recipe: str, base: str, intents: Path) -> None:
    for data in (None, EXAMPLE if recipe == "structured-output" else intents):
        values = starters.begin(recipe, "mine", data, base=base)
        file = ProjectFile.model_validate(values)
        # the embedded base is narrow, and what it learns fast with is chosen from its width
        assert (file.train.learning_rate is None) == (base == "embedded")
        assert list(values) == [name for name in ProjectFile.model_fields if name in values]


def test_structured_output_on_the_example() -> None:
    values = starters.begin("structured-output", "tickets", EXAMPLE)
    assert values["sources"] == {
        "data": {"path": str(EXAMPLE), "columns": {"input": "ticket", "expected": "answer"}}
    }
    assert values["split"] == {"column": "split"}
    assert values["suites"]["target"]["slices"] == ["category", "held_out"]
    schema = values["task"]["output"]["schema"]
    assert schema["required"] == ["customer", "category", "priority"]
    assert schema["properties"]["priority"] == {"type": "string", "enum": ["low", "normal", "urgent"]}
    assert schema["properties"]["amount"] == {"type": "number"}
    assert schema["properties"]["customer"] == {
        "type": "object",
        "properties": {"name": {"type": "string"}, "email": {"type": "string"}},
        "required": ["name"],
        "additionalProperties": False,
    }


def test_structured_output_reads_json_texts_in_csv(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", 'note,parsed\n"call Ann at noon","{""who"": ""Ann""}"\n')
    assert starters.begin("structured-output", "x", path)["task"]["output"]["schema"]["properties"] == {
        "who": {"type": "string"}
    }


def test_structured_output_reads_arrays(tmp_path: Path) -> None:
    rows = [{"text": f"order {n}", "json": json.dumps([{"sku": n}])} for n in range(3)]
    task = starters.begin("structured-output", "x", write_rows(tmp_path / "a.jsonl", rows))["task"]
    assert task["system"].startswith(
        "Answer with one JSON array and nothing else. The items' keys are sku. Copy"
    )
    assert task["output"]["schema"]["items"]["required"] == ["sku"]


TEXT = "Begin with a recipe for answers that are text (--recipe chat, classification, dsl or voice)"


def test_structured_output_refuses_answers_that_are_text(tmp_path: Path, intents: Path) -> None:
    with pytest.raises(DataError) as caught:
        starters.begin("structured-output", "x", intents)
    assert str(caught.value) == (
        f'{intents}:2: the answer "delivery" is no JSON object or array, the first of 40 such in 40 answers. {TEXT};'
        " if category is not the answer's column, call that one json."
    )
    talks = [
        [{"role": "user", "content": "q"}, {"role": "assistant", "content": text}]
        for text in ("{}", "17 " * 40)
    ]
    path = write_rows(tmp_path / "c.jsonl", [{"messages": talk} for talk in talks])
    with pytest.raises(DataError) as caught:
        starters.begin("structured-output", "x", path)
    assert str(caught.value) == (
        f'{path}:2: the answer "{"17 " * 19}17… is no JSON object or array, the first of 1 such in 2 answers. {TEXT}.'
    )


def test_structured_output_lets_ingest_set_a_few_rows_aside(tmp_path: Path) -> None:
    rows = [{"text": f"ticket {n}", "answer": {"id": n}} for n in range(200)]
    rows[7]["answer"], rows[9]["answer"] = "none", ""
    values = starters.begin("structured-output", "x", write_rows(tmp_path / "a.jsonl", rows))
    assert values["task"]["output"]["schema"]["required"] == ["id"]


def test_classification_names_the_labels(intents: Path) -> None:
    values = starters.begin("classification", "intents", intents)
    assert (
        values["task"]["system"] == "Answer with the one label that fits and nothing else: billing, delivery."
    )
    columns = {"input": "text", "expected": "category", "category": "category"}
    assert values["sources"]["data"]["columns"] == columns
    assert values["suites"]["target"]["slices"] == ["category"]


def test_the_reason_is_stated(intents: Path) -> None:
    assert starters.why("classification", intents) == (
        "The input is text: its name says so. The answer is category: its name says so."
    )


def test_columns_without_telling_names_go_by_content(tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "a.csv", "a,b\nyes,a long question about something\nno,another long question\n"
    )
    assert starters.begin("classification", "x", path)["sources"]["data"]["columns"] == {
        "input": "b",
        "expected": "a",
        "a": "a",
    }
    assert starters.why("classification", path) == (
        "The input is b: its texts are the longest. The answer is a: its texts are the shortest."
    )


@pytest.mark.parametrize(
    ("marks", "split"),
    [
        (["train", "dev", "test"], {"column": "split"}),
        (["Training", "val", "test"], {"column": "split"}),
        (["train", "validation", " TEST"], {"column": "split"}),
        (["train", "validation", "test", ""], {"train": 0.8, "dev": 0.1, "test": 0.1}),
        (["train", "test", "spare"], {"train": 0.8, "dev": 0.1, "test": 0.1}),
    ],
)
def test_a_column_of_parts_splits_and_never_slices(
    tmp_path: Path, marks: list[str], split: dict[str, Any]
) -> None:
    rows = [
        {"question": f"what is {n}?", "answer": f"it is {n}", "split": marks[n % len(marks)], "lang": n % 2}
        for n in range(20)
    ]
    values = starters.begin("chat", "x", write_rows(tmp_path / "a.jsonl", rows))
    assert (values["split"], values["suites"]["target"]["slices"]) == (split, ["lang"])


def test_a_subset_that_is_no_part_may_slice(tmp_path: Path) -> None:
    rows = [{"question": f"q {n}", "answer": f"a {n}", "subset": ["easy", "hard"][n % 2]} for n in range(8)]
    values = starters.begin("chat", "x", write_rows(tmp_path / "a.jsonl", rows))
    assert values["suites"]["target"]["slices"] == ["subset"]
    assert "column" not in values["split"]


def test_groups_are_kept_together(tmp_path: Path) -> None:
    path = write_csv(
        tmp_path / "a.csv", "customer_id,question,sql\n1,how many?,select 1\n2,which?,select 2\n"
    )
    values = starters.begin("dsl", "x", path)
    assert values["split"]["group_by"] == "customer_id"
    assert values["task"]["system"].startswith("Answer with the sql alone")


def test_voice_finds_the_ending_that_answers_share(tmp_path: Path) -> None:
    rows = [{"prompt": f"hello {n}", "reply": f"Hi {n}!\nYours, the Team"} for n in range(5)]
    values = starters.begin("voice", "x", write_rows(tmp_path / "v.jsonl", rows))
    assert values["suites"]["target"]["graders"] == [{"type": "contains", "text": "Yours, the Team"}]


def test_chat_rows_bring_their_own_messages(tmp_path: Path) -> None:
    messages = [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}]
    row = {"messages": [*messages, {"role": "assistant", "content": "A"}]}
    path = write_rows(tmp_path / "c.jsonl", [row])
    values = starters.begin("chat", "x", path)
    assert values["task"] == {"system": ""}
    assert values["sources"] == {"data": {"path": str(path), "format": "chat"}}
    assert starters.why("chat", path) is None


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "text\nhello\n", "there is one column"),
        ("a.csv", "", "no row that can be read"),
        ("a.xyz", "text", "does not tell the format"),
        ("a.xls", "text", r"a\.xls: files that end in \.xls are not read\. Save it as XLSX"),
        ("a.jsonl", "nonsense\n", "no row that can be read"),
    ],
)
def test_unusable_data_is_one_clear_sentence(tmp_path: Path, name: str, content: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        starters.begin("chat", "x", write_csv(tmp_path / name, content))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no such file"):
        starters.begin("chat", "x", tmp_path / "none.csv")


def test_a_column_that_is_not_there(intents: Path) -> None:
    with pytest.raises(DataError, match=r"there is no column 'body'.*text, category"):
        starters.begin("chat", "x", intents, ["body", "category"])


def test_labels_are_taken_from_all_rows_of_a_file_sorted_by_them(tmp_path: Path) -> None:
    counts = {"billing": 3000, "delivery": 2500, "returns": 40}
    rows = [f"question {n} about {label},{label}\n" for label, count in counts.items() for n in range(count)]
    values = starters.begin(
        "classification", "mine", write_csv(tmp_path / "sorted.csv", "text,category\n" + "".join(rows))
    )
    assert values["task"]["system"].endswith(": billing, delivery, returns.")
    many = [*rows, *(f"question {n},label {n}\n" for n in range(100))]
    values = starters.begin(
        "classification", "mine", write_csv(tmp_path / "many.csv", "text,category\n" + "".join(many))
    )
    assert values["task"]["system"] == "Answer with the one label that fits and nothing else."


def test_blank_labels_and_outer_blanks_are_not_named(tmp_path):
    (tmp_path / "mails.csv").write_text("text,team\none,sales\ntwo,sales \nthree,\nfour,  \nfive,repairs\n")
    assert all_values(tmp_path / "mails.csv", "team", 10) == ["repairs", "sales"]
