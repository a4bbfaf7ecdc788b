"""A project with suites of its own, run whole on a tiny base: what is measured is shown, and nothing hangs on names."""

import html
import json
import os
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

import tunewright
from tunewright.cli.release import lineage
from tunewright.core.errors import UserError
from tunewright.core.events import silent
from tunewright.core.files import read_json
from tunewright.project.auditing import audit_for_report
from tunewright.project.stages.deciding import _clusters
from tunewright.project.stages.reporting import gather
from tunewright.project.steps import BY_NAME, StepContext
from tunewright.report.audit_page import audit_page

PROJECT = """\
name: own
base: {base}
task: {{system: Say the colour.}}
sources:
  rows: {{path: rows.jsonl, columns: {{input: text, expected: colour}}}}
recipe:
  - {{op: map, id: doors, set: {{input: "the {{{{ input }}}}"}}}}
  - {{op: drop_duplicates}}
split: {{group_by: ticket, train: 0.6, dev: 0.2, test: 0.2}}
suites:
  target: {{examples: held-out.jsonl, graders: [{{type: exact_match}}], slices: [ticket]}}
  mine: {{examples: mine.jsonl, graders: [{{type: contains}}, {{type: contains, text: a}}]}}
  again: {{examples: test}}
  general: {{examples: general, limit: 4}}
baselines: {{prompt: false, few_shot: [1, 2], dev_limit: 4}}
decoding: {{max_new_tokens: 4}}
train: {{epochs: 1, batch_tokens: 256, adapter: {{rank: 2}}}}
"""
COLOURS = ("red", "blue", "green")


