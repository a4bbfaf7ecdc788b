"""Fields of recipes: what operations read is there, or nothing runs."""

from pathlib import Path

import pytest
from worked import worked

import tunewright as tw
from tunewright.core.example import Example, ask, make_document, make_example
from tunewright.data.ops import RecipeOp
from tunewright.data.ops.balance import Balance
from tunewright.data.ops.chunk import Chunk
from tunewright.data.ops.clean import Clean
from tunewright.data.ops.drop_near_duplicates import DropNearDuplicates
from tunewright.data.ops.filter import Filter
from tunewright.data.ops.generate import Generate
from tunewright.data.ops.language import Language
from tunewright.data.ops.map import Map
from tunewright.data.ops.max_chars import MaxChars
from tunewright.data.ops.mix import Mix
from tunewright.data.ops.quality import Quality
from tunewright.data.ops.redact import Redact
from tunewright.data.ops.review import Review
from tunewright.data.recipe import graph
from tunewright.data.recipe_fields import FieldsError, check_fields
from tunewright.data.synthetic.columns.expression import ExpressionColumn


def row(question: str = "q", **fields: object) -> Example:
    return make_example(ask(question, "a"), fields=fields)


def refused(*ops: RecipeOp, rows: list[Example]) -> list[tuple[str | None, str, str | None]]:
    with pytest.raises(FieldsError) as caught:
        check_fields(graph(ops, ["rows"]), {"rows": rows})
    return [(problem.where, problem.message, problem.fix) for problem in caught.value.problems]


def passes(*ops: RecipeOp, rows: list[Example]) -> None:
    check_fields(graph(ops, ["rows"]), {"rows": rows})


def test_a_field_that_no_row_has_is_refused_with_its_place() -> None:
    rows = [row(customer="Ann", lang="en")]
    assert refused(MaxChars(chars=9), Filter(id="few", keep='langs == "en"'), rows=rows) == [
        (
            "recipe.1.keep",
            "no row that 'few' (filter) takes has a field 'langs'; they have customer, lang.",
            "Did you mean 'lang'?",
        )
    ]


def test_every_one_is_told() -> None:
    said = refused(Map(set={"a": "{{ x }}", "b": "{{ y }}"}), Balance(field="kind", most=3), rows=[row()])
    assert [(where, fix) for where, _, fix in said] == [
        ("recipe.0.set.a", "Ask `x is defined` first, where it may be missing."),
        ("recipe.0.set.b", "Ask `y is defined` first, where it may be missing."),
        ("recipe.1.field", "Name one of these."),
    ]


def test_a_field_that_is_written_later_is_told_with_who_writes_it() -> None:
    (said,) = refused(Filter(keep='language == "en"'), Language(), rows=[row(customer=1)])
    assert said[2] == "'language' writes it: put that before 'filter', where its rows come through it."
    passes(Language(), Filter(keep='language == "en"'), rows=[row()])
    (said,) = refused(Map(set={"size": "{{ size }}"}), rows=[row()])
    assert said[2] == "It writes that field itself: read it in an operation behind it."


@pytest.mark.parametrize(
    "keep",
    [
        'kind is not defined or kind == "a"',
        "kind is undefined",
        'kind|default("a") == "a"',
        '(kind|d("a")) == "a"',
        "input and turns > 1 and chars > 0 and source is none and desirable and not rejected",
        "range(3)|length == 3",
        "namespace(x=1).x == 1",
    ],
)
def test_what_may_be_missing_or_every_row_has_is_not_refused(keep: str) -> None:
    passes(Filter(keep=keep), rows=[row()])


def test_a_loops_own_names_are_no_fields() -> None:
    passes(Map(set={"expected": "{% for one in [1] %}{% set x = one %}{{ x }}{% endfor %}"}), rows=[row()])


def test_a_field_that_one_row_has_is_a_field() -> None:
    passes(Filter(keep="kind"), rows=[*[row()] * 5000, row(kind="a")])
    given = {"a": [row()] * 5000, "b": [row(kind="a")]}
    check_fields(graph([Filter(keep="kind")], given), given)


