"""The support tickets: seeded, unambiguous, and with a test part that training never shows."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tunewright.data.ingest import inspect_sources
from tunewright.project.reading import read

EXAMPLE = Path(__file__).parents[2] / "examples" / "support-json"
sys.path.insert(0, str(EXAMPLE))
import phrasings  # noqa: E402

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def rows() -> Rows:
    return [json.loads(line) for line in (EXAMPLE / "tickets.jsonl").read_text("utf-8").splitlines()]


def part(rows: Rows, split: str) -> Rows:
    return [row for row in rows if row["split"] == split]


def copied(answer: dict[str, Any]) -> list[str]:
    """The values an answer takes from its ticket."""
    keys = ("product", "order_id", "amount")
    return [*answer["customer"].values(), *(str(answer[key]) for key in keys if key in answer)]


def words(rows: Rows, *path: str) -> set[str]:
    found = set()
    for row in rows:
        value = row["answer"]
        for key in path:
            value = value.get(key, "") if isinstance(value, dict) else value
        found |= {word.lower() for word in value.split()}
    return found


def shown(sentences: tuple[str, ...], rows: Rows) -> list[str]:
    """The sentences (with slots) that some ticket has."""
    text = "\n".join(row["ticket"] for row in rows)
    return [s for s in sentences if re.search(re.sub(r"\\\{\w+\\\}", "[^.?]+?", re.escape(s)), text)]


def test_the_committed_file_is_what_the_generator_makes(tmp_path: Path) -> None:
    made = tmp_path / "tickets.jsonl"
    subprocess.run([sys.executable, EXAMPLE / "make_data.py", "--out", made], check=True, capture_output=True)
    assert made.read_bytes() == (EXAMPLE / "tickets.jsonl").read_bytes()


def test_the_project_file_stands_and_every_row_can_be_read() -> None:
    file = read(EXAMPLE / "tunewright.yaml")
    assert inspect_sources(file.sources, file.task, EXAMPLE, reject_budget=0.0) == []


def test_sizes(rows: Rows) -> None:
    assert [len(part(rows, split)) for split in ("train", "dev", "test")] == [1800, 200, 200]


def test_every_answer_fits_the_schema(rows: Rows) -> None:
    validator = jsonschema.Draft202012Validator(json.loads((EXAMPLE / "schema.json").read_text("utf-8")))
    assert [row for row in rows if not validator.is_valid(row["answer"])] == []


def test_values_stand_in_the_ticket_word_for_word(rows: Rows) -> None:
    assert [row for row in rows if any(value not in row["ticket"] for value in copied(row["answer"]))] == []


def test_a_value_left_out_is_not_in_the_ticket(rows: Rows) -> None:
    for row in rows:
        assert ("email" in row["answer"]["customer"]) == ("@" in row["ticket"])
        assert ("amount" in row["answer"]) == bool(re.search(r"[$€]\d|\d (euros|dollars|EUR)", row["ticket"]))


def test_no_duplicates_and_no_contradictions(rows: Rows) -> None:
    tickets = [" ".join(row["ticket"].lower().split()) for row in rows]
    assert len(set(tickets)) == len(tickets)


@pytest.mark.parametrize("other", ["dev", "test"])
@pytest.mark.parametrize("path", [("customer", "name"), ("product",)])
def test_names_are_held_out(rows: Rows, other: str, path: tuple[str, ...]) -> None:
    model_or_tail = re.compile(r"^[a-z]\d\d$|^(pro|max|mini|plus|air|go|lite|one|ultra|duo)$")
    shared = words(part(rows, "train"), *path) & words(part(rows, other), *path)
    assert {word for word in shared if not model_or_tail.match(word)} == set()


def test_phrasings_are_held_out(rows: Rows) -> None:
    train, dev = part(rows, "train"), part(rows, "dev")
    for pool in (*phrasings.PROBLEMS.values(), *phrasings.PRIORITY.values()):
        assert not set(pool.train) & set(pool.dev) | set(pool.train + pool.dev) & set(pool.test)
        assert shown(pool.test, train + dev) == []
        assert shown(pool.dev, train) == []
        assert shown(pool.test, part(rows, "test")) != []


def test_one_sentence_decides_the_category(rows: Rows) -> None:
    for category, pool in phrasings.PROBLEMS.items():
        sentences = re.compile(
            "|".join(
                re.sub(r"\\\{\w+\\\}", "[^?]+?", re.escape(s)) for s in pool.train + pool.dev + pool.test
            )
        )
        assert [r for r in rows if bool(sentences.search(r["ticket"])) != (r["category"] == category)] == []
