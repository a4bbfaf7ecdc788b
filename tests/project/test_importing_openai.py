"""Jobs of OpenAI's fine-tuning: their files, their methods, their graders."""

import json
from typing import Any

import pytest
from config_bench import Bench
from hypothesis import given, settings
from hypothesis import strategies as st

from tunewright.core.errors import UserError
from tunewright.core.example import ask, make_example
from tunewright.core.task import TaskSpec
from tunewright.data.forms import FormSpec
from tunewright.evals.suites import build_suite
from tunewright.grade.build import build_graders
from tunewright.grade.spec import ExactMatch
from tunewright.project.file import ProjectFile
from tunewright.project.importing.carried import Ledger
from tunewright.project.importing.openai_graders import graded, keys_named, read_grader

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
        "suites: {validation: {examples: data/file-def.jsonl, form: openai}}"
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
    assert file.suites["validation"].form == FormSpec(name="openai")
    assert bench.fate("validation_file") == ("changed", "suites")


def test_the_validation_file_of_a_reinforcement_job(bench: Bench) -> None:
    rows(bench, {"answer": "4"})
    asked = {"messages": [{"role": "user", "content": "Q"}], "answer": 5}
    bench.write("dev.jsonl", f"{json.dumps(asked)}\n")
    file = bench.run({**job(check("eq", "{{item.answer}}")), "validation_file": "dev.jsonl"}, tool="openai")
    suite = file.suites["validation"]
    assert suite.model_dump(exclude_defaults=True) == {
        "examples": "../dev.jsonl",
        "form": {"name": "openai", "keys": {"answer": "answer"}},
        "graders": ({},),
    }
    assert suite.graders == (ExactMatch(),)
    built = build_suite("validation", suite, [], file.task, bench.root / "mine")
    assert [example.messages for example in built.examples] == [ask("Q", "5")]
    assert bench.line("validation_file").why == (
        "its rows are a suite, and judge the result; the first 1 rows have this form"
    )


def test_a_validation_file_that_is_no_jsonl(bench: Bench) -> None:
    bench.write("dev.json", json.dumps([ROW]))
    bench.run({"model": "m", "training_file": "file-a", "validation_file": "dev.json"}, tool="openai")
    assert bench.line("validation_file").why == (
        "save it as JSONL, and give it as a suite: suites: {validation: {examples: ../dev.json, form: openai}}"
    )


REPLY = "{{ sample.output_text }}"
LEAD = "Import a job that is supervised or dpo."


def check(operation: str, reference: str, reply: str = REPLY) -> dict[str, str]:
    return {
        "type": "string_check",
        "name": "x",
        "operation": operation,
        "input": reply,
        "reference": reference,
    }


def job(grader: Any, **more: Any) -> dict[str, Any]:
    method = {"type": "reinforcement", "reinforcement": {"grader": grader, **more}}
    return {"model": "m", "training_file": "train.jsonl", "method": method}


def rows(bench: Bench, *own: dict[str, Any]) -> None:
    asked = [
        {"messages": [{"role": "user", "content": f"Q{number}"}], **each} for number, each in enumerate(own)
    ]
    bench.write("train.jsonl", "".join(f"{json.dumps(row)}\n" for row in asked))


@pytest.mark.parametrize(
    ("grader", "fix"),
    [
        (None, LEAD),
        (
            check("eq", "{{ item.answer }} {{item.unit}}"),
            f"{LEAD} Its rows are graded by string_check, which reads answer, unit of a row: as a source with form: {{name: "
            "openai, keys: {answer: answer}}, that is the answer for sft.",
        ),
        (
            {"type": "python", "source": "def grade(sample, item): return 1.0"},
            f"{LEAD} Its rows are graded by python, which names none of their keys.",
        ),
        (
            {"type": "python", "source": "def grade(sample, item): return item['a'] == item.get(\"b\")"},
            f"{LEAD} Its rows are graded by python, which reads a, b of a row: as a source with form: "
            "{name: openai, keys: {answer: a}}, that is the answer for sft.",
        ),
    ],
)
def test_reinforcement_without_an_answer_is_refused_with_what_its_rows_hold(
    bench: Bench, grader: Any, fix: str
) -> None:
    with pytest.raises(UserError) as caught:
        bench.run(job(grader), tool="openai")
    assert (caught.value.message, caught.value.fix) == (
        "there is no method 'reinforcement' here yet, and no grader of the job says which key of a row is the answer",
        fix,
    )
    assert not (bench.root / "mine").exists()


def test_a_method_that_nobody_knows(bench: Bench) -> None:
    with pytest.raises(UserError) as caught:
        bench.run({"model": "m", "training_file": "file-a", "method": {"type": "telepathy"}}, tool="openai")
    assert (caught.value.message, caught.value.fix) == (
        "the method 'telepathy' is not among those here",
        "There are supervised, dpo and, to be measured, reinforcement.",
    )