def write_chat(path: Path, names: list[str], tickets: list[str | None]) -> None:
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"the {name} door"},
                {"role": "assistant", "content": COLOURS[number % 3]},
            ],
            "ticket": ticket,
        }
        for number, (name, ticket) in enumerate(zip(names, tickets, strict=True))
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def write_project(folder: Path, base: str) -> Path:
    folder.mkdir()
    rows = [{"text": f"door {i}", "colour": COLOURS[i % 3], "ticket": ["", i][i % 2]} for i in range(24)]
    (folder / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    write_chat(folder / "held-out.jsonl", list("abcdef"), ["1", "1", "", None, "2", "2"])
    write_chat(folder / "mine.jsonl", list("xyz"), [None, None, None])
    (folder / "tunewright.yaml").write_text(PROJECT.format(base=base))
    return folder


@pytest.fixture(scope="module")
def ran(tmp_path_factory, tiny_folder):
    """The project, and its artifacts by step."""
    folder = write_project(tmp_path_factory.mktemp("own") / "project", str(tiny_folder))
    project = tunewright.open(folder)
    result = project.run()
    return project, result, {outcome.step: outcome.artifact for outcome in result.outcomes}


@pytest.fixture(scope="module")
def context(ran, tmp_path_factory):
    """What the report step is given."""
    project, _, made = ran
    inputs = {name: made[name] for name in BY_NAME["report"].needs}
    out = tmp_path_factory.mktemp("out")
    return StepContext(project.file, project.root, project.store, inputs, out, out, 1, silent)


def test_every_suite_is_in_the_verdict_and_on_the_page(ran):
    project, result, _ = ran
    verdict = result.verdict
    rival = verdict.comparisons[0].rival
    assert [(s.suite, s.variant, s.examples) for s in verdict.variants] == [
        *[("target", name, 6) for name in ("fine-tune", rival)],
        *[("again", name, 5) for name in ("fine-tune", rival)],
        *[("mine", name, 3) for name in ("fine-tune", rival)],
        *[("general", name, 4) for name in ("fine-tune", "prompt", rival)],
    ]
    mine = next(s for s in verdict.variants if s.suite == "mine")
    assert list(mine.scores) == ["contains", "contains_2"]
    page = project.report().read_text()
    assert "Suite mine, 3 examples" in page
    assert "Every grader on mine" in page
    assert "the a door" in page
    assert "the text is not at hand" not in page


def test_every_suites_texts_are_gathered(context):
    data = gather(context)
    assert {reply.example for card in data.cards for reply in card.replies} <= set(data.examples)
    assert {"the a door", "the x door"} <= {text.input for text in data.examples.values()}
    assert {card.suite for card in data.cards} == {"target", "general"}


def test_a_blank_ties_no_examples_together(context):
    held_out = _clusters(context)
    groups = sorted(value for value in held_out.values() if value.startswith('"'))
    assert groups == ['"1"', '"1"', '"2"', '"2"']
    assert not {"null", "None", '""'} & set(held_out.values())


def test_the_cards_are_kept_and_the_dev_suite_has_a_name_of_its_own(ran):
    _, result, made = ran
    rival = result.verdict.comparisons[0].rival
    assert {path.stem.partition("--")[2] for path in (made["baselines"].path / "cards").iterdir()} == {
        "target",
        "mine",
        "again",
        "general",
        "few-shot.dev",
    }
    assert (made["release"].path / f"cards/{rival}--mine.jsonl").is_file()


def test_what_the_base_is_called_stands_in_the_release_alone(ran, tmp_path, tiny_folder):
    project, _, made = ran
    other = write_project(tmp_path / "elsewhere", os.path.relpath(tiny_folder, tmp_path / "elsewhere"))
    again = {outcome.step: outcome.artifact for outcome in tunewright.open(other).run("decide").outcomes}
    for step, artifact in again.items():
        assert artifact.manifest.content == made[step].manifest.content, step
    release = read_json(made["release"].file("release.json"))
    assert release["variant"]["base"] == project.file.base
    config = read_json(made["release"].file("adapter/adapter_config.json"))
    assert config["base_model_name_or_path"] == tiny_folder.name


def test_the_page_says_how_to_get_it_again_after_set(ran, tmp_path):
    project, _, made = ran
    settings = {"gates.max_general_loss": 50, "gates.min_scores": {"exact_match": 0.0}}
    used = tunewright.open(project.root, settings=settings)
    used.run()
    page = html.unescape(used.report().read_text())
    laid_over = "--set gates.max_general_loss=50 --set 'gates.min_scores={exact_match: 0.0}'"
    assert f"\ntunewright run {laid_over}\n" in page
    text = page.split("schemas in it</summary>")[1].partition('<pre class="code">')[2].partition("</pre>")[0]
    folder = shutil.copytree(project.root, tmp_path / "again")
    (folder / "tunewright.yaml").write_text(text)
    again = {entry.step.name: entry.state for entry in tunewright.open(folder).plan()}
    # the page itself names no --set then
    assert again == {**dict.fromkeys(BY_NAME, "fresh"), "report": "stale"}
    plain = made["report"].file("measured/report.html").read_text()
    assert "tunewright run\n" in plain
    assert "--set" not in plain.split("reproduce-title")[1]


def test_the_page_shows_the_steps_in_the_order_of_the_table(context):
    steps = [(node.kind, node.done) for node in gather(context).lineage if node.kind in BY_NAME]
    assert steps == [(step.name, step.title) for step in BY_NAME.values() if step.name in set(dict(steps))]
    assert {"ingest", "train", "release"} <= set(dict(steps))


def test_the_operations_of_the_recipe_stand_in_the_lineage(context):
    nodes = {node.kind: node for node in gather(context).lineage}
    assert list(nodes)[:5] == ["ingest", "doors", "drop_duplicates", "prepare", "split"]
    read, doors, once, prepared = (nodes[name] for name in ("ingest", "doors", "drop_duplicates", "prepare"))
    assert (doors.inputs, doors.done) == ((read.id,), "map: keeps 24 of 24 rows, changes 24")
    assert (once.inputs, once.done) == ((doors.id,), "keeps 24 of 24 rows")
    assert prepared.inputs == (once.id,)
    assert doors.id.startswith("recipe.map-")


def test_the_whole_audit_is_kept_beside_the_page(ran):
    project, _, made = ran
    audit = read_json(made["report"].file("audit.json"))
    assert audit["rows"] == {"train": 14, "dev": 5, "test": 5}
    [tokens] = audit["tokens"]
    assert (tokens["part"], tokens["rows"], tokens["base"]) == (
        "train and dev",
        19,
        Path(project.file.base).name,
    )
    assert "few_rows" in {finding["kind"] for finding in audit["findings"]}
    assert "What the audit found" in project.report().read_text()


def test_lineage_shows_the_template(ran):
    project, _, made = ran
    template = read_json(made["release"].file("release.json"))["template"][:12]
    assert f"template {template}" in project.report().read_text()
    said = CliRunner().invoke(lineage, ["release", "-p", str(project.root)])
    assert f"    renders with template  sha256 {template}\n" in said.output


def test_shots_beyond_the_rows_are_told(ran):
    project, _, _ = ran
    asked = tunewright.open(project.root, settings={"baselines.few_shot": [1, 100]})
    seen = []
    asked.run("baselines", seen.append)
    (told,) = [event.data for event in seen if event.kind == "baselines.left_out"]
    words = f"few-shot with 100 is left out: only {told['rows']} of the training rows can be shown"
    assert told == {"shots": (100,), "rows": told["rows"], "words": words}
    assert 1 <= told["rows"] < 24


def test_no_rival_left_is_told_before_training(ran):
    project, _, _ = ran
    asked = tunewright.open(project.root, settings={"baselines.few_shot": [100]})
    with pytest.raises(UserError, match="there is no rival left"):
        asked.run("baselines")


def test_the_page_says_what_suites_share_with_training_rows(context, tmp_path):
    shutil.copy(context.root / "held-out.jsonl", tmp_path)
    shutil.copy(context.root / "mine.jsonl", tmp_path)
    looked = audit_for_report(context.file, tmp_path, context.store, context.inputs, silent)
    assert [one for one in looked.findings if one.kind in ("leak", "near_leak")] == []
    train = [
        json.loads(line) for line in context.inputs["split"].file("train.jsonl").read_text().splitlines()
    ]
    shared = [row["messages"][0]["content"] for row in train[:2]]
    rows = [
        {"messages": [{"role": "user", "content": said}, {"role": "assistant", "content": "red"}]}
        for said in [*shared, "the x door"]
    ]
    (tmp_path / "mine.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    looked = audit_for_report(context.file, tmp_path, context.store, context.inputs, silent)
    [leak] = [one for one in looked.findings if one.kind == "leak"]
    assert (leak.part, leak.severity, leak.count) == ("train", "error", 2)
    assert "suites.mine: of its 3 examples, 2 ask what training rows ask" in audit_page(
        "own", looked.model_dump(mode="json")
    )
