"""Build the embedded base model: `python -m tunewright.models.embedded.build [--work DIR] [--minutes N]`.

The run goes through the phases below, from copying up, and can be stopped at any time: the next call goes on from
the checkpoint in the work folder. `--install` writes the averaged weights, the tokenizer and the card into the package,
scored; `--ship` writes them unscored, where a machine is lent by the minute, and `--score` scores them later.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any, Literal

import torch
from tokenizers import Tokenizer

from tunewright.models import embedded
from tunewright.models.embedded import pretrain, suite
from tunewright.models.embedded.curriculum import Draw, draw_from
from tunewright.models.embedded.repeats import ask_rows, form_rows, repeat_rows, show_rows
from tunewright.models.embedded.rows import Renderer, Rows, draw_rows
from tunewright.models.embedded.tokenizer import save_tokenizer, spaced_pairs, train_tokenizer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase, Qwen3Config

log = logging.getLogger(__name__)

SEED = 0
ROW_TOKENS = 4096


Lesson = Literal["repeat", "recall", "ask easily", "ask", "form", "show", "chat"]


@dataclass(frozen=True)
class Phase:
    """Steps up to `until`, which take turns at `lessons`: what is taught, in rows of how many tokens.

    `mix` gives the share of each skill among the chats; `rate` is the scale of the learning rates at its start and end.
    """

    name: str
    until: int
    lessons: tuple[tuple[Lesson, int], ...]
    mix: Mapping[str, float] = field(default_factory=dict)
    rate: tuple[float, float] = (1.0, 1.0)
    tokens: int = ROW_TOKENS
    """Tokens of a step, about."""
    whole: bool = False
    """Whether lessons over random tokens fill their rows like chats do. Nearly all their tokens go through the head, so on a
    CPU three quarters of them take as long."""


CORE = {
    "copy": 3,
    "lookup": 3,
    "extract": 3,
    "json_fields": 3,
    "shots": 2,
    "grounded": 1,
    "sentences": 1,
    "rewrite": 1,
}
FULL = {
    "copy": 2,
    "lookup": 2,
    "extract": 3,
    "grounded": 1.5,
    "sentences": 3,
    "rewrite": 3,
    "label": 4,
    "json_fields": 6,
}
FULL |= {"json_examples": 2, "shots": 4, "arithmetic": 5, "refuse": 1, "chat": 0.5}
LATER = FULL | {
    "extract": 3,
    "grounded": 1,
    "sentences": 2,
    "label": 3.5,
    "json_fields": 5,
    "arithmetic": 1.5,
    "refuse": 3,
    "shots": 5,
}
LAST = LATER | {
    "copy": 1.5,
    "lookup": 3,
    "extract": 2.5,
    "sentences": 2.5,
    "rewrite": 4.5,
    "label": 3,
    "json_fields": 6,
    "json_examples": 3.5,
    "shots": 8,
    "refuse": 2,
}
FOURTH = LAST | {
    "lookup": 4,
    "extract": 4,
    "sentences": 2,
    "rewrite": 3.5,
    "json_fields": 9,
    "arithmetic": 1,
}
CHATS: tuple[tuple[Lesson, int], ...] = (("chat", 256), ("chat", 384), ("chat", 256), ("chat", 512))
MIXED: tuple[tuple[Lesson, int], ...] = (
    ("chat", 256),
    ("ask", 128),
    ("chat", 256),
    ("chat", 384),
    ("recall", 96),
)
COOL: tuple[tuple[Lesson, int], ...] = (*CHATS, ("form", 192), ("chat", 256), ("chat", 384))
LONG: tuple[tuple[Lesson, int], ...] = (
    ("chat", 512),
    ("chat", 384),
    ("chat", 512),
    ("form", 192),
    ("chat", 512),
    ("chat", 512),
    ("chat", 384),
    ("chat", 512),
)
FIFTH = FOURTH | {
    "copy": 2.5,
    "extract": 5,
    "sentences": 2.5,
    "label": 4,
    "json_examples": 4,
    "shots": 10,
    "arithmetic": 2,
    "refuse": 2.5,
    "chat": 1,
}
WIDE: tuple[tuple[Lesson, int], ...] = (
    *(("chat", 512), ("chat", 512), ("show", 512), ("chat", 512), ("chat", 512)),
    *(("form", 512), ("chat", 512), ("chat", 512), ("show", 512), ("chat", 512)),
    *(("recall", 512), ("chat", 512), ("chat", 512), ("ask", 512), ("chat", 512)),
)
"""Rows of one length, as an accelerator likes them."""
MANY = 16 * ROW_TOKENS
"""Tokens of a step on an accelerator."""
TEACH = {
    "repeat": repeat_rows,
    "recall": repeat_rows,
    "ask": ask_rows,
    "form": form_rows,
    "show": show_rows,
}
PHASES = (
    Phase("repeats", 150, (("repeat", 64),)),
    Phase("recall", 250, (("recall", 96),)),
    Phase("core", 870, CHATS, CORE),
    Phase("ask easily", 1200, (("ask easily", 96),)),
    Phase("ask", 1300, (("ask", 128),)),
    Phase("all", 1800, CHATS, FULL),
    Phase("core again", 2110, MIXED, CORE),
    Phase("forms", 2230, (("form", 192), ("form", 192), ("chat", 256)), CORE),
    Phase("all again", 2850, (*CHATS, ("form", 192), ("ask", 128)), FULL),
    Phase("cool", 4700, COOL, FULL, rate=(1.0, 0.02)),
    Phase("further", 5950, LONG, LATER, rate=(0.6, 0.6)),
    Phase("cool further", 7982, LONG, LATER, rate=(0.6, 0.01)),
    Phase("third", 10000, LONG, LAST, rate=(0.7, 0.6)),
    Phase("cool the third", 12500, LONG, LAST, rate=(0.6, 0.01)),
    Phase("fourth", 16300, LONG, FOURTH, rate=(0.7, 0.6)),
    Phase("cool the fourth", 18500, LONG, FOURTH, rate=(0.6, 0.01)),
    Phase("fifth", 21500, WIDE, FIFTH, rate=(1.0, 1.0), tokens=MANY, whole=True),
    Phase("cool the fifth", 23500, WIDE, FIFTH, rate=(1.0, 0.01), tokens=MANY, whole=True),
    Phase("sixth", 25500, WIDE, FIFTH, rate=(0.8, 0.8), tokens=MANY, whole=True),
    Phase("cool the sixth", 28300, WIDE, FIFTH, rate=(0.8, 0.01), tokens=MANY, whole=True),
)


def batch(step: int, renderer: Renderer, phases: tuple[Phase, ...] = PHASES) -> Rows:
    """The rows of a step, a pure function of the step."""
    phase = _phase(step, phases)
    lesson, length = phase.lessons[step % len(phase.lessons)]
    n_rows = max(1, phase.tokens // length)
    if lesson != "chat":
        spaced = dict(spaced_pairs(renderer.tokenizer))
        teach = TEACH[lesson.split()[0]]
        n_rows = n_rows if phase.whole else max(1, 3 * n_rows // 4)
        return teach(SEED, step, n_rows, length, renderer, spaced, lesson in ("repeat", "ask easily"))
    rng = Random(f"{SEED}/{step}")
    names, shares = list(phase.mix), list(phase.mix.values())
    draws: list[Draw] = []
    characters = 0
    while characters < 3.0 * phase.tokens:
        one = draw_from(rng.choices(names, shares)[0], rng, False)
        draws.append(one)
        characters += sum(len(text) + 9 for _, text in one.messages)
    return draw_rows(renderer, draws, n_rows, length)


def rate_at(step: int, phases: tuple[Phase, ...] = PHASES) -> float:
    """The scale of the learning rates at a step."""
    phase = _phase(step, phases)
    start = max((other.until for other in phases if other.until < phase.until), default=0)
    share = min(1.0, (step - start) / max(1, phase.until - start))
    return phase.rate[0] + (phase.rate[1] - phase.rate[0]) * share


def run(
    work: Path,
    config: Qwen3Config,
    minutes: float,
    phases: tuple[Phase, ...] = PHASES,
    warm: bool = False,
    compiled: bool = False,
    workers: int = 0,
) -> pretrain.Learner:
    """Train until the phases or the minutes are over: from the checkpoint in `work`, else from the start, or `warm` from
    the weights that ship. `compiled` lets torch compile the model's layers, once for each shape of a batch; `workers`
    processes draw the batches, where 0 this one does.
    """
    work.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer(work)
    renderer, rates, path = Renderer(tokenizer), pretrain.Rates(), work / "checkpoint.pt"
    if path.exists():
        learner = pretrain.load_learner(path, config, rates)
    elif warm:
        card = json.loads((embedded.PATH / "card.json").read_text())
        learner = pretrain.warm_learner(
            embedded.PATH, config, rates, card["steps"], card["tokens"], 60 * card["minutes"]
        )
    else:
        learner = pretrain.new_learner(config, SEED, rates, dict(spaced_pairs(tokenizer)))
    if compiled:
        for layer in learner.model.model.layers:
            layer.compile(dynamic=False)
    steps = range(learner.step, phases[-1].until)
    drawn = pretrain.drawn_ahead(partial(batch, renderer=renderer, phases=phases), steps, workers)
    ends = time.monotonic() + 60 * minutes
    while learner.step < phases[-1].until and time.monotonic() < ends:
        until = min(learner.step + 100, phases[-1].until)
        pretrain.train(
            learner,
            drawn,
            until,
            rates,
            lambda step: rate_at(step, phases),
            lambda text: log.info("%s %s", _phase(learner.step - 1, phases).name, text),
            lambda state: pretrain.save_learner(state, path),
        )
    return learner


def ship(work: Path, config: Qwen3Config, folder: Path = embedded.PATH, threads: int = 1) -> dict[str, Any]:
    """Write the averaged weights of the checkpoint into the package's folder, with a card of how they were made.

    `threads` is the most that any sitting computed with.
    """
    learner = pretrain.load_learner(work / "checkpoint.pt", config, pretrain.Rates())
    model = pretrain.averaged(learner, config)
    save_tokenizer(_tokenizer(work), folder)
    draft = folder.with_name("weights.draft")
    model.bfloat16().save_pretrained(draft)
    for path in sorted(draft.iterdir()):
        path.chmod(0o644)
        os.replace(path, folder / path.name)
    draft.rmdir()
    path = folder / "card.json"
    before = json.loads(path.read_text()) if path.exists() else {}
    card = {
        "architecture": "Qwen3ForCausalLM",
        "parameters": sum(param.numel() for param in model.parameters()),
        "seed": SEED,
        "steps": learner.step,
        "tokens": learner.tokens,
        **_time_taken(before, round(learner.seconds / 60, 1), threads),
        "phases": [
            {"name": phase.name, "until": phase.until} for phase in PHASES if phase.until <= learner.step
        ],
    }
    return _write_card(folder, card)


def _time_taken(before: dict[str, Any], minutes: float, threads: int) -> dict[str, Any]:
    """What all sittings took: minutes on CPU threads, and those on an accelerator beside them.

    `minutes` is what this run of sittings has behind it, those on a CPU that the card `before` names included.
    """
    cpu, most = before.get("minutes", 0.0), max(threads, before.get("threads", 1))
    spent: dict[str, Any] = {
        name: before[name] for name in ("accelerator", "accelerator_minutes") if name in before
    }
    if not torch.cuda.is_available():
        return {"minutes": minutes, "threads": most, **spent}
    more = round(minutes - cpu + spent.get("accelerator_minutes", 0.0), 1)
    name = torch.cuda.get_device_name()
    return {"minutes": cpu, "threads": most, "accelerator": name, "accelerator_minutes": more}


def add_scores(folder: Path = embedded.PATH) -> dict[str, Any]:
    """Score a folder's weights and write that on their card, which is returned."""
    return _write_card(folder, json.loads((folder / "card.json").read_text()) | score(folder))


