"""Whole runs of the preference methods: they learn what they are shown, however a step is cut, and survive a cut."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from tiny import SINKS, save_model
from tunewright.core.events import silent
from tunewright.core.example import Example, ask, make_example
from tunewright.models.base import Base, resolve_base
from tunewright.models.load import load_model, load_tokenizer
from tunewright.models.template import Renderer
from tunewright.train import attention, loop
from tunewright.train.methods import find_method
from tunewright.train.methods._rehearsed import General, Rehearsed
from tunewright.train.policy import Policy
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


def run(
    method: str, folder: Path, base: Base, emit: Any = silent, general: Any = (), **settings: Any
) -> TrainSummary:
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
        work=folder / "work", out=folder / "out", emit=emit, threads=1, rehearsal=general,
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
    """A base whose attention has sinks, which segments have not: its rows are filled up."""
    folder = save_model(tmp_path_factory.mktemp("sinks") / "base", "gpt_oss", **SINKS)
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


def general(count: int = 12) -> list[Example]:
    return [make_example(ask(f"What is {i} + {i}?", f"It is {2 * i}.")) for i in range(count)]


@pytest.mark.parametrize("method", METHODS)
def test_general_rows_are_rehearsed_beside_it(method: str, tiny_base: Base, tmp_path: Path) -> None:
    """Their likelihood stands beside the method's loss in each step that has some, and grows; the method still learns."""
    summary = run(method, tmp_path, tiny_base, general=general())
    steps = [step for step in history(tmp_path) if "rehearsal_loss" in step]
    name = "reward_good_less_bad" if method == "kto" else "reward_accuracy"
    assert (summary.rehearsal_rows, summary.rows) == (12, (20 if method == "kto" else 40) + 12)
    assert steps[-1]["rehearsal_loss"] < 0.7 * steps[0]["rehearsal_loss"]
    assert all(step["rehearsal_loss"] <= step["loss"] for step in steps)
    assert history(tmp_path)[-1][name] > 0.1
    assert summary.best_dev_loss < 0.9 * summary.first_dev_loss
    assert all(check.passed for check in summary.checks)


def test_general_rows_in_few_steps_are_no_spikes(tiny_base: Base, tmp_path: Path) -> None:
    settings = {"epochs": 6, "batch_tokens": 80, "learning_rate": 1e-3}
    summary = run("dpo", tmp_path, tiny_base, general=general(1), **settings)
    steps = history(tmp_path)
    alone, beside = ([s["loss"] for s in steps if ("rehearsal_loss" in s) == kind] for kind in (False, True))
    assert len(alone) > 3 * len(beside) > 9
    assert min(beside) > 2 * max(alone)
    assert summary.warnings == ()


@pytest.mark.parametrize("method", METHODS)
def test_a_step_with_general_rows_is_the_same_however_it_is_cut(
    method: str, tiny_base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(method, tmp_path / "whole", tiny_base, general=general(), epochs=2)
    monkeypatch.setitem(loop._SEQUENCE, "cpu", 60)
    run(method, tmp_path / "cut", tiny_base, general=general(), epochs=2)
    whole, cut = (
        [(step["loss"], step["grad_norm"]) for step in history(tmp_path / name)] for name in ("whole", "cut")
    )
    for one, two in zip(whole, cut, strict=True):
        assert one == pytest.approx(two, rel=1e-3)


@pytest.mark.parametrize("base", ["tiny_base", "unpackable_base"])
@pytest.mark.parametrize("method", METHODS)
def test_cut_off_with_general_rows_it_ends_in_the_same_bytes(
    method: str, base: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Cut before the first step, in the middle and before the proofs; packed and filled up."""
    found, settings = request.getfixturevalue(base), {"epochs": 2, "dev_every": 2}
    run(method, tmp_path / "whole", found, general=general(), **settings)
    assert any("rehearsal_loss" in step for step in history(tmp_path / "whole"))
    for point, at in (("train.dev", 0), ("train.step", 3), ("train.check", 0)):

        def cut(kind: str, point: str = point, at: int = at, **facts: Any) -> None:
            if kind == point and facts["step"] >= at:
                raise Cut

        with pytest.raises(Cut):
            run(method, tmp_path / "cut", found, cut, general(), **settings)
    run(method, tmp_path / "cut", found, general=general(), **settings)
    names = [
        "adapter/adapter_config.json", "adapter/adapter_model.safetensors", "history.json", "train.json",
    ]  # fmt: skip
    for name in names:
        assert (tmp_path / "cut/out" / name).read_bytes() == (tmp_path / "whole/out" / name).read_bytes()


@pytest.mark.parametrize("method", METHODS)
def test_a_step_is_the_methods_and_the_likelihood(method: str, tiny_base: Base) -> None:
    """One batch of each: the loss and its gradients are the sum of the two alone."""
    spec, plain = TrainSpec(method=method), find_method(method)
    renderer, model = Renderer(load_tokenizer(tiny_base)), load_model(tiny_base)
    own = plain.trees(rows(method)[10:14], renderer)
    beside = General().trees(general(3), renderer)
    policy, both = Policy(model, [*own, *beside]), Rehearsed(plain)
    cut = policy.laying.batches([*own, *beside], [4, 0, 5, 1, 2, 6, 3], 0, 9999)
    assert [[tree.rehearses for tree in batch.trees] for batch in cut] == [[False] * 4, [True] * 3]

    def step(asked: Any, parts: list[Any]) -> torch.Tensor:
        totals = asked.totals(policy, parts, spec)
        return sum(asked.part(policy, part, totals, spec).loss for part in parts)

    def slopes(loss: torch.Tensor) -> torch.Tensor:
        loss.backward()
        found = torch.cat([each.grad.flatten() for each in model.parameters()])
        model.zero_grad()
        return found

    whole, alone = step(both, cut), step(plain, cut[:1])
    likelihood = -torch.cat([policy._alone(row) for row in cut[1].rows]).mean()
    torch.testing.assert_close(whole, alone + likelihood, atol=1e-5, rtol=1e-5)
    policy.restore()
    likelihood = -torch.cat([policy._alone(row) for row in cut[1].rows]).mean()
    separate = slopes(likelihood)
    model.set_attn_implementation(attention.NAME)
    torch.testing.assert_close(slopes(whole), slopes(alone) + separate, atol=1e-5, rtol=1e-4)
