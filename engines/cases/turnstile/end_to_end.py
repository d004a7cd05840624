"""One network from the frame to the employee: no detector, no box, no landmark at the time of an answer.

What serious people would give it is given: frames made anew from its own (their heads on fresh scenes), a schedule
from easy to hard (first a face that fills half of a small window, then whole frames; Bengio et al. 2009, "Curriculum
learning"), attention over places and three scales.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from engines.cases.turnstile import backgrounds, compose, gaze, painter, sight
from engines.cases.turnstile.gaze import Gaze
from engines.cases.turnstile.networks import parameters
from engines.cases.turnstile.painter import Painter, View
from engines.cases.turnstile.visitors import Taught
from engines.core import Engine, Progress, Spec, Split, Stage, TrainingData, UserError, quiet
from engines.core.engine import Shape as EngineShape
from engines.core.sighting import Attention, Candidates
from engines.ml import quantise, training

WINDOW = View(64, 64, (20.0, 50.0), empty=0.15)
PART = View(120, 160, (20.0, 100.0))
WHOLE = View(compose.HEIGHT, compose.WIDTH, (compose.SMALLEST, compose.LARGEST))
SMOOTHING = 0.1  # of labels


@dataclass(frozen=True)
class Lesson:
    """`steps` batches of `size` frames painted as `view`, seen at `scales`; `real` of them are the budget's own."""

    view: View
    steps: int
    size: int
    rate: float
    scales: tuple[float, ...]
    real: float = 0.0


def lessons(frames: int) -> tuple[Lesson, ...]:
    """From easy to hard; the more frames there are, the more there is to learn from each lesson.

    Windows cost least, and are where the network learns what tells people apart. The recipe was fixed on frames of the
    training part: with 8 people, 112 frames and 500, 120 and 120 steps it named all of them and 72 % of 74 held out.
    Learning from 248 frames of 62 people it named 23.0 % of 500 held out after a third of these steps, 28.4 % after
    all; of its own it named all 150 that were asked, either way."""
    if frames < 10:
        return (Lesson(WINDOW, 5, 16, 3e-3, (1.0,)), Lesson(WHOLE, 5, 4, 1e-3, gaze.SCALES))
    share = (frames / 1375) ** 0.4
    return (
        Lesson(WINDOW, round(7200 * share), 64, 3e-3, (1.0,)),
        Lesson(PART, round(1200 * share), 16, 1.5e-3, (1.0, 0.5)),
        Lesson(WHOLE, round(1500 * share), 8, 1e-3, gaze.SCALES, real=0.25),
    )


@dataclass(frozen=True)
class EndToEnd(Taught, Engine):
    """`people` (k,) as the network's outputs name them."""

    name: ClassVar[str] = "end_to_end"
    shape: ClassVar[EngineShape] = "end_to_end"
    version: ClassVar[int] = 2
    supervision: ClassVar[tuple[str, ...]] = (
        "the true boxes of its training frames, and backgrounds without faces to set their heads on anew",
    )

    network: Gaze | None = None
    people: tuple[str, ...] = ()
    threshold: float = 0.0

    def fit(self, data: TrainingData, rng: np.random.Generator, progress: Progress = quiet) -> Self:
        people, labels = sight.labels(data.train)
        progress(0.0, "cutting the heads out of the frames")
        network = taught(data.train, labels, len(people), rng, lambda f, s: progress(0.95 * f, s))
        fitted = replace(self, network=network, people=people)
        callers = data.side["callers"]
        best = [fitted._look(callers[i]).scores[:-1].max() for i in range(len(callers))]
        return replace(fitted, threshold=sight.calibrated(np.array(best)))

    def stages(self, reading: str = "") -> tuple[Stage, ...]:
        self.check_reading(reading)
        return (
            Stage("attention", Spec("attention", "log probability"), self._look),
            Stage("people", sight.PEOPLE, self._choose),
        )

    def _look(self, x: NDArray[np.uint8]) -> Attention:
        """Where it looks, and log probabilities (k + 1,) of the frame and its mirror image together, nobody last."""
        with torch.inference_mode():
            seen = painter.toned(torch.from_numpy(x[None]))
            heat, both = self._network.heat(torch.cat([seen, seen.flip(3)]))
            scores = torch.logsumexp(both, dim=0) - np.log(2.0)
        return Attention(x, heat[0].numpy().astype(np.float32), scores.numpy().astype(np.float32))

    def _choose(self, seen: Attention) -> Candidates:
        found = sight.ranked((*self.people, ""), seen.scores, self.threshold, None)
        # Where nobody is the likeliest, the employee next in line is the candidate, with the score that is left.
        return replace(found, people=tuple((name, score) for name, score in found.people if name))

    @property
    def _network(self) -> Gaze:
        if self.network is None:
            raise UserError("This engine has not been trained yet: fit it, or load a trained one.")
        return self.network

    @property
    def parameters(self) -> int:
        return parameters(self._network)

    def save(self, directory: Path) -> None:
        quantise.save_network(self._network, directory / "network.safetensors")
        meta = {"people": self.people, "threshold": self.threshold, "shape": self._network.shape.to_json()}
        (directory / "engine.json").write_text(json.dumps(meta, separators=(",", ":")))

    @classmethod
    def load(cls, directory: Path) -> Self:
        meta = json.loads((directory / "engine.json").read_text())
        network = Gaze(gaze.Shape.from_json(meta["shape"]))
        quantise.load_network(network, directory / "network.safetensors")
        return cls(network, tuple(meta["people"]), meta["threshold"])

    def truths(self, x: Any, gold: Mapping[str, Any]) -> Mapping[str, Any]:
        """It has no stage whose truth is known."""
        return {}


