"""drop_duplicates keeps the best of equal rows by a score."""

import pytest
from worked import worked

from tunewright.core.errors import DataError
from tunewright.core.example import Example, ask, make_example
from tunewright.data.ops.drop_duplicates import DropDuplicates


def row(question: str, score: object) -> Example:
    return make_example(ask(question, "x"), fields={"score": score})


ROWS = [row("Hi  there", 2), row("bye", 1), row("hi THERE ", 5), row("hi there", 5.0), row("BYE", "0.5")]


@pytest.mark.parametrize(
    ("spec", "kept"),
    [
        (DropDuplicates(), [0, 1]),
        (DropDuplicates(keep="highest", field="score"), [1, 2]),
        (DropDuplicates(keep="lowest", field="score"), [0, 4]),
        (DropDuplicates(keep="longest_answer"), [0, 1]),
    ],
)
def test_the_best_of_equal_rows_stays(spec: DropDuplicates, kept: list[int]) -> None:
    assert worked([spec], ROWS).kept == [ROWS[at] for at in kept]


def test_what_was_dropped_names_the_row_that_stays() -> None:
    done = worked([DropDuplicates(keep="highest", field="score")], ROWS)
    best = ROWS[2].place
    assert done.dropped == [
        (ROWS[0].place, f"the same as {best}"),
        (ROWS[3].place, f"the same as {best}"),
        (ROWS[4].place, f"the same as {ROWS[1].place}"),
    ]


def test_a_row_without_a_number_is_told() -> None:
    with pytest.raises(DataError, match="has no number in the field 'score'"):
        worked([DropDuplicates(keep="highest", field="score")], [*ROWS, row("a", "high")])
