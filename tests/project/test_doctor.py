"""doctor: what the machine means for a project, with a base made on the spot."""

import re
import tomllib
from importlib import import_module
from importlib.metadata import packages_distributions
from importlib.util import find_spec
from pathlib import Path
from typing import get_args

import pytest
import torch

import tunewright
from tunewright.core.errors import UserError
from tunewright.models.machine import EXTRAS, TRACKERS, MachineFacts, machine_facts
from tunewright.models.size import size_at_hand
from tunewright.project.advice import advice, kept_width, shown, training_bytes
from tunewright.project.file import ProjectFile
from tunewright.train.spec import SettledAdapter, TrainSpec
from tunewright.train.weights import prepare

GB = 1024**3
FACTS = MachineFacts(
    torch="2.13.0",
    accelerator=None,
    bf16=False,
    cores=4,
    cores_free=4,
    memory_total=16 * GB,
    memory_available=8 * GB,
    disk_free=100 * GB,
    extras=("qlora",),
)
"""A machine without an accelerator, and with room."""
PROJECT = """\
name: tickets
task: {system: Answer., output: {type: json, schema: {type: object}}}
base: BASE
sources: {rows: {path: rows.csv}}
"""


@pytest.fixture
def told(tmp_path, tiny_folder):
    """What `doctor` says of the tiny base's project on a machine, with more settings in the file."""

    def tell(facts=FACTS, more="", base=tiny_folder):
        path = tmp_path / "tunewright.yaml"
        path.write_text(PROJECT.replace("BASE", str(base)) + more)
        return advice(facts, path)

    return tell


@pytest.fixture
def size(tiny_folder):
    return size_at_hand(str(tiny_folder), tiny_folder)


def test_a_base_that_fits(told, tiny_folder, size):
    assert told() == [
        "Work will use all 4 cores, a thread each.",
        f"tickets starts from {tiny_folder}, and there is no accelerator.",
        f"Training multiplies in fp32 and keeps the base's {size.weights:,} weights in fp32,"
        f" {4 * size.weights / 1024**2:.1f} MB; 8.0 GB are free: it"
        " fits, if the rows leave it room; a run is measured before its first step.",
    ]


