"""A sequence whose items are made when asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


class Lazy(Sequence[Any]):
    """`length` items; item i is `make(i)`, made anew each time it is asked for."""

    def __init__(self, length: int, make: Callable[[int], Any]) -> None:
        self.length, self.make = length, make

    def __len__(self) -> int:
        return self.length

    def __getitem__(self, i: Any) -> Any:
        if isinstance(i, slice):
            index = range(*i.indices(self.length))
            return Lazy(len(index), lambda j: self.make(index[j]))
        i = int(i)
        if not -self.length <= i < self.length:
            raise IndexError(i)
        return self.make(i % self.length)