def test_rows_are_read_until_the_names_are_found() -> None:
    class Read(list[Example]):
        count = 0

        def __iter__(self):  # type: ignore[no-untyped-def]  # of a list
            for one in super().__iter__():
                self.count += 1
                yield one

    rows = Read([row(kind="a")] * 5000)
    passes(Filter(keep="kind"), rows=rows)
    assert rows.count == 1
    passes(MaxChars(chars=3), Filter(keep="chars"), rows=rows)
    assert rows.count == 1


def test_each_branch_has_its_own_fields() -> None:
    given = {"a": [row(kind="a")], "b": [row(size=3)]}
    ops = [Filter(id="one", needs=("a",), keep="kind"), Filter(id="two", needs=("b",), keep="kind")]
    both = Mix(needs=("one", "two"), shares={"one": 1, "two": 1})
    with pytest.raises(FieldsError, match=r"'two' \(filter\) takes has a field 'kind'; they have size"):
        check_fields(graph([*ops, both], given), given)
    check_fields(
        graph([ops[0], both.model_copy(update={"needs": ("one", "b")}), Filter(keep="size")], given), given
    )


def test_where_any_field_may_come_nothing_is_refused() -> None:
    passes(Review(), Filter(keep="whatever"), rows=[row()])
    passes(Filter(keep="whatever"), rows=[])


def test_columns_that_are_written_are_fields() -> None:
    columns = {"kind": ExpressionColumn(value="1"), "_own": ExpressionColumn(value="2")}
    written = Generate(columns=columns, input="{{ kind }}", expected="{{ kind }}", rows=1)
    passes(written, Filter(keep="kind"), rows=[row()])
    (said,) = refused(written, Filter(keep="_own"), rows=[row()])
    assert "has a field '_own'; they have kind, written_from" in said[1]
    (said,) = refused(written.model_copy(update={"seeds": "depth == 0 and part"}), rows=[row()])
    assert said[0] == "recipe.0.seeds"


def test_names_that_are_mended_are_known() -> None:
    passes(Clean(), Filter(keep="été"), rows=[row(**{"Ã©tÃ©": 1})])


@pytest.mark.parametrize(
    "op",
    [
        Balance(least=3),
        Chunk(chars=20),
        Clean(repairs=("encoding", "html", "blanks")),
        DropNearDuplicates(),
        Filter(keep="true"),
        Language(),
        Language(field="code"),
        Map(set={"new": "{{ input }}", "expected": "{{ expected }}!"}),
        MaxChars(chars=9000),
        Quality(),
        Redact(),
    ],
    ids=lambda op: op.op,
)
def test_operations_write_the_fields_that_they_say(op: RecipeOp) -> None:
    rows = [row("Where is the parcel?", customer="Ann", **{"Ã©tÃ©": 1}), make_document("Some words. " * 9)]
    given = frozenset(name for one in rows for name in one.fields)
    there = graph([op], ["rows"])[0].fields(given)
    assert there is not None
    assert {name for one in worked([op], rows).kept for name in one.fields} <= there


PROJECT = """
name: n
task: {system: s}
sources: {rows: {path: rows.csv}}
recipe:
  - {op: drop_duplicates}
  - {op: filter, keep: 'knid == "a"'}
"""


def test_a_project_is_refused_before_its_first_operation_runs(tmp_path: Path) -> None:
    lines = [f"question {n},answer {n},a" for n in range(40)]
    (tmp_path / "rows.csv").write_text("\n".join(["input,expected,kind", *lines]) + "\n")
    (tmp_path / "tunewright.yaml").write_text(PROJECT)
    project, heard = tw.open(tmp_path), []
    (problem,) = project.check(heard.append).problems
    assert problem.where == f"{tmp_path / 'tunewright.yaml'}:7: recipe.1.keep"
    assert problem.message == "no row that 'filter' takes has a field 'knid'; they have kind."
    assert problem.fix == "Did you mean 'kind'?"
    assert "prepare.op" not in [event.kind for event in heard]
    with pytest.raises(tw.DataError, match="'knid'"):
        project.preview()
    assert project.preview("drop_duplicates").account.rows_out == 40
