"""Sequences that are read one item at a time, by its place: from a file, or from other sequences."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import TypeVar, overload

T = TypeVar("T")


class ByPlace(Sequence[T]):
    """What lists do with an index or a slice, over `read`. A subclass has `__len__` and `read`."""

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        if isinstance(index, slice):
            return [self.read(place) for place in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(f"there is no item {index} among {len(self)}")
        return self.read(index % len(self))

    @abstractmethod
    def read(self, place: int) -> T:
        """The item at a place from 0 on, which is there."""
