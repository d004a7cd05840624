"""The task's data: frames of employees to learn from and to be tested on, strangers, and photos of other people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.cases.turnstile import compose, crop, frames, photos
from engines.core import Budget, Spec, Split, TaskData, UserError
from engines.core.sighting import Box, Candidates
from engines.ml.lazy import Lazy

FRAME = Spec("picture", "pixels", (compose.HEIGHT, compose.WIDTH, 3))
# Below so many frames a budget is one for tests of the machinery: it buys next to no photos of others.
REAL_FROM = 13
TEST_PHOTOS = 60


@dataclass(frozen=True)
class Gate(Split):
    """Employees' frames. A budget grows by rounds: one photo of everybody, then a second of everybody, and so on."""

    def permutation(self, rng: np.random.Generator) -> NDArray[np.int64]:
        order = rng.permutation(len(self))
        seen: dict[str, int] = {}
        rounds = np.empty(len(order), np.int64)
        for i in order:
            name = self.gold[int(i)]["name"]
            rounds[i] = seen[name] = seen.get(name, -1) + 1
        return order[np.argsort(rounds[order], kind="stable")]


@dataclass(frozen=True)
class Faces:
    """Photos of people who are not on file: `photos` (n,) indices, `people` (n,) names."""

    photos: tuple[int, ...]
    people: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.photos)

    def cuttings(self) -> NDArray[np.uint8]:
        return crop.cuttings(self.photos)

    def labels(self) -> NDArray[np.int64]:
        return np.unique(np.array(self.people), return_inverse=True)[1]

    def some(self, amount: int, seed: int) -> Faces:
        """All photos of person after person, in an order of the seed, until there are `amount`.

        Raises:
            UserError: there are not so many.
        """
        if amount > len(self):
            raise UserError(f"{amount:,} photos of other people were asked for, but there are only {len(self):,}.")
        names = sorted(set(self.people))
        rank = dict(zip(np.random.default_rng([seed, 2]).permutation(names).tolist(), range(len(names)), strict=True))
        chosen = sorted(range(len(self)), key=lambda i: (rank[self.people[i]], i))[:amount]
        return Faces(tuple(self.photos[i] for i in chosen), tuple(self.people[i] for i in chosen))


def employees() -> TaskData:
    """62 employees at a gate.

    Raises:
        UserError: the photos or the backgrounds are not on this machine.
    """
    who = photos.parts()
    train, test, gate, strangers, callers = (
        frames.frames(part) for part in ("train", "test", "gate", "strangers", "callers")
    )
    pool = Faces(
        tuple(i for name in sorted(who.others) for i in who.others[name]),
        tuple(name for name in sorted(who.others) for _ in who.others[name]),
    )
    return TaskData(
        Gate(*_columns([(train, True)])),
        {"test": Split(*_columns([(test, True)])), "strangers": Split(*_columns([(gate, True), (strangers, False)]))},
        FRAME,
        {"others": pool, "callers": Lazy(len(callers), callers.pixels)},
        _bought,
    )


def _columns(parts: list[tuple[frames.Frames, bool]]) -> tuple[Any, Any, Any, Any]:
    """x, y, weight, gold of frames that show people on file (True) or strangers, one part after the other."""
    places = [(part, on_file, i) for part, on_file in parts for i in range(len(part))]

    def gold(k: int) -> Mapping[str, Any]:
        part, on_file, i = places[k]
        return {"name": part.people[i] if on_file else "", "photo": part.photos[i], "placed": part.placed[i]}

    truths = [_truth(part.people[i] if on_file else "", part.placed[i].box()) for part, on_file, i in places]
    pictures = Lazy(len(places), lambda k: places[k][0].pixels(places[k][2]))
    return pictures, truths, np.ones(len(places)), Lazy(len(places), gold)


def _truth(name: str, box: Box) -> Candidates:
    """The true answer: somebody on file, or nobody who is."""
    return Candidates(((name, 1.0),) if name else (), 0.0, box)


def _bought(side: Mapping[str, Any], budget: Budget, seed: int) -> Mapping[str, Any]:
    """What a budget buys of the side data: `others` photos of other people, all of them unless told."""
    everybody = side["others"]
    if budget.pairs < REAL_FROM:
        some = everybody.some(min(TEST_PHOTOS, len(everybody)), seed)
        return {**side, "others": some, "callers": side["callers"][:TEST_PHOTOS], "seed": seed}
    amount = int(budget.side.get("others", len(everybody)))
    return {**side, "others": everybody.some(amount, seed), "seed": seed}
