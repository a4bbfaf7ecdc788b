"""A project's teachers: what is refused before anything runs, what their rows are named by, what they may cost."""

import json
from pathlib import Path
from threading import Lock
from typing import Any

import pytest

import tunewright
from ends import ends
from tunewright.core.errors import ModelError, ProjectFileError, UserError
from tunewright.core.events import Event
from tunewright.core.example import ask, make_example
from tunewright.core.files import read_jsonl
from tunewright.core.generation import BUDGET, Decoding
from tunewright.core.message import Message
from tunewright.data.recipe import ROWS
from tunewright.project.means import ProjectMeans
from tunewright.project.teachers import identities
from tunewright.store.artifact import Artifact
from wire_server import answering, drop, echo, error, ok, serving

PROJECT = """\
name: taught
task: {{system: Say the kind.}}
sources: {{rows: {{path: rows.csv, columns: {{input: text, expected: kind}}}}}}
teachers:
  big: {{{big}}}
recipe:
  - op: generate
    teacher: big
    rows: 6
    columns:
      topic: {{type: category, values: [billing, delivery, returns]}}
      input: {{type: text, prompt: "Ask about {{{{ topic }}}}.", temperature: 1}}
      expected: {{type: expression, value: topic}}
"""
QUESTION = (Message(role="user", content="Hello?"),)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    texts = [f"Where is parcel {number}?" for number in range(10)]
    (tmp_path / "rows.csv").write_text(
        "\n".join(["text,kind", *(f"{text},delivery" for text in texts)]) + "\n"
    )
    monkeypatch.setenv("BIG_KEY", "sk-secret-of-ours")
    monkeypatch.setattr("tunewright.generate.remote._FIRST_WAIT_S", 0.001)
    return tmp_path


def project(folder: Path, big: str, text: str = PROJECT) -> tunewright.Project:
    (folder / "tunewright.yaml").write_text(text.format(big=big))
    return tunewright.open(folder)


def problems(folder: Path, big: str, text: str = PROJECT) -> list[str]:
    with pytest.raises(ProjectFileError) as caught:
        project(folder, big, text)
    return [str(problem).replace(f"{folder}/", "") for problem in caught.value.problems]


def made(found: tunewright.Project) -> Artifact:
    return found.run("prepare").outcomes[-1].artifact


def written(artifact: Artifact) -> list[dict[str, Any]]:
    return [row for row in read_jsonl(artifact.file(ROWS)) if row["origin"].get("teacher")]


def test_what_is_wrong_is_told_before_anything_runs(folder: Path):
    assert problems(folder, "url: 'http://h.example/v1', model: m, key_env: BIG_KEY") == [
        "tunewright.yaml:5: teachers.big: with a key, h.example must be asked by https: over http anyone on the way can"
        " read the key"
    ]
    assert problems(folder, "base: nowhere/at/all") == [
        "tunewright.yaml:5: teachers.big.base: The base's folder nowhere/at/all does not exist."
        " Give a folder that holds a model, a hub id, or `embedded`."
    ]
    assert problems(folder, "base: embedded, adapter: rows") == [
        "tunewright.yaml:5: teachers.big.adapter: rows holds no adapter. Name a folder with an adapter_config.json:"
        " `tunewright train` tells where it put one."
    ]
    assert problems(folder, "base: embedded", PROJECT.replace("teacher: big", "teacher: bgi")) == [
        "tunewright.yaml:8: recipe.0.teacher: there is no teacher 'bgi'; known are big, base. Did you mean 'big'?"
    ]
    assert problems(folder, "base: embedded", PROJECT.replace("  big:", "  base:")) == [
        "tunewright.yaml:5: teachers.base: base is a teacher already."
        " Give it another name: `base` is the project's own base.",
        "tunewright.yaml:8: recipe.0.teacher: there is no teacher 'big'; known are base."
        " Name one of these, or write it under `teachers`.",
    ]


def test_a_grader_of_the_recipe_is_looked_at_before_anything_runs(folder: Path):
    text = PROJECT + "      sound: {{type: validate, of: input, by: {{{by}}}}}\n"
    for by, said in {
        "type: regex": "recipe.0.columns.sound.by.pattern: the grader regex needs it",
        "type: regex, pattern: '('": "recipe.0.columns.sound.by.pattern: ",
        "type: regexp": "recipe.0.columns.sound.by: there is no grader 'regexp'. Known: 'exact_match', ",
        "type: regex, pattern: a, patern: b": "recipe.0.columns.sound.by.patern: the grader regex has no such setting",
        "type: regex, pattern: 5": "recipe.0.columns.sound.by.pattern: of the grader regex: Input should be a valid str",
        "type: json_schema": "recipe.0.columns.sound.by: the json_schema grader has no schema to check against",
        "type: json_schema, schema: s.json": "recipe.0.columns.sound.by.schema: there is no schema file s.json in the",
    }.items():
        (told,) = problems(folder, "base: embedded", text.replace("{by}", by))
        assert told.startswith(f"tunewright.yaml:14: {said}"), told


