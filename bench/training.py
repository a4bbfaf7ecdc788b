"""Training beside its peers: the same rows, model, adapter and steps, each contender in a process of its own.

    python bench/training.py [--repeats 5] [--only sft-short dpo first-step …] [--json FILE]

Prints each run as it ends and, for each case, our tokens a second and peak memory beside the peer's, the ratio, and the
target. Tokens are those of the rows, padding and what is shared not counted twice, so that the figures say how fast rows are
learnt. Loading is left out: only optimizer steps are timed. Losses must be the peer's within a hundredth, or the run fails:
other work was done.

With an accelerator all contenders use it, in bf16: the base is Qwen3-0.6B's shape (28 layers of width 1,024), steps have 64
rows, the first four of twelve are not timed, and memory is the accelerator's.

`first-step` is ours alone: seconds from the start of Python to the first step of the example project on the embedded base,
imports, rows, the look ahead and the first dev loss with it.
"""

import argparse
import json
import math
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import torch

HERE = Path(__file__).parent
EXAMPLE = HERE.parent / "examples" / "support-json"
FIRST_STEP, FIRST_STEP_S = "first-step", 10.0
TRAIN = """
import sys
import tunewright
def listen(event):
    if event.kind == "train.step":
        sys.exit()
tunewright.train(sys.argv[1], settings={"train.rehearsal": 0, "train.seed": int(sys.argv[2])}, listen=listen)
"""
BANKING = HERE.parents[1] / "shared" / "data" / "banking77" / "train.csv"
VOCABULARY = 151_936
ACCELERATED = torch.cuda.is_available()
STEPS, ROWS, WARM = (12, 64, 4) if ACCELERATED else (4, 16, 0)
"""Steps, rows of each, and the steps that are not timed."""
PRECISION = "bf16" if ACCELERATED else "fp32"
TRL_ROWS = {} if ACCELERATED else {"sft": 4, "dpo": 4, "orpo": 4}
"""Rows of a padded batch of TRL's, by method, as fast as a whole step's and with two fifths of the memory; gradients are
accumulated, and the step is the same: a mean over equal batches of pairs; orpo's likelihood is weighed by tokens (`trl`).
KTO compares the rows of a batch."""


class Case(NamedTuple):
    """What is trained, beside whom, and what is asked of us."""

    name: str
    method: str
    peers: dict[str, tuple[float, float | None]]
    """Peer → least ratio of tokens a second, largest share of its memory."""
    words: str


CASES = (
    Case("sft-short", "sft", {"trl": (8.0, 0.6)}, "short answers under long prompts"),
    Case(
        "sft-apart", "sft", {"trl": (8.0, 0.6)}, "the same with the rule in each question: nothing is shared"
    ),
    Case("sft-mixed", "sft", {"plain": (1.3, None)}, "rows of very different lengths"),
    Case("sft-long", "sft", {"trl": (2.0, 0.6)}, "long answers, nearly every token trained"),
    Case("dpo", "dpo", {"trl": (3.0, None)}, "long shared prompts, reference taken before"),
    Case("kto", "kto", {"trl": (2.0, None)}, "the same pairs, each answer rated"),
    Case("orpo", "orpo", {"trl": (2.0, None)}, "the same pairs"),
)
LONGEST = 24
"""Texts in the longest row of `sft-mixed`; row lengths go from 1 to that in a fixed order."""
IGNORED = -100
"""The label of a token that is not trained, in TRL's batches."""
NEAR = 0.01
"""How far the losses of two contenders may lie apart, relative, for the same work to have been done."""


class Measured(NamedTuple):
    """What a contender did."""

    tokens_per_s: float
    peak_bytes: int
    losses: list[float]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", nargs="*", default=[*(case.name for case in CASES), FIRST_STEP])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--child", nargs=3, metavar=("CONTENDER", "CASE", "FOLDER"), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        print("\n" + json.dumps(child(*asked.child)))
        return
    lines = list[str]()
    with tempfile.TemporaryDirectory() as folder:
        make_base(Path(folder))
        for case in (case for case in CASES if case.name in asked.only):
            lines += compared(case, Path(folder), asked.repeats)
            print("\n".join(lines[-len(case.peers) :]), flush=True)
    if FIRST_STEP in asked.only:
        lines.append(first_step(asked.repeats))
        print(lines[-1])
    if asked.json:
        asked.json.write_text(json.dumps(lines, indent=1) + "\n")