def taught(train: Split, labels: NDArray[np.int64], people: int, rng: np.random.Generator, progress: Progress) -> Gaze:
    """The network after all lessons, its weights rounded as they are saved. The rate falls to zero in every lesson, and
    its last weights count."""
    frames = [train.x[i] for i in range(len(train))]
    heads = np.stack([painter.head(x, train.gold[i]["placed"]) for i, x in enumerate(frames)])
    real = torch.from_numpy(np.stack(frames))
    paint = Painter(heads, backgrounds.backgrounds().train, (compose.HEIGHT, compose.WIDTH), rng)
    network = training.build(lambda: Gaze(gaze.Shape(people)), rng)
    plan = lessons(len(frames))
    cost = np.array([lesson.steps * lesson.size * lesson.view.height * lesson.view.width for lesson in plan], float)
    begin = np.concatenate([[0.0], np.cumsum(cost) / cost.sum()])
    for k, lesson in enumerate(plan):
        recipe = training.Recipe(
            lesson.steps, lesson.rate, weight_decay=0.05, validate_every=max(1, lesson.steps // 8), warm_up=0.1
        )
        last = iter(range(0, -1000, -1))

        def told(done: float, text: str, k: int = k) -> None:
            progress(begin[k] + done * (begin[k + 1] - begin[k]), f"lesson {k + 1}, {text.split(',', maxsplit=1)[0]}")

        training.train(
            network,
            _batches(paint, real, labels, people, lesson),
            lambda net, batch, lesson=lesson: _loss(net(batch[0], lesson.scales), batch[1]),
            lambda net, last=last: next(last),
            recipe,
            rng,
            told,
        )
    quantise.round_network(network)
    return network.eval()


def _loss(log: Tensor, labels: Tensor) -> Tensor:
    return (1 - SMOOTHING) * functional.nll_loss(log, labels) - SMOOTHING * log.mean()


def _batches(
    paint: Painter, real: Tensor, labels: NDArray[np.int64], nobody: int, lesson: Lesson
) -> Callable[[np.random.Generator], Iterator[Any]]:
    def one_pass(rng: np.random.Generator) -> Iterator[Any]:
        order = np.concatenate([rng.permutation(len(labels)) for _ in range(-(-lesson.size // len(labels)))])
        count = round(lesson.real * lesson.size)
        for begin in range(0, len(order) - lesson.size + 1, lesson.size):
            chosen = order[begin : begin + lesson.size]
            painted = paint.paint(chosen[count:], lesson.view, rng)
            x, y = painted.x, np.where(painted.empty, nobody, labels[chosen[count:]])
            if count:
                own = painter.seen(real[chosen[:count]].permute(0, 3, 1, 2).float(), rng)
                x = torch.cat([own if rng.random() < 0.5 else own.flip(3), x])
                y = np.concatenate([labels[chosen[:count]], y])
            yield x, torch.from_numpy(y)

    return one_pass
