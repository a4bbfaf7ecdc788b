"""Near duplicates: what near is, that what is found is near, and that little is missed."""

import csv
import random
import re
from collections.abc import Sequence
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path

import numpy as np
import pytest

from tunewright.core.errors import DataError
from tunewright.core.example import ask, make_document, make_example
from tunewright.core.message import Message
from tunewright.data.near import gathered, near_chains, near_groups, near_heads, signatures, similarity
from tunewright.data.near_shingles import letters_of, shingles_of, words_of
from tunewright.data.normal import plain_text
from tunewright.data.ops.drop_near_duplicates import DropNearDuplicates, judge, look
from tunewright.data.ops.op import Rows

BANKING = Path(__file__).parents[2].parent / "shared/data/banking77"
NINE = "one two three four five six seven eight nine"


def counts(*texts: str) -> list[int]:
    return np.diff(words_of(texts).starts).tolist()


@cache
def pairs_of(text: str) -> frozenset[tuple[str, ...]]:
    """The shingles, by other means."""
    words = re.findall(r"[a-z0-9]+", text.lower())
    return frozenset(pairwise(words)) or frozenset([tuple(words)])


def jaccard(one: str, other: str) -> float:
    a, b = pairs_of(one), pairs_of(other)
    return len(a & b) / len(a | b)


def some_texts(count: int, seed: int = 0) -> list[str]:
    """Texts of 5 to 20 words out of 60, one in five a copy of one before with a word or two changed."""
    rng = random.Random(seed)
    texts: list[str] = []
    for _ in range(count):
        words = [f"w{rng.randrange(60)}" for _ in range(rng.randint(5, 20))]
        if texts and rng.random() < 0.2:
            words = rng.choice(texts).split()
            for _ in range(rng.randint(0, 2)):
                words[rng.randrange(len(words))] = f"w{rng.randrange(60)}"
        texts.append(" ".join(words))
    return texts


class Shelf(Sequence[str]):
    """Texts that can be asked for by place alone."""

    def __init__(self, texts: list[str]) -> None:
        self._texts = texts

    def __len__(self) -> int:
        return len(self._texts)

    def __getitem__(self, at):
        assert isinstance(at, int)
        return self._texts[at]


def test_what_a_word_is():
    assert counts("Hello,  world!", "top-up", "don’t", "", "?!", "a > b", "-5") == [2, 2, 2, 0, 0, 3, 2]
    assert counts("你好吗", "ภาษา", "naïve", "नमस्ते", "e\u0301te\u0301") == [3, 4, 1, 1, 1]
    hashes = words_of(["Top-up ＦＥＥ", "top up fee", "pot"]).hashes.tolist()
    assert hashes[:3] == hashes[3:6]
    assert len(set(hashes)) == 4


@pytest.mark.parametrize(
    "text",
    ["Top-up, a-\tb -5 -x- \x1c\x00c", "", "  ", "-", "a" * 300 + " B\n\n(C) > 2_3", "x-", "?!", "\x7fa-b"],
)
def test_words_of_ascii_are_those_of_the_same_text_beside_others(text):
    alone, beside = words_of([text, text]), words_of([text, text, "é"])
    assert (
        alone.hashes.tolist()
        == beside.hashes[:-1].tolist()
        == words_of([plain_text(text)] * 2).hashes.tolist()
    )
    assert alone.starts.tolist() == beside.starts[:-1].tolist()
    for size in (1, 2, 3):
        runs = [shingles_of(words, size).hashes.tolist() for words in (alone, beside)]
        assert runs[0] == runs[1][:-1]


def test_runs_of_letters_pass_over_punctuation():
    plain = [plain_text(text) for text in ("Hi, (you)!", "hi you", "??", "a")]
    runs = letters_of(plain, 3)
    assert np.diff(runs.starts).tolist() == [6, 6, 0, 1]
    assert runs.hashes[:6].tolist() == runs.hashes[6:12].tolist()


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [
        (NINE, NINE.upper() + "!", 1),
        (NINE, NINE.replace("five", "5"), 6 / 10),
        (NINE, NINE + " ten", 8 / 9),
        ("yes", "Yes.", 1),
        ("yes", "yes please", 0),
        ("2 + 3", "2 - 3", 0),
        ("", "", 1),
        ("", "a", 0),
        ("?!", "...", 0),
        ((NINE, "yes"), (NINE, "no"), 0),
        ((NINE, "yes"), (NINE + " ten", "yes"), 8 / 9),
        ((NINE, "yes"), ("yes", NINE), 0),
        ((NINE,), (NINE, "yes"), 0),
    ],
)
def test_similarity(one, other, near):
    assert similarity(one, other) == pytest.approx(near)
    assert similarity(other, one) == similarity(one, other)


