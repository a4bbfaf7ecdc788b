"""The shelf: what is taken off it is what was laid down, from a file that nobody sees."""

from array import array
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunewright.train.pack import Row, Tree, _common, compact, digest, shared_prefix
from tunewright.train.shelf import Shelf, Shelves

IDS = st.lists(st.integers(0, 1 << 20), min_size=1, max_size=40)


@st.composite
def trees(draw: st.DrawFn) -> Tree:
    """A tree of one to three rows, some with weights and a reference."""
    name = draw(st.text(st.characters(exclude_categories=["Cs"]), max_size=8))
    rows = list[Row]()
    for ids in draw(st.lists(IDS, min_size=1, max_size=3)):
        mask = draw(st.lists(st.integers(0, 1), min_size=len(ids), max_size=len(ids)))
        weights = array("f", [0.25] * len(ids)) if draw(st.booleans()) else ()
        rows.append(compact(name, ids, mask)._replace(reference=draw(st.floats(-9, 9)), weights=weights))
    return Tree(tuple(rows), draw(st.booleans()))


@given(st.lists(trees(), max_size=6), st.lists(trees(), max_size=4))
@settings(max_examples=60, deadline=None)
def test_what_is_taken_off_is_what_was_laid_down(first: list[Tree], more: list[Tree]) -> None:
    shelf = Shelf(first)
    assert shelf.extend(more) == len(more)
    laid = [*first, *more]
    both = Shelves(Shelf(first), Shelf(more))
    for found in (shelf, both):
        assert list(found) == laid
        assert [found[index] for index in range(len(found))] == laid
        assert found[1:] == laid[1:]
        assert found[-1:] == laid[-1:]
        assert list(found.tokens()) == [tree.tokens for tree in laid]
        assert found.rows == sum(len(tree.rows) for tree in laid)
        assert digest(found) == digest(laid)
        assert found.shared_prefix() == shared_prefix(laid)
        with pytest.raises(IndexError, match=f"there is no item {len(laid)} among"):
            found[len(laid)]


def test_references_are_noted_row_by_row() -> None:
    pair = Tree((compact("a", [1, 2], [0, 1]), compact("a", [1, 3], [0, 1])))
    shelves = Shelves(Shelf([pair, pair]), Shelf([pair]))
    shelves.refer([1.0, 2.0, 3.0, 4.0, 5.0, 6.0])
    assert [[row.reference for row in tree.rows] for tree in shelves] == [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]
    assert shelves[-1].rows[1].reference == 6.0


def test_the_file_lies_where_it_is_told_and_has_no_name(tmp_path: Path) -> None:
    shelf = Shelf([Tree((compact("a", range(5000), [1] * 5000),))] * 20, tmp_path)
    assert len(shelf) == 20
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileNotFoundError):
        Shelf(folder=tmp_path / "gone")


@given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=8), min_size=1, max_size=6), st.data())
@settings(max_examples=200, deadline=None)
def test_the_common_beginning_is_the_longest_that_no_row_trains(
    rows: list[list[int]], data: st.DataObject
) -> None:
    laid = [
        compact("r", ids, data.draw(st.lists(st.integers(0, 1), min_size=len(ids), max_size=len(ids))))
        for ids in rows
    ]

    def fits(size: int) -> bool:
        alike = len({tuple(row.ids[:size]) for row in laid}) == 1
        return alike and all(size < len(row.ids) and not any(row.mask[1:size]) for row in laid)

    found = _common(laid)
    assert fits(found)
    assert not fits(found + 1)
    assert shared_prefix([Tree((row,)) for row in laid]) == (found if len(laid) > 1 else 0)
