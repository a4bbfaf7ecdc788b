"""CSV and TSV: the hard inputs."""

import pytest

from tunewright.core.errors import DataError

OK = "input,expected\nhello,greeting\n"


def failure(desk, path="t.csv", **source):
    with pytest.raises(DataError) as caught:
        desk.ingest(path, **source)
    return str(caught.value)


def test_a_plain_file(desk):
    desk.write("t.csv", "input,expected,lang\nhello,greeting,en\nciao,greeting,it\n")
    got = desk.ingest("t.csv")
    assert [(e.input_text, e.expected, e.fields, e.origin.row) for e in got.examples] == [
        ("hello", "greeting", {"lang": "en"}, 2),
        ("ciao", "greeting", {"lang": "it"}, 3),
    ]
    assert got.summary.model_dump() == {
        "rows": 2,
        "examples": 2,
        "rejects": 0,
        "passed_over": 0,
        "reasons": {},
        "sources": {
            "s": {
                "rows": 2,
                "examples": 2,
                "rejects": 0,
                "passed_over": 0,
                "passed_over_for": {},
                "thinking": {},
                "files": {"t.csv": {"rows": 2, "examples": 2, "rejects": 0, "passed_over": 0}},
            }
        },
    }


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"\xef\xbb\xbf" + OK.encode(), "utf-8"),
        (OK.encode("utf-16"), "utf-16"),
        (OK.encode("utf-16-le"), "utf-16-le"),
        (b"\n\n" + OK.encode(), "utf-8"),
        (OK.replace("\n", "\r\n").encode(), "utf-8"),
        (OK.replace("\n", "\r").encode(), "utf-8"),
        (OK.replace(",", ";").encode(), "utf-8"),
        (OK.replace("hello", '"hello"').encode(), "utf-8"),
        (
            OK.replace(",", ";")
            .replace("expected", 'expected;"a, b"')
            .replace("greeting", "greeting;")
            .encode(),
            "utf-8",
        ),
    ],
)
def test_odd_but_fine(desk, content, encoding):
    desk.write("t.csv", content)
    got = desk.ingest("t.csv", encoding=encoding)
    assert [(e.input_text, e.expected) for e in got.examples] == [("hello", "greeting")]
    assert got.rejects == []


def test_quoted_newlines_and_the_line_numbers_after_them(desk):
    desk.write("t.csv", 'input,expected\n"two\nlines",a\n\nplain,b\nragged\n"say ""hi""",c\n')
    got = desk.ingest("t.csv")
    assert [(e.origin.row, e.input_text) for e in got.examples] == [
        (2, "two\nlines"),
        (5, "plain"),
        (7, 'say "hi"'),
    ]
    assert got.reasons == [(6, "wrong number of columns: 1 value, the header names 2")]


def test_tsv(desk):
    desk.write("t.tsv", "input\texpected\na, b\tc\n")
    assert desk.ingest("t.tsv").examples[0].input_text == "a, b"


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        (['"Yes" she said', "x"], '"Yes" she said'),
        (['"never closed', "x"], '"never closed'),
        (['"two\nlines"', "x"], "two\nlines"),
        (['"a ""word"""', "x"], 'a "word"'),
    ],
)
def test_tsv_with_and_without_quoting(desk, cells, expected):
    desk.write("t.tsv", "input\texpected\n" + "\t".join(cells) + "\nq\ty\n")
    got = desk.ingest("t.tsv")
    assert [e.input_text for e in got.examples] == [expected, "q"]


def test_a_row_of_two_megabytes(desk):
    desk.write("t.csv", OK + "x" * 2_000_000 + ",long\n" + '"' + "y" * 2_000_000 + '",long\n')
    assert [len(e.input_text) for e in desk.ingest("t.csv").examples] == [5, 2_000_000, 2_000_000]


def test_blank_and_broken_cells(desk):
    desk.write("t.csv", OK.encode() + b" ,x\nq,\t\nnul\0,x\n\xc3\xa9,ok\n\xc3\xa8,ok\nb\xffd,x\n")
    got = desk.ingest("t.csv")
    assert got.reasons == [
        (3, "empty input: the user's message is blank"),
        (4, "empty answer: the expected column is blank"),
        (5, "broken text: a NUL byte stands in the row"),
        (8, "broken text: byte 0xFF is not utf-8"),
    ]
    assert [e.input_text for e in got.examples] == ["hello", "é", "è"]
    assert got.summary.reasons == {"broken text": 2, "empty answer": 1, "empty input": 1}