def _write_card(folder: Path, card: dict[str, Any]) -> dict[str, Any]:
    (folder / "card.json").write_text(json.dumps(card, indent=2) + "\n")
    return card


def score(folder: Path, n_per_skill: int = 32) -> dict[str, Any]:
    """The scores of a folder's weights: the general suite by skill, and the unseen format with no and with four examples."""
    from transformers import AutoModelForCausalLM

    tokenizer = load_tokenizer(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    draws = suite.general_suite(n_per_skill)
    by_skill = suite.scores(draws, suite.answers(model, tokenizer, draws))
    unseen = dict[str, float]()
    for shots in (0, 4):
        asked = [draw for seed in range(3) for draw in suite.unseen_format(n_per_skill, shots, seed)]
        others = suite.other_formats(n_per_skill, shots)
        found, told = (suite.answers(model, tokenizer, draws) for draws in (asked, others))
        shares = {
            "right": suite.scores(asked, found)["unseen_format"],
            "in the format": sum(map(suite.in_unseen_format, found)) / len(found),
            "first value right, in its marks": sum(map(suite.begins_in_unseen_format, asked, found))
            / len(found),
            "four other formats, right": suite.scores(others, told)["unseen_format"],
        }
        unseen |= {f"{shots}-shot, {name}": round(share, 3) for name, share in shares.items()}
    return {
        "general": round(sum(by_skill.values()) / len(by_skill), 3),
        "skills": {skill: round(value, 3) for skill, value in by_skill.items()},
        "n_per_skill": n_per_skill,
        "unseen_format": unseen,
        "n_unseen": 3 * n_per_skill,
    }


def card_table(card: dict[str, Any]) -> str:
    """The card as the Markdown that docs/embedded-base.md shows."""
    taken = f"{card['minutes']:.0f} minutes on at most {card['threads']} CPU threads"
    if "accelerator" in card:
        taken += f", then {card['accelerator_minutes']:.1f} on one {card['accelerator']}"
    rows = [
        ("steps", f"{card['steps']:,}"),
        ("tokens", f"{card['tokens'] / 1e6:.1f} million"),
        ("time", taken),
        ("general suite", f"{card['general']:.1%} ({card['n_per_skill']} held-out draws of each skill)"),
        *((f"· {skill}", f"{value:.1%}") for skill, value in card["skills"].items()),
        ("unseen formats", f"{card['n_unseen']} draws of the one, {card['n_per_skill']} of each other"),
        *((f"· {name}", f"{value:.1%}") for name, value in card["unseen_format"].items()),
    ]
    return "\n".join(["| measured | |", "|---|---|", *(f"| {name} | {value} |" for name, value in rows)])


def load_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """The folder's tokenizer as transformers loads it."""
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(folder)


def _tokenizer(work: Path) -> Tokenizer:
    path = work / "tokenizer.json"
    if not path.exists():
        train_tokenizer(SEED).save(str(path))
    return Tokenizer.from_file(str(path))


def _phase(step: int, phases: tuple[Phase, ...]) -> Phase:
    return next((phase for phase in phases if step < phase.until), phases[-1])


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m tunewright.models.embedded.build", description=__doc__)
    parser.add_argument(
        "--work",
        type=Path,
        default=Path.home() / ".cache" / "tunewright-pretrain",
        help="the checkpoint's folder",
    )
    parser.add_argument(
        "--minutes", type=float, default=10_000.0, help="stop after so many minutes; the next call goes on"
    )
    parser.add_argument("--threads", type=int, default=1, help="CPU threads for the matmuls")
    parser.add_argument(
        "--warm", action="store_true", help="without a checkpoint, go on from the weights that ship"
    )
    parser.add_argument(
        "--compile", action="store_true", help="compile the model's layers (a minute each shape)"
    )
    parser.add_argument(
        "--workers", type=int, default=0, help="processes that draw the batches, where an accelerator waits"
    )
    only = parser.add_mutually_exclusive_group()
    only.add_argument(
        "--install",
        action="store_true",
        help="train no further: write the checkpoint into the package, scored",
    )
    only.add_argument("--ship", action="store_true", help="train, and write what there is, unscored")
    only.add_argument("--score", action="store_true", help="score the package's weights, and nothing else")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    torch.set_num_threads(given.threads)
    pretrain.keep_memory()
    config = pretrain.base_config()
    done = given.install or given.score
    if not done:
        learner = run(
            given.work, config, given.minutes, warm=given.warm, compiled=given.compile, workers=given.workers
        )
        done = learner.step >= PHASES[-1].until
    if given.ship or (done and not given.score):
        ship(given.work, config, threads=given.threads)
    if done and not given.ship:
        log.info("%s", json.dumps(add_scores()))


if __name__ == "__main__":
    main()
