"""Projects that train on pairs and on ratings, whole, on the embedded base."""

import json
from pathlib import Path
from typing import Any

import pytest

import tunewright
from tunewright.core.errors import UserError

PROJECT = """\
name: tone
task: {{system: Answer the customer.}}
sources: {{rows: {{path: rows.jsonl}}}}
suites:
  target: {{examples: test, graders: [{{type: exact_match}}]}}
  general: {{examples: general, limit: 12}}
baselines: {{few_shot: [1]}}
decoding: {{max_new_tokens: 8}}
train: {{method: {method}, epochs: 2, batch_tokens: 512, adapter: {{rank: 4}}}}
"""


def write_project(folder: Path, method: str) -> Path:
    """48 questions: polite is good, curt is bad."""
    folder.mkdir()
    asks = [
        f"Where is the {thing} number {number}?" for thing in ("lamp", "chair", "bag") for number in range(16)
    ]
    pairs = [{"prompt": ask, "chosen": "Please look here.", "rejected": "No."} for ask in asks]
    ratings = [
        {"prompt": pair["prompt"], "completion": pair[kind], "label": kind == "chosen"}
        for pair in pairs
        for kind in ("chosen", "rejected")
    ]
    rows: list[dict[str, Any]] = ratings if method == "kto" else pairs
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "tunewright.yaml").write_text(PROJECT.format(method=method))
    return folder


@pytest.mark.parametrize("method", ["dpo", "orpo", "kto"])
@pytest.mark.usefixtures("one_thread")
def test_from_rows_to_a_verdict(method: str, tmp_path: Path) -> None:
    project = tunewright.open(write_project(tmp_path / "tone", method))
    assert project.check().problems == []
    result = project.run()
    assert result.verdict is not None
    made = {outcome.step: outcome.artifact for outcome in result.outcomes}
    trained = json.loads(made["train"].file("train.json").read_text())
    assert trained["method"] == method
    assert trained["best_dev_loss"] < trained["first_dev_loss"]
    target = next(card for card in result.verdict.variants if card.variant == "fine-tune")
    assert 0 < target.examples <= 6  # test rows, those rated bad left out
    page = project.report().read_text()
    assert f"{method}, lora" in page


@pytest.mark.usefixtures("one_thread")
def test_another_rate_takes_what_the_base_gave(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "tone", "dpo")
    for rate in ("1e-4", "3e-4"):
        tunewright.open(folder, settings={"train.learning_rate": rate}).run(upto="train")
    logs = sorted((folder / ".tunewright/runs").glob("*.jsonl"))
    kinds = [[json.loads(line)["kind"] for line in log.read_text().splitlines()] for log in logs]
    told = [set(log) & {"train.reference", "train.recalled"} for log in kinds if "train.start" in log]
    assert told == [{"train.reference"}, {"train.recalled"}]


def test_rows_without_what_the_method_needs(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "tone", "kto")
    problems = tunewright.open(folder, settings={"train.method": "dpo"}).check().problems
    assert "dpo needs a rejected answer beside the expected one" in str(problems[0])
    with pytest.raises(UserError, match=r"rated bad, and sft would learn them like the others"):
        tunewright.open(folder, settings={"train.method": "sft"}).run(upto="gate")
