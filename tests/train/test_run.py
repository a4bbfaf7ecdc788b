"""Whole runs on tiny models: what they write, that they learn, and that a cut changes nothing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from tiny import SINKS, save_model
from tunewright.core.errors import DataError, GateError, UserError
from tunewright.core.example import Example, ask, make_example
from tunewright.core.generation import Decoding, Generator
from tunewright.models.base import resolve_base
from tunewright.train import loop
from tunewright.train.policy import Policy
from tunewright.train.preflight import used_bytes
from tunewright.train.run import train
from tunewright.train.spec import AdapterSpec, TrainSpec

SPEC = TrainSpec(
    epochs=2,
    batch_tokens=128,
    learning_rate=1e-2,
    adapter=AdapterSpec(rank=4, dropout=0.1),
    dev_every=3,
    precision="fp32",
)
ROWS = [ask(f"What is {i} + {i % 3}?", f"It is {i + i % 3}.") for i in range(24)]
SYSTEM = "How much is it?"


def run(
    folder: Path,
    base,
    spec=SPEC,
    rows=ROWS[:20],
    dev=ROWS[20:],
    emit=lambda *_, **__: None,
    threads=1,
    **more,
):
    (folder / "out").mkdir(parents=True, exist_ok=True)
    return train(
        spec,
        [row if isinstance(row, Example) else make_example(row) for row in rows],
        [row if isinstance(row, Example) else make_example(row) for row in dev],
        base=base,
        system=SYSTEM,
        work=folder / "work",
        out=folder / "out",
        emit=emit,
        threads=threads,
        **more,
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def whole(tiny_base, tmp_path_factory):
    """An undisturbed run: its folder and its summary."""
    folder = tmp_path_factory.mktemp("whole")
    return folder / "out", run(folder, tiny_base)


def test_what_a_run_writes(whole):
    out, summary = whole
    assert sorted(contents(out)) == [
        "adapter/adapter_config.json", "adapter/adapter_model.safetensors", "history.json", "train.json",
    ]  # fmt: skip
    assert json.loads((out / "train.json").read_text()) == summary.model_dump(mode="json")
    history = json.loads((out / "history.json").read_text())
    assert [line["step"] for line in history["steps"]] == list(range(1, summary.steps + 1))
    assert sum(line["trained_tokens"] for line in history["steps"]) == summary.trained_tokens
    assert sum(line["tokens"] for line in history["steps"]) == summary.tokens
    best = min(history["dev"][1:], key=lambda line: line["loss"])
    assert (best["step"], best["loss"]) == (summary.best_step, summary.best_dev_loss)
    assert summary.best_dev_loss < summary.first_dev_loss
    assert all(check.passed for check in summary.checks)
    assert summary.packed
    assert summary.shared_prefix > 8


def test_the_same_again(whole, tiny_base, tmp_path):
    run(tmp_path, tiny_base)
    assert contents(tmp_path / "out") == contents(whole[0])


def test_another_seed_is_another_run(whole, tiny_base, tmp_path):
    run(tmp_path, tiny_base, SPEC.model_copy(update={"seed": 1}))
    assert contents(tmp_path / "out") != contents(whole[0])


DRIVER = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = [sys.argv[1], str(Path(sys.argv[1]).parent)]
import torch
torch.set_num_threads(1)
from test_run import run
from tunewright.models.base import resolve_base
from tunewright.train import checkpoint, slots

folder, base = Path(sys.argv[2]), resolve_base(sys.argv[3], Path("/"))
replace, seal = os.replace, slots._seal

def child(point, count):
    left = [count]
    def cut():
        left[0] -= 1
        if left[0] == 0:
            os.kill(os.getpid(), signal.SIGKILL)
    def replace_or_die(source, target):  # between a temporary file and the move that makes it the checkpoint
        if Path(target).name == point:
            cut()
        replace(source, target)
    def seal_or_die(stream, length):  # between the last byte of a state and the first ones, which make it readable
        if point == "state":
            stream.flush()
            cut()
        seal(stream, length)
    checkpoint.os.replace = replace_or_die
    slots._seal = seal_or_die
    run(folder, base, emit=lambda kind, **_: cut() if kind == point else None)

for word in sys.argv[4:]:
    point, count = word.split(":")
    pid = os.fork()
    if pid == 0:
        child(point, int(count))
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == -signal.SIGKILL, word
"""
"""Runs and kills the same run once for each `point:count`, in processes forked from one that has torch loaded."""


