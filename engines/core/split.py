"""Examples, and what of them an engine may see."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from engines.core.errors import UserError
from engines.core.spec import Budget, Floats, Spec

Index = Sequence[int] | NDArray[np.int64]


class Picked(Sequence[Any]):
    """The items of `base` at `index`, made only when asked for (the base may be lazy)."""

    def __init__(self, base: Sequence[Any], chosen: Index) -> None:
        self.base, self.chosen = base, chosen

    def __len__(self) -> int:
        return len(self.chosen)

    def __getitem__(self, i: Any) -> Any:
        if isinstance(i, slice):
            return Picked(self.base, self.chosen[i])
        return self.base[int(self.chosen[i])]

    def __iter__(self) -> Iterator[Any]:
        return (self.base[int(i)] for i in self.chosen)


@dataclass(frozen=True)
class Split:
    """Examples: inputs `x`, outputs `y`, what each costs of the budget (`weight`, shape (n,), in the task's unit) and
    `gold`, the true outputs of stages where they are known (by name, for instance "phonemes" and "speaker").

    `x`, `y` and `gold` may be lazy sequences.
    """

    x: Sequence[Any]
    y: Sequence[Any]
    weight: Floats
    gold: Sequence[Mapping[str, Any]]
    # how more is to be had, as the end of a sentence
    more: ClassVar[str] = ""

    def __post_init__(self) -> None:
        lengths = {len(self.x), len(self.y), len(self.weight), len(self.gold)}
        if len(lengths) != 1:
            raise ValueError(f"x, y, weight and gold differ in length: {sorted(lengths)}")

    def __len__(self) -> int:
        return len(self.x)

    @property
    def total(self) -> float:
        return float(np.sum(self.weight))

    def take(self, index: Index) -> Split:
        chosen = np.asarray(index, dtype=np.int64)
        return Split(Picked(self.x, chosen), Picked(self.y, chosen), self.weight[chosen], Picked(self.gold, chosen))

    def prefix(self, amount: float, rng: np.random.Generator) -> Split:
        """The shortest prefix of one random permutation whose weights reach `amount`.

        With generators of the same seed, the prefix of a smaller amount is a part of that of a larger one.

        Raises:
            UserError: `amount` is not above 0, or more than there is (by over one part in a thousand).
        """
        if not amount > 0:
            raise UserError(f"A budget must be above 0, but {amount:g} was asked for.")
        if amount > self.total * 1.001:
            raise UserError(
                f"The budget asks for {amount:g}, but there is only {self.total:.4g}: pick at most that{self.more}."
            )
        order = self.permutation(rng)
        reached = np.cumsum(self.weight[order])
        count = int(np.searchsorted(reached, amount * (1 - 1e-9))) + 1
        return self.take(order[: min(count, len(order))])

    def permutation(self, rng: np.random.Generator) -> Any:
        """The order in which budgets grow; shape (n,). Data made in blocks overrides it to draw whole blocks."""
        return rng.permutation(len(self))


@dataclass(frozen=True)
class TrainingData:
    """What `Engine.fit` may see: the budget's own pairs, the side data it bought, and what an input is."""

    train: Split
    side: Mapping[str, Any]
    x: Spec

    @classmethod
    def nothing(cls, x: Spec) -> TrainingData:
        """No data at all, of inputs `x`: what a reference is fitted on."""
        return cls(Split([], [], np.zeros(0), []), {}, x)


@dataclass(frozen=True)
class TaskData:
    """All data of a task. `tests["test"]` is the fixed test set; other entries are variants reported beside it."""

    train: Split
    tests: Mapping[str, Split]
    x: Spec
    side: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    # (side, budget) -> what that budget bought of the side data; None: all of it is given
    side_prefix: Any = None

    def draw(self, budget: Budget, seed: int) -> TrainingData:
        """The budget's data. All engines of one seed get the same examples, and budgets of one seed nest."""
        train = self.train.prefix(budget.pairs, np.random.default_rng([seed, 0]))
        side = self.side if self.side_prefix is None else self.side_prefix(self.side, budget, seed)
        return TrainingData(train, side, self.x)
