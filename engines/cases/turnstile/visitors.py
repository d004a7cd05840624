"""A budget with a visitor's own frames among it, for engines that know only whom they were trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.cases.turnstile import crop, photos, sight
from engines.cases.turnstile.compose import Placed
from engines.core import Progress, Split, TrainingData, UserError, quiet
from engines.core.sighting import Box, Candidates, Picture


class Taught:
    """What engines have in common that know only whom they were trained on."""

    def again(
        self,
        data: TrainingData,
        people: Mapping[str, Sequence[Picture]],
        rng: np.random.Generator,
        progress: Progress = quiet,
    ) -> Any:
        """One trained on `data` and on the pictures of these people too.

        Raises:
            UserError: as `joined` does.
        """
        return type(self)().fit(joined(data, people), rng, progress)  # type: ignore[attr-defined]


def joined(data: TrainingData, people: Mapping[str, Sequence[Picture]]) -> TrainingData:
    """`data` with the pictures of `people` at its end, each placed by the nearest face that is found in it; those in
    which none is found are left out. Nothing is written anywhere.

    Raises:
        UserError: a person has no picture that shows a face, or a name that is on file already.
    """
    own = data.train
    names = {own.gold[i]["name"] for i in range(len(own))}
    usual = crop.usual([own.gold[i]["photo"] for i in range(len(own))])
    pictures: list[Picture] = []
    gold: list[Mapping[str, Any]] = []
    for name, shown in people.items():
        if name in names:
            raise UserError(f"{name} is on file already: take another name.")
        before = len(gold)
        for picture in shown:
            found = sight.find(picture)
            if found:
                pictures.append(picture)
                gold.append({"name": name, "photo": -1, "placed": placed(found[0], usual)})
        if len(gold) == before:
            raise UserError(f"No picture of {name} shows a face: bring one that does.")
    truths = [Candidates(((each["name"], 1.0),), 0.0, each["placed"].box()) for each in gold]
    train = Split(
        [*own.x, *pictures],
        [*own.y, *truths],
        np.concatenate([own.weight, np.ones(len(gold))]),
        [*own.gold, *gold],
    )
    return replace(data, train=train)


def placed(box: Box, usual: NDArray[np.float64]) -> Placed:
    """Where a photo of the collection would lie for its face to lie where `box` says; `usual` (5, 2) are the landmarks
    of a usual photo, in its own pixels."""
    if len(box.points) != len(usual):
        return Placed(np.sqrt(box.area) / photos.FACE, 0.0, (box.left + box.right) / 2, (box.top + box.bottom) / 2)
    turn = crop.similarity(usual - photos.SIDE / 2, np.array(box.points))
    across, down = float(turn[0, 0]), float(turn[1, 0])
    return Placed(float(np.hypot(across, down)), float(np.arctan2(-down, across)), float(turn[0, 2]), float(turn[1, 2]))
