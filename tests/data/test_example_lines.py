"""Examples in files: a file that was cut off is not a shorter one."""

import json
from pathlib import Path

import pytest

from tunewright.core.errors import IntegrityError
from tunewright.core.example import Origin, ask, make_example
from tunewright.core.hashing import hash_plain, hash_value
from tunewright.core.message import Message, with_tools
from tunewright.data.examples import Examples, from_lines, read_examples, to_line, write_examples


def test_a_file_that_is_cut_off_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    rows = [make_example(ask(f"question {at}", "a\u2028b\rc")) for at in range(3)]
    write_examples(path, rows)
    assert read_examples(path) == list(Examples(path)) == rows
    for bytes_lost in (1, 9):
        path.write_bytes(path.read_bytes()[:-bytes_lost])
        for read in (read_examples, lambda path: list(Examples(path)), lambda path: Examples(path)[2]):
            with pytest.raises(IntegrityError, match="the last line has no end: the file is cut off"):
                read(path)


ODD = [
    0,
    -(2**70),
    10**300,
    1e-7,
    1e16,
    -0.0,
    True,
    None,
    '\x7f\u2028\x1f<\\"é😀',
    {"a": [1.5, {"b": 2**64}]},
    [[]],
]


@pytest.mark.parametrize("value", ODD)
def test_a_line_is_what_json_writes(value: object) -> None:
    origin = Origin(source="s", file="f\x08", row=3, teacher="t", depth=1)
    row = make_example(ask("a\x00é", "b", system="\t"), fields={"x": value}, origin=origin, desirable=False)
    line = to_line(row).decode()
    assert line == json.dumps(json.loads(line), ensure_ascii=False, separators=(",", ":")) + "\n"
    assert json.loads(line)["fields"] == {"x": value}
    assert [repr(one) for one in from_lines(line.encode(), "rows")] == [repr(row)]


def test_keys_that_are_no_texts_are_written_as_json_has_them() -> None:
    row = make_example(ask("a", "b"), fields={"x": {None: [{True: 1}], 2: 3}})
    assert json.loads(to_line(row))["fields"] == {"x": {"null": [{"true": 1}], "2": 3}}


def test_rows_of_all_kinds_come_back() -> None:
    rows = [
        make_example(with_tools(ask("a", "b"), '[{"x": 1e-07}]'), rejected="c"),
        make_example(
            (Message(role="user", content="a", name=""), Message(role="assistant", content="b", weight=0.5))
        ),
        *(make_example(ask("a", "b"), desirable=good) for good in (None, True, False)),
    ]
    assert [row for one in rows for row in from_lines(to_line(one), "rows")] == rows
    assert [row.rated for row in rows] == [False, False, False, True, True]


def test_half_a_surrogate_pair_is_no_character() -> None:
    assert hash_plain(["\ud800"]) == hash_value(["\ud800"])
    row = make_example(ask("a", "b"), fields={"x": "\ud800"})
    with pytest.raises(UnicodeEncodeError):
        to_line(row)


def test_a_key_that_no_line_has_is_passed_over() -> None:
    row = make_example(ask("a", "b"))
    line = to_line(row).replace(b'{"id"', b'{"rated":true,"more":1,"id"')
    assert from_lines(line, "rows") == [row]


@pytest.mark.parametrize(("begin", "count"), [(0, None), (0, 2), (1, 1), (1, 9), (2, 0), (3, None), (5, 2)])
def test_rows_are_counted_as_they_are_read(tmp_path: Path, begin: int, count: int | None) -> None:
    rows = [make_example(ask(f"q{at}\n", "a" * at)) for at in range(3)]
    path = tmp_path / "rows.jsonl"
    write_examples(path, rows)
    some = Examples(path, begin, count)
    wanted = rows[begin : None if count is None else begin + count]
    assert list(some) == [some[at] for at in range(len(some))] == wanted
    assert len(Examples(path, begin, count)) == len(wanted)
    path.write_bytes(path.read_bytes()[:-1])
    assert len(Examples(path)) == 3
    with pytest.raises(IntegrityError, match="cut off"):
        Examples(path)[2]
    path.write_bytes(b"")
    assert len(Examples(path, begin, count)) == len(list(Examples(path, begin, count))) == 0
