"""Columns of recipes: what operations say of them beforehand is what they then do."""

import pkgutil
from importlib import import_module
from pathlib import Path

import pytest
from worked import worked

from tunewright.core.example import Example, Origin, ask, make_document, make_example
from tunewright.data import ops
from tunewright.data.examples import Examples, to_line
from tunewright.data.ops import RecipeOp
from tunewright.data.ops.balance import Balance
from tunewright.data.ops.boilerplate import Boilerplate
from tunewright.data.ops.chunk import Chunk
from tunewright.data.ops.clean import Clean
from tunewright.data.ops.decontaminate import Decontaminate
from tunewright.data.ops.drop_contradictions import DropContradictions
from tunewright.data.ops.drop_duplicates import DropDuplicates
from tunewright.data.ops.drop_near_duplicates import DropNearDuplicates
from tunewright.data.ops.drop_similar import DropSimilar
from tunewright.data.ops.filter import Filter
from tunewright.data.ops.generate import Generate
from tunewright.data.ops.language import Language
from tunewright.data.ops.map import Map
from tunewright.data.ops.max_chars import MaxChars
from tunewright.data.ops.max_tokens import MaxTokens
from tunewright.data.ops.op import OpSpec
from tunewright.data.ops.quality import Quality
from tunewright.data.ops.redact import Redact
from tunewright.data.ops.review import Review
from tunewright.data.ops.sample import Sample
from tunewright.data.recipe import graph
from tunewright.data.recipe_columns import LOOKED, Column, columns_of, completed, named, passed, together
from tunewright.data.synthetic.columns.category import CategoryColumn
from tunewright.data.synthetic.columns.expression import ExpressionColumn
from tunewright.data.synthetic.columns.number import NumberColumn
from tunewright.data.synthetic.columns.person import PersonColumn
from tunewright.data.synthetic.columns.uuid import UuidColumn
from tunewright.data.synthetic.columns.validate import ValidateColumn

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
        (
            Map(set={"rejected": "No: {{ expected }}", "label": "{{ kind }}!", "n": "{{turns}}", "m": "{{ turns + 1 }}"}),
            ("expected", "turns", "kind"),
            (
                Column("rejected", "text", is_field=False),
                Column("label", "text"),
                Column("m", "any"),
                Column("n", "number"),
            ),
            (),
        ),
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
            (Column("twice", "any"), Column("written_from", "list")),
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


@pytest.mark.parametrize(
    ("op", "reads", "changes"),
    [
        (DropDuplicates(), ("messages", "desirable", "rejected"), ()),
        (DropNearDuplicates(), ("messages", "desirable", "rejected"), ()),
        (DropSimilar(), ("messages", "desirable", "rejected"), ()),
        (DropContradictions(), ("messages", "desirable"), ()),
        (Decontaminate(against=("dev.csv",)), ("messages", "rejected"), ()),
        (MaxChars(chars=9), ("messages", "rejected"), ()),
        (MaxTokens(tokens=9), ("messages", "rejected"), ()),
        (Boilerplate(), ("messages",), ("messages",)),
        (Boilerplate(answers=True), ("messages", "rejected"), ("messages", "rejected")),
        (Redact(), ("messages", "rejected"), ("messages", "rejected")),
        (Clean(), ("messages", "rejected"), ("messages", "rejected")),
        (Review(), ("messages", "desirable", "rejected"), ("messages", "desirable", "rejected")),
        (Map(set={"rejected": "{{ rejected }}."}), ("rejected",), ("rejected",)),
        (Quality(), ("messages",), ()),
    ],
    ids=lambda one: one.op if isinstance(one, OpSpec) else "",
)
def test_pairs_and_ratings_are_columns(
    op: RecipeOp, reads: tuple[str, ...], changes: tuple[str, ...]
) -> None:
    given = columns_of(
        [make_example(ask("q", "a"), rejected="b", desirable=False), make_example(ask("q", "c"))]
    )
    found = passed(graph([op], ["rows"])[0], given)
    assert (found.reads, found.changes) == (reads, changes)
    assert set(given) <= set(found.made or ())


