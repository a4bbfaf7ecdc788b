"""Jobs of OpenAI's fine-tuning: their files, their methods, their graders."""

import json
from typing import Any

import pytest
from config_bench import Bench

from tunewright.core.errors import UserError

ROW = {"messages": [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}]}


def test_a_file_that_lies_with_openai(bench: Bench) -> None:
    file = bench.run(
        {"model": "m", "training_file": "file-abc123", "validation_file": "file-def"}, tool="openai"
    )
    assert file.sources["training"].path == "data/file-abc123.jsonl"
    assert bench.line("training_file").why == (
        "the file lies with OpenAI: save it as data/file-abc123.jsonl, with "
        'client.files.content("file-abc123").write_to_file("data/file-abc123.jsonl")'
    )
    assert bench.line("validation_file").why.endswith(
        'client.files.content("file-def").write_to_file("data/file-def.jsonl"); then give them as a suite: '
        "suites: {validation: {examples: data/file-def.jsonl}}"
    )
    assert list(file.suites) == ["target", "general"]


def test_a_validation_file_is_a_suite(bench: Bench) -> None:
    for name in ("train.jsonl", "dev.jsonl"):
        bench.write(name, f"{json.dumps(ROW)}\n")
    file = bench.run(
        {"model": "m", "training_file": "train.jsonl", "validation_file": "dev.jsonl"}, tool="openai"
    )
    assert {name: suite.examples for name, suite in file.suites.items()} == {
        "target": "test",
        "general": "general",
        "validation": "../dev.jsonl",
    }
    assert bench.fate("validation_file") == ("changed", "suites")


def test_a_validation_file_that_is_no_jsonl(bench: Bench) -> None:
    bench.write("dev.json", json.dumps([ROW]))
    bench.run({"model": "m", "training_file": "file-a", "validation_file": "dev.json"}, tool="openai")
    assert bench.line("validation_file").why == (
        "save it as JSONL, and give it as a suite: suites: {validation: {examples: ../dev.json}}"
    )


@pytest.mark.parametrize(
    ("grader", "fix"),
    [
        (None, "There are supervised and dpo."),
        (
            {
                "type": "string_check",
                "reference": "{{ item.answer }} {{item.unit}}",
                "input": "{{sample.output_text}}",
            },
            "There are supervised and dpo. Its rows are graded by string_check, which reads answer, unit of a row: as a "
            "source with form: {name: openai, keys: {answer: answer}}, that is the answer for sft.",
        ),
        (
            {"type": "python", "source": "def grade(sample, item): return 1.0"},
            "There are supervised and dpo. Its rows are graded by python, which names none of their keys.",
        ),
        (
            {"type": "python", "source": "def grade(sample, item): return item['a'] == item.get(\"b\")"},
            "There are supervised and dpo. Its rows are graded by python, which reads a, b of a row: as a source with form: "
            "{name: openai, keys: {answer: a}}, that is the answer for sft.",
        ),
    ],
)
def test_reinforcement_is_refused_with_what_its_rows_hold(bench: Bench, grader: Any, fix: str) -> None:
    method = {"type": "reinforcement", "reinforcement": {"grader": grader}}
    with pytest.raises(UserError) as caught:
        bench.run({"model": "m", "training_file": "file-a", "method": method}, tool="openai")
    assert (caught.value.message, caught.value.fix) == (
        "the method 'reinforcement' is not among those here",
        fix,
    )
