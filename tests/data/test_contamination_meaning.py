"""Contamination by meaning: what the vectors find, where their cut lies, and that it is called a neighbour."""

import csv
import json
import random
from pathlib import Path

import numpy as np
import pytest
from worked import worked

from tunewright.core.errors import DataError
from tunewright.core.example import ask, make_example
from tunewright.data import contamination_meaning
from tunewright.data.contamination import find_copies, search
from tunewright.data.contamination_meaning import Meanings
from tunewright.data.embedding import embed
from tunewright.data.embedding_spec import EmbeddingSpec
from tunewright.data.ops.decontaminate import Decontaminate


def sentences(count: int, seed: int) -> list[str]:
    """Sentences of few made-up words, so that letters are shared by nature and tell little."""
    rng = random.Random(seed)
    spelling = random.Random(0)
    lexicon = ["".join(spelling.choices("abcdefghilmnoprstu", k=2 + at % 5)) for at in range(80)]
    weights = [1 / (at + 5) for at in range(80)]
    return [" ".join(rng.choices(lexicon, weights, k=rng.randint(9, 14))) for _ in range(count)]


def turned(text: str, seed: int) -> str:
    """Its words in another order."""
    words = text.split()
    random.Random(seed).shuffle(words)
    return " ".join(words)


EVALS = sentences(150, 2)
PLANTED = [turned(text, at) for at, text in enumerate(EVALS[:20])]
ROWS = [*sentences(600, 1), *PLANTED]


def test_another_order_of_the_words_is_found_by_meaning_and_called_a_neighbour():
    words, both = find_copies(EVALS, ROWS), find_copies(EVALS, ROWS, embed=embed)
    meant = [(hit.eval, hit.row, hit.verdict) for hit in both.hits if hit.detector == "meaning"]
    assert len({(at, 600 + at, "neighbour") for at in range(20)} & set(meant)) >= 18
    assert len(meant) <= 24
    assert both.copied == words.copied
    assert [hit for hit in both.hits if hit.detector != "meaning"] == list(words.hits)
    assert both.thresholds[: len(words.thresholds)] == words.thresholds
    assert {cut.detector for cut in both.thresholds[len(words.thresholds) :]} == {"meaning"}
    assert "; meaning (cosine of vectors), 0." in both.said()[-1]
    assert both.expected_neighbours >= words.expected_neighbours


def test_a_copy_is_told_once():
    found = find_copies(EVALS, [*ROWS, EVALS[40]], embed=embed)
    told = {(hit.detector, hit.verdict) for hit in found.hits if (hit.eval, hit.row) == (40, 620)}
    assert ("same", "copied") in told
    assert {verdict for _, verdict in told} == {"copied"}


def test_every_row_that_means_a_text_is_told_with_the_closest():
    rows = [*ROWS, *(turned(EVALS[3], at) for at in range(50, 60)), EVALS[7]]
    hits = search(EVALS, rows, embed=embed).rows.hits()
    told = {hit.row: hit for hit in hits if hit.verdict == "copied" or hit.detector == "meaning"}
    assert list(told) == sorted(told)
    assert {(told[row].eval, told[row].detector, told[row].verdict) for row in range(620, 630)} == {
        (3, "meaning", "neighbour")
    }
    assert (told[630].eval, told[630].verdict) == (7, "copied")
    assert len(told) <= 31 + 6


