"""Contamination: what is found, by which detector, and what clean texts are left alone."""

import csv
import json
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from tunewright.data.contamination import Contamination, find_copies, search

DATA = Path(__file__).parents[2].parent / "shared/data"
REAL = [
    pytest.mark.realdata,
    pytest.mark.skipif(not DATA.is_dir(), reason="the public data sets are not beside the checkout"),
]


def sentences(count: int, seed: int, *, words: tuple[int, int] = (9, 20)) -> list[str]:
    """Sentences of made-up words, the short ones common, as in a language."""
    rng = random.Random(seed)
    spelling = random.Random(0)
    lexicon = ["".join(spelling.choices("abcdefghilmnoprstu", k=2 + at % 9)) for at in range(3000)]
    weights = [1 / (at + 5) for at in range(3000)]
    return [" ".join(rng.choices(lexicon, weights, k=rng.randint(*words))) for _ in range(count)]


def found_by(found: Contamination, text: int) -> dict[str, set[int]]:
    """Detector → rows, of what is called copied."""
    by: dict[str, set[int]] = {}
    for hit in found.hits:
        if hit.eval == text and hit.verdict == "copied":
            by.setdefault(hit.detector, set()).add(hit.row)
    return by


ROWS = sentences(600, seed=1)
CLEAN = sentences(150, seed=2)


def test_clean_texts_are_left_alone():
    found = find_copies(CLEAN, ROWS)
    assert len(found.copied) <= 3
    assert found.stand_ins >= 100
    assert (found.evals, found.rows) == (150, 600)
    assert len(found.neighbours) <= 5


def test_each_detector_finds_what_another_misses():
    evals = list(CLEAN)
    evals[0] = sentences(1, seed=3, words=(60, 60))[0]
    evals[1] = sentences(1, seed=4, words=(9, 9))[0]
    evals[2] = sentences(1, seed=5, words=(16, 16))[0]
    evals[3] = sentences(1, seed=6, words=(14, 14))[0]
    filler = " ".join(sentences(60, seed=7))
    words = evals[2].split()
    planted = [
        f"{filler}. {evals[0]}. {filler}",
        f"{filler}. {evals[1].upper()}! {filler}",
        " ".join(word + "s" if at % 3 == 1 else word for at, word in enumerate(words)),
        evals[3].capitalize().replace(" ", "  ") + "…",
    ]
    rows = [*ROWS[:300], *planted, *ROWS[300:]]
    found = find_copies(evals, rows)
    by = [found_by(found, at) for at in range(4)]
    assert by[0]["passage"] == by[0]["phrases"] == {300}
    assert "same" not in by[0]
    assert by[1]["phrases"] == {301}
    assert "letters" not in by[1]
    assert by[2] == {"letters": {302}}
    assert by[3] == {name: {303} for name in ("same", "passage", "phrases", "letters")}
    assert set(range(4)) <= set(found.copied)
    assert len(found.copied) <= 4 + 3


def test_a_text_across_the_windows_of_a_long_row():
    evals = sentences(120, seed=8, words=(20, 30))
    book = sentences(3000, seed=9)
    for at, text in enumerate(evals[:20]):
        book.insert(at * 140, text)
    found = find_copies(evals, [" ".join(book), *ROWS])
    assert {hit.eval for hit in found.hits if hit.row == 0 and hit.verdict == "copied"} >= set(range(20))
    assert len(found.copied) <= 23


def test_leaks_do_not_hide_themselves():
    """A copy, and another with two words changed, of every evaluation text: the thresholds stand."""
    before = find_copies(CLEAN, ROWS)
    rng = random.Random(0)
    copies = []
    for text in CLEAN:
        words = text.split()
        for at in rng.sample(range(len(words)), 2):
            words[at] = rng.choice(ROWS).split()[0]
        copies.append(" ".join(words))
    found = find_copies(CLEAN, [*ROWS, *copies])
    assert len(found.copied) >= 0.9 * len(CLEAN)
    for one, other in zip(before.thresholds, found.thresholds, strict=True):
        assert (one.detector, one.words_from) == (other.detector, other.words_from)
        assert other.score == pytest.approx(one.score, abs=0.15)


def test_rows_that_resemble_each_other_raise_the_threshold():
    """One template with a name and a number: no copy can be told from a neighbour, and none is claimed."""
    rng = random.Random(0)
    names = sentences(1000, seed=10, words=(1, 1))
    asked = [
        f"where is the parcel number {rng.randrange(9)} that {name} sent to me last week" for name in names
    ]
    found = find_copies(asked[:200], asked[200:])
    same = {hit.eval for hit in found.hits if hit.detector == "same"}
    assert set(found.copied) == same
    assert len(found.neighbours) > 20
    assert {
        cut.score is None or cut.score > 0.95 for cut in found.thresholds if cut.detector == "letters"
    } == {True}


