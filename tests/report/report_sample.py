"""A realistic report for the tests, and to look at: python tests/report/report_sample.py out.html [helps|fails|unsure]."""

import json
import random
import sys
from pathlib import Path

from tunewright.core.grading import Score
from tunewright.decide.cost import latency_cost
from tunewright.decide.decide import decide
from tunewright.decide.spec import GatesSpec, PriceSpec
from tunewright.evals.scorecard import Scorecard, ScoredReply
from tunewright.report.data import ExampleText, LineageNode, LossPoint, ReportData, Segment
from tunewright.report.page import render

PRODUCTS = ("kettle", "desk lamp", "router", "headphones", "air purifier")
NAMES = ("Ada Moreno", "Jun Ito", "Priya Nair", "Tomasz Zieliński", "Lena Fischer", "Omar Haddad")
PROBLEMS = {
    "refund": "arrived broken and I would like my money back",
    "delivery": "has been on its way for three weeks now",
    "fault": "stopped working after two days, the light just blinks",
    "billing": "was charged twice on my card",
}
SKILLS = ("copy", "lookup", "extract", "label", "arithmetic", "json", "refuse", "rewrite")
PRICES = PriceSpec(input_per_million=0.1, output_per_million=0.4, machine_per_hour=0.35)


def tickets(rows):
    draw = random.Random(11)
    for row in range(rows):
        kind, problem = draw.choice(list(PROBLEMS.items()))
        product, name, order = draw.choice(PRODUCTS), draw.choice(NAMES), draw.randint(10000, 99999)
        text = (
            f"Hello, this is {name}. The {product} from order {order} {problem}. Can you help me soon? Thanks"
        )
        gold = {
            "category": kind,
            "product": product,
            "customer": {"name": name, "order": order},
            "urgent": row % 3 == 0,
        }
        yield f"{row:04x}{order:x}", text, gold


def card(variant, skill, rows, *, seed):
    """Replies that get each field right with the chance `skill`."""
    draw = random.Random(seed)
    replies = []
    for example, _, gold in rows:
        answer = json.loads(json.dumps(gold))
        if draw.random() > skill:
            answer["category"] = draw.choice(list(PROBLEMS))
        if draw.random() > skill:
            answer["product"] = draw.choice(PRODUCTS)
        if draw.random() > skill:
            answer["customer"] = {"name": gold["customer"]["name"].split()[0]}
        if draw.random() > skill:
            answer.pop("urgent")
        right = [
            answer.get("category") == gold["category"],
            answer.get("product") == gold["product"],
            answer["customer"] == gold["customer"],
            answer.get("urgent") == gold["urgent"],
        ]
        text, valid = json.dumps(answer, ensure_ascii=False), True
        if draw.random() > skill**0.3:
            text, valid = f"Sure! Here is the ticket: {text[: draw.randint(20, 70)]}", False
        share = sum(right) / 4 if valid else 0.0
        replies.append(
            ScoredReply(
                example=example,
                text=text,
                finish="stop" if valid else "length",
                error=None,
                tokens_in=62 if skill > 0.9 else 480,
                tokens_out=38,
                scores={
                    "field_accuracy": Score(
                        share, None if share == 1 else f"{4 - sum(right)} of 4 fields wrong"
                    ),
                    "json_schema": Score(float(valid and "urgent" in answer)),
                    "json_valid": Score(float(valid)),
                },
                slices={"category": gold["category"], "product": gold["product"]},
            )
        )
    graders = ("field_accuracy", "json_schema", "json_valid")
    return Scorecard(variant=variant, suite="test", graders=graders, replies=tuple(replies))


def general_card(variant, chances, *, seed):
    draw = random.Random(seed)
    replies = tuple(
        ScoredReply(
            example=f"{skill}-{row}",
            text="",
            finish="stop",
            error=None,
            tokens_in=40,
            tokens_out=6,
            scores={"right": Score(float(draw.random() < chances.get(skill, 0.9)))},
            slices={"skill": skill},
        )
        for skill in SKILLS
        for row in range(40)
    )
    return Scorecard(variant=variant, suite="general", graders=("right",), replies=replies)


TRAIN = {
    "steps": 600,
    "best step": 500,
    "stopped": "no better dev loss three times",
    "trainable parameters": 1_234_944,
    "learning rate": 0.001,
    "checks": [
        {"name": "adapter changed", "passed": True, "seen": "70 of 70 matrices changed"},
        {"name": "saved adapter reloads", "passed": True, "seen": "logits differ by 0"},
    ],
}


