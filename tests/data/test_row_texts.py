"""The texts of a row, taken out and put back."""

from tunewright.core.example import Example, ask, make_example
from tunewright.data.ops._texts import texts_of, turns_of, values_of, with_texts

ROW = make_example(
    ask("When?", "Now", system="Be short."),
    fields={"Ann": "a", "n": 7, "deep": {"x": [1.5, True, None, "b"]}},
    rejected="Never",
)


def shouted(row: Example, texts: list[str]) -> Example:
    return with_texts(row, [text.upper() for text in texts], lambda inner: inner)


def test_texts_in_their_order() -> None:
    turns = ["Be short.", "", "", "When?", "", "", "Now", "", "", "Never"]
    fields = ["Ann", "a", "n", "7", "deep", "x", "1.5", "b"]
    assert (turns_of(ROW), texts_of(ROW)) == (turns, [*turns, *fields])
    assert [value.text for value in values_of(ROW)] == fields
    assert [(value.name, value.is_column) for value in values_of(ROW)[:6]] == [
        *(("", True), ("Ann", False), ("", True), ("n", False), ("", True), ("", False)),
    ]


def test_all_texts_are_put_back() -> None:
    made = shouted(ROW, texts_of(ROW))
    assert made == make_example(
        ask("WHEN?", "NOW", system="BE SHORT."),
        fields={"ANN": "A", "N": 7, "DEEP": {"X": [1.5, True, None, "B"]}},
        rejected="NEVER",
    )


def test_fields_stay_where_turns_alone_are_put_back() -> None:
    made = shouted(ROW, turns_of(ROW))
    assert (made.expected, made.rejected, made.fields) == ("NOW", "NEVER", ROW.fields)