def test_groups_have_their_head_first_and_no_chains():
    chain = [NINE, NINE.replace("nine", "9"), NINE.replace("nine", "9").replace("one", "1")]
    texts = ["something else", chain[0], "Something  else.", chain[1], chain[2], "nothing of the kind"]
    assert [round(similarity(*pair), 2) for pair in combinations(chain, 2)] == [0.78, 0.6, 0.78]
    assert near_groups(texts, threshold=0.7) == [[0, 2], [1, 3]]
    assert near_groups(texts[::-1], threshold=0.7) == [[1, 2], [3, 5]]
    assert near_groups(texts, threshold=0.6) == [[0, 2], [1, 3, 4]]


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 0.9, 1])
def test_what_is_found_is_near_and_little_is_missed(threshold):
    texts = some_texts(800)
    heads = near_heads(texts, threshold=threshold)
    for at in np.flatnonzero(heads != np.arange(len(texts))):
        assert heads[at] < at
        assert heads[heads[at]] == heads[at]
        assert jaccard(texts[heads[at]], texts[at]) >= threshold
    near = [pair for pair in combinations(range(800), 2) if jaccard(*(texts[at] for at in pair)) >= threshold]
    missed = [(one, other) for one, other in near if heads[one] == one and heads[other] == other]
    assert len(near) > 50
    assert len(missed) <= 0.02 * len(near)


def test_equal_input_gives_equal_groups_and_texts_are_read_by_place():
    texts = some_texts(300, seed=1)
    groups = near_groups(texts, threshold=0.5)
    assert groups == near_groups(Shelf(texts), threshold=0.5)
    assert groups == sorted(groups)
    tupled = near_groups([(text,) for text in texts], threshold=0.5)
    assert groups == tupled


def test_very_many_of_one_kind():
    rng = random.Random(0)
    same = near_heads(["the same again and again"] * 30_000, threshold=0.9)
    assert not same.any()
    template = [f"order {rng.random()} was shipped on day {rng.random()} to you" for _ in range(5_000)]
    template.append(template[-1] + " today")
    heads = near_heads(template, threshold=0.9)
    assert heads[-1] == len(template) - 2
    assert (heads[:-1] == np.arange(len(template) - 1)).all()


def test_a_long_text_and_none():
    long = " ".join(str(at) for at in range(200_000))
    assert near_groups([long, "short", long + " end"], threshold=0.9) == [[0, 2]]
    assert near_groups([], threshold=0.9) == near_groups(["one"], threshold=0.9) == []


@pytest.mark.parametrize("threshold", [0, 0.29, 1.01, float("nan")])
def test_a_threshold_out_of_range_is_refused(threshold):
    with pytest.raises(DataError, match=r"a similarity between 0\.3 and 1"):
        near_groups(["a", "b"], threshold=threshold)


def row(question, answer, **fields):
    return make_example(ask(question, answer), fields=fields)


ROWS = [
    row(NINE, "a short answer to it", score=1),
    row("another question", "yes", score="2.5"),
    row(NINE + " ten", "a short answer to it indeed", score=3),
    row(NINE, "something different altogether", score=4),
]


def reasons(spec, rows):
    """Why each row goes, looked at in two pieces."""
    looks = map(look(spec), (rows[:1], rows[1:]))
    return list(judge(spec, looks, Rows({"rows": rows})))


def test_signatures_made_some_at_a_time_are_those_of_all():
    texts = [f"{NINE} {number} {number % 7}" for number in range(40)]
    pieces = [signatures(texts[at : at + 7], threshold=0.5) for at in range(0, 40, 7)]
    whole, found = signatures(texts, threshold=0.5), gathered(pieces, 40, threshold=0.5)
    assert all(np.array_equal(one, other) for one, other in zip(whole, found, strict=True))
    order = list(range(39, -1, -1))
    found.put_in_order(order)
    turned = signatures(texts[::-1], threshold=0.5)
    assert all(np.array_equal(one, other) for one, other in zip(turned, found, strict=True))


def test_chains_tie_what_heads_leave_apart():
    words = [f"w{number}" for number in range(40)]
    steps = [" ".join([*[f"new{other}" for other in range(at)], *words[at:]]) for at in range(0, 16, 2)]
    texts = [*steps, "nothing like these at all", *[f"{text} indeed" for text in steps]]
    assert near_chains(texts, threshold=0.8).tolist() == [0] * 8 + [8] + [0] * 8
    assert set(near_heads(texts, threshold=0.8).tolist()) > {0, 8}
    assert near_chains([], threshold=0.8).tolist() == []
    with pytest.raises(DataError, match=r"a similarity between 0\.3 and 1"):
        near_chains(["a"], threshold=0.1)


