"""Ingest as a whole: mapping, templates, JSON answers, budgets, and nothing lost."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tunewright.core.errors import DataError
from tunewright.core.task import TaskSpec
from tunewright.data.ingest import EXAMPLES, REJECTS, SUMMARY, ingest, inspect_sources
from tunewright.data.spec import SourceSpec

ORDER = {
    "type": "object",
    "properties": {
        "id": {"type": "integer"},
        "customer": {"$ref": "#/$defs/person"},
        "items": {"type": "array", "items": {"properties": {"sku": {}, "count": {}}}},
        "priority": {"enum": ["low", "high"]},
    },
    "required": ["id"],
    "$defs": {"person": {"anyOf": [{"properties": {"name": {}, "mail": {}}}, {"type": "null"}]}},
}


def json_task(schema=ORDER):
    return TaskSpec.model_validate({"output": {"type": "json", "schema": schema}})


def test_columns_are_mapped_and_the_rest_becomes_fields(desk):
    desk.write("t.csv", "text,label,ctx,lang\nq,a,c,en\n")
    columns = {"input": "text", "expected": "label", "context": "ctx"}
    task = TaskSpec(input="{{ context }} | {{ input }} | {{ lang }}")
    (example,) = desk.ingest("t.csv", task, columns=columns).examples
    assert (example.input_text, example.expected) == ("c | q | en", "a")
    assert example.fields == {"lang": "en", "context": "c"}


def test_a_column_used_twice_and_templates_that_need_no_input(desk):
    desk.write("t.csv", "subject,body,label\ns,b,x\n")
    task = TaskSpec(input="{{ subject }}: {{ body }}")
    (example,) = desk.ingest("t.csv", task, columns={"expected": "label", "kind": "label"}).examples
    assert (example.input_text, example.fields) == ("s: b", {"subject": "s", "body": "b", "kind": "x"})


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("{{ subjet }}", "template: 'subjet' is undefined; the row has subject, input; did you mean 'subject'?"),
        ("{{ expected }}", "template: 'expected' is undefined; the row has subject, input"),
        ("{{ kind }}", "template: 'kind' is undefined; the row has subject, input"),
        ("{{ 1 / 0 }}", "template: division by zero"),
        ("{{ ''.__class__.__mro__ }}", "template: access to attribute '__class__' of 'str' object is unsafe"),
        ("{% include 'x' %}", "template: no loader for this environment specified"),
        ("{{ range(10 ** 9) | list }}", "template: a range of 100,000 numbers is the longest that a template may have"),
    ],
)  # fmt: skip
def test_templates_that_fail(desk, template, reason):
    desk.write("t.csv", "input,subject,label\nq,s,a\n")
    with pytest.raises(DataError) as caught:
        desk.ingest(
            "t.csv", TaskSpec(input=template), columns={"expected": "label", "kind": "label"}, budget=0.5
        )
    assert f"The first: t.csv:2: {reason}" in str(caught.value)


def test_a_template_that_is_none(desk):
    with pytest.raises(DataError, match=r"^task\.input: the input template is not valid Jinja"):
        desk.ingest("t.csv", TaskSpec(input="{{ input"))


def test_a_column_name_meant_twice(desk):
    desk.write("t.csv", "input,expected,a,b\n1,2,3,4\n")
    with pytest.raises(DataError, match="'a' is mapped to the column 'b', but the file has a column 'a' too"):
        desk.ingest("t.csv", columns={"a": "b"})
    assert desk.ingest("t.csv", columns={"a": "b", "b": "a"}).examples[0].fields == {"a": "4", "b": "3"}


def test_json_answers_have_one_form(desk):
    given_answers = [
        '{"extra": 1,"priority":"low",\n"id":7, "items":[{"count":2,"sku":"x"}]}',
        {"customer": {"mail": "m", "name": "é"}, "id": 8},
    ]
    desk.write("t.jsonl", "".join(json.dumps({"input": "q", "expected": a}) + "\n" for a in given_answers))
    assert [e.expected for e in desk.ingest("t.jsonl", json_task()).examples] == [
        '{"id": 7, "items": [{"sku": "x", "count": 2}], "priority": "low", "extra": 1}',
        '{"id": 8, "customer": {"name": "é", "mail": "m"}}',
    ]


def test_members_and_items_that_have_no_name_of_their_own_are_in_order_too(desk):
    pair = {"properties": {"sku": {}, "count": {}}}
    schema = {"additionalProperties": pair, "patternProperties": {"^list": {"prefixItems": [pair]}}}
    given = {"b": {"count": 1, "sku": "x"}, "list_1": [{"count": 2, "sku": "y"}], "a": {"sku": "z"}}
    desk.write("t.jsonl", json.dumps({"input": "q", "expected": given}) + "\n")
    (example,) = desk.ingest("t.jsonl", json_task(schema)).examples
    assert example.expected == (
        '{"b": {"sku": "x", "count": 1}, "list_1": [{"sku": "y", "count": 2}], "a": {"sku": "z"}}'
    )


def test_json_answers_that_cannot_be_used(desk):
    answers = ["", "{", '{"id": 1, "id": 2}', '{"id": NaN}', '{"id": "x"}', "{}"]
    answers += ['{"id": 1, "priority": "mid"}', "[" * 9999]
    desk.write(
        "t.jsonl", "".join(json.dumps({"input": "q", "expected": a}) + "\n" for a in [*answers, '{"id": 1}'])
    )
    assert [reason for _, reason in desk.ingest("t.jsonl", json_task()).reasons] == [
        "empty answer: the expected column is blank",
        "answer is not JSON: Expecting property name enclosed in double quotes at the end",
        "answer is not JSON: the key 'id' stands twice in one object",
        "answer is not JSON: NaN is not a JSON number",
        "schema: id: 'x' is not of type 'integer'",
        "schema: 'id' is a required property",
        "schema: priority: 'mid' is not one of ['low', 'high']",
        "answer is not JSON: it is nested more than 64 deep",
    ]


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ({"type": "objekt"}, "task.output.schema.type: this is not a JSON Schema"),
        ({"pattern": "("}, "task.output.schema.pattern: this is not a JSON Schema"),
        ({"$ref": "http://example.com/x.json"}, "task.output.schema: the JSON Schema refers to something it does not hold"),
        ({"$ref": "#/$defs/none"}, "task.output.schema: the JSON Schema refers to something it does not hold"),
        ({"$ref": "#"}, "task.output.schema: the JSON Schema refers to itself without end."),
    ],
)  # fmt: skip
def test_schemas_that_are_none(desk, schema, message):
    desk.write("t.csv", "input,expected\nq,1\n")
    with pytest.raises(DataError) as caught:
        desk.ingest("t.csv", json_task(schema))
    assert str(caught.value).startswith(message)
    (problem,) = inspect_sources(
        {"s": SourceSpec(path="t.csv")}, json_task(schema), desk.root, reject_budget=0
    )
    assert str(problem) == str(caught.value)


def test_globs_are_sorted_and_sources_keep_their_order(desk):
    for name in ("b/2.csv", "b/10.csv", "a.csv"):
        desk.write(name, f"input,expected\n{name},x\n")
    sources = {"z": SourceSpec(path="b/*.csv"), "a": SourceSpec(path="a.csv")}
    summary = ingest(sources, TaskSpec(), desk.root, desk.root / "out", reject_budget=0)
    rows = [
        json.loads(line)["origin"] for line in (desk.root / "out/examples.jsonl").read_text().splitlines()
    ]
    assert rows == [
        {"source": "z", "file": "b/10.csv", "row": 2},
        {"source": "z", "file": "b/2.csv", "row": 2},
        {"source": "a", "file": "a.csv", "row": 2},
    ]
    assert list(summary.sources) == ["z", "a"]


def test_projects_laid_out_alike_make_equal_bytes(tmp_path):
    for place in ("one", "other/and/deeper"):
        for name, rows in (("data/a.csv", "q,a\n,b\n"), ("mine/b.csv", "r,a\n")):
            path = tmp_path / place / name
            path.parent.mkdir(parents=True)
            path.write_text(f"input,expected\n{rows}", "utf-8")
        root = tmp_path / place / "mine"
        sources = {
            "up": SourceSpec(path="../data/*.csv"),
            "absolute": SourceSpec(path=str(tmp_path / place / "data/a.csv")),
            "own": SourceSpec(path="b.csv"),
        }
        ingest(sources, TaskSpec(), root, root / "out", reject_budget=1)
    outs = [tmp_path / place / "mine/out" for place in ("one", "other/and/deeper")]
    first, second = ({file.name: file.read_bytes() for file in out.iterdir()} for out in outs)
    assert first == second
    rows = [json.loads(line)["origin"]["file"] for line in first["examples.jsonl"].splitlines()]
    assert rows == ["../data/a.csv", "../data/a.csv", "b.csv"]


def test_over_budget(desk):
    desk.write("t.csv", "input,expected\n" + "q,a\n" * 95 + ",b\n" * 5)
    with pytest.raises(DataError) as caught:
        desk.ingest("t.csv", budget=0.04)
    rejects = desk.root / "out/rejects.jsonl"
    blank = "empty input: the user's message is blank."
    assert str(caught.value) == (
        "sources.s: 5 of 100 rows (5.00%) cannot be used, more than the budget of 4.00%. The first: "
        f"t.csv:97: {blank} t.csv:98: {blank} t.csv:99: {blank} "
        f"Mend the rows (each stands in {rejects} with its reason), or raise data.reject_budget."
    )
    assert len(rejects.read_text().splitlines()) == 5
    assert not (desk.root / "out/examples.jsonl").exists()
    assert desk.ingest("t.csv", budget=0.05).summary.rejects == 5


def test_no_example_is_left(desk):
    desk.write("t.csv", "input,expected\n,b\n")
    with pytest.raises(DataError, match=r"^sources: no example is left"):
        desk.ingest("t.csv")


def test_inspect_tells_everything_at_once_and_writes_nothing(desk):
    desk.write("tickets.csv", "input,expected\nq,a\n")
    desk.write("latin.csv", "input,expected\né,a\n".encode("latin-1"))
    desk.write("bad.jsonl", "{\n")
    desk.write("odd.dat", "x")
    desk.write("odd.xlsx", "x")
    desk.write("folder/x.csv", "")
    desk.write("folder/x.tsv", "")
    paths = [
        "x" * 300,
        "ticket.csv",
        "none*.csv",
        "folder",
        "latin.csv",
        "bad.jsonl",
        "odd.dat",
        "odd.xlsx",
        "tickets.csv",
    ]
    sources = {path: SourceSpec(path=path) for path in paths}
    before = sorted(desk.root.rglob("*"))
    problems = inspect_sources(sources, TaskSpec(), desk.root, reject_budget=0.01)
    assert [str(problem).replace(str(desk.root), "ROOT") for problem in problems] == [
        f"sources.{'x' * 300}.path: the path cannot be looked up: File name too long.",
        "sources.ticket.csv.path: there is no file 'ticket.csv' in ROOT. Did you mean 'tickets.csv'?",
        "sources.none*.csv.path: no file matches 'none*.csv' in ROOT. Write the path as it is seen from that folder.",
        "sources.folder.path: 'folder' is a folder of several formats (x.csv and x.tsv). Name its files: folder/*.csv, say.",
        "latin.csv:2: byte 0xE9 at offset 15 is not utf-8; the file reads as cp1252. "
        "Set encoding: cp1252 for this source, or save the file as UTF-8.",
        "odd.dat: the ending '.dat' does not tell the format. Set format: for this source (the endings known are "
        ".csv, .tsv, .tab, .json, .jsonl, .ndjson, .parquet, .pq, .arrow, .feather, .xlsx, .xlsm, .ods, .txt, .md, "
        ".markdown, .html, .htm, .pdf, .docx, .pptx, .vtt, .srt, .mbox, .eml, .wav, .mp3, .flac, .m4a, .ogg, and after "
        "them .gz, .bz2, .xz, .zst; .zip holds such files).",
        "odd.xlsx: the file is not a spreadsheet that can be read (File is not a zip file).",
        "sources.bad.jsonl: 1 of 1 rows (100.00%) cannot be used, more than the budget of 1.00%. The first: bad.jsonl:1: "
        "not JSON: Expecting property name enclosed in double quotes at the end. "
        "Mend the rows, or raise data.reject_budget.",
    ]
    assert sorted(desk.root.rglob("*")) == before


CELL = st.text(st.sampled_from("ab,;\"'\n\r\t\0 é\ud800{}[]:"), max_size=12)
KEY = CELL | st.sampled_from(["input", "expected", "messages", "role", "content"])
VALUE = st.recursive(
    st.none() | st.booleans() | st.floats() | CELL,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEY, inner, max_size=3),
)
ROW = st.builds(lambda question, answer: json.dumps({"input": question, "expected": answer}), CELL, CELL)
FILES = st.one_of(
    st.binary(max_size=200),
    CELL.map(lambda text: ("input,expected\n" + text).encode("utf-8", "surrogatepass")),
    st.lists(ROW, max_size=5).map(lambda rows: "\n".join(rows).encode()),
    st.lists(ROW, max_size=5).map(lambda rows: f"[{', '.join(rows)}]".encode()),
    VALUE.map(lambda value: json.dumps(value).encode()),
)


def lines_with_text(content):
    text = content.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    return sum(bool(line.strip()) for line in text.split("\n"))


@pytest.mark.parametrize("format", ["csv", "tsv", "json", "jsonl", "chat", "parquet", "auto"])
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=FILES)
def test_whatever_the_bytes_no_row_is_lost(desk, format, content):
    name = "t.jsonl" if format == "auto" else "t"
    desk.write(name, content)
    try:
        got = desk.ingest(name, format=format)
    except DataError as refused:
        error = refused
    else:
        assert got.summary.rows == len(got.examples) + len(got.rejects) > 0
        if format in ("jsonl", "chat", "auto"):
            assert got.summary.rows == lines_with_text(content)
        return
    assert str(error).isprintable()


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), min_size=1))
def test_csv_rows_come_back_as_they_were_written(desk, rows):
    import csv

    with (desk.root / "t.csv").open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream, quoting=csv.QUOTE_ALL).writerows([("input", "expected"), *rows])
    good = [(a, b) for a, b in rows if a.strip() and b.strip() and "\0" not in a + b]
    if not good or "\0" in str(rows[:1]):
        return
    got = desk.ingest("t.csv")
    assert [(e.input_text, e.expected) for e in got.examples] == good
    assert got.summary.rows == len(rows)


def test_rows_shared_out_to_processes_come_out_the_same(tmp_path):
    rows = [{"input": f"question {n}", "expected": "a" if n % 9 else "", "n": n} for n in range(26_000)]
    lines = map(json.dumps, rows)
    (tmp_path / "rows.jsonl").write_text("\n".join(lines) + "\nbroken\n")
    sources = {"s": SourceSpec(path="rows.jsonl")}
    for workers in (1, 2):
        out, told = tmp_path / str(workers), []
        ingest(
            sources, TaskSpec(), tmp_path, out, reject_budget=0.5, workers=workers,
            emit=lambda kind, told=told, **facts: told.append((kind, facts)),
        )  # fmt: skip
        seen = [facts["rows"] for kind, facts in told if kind == "ingest.progress"]
        assert seen == [5000 * n for n in range(1, 6)]
    for name in (EXAMPLES, REJECTS, SUMMARY):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()
    summary = json.loads((tmp_path / "2" / SUMMARY).read_text())
    assert (summary["rows"], summary["rejects"]) == (26_001, 2890)