def test_a_reinforcement_job_is_measured_with_its_grader(bench: Bench) -> None:
    rows(bench, {"answer": "4"}, {"answer": "5"})
    hyper = {"n_epochs": 2, "reasoning_effort": "low"}
    file = bench.run(
        {**job(check("eq", "{{item.answer}}"), hyperparameters=hyper), "validation_file": "dev.jsonl"},
        tool="openai",
    )
    form = file.sources["training"].form
    assert form is not None
    assert (form.name, form.keys, file.train.method, file.train.epochs) == (
        "openai",
        {"answer": "answer"},
        "sft",
        ProjectFile.model_fields["train"].default.epochs,
    )
    assert {name: (suite.examples, suite.graders) for name, suite in file.suites.items()} == {
        "target": ("test", (ExactMatch(),)),
        "general": ("general", ()),
    }
    assert [(line.key, line.fate, line.to, line.why) for line in bench.lines if line.key != "model"] == [
        ("training_file", "carried", "sources.training.path", "the first 2 rows have this form"),
        (
            "method.reinforcement.grader",
            "changed",
            "suites.target.graders[0]",
            "outer blanks aside",
        ),
        (
            "method.type",
            "changed",
            "train.method",
            "there is no reinforcement (grpo) yet: the rows' 'answer' is trained, and its graders measure",
        ),
        *(
            (
                f"method.reinforcement.hyperparameters.{key}",
                "without",
                "",
                "it is reinforcement's, and there is no such method yet",
            )
            for key in hyper
        ),
        (
            "validation_file",
            "without",
            "",
            "there is no such file yet; then give them as a suite: suites: {validation: {examples: ../dev.jsonl, form: "
            "{name: openai, keys: {answer: answer}}}}",
        ),
    ]


@pytest.mark.parametrize(
    ("grader", "found"),
    [
        (check("eq", "{{ item.a }}"), [{"type": "exact_match"}]),
        (check("eq", REPLY, "{{item.a}}"), [{"type": "exact_match"}]),
        (check("like", "{{item.a}}"), [{"type": "contains", "ignore_case": False}]),
        (check("ilike", "{{item.a}}"), [{"type": "contains"}]),
        (check("eq", "{{item.a.x}}", "{{sample.output_json.x}}"), [{"type": "field_accuracy"}]),
    ],
)
def test_each_check_against_the_row_has_its_grader(
    bench: Bench, grader: Any, found: list[dict[str, Any]]
) -> None:
    file = bench.run(job(grader), tool="openai")
    assert [each.model_dump(exclude_unset=True) for each in file.suites["target"].graders] == found


def test_checks_against_a_text_stand_beside_one_of_the_row(bench: Bench) -> None:
    parts = {
        "no": check("ne", "n/a"),
        "same": check("eq", "a+b"),
        "has": check("like", "So:"),
        "any": check("ilike", "so"),
        "row": check("eq", "{{item.a}}"),
    }
    file = bench.run(
        job({"type": "multi", "graders": parts, "calculate_output": "max(no, row)"}), tool="openai"
    )
    graders = file.suites["target"].graders
    assert [each.model_dump(exclude_unset=True) for each in graders] == [
        {"type": "regex", "pattern": r"\A(?!\s*n/a\s*\Z)"},
        {"type": "regex", "pattern": r"\A\s*a\+b\s*\Z"},
        {"type": "contains", "text": "So:", "ignore_case": False},
        {"type": "contains", "text": "so"},
        {"type": "exact_match"},
    ]
    example = make_example(ask("Q", "a"))
    scored = [
        [grader.grade(example, reply).value for grader in build_graders(graders, TaskSpec())]
        for reply in (" n/a ", "a+b", "So: a", "aab", "a")
    ]
    assert scored == [
        [0.0, 0.0, 0.0, 0.0, 0.0],
        [1.0, 1.0, 0.0, 0.0, 0.0],
        [1.0, 0.0, 1.0, 1.0, 0.0],
        [1.0, 0.0, 0.0, 0.0, 0.0],
        [1.0, 0.0, 0.0, 0.0, 1.0],
    ]


