"""Texts on the page: hidden characters, cuts, and the word-by-word comparison."""

import time

from hypothesis import given
from hypothesis import strategies as st

from tunewright.report.text import Piece, clip, compare, fact, first_line, visible


def test_compare():
    assert compare('{"a": 1, "b": 2}', '{"a": 1, "b": 3}') == [
        Piece("same", '{"a": 1, "b": '),
        Piece("wrong", "3"),
        Piece("same", "}"),
    ]
    assert compare("the red kettle", "the kettle") == [
        Piece("same", "the "),
        Piece("missing", "red"),
        Piece("same", "kettle"),
    ]
    assert compare("a  b", "a\nb") == [Piece("same", "a\nb")]
    assert compare("a", "") == [Piece("missing", "a")]


@given(st.text(max_size=60), st.text(max_size=60))
def test_the_reply_is_all_there(expected, reply):
    assert "".join(piece.text for piece in compare(expected, reply) if piece.kind != "missing") == reply


def test_long_texts_are_compared_in_no_time():
    start = time.perf_counter()
    compare("a b " * 100_000, "b a " * 100_000)
    assert time.perf_counter() - start < 1


@given(st.text())
def test_visible_text_can_be_written(text):
    assert "\x00" not in visible(text)
    visible(text).encode("utf-8")


def test_visible():
    assert visible("a\x00b\u202ec\td\r\ne\ud800") == "a⟨0000⟩b⟨202E⟩c\td\ne⟨D800⟩"


def test_cuts():
    assert clip("abcdef", 4) == "abcd … (2 more characters)"
    assert first_line("one\n two", 20) == "one two"
    assert first_line("one two three", 8) == "one two…"


def test_facts():
    values = [True, None, 1234, 0.000123456, 12345.6, ["a", 2], ["One.", "Two."], {"x": 1}, "t"]
    assert [fact(value) for value in values] == [
        "yes",
        "–",
        "1,234",
        "0.0001235",
        "12,346",
        "a, 2",
        "One. Two.",
        "x: 1",
        "t",
    ]