def compared(case: Case, folder: Path, repeats: int) -> Iterator[str]:
    """A line for each peer; contenders take turns, so that a busy minute hits all of them."""
    runs: dict[str, list[Measured]] = {name: [] for name in ("ours", *case.peers)}
    for _ in range(repeats):
        for name, found in runs.items():
            one = measured(name, case, folder)
            print(
                f"{case.name}, {name}: {one.tokens_per_s:,.0f} tokens/s, {one.peak_bytes / 1e9:.2f} GB",
                flush=True,
            )
            found.append(one)
    ours = middle(runs["ours"])
    for peer, (speed, memory) in case.peers.items():
        theirs = middle(runs[peer])
        ratio, share = ours.tokens_per_s / theirs.tokens_per_s, ours.peak_bytes / theirs.peak_bytes
        differ = max(abs(a - b) / abs(b) for a, b in zip(ours.losses, theirs.losses, strict=True))
        if differ > NEAR:
            raise SystemExit(
                f"The losses of {case.name} beside {peer} differ by {differ:.1%}: not the same work."
            )
        asked = f"≥ {speed:g}×" + (f", ≤ {memory:.0%}" if memory else "")
        asked += " on a CPU" if ACCELERATED else ""
        speeds = f"{ours.tokens_per_s:,.0f} and {theirs.tokens_per_s:,.0f} tokens/s: {ratio:.1f}×"
        memories = f"{ours.peak_bytes / 1e9:.2f} and {theirs.peak_bytes / 1e9:.2f} GB: {share:.0%}"
        cells = (
            case.name,
            f"{case.words}, beside {peer}",
            speeds,
            memories,
            asked,
            f"losses differ by {differ:.1%}",
        )
        yield f"| {' | '.join(cells)} |"


def first_step(repeats: int) -> str:
    """The line of the time to the first step; data and gate are brought up to date before."""
    import tunewright

    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / EXAMPLE.name
        shutil.copytree(EXAMPLE, folder, ignore=shutil.ignore_patterns(".tunewright"))
        tunewright.open(folder, settings={"train.rehearsal": 0}).run("rehearse")
        took = []
        for seed in range(repeats):
            begin = time.perf_counter()
            subprocess.run([sys.executable, "-c", TRAIN, str(folder), str(seed)], check=True)
            took.append(time.perf_counter() - begin)
    seconds = statistics.median(took)
    return f"| {FIRST_STEP} | from import to the first step, embedded base | {seconds:.1f} s | | ≤ {FIRST_STEP_S:g} s | |"


def middle(runs: list[Measured]) -> Measured:
    """The medians; the losses of the first."""
    speed = statistics.median(run.tokens_per_s for run in runs)
    return Measured(speed, int(statistics.median(run.peak_bytes for run in runs)), runs[0].losses)


