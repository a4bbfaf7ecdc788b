"""Real customer questions (banking77): read whole, then a slice of it from its CSV to a verdict."""

import csv
import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

import tunewright
from tunewright.core.files import read_json, read_jsonl
from tunewright.project.init import init

BANKING = Path(__file__).parents[3] / "shared" / "data" / "banking77"
INTENTS = (
    *("card_arrival", "exchange_rate", "lost_or_stolen_card", "change_pin"),
    *("top_up_failed", "age_limit", "verify_my_identity", "cash_withdrawal_charge"),
)
PARTS = {"train": ("train.csv", 40), "dev": ("test.csv", 10), "test": ("test.csv", 15)}

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not BANKING.is_dir(), reason="the public data sets are not beside the checkout"),
]


@pytest.fixture
def slice_of_it(tmp_path: Path) -> Path:
    """A few rows of each of eight intents: train from train.csv, dev and test from test.csv."""
    left = {name: _by_intent(BANKING / name) for name in ("train.csv", "test.csv")}
    target = tmp_path / "questions.csv"
    with target.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["text", "category", "split"])
        for part, (name, count) in PARTS.items():
            for intent in INTENTS:
                rows.writerows([left[name][intent].pop(0), intent, part] for _ in range(count))
    return target


def _by_intent(path: Path) -> dict[str, list[str]]:
    texts: dict[str, list[str]] = defaultdict(list)
    with path.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            if row["text"] not in texts[row["category"]]:
                texts[row["category"]].append(row["text"])
    return texts


def test_the_whole_set_is_read_and_split(tmp_path: Path) -> None:
    init(tmp_path / "banking", "classification", BANKING / "train.csv")
    result = tunewright.open(tmp_path / "banking").run("split")
    made = {outcome.step: outcome.artifact for outcome in result.outcomes}
    summary = read_json(made["ingest"].file("summary.json"))
    assert (summary["rows"], summary["examples"], summary["rejects"]) == (10003, 10003, 0)
    parts = [list(read_jsonl(made["split"].file(f"{part}.jsonl"))) for part in PARTS]
    kept = sum(map(len, parts))
    assert 9900 <= kept <= 10003
    assert [round(len(rows) / kept, 2) for rows in parts] == [0.8, 0.1, 0.1]
    asked = [{" ".join(row["messages"][0]["content"].lower().split()) for row in rows} for rows in parts]
    assert not asked[0] & asked[1] | asked[0] & asked[2] | asked[1] & asked[2]


def test_from_csv_to_a_verdict(tmp_path: Path, slice_of_it: Path) -> None:
    folder = tmp_path / "banking"
    init(folder, "classification", slice_of_it)
    verdict = run(
        folder,
        *("train.epochs=6", "decoding.max_new_tokens=16", "suites.general.limit=24"),
        *("baselines.few_shot=[2]", "baselines.dev_limit=20"),
    )
    scores = scores_of(verdict)
    assert {row["examples"] for row in verdict["comparisons"]} == {len(INTENTS) * PARTS["test"][1]}
    assert verdict["outcome"] == "helps"
    assert scores["fine-tune"] > max(value for name, value in scores.items() if name != "fine-tune")


@pytest.mark.slow
def test_the_whole_set_from_csv_to_a_verdict(tmp_path: Path) -> None:
    init(tmp_path / "banking", "classification", BANKING / "train.csv")
    verdict = run(
        tmp_path / "banking",
        *("train.epochs=1", "decoding.max_new_tokens=24", "suites.general.limit=24", "baselines.few_shot=[]"),
    )
    scores = scores_of(verdict)
    assert {row["examples"] for row in verdict["comparisons"]} <= set(range(950, 1010))
    assert verdict["outcome"] == "helps"
    assert scores["fine-tune"] > 0.2 > max(value for name, value in scores.items() if name != "fine-tune")


def run(folder: Path, *settings: str) -> dict[str, Any]:
    """The verdict of `tunewright run` in the folder."""
    command = [sys.executable, "-c", "from tunewright.cli.main import main; main()", "run", "--json"]
    done = subprocess.run(
        [*command, *(f"--set={setting}" for setting in settings)],
        cwd=folder,
        env={**os.environ, "TUNEWRIGHT_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def scores_of(verdict: dict[str, Any]) -> dict[str, float]:
    """Variant → exact match on the target suite."""
    rows = (row for row in verdict["variants"] if row["suite"] == "target")
    return {row["variant"]: row["scores"]["exact_match"]["value"] for row in rows}
