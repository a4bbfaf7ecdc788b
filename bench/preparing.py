"""Preparing chat rows beside TRL: rendered, masked, tokenised, and packed, each contender in a process of its own.

    python bench/preparing.py [--rows 100000] [--repeats 3]

Prints rows a second, the memory that preparing took, and the ratio, which is to be 2 at least. Both compute on one core.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

ALONE = {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "TUNEWRIGHT_THREADS": "1"}
LENGTH = 1024
RULE = "You sort messages of a bank's customers. Answer with the name of the one intent that fits, and nothing else."
WORDS = (
    "the card payment did not arrive why is my transfer pending please help me with my top up and cash fee"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--child", choices=["ours", "trl"], help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        print("\n" + json.dumps({"ours": ours, "trl": trl}[asked.child](rows(asked.rows))))
        return
    runs: dict[str, list[tuple[float, float]]] = {"ours": [], "trl": []}
    for _ in range(asked.repeats):
        for name, found in runs.items():
            command = [sys.executable, __file__, "--child", name, "--rows", str(asked.rows)]
            done = subprocess.run(
                command, capture_output=True, text=True, check=True, env={**os.environ, **ALONE}
            )
            found.append(tuple(json.loads(done.stdout.splitlines()[-1])))
    (speed, memory), (theirs, their_memory) = (
        [statistics.median(values) for values in zip(*found, strict=True)] for found in runs.values()
    )
    print(
        f"{asked.rows:,} chat rows: {speed:,.0f} and {theirs:,.0f} rows/s: {speed / theirs:.1f}× (≥ 2×);"
        f" {memory / 1e6:,.0f} and {their_memory / 1e6:,.0f} MB more"
    )


def rows(count: int) -> list[dict[str, Any]]:
    """Chat rows of a fixed system prompt, drawn questions and short answers."""
    rng = random.Random(0)
    return [
        {
            "messages": [
                {"role": "system", "content": RULE},
                {"role": "user", "content": " ".join(rng.choices(WORDS.split(), k=rng.randint(8, 60)))},
                {"role": "assistant", "content": "_".join(rng.choices(WORDS.split(), k=3))},
            ]
        }
        for _ in range(count)
    ]


def peak() -> int:
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def ours(given: list[dict[str, Any]]) -> tuple[float, float]:
    """From a stream of chat rows to packed batches, as the step `train` makes them; examples are made on the way."""
    from tunewright.core.example import make_example
    from tunewright.core.message import Message
    from tunewright.models import embedded
    from tunewright.models.base import resolve_base
    from tunewright.models.load import load_tokenizer
    from tunewright.models.template import Renderer
    from tunewright.train.length import fit
    from tunewright.train.methods import find_method
    from tunewright.train.pack import fill, pack
    from tunewright.train.spec import TrainSpec

    renderer, method = (
        Renderer(load_tokenizer(resolve_base("embedded", embedded.PATH))),
        find_method("sft"),
    )
    examples = (make_example(tuple(Message(**turn) for turn in row["messages"])) for row in given)
    before, begin = peak(), time.perf_counter()
    trees = fit(examples, method, renderer, "", TrainSpec(max_length=LENGTH)).rendered()
    prefix = trees.shared_prefix()
    for group in fill(trees.tokens(), range(len(trees)), LENGTH):
        pack([trees[index] for index in group], prefix)
    return len(given) / (time.perf_counter() - begin), peak() - before


def trl(given: list[dict[str, Any]]) -> tuple[float, float]:
    """SFTTrainer's own preparation, answers alone trained, packed."""
    from datasets import Dataset
    from transformers import AutoModelForCausalLM
    from trl import SFTConfig, SFTTrainer

    from tunewright.models import embedded
    from tunewright.models.base import resolve_base
    from tunewright.models.load import load_tokenizer

    tokenizer = load_tokenizer(resolve_base("embedded", embedded.PATH))
    model = AutoModelForCausalLM.from_pretrained(embedded.PATH)
    with tempfile.TemporaryDirectory() as scratch:
        spec = SFTConfig(
            output_dir=scratch, assistant_only_loss=True, packing=True, max_length=LENGTH, report_to="none", use_cpu=True,
            bf16=False,
        )  # fmt: skip
        data = Dataset.from_list(given)
        before, begin = peak(), time.perf_counter()
        SFTTrainer(model=model, args=spec, train_dataset=data, processing_class=tokenizer)
        return len(given) / (time.perf_counter() - begin), peak() - before


if __name__ == "__main__":
    main()