def test_a_sum_of_graders(bench: Bench) -> None:
    parts = {
        "judged": {"type": "score_model", "model": "m", "input": [{"role": "user", "content": "{{item.a}}"}]},
        "has": check("ilike", "{{item.a}}"),
        "same": check("eq", "{{item.a}}"),
        "other": check("eq", "{{item.b}}"),
        "alike": {"type": "text_similarity", "input": REPLY, "reference": "{{item.a}}"},
        "code": {"type": "python", "source": "…"},
        "far": {"type": "endpoint", "url": "https://example.com"},
        "label": {"type": "label_model", "labels": ["x"]},
        "not": check("ne", "{{item.a}}"),
        "field": check("eq", "{{item.a}}", "{{sample.output_json.a}}"),
        "deep": check("eq", "{{item.a.b}}"),
        "blank": check("like", " "),
        "new": {"type": "new"},
        "odd": 7,
    }
    file = bench.run(
        job({"type": "multi", "graders": parts, "calculate_output": "0.2 * has + 0.8 * same + judged"}),
        tool="openai",
    )
    assert [each.model_dump(exclude_unset=True) for each in file.suites["target"].graders] == [
        {"type": "exact_match"},
        {"type": "contains"},
    ]
    at = "method.reinforcement.grader"
    whys = {name: bench.line(f"{at}.graders.{name}").why for name in parts}
    assert whys == {
        "judged": "no model judges replies here yet",
        "has": "",
        "same": "outer blanks aside",
        "other": "it compares with 'b', and the expected answer is 'a'",
        "alike": "no grader measures how alike two texts are",
        "code": "no code of a config is run",
        "far": "no address of a config is asked",
        "label": "no model judges replies here yet",
        "not": "no grader says that a reply is not the expected answer",
        "field": "it compares the field 'a' of a JSON answer alone: put the fields that are expected under one key of "
        "the rows, as an object, and name it form.keys.answer; field_accuracy compares them",
        "deep": "{{item.a.b}} is no key of a row: give its text a key of its own",
        "blank": "its reference is blank",
        "new": "no grader new is known here",
        "odd": "no grader null is known here",
    }
    assert bench.fate(f"{at}.graders.same") == ("changed", "suites.target.graders[0]")
    assert bench.fate(f"{at}.graders.has") == ("carried", "suites.target.graders[1]")
    assert bench.line(f"{at}.calculate_output").why == (
        "graders are scored one by one and not summed up; that of most weight that is carried is the headline"
    )


def test_what_a_sum_takes_away_is_no_grader_of_a_suite(bench: Bench) -> None:
    parts = {"bad": check("like", "sorry"), "good": check("eq", "{{item.größe}}")}
    file = bench.run(
        job({"type": "multi", "graders": parts, "calculate_output": "good - bad"}), tool="openai"
    )
    assert file.suites["target"].graders == (ExactMatch(),)
    at = "method.reinforcement.grader.graders"
    assert bench.line(f"{at}.bad").why == "it lowers the sum, and a suite's grader only raises a score"
    assert bench.fate(f"{at}.good") == ("changed", "suites.target.graders[0]")
    assert bench.line("method.reinforcement.grader.calculate_output").why.endswith(
        "the only one that is carried is the headline"
    )
    assert keys_named(parts) == ["größe"]


def test_graders_of_one_name_and_sums_in_sums_are_told_each(bench: Bench) -> None:
    parts = [
        {"name": "a", **check("eq", "{{item.x}}")},
        {"name": "a", **check("ilike", "{{item.x}}")},
        {"name": "1", **check("eq", "")},
        {"type": "multi", "graders": {}},
    ]
    formula = "1e308 * 10 * a - 1e308 * 10"  # no number
    file = bench.run(job({"type": "multi", "graders": parts, "calculate_output": formula}), tool="openai")
    assert [each.type for each in file.suites["target"].graders] == ["exact_match", "contains"]
    at = "method.reinforcement.grader"
    whys = {place: bench.line(f"{at}.graders.{place}").why for place in ("0", "1", "2", "3")}
    assert whys == {
        "0": "outer blanks aside",
        "1": "",
        "2": "its reference is blank",
        "3": "a multi inside a multi is not read: lift its graders out",
    }
    assert bench.line(f"{at}.calculate_output").why.endswith(
        "not summed up; the first that is carried is the headline"
    )


def test_a_sum_of_which_no_grader_is_carried(bench: Bench) -> None:
    rows(bench, {"a": "4"})
    alike = {"type": "text_similarity", "input": REPLY, "reference": "{{item.a}}"}
    parts = {"alike": alike, "code": {"type": "python", "source": "…"}}
    formula = "0.9 * alike + 0.1 * code"
    file = bench.run(job({"type": "multi", "graders": parts, "calculate_output": formula}), tool="openai")
    assert file.suites["target"].graders == (ExactMatch(),)
    (line,) = (line for line in bench.lines if line.key.endswith("calculate_output"))
    assert (line.fate, line.to, line.why) == (
        "without",
        "",
        "there is nothing to sum up, as none of its graders has a counterpart",
    )


