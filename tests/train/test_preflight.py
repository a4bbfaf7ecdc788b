"""Preflight: what a run will take, from steps that really take it."""

import math
import re
import time

import pytest
import torch

from tunewright.core.errors import GateError
from tunewright.core.events import silent
from tunewright.core.example import ask, make_example
from tunewright.models import machine
from tunewright.models.load import load_model
from tunewright.train import layout, preflight
from tunewright.train.checkpoint import WorkFolder
from tunewright.train.layout import laid
from tunewright.train.loop import Loop
from tunewright.train.lora import add_adapter
from tunewright.train.methods import find_method
from tunewright.train.pack import Size
from tunewright.train.plan import make_plan
from tunewright.train.policy import Policy
from tunewright.train.preflight import Besides, Share, load_of, look_ahead
from tunewright.train.reference import refer
from tunewright.train.shelf import Shelf, Shelves
from tunewright.train.spec import AdapterSpec, TrainSpec
from tunewright.train.strength import TRIES
from tunewright.train.weights import trained

CPU = torch.device("cpu")
MEGABYTE = 1 << 18
"""Floats in one."""


def load(tokens, steps, limit=400, forward_tokens=0):
    sizes = [Size(count, (count,)) for count in tokens]
    return load_of(steps, sizes, laid("packed", "cpu"), limit, forward_tokens=forward_tokens)


class Greedy:
    """Takes a megabyte and a tenth of a millisecond for each token."""

    def __init__(self, tokens):
        self.tokens = tokens
        self.calls = []

    def __call__(self, group):
        self.calls.append(list(group))
        size = sum(self.tokens[index] for index in group)
        held = torch.ones(size * MEGABYTE)
        time.sleep(1e-4 * size + 0.01)
        del held


def test_what_fits_is_estimated():
    tokens = [100, 100, 100, 300]
    probe = Greedy(tokens)
    found = look_ahead(load(tokens, [[0], [1], [2], [3]], forward_tokens=300), probe, CPU, False)
    assert probe.calls == [[0], [0], [3], [2], [3], [2]]
    # two timed steps of 400 tokens took 0.06 s at least; 600 tokens and a third of 300 are to come
    assert found.seconds > 0.06 * 700 / 400 * 0.9
    assert 290e6 < found.peak - _used_now() < 345e6  # 300 MiB and no more than a tenth beside it
    assert found.available > found.peak


def test_what_a_run_does_besides_is_counted(monkeypatch):
    """By a clock that only the trials move: 1 s a token of a step, 0.25 of dev, 0.5 under the base, 2 an update."""
    now = [0.0]
    monkeypatch.setattr(preflight, "perf_counter", lambda: now[0])

    def takes(seconds, tokens=0):
        now[0] += seconds
        return tokens

    tokens, more = (10, 20), {"look_tokens": 40, "dev_every": 2, "last_looks": 1}
    work = load(tokens, [[0], [1], [1]], 100, 300)._replace(**more)
    besides = Besides(lambda: takes(2.0, 8), lambda: takes(2.0, 4), lambda: takes(2.0) and None, lambda: 0.01)

    def probe(group):
        takes(sum(tokens[index] for index in group))

    looks = 1 + 2 + 1  # before the first step, after steps 2 and 3, for a strength
    found = look_ahead(work, probe, CPU, False, besides)
    assert found.seconds == pytest.approx(50 + looks * 40 * 0.25 + 300 * 0.5 + 3 * (2.0 + 0.01))
    plain = look_ahead(work, probe, CPU, False)
    assert plain.seconds == pytest.approx(50 + (looks * 40 + 300) * 0.5)

    answered = look_ahead(work, probe, CPU, False, Besides(answer=lambda: 3.0))
    assert answered.answering == 3.0
    assert answered.seconds == pytest.approx(
        plain.seconds + 2 * 3.0
    )  # not before the first step, nor for a strength


def test_a_brief_look_computes_the_fullest_step_once_and_no_middling_one():
    tokens = [100, 100, 100, 300]
    probe = Greedy(tokens)
    found = look_ahead(load(tokens, [[0], [1], [2], [3]]), probe, CPU, False, brief=True)
    assert probe.calls == [[0], [0], [3]]
    assert found.seconds > 0.04 * 600 / 300 * 0.9  # the step of 300 took 0.04 s at least
    assert 290e6 < found.peak - _used_now() < 345e6