def test_a_base_that_does_not_fit_and_the_way_out(told, size):
    packed = size.bytes(4, four_bit=True)
    between = told(FACTS._replace(memory_available=(packed + 4 * size.weights) // 2))[-1]
    assert between.endswith(
        "it does not fit. train.adapter.kind: qlora packs the base in four bits,"
        f" {packed / 1024**2:.1f} MB, which fits."
    )
    assert told(FACTS._replace(memory_available=packed))[-1].endswith(
        "does not either. Choose a smaller base."
    )
    qlora = "train: {adapter: {kind: qlora}}\n"
    assert "it fits" in told(FACTS._replace(memory_available=packed + 1), qlora)[2]
    assert told(FACTS._replace(memory_available=packed), qlora)[2].endswith(
        "it does not fit. Choose a smaller base."
    )


def test_full_takes_the_gradients_and_the_moments_too(told, size):
    enough = 16 * size.weights
    full = "train: {adapter: {kind: full}}\n"
    assert "weights, their gradients and adamw's moments, " in told(more=full)[-1]
    assert "it fits" in told(FACTS._replace(memory_available=enough + 1), full)[-1]
    assert "it does not fit" in told(FACTS._replace(memory_available=enough), full)[-1]
    shorter = "train: {adapter: {kind: full}, optimizer: adamw8bit}\n"
    assert "it fits" in told(FACTS._replace(memory_available=enough), shorter)[2]


def test_an_accelerator_counts_its_own_memory(told, size):
    facts = FACTS._replace(accelerator="H100, 80 GiB", accelerator_free=4 * size.weights, bf16=True)
    start, memory = told(facts)[1:]
    assert start.endswith("on H100, 80 GiB.")
    assert memory.startswith("Training multiplies in bf16 and keeps the base's")
    assert "weights in bf16, " in memory
    assert "free on the accelerator: it fits" in memory
    assert "it does not fit" in told(facts, "train: {precision: fp32}\n")[-1]


@pytest.mark.parametrize(
    ("kind", "asked", "here", "on_an_accelerator"),
    [
        ("lora", "fp32", 4, 4),
        ("lora", "bf16", 4, 2),
        ("qlora", "bf16", 4, 2),
        ("pissa", "bf16", 4, 4),
        ("full", "bf16", 4, 4),
    ],
)
def test_what_it_counts_is_what_training_keeps(tiny_base, kind, asked, here, on_an_accelerator):
    spec = {"precision": asked, "adapter": {"kind": kind}}
    file = ProjectFile.model_validate(
        {"name": "n", "task": {"system": "s"}, "sources": {"rows": {"path": "r.csv"}}, "train": spec}
    )
    widths = [kept_width(FACTS._replace(accelerator=name), file, kind) for name in (None, "H100")]
    assert widths == [here, on_an_accelerator]
    if kind == "qlora":  # packed in four bits
        return
    products = torch.bfloat16 if asked == "bf16" else torch.float32
    model = prepare(tiny_base, SettledAdapter(kind=kind, rank=1), torch.device("cpu"), 0, products)
    assert model.get_input_embeddings().weight.itemsize == here


def test_precision_without_the_hardware(told):
    line = "train.precision is bf16, which this machine does not have in hardware: auto would take fp32."
    assert line in told(more="train: {precision: bf16}\n")
    assert line not in told(FACTS._replace(bf16=True), "train: {precision: bf16}\n")


def test_extras_that_are_missing_are_named_with_how_to_get_them(told):
    more = "train: {adapter: {kind: qlora}, sinks: [tensorboard]}\n"
    assert told(FACTS._replace(extras=()), more)[-2:] == [
        "train.adapter.kind: qlora needs the extra qlora, which is not installed: `pip install 'tunewright[qlora]'`.",
        "train.sinks: tensorboard needs tensorboard, which is not installed: `pip install tensorboard`.",
    ]
    eight = told(FACTS._replace(extras=()), "train: {optimizer: adamw8bit}\n")
    assert eight[-1].startswith("train.optimizer: adamw8bit needs the extra qlora")
    assert told(more="train: {adapter: {kind: qlora}}\n")[-1] == (
        "Of the extras that it asks for, these are here: qlora."
    )
    assert told(more="decoding: {constrained: true}\n")[-1] == (
        "What holds answers to the schema (decoding.constrained) is built in."
    )


def test_extras_of_sources_and_recipe_are_named(tmp_path):
    for name in ("page.html", "talk.WAV", "pages.htm.gz"):
        (tmp_path / name).write_text("")
    sources = """\
sources:
  pages: {path: "page*.*"}
  talk: {path: talk.WAV}
  gone: {path: gone.html}
  hub: {path: "hub:nobody/pages"}
  web: {path: rows.csv, format: html}
  asked: {sql: {url: "sqlite:///x.sqlite", query: SELECT 1}}
recipe: [{op: language, keep: [en]}]
data: {scale: ray}
"""
    path = tmp_path / "tunewright.yaml"
    path.write_text(
        PROJECT.replace("sources: {rows: {path: rows.csv}}\n", sources).replace("BASE", "embedded")
    )
    wanted = [
        ("sources.pages (format html)", "documents"),
        ("sources.talk (format audio)", "speech"),
        ("sources.web (format html)", "documents"),
        ("sources.asked.sql", "sql"),
        ("recipe.0: language", "language"),
        ("data.scale: ray", "ray"),
    ]
    assert advice(FACTS._replace(extras=("tensorboard",)), path)[-6:] == [
        f"{place} needs the extra {name}, which is not installed: `pip install 'tunewright[{name}]'`."
        for place, name in wanted
    ]
    assert advice(FACTS._replace(extras=tuple(EXTRAS)), path)[-1] == (
        "Of the extras that it asks for, these are here: documents, speech, sql, language, ray."
    )


def test_the_extras_are_the_packages(tmp_path):
    """Each extra's modules are those of the packages that pyproject.toml has under its name."""
    groups = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    brought = packages_distributions()
    known = {
        name: {_package(maker) for module in modules for maker in brought[module]}
        for name, modules in EXTRAS.items()
    }
    declared = {
        name: {_package(re.split(r"[<>=]", line)[0]) for line in lines}
        for name, lines in groups["optional-dependencies"].items()
        if name != "dev"
    }
    assert known == declared
    assert set(EXTRAS) <= set(machine_facts(tmp_path).extras)  # all are installed to develop


def _package(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_sink_is_looked_for(told, tmp_path):
    """On this machine as it is: what is not installed is said to be missing, what is installed is not."""
    sinks = get_args(get_args(TrainSpec.model_fields["sinks"].annotation)[0])
    assert sinks == TRACKERS
    facts = machine_facts(tmp_path)
    for sink in sinks:
        assert sink == import_module(f"tunewright.train.sinks.{sink}").LIBRARY
        missing = f"train.sinks: {sink} needs {sink}" in " ".join(
            told(facts, f"train: {{sinks: [{sink}]}}\n")
        )
        assert missing == (find_spec(sink) is None)


def test_threads_and_what_is_seen_and_not_used(tmp_path):
    nothing = tmp_path / "tunewright.yaml"
    assert advice(FACTS._replace(cores_free=1, threads_chosen=True), nothing)[0] == (
        "Work will use 1 thread, as TUNEWRIGHT_THREADS says."
    )
    assert advice(FACTS._replace(cores_free=1), nothing)[0].startswith(
        "Work will use 1 of 4 cores, a thread each: the"
    )
    facts = FACTS._replace(unused=("Apple's GPU (mps)",))
    assert "There is also Apple's GPU (mps): Tunewright does not use it." in advice(facts, nothing)
    assert ("seen, not used", "Apple's GPU (mps)") in shown(facts)


def test_a_base_that_is_not_here_or_cannot_be_used(told):
    assert (
        "The base is not on this machine: the first run fetches it" in told(base="nobody/never-fetched")[-1]
    )
    assert "The base's folder ./gone does not exist" in told(base="./gone")[-1]


def test_the_machine_as_it_is(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNEWRIGHT_THREADS", "2")
    (tmp_path / "tunewright.yaml").write_text(PROJECT.replace("BASE", "embedded"))
    found = tunewright.doctor(tmp_path)
    assert (found.facts.cores_free, found.facts.threads_chosen) == (2, True)
    assert found.advice[0] == "Work will use 2 threads, as TUNEWRIGHT_THREADS says."
    assert "tickets starts from the embedded base: it trains here in minutes." in found.advice
    assert "it fits" in found.advice[-1]
    with pytest.raises(UserError, match="there is no such folder"):
        tunewright.doctor(tmp_path / "gone")


def test_full_needs_what_its_numbers_say(size):
    file = ProjectFile.model_validate(
        {
            "name": "n",
            "task": {"system": "s"},
            "sources": {"rows": {"path": "r.csv"}},
            "train": {"adapter": {"kind": "full"}},
        }
    )
    assert training_bytes(FACTS, file, size) == 16 * size.weights