def test_what_a_worked_operation_gave_rows_is_told(tmp_path: Path) -> None:
    plain = [make_example(ask(f"q{at}", "a")) for at in range(3)]
    node = graph([Map(set={"rejected": "b", "label": "{{ expected }}"})], ["rows"])[0]
    found = passed(node, columns_of(plain), columns_of(worked([node.spec], plain).kept))
    worse, label = Column("rejected", "text", is_field=False), Column("label", "text")
    assert (found.adds, found.changes, found.made) == ((worse, label), (), (plain_turns(), worse, label))
    rated = [row.model_copy(update={"desirable": False, "rated": True}) for row in plain]
    found = passed(graph([Review()], ["rows"])[0], columns_of(plain), columns_of(rated))
    assert found.adds == (Column("desirable", "boolean", is_field=False),)
    assert passed(graph([Filter(keep="turns")], ["rows"])[0], columns_of(plain), columns_of(rated)).adds == ()
    found = passed(graph([Clean()], ["rows"])[0], columns_of(ROWS), ())
    assert (found.adds, found.removes, found.made, found.is_seen) == ((), (), (), True)


def plain_turns() -> Column:
    return Column("messages", "conversation", is_field=False)


@pytest.mark.parametrize("in_file", [True, False])
def test_what_is_rare_is_looked_for_in_all_rows(tmp_path: Path, in_file: bool) -> None:
    rows = [make_example(ask(f'Is "rare": {at} it?', "a"), fields={"n": at}) for at in range(LOOKED * 3)]
    rows[1] = make_example(
        ask("q", "a"), fields={"rare": ["x"], "n": 1, 'a "b" \x01': None}, rejected="b", desirable=True
    )
    path = tmp_path / "rows.jsonl"
    path.write_bytes(b"".join(map(to_line, rows)))
    given = Examples(path) if in_file else rows
    seen = columns_of(given)
    assert seen == (plain_turns(), Column("n", "number"))
    assert completed(seen, given, columns_of(rows[:2])) == columns_of(rows[:2])
    by_name = graph([Filter(keep="rare is defined and rejected and chars")], ["rows"])[0]
    assert completed(seen, given, named(by_name)) == (
        plain_turns(),
        Column("rejected", "text", is_field=False),
        Column("n", "number"),
        Column("rare", "list"),
    )
    others = (Column("gone", "text"), Column("rejected", "text"), Column("rare", "list", is_field=False))
    assert completed(seen, given, others) == seen


def test_kinds_of_new_rows_are_those_that_their_columns_make() -> None:
    op = Generate(
        rows=3,
        columns={
            "topic": CategoryColumn(values={"a": 1, "b": 2}),
            "odd": CategoryColumn(values=["a", 1]),
            "size": NumberColumn(low=1, high=9),
            "perhaps": NumberColumn(low=1, high=9, when="size > 99", otherwise="none"),
            "who": PersonColumn(),
            "code": UuidColumn(),
            "good": ValidateColumn(of="size", holds="size > 0"),
        },
        input="Is {{ topic }} {{ code }}?",
        expected="{{ size }}",
        rejected="{{ who.name }}",
        desirable="{{ 'true' }}",
    )
    node = graph([op], ["rows"])[0]
    given = columns_of(PAGES)
    said = passed(node, given)
    done = passed(node, given, columns_of(worked([op], PAGES).kept))
    kinds = {column.name: column.kind for column in said.adds}
    assert kinds == {
        **{
            "topic": "text",
            "odd": "any",
            "size": "number",
            "perhaps": "any",
            "who": "object",
            "code": "text",
        },
        **{"good": "object", "written_from": "list", "rejected": "text", "desirable": "boolean"},
    }
    assert said.made is not None
    assert [column for column in said.made if not column.is_field] == [
        Column("messages", "any", is_field=False),
        Column("desirable", "boolean", is_field=False),
        Column("rejected", "text", is_field=False),
    ]
    for column in done.adds:
        assert kinds[column.name] in (column.kind, "any")


def test_each_operation_says_what_it_touches() -> None:
    """Without it a picture of the recipe would show that it changes nothing."""
    modules = [module.name for module in pkgutil.iter_modules(ops.__path__) if module.name not in ("op",)]
    found = [name for name in modules if not name.startswith("_")]
    assert "map" in found
    silent = [name for name in found if not hasattr(import_module(f"{ops.__name__}.{name}"), "touches")]
    assert silent == []


def test_a_name_that_is_written_anew_goes_and_comes(tmp_path: Path) -> None:
    node = graph([Redact()], ["rows"])[0]
    kept = worked([Redact()], ROWS).kept
    found = passed(node, columns_of(ROWS), columns_of(kept))
    assert found.removes == ("anna.berg@mail.example",)
    assert [column.name[:7] for column in found.adds] == ["[EMAIL_"]
    assert found.changes == ("messages", "rejected", "kind", "tags", "weight")
    assert found.is_seen