def test_memory_of_answers_counts():
    def greedy():
        held = torch.ones(400 * MEGABYTE)
        time.sleep(0.05)
        del held
        return 0.05

    tokens = [100, 100, 100, 300]
    work = load(tokens, [[0], [1], [2], [3]])
    found = look_ahead(work, Greedy(tokens), CPU, False, Besides(answer=greedy))
    assert 390e6 < found.peak - _used_now() < 460e6


def test_gradients_do_not_grow_with_the_batch(monkeypatch):
    """What one row takes that a full batch takes no more of is not multiplied."""
    monkeypatch.setattr(preflight, "free_memory", lambda: 500 << 20)
    tokens = [10] * 20
    rows = Greedy(tokens)

    def probe(group):
        gradients = torch.ones(150 * MEGABYTE)
        rows(group)
        del gradients

    work = load(tokens, [[*range(20)]])
    with pytest.raises(GateError):
        look_ahead(work, probe, CPU, False)
    found = look_ahead(work._replace(gradients=150 << 20), probe, CPU, False, brief=True)
    assert found.peak - _used_now() < 400 << 20


def _used_now():
    return preflight.used_bytes(CPU)


def test_what_would_not_fit_is_refused_before_it_is_tried(monkeypatch):
    monkeypatch.setattr(preflight, "free_memory", lambda: 220 << 20)
    tokens = [100, 100, 100, 400]
    probe = Greedy(tokens)
    with pytest.raises(GateError, match=r"Training would take about .* GB of memory") as caught:
        look_ahead(load(tokens, [[0, 1, 2, 3]], limit=700), probe, CPU, False)
    assert probe.calls == [[0], [0]]
    assert "a batch of 700 tokens, its longest row of 400" in str(caught.value)
    assert "Set train.gradient_checkpointing to true" in str(caught.value)
    fitting = int(re.search(r"train\.max_length to about (\d+)", str(caught.value))[1])
    assert 180 < fitting < 240


def test_short_rows_want_a_smaller_batch_not_shorter_rows(monkeypatch):
    monkeypatch.setattr(preflight, "free_memory", lambda: 220 << 20)
    tokens = [100] * 8
    with pytest.raises(GateError) as caught:
        look_ahead(load(tokens, [[*range(8)]], limit=800), Greedy(tokens), CPU, True)
    fitting = int(re.search(r"Set train\.batch_tokens to about (\d+)", str(caught.value))[1])
    assert 180 < fitting < 240


def test_what_nearly_fits_is_tried_and_refused_by_what_it_took(monkeypatch):
    monkeypatch.setattr(preflight, "free_memory", lambda: 220 << 20)
    tokens = [100, 100, 250]
    probe = Greedy(tokens)
    with pytest.raises(GateError, match="Training would take"):
        look_ahead(load(tokens, [[0], [1], [2]]), probe, CPU, False)
    assert probe.calls == [[0], [0], [2]]


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("none left"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried"),
        MemoryError(),
    ],
)
def test_running_out_says_so_without_a_figure(error):
    def fails(group):
        raise error

    with pytest.raises(GateError, match=r"Training ran out of memory, of which [\d.]+ GB were there"):
        look_ahead(load([100], [[0]]), fails, CPU, False)


def test_what_comes_later_counts(monkeypatch):
    monkeypatch.setattr(preflight, "free_memory", lambda: 220 << 20)
    heavy = load([100], [[0]])._replace(later=200 << 20)
    with pytest.raises(GateError, match="Training would take"):
        look_ahead(heavy, Greedy([100]), CPU, False)


def test_with_checkpointing_on_it_is_no_way_out(monkeypatch):
    monkeypatch.setattr(preflight, "free_memory", lambda: 220 << 20)
    tokens = [100, 100, 900]
    with pytest.raises(GateError) as caught:
        look_ahead(load(tokens, [[0], [1], [2]]), Greedy(tokens), CPU, True)
    assert "gradient_checkpointing" not in str(caught.value)


@pytest.mark.parametrize(
    ("packable", "free", "offered"),
    [(0, 20, False), (10 << 20, 20, True), (10 << 20, 220, False), (100 << 40, 220, True)],
)
def test_qlora_is_a_way_out_where_the_base_fills_the_memory(monkeypatch, packable, free, offered):
    """Whatever the batch, where its weights are most of what there is; else only where no row would fit."""
    monkeypatch.setattr(preflight, "free_memory", lambda: free << 20)
    tokens = [100, 100, 900]
    heavy = load(tokens, [[0], [1], [2]])._replace(packable=packable)
    with pytest.raises(GateError) as caught:
        look_ahead(heavy, Greedy(tokens), CPU, True)
    assert ("qlora" in str(caught.value)) == offered
    assert ("smaller base" in str(caught.value)) == (free == 20)