def test_killed_again_and_again_gives_the_same_bytes(whole, tiny_base, tmp_path):
    """Cut before the first step, after steps, after dev losses, inside checkpoints, and before the proofs."""
    points = [
        "train.load:1", "train.start:1", "train.step:1", "state:1", "train.step:2", "train.dev:2",
        "best.safetensors:1", "state:2", "train.step:3", "train.dev:1", "train.check:1", "train.done:1",
    ]  # fmt: skip
    environment = os.environ | {"PYTHONWARNINGS": "ignore", "OMP_NUM_THREADS": "1"}
    here, root = str(Path(__file__).parent), str(tiny_base.path)
    command = [sys.executable, "-c", DRIVER, here, str(tmp_path), root, *points]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    steps = []
    run(
        tmp_path,
        tiny_base,
        emit=lambda kind, **facts: steps.append(facts["step"]) if kind == "train.step" else None,
    )
    assert steps == []
    assert contents(tmp_path / "out") == contents(whole[0])


class Cut(Exception):
    """The run was cut off."""


def test_resuming_loses_one_step_at_most(tiny_base, tmp_path):
    def cut(kind, **facts):
        if kind == "train.step" and facts["step"] == 5:
            raise Cut

    spec = SPEC.model_copy(update={"dev_every": 100})
    with pytest.raises(Cut):
        run(tmp_path, tiny_base, spec, emit=cut)
    steps = []
    run(
        tmp_path,
        tiny_base,
        spec,
        emit=lambda kind, **facts: steps.append(facts["step"]) if kind == "train.step" else None,
    )
    assert steps[0] == 5


def test_time_goes_on_from_where_it_was_cut_off(whole, tiny_base, tmp_path):
    """Whatever time was kept with the checkpoint counts; it decides nothing. Runs that were not looked at say their time."""
    kept, said = tmp_path / "work" / "seconds.json", []

    def cut(kind, **facts):
        if kind == "train.step" and facts["step"] == 4:
            raise Cut

    with pytest.raises(Cut):
        run(tmp_path, tiny_base, emit=cut)
    assert 0 < json.loads(kept.read_text()) < 3600
    kept.write_text("3600.0")
    run(tmp_path, tiny_base, emit=lambda kind, **data: said.append((kind, data)))
    times = [data["elapsed"] for kind, data in said if kind == "train.step"]
    assert times == sorted(times)
    assert times[0] > 3600
    (estimate,) = [data for kind, data in said if kind == "train.estimate"]
    assert estimate["by_steps"] == 2
    assert estimate["seconds"] > 3600
    assert contents(tmp_path / "out") == contents(whole[0])


def test_another_run_does_not_take_up_this_one(whole, tiny_base, tmp_path):
    run(tmp_path, tiny_base, SPEC.model_copy(update={"seed": 1}))
    run(tmp_path, tiny_base)
    assert contents(tmp_path / "out") == contents(whole[0])


def test_a_torn_checkpoint_starts_over(whole, tiny_base, tmp_path):
    run(tmp_path, tiny_base)
    for state in (tmp_path / "work").glob("state-*"):
        state.write_bytes(state.read_bytes()[:100])
    run(tmp_path, tiny_base)
    assert contents(tmp_path / "out") == contents(whole[0])


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_it_learns_by_heart(tiny_base, tmp_path, precision):
    rows = [ask(f"Door {word}?", word) for word in ("red", "eleven")] * 4
    spec = TrainSpec(
        epochs=30,
        batch_tokens=400,
        adapter=AdapterSpec(rank=16),
        learning_rate=3e-2,
        patience=9,
        precision=precision,
    )
    summary = run(tmp_path, tiny_base, spec, rows, rows[:2])
    assert summary.best_dev_loss < 0.05
    assert summary.precision == precision


