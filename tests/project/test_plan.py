"""What is stale: the gate follows what suites ask, and no more of it."""

import json
from pathlib import Path

import tunewright
from tunewright.project.plan import Outside, derive
from tunewright.project.steps import BY_NAME
from tunewright.train import run

PROJECT = """\
name: sums
task: {system: Add.}
base: BASE
sources: {rows: {path: rows.csv, columns: {input: text, expected: answer}}}
suites:
  target: {examples: test, graders: [{type: exact_match}]}
  mine: {examples: mine.jsonl}
train: {max_length: 256}
"""


def write_suite(folder: Path, *questions: str) -> None:
    talks = [
        [{"role": "user", "content": text}, {"role": "assistant", "content": "red"}] for text in questions
    ]
    (folder / "mine.jsonl").write_text("".join(json.dumps({"messages": talk}) + "\n" for talk in talks))


def test_an_adapter_of_another_version_is_stale(tmp_path, tiny_folder, monkeypatch):
    monkeypatch.setenv("TUNEWRIGHT_THREADS", "1")
    rows = "".join(f"How much is {n}?,{n} euros.\n" for n in range(40))
    (tmp_path / "rows.csv").write_text(f"text,answer\n{rows}")
    (tmp_path / "tunewright.yaml").write_text(PROJECT.replace("BASE", str(tiny_folder)))
    write_suite(tmp_path, "What colour?")
    project = tunewright.open(tmp_path)
    made = {outcome.step: outcome.artifact for outcome in project.run("rehearse").outcomes}
    train, outside = BY_NAME["train"], Outside(project.file, tmp_path)

    def trained_by(version: str) -> str:
        derivation = derive(train._replace(version=version), project.file, outside, made)
        built = project.store.work(derivation) / "out"
        built.mkdir()
        project.store.publish(derivation, built, {})
        return next(entry.state for entry in project.plan() if entry.step is train)

    assert trained_by("x") == "stale"
    assert trained_by(run.VERSION) == "fresh"  # what refuses an old checkpoint refuses an old adapter


def test_the_gate_looks_again_when_a_suite_asks_something_else(tmp_path, tiny_folder, monkeypatch):
    monkeypatch.setenv("TUNEWRIGHT_THREADS", "1")
    rows = "".join(f"How much is {n}?,{n} euros.\n" for n in range(40))
    (tmp_path / "rows.csv").write_text(f"text,answer\n{rows}")
    (tmp_path / "tunewright.yaml").write_text(PROJECT.replace("BASE", str(tiny_folder)))
    write_suite(tmp_path, "What colour?", "Which door?")
    project = tunewright.open(tmp_path)
    first = project.run("gate").outcomes[-1].artifact

    def states(**settings: object) -> dict[str, str]:
        changed = {name.replace("_", "."): value for name, value in settings.items()}
        plan = tunewright.open(tmp_path, settings=changed).plan()
        return {entry.step.name: entry.state for entry in plan if entry.step.name in ("split", "gate")}

    assert states() == {"split": "fresh", "gate": "fresh"}
    assert states(suites_mine_limit=1) == {"split": "fresh", "gate": "stale"}
    assert states(suites_mine_graders=[{"type": "number"}]) == {"split": "fresh", "gate": "fresh"}
    assert states(suites_general_limit=8, suites_general_examples="general")["gate"] == "fresh"
    write_suite(tmp_path, "What colour?", "Which fox?")
    assert states() == {"split": "fresh", "gate": "stale"}
    again = tunewright.open(tmp_path).run("gate").outcomes[-1].artifact
    assert again.id != first.id
    assert again.manifest.content == first.manifest.content  # so that nothing after it is done again
