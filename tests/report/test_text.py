"""Texts on the page: cuts, and the word-by-word comparison."""

from hypothesis import given
from hypothesis import strategies as st

from ends import ends
from tunewright.report.text import CLIP, Piece, clip, compare, fact, first_line


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


def test_what_is_too_long_to_compare_says_so():
    dense = [f"[{','.join(str((n + step) % 10) for n in range(400))}]" for step in (0, 1)]
    note, reply = compare(*dense)
    assert note == Piece("note", "Too long to compare word by word, so no difference is marked:\n")
    assert reply == Piece("uncompared", dense[1])
    assert compare(dense[0], dense[0].replace(",", ", ")) == [Piece("same", dense[0].replace(",", ", "))]
    assert compare(dense[0] * 4, dense[0] * 4) == [Piece("same", clip(dense[0] * 4))]


def test_what_lies_behind_the_cut_is_not_called_the_same():
    start = "x" * CLIP
    assert compare(f"{start} red", f"{start} blue") == [
        Piece("same", start),
        Piece(
            "note",
            " … (not compared: 5 more characters of the reply and 4 more characters of the expected answer)",
        ),
    ]
    assert compare("no", f"{start} blue")[-1] == Piece(
        "note", " … (not compared: 5 more characters of the reply)"
    )
    assert compare(f"{start} red", f"{start}\nred") == [Piece("same", clip(f"{start}\nred"))]


def test_the_comparison_of_long_texts_comes_to_an_end():
    with ends():
        compare("a b " * 100_000, "b a " * 100_000)


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