def test_stops_early(tiny_base, tmp_path):
    spec = SPEC.model_copy(update={"patience": 1, "epochs": 40, "learning_rate": 0.1, "dev_every": 1})
    summary = run(tmp_path, tiny_base, spec)
    assert summary.stop_reason == "dev loss got no better"
    assert summary.best_step == summary.steps - 1
    assert summary.steps < summary.steps_planned


def test_without_dev_rows_the_last_weights_are_kept(tiny_base, tmp_path):
    summary = run(tmp_path, tiny_base, SPEC.model_copy(update={"epochs": 1}), dev=[])
    assert (summary.best_step, summary.best_dev_loss) == (summary.steps, None)


def test_cutting_a_step_into_more_batches_changes_nothing(tiny_base, tmp_path, monkeypatch):
    from tunewright.train import loop

    losses = []
    for limit in (2048, 40):
        monkeypatch.setitem(loop._SEQUENCE, "cpu", limit)
        run(tmp_path / str(limit), tiny_base, SPEC.model_copy(update={"adapter": AdapterSpec(rank=4)}))
        history = json.loads((tmp_path / str(limit) / "out/history.json").read_text())
        losses.append([(line["loss"], line["grad_norm"]) for line in history["steps"]])
    for one, other in zip(*losses, strict=True):
        assert one == pytest.approx(other, rel=1e-3)


@pytest.mark.parametrize("kind", ["rslora", "dora"])
@pytest.mark.parametrize("targets", ["all-linear", ("q_proj", "v_proj")])
def test_the_kin_of_lora(kind, targets, tiny_base, tmp_path):
    adapter = AdapterSpec(rank=4, kind=kind, targets=targets)
    summary = run(tmp_path, tiny_base, SPEC.model_copy(update={"adapter": adapter}))
    assert summary.best_dev_loss < summary.first_dev_loss
    assert all(
        check.passed for check in summary.checks
    )  # that PEFT loads the file, with the same logits, is one
    config = json.loads((tmp_path / "out/adapter/adapter_config.json").read_text())
    assert (config["use_rslora"], config["use_dora"]) == (kind == "rslora", kind == "dora")
    assert config["lora_alpha"] == 8


def test_b_learns_faster_when_told_to(tiny_base, tmp_path):
    def moved(ratio, folder):
        spec = SPEC.model_copy(
            update={"adapter": AdapterSpec(rank=4, b_rate=ratio), "epochs": 1, "learning_rate": 1e-3}
        )
        run(folder, tiny_base, spec)
        weights = load_file(folder / "out/adapter/adapter_model.safetensors")
        return sum(float(value.abs().sum()) for name, value in weights.items() if "lora_B" in name)

    assert moved(8.0, tmp_path / "fast") > 4 * moved(1.0, tmp_path / "plain")


@pytest.mark.parametrize(
    "architecture", ["llama", "gemma", "gemma2", "gemma3_text", "qwen2", "mistral", "phi3"]
)
def test_two_steps_of_other_architectures(architecture, tmp_path):
    base = resolve_base(str(save_model(tmp_path / "base", architecture)), tmp_path)
    summary = run(tmp_path, base, SPEC.model_copy(update={"epochs": 1, "batch_tokens": 512}))
    assert summary.steps == 2
    assert all(check.passed for check in summary.checks)


