"""A JSON task whose answers are held to its schema, whole, on the embedded base: rivals, dev answers and release too."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

import tunewright
from tunewright.core.errors import UserError
from tunewright.core.message import Message

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "thing": {"type": "string", "minLength": 1, "maxLength": 12},
        "count": {"type": "integer", "minimum": 1, "maximum": 99},
        "kind": {"enum": ["order", "return"]},
    },
    "required": ["thing", "kind"],
    "additionalProperties": False,
}
PROJECT = """\
name: shop
task:
  system: Turn the message into JSON.
  output: {type: json, schema: schema.json}
sources: {rows: {path: rows.jsonl}}
suites:
  target: {examples: test, graders: [{type: field_accuracy}, {type: json_schema}]}
  general: {examples: general, limit: 12}
baselines: {few_shot: [1, 2], dev_limit: 6}
decoding: {max_new_tokens: 48, constrained: true}
train: {epochs: 1, batch_tokens: 512, adapter: {rank: 4}, dev_answers: 4}
gates: {beats_baselines: false, max_general_loss: 100}
"""


def write_project(folder: Path, project: str = PROJECT, schema: dict[str, Any] = SCHEMA) -> Path:
    folder.mkdir()
    rows = [
        {"input": f"{say} {number} {thing}s", "expected": {"kind": kind, "thing": thing, "count": number}}
        for thing in ("lamp", "chair", "kettle", "bag")
        for kind, say in (("order", "I want"), ("return", "I send back"))
        for number in range(1, 10)
    ]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "schema.json").write_text(json.dumps(schema))
    (folder / "tunewright.yaml").write_text(project)
    return folder


@pytest.mark.usefixtures("one_thread")
def test_every_variant_keeps_the_schema(tmp_path: Path) -> None:
    project = tunewright.open(write_project(tmp_path / "shop"))
    result = project.run()
    made = {outcome.step: outcome.artifact for outcome in result.outcomes}
    check = Draft202012Validator(SCHEMA)
    cards = [
        *made["baselines"].path.glob("cards/*--target.jsonl"),
        made["evaluate"].file("cards/fine-tune--target.jsonl"),
    ]
    assert len(cards) == 3  # the prompt, the better few-shot, the fine-tune
    replies = [json.loads(line) for card in cards for line in card.read_text("utf-8").splitlines()[1:]]
    for reply in replies:
        assert reply["finish"] == "stop"
        check.validate(json.loads(reply["text"]))
    general = made["evaluate"].file("cards/fine-tune--general.jsonl").read_text("utf-8").splitlines()[1:]
    assert any(not json.loads(line)["text"].startswith("{") for line in general)
    assert "were held to the JSON Schema" in project.report().read_text("utf-8")
    reply = project.chat([Message(role="user", content="Tell me a story about the sea.")])
    check.validate(json.loads(reply.text))


def test_without_it_the_gate_is_another_one(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "shop")
    tunewright.open(folder).run(upto="gate")
    free = tunewright.open(folder, settings={"decoding.constrained": False})
    states = {entry.step.name: entry.state for entry in free.plan()}
    assert (states["split"], states["gate"], states["baselines"]) == ("fresh", "stale", "waits")


def test_moving_a_property_is_another_project(tmp_path: Path) -> None:
    """Rows are written, and answers held, in the order of the properties."""
    folder = write_project(tmp_path / "shop")
    tunewright.open(folder).run(upto="gate")
    moved = dict(reversed(SCHEMA["properties"].items()))
    (folder / "schema.json").write_text(json.dumps(SCHEMA | {"properties": moved}))
    assert {entry.step.name: entry.state for entry in tunewright.open(folder).plan()}["ingest"] == "stale"
    assert tunewright.open(folder).check().problems == []


def test_the_gate_looks_at_every_expected_answer(tmp_path: Path) -> None:
    """An empty schema takes any JSON, and a number with an exponent is none that a bounded one lets a model write."""
    folder = write_project(tmp_path / "shop", schema={})
    assert tunewright.open(folder).check().problems == []
    bounded = {"type": "object", "properties": {"count": {"type": "number", "minimum": 0}}}
    (folder / "schema.json").write_text(json.dumps(bounded))
    rows = [json.loads(line) for line in (folder / "rows.jsonl").read_text().splitlines()]
    for row, part in zip(rows, ["train"] * 40 + ["dev"] * 16 + ["test"] * 16, strict=True):
        row |= {"expected": {"count": 2e-7 if part == "test" else 1}, "split": part}
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    project = tunewright.open(folder, settings={"split.column": "split"})
    (problem,) = project.check().problems
    assert "16 rows have an answer that decoding.constrained would not let the model write" in str(problem)


def test_a_schema_that_cannot_be_held_is_refused_by_check_and_run(tmp_path: Path) -> None:
    schema = SCHEMA | {"not": {"required": ["nothing"]}}
    project = tunewright.open(write_project(tmp_path / "shop", schema=schema))
    (problem,) = project.check().problems
    place = f"{project.root}/tunewright.yaml:4: task.output.schema"
    assert str(problem).startswith(f"{place}: answers cannot be held to this schema (")
    assert str(problem).endswith("Set decoding.constrained: false, or change the schema.")
    with pytest.raises(UserError, match="answers cannot be held to this schema"):
        project.run(upto="gate")
    free = tunewright.open(project.root, settings={"decoding.constrained": False})
    assert free.check().problems == []
