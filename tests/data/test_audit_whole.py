"""The whole audit: findings of all kinds with their examples, nothing personal shown, kinds chosen."""

import sys
from typing import get_args

import pytest
from looked import row

from tunewright.data.audit import whole
from tunewright.data.audit.audit import _KINDS, Kind
from tunewright.data.audit.kinds import KINDS, costs
from tunewright.data.audit.whole import WholeAudit, whole_audit
from tunewright.data.examples import Examples, write_examples
from tunewright.data.excerpt import excerpt

KEY = "hf_abcdefghijklmnopqrstuvwxyzABCDEFGH"
PLAIN = [
    row(
        f"How do I clean the kettle number {n} of the kind {n * 7919 % 1000}?",
        f"With water, {n} times.",
        number=n + 1,
    )
    for n in range(60)
]


def brief(found):
    return [(one.kind, one.severity, one.part, one.count) for one in found.findings]


def test_plain_rows_have_nothing_odd():
    found = whole_audit({"all": PLAIN})
    assert found.findings == ()
    assert found.holds("info")
    assert found.rows == {"all": 60}


def test_findings_come_the_worst_first_with_what_stands_there():
    again, echo = (
        row(PLAIN[0].input_text, PLAIN[0].expected, number=70),
        row("Say it back", "say it back", number=71),
    )
    secret = row(f"Why does {KEY} not work for me?", number=72)
    found = whole_audit({"all": [*PLAIN, again, echo, secret]})
    assert brief(found) == [
        ("secret", "error", "all", 1),
        ("duplicate", "warning", "all", 1),
        ("echo_answer", "warning", "all", 1),
        ("unlike_row", "info", "all", 1),
    ]
    told, duplicate, echoed, _ = found.findings
    assert [(one.place, one.excerpt) for one in told.examples] == [("rows.csv:72", "")]
    # a duplicate's id is the first row's
    assert duplicate.examples[0].excerpt == f"{again.input_text} → {again.expected}"
    assert (echoed.mend, echoed.examples[0].place) == ("Leave them out.", "rows.csv:71")
    assert not found.holds()
    assert WholeAudit.model_validate_json(found.model_dump_json()) == found


def test_nothing_personal_is_shown_with_any_finding():
    rows = [
        row(f"Mail anna.miller@mail.example {KEY}", f"Mail anna.miller@mail.example {KEY}", number=n)
        for n in (1, 2)
    ]
    said = whole_audit({"all": [*PLAIN, *rows]}).model_dump_json()
    assert "anna.miller" not in said
    assert KEY[:8] not in said
    assert "[EMAIL]" in said


def test_an_excerpt_hides_what_its_edge_cuts():
    text = f"{'a ' * 60}write to anna.miller@mail.example now"
    assert excerpt(text)[:140] == "a " * 60 + "write to [EMAIL] …"
    assert excerpt("x " * 100 + KEY, 200 + 10) == f"… {'x ' * 10}[SECRET]"
    assert excerpt("one\n\u202etwo\x00") == "one ⟨202E⟩two⟨0000⟩"


def test_kinds_are_chosen():
    rows = [*PLAIN, row("Say it back", "say it back"), row(f"Why does {KEY} not work?")]
    assert brief(whole_audit({"all": rows}, kinds=["echo_answer"])) == [("echo_answer", "warning", "all", 1)]


def test_what_kinds_cost():
    every = {"told", "read", "compared", "personal", "near", "close", "tokens", "languages"}
    assert costs(None) == every
    assert costs(frozenset({"secret", "html"})) == {"personal", "read"}


ODD = [
    *PLAIN,
    *(
        row(f"Is it {n} or <b>{n}</b>, Anna Miller?", "refund" if n % 9 else "Refund.", number=n)
        for n in range(80, 140)
    ),
    *(row("Say it back", "say it back", number=n) for n in (150, 151)),
    row("Say it back", "no", number=152),
    row(f"Why does {KEY} not work for anna@mail.example?", "n/a", number=153),
    row("w " * 9000, "```\ncut", number=154),
]


def test_each_kind_by_itself_finds_what_all_together_find():
    found = whole_audit({"all": ODD}).findings
    kinds = {one.kind for one in found}
    assert len(kinds) > 8
    for kind in kinds:
        alone = whole_audit({"all": ODD}, kinds=[kind]).findings
        assert alone == tuple(one for one in found if one.kind == kind)