def test_a_base_that_cannot_be_packed_says_why(tmp_path):
    base = resolve_base(str(save_model(tmp_path / "base", "gpt_oss", **SINKS)), tmp_path)
    started = []
    spec = SPEC.model_copy(update={"epochs": 1, "batch_tokens": 512})
    summary = run(
        tmp_path,
        base,
        spec,
        emit=lambda kind, **data: started.append(data) if kind == "train.start" else None,
    )
    assert (summary.packed, summary.padded, summary.shared_prefix) == (False, True, 0)
    assert [(data["packed"], data["padded"], data["not_packed"]) for data in started] == [
        (False, True, "NotImplementedError: packed rows have no attention sinks")
    ]


def test_what_the_method_and_an_engine_say_is_told_and_kept(tiny_base, tmp_path):
    """As an event when the run begins, and in the summary: not by `tunewright check` alone."""
    said = []
    rows = [make_example(row, desirable=place > 2) for place, row in enumerate(ROWS[:20])]
    adapter = AdapterSpec(rank=4, kind="dora")
    spec = SPEC.model_copy(update={"method": "kto", "adapter": adapter, "epochs": 1})

    def hear(kind, **data):
        if kind == "train.warning":
            said.append(data["words"])

    summary = run(tmp_path, tiny_base, spec, rows=rows, dev=rows[1:5], emit=hear)
    assert summary.warnings == tuple(said)
    assert [words.partition(":")[0] for words in said] == ["train.kto", "train.adapter.kind"]
    assert "19 good and 5 bad answers weigh 19 to 5" in said[0]
    assert "vLLM loads no DoRA adapters" in said[1]


def test_gradient_checkpointing_changes_nothing_but_the_memory(tiny_base, tmp_path):
    kept = []

    def run_noting(folder, spec):
        kept.append(0)

        def pack(tensor):
            kept[-1] += tensor.numel()
            return tensor

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
            run(folder, tiny_base, spec)
        return load_file(folder / "out/adapter/adapter_model.safetensors")

    plain = run_noting(tmp_path / "plain", SPEC)
    again = run_noting(tmp_path / "again", SPEC.model_copy(update={"gradient_checkpointing": True}))
    assert all((again[name] - plain[name]).abs().max() < 1e-6 for name in plain)
    assert kept[1] < 0.5 * kept[0]