def test_quotes_out_of_step_lose_rows_loudly(desk):
    desk.write("t.csv", OK + '"open,a\nb,c\n"shut"x,d\nfine,e\n"never,f\ng,h\n')
    got = desk.ingest("t.csv")
    assert [e.input_text for e in got.examples] == ["hello", "fine"]
    assert got.reasons == [
        (3, "broken CSV: ',' expected after '\"' (lines 3 to 5)"),
        (4, "broken CSV: ',' expected after '\"' (lines 3 to 5)"),
        (5, "broken CSV: ',' expected after '\"' (lines 3 to 5)"),
        (7, "broken CSV: a quoted cell is never closed (lines 7 to 8)"),
        (8, "broken CSV: a quoted cell is never closed (lines 7 to 8)"),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "sources.s: the source has no rows (t.csv is empty). Put rows into it, or leave it out."),
        (b"\n \n", "sources.s: the source has no rows (t.csv is empty). Put rows into it, or leave it out."),
        (
            b"input,expected\n",
            "sources.s: the source has no rows (t.csv has a header and no rows). Put rows into it, or leave it out.",
        ),
        (
            b"input,label,input\na,b,c\n",
            "t.csv:1: the header names 'input' more than once (columns 1 and 3 of input, label, input). "
            "Give each column its own name.",
        ),
        (
            b"input,expceted\na,b\n",
            "t.csv: there is no column 'expected' for 'expected'; the columns are input, expceted. "
            "Did you mean 'expceted'?",
        ),
        (
            b"input,expected\nplain,x\ncaf\xe9,x\n",
            "t.csv:3: byte 0xE9 at offset 26 is not utf-8; the file reads as cp1252. "
            "Set encoding: cp1252 for this source, or save the file as UTF-8.",
        ),
        (
            "input,expected\nこんにちは、世界。元気ですか,x\n".encode("shift_jis"),
            "t.csv:2: byte 0x82 at offset 15 is not utf-8; the file reads as shift_jis or gb18030 or cp1251. "
            "Set encoding: for this source to the one in which the text looks right, or save the file as UTF-8.",
        ),
        (
            OK.encode("utf-16"),
            "t.csv: the file begins with the byte order mark of utf-16 (FF FE) and is not utf-8. "
            "Set encoding: utf-16 for this source.",
        ),
        (
            OK.encode("utf-16-be"),
            "t.csv: every other byte is NUL: the file looks like utf-16-be. Set encoding: utf-16-be for this source.",
        ),
        (
            b"PK\x03\x04rest",
            "t.csv: the file is a zip archive (an Excel workbook is one), not text. Save the sheet as CSV, or unpack it.",
        ),
        (
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR",
            "t.csv:1: byte 0x89 at offset 0 is not utf-8, and there are NUL bytes: this is not a text file. "
            "Point the source at a CSV, TSV, JSON, JSONL or Parquet file.",
        ),
    ],
)
def test_files_that_cannot_be_used(desk, content, message):
    desk.write("t.csv", content)
    assert failure(desk) == message


def test_encodings_that_do_not_fit(desk):
    desk.write("t.csv", "input,expected\nné,x\n")
    assert "Set encoding: utf-8" in failure(desk, encoding="ascii")
    assert failure(desk, encoding="uft-8").startswith("t.csv: there is no text encoding 'uft-8'.")
    assert failure(desk, encoding="rot13").startswith("t.csv: there is no text encoding 'rot13'.")
    assert "is not utf-16" in failure(desk, encoding="utf-16")
    desk.write("t.csv", "input,expected\nné,x\n".encode("cp1252"))
    assert desk.ingest("t.csv", encoding="cp1252").examples[0].input_text == "né"


def test_a_broken_header_between_tabs_is_told_in_words_that_can_be_shown(desk):
    desk.write("t.tsv", 'input\t"expected"x\tmore\na\tb\n')
    with pytest.raises(DataError) as refused:
        desk.ingest("t.tsv")
    assert str(refused.value) == (
        "t.tsv:1: the header cannot be read (broken CSV: a tab expected after '\"' (line 1))."
    )
