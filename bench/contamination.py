"""Contamination: leaks planted into the training rows of public sets, and what find_copies says of them.

    python bench/contamination.py [--leaked 300] [--big 100000] [--embedding words] [--sets gsm8k]

Of the test questions, `leaked` are planted into the training rows, one kind of leak at a time: as they are, with 10 % or
25 % of their words edited (half of the edits replace a word, a quarter each leave one out and add one; one word at least),
inside a document of 800 characters of another set (nl2bash), with other words for many, with their clauses in another order,
or both (bench/paraphrases.py). All others are clean. Prints for each kind

- named: the share of leaks for which a hit names the planted row, as a copy or as a neighbour;
- copied: the share of leaks that are called copied;
- false: the share of clean questions that are called copied, those with the same words in the training rows among them;
- neighbours: the share of clean questions called neighbours, and the share expected from the calibration.

With --embedding (`words`, or the folder of an encoder) also what meaning adds to the copies: the leaks, and the clean
questions, that are copied or found by meaning; and beside it what the words find when their thresholds let as many clean
questions pass as both together.

One more line says it for clean questions without a natural twin, a training question within a quarter of their words
(counted here, by edit distance). Last comes the time of 1,000 questions in 100,000 rows.
"""

import argparse
import csv
import json
import random
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from paraphrases import another_order, other_words

from tunewright.data import contamination
from tunewright.data.contamination import Contamination, find_copies
from tunewright.data.contamination_meaning import Embed
from tunewright.data.embedding import embed

DATA = Path(__file__).parents[2] / "shared" / "data"
DOCUMENT_CHARS = 800
TWIN = 0.25
ASKED = {"verbatim": 0.97, "10 % edited": 0.95, "25 % edited": 0.75, "inside a document": 0.95}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--leaked", type=int, default=300)
    parser.add_argument("--big", type=int, default=100_000)
    parser.add_argument("--embedding")
    parser.add_argument("--sets", nargs="+", choices=("banking77", "gsm8k"), default=("banking77", "gsm8k"))
    asked = parser.parse_args()
    placed = asked.embedding and (embed if asked.embedding == "words" else encoded(Path(asked.embedding)))
    for name, read in {"banking77": banking77, "gsm8k": gsm8k}.items():
        if name in asked.sets:
            measure(name, read("train"), read("test"), asked.leaked, placed)
    trained = [*banking77("train"), *gsm8k("train")]
    rng = random.Random(0)
    many = [trained[at % len(trained)] + f" {rng.randrange(10**6)}" for at in range(asked.big)]
    begin, cpu = time.perf_counter(), time.process_time()
    find_copies(banking77("test")[:500] + gsm8k("test")[:500], many)
    print(
        f"1,000 questions in {asked.big:,} rows: {time.perf_counter() - begin:.1f} s, "
        f"{time.process_time() - cpu:.1f} CPU s"
    )


def measure(name: str, trained: list[str], tested: list[str], leaked: int, placed: Embed | None) -> None:
    rng = random.Random(0)
    rng.shuffle(tested)
    vocabulary = [word for text in trained for word in text.split()]
    others = (DATA / "nl2bash" / "all.nl").read_text(encoding="utf-8").splitlines()
    kinds: dict[str, Callable[[str], str]] = {
        "verbatim": lambda text: text,
        "10 % edited": lambda text: edited(text, 0.1, rng, vocabulary),
        "25 % edited": lambda text: edited(text, 0.25, rng, vocabulary),
        "inside a document": lambda text: document(text, rng, others),
        "other words": lambda text: other_words(text, rng),
        "another order": lambda text: another_order(text, rng),
        "both of these": lambda text: another_order(other_words(text, rng), rng),
    }
    alone = without_twins(tested[leaked:], trained)
    print(f"{name}: {len(trained):,} rows, {leaked} leaks, {len(tested) - leaked:,} clean questions")
    print(f"  clean questions without a natural twin: {len(alone):,}")
    for kind, made in kinds.items():
        rows = [*trained, *map(made, tested[:leaked])]
        order = random.Random(1).sample(range(len(rows)), len(rows))
        rows = [rows[at] for at in order]
        found = find_copies(tested, rows, embed=placed)
        planted = [order.index(len(trained) + at) for at in range(leaked)]
        report(kind, found, leaked, planted, alone)
        if placed is not None:
            report_meaning(found, leaked, planted, tested, rows)
    print(*(f"    {line}" for line in found.said()), sep="\n")