@pytest.mark.parametrize(
    ("method", "ours"), [("dpo", "dpo"), ("supervised", "sft"), ({"type": "dpo"}, "dpo")]
)
def test_a_method_may_be_its_name_alone(bench: Bench, method: Any, ours: str) -> None:
    file = bench.run({"model": "m", "training_file": "file-a", "method": method}, tool="openai")
    assert file.train.method == ours
    assert bench.fate("method.type") == ("carried", "train.method")


@pytest.mark.parametrize("method", ["telepathy", 7, ["dpo"]])
def test_a_method_that_is_no_object(bench: Bench, method: Any) -> None:
    with pytest.raises(UserError, match=r"is not among those here|method is no object"):
        bench.run({"model": "m", "training_file": "file-a", "method": method}, tool="openai")


@pytest.mark.parametrize(
    "formula", ["(" * 400, "-" * 900 + "a", "a / 0", "a ** 9", "__import__('os')", 7, None]
)
def test_a_formula_that_is_no_sum_leaves_the_order(bench: Bench, formula: Any) -> None:
    parts = {"a": check("ilike", "{{item.a}}"), "b": check("eq", "{{item.a}}")}
    file = bench.run(job({"type": "multi", "graders": parts, "calculate_output": formula}), tool="openai")
    assert [each.type for each in file.suites["target"].graders] == ["contains", "exact_match"]


def test_only_how_alike_texts_are(bench: Bench) -> None:
    """The answer is known by the grader's reference, and the suite has its usual graders."""
    rows(bench, {"answer": "4"})
    grader = {
        "type": "text_similarity",
        "input": REPLY,
        "reference": "{{item.answer}}",
        "evaluation_metric": "bleu",
    }
    file = bench.run(job(grader), tool="openai")
    form = file.sources["training"].form
    assert form is not None
    assert form.keys == {"answer": "answer"}
    assert file.suites["target"].graders == (ExactMatch(),)
    assert bench.line("method.type").why.endswith("and the usual graders measure, for want of its own")
    assert bench.fate("method.reinforcement.grader") == ("without", "")


def test_the_schema_of_json_answers(bench: Bench) -> None:
    rows(bench, {"gold": {"ok": "yes"}})
    schema = {"type": "object", "properties": {"ok": {"type": "string"}}, "required": ["ok"]}
    given = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": schema}}
    grader = check("eq", "{{item.gold.ok}}", "{{sample.output_json.ok}}")
    file = bench.run(job(grader, response_format=given), tool="openai")
    assert file.task.output.model_dump(by_alias=True) == {"type": "json", "schema": schema}
    assert bench.fate("method.reinforcement.response_format") == ("changed", "task.output")
    again = Bench(bench.root / "again")
    again.run(job(check("eq", "{{item.gold}}"), response_format=given), tool="openai")
    assert again.line("method.reinforcement.response_format").why == (
        "task.output would hold the rows' answers to the schema, too, and they are texts"
    )
    given["json_schema"]["schema"] = {"type": 7}
    third = Bench(bench.root / "third")
    third.run(job(grader, response_format=given), tool="openai")
    assert third.line("method.reinforcement.response_format").why.startswith("task.output does not take it: ")


_WORDS = st.sampled_from(
    [
        REPLY,
        "{{item.a}}",
        "{{item.a.b}}",
        "{{sample.output_json.b}}",
        "{{sample.choices}}",
        "a",
        " ",
        "eq",
        "ne",
    ]
)
_PARTS = st.one_of(st.none(), st.booleans(), st.integers(-2, 2), _WORDS, st.lists(_WORDS, max_size=2))
_KINDS = st.sampled_from(["string_check", "multi", "python", "text_similarity", "label_model", 3, None])
_GRADER = st.recursive(
    st.fixed_dictionaries(
        {"type": _KINDS},
        optional=dict.fromkeys(("operation", "input", "reference", "calculate_output", "graders"), _PARTS),
    ),
    lambda inner: st.fixed_dictionaries(
        {
            "type": st.just("multi"),
            "graders": st.dictionaries(st.sampled_from("abc"), inner | _PARTS, max_size=3),
        },
        optional={"calculate_output": st.sampled_from(["a+b", "2*b-a/c", "min(a,b)", 4])},
    ),
    max_leaves=4,
)


@settings(max_examples=80, deadline=None)
@given(grader=st.one_of(_GRADER, _PARTS))
def test_whatever_a_grader_is_it_is_read_or_left(grader: Any) -> None:
    values = {"name": "n", "task": {}, "sources": {"rows": {"path": "r.jsonl"}}}
    ledger = Ledger({"method": {}}, values)
    found = read_grader(ledger, "method.reinforcement.grader", grader)
    assert ledger.lay("suites", {"target": {"graders": found.graders}}) is None
    assert graded(grader) == "" or isinstance(grader, dict)
    for line in ledger.lines:
        assert line.fate != "without" or line.why