def test_rows_are_named_by_who_answers_and_never_by_key_or_price(folder: Path):
    def identity(big: str) -> dict[str, str]:
        found = project(folder, f"url: 'https://h.example/v1', model: m{big}")
        return identities(found.file, folder, found.file.recipe)

    slash = project(folder, "url: 'https://h.example/v1/chat/completions/', model: m")
    assert identities(slash.file, folder, slash.file.recipe) == identity("")
    same = {"", ", key_env: BIG_KEY", ", price_in: 3", ", concurrency: 2, timeout_s: 5, retries: 0"}
    others = {", temperature: 0", ", seed: 1", ", max_calls: 3", "2"}
    assert len({str(identity(big)) for big in same}) == 1
    assert len({str(identity(big)) for big in same | others}) == 1 + len(others)
    assert list(identity("")) == ["teacher big (m at https://h.example/v1)"]
    own = project(folder, "base: embedded")
    assert list(identities(own.file, folder, own.file.recipe)) == ["teacher big"]


def test_written_rows_are_asked_for_once(folder: Path):
    with ends(), serving(echo) as server:
        found = project(folder, f"url: '{server.url}', model: m, key_env: BIG_KEY")
        first = made(found)
        rows = written(first)
        assert {row["origin"]["teacher"] for row in rows} == {"big"}
        assert {row["messages"][0]["content"] for row in rows} <= {
            f"Ask about {topic}." for topic in ("billing", "delivery", "returns")
        }
        asked = len(server.seen)
        assert asked == 6
        assert not found.run("prepare").outcomes[-1].made
        changed = PROJECT.replace("value: topic", "value: topic | upper")
        again = written(made(project(folder, f"url: '{server.url}', model: m", changed)))
        assert {row["messages"][-1]["content"] for row in again} <= {"BILLING", "DELIVERY", "RETURNS"}
        assert len(server.seen) == asked
    kept = [path for path in (folder / ".tunewright").rglob("*") if path.is_file()]
    assert not [path for path in kept if b"sk-secret-of-ours" in path.read_bytes()]


def test_a_cut_off_run_goes_on_to_the_same_rows(folder: Path):
    answers = [ok(f"Question {number}") for number in range(3)]
    with ends(), serving(*answers, error(401, "the key ran out"), *answers) as server:
        found = project(folder, f"url: '{server.url}', model: m, key_env: BIG_KEY, concurrency: 1")
        with pytest.raises(UserError, match="does not take the key in BIG_KEY"):
            made(found)
        assert len(written(made(found))) > 0
        assert len(server.seen) == 3 + 1 + 3


def test_a_budget_ends_with_what_there_is_and_a_larger_one_goes_on(folder: Path):
    events: list[Event] = []
    with ends(), serving(echo) as server:
        big = f"url: '{server.url}', model: m, price_in: 1, price_out: 2"
        found = project(folder, f"{big}, max_calls: 2")
        artifact = found.run("prepare", events.append).outcomes[-1].artifact
        assert len(written(artifact)) <= 2
        assert len(server.seen) == 2
        last = [event.data for event in events if event.kind == "teacher.asked"][-1]
        assert (last["teacher"], last["calls"], last["refused"]) == ("big", 2, 4)
        assert (last["tokens_in"], last["tokens_out"]) == (14, 6)
        assert last["cost"] == pytest.approx((14 + 2 * 6) / 1e6)
        made(project(folder, f"{big}, max_calls: 5"))
        assert len(server.seen) == 5


def test_a_look_asks_no_teacher_that_costs_unless_told_to(folder: Path):
    with ends(), serving(echo) as server:
        found = project(folder, f"url: '{server.url}', model: m, price_in: 1, price_out: 2")
        said = (
            f"teachers.big: m at {server.url} has yet to answer, and a look asks nobody that costs or is elsewhere."
            " `tunewright run prepare` asks it, and so do `check` and `data preview` with --ask;"
            " `tunewright teachers` has its bounds."
        )
        (problem,) = found.check().problems
        assert str(problem).partition(": ")[2] == said
        assert said.removeprefix("teachers.big: ") in str(found.why("rows.csv:2").stopped)
        for look in (found.preview, found.audit):
            with pytest.raises(UserError) as caught:
                look()
            assert str(caught.value).endswith(said)
        assert server.seen == []
        assert len(found.preview(ask=True, shown=6).rows) > 0
        asked = len(server.seen)
        assert 0 < asked <= 6
        assert found.preview(shown=6).rows  # what was answered is there
        found.run("prepare")
        assert len(server.seen) == 6
        found.why("rows.csv:2")
        assert len(server.seen) == 6