def test_a_longer_run_is_looked_at_before_it_starts(tiny_base, tmp_path, monkeypatch):
    """And nothing of it changes what is trained. Each token holds a known memory: far more than all else of a tiny model."""
    held, said, before = [], [], []
    plain, each = Policy.logprobs, 2 << 20

    def greedy(self, batch):
        if not torch.is_grad_enabled():
            return plain(self, batch)
        held.append(batch.tokens * each)
        kept = torch.ones(held[-1] // 4)
        found = plain(self, batch)
        del kept
        return found

    monkeypatch.setattr(Policy, "logprobs", greedy)
    spec = SPEC.model_copy(update={"batch_tokens": 60, "epochs": 4, "patience": 1000})

    def hear(kind, **data):
        said.append((kind, data))
        if kind == "train.start":
            before.append(used_bytes(torch.device("cpu")))

    summary = run(tmp_path / "whole", tiny_base, spec, emit=hear)
    monkeypatch.setattr(Policy, "logprobs", plain)
    (seen,) = [data for kind, data in said if kind == "train.preflight"]
    assert summary.steps >= 60
    assert 0 < seen["peak"] < seen["available"]
    assert seen["seconds"] > 0
    (done,) = [data for kind, data in said if kind == "train.done"]
    foretold, taken = (data["peak"] - before[0] for data in (seen, done))
    assert foretold == pytest.approx(max(held), rel=0.2)
    assert taken == pytest.approx(foretold, rel=0.2)
    assert done["peak"] >= max(data["memory"] for kind, data in said if kind == "train.step")

    def stop(kind, **data):
        if kind == "train.step" and data["step"] == 30:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut", tiny_base, spec, emit=stop)
    again = []
    run(tmp_path / "cut", tiny_base, spec, emit=lambda kind, **_: again.append(kind))
    assert "train.preflight" not in again
    assert contents(tmp_path / "cut" / "out") == contents(tmp_path / "whole" / "out")


def test_long_rows_are_left_out_and_counted(tiny_base, tmp_path):
    long = ask("What is it? " * 40, "red")
    spec = SPEC.model_copy(update={"epochs": 1, "max_length": 100, "over_long": "drop"})
    summary = run(tmp_path, tiny_base, spec, rows=[*ROWS[:10], long], dev=[*ROWS[20:], long])
    assert (summary.rows, summary.dropped_rows, summary.cut_rows) == (10, 2, 0)
    with pytest.raises(DataError, match=r"Every row is longer than train\.max_length"):
        run(tmp_path / "none", tiny_base, spec, rows=[long])


def test_nothing_to_train_on(tiny_base, tmp_path):
    with pytest.raises(DataError, match="no rows to train on"):
        run(tmp_path, tiny_base, rows=[])
    untrained = (ROWS[0][0], ROWS[0][1].model_copy(update={"weight": 0}))
    with pytest.raises(DataError, match="no trained token"):
        run(tmp_path, tiny_base, rows=[untrained])


def test_an_unknown_method(tiny_base, tmp_path):
    with pytest.raises(UserError, match="Known: cpt, dpo, kto, orpo, sft"):
        run(tmp_path, tiny_base, SPEC.model_copy(update={"method": "sfft"}))


def test_what_lay_where_the_adapter_goes_is_gone(whole, tiny_base, tmp_path):
    folder = tmp_path / "out/adapter"
    folder.mkdir(parents=True)
    for name in ("config.json", "model.safetensors"):
        (folder / name).write_text("{}")
    run(tmp_path, tiny_base)
    assert contents(tmp_path / "out") == contents(whole[0])


def test_a_run_that_starts_over_says_so(tiny_base, tmp_path):
    run(tmp_path, tiny_base, SPEC.model_copy(update={"seed": 1}))
    said = []
    run(
        tmp_path,
        tiny_base,
        emit=lambda kind, **data: said.append(data["words"]) if kind == "train.discarded" else None,
    )
    assert said == ["rows, settings or library versions changed: training starts over"]


def test_an_adapter_that_does_not_pass_is_not_left_behind(tiny_base, tmp_path, monkeypatch):
    """A run whose proof fails: its weights have not moved."""
    monkeypatch.setattr(loop, "learning_rate", lambda spec, step, total: 0.0)
    with pytest.raises(GateError, match="Training did not take: adapter changed"):
        run(tmp_path, tiny_base)
    assert list((tmp_path / "out").iterdir()) == []


def test_a_judge_decides_which_weights_are_kept(tiny_base, tmp_path):
    """Its scores win over the loss, and end training where they get no better."""
    asked = []

    def judge(generator: Generator) -> float:
        reply = generator.generate([ROWS[0][:-1]], Decoding(max_new_tokens=3))[0]
        asked.append(reply.text)
        return 1 / max(1, len(asked) - 1)  # the first time it is the look ahead that asks

    spec = SPEC.model_copy(update={"epochs": 20, "patience": 2})
    summary = run(tmp_path, tiny_base, spec, judge=judge)
    assert (summary.best_step, summary.best_dev_score) == (3, 1.0)
    assert (summary.steps, summary.stop_reason) == (9, "dev score got no better")
    assert len(set(asked)) > 1  # it hears the weights as they stand
    lines = json.loads((tmp_path / "out/history.json").read_text())["dev"]
    assert [line.get("score") for line in lines] == [None, 1.0, 0.5, pytest.approx(1 / 3)]
    assert lines[-1]["loss"] < lines[1]["loss"] == summary.best_dev_loss


def test_a_judge_changes_no_step(whole, tiny_base, tmp_path):
    """Answering in between leaves the training as it was."""
    out, _ = whole
    run(tmp_path, tiny_base, judge=lambda generator: len(generator.generate([ROWS[0][:-1]], Decoding())))
    kept = [json.loads((folder / "history.json").read_text())["steps"] for folder in (out, tmp_path / "out")]
    assert kept[0] == kept[1]
