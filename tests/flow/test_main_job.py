"""The main job, whole: from a project file to a verdict, a release, a report, and what can be done with them."""

import html
import json
import re
import sys
import textwrap
from importlib import metadata
from pathlib import Path

import pytest

import tunewright
from tunewright.cli.main import main
from tunewright.core.errors import UserError
from tunewright.core.message import Message
from tunewright.decide.phrase import money, point_span

STEPS = [
    "ingest",
    "prepare",
    "split",
    "gate",
    "baselines",
    "rehearse",
    "train",
    "evaluate",
    "decide",
    "release",
    "report",
]


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A small project, run once."""
    from sorting import write_project

    project = tunewright.open(write_project(tmp_path_factory.mktemp("main") / "sorting"))
    return project, project.run()


def test_every_step_makes_an_artifact_that_verifies(ran):
    project, result = ran
    assert [(outcome.step, outcome.made) for outcome in result.outcomes] == [(step, True) for step in STEPS]
    for artifact in project.store.artifacts():
        artifact.verify()
    assert {run.status for run in project.store.catalogue.runs()} == {"done"}


def test_nothing_is_done_twice(ran):
    project, _ = ran
    assert [outcome.made for outcome in project.run().outcomes] == [False] * len(STEPS)
    assert {entry.state for entry in project.plan()} == {"fresh"}


def test_a_setting_makes_stale_only_what_it_decides(ran):
    project, _ = ran
    changed = tunewright.open(project.root, settings={"train.epochs": 1})
    assert {entry.step.name: entry.state for entry in changed.plan()} == {
        **dict.fromkeys(["ingest", "prepare", "split", "gate", "baselines", "rehearse"], "fresh"),
        "train": "stale",
        **dict.fromkeys(["evaluate", "decide", "release", "report"], "waits"),
    }
    gates = tunewright.open(project.root, settings={"gates.max_general_loss": 50})
    stale = [entry.step.name for entry in gates.plan() if entry.state == "stale"]
    assert stale == ["decide"]


def test_the_verdict_compares_on_the_same_examples(ran):
    _, result = ran
    verdict = result.verdict
    assert verdict.candidate == "fine-tune"
    assert {comparison.rival for comparison in verdict.comparisons} >= {"prompt"}
    assert len({comparison.examples for comparison in verdict.comparisons}) == 1
    assert verdict.outcome in ("helps", "does not help", "cannot tell")
    assert {gate.name for gate in verdict.gates}
    assert (result.promoted) == verdict.releasable


def test_the_report_is_one_page_without_a_network(ran):
    project, result = ran
    page = project.report().read_text()
    assert result.verdict.words.split(":")[0] in page
    assert re.findall(r"""(?:src|href)=["']https?:""", page) == []


def test_the_report_holds_what_a_reader_looks_for(ran):
    project, result = ran
    page = html.unescape(project.report().read_text())
    parts = dict(re.findall(r'<section id="(\w+)".*?>(.*?)</section>', page, re.DOTALL))
    best = result.verdict.comparisons[0]
    assert point_span(best.difference) in parts["variants"]
    [curve] = re.findall(r'<svg class="curve".*?</svg>', parts["training"], re.DOTALL)
    assert '<polyline class="train"' in curve
    assert '<polyline class="dev"' in curve
    costs = {s.variant: s.cost_per_1000 for s in result.verdict.variants if s.suite == "target"}
    assert "USD per 1,000, by tokens" in parts["cost"]
    assert "USD per 1,000, by machine" in parts["cost"]
    assert all(f">{money(costs[name])}<" in parts["cost"] for name in ("fine-tune", best.rival))
    assert (
        "drop_duplicates dropped 1 of 73 rows (1.4%) and kept 72; the first is rows.csv:74" in parts["data"]
    )
    installed = "pip install -c constraints.txt -e ."
    version = metadata.version("tunewright")
    assert re.search(
        rf"{re.escape(installed)}  # in a (checkout|clone) of Tunewright {version}", parts["reproduce"]
    )
    assert "\ntunewright check\ntunewright run\ntunewright report --open" in parts["reproduce"]
    assert "<dt>train.seed</dt><dd>0</dd>" in parts["reproduce"]


def test_the_terminal_says_what_requests_cost(ran, monkeypatch, capsys):
    project, result = ran
    monkeypatch.setattr(sys, "argv", ["tunewright", "run", "-p", str(project.root)])
    with pytest.raises(SystemExit):
        main()
    costs = {s.variant: s.cost_per_1000 for s in result.verdict.variants if s.suite == "target"}
    (line,) = [said for said in capsys.readouterr().out.splitlines() if said.startswith("1,000 requests")]
    shown = [
        rf"{name} {re.escape(money(costs[name]))} USD by tokens, \S+ USD by machine time, \S+ m?s each \(median\)"
        for name in ("fine-tune", result.verdict.comparisons[0].rival)
    ]
    assert re.fullmatch("1,000 requests: " + "; ".join(shown), line)


def test_the_release_answers_as_it_was_measured(ran):
    project, result = ran
    if not result.promoted:
        project.store.catalogue.move_alias("candidate", "promote", result.outcomes[-2].artifact.id)
    name = "production" if result.promoted else "candidate"
    release = project.lineage(name).ancestors[0].artifact
    rows = [
        json.loads(line) for line in release.file("cards/fine-tune--target.jsonl").read_text().splitlines()
    ]
    measured = {row["example"]: row["text"] for row in rows if "example" in row}
    from tunewright.data.freeze import load_part

    split = next(o.artifact for o in result.outcomes if o.step == "split")
    example = load_part(split.path, "test")[0]
    reply = project.chat([Message(role="user", content=example.input_text)], name)
    assert reply.text == measured[example.id]