@pytest.mark.parametrize(
    ("method", "settings", "reads"),
    [("sft", {}, 0), ("dpo", {}, 1), ("dpo", {"dpo": {"loss": "simpo"}}, 0), ("kto", {}, 1), ("orpo", {}, 0)],
)
def test_the_rows_under_the_base_are_counted(tiny_base, tiny_renderer, method, settings, reads):
    """Every row once where the method measures against the base, save general ones; and looks at dev, strengths too."""
    spec = TrainSpec(
        method=method,
        adapter=AdapterSpec(rank=4),
        batch_tokens=64,
        epochs=2,
        dev_every=3,
        strength="auto",
        **settings,
    )
    rows = [
        make_example(
            ask(f"What is {i}?", "red"),
            rejected="blue" if method in ("dpo", "orpo") else None,
            desirable=i % 2 > 0 if method == "kto" else None,
        )
        for i in range(12)
    ]
    found = find_method(method)
    trees, dev = found.trees(rows[:8], tiny_renderer), found.trees(rows[8:], tiny_renderer)
    model = add_adapter(load_model(tiny_base, device="cpu"), spec.adapter, tiny_base, 0)
    plan = make_plan(trees, dev, spec, 0)
    general = [tree._replace(rehearses=True) for tree in trees[:3]]
    seen = Loop(Policy(model, trees), trained(model), found, spec, plan)._load([*trees, *general], dev)
    once = sum(tree.tokens for tree in dev)
    assert seen.forward_tokens == reads * (once + sum(tree.tokens for tree in trees))
    assert (seen.look_tokens, seen.looks_left(0)) == (once, math.ceil(len(plan.steps) / 3) + TRIES)
    assert seen.packable == sum(4 * value.numel() for value in model.parameters())


@pytest.mark.parametrize("optimizer", ["adamw", "adamw8bit"])
@pytest.mark.parametrize("method", ["sft", "kto"])
def test_a_look_ahead_changes_no_weight_and_leaves_nothing(
    tiny_base, tiny_renderer, tmp_path, optimizer, method
):
    """The optimizer's own step and a checkpoint are tried out, and so is a look at dev."""
    if optimizer == "adamw8bit":
        pytest.importorskip("bitsandbytes")
    spec = TrainSpec(
        method=method,
        adapter=AdapterSpec(rank=4),
        batch_tokens=64,
        learning_rate=1e-3,
        epochs=40,
        weight_decay=0.1,
        optimizer=optimizer,
    )
    rows = [make_example(ask(f"What is {i}?", "red"), desirable=i % 2 > 0) for i in range(8)]
    found = find_method(method)
    trees = found.trees(rows, tiny_renderer)
    model = add_adapter(load_model(tiny_base, device="cpu"), spec.adapter, tiny_base, 0)
    parameters = trained(model)
    before = {name: value.detach().clone() for name, value in parameters.items()}
    work, said = WorkFolder(tmp_path, "", 1), []
    there = sorted(tmp_path.iterdir())
    loop = Loop(Policy(model, trees), parameters, found, spec, make_plan(trees, trees, spec, 0))
    loop.look_ahead(trees, trees, work, lambda kind, **_: said.append(kind), known=False)
    assert said == ["train.preflight"]
    assert all(torch.equal(before[name], value) and value.grad is None for name, value in parameters.items())
    assert sorted(tmp_path.iterdir()) == there


def test_in_bf16_on_a_cpu_what_gathers_is_counted(tiny_base, tiny_renderer):
    spec = TrainSpec(adapter=AdapterSpec(rank=4), batch_tokens=64, epochs=1)
    rows = [make_example(ask(f"What is {i}?", "red")) for i in range(6)]
    trees = find_method("sft").trees(rows, tiny_renderer)
    model = add_adapter(load_model(tiny_base, device="cpu"), spec.adapter, tiny_base, 0)
    plan = make_plan(trees, trees, spec, 0)
    later = [
        Loop(Policy(model, trees, dtype), trained(model), find_method("sft"), spec, plan)
        ._load(trees, trees)
        .later
        for dtype in (torch.float32, torch.bfloat16)
    ]
    assert later[1] - later[0] == round((300 << 20) * len(plan.steps) / 100)


def test_the_peak_is_seen_and_not_more():
    before = preflight.used_bytes(CPU)
    with preflight.peak_bytes(CPU, 0.01) as peak:
        held = torch.ones(100 * MEGABYTE)
        time.sleep(0.1)
        del held
    assert 95e6 < peak[0] - before < 150e6


