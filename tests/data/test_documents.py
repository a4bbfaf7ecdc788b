"""Documents: rows of one text that nothing asks for, from tables and JSONL, alone and beside conversations."""

import json
from typing import Any

import pytest
from worked import worked

from tunewright.core.errors import DataError
from tunewright.core.example import ask, make_document, make_example
from tunewright.core.task import TaskSpec
from tunewright.data.audit.audit import audit
from tunewright.data.examples import from_lines, to_line
from tunewright.data.lengths import LengthRow
from tunewright.data.normal import input_key
from tunewright.data.ops.drop_contradictions import DropContradictions
from tunewright.data.ops.drop_duplicates import DropDuplicates
from tunewright.data.ops.max_chars import MaxChars
from tunewright.data.spec import SplitSpec
from tunewright.data.split import split


def lines(*rows: dict[str, Any]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_a_column_of_a_table(desk) -> None:
    desk.write("t.csv", 'id,body,shelf\n1,"A page, 1st\nline.",a\n2, ,b\n3," kept as it is ",c\n')
    task = TaskSpec.model_validate({"output": {"type": "json", "schema": {"required": ["a"]}}})
    found = desk.ingest("t.csv", task, columns={"text": "body", "place": "shelf"})
    assert [(e.is_document, e.expected, e.prompt, e.fields) for e in found.examples] == [
        (True, "A page, 1st\nline.", (), {"id": "1", "place": "a"}),
        (True, " kept as it is ", (), {"id": "3", "place": "c"}),
    ]
    assert found.reasons == [(4, "empty text: the document is blank")]


def test_jsonl_rows_of_a_text(desk) -> None:
    desk.write(
        "t.jsonl", lines({"text": "A page.", "lang": "en"}, {"text": 3}, {"body": "x"}, {"text": None})
    )
    found = desk.ingest("t.jsonl")
    assert [(e.input_text, e.fields) for e in found.examples] == [("A page.", {"lang": "en"})]
    assert found.reasons == [
        (2, "bad text: 'text' is a number, not a text"),
        (3, "missing column: no 'text' for 'text'; the row has body"),
        (4, "empty text: the document is blank"),
    ]


@pytest.mark.parametrize(
    ("row", "source"),
    [
        ({"text": "t", "expected": "a"}, {"columns": {"input": "text"}}),
        ({"text": "t", "expected": "a", "input": "t"}, {}),
        ({"text": "t", "prompt": "t", "completion": "a"}, {}),
        ({"text": "t", "q": "t", "expected": "a"}, {"columns": {"input": "q", "text": "text"}}),
    ],
)
def test_a_text_beside_an_answer_makes_no_document(desk, row: dict[str, Any], source: dict[str, Any]) -> None:
    desk.write("t.jsonl", lines(row))
    (example,) = desk.ingest("t.jsonl", **source).examples
    assert (example.is_document, example.input_text, example.expected) == (False, "t", "a")


def test_a_table_with_a_column_of_answers_holds_no_documents(desk) -> None:
    """The text is the template's, and the answer's column has our own name for it."""
    desk.write("t.csv", "body,expected\nlamp,order\n")
    task = TaskSpec(input="Text: {{ text }}")
    (example,) = desk.ingest("t.csv", task, columns={"text": "body"}).examples
    assert (example.input_text, example.expected) == ("Text: lamp", "order")


def test_a_column_that_is_not_there(desk) -> None:
    desk.write("t.csv", "boby\nx\n")
    with pytest.raises(DataError, match=r"no column 'body' for 'text'; the columns are boby\. Did you mean"):
        desk.ingest("t.csv", columns={"text": "body"})


def test_a_document_comes_back_from_its_line() -> None:
    document = make_document("A page.\n", fields={"lang": "en"})
    assert from_lines(to_line(document), "t") == [document]
    with pytest.raises(ValueError, match="an example needs at least one message and, last"):
        make_example(document.messages)


def test_equal_texts_are_duplicates_and_contradict_nothing() -> None:
    rows = [make_document("A page."), make_document("a  page."), make_document("Another.")]
    assert input_key(rows[0]) == input_key(rows[1]) != input_key(rows[2])
    assert worked([DropDuplicates()], rows).kept == [rows[0], rows[2]]
    assert worked([DropContradictions()], rows).kept == rows
    assert worked([MaxChars(chars=7)], rows).kept == [rows[0]]


def test_the_audit() -> None:
    train = [make_document("n/a"), *(make_document("yes" * n) for n in range(1, 3))]
    found = audit({"train": train, "dev": [make_document("YES")], "test": []})
    assert [(finding.kind, finding.message) for finding in found.findings] == [
        ("leak", "1 of 1 rows (100.0%) of dev say what a row of train says: scores on dev would flatter."),
        ("duplicate_across", "1 of 4 rows (25.0%) stand in an earlier part as well, answer and all."),
    ]
    assert (found.labels, found.contradictions) == ((), ())
    assert found.lengths == (
        LengthRow(part="train", what="input", min=3, median=3, p95=6, max=6, longest=train[2].id),
        LengthRow(part="dev", what="input", min=3, median=3, p95=3, max=3, longest=make_document("YES").id),
    )


def test_documents_and_conversations_are_split_side_by_side() -> None:
    talks = [make_example(ask(f"q{i % 9}", "yes")) for i in range(9)]
    pages = [make_document(f"page {i % 9}" + " " * (i // 9)) for i in range(18)]
    parts = split([*talks, *pages], SplitSpec())
    where = {example.id: part for part, rows in parts._asdict().items() for example in rows}
    assert all(where[a.id] == where[b.id] for a, b in zip(pages[:9], pages[9:], strict=True))
    (table,) = audit(parts._asdict()).labels
    assert [(row.value, sum(row.counts.values())) for row in table.rows] == [("yes", 9)]


def test_a_column_that_parts_equal_texts() -> None:
    rows = [
        make_document(text, fields={"part": part})
        for text, part in (("a", "train"), ("b", "dev"), ("A", "test"))
    ]
    with pytest.raises(DataError, match=r"\(test\) says what example .* \(train\) says"):
        split(rows, SplitSpec(column="part"))
