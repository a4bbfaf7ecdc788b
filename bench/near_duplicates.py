"""Near duplicates among short texts, beside datasketch, each in a process of its own.

    python bench/near_duplicates.py [--texts 1000000] [--peer-texts 100000]

Texts are drawn from a chain of word pairs of public questions; one in ten is followed somewhere by a copy in which 8 % of
the words (one at least) were replaced, left out or added. Prints what we take for all texts, with recall over the planted
copies and precision (the share of texts put under a head that truly are near it, counted here with Python sets), and the
CPU time of both, from the texts on the disk to the groups or pairs, on the peer's share of the texts.
"""

import argparse
import csv
import json
import mmap
import os
import random
import re
import resource
import subprocess
import sys
import tempfile
import time
from array import array
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[2] / "shared" / "data"
ALONE = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
THRESHOLD = 0.5
EDITED, COPIED = 0.08, 0.1


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--texts", type=int, default=1_000_000)
    parser.add_argument("--peer-texts", type=int, default=100_000)
    parser.add_argument("--child", choices=["ours", "datasketch"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        print("\n" + json.dumps({"ours": ours, "datasketch": datasketch}[asked.child](asked.folder)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        whole, part = Path(scratch, "whole"), Path(scratch, "part")
        plant(whole, asked.texts)
        plant(part, asked.peer_texts)
        all_of_it, mine, theirs = child("ours", whole), child("ours", part), child("datasketch", part)
    print(
        f"{asked.texts:,} texts: {all_of_it['wall']:,.0f} s (≤ 300), {all_of_it['cpu']:,.0f} CPU s, "
        f"{all_of_it['memory'] / 1e9:.2f} GB (≤ 2) of which {all_of_it['before'] / 1e9:.2f} before the search; "
        f"recall {all_of_it['recall']:.3f} (≥ 0.97), precision {all_of_it['precision']:.3f} (≥ 0.97)"
    )
    ratio = theirs["cpu"] / mine["cpu"]
    print(
        f"{asked.peer_texts:,} texts: {mine['cpu']:.1f} and {theirs['cpu']:.1f} CPU s: {ratio:.1f}× (≥ 10×), "
        f"of which {theirs['shingled']:.1f} s are the peer's shingles, made here; "
        f"recall {mine['recall']:.3f} and {theirs['recall']:.3f}, "
        f"precision {mine['precision']:.3f} and {theirs['precision']:.3f}"
    )


def child(name: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--child", name, "--folder", str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env={**os.environ, **ALONE})
    return json.loads(done.stdout.splitlines()[-1])


def plant(folder: Path, count: int) -> None:
    """Write `texts.txt`, one a line, and `copies.json`: [place of the original, place of its copy]."""
    rng = random.Random(0)
    follows: dict[str, list[str]] = defaultdict(list)
    with (DATA / "banking77" / "train.csv").open(encoding="utf-8", newline="") as stream:
        sources = [row["text"] for row in csv.DictReader(stream)]
    with (DATA / "gsm8k" / "train.jsonl").open(encoding="utf-8") as stream:
        sources += [json.loads(line)["question"] for line in stream]
    words = [text.split() for text in sources]
    for row in words:
        for word, following in pairwise(row):
            follows[word].append(following)
    vocabulary = [word for row in words for word in row]
    originals = round(count / (1 + COPIED))
    texts = [drawn(rng, follows, vocabulary) for _ in range(originals)]
    copied = rng.sample(range(originals), count - originals)
    rows = [(at, None) for at in range(originals)] + [(None, at) for at in copied]
    rng.shuffle(rows)
    place = {original: at for at, (original, _) in enumerate(rows) if original is not None}
    folder.mkdir()
    with (folder / "texts.txt").open("w", encoding="utf-8") as stream:
        for original, of in rows:
            text = texts[original] if original is not None else edited(texts[of or 0], rng, vocabulary)
            stream.write(text + "\n")
    copies = [(place[of], at) for at, (_, of) in enumerate(rows) if of is not None]
    (folder / "copies.json").write_text(json.dumps(copies))


def drawn(rng: random.Random, follows: dict[str, list[str]], vocabulary: list[str]) -> str:
    """8 to 28 words; about 100 characters."""
    words = [rng.choice(vocabulary)]
    for _ in range(rng.randint(7, 27)):
        words.append(rng.choice(follows.get(words[-1]) or vocabulary))
    return " ".join(words)


def edited(text: str, rng: random.Random, vocabulary: list[str]) -> str:
    words = text.split()
    for at in sorted(rng.sample(range(len(words)), max(1, round(EDITED * len(words)))), reverse=True):
        draw = rng.random()
        if draw < 0.25:
            del words[at]
        elif draw < 0.5:
            words.insert(at, rng.choice(vocabulary))
        else:
            words[at] = rng.choice(vocabulary)
    return " ".join(words)


class Lines(Sequence[str]):
    """The lines of a file, read from it one by one."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as stream:
            self._bytes = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
            self._starts = array("q", [0])
            for line in stream:
                self._starts.append(self._starts[-1] + len(line))

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __getitem__(self, at: Any) -> Any:
        return self._bytes[self._starts[at] : self._starts[at + 1] - 1].decode("utf-8")


def ours(folder: Path) -> dict[str, float]:
    from tunewright.data.near import near_heads

    texts = Lines(folder / "texts.txt")
    before, begin, cpu = peak(), time.perf_counter(), time.process_time()
    heads = near_heads(texts, threshold=THRESHOLD).tolist()
    took = {"wall": time.perf_counter() - begin, "cpu": time.process_time() - cpu}
    took |= {"memory": peak(), "before": before}
    copies = json.loads((folder / "copies.json").read_text())
    pairs = [(head, at) for at, head in enumerate(heads) if head != at]
    return took | {
        "recall": sum(heads[one] == heads[other] for one, other in copies) / len(copies),
        "precision": precision(texts, pairs),
    }


def datasketch(folder: Path) -> dict[str, float]:
    """Signatures in bulk, an LSH tuned by the library for the threshold, every text queried."""
    from datasketch import MinHash, MinHashLSH

    begin, cpu = time.perf_counter(), time.process_time()
    texts = list(Lines(folder / "texts.txt"))
    sets = [[" ".join(pair).encode() for pair in shingles(text)] for text in texts]
    shingled = time.process_time() - cpu
    index = MinHashLSH(threshold=THRESHOLD, num_perm=128)
    signatures = MinHash.bulk(sets, num_perm=128)
    with index.insertion_session() as session:
        for at, signature in enumerate(signatures):
            session.insert(at, signature)
    pairs = [
        (other, at)
        for at, signature in enumerate(signatures)
        for other in index.query(signature)
        if other < at
    ]
    took = {"wall": time.perf_counter() - begin, "cpu": time.process_time() - cpu, "shingled": shingled}
    copies = json.loads((folder / "copies.json").read_text())
    found = set(pairs)
    return took | {
        "recall": sum((min(pair), max(pair)) in found for pair in copies) / len(copies),
        "precision": precision(texts, pairs),
    }


def precision(texts: Sequence[str], pairs: list[tuple[int, int]]) -> float:
    """The share of pairs whose similarity truly reaches the threshold."""
    near = 0
    for one, other in pairs:
        a, b = shingles(texts[one]), shingles(texts[other])
        near += len(a & b) >= THRESHOLD * len(a | b)
    return near / len(pairs)


def shingles(text: str) -> set[tuple[str, str]]:
    words = re.findall(r"[^\W_]+|[^\w\s.,;:!?\"'()\[\]{}]", text.lower().replace("’", "'"))
    return set(pairwise(words)) or {(" ".join(words), "")}


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
