"""Whole runs of the preference methods: they learn what they are shown, however a step is cut, and survive a cut."""

import json
from pathlib import Path
from typing import Any

import pytest

from tiny import save_model
from tunewright.core.events import silent
from tunewright.core.example import Example, ask, make_example
from tunewright.models.base import Base, resolve_base
from tunewright.train import loop
from tunewright.train.run import train
from tunewright.train.spec import AdapterSpec, TrainSpec
from tunewright.train.summary import TrainSummary

METHODS = ("dpo", "orpo", "kto")
SYSTEM = "Please answer."


def rows(method: str, count: int = 24) -> list[Example]:
    """Yes is the good answer, no the bad one."""
    talks = [ask(f"Is {i} red?", "yes") for i in range(count)]
    if method == "kto":
        return [make_example(talk, desirable=True) for talk in talks[::2]] + [
            make_example((*talk[:-1], talk[-1].model_copy(update={"content": "no"})), desirable=False)
            for talk in talks[1::2]
        ]
    return [make_example(talk, rejected="no") for talk in talks]


def run(method: str, folder: Path, base: Base, emit: Any = silent, **settings: Any) -> TrainSummary:
    spec = TrainSpec(
        **{
            "method": method, "epochs": 4, "batch_tokens": 256, "learning_rate": 2e-2, "precision": "fp32",
            "adapter": AdapterSpec(rank=4), **settings,
        }
    )  # fmt: skip
    examples = rows(method)
    (folder / "out").mkdir(parents=True, exist_ok=True)
    return train(
        spec, examples[2:-2], [*examples[:2], *examples[-2:]], base=base, system=SYSTEM,
        work=folder / "work", out=folder / "out", emit=emit, threads=1,
    )  # fmt: skip


def history(folder: Path) -> list[dict[str, Any]]:
    return json.loads((folder / "out/history.json").read_text())["steps"]


@pytest.mark.parametrize("method", METHODS)
def test_it_learns_which_answer_is_better(method: str, tiny_base: Base, tmp_path: Path) -> None:
    summary = run(method, tmp_path, tiny_base)
    steps = history(tmp_path)
    assert all(check.passed for check in summary.checks)
    assert summary.best_dev_loss < 0.9 * summary.first_dev_loss
    name = "reward_good_less_bad" if method == "kto" else "reward_accuracy"
    assert steps[-1][name] > max(steps[0][name], 0.1)
    assert summary.rows == (20 if method == "kto" else 40)


@pytest.fixture(scope="module")
def unpackable_base(tmp_path_factory: pytest.TempPathFactory) -> Base:
    """A base whose capped attention takes no segments: its rows are run one by one."""
    folder = save_model(tmp_path_factory.mktemp("capped") / "base", "gemma2", attn_logit_softcapping=0.5)
    return resolve_base(str(folder), folder)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("base", "packed"), [("tiny_base", True), ("unpackable_base", False)])
def test_a_step_is_the_same_however_it_is_cut(
    method: str,
    base: str,
    packed: bool,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    summary = run(method, tmp_path / "whole", request.getfixturevalue(base))
    assert summary.packed == packed
    monkeypatch.setitem(loop._SEQUENCE, "cpu", 60)
    run(method, tmp_path / "cut", request.getfixturevalue(base))
    whole, cut = (
        [(step["loss"], step["grad_norm"]) for step in history(tmp_path / name)] for name in ("whole", "cut")
    )
    assert len(whole) == len(cut) > 4
    for one, two in zip(whole, cut, strict=True):
        assert one == pytest.approx(two, rel=1e-3)


class Cut(Exception):
    """The run was cut off."""


@pytest.mark.parametrize("method", ["dpo", "kto"])
def test_a_run_cut_off_reads_the_base_once(method: str, tiny_base: Base, tmp_path: Path) -> None:
    run(method, tmp_path / "whole", tiny_base)

    def cut(kind: str, **facts: Any) -> None:
        if kind == "train.step" and facts["step"] == 4:
            raise Cut

    with pytest.raises(Cut):
        run(method, tmp_path / "cut", tiny_base, cut)
    kinds: list[str] = []
    run(method, tmp_path / "cut", tiny_base, lambda kind, **_: kinds.append(kind))
    assert "train.reference" not in kinds
    for name in ("adapter/adapter_model.safetensors", "history.json", "train.json"):
        assert (tmp_path / "cut/out" / name).read_bytes() == (tmp_path / "whole/out" / name).read_bytes()


def test_the_likelihood_beside_dpo_holds_the_chosen_answer_up(tiny_base: Base, tmp_path: Path) -> None:
    run("dpo", tmp_path / "plain", tiny_base)
    run("dpo", tmp_path / "held", tiny_base, dpo={"nll": 1.0})
    assert history(tmp_path / "held")[0]["loss"] > history(tmp_path / "plain")[0]["loss"]