def test_the_fullest_batch_is_the_limit_or_the_longest_row():
    several = load([100, 100, 100, 900], [[0, 1], [0, 1, 2], [3]], limit=250)
    assert several.shares == [Share(200, 200, 100, 100), Share(300, 200, 100, 100), Share(900, 900, 900, 900)]
    assert several.middling == (0, 100)


def test_the_fullest_step_is_the_one_that_is_fullest_as_rows_are_laid_out():
    """A prompt that is computed for each answer makes another pair the larger one."""
    pairs = [Size(140, (120, 120)), Size(181, (91, 91))]
    for kind, fullest in (("packed", 1), ("padded", 0), ("alone", 0)):
        probe = Greedy([240, 182])
        look_ahead(load_of([[1], [0]], pairs, laid(kind, "cpu"), 2048), probe, CPU, False)
        assert probe.calls[2] == [fullest]


def test_a_pair_is_not_made_smaller_by_a_smaller_batch(monkeypatch):
    """Both its rows are kept together, filled up: less than that takes shorter rows, which the message counts."""
    monkeypatch.setattr(preflight, "free_memory", lambda: 220 << 20)
    sizes = [Size(350, (300, 400))]
    heavy = load_of([[0]], sizes, laid("padded", "cpu"), 2048)
    assert heavy.shares == [Share(800, 800, 800, 400)]
    with pytest.raises(GateError, match="Training would take") as caught:
        look_ahead(heavy, Greedy([800]), CPU, True)
    said = str(caught.value)
    assert "a batch of 800 tokens, what fills its rows up among them, its longest row of 400" in said
    assert 90 < int(re.search(r"train\.max_length to about (\d+)", said)[1]) < 120


@pytest.mark.parametrize("kind", ["packed", "padded", "alone"])
@pytest.mark.parametrize("together", [4096, 60])
def test_what_is_counted_goes_through_the_model(
    tiny_base, tiny_renderer, tmp_path, monkeypatch, kind, together
):
    """Each step's tokens, by what the model is given; and those at dev and under the base. Too many at once: twice."""
    monkeypatch.setattr(layout, "_TOGETHER", {"cpu": together})
    spec = TrainSpec(method="dpo", adapter=AdapterSpec(rank=4), batch_tokens=200, epochs=1)
    rows = [
        make_example(ask(f"What is {'it' * (i % 5)}?", "red " * (1 + i % 4)), rejected="blue " * (1 + i % 3))
        for i in range(14)
    ]
    method = find_method("dpo")
    trees, dev = method.trees(rows[:10], tiny_renderer), method.trees(rows[10:], tiny_renderer)
    model = add_adapter(load_model(tiny_base, device="cpu"), spec.adapter, tiny_base, 0)
    policy = Policy(model, trees)
    policy.layout = kind
    if kind != "packed":
        policy.restore()
    loop = Loop(policy, trained(model), method, spec, make_plan(trees, dev, spec, 0))
    loop._limit = 100
    load = loop._load(trees, dev)
    given = []
    policy._body.register_forward_pre_hook(
        lambda _, args, named: given.append(named["input_ids"].numel()), with_kwargs=True
    )

    def seen(act):
        given.clear()
        act()
        return sum(given)

    for step, share in zip(load.steps, load.shares, strict=True):
        cut = loop._cut(trees, step)
        costs = [policy.laying.cost([tree.size for tree in batch.trees]) for batch in cut]
        passes = [1 if cost.held == cost.tokens else 2 for cost in costs]
        assert seen(lambda cut=cut: loop._gradients(cut, 0)) == sum(
            cost.tokens * times for cost, times in zip(costs, passes, strict=True)
        )
        assert (2 in passes) <= (kind != "packed" and together == 60)
        assert share.work == sum(cost.work for cost in costs)
        assert max(given) <= share.batch == max(cost.held for cost in costs)
    assert load.filled == (kind == "padded")
    assert seen(lambda: loop._dev_loss(dev, loop._plan.dev)) == load.look_tokens
    work = WorkFolder(tmp_path, "", 1)
    shelves = Shelves(Shelf(trees), Shelf(dev))
    assert seen(lambda: refer(policy, shelves, 0, work, silent)) == load.forward_tokens


def test_free_memory_respects_a_cgroup(tmp_path):
    assert machine._allowance(tmp_path) > 1 << 60
    (tmp_path / "memory.max").write_text("max\n")
    assert machine._allowance(tmp_path) > 1 << 60
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("900\n")
    (tmp_path / "memory.stat").write_text("anon 500\ninactive_file 300\n")
    assert machine._allowance(tmp_path) == 400
    assert 0 < machine.free_memory() < 1 << 50
