"""A project that goes on pretraining on documents, whole, on the embedded base: its questions come from a file."""

import json
from pathlib import Path

import pytest

import tunewright
from tunewright.core.errors import UserError

PROJECT = """\
name: handbook
task: {system: Answer from the handbook.}
sources: {rows: {path: pages.csv, columns: {text: body}}}
recipe: [{op: drop_duplicates}, {op: drop_contradictions}]
suites:
  target: {examples: questions.jsonl, graders: [{type: contains}]}
  general: {examples: general, limit: 12}
baselines: {prompt: true, few_shot: [1, 2]}
decoding: {max_new_tokens: 8}
train: {method: cpt, epochs: 2, batch_tokens: 512, max_length: 32, adapter: {rank: 4}}
"""
THINGS = ("lamp", "chair", "bag", "kettle")


def write_project(folder: Path) -> Path:
    """40 pages, the first of them twice and the last too long for one row, and 6 questions."""
    folder.mkdir()
    pages = [
        f"The {thing} number {number} stands in room {number % 5}."
        for thing in THINGS
        for number in range(10)
    ]
    pages[-1] *= 8
    lines = ["body,shelf", *(f"{page},{number % 3}" for number, page in enumerate([*pages, pages[0]]))]
    (folder / "pages.csv").write_text("\n".join(lines) + "\n")
    asked = [
        {"prompt": f"Where is the lamp number {number}?", "completion": str(number % 5)}
        for number in range(6)
    ]
    (folder / "questions.jsonl").write_text("".join(json.dumps(row) + "\n" for row in asked))
    (folder / "tunewright.yaml").write_text(PROJECT)
    return folder


@pytest.mark.usefixtures("one_thread")
def test_from_documents_to_a_verdict(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "handbook")
    project = tunewright.open(folder)
    checked = project.check()
    assert checked.problems == []
    # documents ask nothing and answer nothing, so none can be shown
    assert [warning.where for warning in checked.warnings] == [
        f"{folder / 'tunewright.yaml'}:8: baselines.few_shot"
    ]
    result = project.run()
    made = {outcome.step: outcome.artifact for outcome in result.outcomes}
    gate = json.loads(made["gate"].file("gate.json").read_text())
    assert gate["problems"] == []
    assert gate["rows"] > 36
    assert max(gate["lengths"]) == 32
    trained = json.loads(made["train"].file("train.json").read_text())
    assert (trained["method"], trained["shared_prefix"]) == ("cpt", 0)
    assert trained["best_dev_loss"] < trained["first_dev_loss"]
    assert result.verdict is not None
    asked = {(card.variant, card.examples) for card in result.verdict.variants}
    # questions and general suite; no row can be shown as a worked example
    assert asked == {("fine-tune", 6), ("prompt", 6), ("fine-tune", 12), ("prompt", 12)}
    assert "cpt, lora" in project.report().read_text()


def test_without_questions_check_and_run_say_so(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "handbook")
    (folder / "tunewright.yaml").write_text(PROJECT.replace("questions.jsonl", "test"))
    said = (
        f"{folder}/tunewright.yaml:6: suites.target: the suite has no examples: all 4 rows are documents, and nothing can be"
        " asked. Name a chat JSONL"
        " file of questions with their answers (examples: questions.jsonl)."
    )
    project = tunewright.open(folder)
    assert [str(problem) for problem in project.check().problems] == [said]
    with pytest.raises(UserError) as caught:
        project.run(upto="baselines")
    assert said in str(caught.value)


def test_other_methods_name_cpt(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "handbook")
    for method in ("sft", "dpo", "orpo", "kto"):
        (problem,) = tunewright.open(folder, settings={"train.method": method}).check().problems
        assert f"{method} trains answers, and a row is a document" in str(problem)
        assert "Choose the method cpt" in str(problem)