def test_cosines_in_blocks(monkeypatch: pytest.MonkeyPatch):
    """Whatever the blocks are: the closest rows of a text, the closest text of a row, a stand-in's closest other row."""
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((60, 8)).astype(np.float32)
    vectors[50:] = vectors[rng.integers(0, 40, 10)]  # the stand-ins
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    own = np.array([int(np.flatnonzero((vectors[:40] == one).all(1))[0]) for one in vectors[50:]])
    cosines = vectors[40:50] @ vectors[:40].T
    cuts = np.full(10, 0.4)
    cuts[3] = np.inf
    passing = np.where(cosines >= cuts[:, None], cosines, 0)
    for rows, probes in ((4096, 2048), (7, 3)):
        monkeypatch.setattr(contamination_meaning, "_ROWS", rows)
        monkeypatch.setattr(contamination_meaning, "_PROBES", probes)
        names = [[f"{kind} {at}" for at in range(count)] for kind, count in (("r", 40), ("e", 10), ("s", 10))]
        look = Meanings(*names, own, lambda texts: vectors[: len(texts)])
        texts = [(near.eval, near.row) for near in look.of_texts(cuts, 2)]
        assert texts == [
            (t, r) for t in range(10) for r in np.argsort(-passing[t])[:2].tolist() if passing[t, r]
        ]
        told = [(near.row, near.eval) for near in look.of_rows(cuts)]
        assert told == [(r, int(passing[:, r].argmax())) for r in range(40) if passing[:, r].any()]
        null = vectors[50:] @ vectors[:40].T
        null[null > 0.9999] = 0
        assert look.null == pytest.approx(null.max(1), abs=1e-5)


def test_too_few_rows_to_calibrate_on():
    rows = sentences(20, 5)
    found = find_copies([turned(rows[3], 0), rows[7]], rows, embed=embed)
    assert (found.stand_ins, found.copied) == (0, (1,))
    assert [cut.score for cut in found.thresholds if cut.detector == "meaning"] == [0.95]
    assert find_copies([""], ["", "!"], embed=embed).hits[0].detector == "same"


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    lines = (json.dumps({"input": text}) for text in EVALS)
    (tmp_path / "eval.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return tmp_path


def test_rows_go_by_meaning_only_where_it_is_asked_for(asked: Path):
    rows = [make_example(ask(text, "x")) for text in ROWS]
    words = worked([Decontaminate(against=("eval.jsonl",))], rows, root=asked)
    spec = Decontaminate(against=("eval.jsonl",), embedding=EmbeddingSpec())
    both = worked([spec], rows, root=asked)
    gone = {row.input_text for row in words.kept} - {row.input_text for row in both.kept}
    assert {*PLANTED} - {row.input_text for row in both.kept} == {*PLANTED}
    assert len(gone) <= 24
    reasons = {reason.rpartition(": ")[0] for _, reason in both.dropped}
    assert "asks in other words what an evaluation asks" in reasons


def test_too_many_rows_to_place(asked: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(contamination_meaning, "MOST", 100)
    spec = Decontaminate(against=("eval.jsonl",), embedding=EmbeddingSpec())
    with pytest.raises(DataError) as refused:
        worked([spec], [make_example(ask(text, "x")) for text in ROWS], root=asked)
    assert str(refused.value).startswith(
        "recipe, decontaminate.embedding: there are 620 rows, and the meaning of up to 100 can be compared. Leave it out"
    )


BANKING = Path(__file__).parents[3] / "shared/data/banking77"


@pytest.mark.realdata
@pytest.mark.skipif(not BANKING.is_dir(), reason="the public data sets are not beside the checkout")
def test_real_questions_with_their_halves_turned_round():
    """What words alone cannot tell from natural twins; clean questions are hardly touched."""
    rows, evals = [], []
    for part, texts in (("train", rows), ("test", evals)):
        with (BANKING / f"{part}.csv").open(encoding="utf-8", newline="") as stream:
            texts.extend(row["text"] for row in csv.DictReader(stream))
    random.Random(0).shuffle(evals)
    evals = evals[:1000]
    halves = [
        (text.split()[: len(text.split()) // 2], text.split()[len(text.split()) // 2 :]) for text in evals
    ]
    leaks = [" ".join([*second, *first]) for first, second in halves[:100]]
    found = find_copies(evals, [*rows, *leaks], embed=embed)
    meant = {hit.eval for hit in found.hits if hit.detector == "meaning" and hit.row == len(rows) + hit.eval}
    assert len(meant - set(found.copied)) >= 20
    clean = {hit.eval for hit in found.hits if hit.detector == "meaning" and hit.eval >= 100}
    assert len(clean - set(found.copied)) <= 0.01 * 900
