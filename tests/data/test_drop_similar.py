"""Rows that mean the same: the best stays, and the reason names it."""

from pathlib import Path

import numpy as np
import pytest
from worked import worked

from tunewright.core.errors import DataError
from tunewright.core.example import Origin, ask, make_document, make_example
from tunewright.data.ops.drop_similar import DropSimilar, apply
from tunewright.data.ops.op import FilesOnly, Rows
from tunewright.data.similar import Part, numbered, similar_heads

THINGS = [
    "lamp",
    "kettle",
    "radio",
    "clock",
    "chair",
    "phone",
    "bag",
    "table",
    "sofa",
    "mirror",
    "carpet",
    "bottle",
]
OTHERS = [(f"Tell me about the {thing} that you sell.", f"The {thing} is a fine one.") for thing in THINGS]


def row(number, asked, answer, system=None, **fields):
    origin = Origin(source="rows", file="rows.csv", row=number)
    return make_example(ask(asked, answer, system=system), fields=fields, origin=origin)


def rows(*pairs):
    return [row(number, *pair) for number, pair in enumerate([*pairs, *OTHERS], 1)]


SAME = (
    ("How do I verify my source of funds?", "verification"),
    ("How can I verify my source of funds?", "verification"),
)


def test_the_first_of_rows_that_mean_the_same_stays():
    found = worked([DropSimilar(threshold=0.8)], rows(*SAME))
    assert found.dropped == [("rows.csv:2", "means the same as rows.csv:1")]


def test_another_answer_or_other_instructions_keep_a_row():
    other = (SAME[0], (SAME[1][0], "something quite different is said here"))
    assert worked([DropSimilar(threshold=0.8)], rows(*other)).dropped == []
    told = [*rows(SAME[0]), row(20, *SAME[1], system="Answer in German.")]
    assert worked([DropSimilar(threshold=0.8)], told).dropped == []


def test_questions_alone():
    other = (SAME[0], (SAME[1][0], "something quite different is said here"))
    found = worked([DropSimilar(threshold=0.8, compare="questions")], rows(*other))
    assert found.dropped == [("rows.csv:2", "means the same as rows.csv:1")]


def test_the_best_by_a_field():
    scored = [
        row(1, *SAME[0], score=0.2),
        row(2, *SAME[1], score="0.9"),
        *(row(9, *pair, score=1) for pair in OTHERS),
    ]
    found = worked([DropSimilar(threshold=0.8, keep="highest", field="score")], scored)
    assert found.dropped == [("rows.csv:1", "means the same as rows.csv:2")]
    with pytest.raises(DataError) as caught:
        worked([DropSimilar(keep="lowest", field="rank")], scored)
    assert str(caught.value) == (
        "recipe.drop_similar.field: the row rows.csv:1 has no number in the field 'rank'; its fields are score."
        " Name a field that holds a number in every row, or keep: first."
    )


def test_documents_and_no_rows():
    texts = ["The parcel came late and the box was torn.", "The parcel came late, and the box was torn."]
    documents = [make_document(text) for text in [*texts, *(text for pair in OTHERS for text in pair)]]
    found = worked([DropSimilar(threshold=0.8)], documents)
    assert found.dropped == [(f"example {documents[1].id}", f"means the same as example {documents[0].id}")]
    assert list(apply(DropSimilar(), Rows({"rows": []}), FilesOnly(Path()))) == []


def test_equal_rows_are_similar_whatever_they_say():
    twice = [row(1, "…", "?"), row(2, "…", "?")]
    assert worked([DropSimilar(threshold=1)], twice).dropped == [
        ("rows.csv:2", "means the same as rows.csv:1")
    ]


def test_too_many_rows_are_told_with_the_way_out():
    class Many(Rows):
        def __len__(self):
            return 200_001

    with pytest.raises(
        DataError, match=r"200,001 rows, and every pair of up to 200,000 can be compared. Put drop_near"
    ):
        list(apply(DropSimilar(), Many({}), FilesOnly(Path())))


def by_hand(vectors, order, threshold):
    heads = {}
    for at in order:
        near = [
            other for other in heads if heads[other] == other and vectors[at] @ vectors[other] >= threshold
        ]
        heads[at] = near[0] if near else at
    return heads


def test_every_pair_is_compared_and_no_chain_is_followed():
    random = np.random.default_rng(0)
    centres = random.standard_normal((200, 8))
    vectors = (centres[random.integers(0, 200, 3000)] + 0.35 * random.standard_normal((3000, 8))).astype(
        np.float32
    )
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    order = random.permutation(3000)
    found = similar_heads([Part(np.arange(3000), vectors)], order, 0.9)
    wanted = by_hand(vectors.astype(np.float64), order.tolist(), 0.9 - 1e-5)
    assert [order[head] for head in found] == [wanted[at] for at in order.tolist()]
    assert 0 < (found != np.arange(3000)).sum() < 3000


def test_texts_are_numbered_by_first_appearance():
    one, two = numbered([("A b", "x"), ("a  B", "y"), ("c", "x")])
    assert (one.numbers.tolist(), one.firsts.tolist()) == ([0, 0, 1], [0, 2])
    assert (two.numbers.tolist(), two.firsts.tolist()) == ([0, 1, 0], [0, 1])