@pytest.mark.parametrize(
    ("kind", "spent"),
    [
        ("html", {"audit.signs"}),
        ("few_rows", set()),
        ("secret", {"redact.secrets"}),
        ("personal_data", {"redact.secrets", "redact.people"}),
        ("duplicate", {"keyed"}),
        ("near_duplicate", {"near"}),
        ("long_row", {"audit.lengths"}),
    ],
)
def test_what_other_kinds_take_is_not_spent(kind, spent):
    known = {
        "audit.signs",
        "audit.lengths",
        "redact.secrets",
        "redact.people",
        "keyed",
        "near",
        "contamination",
    }
    called = set()
    rows = [row(f"What is Anna's number {n}?", f"It is {n}.") for n in range(99)]
    sys.setprofile(
        lambda frame, event, _: called.add((frame.f_globals.get("__name__"), frame.f_code.co_name))
    )
    try:
        whole_audit({"all": rows}, kinds=[kind])
    finally:
        sys.setprofile(None)
    looked = {name for name, function in called if function != "__init__" and function[0] != "<"}
    assert {name for name in known if f"tunewright.data.{name}" in looked} == spent


def test_rows_of_a_file_give_the_same(tmp_path):
    rows = [*PLAIN, row("Say it back", "say it back", number=71), row("w " * 9000, number=72)]
    write_examples(tmp_path / "rows.jsonl", rows)
    assert whole_audit({"all": Examples(tmp_path / "rows.jsonl")}) == whole_audit({"all": rows})


def test_empty_parts_are_no_trouble():
    found = whole_audit({"train": PLAIN, "dev": [], "test": PLAIN[:1]}, method="sft")
    assert [(one.kind, one.part) for one in found.findings] == [
        ("leak", "test"),
        ("duplicate_across", None),
        ("few_test_rows", "test"),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_says_what_it_is_and_what_mends_it(kind):
    known = KINDS[kind]
    assert known.title
    assert known.mend.endswith(".")
    assert known.recipe == "" or known.recipe.startswith("{op: ")


def test_all_that_the_comparison_finds_is_known():
    assert set(get_args(Kind)) <= set(KINDS)
    assert {kind: KINDS[kind].severity for kind in get_args(Kind)} == {
        kind: one[0] for kind, one in _KINDS.items()
    }


def test_of_many_rows_evenly_drawn_ones_are_looked_at_for_personal_data(monkeypatch):
    rows = [
        row(f"Why does {KEY} fail at door {n}?", "It is old.", number=n)
        if n % 4 == 0
        else row(f"Where is the parcel number {n}?", f"At door {n}.", number=n)
        for n in range(400)
    ]
    parts = {"train": rows[:320], "dev": [], "test": rows[320:]}

    def look(**more):
        found = whole_audit(parts, deep=False, **more)
        personal = [
            one for one in found.findings if one.kind in ("secret", "personal_data", "near_duplicate")
        ]
        return [(one.kind, one.part, one.count, one.message) for one in personal], found.notes

    every = [
        ("secret", "train", 80, "80 of 320 rows of train hold keys, tokens or passwords."),
        ("secret", "test", 20, "20 of 80 rows of test hold keys, tokens or passwords."),
    ]
    assert look(kinds=["secret"]) == (
        every,
        (
            "personal data and secrets were looked for in 400 of 400 rows (100%), evenly drawn:"
            " `tunewright data audit` looks at all",
        ),
    )
    monkeypatch.setattr(whole, "PERSONAL_CHARS", sum(m.chars for one in rows for m in one.messages) / 5)
    told, notes = look()
    words = "rows of {} hold keys, tokens or passwords ({} evenly drawn ones of {} were looked at)."
    assert told == [
        ("secret", "train", 15, f"15 of 59 {words.format('train', 59, 320)}"),
        ("secret", "test", 4, f"4 of 14 {words.format('test', 14, 80)}"),
    ]
    assert notes[0] == (
        "personal data and secrets were looked for in 73 of 400 rows (18%), evenly drawn; near duplicates were"
        " not looked for: `tunewright data audit` looks at all"
    )
    assert look(kinds=["echo_answer"]) == ([], ())
