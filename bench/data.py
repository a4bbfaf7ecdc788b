"""The road of data, from a file of chat rows to a frozen split: how fast, and in how much memory.

    python bench/data.py [--mb 30] [--keep FOLDER] [--peer]

Makes a JSONL file of `--mb` megabytes of seeded support tickets, in which one row in twenty repeats an earlier one, word
for word or with some words edited, and runs ingest, the recipe (redact, drop_duplicates, drop_near_duplicates) and the split
in a process of its own, through the Python API. Prints megabytes of the file a second in all and for each piece, CPU seconds
of all processes, and the peak memory of the whole process tree. To see whether memory is flat, run it with several sizes.

`--peer` lets `datasets` do a comparable part of the work, with every core: rows read, the plain patterns of an e-mail
address, a number and a card replaced, exact repetitions dropped, split and written.
"""

import argparse
import json
import os
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from process import measure

SPEED, MEMORY = 8.0, 1.5
"""Megabytes of the file a second on two cores, gigabytes: what is asked of the whole."""
PROJECT = """
name: road
task: {system: "Answer the customer.", input: "{{ input }}", output: {type: text}}
base: embedded
sources: {tickets: {path: tickets.jsonl}}
recipe:
  - op: redact
  - op: drop_duplicates
  - op: drop_near_duplicates
suites:
  target: {examples: test, graders: [{type: exact_match}]}
"""
CHILD = """
import json, os, psutil
import tunewright as tw
told = []
def cpu():
    own = os.times()
    alive = 0.0
    for child in psutil.Process().children(recursive=True):
        try:
            alive += sum(child.cpu_times()[:2])
        except psutil.Error:
            pass
    return own.user + own.system + own.children_user + own.children_system + alive
def listen(event):
    facts = {key: value for key, value in event.data.items() if isinstance(value, (int, str))}
    told.append((event.kind, event.time, cpu(), facts))
tw.open(".").run(upto="split", listen=listen)
print(json.dumps(told))
"""
"""Runs the road, and tells when each piece was done and how many CPU seconds all processes had used by then."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--mb", type=int, default=30)
    parser.add_argument("--keep", type=Path, help="a folder for the project, which then stays")
    parser.add_argument("--peer", action="store_true", help="let `datasets` do what it can of it")
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    os.environ.setdefault("TUNEWRIGHT_THREADS", str(len(os.sched_getaffinity(0))))
    if asked.child:
        datasets_road(Path("tickets.jsonl"))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "tunewright.yaml").write_text(PROJECT)
        rows = write_tickets(folder / "tickets.jsonl", asked.mb)
        print(f"{asked.mb} MB, {rows:,} rows, {len(os.sched_getaffinity(0))} cores", flush=True)
        ours(folder, asked.mb)
        if asked.peer:
            done = measure([sys.executable, os.path.abspath(__file__), "--child"], folder)
            print(
                f"datasets, its part: {figures(asked.mb, done.wall_s, done.cpu_s)}, {done.peak_bytes / 1e9:.2f} GB"
            )


def ours(folder: Path, megabytes: int) -> None:
    """Run the road, and print what each piece took."""
    done = measure([sys.executable, "-c", CHILD], folder, echo=True)
    if done.code:
        sys.exit("the road failed")
    begun, last = dict[str, tuple[float, float]](), (0.0, 0.0)
    for name, at, cpu, facts in json.loads(done.stdout.splitlines()[-1]):
        if name == "step.start":
            begun[facts["step"]] = last = (at, cpu)
        elif name == "prepare.op":
            took = figures(megabytes, at - last[0], cpu - last[1])
            print(f"  {facts['id']}: {took}; dropped {facts['dropped']:,}")
            last = (at, cpu)
        elif name == "step.done":
            start = begun[facts["step"]]
            print(f"{facts['step']}: {figures(megabytes, at - start[0], cpu - start[1])}")
    print(f"in all: {figures(megabytes, done.wall_s, done.cpu_s)} (≥ {SPEED:g} MB/s asked of two idle cores)")
    print(f"peak memory: {done.peak_bytes / 1e9:.2f} GB (≤ {MEMORY:g})")


def figures(megabytes: int, wall: float, cpu: float | None = None) -> str:
    spent = "" if cpu is None else f", {cpu:.1f} CPU s ({megabytes / max(cpu, 1e-9):.2f} MB for each)"
    return f"{wall:.1f} s, {megabytes / wall:.2f} MB/s{spent}"


# ---- the tickets

SYLLABLES = [f"{begin}{end}" for begin in "bcdfglmnprst" for end in "aeo"]
SAID = (
    "the a to and of in for on with that this is was it we you be have not but from at by or as are will can my our your"
    " when after before again still since because order item parcel account page login invoice payment delivery return"
    " refund problem question answer screen button price box cable charger shipment address warehouse support team agent"
    " received opened tried called waited changed lost broken late wrong missing new old last next first same other"
)
COMMON = SAID.split()
FIRST_NAMES = "Anna Ben Carla David Elena Frank Greta Hugo Ines Jonas Karin Liam Maria Nora Oscar Paula Rosa Samuel Tina"
FIRST = FIRST_NAMES.split()
LAST_NAMES = "Miller Schmidt Garcia Rossi Novak Jensen Kowalski Dubois Silva Andersson Horvat Petrov Murphy Keller Okafor"
LAST = LAST_NAMES.split()
CATEGORIES = ("delivery", "defect", "billing", "return", "account", "question")


def write_tickets(path: Path, megabytes: int, seed: int = 0) -> int:
    """Write the rows; returns their number. The same megabytes and seed give the same file."""
    written = rows = 0
    with path.open("wb") as stream:
        for row in tickets(random.Random(seed)):
            written += stream.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
            rows += 1
            if written >= megabytes * 1_000_000:
                break
    return rows


def tickets(rng: random.Random) -> Iterator[dict[str, Any]]:
    """Rows without end; one in twenty repeats one of the last thousands, half of these with one word in twelve edited."""
    words = sorted({"".join(rng.choices(SYLLABLES, k=rng.randint(2, 4))) for _ in range(8000)})
    earlier: list[dict[str, Any]] = []
    while True:
        row = ticket(rng, words)
        if earlier and rng.random() < 0.05:
            row = rng.choice(earlier)
            if rng.random() < 0.5:
                row = edited(row, rng, words)
        elif len(earlier) < 5000:
            earlier.append(row)
        else:
            earlier[rng.randrange(5000)] = row
        yield row


def ticket(rng: random.Random, words: list[str]) -> dict[str, Any]:
    name = f"{rng.choice(FIRST)} {rng.choice(LAST)}"
    said = [text(rng, words) for _ in range(rng.randint(3, 9))]
    for chance, tell in TOLD:
        if rng.random() < chance:
            said.insert(rng.randrange(len(said) + 1), tell(rng, name))
    asked = " ".join(said) + (f"\n\nBest regards,\n{name}" if rng.random() < 0.7 else "")
    hello = f"Hello {name.split()[0]},\n" if rng.random() < 0.7 else ""
    answer = hello + " ".join(text(rng, words) for _ in range(rng.randint(2, 5)))
    messages = [{"role": "user", "content": asked}, {"role": "assistant", "content": answer}]
    if rng.random() < 0.2:
        messages.insert(0, {"role": "system", "content": "You are a patient agent of the shop's help desk."})
    day = f"2026-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"
    return {
        "messages": messages,
        "category": rng.choice(CATEGORIES),
        "created": day,
        "customer": rng.randrange(10**6),
    }


def text(rng: random.Random, words: list[str]) -> str:
    """A sentence of common and drawn words."""
    found = [
        rng.choice(COMMON) if rng.random() < 0.6 else rng.choice(words) for _ in range(rng.randint(6, 18))
    ]
    return " ".join(found).capitalize() + rng.choice("....!?")


def digits(rng: random.Random, count: int) -> str:
    return "".join(rng.choices("0123456789", k=count))


TOLD: tuple[tuple[float, Callable[[random.Random, str], str]], ...] = (
    (0.6, lambda rng, name: f"My order is {rng.choice('ABCD')}-{digits(rng, 6)}."),
    (
        0.4,
        lambda rng, name: (
            f"I paid {rng.randint(5, 900)}.{digits(rng, 2)} euros on {rng.randint(1, 28)} March."
        ),
    ),
    (
        0.3,
        lambda rng, name: (
            f"Write to {name.lower().replace(' ', '.')}@example{rng.randint(1, 99)}.com, please."
        ),
    ),
    (0.2, lambda rng, name: f"Call me at +49 {digits(rng, 3)} {digits(rng, 7)}."),
    (
        0.1,
        lambda rng, name: (
            f"Send it to {rng.randint(1, 99)} {rng.choice(LAST)} Street, Springfield, IL {digits(rng, 5)}."
        ),
    ),
    (0.1, lambda rng, name: f"See https://shop.example.com/orders/{digits(rng, 8)}?lang=en."),
    (0.03, lambda rng, name: f"My card is 4111 1111 1111 {digits(rng, 4)}."),
    (0.02, lambda rng, name: "My account is DE89 3704 0044 0532 0130 00."),
    (
        0.02,
        lambda rng, name: (
            f"It said {rng.randint(1, 223)}.{rng.randint(0, 255)}.{rng.randint(0, 255)}.7 in the log."
        ),
    ),
    (0.01, lambda rng, name: f"My password is {digits(rng, 3)}hunter{digits(rng, 3)}."),
)
"""What a ticket may tell besides, and how often it does."""


def edited(row: dict[str, Any], rng: random.Random, words: list[str]) -> dict[str, Any]:
    """The row with one word in twelve of its question and answer replaced."""
    messages = []
    for message in row["messages"]:
        said = message["content"].split(" ")
        if message["role"] != "system":
            for _ in range(max(1, len(said) // 12)):
                said[rng.randrange(len(said))] = rng.choice(words)
        messages.append({**message, "content": " ".join(said)})
    return {**row, "messages": messages}


# ---- a peer


def datasets_road(path: Path) -> None:
    """What `datasets` offers of it: rows read and changed by worker processes, repetitions dropped, split, written."""
    import re

    from datasets import load_dataset

    patterns = [
        re.compile(p) for p in (r"[\w.+-]+@[\w.-]+\.\w{2,}", r"\+?\d[\d ()-]{7,14}\d", r"(?:\d[ -]?){13,16}")
    ]

    def redact(row: dict[str, Any]) -> dict[str, Any]:
        for message in row["messages"]:
            for pattern in patterns:
                message["content"] = pattern.sub("[REDACTED]", message["content"])
        return row

    seen: set[int] = set()

    def is_new(row: dict[str, Any]) -> bool:
        key = hash(json.dumps(row["messages"], sort_keys=True))
        known = key in seen
        seen.add(key)
        return not known

    rows = load_dataset("json", data_files=str(path), split="train", cache_dir="cache")
    rows = rows.map(redact, num_proc=len(os.sched_getaffinity(0))).filter(is_new)
    parts = rows.train_test_split(0.2, seed=0)
    for part, some in parts.items():
        some.to_json(f"{part}.jsonl")


if __name__ == "__main__":
    main()
