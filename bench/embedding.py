"""Embeddings measured: seconds for 100,000 short texts, and how often a question's nearest neighbour has its intent.

    python bench/embedding.py --data FOLDER [--texts 100000] [--encoder FOLDER] [--gaps]

FOLDER holds train.csv and test.csv of banking77 (text, category). Beside `words` stand tf-idf of words (what it is to
beat) and, with --encoder, a transformer in the layout of sentence-transformers (what it is not to reach). --gaps hides
intents from the rows and looks whether coverage finds them in the test questions.
"""

import argparse
import csv
import resource
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from tunewright.data.coverage import Line, coverage
from tunewright.data.embedding import embed
from tunewright.data.embedding_words import Vectors
from tunewright.data.near_shingles import words_of
from tunewright.data.similar import Part, similar_heads

Rows = list[tuple[str, str]]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--texts", type=int, default=100_000)
    parser.add_argument("--encoder", type=Path)
    parser.add_argument("--gaps", action="store_true")
    args = parser.parse_args()
    train, test = (read(args.data / name) for name in ("train.csv", "test.csv"))
    speed(many([text for text, _ in train], args.texts))
    print(f"{'agreement':24} {agreement(embed, train, test):.4f}  words")
    print(f"{'':24} {agreement_of_words(train, test):.4f}  tf-idf of words")
    if args.encoder:
        from tunewright.models.encoder import encode

        begin = time.process_time()
        found = agreement(lambda texts: encode(texts, args.encoder), train, test)
        seconds = time.process_time() - begin
        print(f"{'':24} {found:.4f}  encoder, {(len(train) + len(test)) / seconds:.0f} texts a CPU-second")
    if args.gaps:
        gaps(train, test)


def read(path: Path) -> Rows:
    with path.open(encoding="utf-8", newline="") as stream:
        return [(row["text"], row["category"]) for row in csv.DictReader(stream)]


def many(texts: Sequence[str], count: int) -> list[str]:
    """Other texts of the same words: the first half of one and the second of another."""
    chance = np.random.default_rng(0).integers(0, len(texts), (count, 2)).tolist()
    return [
        f"{texts[one][: len(texts[one]) // 2]} {texts[other][len(texts[other]) // 2 :]}"
        for one, other in chance
    ]


def speed(texts: list[str]) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    begin, cpu = time.perf_counter(), time.process_time()
    vectors = embed(texts)
    wall, used = time.perf_counter() - begin, time.process_time() - cpu
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{'embed':24} {len(texts):,} texts: {wall:.1f} s, {used:.1f} CPU-s, {before:.0f} → {after:.0f} MB")
    begin, cpu = time.perf_counter(), time.process_time()
    heads = similar_heads([Part(np.arange(len(texts)), vectors)], range(len(texts)), 0.9)
    wall, used = time.perf_counter() - begin, time.process_time() - cpu
    gone = int((heads != np.arange(len(heads))).sum())
    print(f"{'every pair':24} {gone:,} similar: {wall:.1f} s, {used:.1f} CPU-s")


def agreement(place: Callable[[Sequence[str]], Vectors], train: Rows, test: Rows) -> float:
    """The share of test questions whose nearest training question has the same intent."""
    vectors = place([text for text, _ in (*train, *test)])
    nearest = (vectors[len(train) :] @ vectors[: len(train)].T).argmax(1)
    return float(np.mean([train[at][1] == intent for at, (_, intent) in zip(nearest, test, strict=True)]))


def agreement_of_words(train: Rows, test: Rows) -> float:
    from scipy.sparse import csr_matrix, diags

    words = words_of([text for text, _ in (*train, *test)])
    rows = np.repeat(np.arange(len(train) + len(test)), np.diff(words.starts))
    _, columns = np.unique(words.hashes, return_inverse=True)
    counts = csr_matrix((np.ones(len(rows)), (rows, columns)))
    seen = np.bincount(counts[: len(train)].indices, minlength=counts.shape[1])
    counts.data = 1 + np.log(counts.data)
    weighed = counts @ diags(np.log((1 + len(train)) / (1 + seen)) + 1)
    weighed = diags(1 / np.maximum(np.sqrt(weighed.multiply(weighed).sum(1)).A1, 1e-9)) @ weighed
    nearest = np.asarray((weighed[len(train) :] @ weighed[: len(train)].T).argmax(1)).ravel()
    return float(np.mean([train[at][1] == intent for at, (_, intent) in zip(nearest, test, strict=True)]))


def gaps(train: Rows, test: Rows, draws: int = 3, hidden: int = 8) -> None:
    """How many of the intents that the rows lack are told as gaps, and how many gaps are none."""
    intents = sorted({intent for _, intent in train})
    found = wrong = 0
    for seed in range(draws):
        gone = set(np.random.default_rng(seed).choice(intents, hidden, replace=False).tolist())
        rows = [Line(str(at), text) for at, (text, intent) in enumerate(train) if intent not in gone]
        asked = [Line(str(at), text) for at, (text, _) in enumerate(test)]
        told = set()
        for gap in coverage(rows, embed, against=asked, seed=seed).gaps:
            shown = [test[int(one.place)][1] for one in gap.examples]
            intent = max(set(shown), key=shown.count)
            told.add(intent) if intent in gone else None
            wrong += intent not in gone
        found += len(told)
    print(f"{'gaps':24} {found} of {draws * hidden} absent intents found, {wrong} gaps that are none")


if __name__ == "__main__":
    main()
