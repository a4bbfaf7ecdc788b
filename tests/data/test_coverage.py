"""What rows are about, and what of traffic they do not know."""

import random
from functools import partial

import numpy as np
import pytest

from tunewright.core.errors import DataError
from tunewright.data.clusters import cluster_count, clustered, naming_words, nearest
from tunewright.data.coverage import Line, coverage
from tunewright.data.embedding import embed
from tunewright.data.embedding_spec import EmbeddingSpec

TOPICS = {
    "password": ("reset", "password", "login", "account", "forgotten", "email"),
    "parcel": ("parcel", "arrived", "delivery", "tracking", "courier", "late"),
    "invoice": ("invoice", "amount", "payment", "charged", "refund", "tax"),
    "garden": ("roses", "watering", "soil", "seeds", "pruning", "hedge"),
}
FRAMES = ("my {} {}", "about {} {}", "{} {} please", "{} and {}")


def asked(topic, count, seed=0, start=1):
    """Questions on a topic: some of its words in a frame."""
    chance = random.Random(f"{topic} {seed}")
    words = TOPICS[topic]
    lines = []
    for at in range(count):
        first, *others = chance.sample(words, chance.randint(3, 5))
        text = chance.choice(FRAMES).format(first, " ".join(others))
        lines.append(Line(f"rows:{start + at}", text, topic))
    return lines


ROWS = [*asked("password", 120), *asked("parcel", 80), *asked("invoice", 40)]
place = partial(embed, spec=EmbeddingSpec(dimensions=64))


def test_clusters_are_told_with_words_labels_and_examples():
    found = coverage(ROWS, place, clusters=3)
    assert [(cluster.rows, cluster.labels[0].label) for cluster in found.clusters] == [
        (120, "password"),
        (80, "parcel"),
        (40, "invoice"),
    ]
    for cluster in found.clusters:
        assert set(cluster.words) <= set(TOPICS[cluster.labels[0].label])
        assert len(cluster.examples) == 3
    assert found.balance is not None
    assert [(one.label, one.rows) for one in found.balance.labels] == [
        ("password", 120),
        ("parcel", 80),
        ("invoice", 40),
    ]
    assert found.balance.effective == pytest.approx(2.75, abs=0.01)
    assert (found.traffic, found.missed, found.gaps) == (None, 0, ())


def test_a_row_unlike_the_rest_is_told_first():
    odd = Line("rows:999", "Zebras gallop over frozen volcanic islands", "parcel")
    found = coverage([*ROWS, odd, Line("rows:1000", "…", "parcel")], place)
    assert found.unlike[0].place == "rows:999"
    assert (found.rows, found.blank) == (242, 1)


def test_what_only_traffic_asks_is_a_gap_with_rows_to_add():
    traffic = [*asked("password", 60, 1), *asked("parcel", 60, 1), *asked("garden", 60, 1)]
    found = coverage(ROWS, place, against=traffic)
    assert found.traffic == 178  # two were asked twice
    assert found.gaps
    told = {word for gap in found.gaps for word in gap.words}
    assert set(TOPICS["garden"]) & told
    assert not told & {word for topic in ("password", "parcel", "invoice") for word in TOPICS[topic]}
    missed = sum(gap.missed for gap in found.gaps)
    assert 45 <= missed <= 60
    assert sum(gap.add for gap in found.gaps) >= 240 * missed // 178
    assert all(
        set(shown.text.split()) & set(TOPICS["garden"]) for gap in found.gaps for shown in gap.examples
    )


@pytest.mark.parametrize("seed", range(4))
def test_traffic_like_the_rows_has_no_gap(seed):
    traffic = [
        *asked("password", 60, seed + 5),
        *asked("parcel", 40, seed + 5),
        *asked("invoice", 20, seed + 5),
    ]
    assert coverage(ROWS, place, against=traffic, seed=seed).gaps == ()


def test_one_question_asked_often_is_one():
    found = coverage(
        ROWS, place, against=[Line(f"t:{at}", "Zebras gallop  over Islands") for at in range(500)]
    )
    assert (found.traffic, found.gaps) == (1, ())


def test_free_answers_have_no_balance():
    lines = [line._replace(label=f"{line.text} is so") for line in ROWS]
    found = coverage(lines, place)
    assert found.balance is None
    assert all(cluster.labels == () for cluster in found.clusters)
    assert coverage([line._replace(label=None) for line in ROWS], place).balance is None


def test_too_few_rows():
    with pytest.raises(DataError) as caught:
        coverage([*ROWS[:9], Line("a", "")], place)
    assert (
        str(caught.value)
        == "9 rows say something, and it takes 10 to see what rows are about. Give more rows."
    )


def test_all_rows_the_same():
    found = coverage([Line(str(at), "the same question", "a") for at in range(30)], place)
    assert [cluster.rows for cluster in found.clusters] == [30]
    assert len(found.clusters[0].examples) == 1


def points(*counts, spread=0.1):
    random = np.random.default_rng(0)
    centres = np.eye(len(counts), 6)
    found = np.concatenate(
        [
            centre + spread * random.standard_normal((count, 6))
            for centre, count in zip(centres, counts, strict=True)
        ]
    )
    return (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)


def test_clusters_come_the_largest_first():
    found = clustered(points(10, 60, 30), 3)
    assert np.bincount(found.labels).tolist() == [60, 30, 10]
    assert (found.cosines > 0.8).all()
    assert np.array_equal(found.labels, clustered(points(10, 60, 30), 3).labels)


def test_more_clusters_than_points():
    assert len(clustered(points(2, 1), 9).centres) == 3
    assert [cluster_count(rows) for rows in (1, 2, 50, 200, 10**6)] == [1, 1, 5, 10, 50]


def test_the_nearest_other():
    vectors = points(3000, 2000)
    found = nearest(vectors, vectors[::2], at=np.arange(0, 5000, 2))
    assert (found.cosines < 1 - 1e-6).mean() > 0.99
    wanted = vectors[:50] @ vectors[::2].T
    wanted[np.arange(0, 50, 2), np.arange(25)] = -2
    assert np.array_equal(found.places[:50], wanted.argmax(1))
    assert nearest(vectors[:2], vectors[:0]).cosines.tolist() == [-2, -2]


def test_words_that_name_are_of_the_cluster_and_not_of_all():
    texts = [
        "where is the red car of mine",
        "the red car again",
        "where is the blue ship of mine",
        "the blue ship again",
    ]
    assert naming_words(texts, [0, 0, 1, 1], 2, words=2) == [("car", "red"), ("blue", "ship")]
    assert naming_words(["包裹在哪里", "密码忘记了"], [0, 1], 2, words=1)[0][0] in "包裹在哪里"
