"""The network that is shown two faces and says whether they are of one person: trained on other people's photos.

Both faces go through the same network; what is compared are the directions of the two embeddings. A verifier depends on
the photos of others and on the seed, not on the budget, so that it is trained once and kept in the cache by the hash
of what made it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file, save_file
from torch import nn

from engines.cases.turnstile import augment, photos
from engines.cases.turnstile.augment import Strength
from engines.cases.turnstile.networks import FaceNetwork, Margins, Shape, parameters
from engines.core import Progress, effort, quiet
from engines.ml import quantise, training

VERSION = 3  # of how a verifier is trained and kept
SHRINKAGE = 0.5  # of the scatter within a person; from 0.3 to 1 it makes no difference that can be told
SHAPE = Shape()


@dataclass(frozen=True)
class Plan:
    """How hard a network is trained: faces a batch, rate, decay, the margins of people who are told apart, and `mix`:
    two faces of a batch are mixed by shares from a beta distribution with both parameters that, and not at all where it
    is 0 (Zhang et al. 2018, "mixup")."""

    batch: int = 128
    rate: float = 3e-3
    decay: float = 0.05
    scale: float = 16.0
    margin: float = 0.1
    mix: float = 0.0


@dataclass(frozen=True)
class Pairs:
    """How a verifier is trained: batches of `people`, two photos each, at a `temperature`. Someone of whom there is a
    single photo is shown it twice, changed in two ways, and comes less often (`single`)."""

    people: int = 64
    temperature: float = 0.1
    single: float = 0.35
    rate: float = 2e-3
    decay: float = 0.05

    def steps(self, photos: int) -> int:
        """Of 4,529 photos, with 248 employees' frames on file, 1,127 others of the training part (mean of three draws):
        52 % were named after 990 steps and 58 % after 1,980 at a rate of 3e-3, 64 % after 4,950 and no more after these
        9,910 at 2e-3; with 62 frames 34, 39, 45 and 45 %."""
        if photos < 128:
            # Next to nothing can be learned from so few; tests are made of them.
            return 10
        return int(np.clip(280 * photos / 128, 2000, 10_000))


PAIRS = Pairs()
# How a verifier goes on learning, with the employees among the others. On 1,127 held-out frames of the training part,
# 248 on file: 68.7 % named, 64.8 % before. Told to name people in place of comparing them, it forgot: 56 to 58 %.
TUNING, TUNING_STEPS, FAVOUR = Pairs(rate=1e-3), 800, 4.0


class Comparer(nn.Module):
    """A face network, trained so that a face is nearer to the other photo of its person than to anybody else's in the
    batch (Oord et al. 2018, "Contrastive predictive coding"; as for images Chen et al. 2020)."""

    def __init__(self, network: FaceNetwork, temperature: float) -> None:
        super().__init__()
        self.network, self.temperature = network, temperature

    def loss(self, cuttings: torch.Tensor) -> torch.Tensor:
        """`cuttings` (2 n, 3, 64, 64): the first photo of n people, then the second of each in the same order."""
        directions = nn.functional.normalize(self.network.embedding(cuttings).float(), dim=1)
        count = len(directions) // 2
        alike = directions @ directions.T / self.temperature - 1e9 * torch.eye(2 * count)
        partner = torch.cat([torch.arange(count) + count, torch.arange(count)])
        return nn.functional.cross_entropy(alike, partner)


@dataclass(frozen=True)
class Batch:
    """`cuttings` (n, 3, 64, 64), of which `share` is of people `labels` (n,) and the rest of `others` (n,)."""

    cuttings: torch.Tensor
    labels: torch.Tensor
    others: torch.Tensor
    share: float


class Learner(nn.Module):
    """A face network and what it is trained against."""

    def __init__(self, network: FaceNetwork, margins: Margins) -> None:
        super().__init__()
        self.network, self.margins = network, margins

    def loss(self, batch: Batch) -> torch.Tensor:
        embeddings = self.network.embedding(batch.cuttings)
        ours, theirs = self.margins(embeddings, batch.labels), self.margins(embeddings, batch.others)
        found: torch.Tensor = batch.share * ours + (1 - batch.share) * theirs
        return found


@dataclass(frozen=True)
class Verifier:
    """A face network and the linear map that follows it: `mean` (size,) and `spread` (size, size) float32.

    The map makes directions in which photos of one person differ count for less (Fisher's discriminant, as in Belhumeur
    et al. 1997, with the scatter within a person shrunk towards a ball).
    """

    network: FaceNetwork
    mean: NDArray[np.float32]
    spread: NDArray[np.float32]

    @classmethod
    def of(cls, network: FaceNetwork, cuttings: NDArray[np.uint8], labels: NDArray[np.int64]) -> Verifier:
        """The network with the map that faces of known people ask for; both rounded as they are saved."""
        found = embed(network, cuttings)
        size = found.shape[1]
        _, place, counts = np.unique(labels, return_inverse=True, return_counts=True)
        middles = np.zeros((len(counts), size))
        np.add.at(middles, place, found)
        inside = (found - (middles / counts[:, None])[place])[counts[place] > 1]
        scatter = inside.T @ inside / max(1, len(inside))
        ball = np.eye(size) * max(float(np.trace(scatter)) / size, 1e-6)
        lengths, axes = np.linalg.eigh(scatter + SHRINKAGE * ball)
        spread = (axes / np.sqrt(lengths)) * np.sqrt(lengths.mean())
        return cls(network, _rounded(found.mean(axis=0)), _rounded(spread))

    def directions(self, cuttings: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]) -> NDArray[np.float32]:
        """(n, size) of length 1, one a face; zero where a face is nothing."""
        found = embed(self.network, cuttings)
        there = found.any(axis=1)
        mapped = np.where(there[:, None], (found - self.mean) @ self.spread, 0.0)
        length = np.linalg.norm(mapped, axis=1, keepdims=True)
        return np.asarray(mapped / np.maximum(length, 1e-9), np.float32)

    @property
    def parameters(self) -> int:
        return parameters(self.network) + self.mean.size + self.spread.size

    def save(self, directory: Path) -> None:
        save(self.network, directory / "network.safetensors")
        halves = {"mean": self.mean.astype(np.float16), "spread": self.spread.astype(np.float16)}
        save_file(halves, directory / "map.safetensors")

    @classmethod
    def load(cls, shape: Shape, directory: Path) -> Verifier:
        arrays = load_file(directory / "map.safetensors")
        network = load(shape, directory / "network.safetensors")
        return cls(network, arrays["mean"].astype(np.float32), arrays["spread"].astype(np.float32))


def _rounded(array: NDArray[np.floating[Any]]) -> NDArray[np.float32]:
    return np.ascontiguousarray(array).astype(np.float16).astype(np.float32)


def verifier(
    cuttings: NDArray[np.uint8], labels: NDArray[np.int64], seed: int, progress: Progress = quiet, plan: Pairs = PAIRS
) -> Verifier:
    """Trained to tell people apart by faces (n, 80, 80, 3) of people `labels` (n,); from the cache where the same was
    trained before."""
    folder = photos.folder() / "verifiers" / _name(cuttings, labels, seed, plan)

    def made() -> Verifier:
        network = compared(cuttings, labels, np.random.default_rng([seed, 7]), progress, plan)
        return Verifier.of(network, cuttings, labels)

    return effort.once(folder, made, Verifier.save, lambda kept: Verifier.load(SHAPE, kept))


def _name(cuttings: NDArray[np.uint8], labels: NDArray[np.int64], seed: int, plan: Pairs) -> str:
    made = [VERSION, seed, asdict(plan), SHAPE.to_json(), asdict(Strength()), training.half_is_fast(training.device())]
    return effort.named(made, (cuttings, labels))


def compared(
    cuttings: NDArray[np.uint8],
    labels: NDArray[np.int64],
    rng: np.random.Generator,
    progress: Progress,
    plan: Pairs = PAIRS,
) -> FaceNetwork:
    """A face network trained on pairs; rounded as it is saved. The last weights count: the rate ends at zero."""
    network = training.build(lambda: FaceNetwork(SHAPE), rng)
    return _compared(network, pairs(cuttings, labels, plan), plan.steps(len(cuttings)), plan, rng, progress)


def tuned(
    start: FaceNetwork,
    cuttings: NDArray[np.uint8],
    labels: NDArray[np.int64],
    favoured: int,
    rng: np.random.Generator,
    progress: Progress,
) -> FaceNetwork:
    """`start`, trained on pairs for longer: of people `labels` (n,) of whom those below `favoured` come FAVOUR times as
    often as they would. Rounded as it is saved."""
    network = training.build(lambda: FaceNetwork(SHAPE), rng)
    network.load_state_dict(start.state_dict())
    often = np.where(np.unique(labels) < favoured, FAVOUR, 1.0)
    return _compared(network, pairs(cuttings, labels, TUNING, often), TUNING_STEPS, TUNING, rng, progress)


def _compared(
    network: FaceNetwork,
    batches: Callable[[np.random.Generator], Iterator[torch.Tensor]],
    steps: int,
    plan: Pairs,
    rng: np.random.Generator,
    progress: Progress,
) -> FaceNetwork:
    training.train(
        Comparer(network, plan.temperature),
        batches,
        lambda net, batch: net.loss(batch),
        _last(),
        training.Recipe(steps, plan.rate, plan.decay, validate_every=max(1, steps // 20)),
        rng,
        progress,
    )
    quantise.round_network(network)
    return network.eval()


def pairs(
    cuttings: NDArray[np.uint8],
    labels: NDArray[np.int64],
    plan: Pairs,
    often: float | NDArray[np.float64] = 1.0,
) -> Callable[[np.random.Generator], Iterator[torch.Tensor]]:
    """Batches of two faces each of different people, each a little changed; `often` (people,) says how much oftener
    somebody comes."""
    photos_of = [np.flatnonzero(labels == who) for who in np.unique(labels)]
    counts = np.array([len(index) for index in photos_of])
    # Someone with more photos comes more often, up to a point.
    weight = np.sqrt(np.minimum(counts, 6)) * np.where(counts > 1, 1.0, plan.single) * often
    weight = weight / weight.sum()
    count = min(plan.people, len(photos_of))

    def one_pass(rng: np.random.Generator) -> Iterator[torch.Tensor]:
        for _ in range(max(1, len(cuttings) // (2 * count))):
            first, second = [], []
            for who in rng.choice(len(photos_of), count, replace=False, p=weight):
                index = photos_of[who]
                one, other = rng.choice(index, 2, replace=False) if len(index) > 1 else (index[0], index[0])
                first.append(one)
                second.append(other)
            yield augment.varied(cuttings[np.array(first + second)], rng, Strength())

    return one_pass


def _last() -> Callable[[nn.Module], float]:
    """A validation that calls every later network better: what there is of data is all trained on."""
    falling = iter(range(0, -1_000_000, -1))
    return lambda network: float(next(falling))


def taught(
    cuttings: NDArray[np.uint8],
    labels: NDArray[np.int64],
    rng: np.random.Generator,
    progress: Progress,
    steps: int,
    plan: Plan,
) -> tuple[FaceNetwork, NDArray[np.float32]]:
    """A face network and the direction of every label, (k, size). Both are rounded as they are saved. Nothing is chosen
    by validation: the rate ends at zero, and the last weights count."""
    names, place = np.unique(labels, return_inverse=True)
    network = training.build(lambda: FaceNetwork(SHAPE), rng)
    margins = training.build(lambda: Margins(SHAPE.size, len(names), plan.scale, plan.margin), rng)
    learner = Learner(network, margins)
    recipe = training.Recipe(steps, plan.rate, plan.decay, validate_every=max(1, steps // 20))
    training.train(
        learner,
        batches(cuttings, place, Strength(), plan),
        lambda net, batch: net.loss(batch),
        _last(),
        recipe,
        rng,
        progress,
    )
    quantise.round_network(network)
    directions = nn.functional.normalize(margins.directions.detach(), dim=1).numpy()
    return network.eval(), directions.astype(np.float16).astype(np.float32)


def batches(
    cuttings: NDArray[np.uint8], labels: NDArray[np.int64], strength: Strength, plan: Plan
) -> Callable[[np.random.Generator], Iterator[Batch]]:
    """One pass over the faces in a fresh order, each a little changed; small sets are repeated to fill a batch."""
    size = plan.batch

    def one_pass(rng: np.random.Generator) -> Iterator[Batch]:
        order = rng.permutation(len(cuttings))
        if len(order) < size:
            order = np.concatenate([rng.permutation(len(cuttings)) for _ in range(-(-size // len(cuttings)))])
        for begin in range(0, len(order) - size + 1, size):
            chosen = order[begin : begin + size]
            faces = augment.varied(cuttings[chosen], rng, strength)
            people = torch.from_numpy(labels[chosen].astype(np.int64))
            share = float(rng.beta(plan.mix, plan.mix)) if plan.mix else 1.0
            partner = torch.from_numpy(rng.permutation(size))
            yield Batch(share * faces + (1 - share) * faces[partner], people, people[partner], share)

    return one_pass


def embed(network: FaceNetwork, cuttings: Sequence[NDArray[np.uint8]] | NDArray[np.uint8]) -> NDArray[np.float32]:
    """Directions (n, size) of length 1, of each face and its mirror image together; zero where a face is nothing."""
    made = np.zeros((len(cuttings), network.shape.size), np.float32)
    there = [i for i in range(len(cuttings)) if cuttings[i].size]
    with torch.inference_mode():
        for begin in range(0, len(there), 256):
            some = there[begin : begin + 256]
            x = augment.inner(np.stack([cuttings[i] for i in some]))
            both = network.embedding(x) + network.embedding(x.flip(3))
            made[some] = nn.functional.normalize(both.float(), dim=1).numpy()
    return made


def save(network: FaceNetwork, file: Path) -> None:
    quantise.save_network(network, file)


def load(shape: Shape, file: Path) -> FaceNetwork:
    network = FaceNetwork(shape)
    quantise.load_network(network, file)
    return network