def report(kind: str, found: Contamination, leaked: int, planted: list[int], alone: list[int]) -> None:
    named = {hit.eval for hit in found.hits if hit.eval < leaked and hit.row == planted[hit.eval]}
    copied, clean = set(found.copied), found.evals - leaked
    false = sum(at >= leaked for at in copied)
    same = sum(hit.eval >= leaked for hit in found.hits if hit.detector == "same")
    lonely = sum(leaked + at in copied for at in alone)
    neighbours = sum(at >= leaked for at in found.neighbours) / clean
    print(
        f"  {kind:18} named {len(named) / leaked:6.1%}{f' (≥ {ASKED[kind]:.0%})' if kind in ASKED else ''}, "
        f"copied {sum(at < leaked for at in copied) / leaked:6.1%}; "
        f"false {false / clean:.2%} (≤ 2 %; {same / clean:.2%} the same words), "
        f"without twins {lonely / len(alone):.2%}; neighbours {neighbours:.1%}, "
        f"expected {(found.expected_neighbours or 0) / found.evals:.1%}"
    )


def report_meaning(
    found: Contamination, leaked: int, planted: list[int], tested: list[str], rows: list[str]
) -> None:
    meant = [hit for hit in found.hits if hit.detector == "meaning"]
    both, clean = {*found.copied, *(hit.eval for hit in meant)}, found.evals - leaked
    named = {hit.eval for hit in meant if hit.eval < leaked and hit.row == planted[hit.eval]}
    false = sum(at >= leaked for at in both)
    held, looser = contamination.FALSE_ALARMS, set[int]()
    try:
        while contamination.FALSE_ALARMS < 0.2:
            copied = set(find_copies(tested, rows).copied)
            if sum(at >= leaked for at in copied) > false:
                break
            looser = copied
            contamination.FALSE_ALARMS *= 1.25
    finally:
        contamination.FALSE_ALARMS = held
    print(
        f"  {'':18} copied or by meaning {leaks(both, leaked):6.1%} (the planted row, {len(named) / leaked:.1%}), "
        f"false {false / clean:.2%}; words alone {leaks(looser, leaked):6.1%}, "
        f"false {sum(at >= leaked for at in looser) / clean:.2%}",
        flush=True,
    )


def leaks(found: set[int], leaked: int) -> float:
    """The share of the leaks that were found."""
    return sum(at < leaked for at in found) / leaked


def encoded(folder: Path) -> Embed:
    """An encoder that reads each text once."""
    from tunewright.models.encoder import encode

    held: dict[str, np.ndarray] = {}

    def placed(texts: Sequence[str]) -> np.ndarray:
        new = [text for text in dict.fromkeys(texts) if text not in held]
        held.update(zip(new, encode(new, folder), strict=True))
        return np.stack([held[text] for text in texts])

    return placed


def edited(text: str, share: float, rng: random.Random, vocabulary: list[str]) -> str:
    words = text.split()
    for at in sorted(rng.sample(range(len(words)), max(1, round(share * len(words)))), reverse=True):
        draw = rng.random()
        if draw < 0.25 and len(words) > 1:
            del words[at]
        elif draw < 0.5:
            words.insert(at, rng.choice(vocabulary))
        else:
            words[at] = rng.choice(vocabulary)
    return " ".join(words)


def document(text: str, rng: random.Random, others: list[str]) -> str:
    parts = [rng.choice(others)]
    while sum(map(len, parts)) < DOCUMENT_CHARS - len(text):
        parts.append(rng.choice(others))
    parts.insert(rng.randrange(len(parts) + 1), text)
    return " ".join(parts)


def without_twins(tested: list[str], trained: list[str]) -> list[int]:
    """Places of the questions with no training question within TWIN of their words."""
    held: dict[str, set[int]] = {}
    rows = [words_of(text) for text in trained]
    for at, row in enumerate(rows):
        for word in set(row):
            held.setdefault(word, set()).add(at)
    alone = []
    for place, text in enumerate(tested):
        words = words_of(text)
        most = int(TWIN * max(len(words), 1))
        rare = sorted(set(words), key=lambda word: len(held.get(word, ())))[
            : most + 1
        ]  # a twin holds one of them
        near = {at for word in rare for at in held.get(word, ()) if abs(len(rows[at]) - len(words)) <= most}
        if not any(distance(words, rows[at], most) <= most for at in near):
            alone.append(place)
    return alone


def distance(one: list[str], other: list[str], most: int) -> int:
    """Words to replace, leave out or add; any number above `most` where it is more."""
    if len(set(one) - set(other)) > most:
        return most + 1
    line = list(range(len(other) + 1))
    for i, a in enumerate(one, 1):
        before, line[0] = line[0], i
        for j, b in enumerate(other, 1):
            before, line[j] = line[j], min(line[j] + 1, line[j - 1] + 1, before + (a != b))
    return line[-1]


def words_of(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def banking77(part: str) -> list[str]:
    with (DATA / "banking77" / f"{part}.csv").open(encoding="utf-8", newline="") as stream:
        return [row["text"] for row in csv.DictReader(stream)]


def gsm8k(part: str) -> list[str]:
    with (DATA / "gsm8k" / f"{part}.jsonl").open(encoding="utf-8") as stream:
        return [json.loads(line)["question"] for line in stream]


if __name__ == "__main__":
    main()
