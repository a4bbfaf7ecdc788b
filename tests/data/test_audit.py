import json

from worked import worked

from tunewright.core.example import Origin, ask, make_example
from tunewright.data.audit.audit import _KINDS, Audit, Pair, audit
from tunewright.data.audit.kinds import KINDS
from tunewright.data.labels import LabelRow, LabelTable
from tunewright.data.lengths import LengthRow
from tunewright.data.ops.balance import Balance
from tunewright.data.ops.drop_duplicates import DropDuplicates
from tunewright.data.ops.max_chars import MaxChars

LEAK = "ask what a row of train asks: scores on dev would flatter."
CONTRADICTION = "ask what another row asks and are answered differently (1 inputs)."


def row(question, answer):
    return make_example(ask(question, answer))


def brief(found):
    return [(f.kind, f.severity, f.part, f.count, f.message) for f in found.findings]


def test_leaks_duplicates_contradictions_and_empty_answers():
    first, again, other = (
        row("Where is it?", "here"),
        row("where  is IT?", "Here"),
        row("where is it?", "there"),
    )
    nothing, fine = row("q", "..."), row("r", "fine")
    found = audit({"train": [first, again, fine], "dev": [other, fine], "test": [nothing]})
    assert brief(found) == [
        ("leak", "error", "dev", 2, f"2 of 2 rows (100.0%) of dev {LEAK}"),
        ("duplicate_across", "error", None, 1, "1 of 6 rows (16.7%) stand in an earlier part as well, answer and all."),
        ("contradiction", "warning", None, 3, f"3 of 6 rows (50.0%) {CONTRADICTION}"),
        ("duplicate", "warning", "train", 1, "1 of 3 rows (33.3%) of train repeat an earlier row of it."),
        ("trivial_answer", "warning", "test", 1, "1 of 1 rows (100.0%) of test answer nothing ('...')."),
    ]  # fmt: skip
    assert found.leaks == (other.id, fine.id)
    assert found.findings[3].examples == (again.id,)
    assert found.findings[3].mend == "recipe: drop_duplicates"
    assert found.contradictions == (
        Pair(first=first.id, second=other.id, input="Where is it?", answers=("here", "there")),
    )
    assert found.rows == {"train": 3, "dev": 2, "test": 1}
    assert Audit.model_validate_json(found.model_dump_json()) == found


def test_rows_that_balance_repeated_are_no_duplicates():
    rows = [row(f"a {n}", "a") for n in range(8)] + [row("b 1", "b"), row("B 1", "b")]
    done = worked([Balance(least=4)], rows)
    assert len(done.kept) == 12
    (found,) = audit({"train": done.kept}, deep=True).findings[:1]
    assert (found.kind, found.count, found.examples) == ("duplicate", 1, (rows[-1].id,))
    backwards = audit({"train": done.kept[::-1]}).findings  # a repetition may stand before its row
    assert [(one.kind, one.count) for one in backwards[:1]] == [("duplicate", 1)]
    own = [row("q", "a").model_copy(update={"fields": {"repeat": 1}}) for _ in range(2)]
    assert [finding.kind for finding in audit({"all": own}).findings] == ["duplicate"]


def test_shares_of_a_data_set_that_is_not_split():
    rows = [row(f"question {n}", f"answer {n}") for n in range(2999)]
    found = audit({"all": [*rows, rows[0]]})
    assert [one.message for one in found.findings] == [
        "1 of 3,000 rows (under 0.1%) repeat an earlier row of it."
    ]


def test_what_the_recipe_dropped_is_told():
    rows = [
        row("q", "a").model_copy(update={"origin": Origin(source="s", file="rows.csv", row=at)})
        for at in range(2, 7)
    ]
    done = worked([DropDuplicates(), MaxChars(chars=9)], rows)
    found = audit({"all": done.kept}, done.steps)
    message = "drop_duplicates dropped 4 of 5 rows (80.0%) and kept 1; the first is rows.csv:3: the same as rows.csv:2."
    assert brief(found) == [("dropped", "info", None, 4, message)]
    assert found.findings[0].places == ("rows.csv:3", "rows.csv:4", "rows.csv:5")
    assert found.findings[0].examples == ()


def test_an_audit_that_was_stored_before_places_were_told_reads():
    found = audit({"train": [row("q", "...")]})
    stored = found.model_dump(mode="json")
    del stored["findings"][0]["places"]
    assert Audit.model_validate(stored) == found


def test_a_leak_is_the_question_and_a_contradiction_the_whole_prompt():
    def told(system, answer):
        return make_example(ask("Don’t go?", answer, system=system))

    first, other = row("don't go?", "yes"), row("Don't go?", "no")
    found = audit({"train": [first], "dev": [told("In French.", "non")], "test": [told("In Czech.", "ne")]})
    assert [(f.kind, f.part, f.count) for f in found.findings] == [("leak", "dev", 1), ("leak", "test", 1)]
    assert found.contradictions == ()
    assert [p.second for p in audit({"train": [first, other]}).contradictions] == [other.id]


def test_labels():
    train = [row(f"q{at}", "yes") for at in range(6)] + [row("n", "no")]
    test = [row("a", "maybe"), row("b", "yes")]
    found = audit({"train": train, "test": test})
    assert found.labels == (
        LabelTable(
            field=None,
            rows=(
                LabelRow(value="yes", counts={"train": 6, "test": 1}, example=train[0].id),
                LabelRow(value="maybe", counts={"train": 0, "test": 1}, example=test[0].id),
                LabelRow(value="no", counts={"train": 1, "test": 0}, example=train[6].id),
            ),
        ),
    )
    assert brief(found) == [
        ("unseen_label", "warning", None, 1, "1 value stands in dev or test alone: maybe."),
        ("rare_label", "info", None, 1, "1 value stands in fewer than 5 rows of train: no."),
    ]


def test_fields_of_json_answers():
    answers = [{"id": at, "to": {"kind": "ab"[at % 2]}, "tags": ["t"] * (at % 3)} for at in range(10)]
    answers[0]["urgent"] = True
    found = audit({"all": [row(f"q{at}", json.dumps(answer)) for at, answer in enumerate(answers)]})
    tables = {table.field: [(r.value, r.counts["all"]) for r in table.rows] for table in found.labels}
    assert tables == {
        "to.kind": [("a", 5), ("b", 5)],
        "tags[]": [("t", 9)],
        "urgent": [("(absent)", 9), ("true", 1)],
    }


def test_free_text_has_no_labels_and_lengths_are_in_characters():
    rows = [row("q" * size, "a" * (100 - size)) for size in range(1, 101) if size < 100]
    found = audit({"all": rows, "none": []})
    assert found.labels == ()
    assert found.lengths == (
        LengthRow(part="all", what="input", min=1, median=50, p95=95, max=99, longest=rows[-1].id),
        LengthRow(part="all", what="answer", min=1, median=50, p95=95, max=99, longest=rows[0].id),
    )
    assert found.findings == ()


def test_every_kind_that_it_tells_is_described():
    assert set(_KINDS) <= set(KINDS)