def test_hardly_any_near_texts_are_in_two_chains():
    rng = random.Random(3)
    texts = [" ".join(f"w{rng.randrange(500)}" for _ in range(20)) for _ in range(30)]
    for _ in range(270):
        edited = rng.choice(texts).split()
        edited[rng.randrange(20)] = f"w{rng.randrange(500)}"
        texts.append(" ".join(edited))
    shingles = [set(pairwise(text.split())) for text in texts]
    chains = near_chains(texts, threshold=0.7).tolist()
    near = [
        (one, other)
        for one, other in combinations(range(300), 2)
        if len(shingles[one] & shingles[other]) >= 0.7 * len(shingles[one] | shingles[other])
    ]
    parted = [pair for pair in near if chains[pair[0]] != chains[pair[1]]]
    assert len(near) > 300
    assert len(parted) <= len(near) // 100


@pytest.mark.parametrize(
    ("spec", "kept"),
    [
        (DropNearDuplicates(), [0, 1, 3]),
        (DropNearDuplicates(keep="longest_answer"), [1, 2, 3]),
        (DropNearDuplicates(keep="highest", field="score"), [1, 2, 3]),
        (DropNearDuplicates(keep="lowest", field="score"), [0, 1, 3]),
        (DropNearDuplicates(threshold=0.95), [0, 1, 2, 3]),
    ],
)
def test_the_best_of_near_rows_stays(spec, kept):
    reason = f"nearly the same as {ROWS[2 if 2 in kept else 0].place}"
    assert reasons(spec, ROWS) == [None if at in kept else reason for at in range(len(ROWS))]


def test_rows_that_differ_in_a_part_are_not_near():
    rows = [
        make_example(ask(NINE, "yes")),
        make_example(ask(NINE, "no")),
        make_example(ask(NINE, "yes", system="Be brief.")),
        make_example(ask(NINE, "yes"), rejected="no"),
        make_example(ask(NINE, "yes"), desirable=False),
        make_example((Message(role="system", content=NINE), Message(role="assistant", content="yes"))),
        make_example((Message(role="system", content="Go!"), Message(role="assistant", content="yes"))),
        make_document("yes"),
    ]
    assert reasons(DropNearDuplicates(threshold=0.3), rows) == [None] * len(rows)
    again = make_example(ask(NINE + "!", "Yes", system="Be  brief."))
    same = f"nearly the same as {rows[2].place}"
    assert reasons(DropNearDuplicates(), [*rows, again]) == [*[None] * len(rows), same]


@pytest.mark.parametrize("value", [None, "many", True, float("nan")])
def test_a_row_without_the_number_is_refused(value):
    rows = [row(NINE, "a", score=1), row(NINE, "a", score=value)]
    with pytest.raises(DataError, match="has no number in the field 'score'"):
        reasons(DropNearDuplicates(keep="highest", field="score"), rows)


@pytest.mark.parametrize("settings", [{"keep": "highest"}, {"field": "score"}])
def test_a_field_and_what_is_kept_go_together(settings):
    with pytest.raises(ValueError, match="need a `field`"):
        DropNearDuplicates(**settings)


@pytest.mark.realdata
@pytest.mark.skipif(not BANKING.is_dir(), reason="the public data sets are not beside the checkout")
def test_real_questions_with_planted_copies():
    """8 % of the words replaced, at least one, in questions of ten words or more."""
    with (BANKING / "train.csv").open(encoding="utf-8", newline="") as stream:
        texts = [row["text"] for row in csv.DictReader(stream)]
    rng = random.Random(0)
    vocabulary = [word for text in texts for word in text.split()]
    planted = rng.sample([at for at, text in enumerate(texts) if len(text.split()) >= 10], 500)
    copies = []
    for at in planted:
        words = texts[at].split()
        for place in rng.sample(range(len(words)), max(1, round(0.08 * len(words)))):
            words[place] = rng.choice(vocabulary)
        copies.append(" ".join(words))
    heads = near_heads([*texts, *copies], threshold=0.5)
    caught = [heads[len(texts) + number] == at for number, at in enumerate(planted) if heads[at] == at]
    assert len(caught) > 300  # the other originals are near a text before them, and their copies need not be
    assert np.mean(caught) >= 0.97
