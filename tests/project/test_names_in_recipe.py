"""A model for names in a recipe: it is used, known by its content, and refused in a sentence where it is none."""

import pytest

import tunewright
from tiny_names import save_names
from tunewright.core.errors import ModelError
from tunewright.core.files import read_json

PROJECT = """\
name: names
task: {system: Say what it is about.}
sources: {rows: {path: rows.csv, columns: {input: text, expected: kind}}}
recipe: [{op: redact, ner: place}]
"""


@pytest.fixture
def folder(tmp_path):
    texts = [f"the report of zorbla quint number {at},parcel" for at in range(4)]
    (tmp_path / "rows.csv").write_text("\n".join(["text,kind", *texts]) + "\n")
    (tmp_path / "tunewright.yaml").write_text(PROJECT)
    return tmp_path


def prepared(folder):
    outcome = tunewright.open(folder).run("prepare").outcomes[-1]
    rows = outcome.artifact.file("rows.jsonl").read_text()
    return outcome.made, rows, read_json(outcome.artifact.file("recipe.json"))[0]["account"]


def test_a_model_for_names_in_a_recipe_and_another_works_anew(folder):
    save_names(folder / "place")
    made, rows, account = prepared(folder)
    assert (made, "zorbla" in rows, rows.count("[PERSON_1]")) == (True, False, 4)
    assert account["report"]["rules"] == {"person.ner": 4}
    assert not any("no model for names" in note for note in account["notes"])
    assert prepared(folder)[0] is False
    save_names(folder / "place", labels=("O", "B-LOC", "I-PER"))
    made, rows, _ = prepared(folder)
    assert (made, rows.count("zorbla [PERSON_1]")) == (True, 4)


def test_a_place_that_is_no_model(folder):
    (folder / "tunewright.yaml").write_text(PROJECT.replace("place", "../no/ner"))
    with pytest.raises(
        ModelError, match=r"recipe, redact\.ner: the model for names '\.\./no/ner' is neither a folder nor"
    ):
        prepared(folder)
    (folder / "tunewright.yaml").write_text(PROJECT)
    save_names(folder / "place", labels=("O", "B-LOC", "I-LOC"))
    with pytest.raises(
        ModelError, match=r"recipe, redact\.ner: the model for names 'place' knows no persons"
    ):
        prepared(folder)