AUDIT = {
    "rows": {"train": 1600, "dev": 200, "test": 200},
    "findings": [
        {
            "kind": "duplicate",
            "severity": "warning",
            "part": "train",
            "count": 14,
            "message": "14 of 1,600 rows (0.9%) of train repeat an earlier row of it.",
            "examples": ["52f44f7339b5", "940ed2a7e4b6"],
            "mend": "recipe: drop_duplicates",
        },
    ],
    "leaks": [],
    "contradictions": [
        {
            "first": "52f44f7339b5",
            "second": "940ed2a7e4b6",
            "input": "My parcel is late",
            "answers": ["delivery", "refund"],
        }
    ],
    "labels": [
        {
            "field": "category",
            "rows": [
                {
                    "value": value,
                    "counts": {"train": 8 * n, "dev": n, "test": n},
                    "example": "52f44f7339b5",
                }
                for value, n in (("refund", 61), ("delivery", 54), ("fault", 50), ("billing", 35))
            ],
        },
        {
            "field": "urgent",
            "rows": [
                {
                    "value": value,
                    "counts": {"train": 8 * n, "dev": n, "test": n},
                    "example": "940ed2a7e4b6",
                }
                for value, n in (("false", 134), ("true", 66))
            ],
        },
    ],
    "lengths": [
        {"part": "train", "what": "input", "min": 72, "median": 112, "p95": 130, "max": 141},
        {"part": "train", "what": "answer", "min": 76, "median": 117, "p95": 125, "max": 131},
    ],
}


INGEST = {
    "rows": 2006,
    "examples": 2000,
    "rejects": 6,
    "sources": {
        "tickets": {
            "rows": 2006,
            "examples": 2000,
            "rejects": 6,
            "files": {"tickets.csv": {"rows": 2006, "examples": 2000, "rejects": 6}},
        }
    },
    "reasons": {"the input is empty": 4, "not JSON": 2},
}


def losses(draw):
    """A training's losses and its dev losses."""
    history = tuple(
        LossPoint(step, 0.03 + 2.4 * 0.985**step * (0.85 + 0.3 * draw.random()), 1e-3 * (1 - step / 600))
        for step in range(1, 601)
    )
    dev = tuple(LossPoint(step, 0.05 + 2.3 * 0.985**step + step / 60000, None) for step in range(50, 601, 50))
    return history, dev


def sample(kind="helps", rows=200):
    """A whole report: `helps`, `fails` (a lost general skill, a bad slice), `unsure` (few examples, a small gain)."""
    skills = {"helps": (0.985, 0.72), "fails": (0.97, 0.72), "unsure": (0.93, 0.9)}[kind]
    data = list(tickets(rows if kind != "unsure" else min(rows, 36)))
    tuned = card("fine-tune", skills[0], data, seed=1)
    rivals = [card("prompt", 0.45, data, seed=2), card("few-shot-4", skills[1], data, seed=3)]
    lost = {"arithmetic": 0.35, "rewrite": 0.7} if kind == "fails" else {}
    general = (
        general_card("base", {"arithmetic": 0.8}, seed=4),
        general_card("fine-tune", {"arithmetic": 0.8} | lost, seed=4),
        general_card("few-shot-4", {"arithmetic": 0.5}, seed=5),
    )
    verdict = decide(
        tuned, rivals, general=general, gates=GatesSpec(min_scores={"json_schema": 0.9}), prices=PRICES
    )
    draw = random.Random(5)
    history, dev = losses(draw)
    times = {
        "prompt": [0.21 + 0.1 * draw.random() for _ in range(rows)],
        "few-shot-4": [0.6 + 0.3 * draw.random() for _ in range(rows)],
        "fine-tune": [0.2 + 0.08 * draw.random() for _ in range(rows)],
    }
    mask = tuple(
        (
            Segment("<|im_start|>system\nTurn the ticket into JSON.<|im_end|>\n<|im_start|>user\n", False),
            Segment(f"{text}<|im_end|>\n<|im_start|>assistant\n", False),
            Segment(f"{json.dumps(gold, ensure_ascii=False)}<|im_end|>", True),
            Segment("\n", False),
        )
        for _, text, gold in data[:5]
    )
    ids = [f"{n:064x}" for n in (0x3F2A << 240, 0x91BC << 240, 0xA0D4 << 240, 0x77E1 << 240, 0xC55E << 240)]
    return ReportData(
        project="my-tickets",
        verdict=verdict,
        task={
            "system prompt": "Turn the ticket into JSON.",
            "output": "JSON by schema.json",
            "base": "embedded",
        },
        cards=(tuned, *rivals, *general),
        examples={
            example: ExampleText(text, json.dumps(gold, ensure_ascii=False), f"tickets.csv:{row + 2}")
            for row, (example, text, gold) in enumerate(data)
        },
        history=history,
        dev=dev,
        train=TRAIN,
        mask_samples=mask,
        audit=AUDIT,
        ingest=INGEST,
        latencies={name: latency_cost(seconds, PRICES) for name, seconds in times.items()},
        prices=PRICES,
        lineage=(
            LineageNode("dataset", ids[0], ("tickets.csv",), {"rows": 2000, "split": "80/10/10"}, "split it"),
            LineageNode("baselines", ids[1], (ids[0],), {"shots": 4}),
            LineageNode("adapter", ids[2], (ids[0],), {"rank": 16, "steps": 500, "seed": 0}),
            LineageNode("scorecards", ids[3], (ids[0], ids[1], ids[2]), {"suites": ["test", "general"]}),
            LineageNode("verdict", ids[4], (ids[3],), {"outcome": verdict.outcome}),
        ),
        commands=(
            "git clone https://example.org/tunewright && cd tunewright",
            "tunewright run --set train.seed=0",
        ),
        versions={"tunewright": "0.1.0", "torch": "2.13.0", "transformers": "5.23.0", "python": "3.11.9"},
    )


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(render(sample(*sys.argv[2:3])), "utf-8")