def test_lineage_reaches_the_rows_the_seed_and_the_base(ran, monkeypatch, capsys):
    project, _ = ran
    monkeypatch.setattr(sys, "argv", ["tunewright", "lineage", "train", "-p", str(project.root), "--verify"])
    with pytest.raises(SystemExit) as caught:
        main()
    said = capsys.readouterr().out
    assert caught.value.code in (0, None)
    for fact in ("from rows.csv  sha256", "from base  sha256", "train.seed = 0", "torch 2."):
        assert fact in said


def test_training_alone(ran, monkeypatch, capsys):
    """`tunewright.train(…)` and `tunewright train` give what the whole run trained."""
    project, result = ran
    made = {outcome.step: outcome.artifact for outcome in result.outcomes}
    trained = tunewright.train(project.root)
    assert trained.adapter == made["train"].file("adapter")
    assert (trained.adapter / "adapter_model.safetensors").is_file()
    assert trained.summary.method == "sft"
    assert trained.summary.best_dev_loss < trained.summary.first_dev_loss
    monkeypatch.setattr(sys, "argv", ["tunewright", "train", "-p", str(project.root), "--json"])
    with pytest.raises(SystemExit):
        main()
    said = json.loads(capsys.readouterr().out)
    assert said["adapter"] == str(trained.adapter)
    assert said["steps"] == trained.summary.steps


def test_dev_answers_decide_which_weights_are_kept(ran):
    project, _ = ran
    settings = {"train.dev_answers": 4, "train.strength": "auto"}
    asked = tunewright.open(project.root, settings=settings)
    assert [entry.step.name for entry in asked.plan() if entry.state == "stale"] == ["train"]
    seen = []
    trained = asked.train(seen.append)
    looks = [event.data for event in seen if event.kind == "train.dev"]
    assert "score" not in looks[0]  # the base's answers are the baselines' to measure
    scores = [look["score"] for look in looks[1:]]
    assert trained.summary.best_dev_score == max(scores)
    best = [look for look in looks[1:] if look["score"] == max(scores)]
    assert trained.summary.best_dev_loss == min(look["loss"] for look in best)
    # what decides the answers decides the training too
    other = tunewright.open(project.root, settings=settings | {"decoding.max_new_tokens": 7})
    other.run("gate")  # it measures the room for answers anew, and finds the same
    assert "train" in [entry.step.name for entry in other.plan() if entry.state == "stale"]


@pytest.mark.filterwarnings("default")  # TensorBoard warns of its own libraries
def test_a_sink_shows_what_training_costs(ran):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from tensorboard.plugins.hparams.metadata import PLUGIN_NAME, parse_session_start_info_plugin_data

    project, _ = ran
    shown = tunewright.open(project.root, settings={"train.sinks": ["tensorboard"], "train.epochs": 1})
    seen = []
    shown.train(seen.append)
    costs = [event.data["cost"] for event in seen if event.kind == "train.step"]
    (folder,) = (project.store.root / "sinks" / "tensorboard").iterdir()
    curves = EventAccumulator(str(folder)).Reload()
    assert [point.value for point in curves.Scalars("train/cost")] == pytest.approx(costs)
    assert "train/currency" not in curves.Tags()["scalars"]
    start = curves.PluginTagToContent(PLUGIN_NAME)["_hparams_/session_start_info"]
    given = parse_session_start_info_plugin_data(start).hparams
    assert given["train.epochs"].number_value == 1
    assert given["rows.hash"].string_value == project.lineage("split").ancestors[0].artifact.manifest.content
    assert given["versions.torch"].string_value == metadata.version("torch")
    assert {"train.learning_rate", "train.adapter.rank", "base.hash"} <= {*given}


def test_the_page_on_python_and_the_package_say_what_is_so(ran, monkeypatch, capsys):
    """docs/python.md's second example and the one of `help(tunewright)`, in a project that has been run."""
    project, result = ran
    monkeypatch.chdir(project.root)
    page = (Path(__file__).parents[2] / "docs" / "python.md").read_text("utf-8")
    names = {}
    exec(re.findall(r"```python\n(.*?)```", page, re.DOTALL)[1], names)
    assert names["project"].releases()[-1].release == project.lineage("release").ancestors[0].artifact.id
    said = capsys.readouterr().out.splitlines()
    assert said[0] == result.verdict.words
    assert said[-1] == str(project.report())
    exec(textwrap.dedent(re.search(r"\n\n((?:    .*\n|\n)+)", tunewright.__doc__)[1]), {})
    assert capsys.readouterr().out == f"{result.verdict.words}\n"


def test_rollback_without_a_release_before_says_so(ran):
    project, _ = ran
    with pytest.raises(UserError, match="there is none before to return to"):
        project.rollback()


def test_an_interrupted_release_is_not_promoted_again_after_a_rollback(small_project):
    project = tunewright.open(
        small_project,
        settings={"gates.beats_baselines": False, "gates.max_general_loss": 100, "gates.max_slice_loss": 100},
    )
    first = project.run().production
    second = tunewright.open(
        small_project,
        settings={
            "gates.beats_baselines": False,
            "gates.max_general_loss": 100,
            "gates.max_slice_loss": 100,
            "train.epochs": 1,
        },
    )
    assert second.run().production != first
    assert second.rollback() == first
    assert second.run().production == first
