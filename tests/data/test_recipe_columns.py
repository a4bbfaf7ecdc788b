"""Columns of recipes: what operations say of them beforehand is what they then do."""

from pathlib import Path

import pytest
from worked import worked

from tunewright.core.example import Example, Origin, ask, make_document, make_example
from tunewright.data.ops import RecipeOp
from tunewright.data.ops.balance import Balance
from tunewright.data.ops.boilerplate import Boilerplate
from tunewright.data.ops.chunk import Chunk
from tunewright.data.ops.clean import Clean
from tunewright.data.ops.drop_contradictions import DropContradictions
from tunewright.data.ops.drop_duplicates import DropDuplicates
from tunewright.data.ops.drop_near_duplicates import DropNearDuplicates
from tunewright.data.ops.filter import Filter
from tunewright.data.ops.generate import Generate
from tunewright.data.ops.language import Language
from tunewright.data.ops.map import Map
from tunewright.data.ops.max_chars import MaxChars
from tunewright.data.ops.quality import Quality
from tunewright.data.ops.redact import Redact
from tunewright.data.ops.review import Review
from tunewright.data.ops.sample import Sample
from tunewright.data.recipe import graph
from tunewright.data.recipe_columns import Column, columns_of, passed, together
from tunewright.data.synthetic.columns.expression import ExpressionColumn

ROWS = [
    make_example(
        ask(
            f"Where is the parcel of Anna Berg, number {at}, please?", "<p>It is on its way to you today.</p>"
        ),
        fields={"kind": "delivery", "weight": at, "anna.berg@mail.example": "a\x00b", "tags": ["new"]},
        rejected="I do not know. <b>Ask</b> Ben.",
    )
    for at in range(12)
]
PAGES = [
    make_document(f"Head\n\nWords of page {at}. " + "More words. " * 9, fields={"page": at})
    for at in range(12)
]


def test_columns_are_seen_with_their_kinds() -> None:
    rows = [make_example(ask("q", "a"), fields={"n": 1, "maybe": None, "mixed": 1}, desirable=False)]
    rows += [make_document("t", fields={"n": 2.5, "mixed": "1", "on": True, "about": {"a": 1}, "tags": []})]
    assert columns_of(rows) == (
        Column("messages", "any", is_field=False),
        Column("desirable", "boolean", is_field=False),
        Column("n", "number"),
        Column("maybe", "any"),
        Column("mixed", "any"),
        Column("on", "boolean"),
        Column("about", "object"),
        Column("tags", "list"),
    )
    assert together([columns_of(rows[:1]), None]) is None
    assert together(
        [(Column("n", "text"),), (Column("messages", "document", False), Column("n", "text"))]
    ) == (
        Column("messages", "document", False),
        Column("n", "text"),
    )


@pytest.mark.parametrize(
    ("op", "reads", "adds", "changes"),
    [
        (Filter(keep='kind == "a" or (lang is defined and chars < 9)'), ("chars", "kind", "lang"), (), ()),
        (
            Map(set={"input": "{{ input }}!", "kind": "{{ weight }} g", "heavy": "{{ weight > 3 }}"}),
            ("input", "weight"),
            (Column("heavy", "any"),),
            ("input", "kind"),
        ),
        (Sample(rows=3, stratify_by="kind"), ("kind",), (), ()),
        (Sample(rows=3, stratify_by="label"), ("expected",), (), ()),
        (Balance(field="kind", most=2), ("kind",), (), ()),
        (Balance(least=2), ("expected",), (Column("tunewright:repeat", "object"),), ()),
        (Chunk(), ("messages",), (Column("piece", "number"),), ("messages",)),
        (
            Language(of="question", field="kind"),
            ("expected", "input"),
            (),
            ("kind",),
        ),
        (DropDuplicates(), ("messages",), (), ()),
        (DropNearDuplicates(keep="highest", field="weight"), ("messages", "weight"), (), ()),
        (Redact(fields="keep"), ("messages",), (), ("messages",)),
        (Clean(), ("messages", "kind", "weight"), (), ("messages", "kind", "weight")),
        (Review(), ("messages", "kind", "weight"), (), ("messages", "kind", "weight")),
        (
            Generate(rows=2, columns={"twice": ExpressionColumn(value="1 + 1")}, text="{{ twice }}"),
            (),
            (Column("twice", "any"), Column("written_from", "any")),
            (),
        ),
    ],
)  # fmt: skip
def test_what_an_operation_does_is_known_before_it_runs(
    op: RecipeOp, reads: tuple[str, ...], adds: tuple[Column, ...], changes: tuple[str, ...]
) -> None:
    given = (Column("messages", "conversation", False), Column("kind", "text"), Column("weight", "number"))
    found = passed(graph([op], ["rows"])[0], given)
    assert (found.reads, found.adds, found.changes, found.removes) == (reads, adds, changes, ())
    assert found.made is not None
    assert {column.name for column in found.made} == {column.name for column in (*given, *adds)}
    assert not found.is_seen
    assert passed(graph([op], ["rows"])[0], None).made is None


@pytest.mark.parametrize(
    "op",
    [
        Balance(least=20),
        Boilerplate(least=5, answers=True),
        Chunk(chars=40),
        Clean(repairs=("encoding", "controls", "html", "blanks")),
        DropContradictions(),
        Filter(keep="turns"),
        Language(),
        Map(set={"weight": "{{ weight is defined }}", "expected": "{{ expected }}.", "new": "a {{ 1 }}"}),
        MaxChars(chars=9999),
        Quality(),
        Redact(),
        Redact(fields="redact"),
        Sample(shuffle=True),
    ],
    ids=lambda op: op.op,
)
@pytest.mark.parametrize("rows", [ROWS, PAGES], ids=["conversations", "documents"])
def test_what_changes_is_what_was_said(op: RecipeOp, rows: list[Example]) -> None:
    """Of rows that are paired by their origin no part is another one that the operation did not name."""
    node = graph([op], ["rows"])[0]
    origins = [Origin(source="rows", file="f", row=at) for at in range(len(rows))]
    given = [row.model_copy(update={"origin": at}) for row, at in zip(rows, origins, strict=True)]
    kept = worked([op], given).kept
    told = passed(node, columns_of(given), columns_of(kept))
    said = passed(node, columns_of(given))
    kinds = {column.name: column.kind for column in told.adds}
    assert all(
        kinds.get(column.name, column.kind) == column.kind for column in said.adds if column.kind != "any"
    )
    before = {row.place: row for row in given}
    changed, added = set[str](), set[str]()
    for row in kept:
        was = before[row.place]
        changed |= {"messages"} if row.messages[:-1] != was.messages[:-1] else set()
        changed |= {"expected"} if row.expected != was.expected else set()
        changed |= {"rejected"} if row.rejected != was.rejected else set()
        changed |= {
            name for name, value in row.fields.items() if name in was.fields and was.fields[name] != value
        }
        added |= row.fields.keys() - was.fields.keys()
    wide = {"messages", "expected", "input"} if "messages" in told.changes else {*told.changes}
    assert changed <= wide | {*told.changes}
    assert {column.name for column in told.adds} == added


def test_a_name_that_is_written_anew_goes_and_comes(tmp_path: Path) -> None:
    node = graph([Redact()], ["rows"])[0]
    kept = worked([Redact()], ROWS).kept
    found = passed(node, columns_of(ROWS), columns_of(kept))
    assert found.removes == ("anna.berg@mail.example",)
    assert [column.name[:7] for column in found.adds] == ["[EMAIL_"]
    assert found.changes == ("messages", "rejected", "kind", "tags", "weight")
    assert found.is_seen
