"""Whatever tells of rows shows them as excerpts: nothing personal, nothing hidden, no long line."""

import pytest
from looked import row

from tunewright.data.audit.audit import audit
from tunewright.data.audit.whole import whole_audit
from tunewright.data.coverage import Line, coverage
from tunewright.data.embedding import embed
from tunewright.data.embedding_spec import EmbeddingSpec
from tunewright.data.excerpt import excerpt

MAIL = "anna.miller@mail.example"


def test_coverage_shows_no_personal_data(tmp_path):
    lines = [Line(f"r.csv:{n}", f"Please write to {MAIL}, parcel {n}", f"for {MAIL}") for n in range(20)]
    asked = [Line(f"t.csv:{n}", f"Garden chairs to {MAIL}, {n}") for n in range(40)]
    found = coverage(lines, lambda texts: embed(texts, EmbeddingSpec(), tmp_path), against=asked)
    assert MAIL not in found.model_dump_json()
    assert found.unlike[0].text.startswith("Please write to [EMAIL], parcel")
    assert found.balance.labels[0].label == "for [EMAIL]"


def labelled(*counts):
    return [row(f"What is {label} {n}?", label) for label, count in counts for n in range(count)]


@pytest.mark.parametrize(
    "rows",
    [
        labelled((f"to {MAIL}", 40), (f"To {MAIL}", 3), ("refund", 20)),
        labelled((f"to {MAIL}", 90), ("refund", 2)),
        [*labelled(("refund", 60)), *(row("The same?", f"{n} to {MAIL}") for n in range(2))],
    ],
)
def test_no_finding_tells_personal_data_of_labels(rows):
    parts = {"train": rows, "dev": [row("Which?", f"other {MAIL}")] * 2}
    for found in (whole_audit(parts), audit(parts)):
        told = found.model_dump(mode="json")
        told.pop("labels") if found.__class__.__name__ == "Audit" else None
        assert MAIL not in str(told)


def test_a_label_that_is_a_first_name_is_told_and_a_whole_name_is_not():
    parts = {"train": labelled(("Julia", 40), ("julia", 3), ("Python", 5), ("John Smith", 5))}
    found = whole_audit(parts)
    assert {row.value for row in found.labels[0].rows} == {"Julia", "julia", "Python", "[PERSON]"}
    twin = next(finding for finding in found.findings if finding.kind == "label_twin")
    assert twin.message.endswith(": 'Julia' and 'julia'.")
    assert "'julia': 'Julia'" in twin.recipe


def test_what_mends_twins_is_told_where_it_tells_nothing():
    def recipe(*counts):
        found = whole_audit({"all": labelled(*counts)}, kinds=["label_twin"]).findings
        return [(one.message.partition(": ")[2], one.recipe) for one in found]

    ((said, open_),) = recipe(("delivery", 40), ("Delivery", 3), ("refund", 20))
    assert said == "'delivery' and 'Delivery'."
    assert "'Delivery': 'delivery'" in open_
    assert recipe((f"to {MAIL}", 40), (f"To {MAIL}", 3), ("refund", 20)) == [
        ("'to [EMAIL]' and 'To [EMAIL]'.", "")
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", ""),
        ("😀🎉", "😀🎉"),
        ("שלום مرحبا", "שלום مرحبا"),
        ("a\u202eb", "a⟨202E⟩b"),
        ("x" * 200, "x" * 140 + " …"),
    ],
)
def test_an_excerpt_is_one_short_line(text, said):
    assert excerpt(text) == said