def measured(contender: str, case: Case, folder: Path) -> Measured:
    command = [sys.executable, __file__, "--child", contender, case.name, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{contender} failed on {case.name}:\n{done.stderr[-3000:]}")
    return Measured(**json.loads(done.stdout.splitlines()[-1]))


def make_base(folder: Path) -> None:
    """Four Qwen3 layers of width 512 (28 of 1,024 with an accelerator) under a head of 151,936 tokens, with the embedded
    base's tokenizer.
    """
    from transformers import AutoConfig, AutoModelForCausalLM

    from tunewright.models import embedded
    from tunewright.models.base import resolve_base
    from tunewright.models.load import load_tokenizer

    torch.manual_seed(0)
    size = {"hidden_size": 512, "intermediate_size": 1536, "num_hidden_layers": 4, "num_attention_heads": 8,
            "num_key_value_heads": 4, "head_dim": 64}  # fmt: skip
    if ACCELERATED:
        size = {"hidden_size": 1024, "intermediate_size": 3072, "num_hidden_layers": 28, "num_attention_heads": 16,
                "num_key_value_heads": 8, "head_dim": 128}  # fmt: skip
    config = AutoConfig.for_model(
        "qwen3", vocab_size=VOCABULARY, max_position_embeddings=2048, tie_word_embeddings=True, eos_token_id=2,
        pad_token_id=3, bos_token_id=None, **size,
    )  # fmt: skip
    with torch.device("cuda" if ACCELERATED else "cpu"):
        model = AutoModelForCausalLM.from_config(
            config, dtype=torch.bfloat16 if ACCELERATED else torch.float32
        )
    model.save_pretrained(folder / "base")
    tokenizer = load_tokenizer(resolve_base("embedded", embedded.PATH))
    # what a template writes after the end of turn is trained by TRL and not by us: here it writes nothing
    tokenizer.chat_template = tokenizer.chat_template.replace(
        "{%- endgeneration -%}\n{{- '\\n' -}}\n", "{%- endgeneration -%}\n"
    )
    tokenizer.save_pretrained(folder / "base")


def rows(case: str) -> list[dict[str, Any]]:
    """The rows of a case, in TRL's shapes."""
    import csv

    if BANKING.is_file():
        with BANKING.open(newline="") as stream:
            texts = [(row["text"], row["category"]) for row in csv.DictReader(stream)][
                :: 9973 // (STEPS * ROWS)
            ]
    else:
        texts = [
            (f"What became of order {i}, and when will it be here?", f"order_{i % 7}") for i in range(999)
        ]
    rule = "You sort messages of a bank's customers. Answer with the name of the one intent that fits, and nothing else. "
    draw = random.Random(0)
    words = [word for text, _ in texts for word in text.split()]
    found: list[dict[str, Any]] = []
    for number in range(STEPS * ROWS):
        text, label = texts[number % len(texts)]
        other = texts[(number + 7) % len(texts)][1]
        prompt = [_turn("system", rule * (2 if case == "sft-short" else 4)), _turn("user", text)]
        pair: dict[str, Any] = {
            "prompt": prompt,
            "chosen": _said(label),
            "rejected": _said(f"{other} or not"),
        }
        if case == "sft-short":
            found.append({"prompt": prompt, "completion": _said(label)})
        elif case == "sft-apart":
            asked = f"{draw.choice(words)} {rule * 2}{text}"
            found.append({"prompt": [_turn("user", asked)], "completion": _said(label)})
        elif case == "sft-mixed":
            many = [texts[(number + i) % len(texts)][0] for i in range(1 + number * 7 % LONGEST)]
            found.append({"prompt": [_turn("user", " ".join(many))], "completion": _said(label)})
        elif case == "sft-long":
            found.append({"prompt": prompt[1:], "completion": _said(" ".join([text, label] * 8))})
        elif case == "kto":
            answers = (("chosen", True), ("rejected", False))
            found += [{"prompt": prompt, "completion": pair[name], "label": good} for name, good in answers]
        else:
            found.append(pair)
    return found[: STEPS * ROWS]


def _turn(role: str, text: str) -> dict[str, str]:
    return {"role": role, "content": text}


def _said(text: str) -> list[dict[str, str]]:
    return [_turn("assistant", text)]


def child(contender: str, name: str, folder: str) -> dict[str, Any]:
    """One contender's run, in this process."""
    import resource

    case = next(case for case in CASES if case.name == name)
    run = {"ours": ours, "trl": trl, "plain": plain}[contender]
    speed, losses = run(case, Path(folder) / "base")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if ACCELERATED:
        peak = torch.cuda.max_memory_allocated()
    return Measured(speed, peak, losses)._asdict()


def ours(case: Case, base: Path) -> tuple[float, list[float]]:
    """Our loop, `ROWS` a step in the rows' order."""
    from tunewright.core.example import Origin
    from tunewright.core.task import TaskSpec
    from tunewright.data.convert import ChatRows, Task
    from tunewright.models.base import resolve_base
    from tunewright.models.load import base_width, load_model, load_tokenizer
    from tunewright.models.machine import free_cores
    from tunewright.models.template import Renderer
    from tunewright.train.checkpoint import WorkFolder
    from tunewright.train.defaults import facts_of, settle
    from tunewright.train.fast import fast_layers
    from tunewright.train.loop import Loop
    from tunewright.train.lora import add_adapter
    from tunewright.train.methods import find_method
    from tunewright.train.pack import shared_prefix
    from tunewright.train.plan import Plan
    from tunewright.train.policy import Policy
    from tunewright.train.reference import refer
    from tunewright.train.shelf import Shelf, Shelves
    from tunewright.train.spec import TrainSpec
    from tunewright.train.weights import trained

    torch.set_num_threads(free_cores())
    given = TrainSpec(
        method=case.method, learning_rate=1e-4, warmup=0.0, precision=PRECISION, adapter={"rank": 16}
    )
    method, model_base = find_method(case.method), resolve_base(str(base), base)
    reader = ChatRows(Task(TaskSpec()))
    examples = [reader.example(row, Origin(source="bench", file="", row=0)) for row in rows(case.name)]
    trees = method.trees(examples, Renderer(load_tokenizer(model_base)))
    spec, _ = settle(given, facts_of(trees, base_width(model_base)))
    steps = tuple(tuple(range(start, start + ROWS)) for start in range(0, STEPS * ROWS, ROWS))
    plan = Plan(steps, (STEPS,), STEPS, shared_prefix(trees), ())
    model = add_adapter(load_model(model_base), spec.adapter, model_base, 0)
    parameters = trained(model)
    facts: list[dict[str, Any]] = []

    def emit(kind: str, **data: Any) -> None:
        if kind == "train.step":
            facts.append(data)

    dtype = torch.bfloat16 if ACCELERATED else torch.float32
    with tempfile.TemporaryDirectory() as scratch, fast_layers(model, dtype):
        work = WorkFolder(Path(scratch), "bench", 1)
        policy = Policy(model, trees, dtype)
        own = Shelves(Shelf(trees))
        if method.needs_reference(spec):
            refer(policy, own, plan.prefix, work, lambda *_, **__: None)
        Loop(policy, parameters, method, spec, plan).run(own, [], work, emit)
    timed = facts[WARM:]
    seconds = sum(fact["tokens"] / fact["tokens_per_s"] for fact in timed)
    return sum(fact["tokens"] for fact in timed) / seconds, [fact["loss"] for fact in facts]


def trl(case: Case, base: Path) -> tuple[float, list[float]]:
    """TRL's trainer at its best valid settings here: padded batches, no checkpointing of activations."""
    import os
    import warnings

    os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"
    warnings.simplefilter("ignore")
    import trl
    from datasets import Dataset
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer, TrainerCallback

    from tunewright.models.machine import free_cores

    torch.set_num_threads(free_cores())
    together = TRL_ROWS.get(case.method, ROWS)
    peer: Any = trl
    Trainer: Any
    Spec: Any
    if case.method == "orpo":
        from trl.experimental.orpo import ORPOConfig as Spec
        from trl.experimental.orpo import ORPOTrainer

        class ByTokens(ORPOTrainer):
            """TRL's, with the likelihood of the answers alone, as the paper has it: its own takes in the prompts.

            It is the mean over the step's tokens, where TRL's own is one of the batches' means.
            """

            def concatenated_forward(self, model: Any, batch: Any) -> tuple[Any, ...]:
                found = super().concatenated_forward(model, batch)
                both = self.concatenated_inputs(batch, padding_value=self.padding_value)[
                    "concatenated_labels"
                ]
                wanted = both[: len(found[2]), 1:].flatten()
                begin = self.state.global_step * ROWS
                known: Any = self.train_dataset
                step = known[begin : begin + ROWS]["chosen_labels"]
                share = (wanted != IGNORED).sum() / sum(label != IGNORED for row in step for label in row)
                mean = torch.nn.functional.cross_entropy(found[2].flatten(0, 1), wanted)
                return (*found[:4], mean * share * (ROWS // together))

        Trainer = ByTokens
    else:
        Trainer, Spec = (getattr(peer, f"{case.method.upper()}{part}") for part in ("Trainer", "Config"))
    tokenizer = AutoTokenizer.from_pretrained(base)
    given = rows(case.name)
    torch.manual_seed(0)
    adapter = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    dtype = torch.bfloat16 if ACCELERATED else torch.float32
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base, dtype=dtype), adapter)
    more = {"precompute_ref_log_probs": True} if case.method in ("dpo", "kto") else {}
    with tempfile.TemporaryDirectory() as scratch:
        spec = Spec(
            output_dir=scratch, per_device_train_batch_size=together, gradient_accumulation_steps=ROWS // together,
            max_steps=STEPS, logging_steps=1, learning_rate=1e-4,
            lr_scheduler_type="cosine", warmup_steps=0, train_sampling_strategy="sequential", report_to="none",
            use_cpu=not ACCELERATED, bf16=ACCELERATED, gradient_checkpointing=False, save_strategy="no", disable_tqdm=True,
            max_length=1024, **more,
        )  # fmt: skip
        took: list[float] = []

        class Clock(TrainerCallback):
            def on_step_begin(self, *_: Any, **__: Any) -> None:
                took.append(now())

            def on_step_end(self, *_: Any, **__: Any) -> None:
                took[-1] = now() - took[-1]

        trainer = Trainer(
            model=model,
            args=spec,
            train_dataset=Dataset.from_list(given),
            processing_class=tokenizer,
            callbacks=[Clock()],
        )
        trainer.train()
    losses = [line["loss"] for line in trainer.state.log_history if "loss" in line]
    return tokens_of(given[WARM * ROWS :], tokenizer) / sum(took[WARM:]), losses


def now() -> float:
    """Seconds, with what the accelerator has to do done."""
    if ACCELERATED:
        torch.cuda.synchronize()
    return time.perf_counter()


def tokens_of(given: list[dict[str, Any]], tokenizer: Any) -> int:
    """Tokens of all rows: a pair is two."""
    total = 0
    for row in given:
        for answer in ("completion", "chosen", "rejected"):
            if answer in row:
                total += len(tokenizer.apply_chat_template([*row["prompt"], *row[answer]], return_dict=False))
    return total


def plain(case: Case, base: Path) -> tuple[float, list[float]]:
    """The thirty plain lines: peft's model, a padded batch, masked rows dropped before the head."""
    from peft import LoraConfig, get_peft_model
    from torch.nn.functional import cross_entropy
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from tunewright.models.machine import free_cores

    torch.set_num_threads(free_cores())
    tokenizer: Any = AutoTokenizer.from_pretrained(base)
    adapter = LoraConfig(r=16, lora_alpha=32, target_modules="all-linear", task_type="CAUSAL_LM")
    torch.manual_seed(0)
    place, dtype = ("cuda", torch.bfloat16) if ACCELERATED else ("cpu", torch.float32)
    model: Any = (
        get_peft_model(AutoModelForCausalLM.from_pretrained(base, dtype=dtype), adapter).train().to(place)
    )
    optimizer = torch.optim.AdamW(
        [p for p in model.parameters() if p.requires_grad], lr=1e-4, weight_decay=0.0
    )
    given, losses, took = rows(case.name), list[float](), list[float]()
    encoded = list[tuple[int, list[int]]]()
    for row in given:
        head = tokenizer.apply_chat_template(row["prompt"], add_generation_prompt=True, return_dict=False)
        encoded.append(
            (
                len(head),
                tokenizer.apply_chat_template([*row["prompt"], *row["completion"]], return_dict=False),
            )
        )
    for step in range(STEPS):
        begin, start = now(), step * ROWS
        optimizer.param_groups[0]["lr"] = 0.5e-4 * (1 + math.cos(math.pi * step / STEPS))
        batch = encoded[start : start + ROWS]
        width = max(len(ids) for _, ids in batch)
        ids = torch.tensor([[*row, *[3] * (width - len(row))] for _, row in batch]).to(place)
        mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for _, row in batch]).to(place)
        labels = torch.tensor(
            [[IGNORED] * head + row[head:] + [IGNORED] * (width - len(row)) for head, row in batch]
        ).to(place)
        body = model.get_base_model()
        with torch.autocast(place, dtype, enabled=ACCELERATED):
            hidden = body.model(input_ids=ids, attention_mask=mask, use_cache=False)[0][:, :-1]
            wanted = labels[:, 1:]
            kept = wanted != IGNORED
            loss = cross_entropy(body.lm_head(hidden[kept]), wanted[kept])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
        took.append(now() - begin)
    return sum(len(ids) for _, ids in encoded[WARM * ROWS :]) / sum(took[WARM:]), losses


if __name__ == "__main__":
    main()