def test_a_teacher_of_ones_own_answers_at_every_look(folder: Path):
    with ends(), serving(echo) as server:
        assert project(folder, f"url: '{server.url}', model: m").preview().rows
        assert server.seen


def test_who_is_asked_is_told_once_and_what_was_kept_costs_nothing_again(folder: Path):
    def run(big: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
        events: list[Event] = []
        project(folder, big).run("prepare", events.append)
        begun = [event.data for event in events if event.kind == "teacher.begins"]
        return begun, [event.data for event in events if event.kind == "teacher.asked"][-1]

    with ends(), serving(echo) as server:
        big = f"url: '{server.url}', model: m, key_env: BIG_KEY, price_in: 1, price_out: 2"
        begun, last = run(f"{big}, max_calls: 4")
        assert begun == [{"teacher": "big", "model": "m", "url": server.url, "key_env": "BIG_KEY"}]
        assert (last["calls"], last["kept"], last["cost"]) == (4, 0, pytest.approx(4 * 13e-6))
        _, last = run(f"{big}, max_calls: 6")
        assert (last["calls"], last["kept"], last["cost"]) == (6, 4, pytest.approx(2 * 13e-6))


def test_what_most_answers_fail_by_ends_the_run_and_no_rows_stand(folder: Path):
    with ends(), serving(drop) as server:
        found = project(folder, f"url: '{server.url}', model: m, retries: 0")
        with pytest.raises(
            ModelError, match=r"teachers.big: none of \d questions was answered, mostly since no answer from"
        ):
            made(found)
        assert {entry.step.name: entry.state for entry in found.plan()}["prepare"] == "stale"


def test_the_base_behind_the_wire_answers_as_it_does_here(folder: Path):
    own = ProjectMeans(project(folder, "base: embedded").file, folder)
    here = own.generator("big").generate([QUESTION], Decoding(max_new_tokens=8))
    assert own.generator("base").generate([QUESTION], Decoding(max_new_tokens=8))[0].text == here[0].text
    with serving(answering(own.generator("big"), Lock())) as server:
        far = ProjectMeans(project(folder, f"url: '{server.url}', model: embedded").file, folder)
        there = far.generator("big").generate([QUESTION] * 3, Decoding(max_new_tokens=8))
    facts = [(reply.text, reply.tokens_in, reply.tokens_out, reply.finish) for reply in (*here, *there)]
    assert len(set(facts)) == 1
    assert here[0].text


def test_a_schema_that_nobody_can_be_held_to_is_told_by_its_teacher(folder: Path):
    means = ProjectMeans(project(folder, "base: embedded").file, folder)
    odd = Decoding(json_schema={"type": "object", "not": {"required": ["a"]}})
    with pytest.raises(
        ModelError, match=r"^teachers.big: .*Write a plainer schema, or let another teacher answer."
    ):
        means.generator("big").generate([QUESTION], odd)


def test_means_give_decodings_and_graders(folder: Path):
    means = ProjectMeans(project(folder, "base: embedded, temperature: 0.1, max_calls: 1").file, folder)
    assert means.decoding("big").temperature == 0.1
    grader = means.grader({"type": "contains", "text": "refund"})
    example = make_example(ask("?", "!"))
    assert [grader.grade(example, text).value for text in ("a Refund", "no")] == [1, 0]
    two = means.generator("big").generate([QUESTION, QUESTION], Decoding(max_new_tokens=1))
    assert [reply.error for reply in two] == [None, BUDGET]
    with pytest.raises(UserError, match="there is no teacher 'own'; known are big, base"):
        means.generator("own")


def test_teachers_are_listed_and_asked(folder: Path):
    with ends(), serving(ok("Blue.")) as server:
        found = project(
            folder, f"url: '{server.url}', model: m, key_env: BIG_KEY, price_in: 100, max_calls: 9"
        )
        listed = {one.name: one for one in found.teachers()}
        assert list(listed) == ["big", "base"]
        assert (listed["big"].model, listed["big"].url, listed["big"].key) == ("m", server.url, "in BIG_KEY")
        assert (listed["big"].used_by, listed["big"].budget) == (("generate",), "9 answers")
        assert (listed["base"].model, listed["base"].url, listed["base"].reply) == ("embedded", "", None)
        (asked,) = found.teachers("big", ask="Which colour?")
        assert asked.reply is not None
        assert (asked.reply.text, asked.cost) == ("Blue.", pytest.approx(7e-4))
        assert json.dumps(server.seen[0].body["messages"]) == '[{"role": "user", "content": "Which colour?"}]'
    (away,) = found.teachers("big", ask="Which colour?")
    assert away.reply is not None
    assert "cannot be reached" in (away.reply.error or "")
