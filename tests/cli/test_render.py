"""What the progress says of training's events: the sentences a user reads."""

import pytest

from tunewright.cli import render
from tunewright.cli.render import _sentence
from tunewright.core.errors import Problem
from tunewright.core.events import Event
from tunewright.decide.cost import LatencySummary
from tunewright.decide.spec import PriceSpec
from tunewright.decide.verdict import Comparison, Interval, VariantSummary, Verdict
from tunewright.project.stages.training import priced

STEP = {
    "step": 40,
    "steps": 160,
    "loss": 0.0614,
    "grad_norm": 0.4527,
    "tokens_per_s": 6504,
    "trained_tokens_per_s": 1811,
    "memory": 880_000_000,
    "seconds_left": 200.0,
}


def test_a_step_says_loss_time_speed_gradient_and_memory():
    words = "loss 0.061, 3 min left, 6,504 tokens/s (1,811 trained), gradient 0.45, 0.9 GB"
    assert _sentence("train.step", STEP) == ("train", words, 40, 160)


@pytest.mark.parametrize(
    ("kind", "data", "end"),
    [
        ("train.step", STEP | {"cost": 0.0123, "currency": "EUR"}, ", 0.9 GB, 0.012 EUR"),
        (
            "train.preflight",
            {"seconds": 7200.0, "peak": 21.5e9, "cost": 4.0, "currency": "USD"},
            "about 2.0 h, 21.5 GB, 4 USD",
        ),
        ("train.preflight", {"seconds": 30.0, "peak": 1e9}, "about 30 s, 1.0 GB"),
        ("train.estimate", {"seconds": 45.0, "by_steps": 20}, "about 45 s in all, by 20 of its steps"),
        (
            "train.recalled",
            {"rows": 36, "words": "reference log-probs taken from the store (36 rows)"},
            "reference log-probs taken from the store (36 rows)",
        ),
        ("train.dev", {"loss": 0.5, "score": 0.914}, "dev loss 0.5000, score 91.4 %"),
        (
            "split.done",
            {"rows": {"train": 32, "dev": 4}, "findings": 1},
            "train 32, dev 4; 1 finding",
        ),
        ("split.done", {"rows": {"train": 32}, "findings": 0}, "train 32; 0 findings"),
        (
            "prepare.op",
            {"id": "pii", "rows_in": 1196, "rows_out": 36, "dropped": 1160, "changed": 9, "added": 0},
            "pii dropped 1,160 of 1,196, changed 9",
        ),
        (
            "prepare.op",
            {"id": "pii", "rows_in": 9, "rows_out": 9, "dropped": 0, "changed": 0, "added": 0},
            "pii changed nothing",
        ),
        (
            "prepare.op",
            {
                "id": "new",
                "rows_in": 9,
                "rows_out": 12,
                "dropped": 0,
                "changed": 0,
                "added": 3,
                "given_up": 2,
            },
            "new added 3, gave up 2 new rows (given_up.jsonl says why)",
        ),
        ("prepare.done", {"rows": 1036, "operations": 1}, "1,036 rows after 1 operation"),
        ("baselines.left_out", {"words": "few-shot with 8 is left out"}, "few-shot with 8 is left out"),
        ("train.strength", {"strength": 0.85, "loss": 0.0212}, "strength 0.85: dev loss 0.0212"),
    ],
)
def test_what_ends_a_sentence(kind, data, end):
    assert _sentence(kind, data)[1].endswith(end)


def summary(variant, cost, suite="target"):
    return VariantSummary(
        variant=variant, suite=suite, scores={}, tokens_in=1, tokens_out=1, cost_per_1000=cost
    )


def verdict(*variants):
    same = Interval(value=0, low=0, high=0)
    rivals = [
        Comparison(
            rival=name, grader="g", examples=1, difference=same,
            wins=0, losses=0, ties=1, p_value=1, detectable=1,
        )
        for name in ("few-shot-2", "prompt")
    ]  # fmt: skip
    return Verdict(
        outcome="helps", words="w", headline="g", candidate="fine-tune", suite="target", gates=(), slices=(),
        examples_needed=None, comparisons=tuple(rivals), variants=variants,
    )  # fmt: skip


def test_what_requests_cost_is_one_line():
    priced_by_tokens = verdict(
        summary("fine-tune", 0.0123),
        summary("few-shot-2", 1.5),
        summary("prompt", 0.01),
        summary("fine-tune", 9.0, "mine"),
    )
    times = {"fine-tune": LatencySummary(0.21, 0.4, 0.02, 4.0)}
    assert render.costs(priced_by_tokens, times, "EUR") == (
        "1,000 requests: fine-tune 0.0123 EUR by tokens, 0.02 EUR by machine time, 210 ms each (median);"
        " few-shot-2 1.50 EUR by tokens"
    )
    free = verdict(summary("fine-tune", None), summary("few-shot-2", None))
    assert render.costs(free, {"fine-tune": LatencySummary(0.21, 0.4, None, 4.0)}, "EUR") is None


def test_training_is_priced_by_the_hour():
    said = []
    tell = priced(
        lambda kind, **data: said.append((kind, data)), PriceSpec(machine_per_hour=2.0, currency="EUR")
    )
    tell("train.preflight", seconds=1800.0)
    tell("train.step", step=1, elapsed=900.0)
    tell("train.dev", loss=0.1)
    assert said[0] == ("train.preflight", {"seconds": 1800.0, "cost": 1.0, "currency": "EUR"})
    assert said[1] == ("train.step", {"step": 1, "elapsed": 900.0, "cost": 0.5, "currency": "EUR"})
    assert said[2] == ("train.dev", {"loss": 0.1})
    emit = print
    assert priced(emit, PriceSpec()) is emit


def test_nothing_that_is_shown_steers_the_terminal(capsys):
    hostile, shown = "\x1b[2J\x1b]0;\x07\ud800", "⟨001B⟩[2J⟨001B⟩]0;⟨0007⟩⟨D800⟩"
    render.masked_rows([[[hostile, False], [hostile, True]]])
    render.say(hostile)
    render.table([""], [[hostile]])
    render.problems([Problem(hostile, "[red]")])
    render.Watcher()(Event("train.trouble", 0.0, {"words": hostile}))
    out, err = capsys.readouterr()
    assert [line.strip() for line in out.split("\n")] == [
        f"row 1  {shown}⟦{shown}⟧",
        "",
        shown,
        "",
        shown,
        "",
    ]
    assert err == f"error: [red]: {shown}\nwarning: {shown}\n"
