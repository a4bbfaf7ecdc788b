"""What the audit finds odd about labels, lengths, languages, the number of rows, and rows unlike the rest."""

import pytest
import yaml
from looked import found, row
from pydantic import TypeAdapter
from worked import worked

from tunewright.data.audit.kinds import KINDS
from tunewright.data.audit.labels import label_oddities
from tunewright.data.audit.languages import Languages, detector
from tunewright.data.audit.lengths import Histogram, Lengths, histogram
from tunewright.data.audit.rows import row_oddities
from tunewright.data.audit.seen import Scope
from tunewright.data.audit.unlike import Unlike
from tunewright.data.labels import label_tables
from tunewright.data.ops import RecipeOp
from tunewright.data.ops.map import each

OP = TypeAdapter(RecipeOp)


def of_labels(*counted):
    rows = [row(f"{label} {n}", label) for label, count in counted for n in range(count)]
    return list(label_oddities(label_tables({"train": rows}), [Scope("train", len(rows))])), rows


def test_labels_spelt_in_several_ways():
    (twins,), rows = of_labels(
        ("Refund", 20), ("delivery", 10), ("refund", 2), ("Refunds", 1), ("delivrey", 1)
    )
    assert twins.message == (
        "3 values look like another way to spell a more frequent one: 'Refund' and 'refund'; 'Refund' and 'Refunds';"
        " 'delivery' and 'delivrey'."
    )
    mend = each(OP.validate_python(yaml.safe_load(twins.recipe)))
    assert {mend(one).example.expected for one in rows} == {"Refund", "delivery"}


def test_labels_that_differ_are_no_twins():
    assert (
        of_labels(("card_arrival", 9), ("card_arrived", 9), ("v10", 9), ("v11", 1), ("1.5", 9), ("15", 9))[0]
        == []
    )


def test_uneven_labels():
    (mostly,), rows = of_labels(("spam", 90), ("ham", 10))
    assert (mostly.kind, mostly.severity) == ("imbalance", None)
    mended = worked([OP.validate_python(yaml.safe_load(mostly.recipe))], rows).kept
    assert list(label_oddities(label_tables({"train": mended}), [Scope("train", len(mended))])) == []
    (uneven,), _ = of_labels(("a", 100), ("b", 90), ("c", 2))
    assert (uneven.severity, uneven.message) == (
        "info",
        "labels of rows of train stand in 2 ('c') to 100 ('a').",
    )


def test_lengths():
    rows = [row("q" * (50 + n), "a" * 20, number=n) for n in range(60)] + [row("w" * 5000, number=99)]
    check = Lengths(rows)
    assert found(check, rows, "train") == [
        (
            "long_row",
            "info",
            1,
            "1 of 61 rows of train (1.6%) have an input of more than 438 characters; half have at most 80, the longest has"
            " 5,000.",
        )
    ]
    (far,) = check.found(Scope("train", 61))
    assert far.hits.shown[0].place == "rows.csv:99"
    assert OP.validate_python(yaml.safe_load(far.recipe)).chars == 129
    assert check.histograms("train")[1] == Histogram(
        part="train", what="answer", edges=(5, 10, 20, 50), counts=(1, 0, 60)
    )


def test_a_histogram_of_nothing_and_of_the_longest():
    assert histogram("all", "input", []).counts == ()
    assert histogram("all", "input", [200_000]).edges == (100_000, 200_001)


def test_too_few_rows_by_method():
    def told(rows, method):
        return [one.message for one in row_oddities(Scope("train", rows), method, trained=True, tested=False)]

    assert told(8, "sft") == [
        "8 rows of train are few to train by sft: hosted services refuse fewer than 10, and below 50 a fine-tune"
        " seldom beats a good prompt with examples."
    ]
    assert told(60, "sft") == told(100, "dpo") == told(3, "cpt") == told(60, None) == []
    assert len(told(60, "dpo")) == 1
    (few,) = row_oddities(Scope("test", 25), "sft", trained=False, tested=True)
    assert few.message == "25 rows of test are few to measure on: a score is known to ±20 points."


def test_rows_unlike_the_rest():
    rows = [
        row(f"When does parcel {n % 7} come to my house in the town?", f"It comes on day {n % 5}.")
        for n in range(80)
    ]
    strange = row("flux capacitor gigawatt delorean quantum entanglement", "Zyzzyva quixotic.", number=77)
    check = Unlike([*rows, strange])
    assert [count for _, _, count, _ in found(check, [*rows, strange])] == [1]
    assert found(Unlike(rows), rows) == []


def test_languages():
    detect = detector()
    if detect is None:
        pytest.skip("needs the extra language")
    english = [
        row(
            f"When will the parcel number {n} come to my house, please?",
            f"It will come to you on the day {n} of May.",
        )
        for n in range(40)
    ]
    german = [
        row(
            f"Wann kommt denn endlich mein Paket mit der Nummer {n} bei mir an?",
            f"Es kommt am {n}. Mai bei Ihnen an.",
        )
        for n in range(3)
    ]
    mixed = [
        row(
            f"What about the lamp {n} that I bought from you last week?",
            "Die Lampe kommt morgen zu Ihnen nach Hause.",
        )
        for n in range(2)
    ]
    rows = [*english, *german, *mixed]
    assert [(kind, count) for kind, _, count, _ in found(Languages(detect, rows), rows)] == [
        ("other_language", 3),
        ("answer_language", 2),
    ]
    assert found(Languages(detect, english), english) == []


def test_every_operation_that_mends_is_one():
    for known in KINDS.values():
        if known.recipe:
            OP.validate_python(yaml.safe_load(known.recipe))