def test_too_few_rows_to_calibrate_on():
    rows = sentences(20, seed=11)
    found = find_copies([rows[3], "nothing of the kind", f"see: {rows[7]} and more"], rows)
    assert found.copied == (0, 2)
    assert (found.stand_ins, found.expected_neighbours) == (0, None)
    assert found.said()[2] == (
        "Fewer than 100 rows are close to the texts, too few to calibrate on; the thresholds are fixed ones."
    )


def test_nothing_and_next_to_nothing():
    assert find_copies([], ROWS).hits == find_copies(CLEAN, []).hits == ()
    found = find_copies(["", "?!", "a", "x y"], ["", "!?", "a.", "b", "X  Y!"])
    assert [(hit.eval, hit.row) for hit in found.hits if hit.detector == "same"] == [(0, 0), (2, 2), (3, 4)]


def test_every_row_that_holds_a_copy_is_told():
    filler = sentences(40, seed=12)
    planted = [CLEAN[0].upper()] * 20 + [f"{one} {CLEAN[1]} {one}" for one in filler[:20]]
    rows = [*ROWS[:300], *planted, *ROWS[300:], " ".join([*filler, CLEAN[2], *filler])]
    both = search(CLEAN, rows)
    told = [hit for hit in both.rows.hits() if hit.verdict == "copied"]
    assert list(both.rows.rows) == sorted(set(both.rows.rows))
    by_row = {hit.row: (hit.eval, hit.detector) for hit in told}
    assert [by_row[row] for row in range(300, 320)] == [(0, "same")] * 20
    assert [by_row[row][0] for row in range(320, 340)] == [1] * 20
    assert by_row[len(rows) - 1][0] == 2
    assert len(by_row) <= 41 + 3
    named = {hit.row for hit in find_copies(CLEAN, rows).hits if hit.verdict == "copied"}
    assert named <= by_row.keys()
    assert both.found == find_copies(CLEAN, rows)
    assert list(search([], rows).rows.hits()) == list(search(CLEAN, []).rows.hits()) == []


class Shelf(Sequence[str]):
    """Rows that can be asked for by place alone."""

    def __init__(self, rows: list[str]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, at):
        assert isinstance(at, int)
        return self._rows[at]


def test_equal_input_gives_equal_results_and_rows_are_read_by_place():
    found = find_copies(CLEAN, [*ROWS, *CLEAN[:5]])
    assert found == find_copies(CLEAN, Shelf([*ROWS, *CLEAN[:5]]))
    assert Contamination.model_validate_json(found.model_dump_json()) == found


def test_the_result_in_words():
    found = find_copies(CLEAN, [*ROWS, *CLEAN[:5]])
    said = found.said()
    assert (
        said[0] == f"Of 150 evaluation texts, {len(found.copied)} are copied in 605 rows that are trained on."
    )
    assert said[1].startswith(f"{len(found.neighbours)} more have a neighbour there; ")
    assert said[2] == (
        f"The thresholds are set by {found.stand_ins} of the rows, each looked for in the others, so that about 1% of "
        "clean texts pass them."
    )
    assert len(said) == 4
    assert said[3].startswith(
        "By the length of texts, the least score is: passage (share of runs of eight words), 0."
    )
    assert "; letters (cosine of runs of four letters), 0." in said[3]


def read(name: str, part: str) -> list[str]:
    if name == "gsm8k":
        with (DATA / "gsm8k" / f"{part}.jsonl").open(encoding="utf-8") as stream:
            return [json.loads(line)["question"] for line in stream]
    with (DATA / "banking77" / f"{part}.csv").open(encoding="utf-8", newline="") as stream:
        return [row["text"] for row in csv.DictReader(stream)]


@pytest.mark.parametrize("name", [pytest.param("banking77", marks=REAL), pytest.param("gsm8k", marks=REAL)])
def test_leaks_in_public_sets(name):
    """As they are, and inside a document of another set; no clean set is called copied."""
    rows, evals = read(name, "train"), read(name, "test")[:1000]
    others = read({"gsm8k": "banking77", "banking77": "gsm8k"}[name], "test")
    leaks = [*evals[:100], *(f"{others[at]} {evals[at]} {others[-at]}" for at in range(100, 200))]
    found = find_copies(evals, [*rows, *leaks])
    named = {hit.eval for hit in found.hits if hit.row == len(rows) + hit.eval}
    assert set(range(100)) <= set(found.copied)
    assert len(named & set(range(100, 200))) >= 95
    assert sum(at >= 200 for at in found.copied) <= 0.02 * 800
