"""The network that end-to-end is and that the hybrid asks: how large, how long and how it is trained, by budget.

One rule of the number of pairs; the steps of it follow Sennrich and Zhang 2019 ("Revisiting low-resource neural machine
translation"): with little data fewer subwords, smaller batches, more dropout and smoothing. Which checkpoint is kept
and the length penalty are decided on held-out pairs of the budget.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Self

import numpy as np
from torch import nn

from engines import datasets
from engines.cases.translation import metric
from engines.core import Progress, UserError, effort
from engines.ml import beam, quantise, training
from engines.ml.beam import Candidate
from engines.ml.subwords import Subwords
from engines.ml.transformer import Batch, Shape, Transformer, batch, loss

Sentence = Sequence[str]
Pair = tuple[Sentence, Sentence]
VERSION = 1  # of what `learn` makes of the same pairs
BEAM = 5
UNTUNED = 1.0
ALPHAS = (0.0, 0.5, 1.0, 1.5)
READABLE = 2 * beam.LONGEST  # pieces of a sentence: one endless word would take minutes
FEWEST, MOST = 20, 400  # held-out pairs: of fewer nothing is tuned, on more nothing is decided


@dataclass(frozen=True)
class Plan:
    """What a budget affords. `capacity` is the padded target pieces of a batch, `drop` the share of subword merges
    left out in training."""

    pieces: int
    shape: Shape
    capacity: int
    smoothing: float
    drop: float
    recipe: training.Recipe


def plan_for(pairs: int) -> Plan:
    """The rule. `pairs` are those trained on.

    Small data need nearly as many steps as large ones: of 300 pairs, on captions beyond the budget, 450 steps came to
    0.5 BLEU, 1,500 to 4.1, 4,000 to 7.4; so did 3,000 of twice the batch, with 460 subwords, and with 600 to 5.9.
    Merges are left out of the smallest only: 3,000 pairs and more learn less with it than without. The wide network
    begins at 5,000: of 10,000 pairs, in equal time, 256 came to 34.0 BLEU and 160 to 33.1."""
    tier = int(np.searchsorted((1_000, 2_500, 5_000), pairs))
    width, layers = (128, 128, 160, 256)[tier], (2, 2, 3, 3)[tier]
    # Fewer than 90 pairs are less than any budget: what is fitted on them is a test, not a comparison.
    steps = int(5000 * (pairs / 3000) ** 0.12) if pairs >= 90 else 5 * pairs
    return Plan(
        pieces=int(np.clip(3000 * (pairs / 29_000) ** 0.4, 250, 8000)),
        shape=Shape(0, width, 4, layers, layers, 2 * width, dropout=(0.4, 0.3, 0.3, 0.3)[tier]),
        capacity=(1000, 1500, 2000, 2500)[tier],
        smoothing=(0.2, 0.1, 0.1, 0.1)[tier],
        drop=(0.1, 0.1, 0.0, 0.0)[tier],
        recipe=training.Recipe(
            steps=steps, learning_rate=2e-3, warm_up=0.1, clip=1.0, validate_every=max(50, steps // 16)
        ),
    )


def held_out(count: int) -> int:
    """How many of `count` pairs are kept for validation: a tenth, at most 500."""
    return min(500, count // 10)


@dataclass(frozen=True)
class Translator:
    """A trained network with its subwords and length penalty."""

    subwords: Subwords
    network: Transformer
    alpha: float = UNTUNED

    @classmethod
    def fit(
        cls,
        train: Sequence[Pair],
        held: Sequence[Pair],
        plan: Plan,
        rng: np.random.Generator,
        progress: Progress,
    ) -> Self:
        """`train` and `held`: pairs of tokenised sentences. With no held-out pairs the last checkpoint is kept."""
        sources, targets = [" ".join(x) for x, _ in train], [" ".join(y) for _, y in train]
        subwords = Subwords.fit([*sources, *targets], plan.pieces)
        shape = replace(plan.shape, vocabulary=len(subwords))
        network = training.build(lambda: Transformer(shape), rng)
        plain = [(subwords.encode(x), subwords.encode(y)) for x, y in train]
        some = list(held[:MOST])

        def batches(order: np.random.Generator) -> Iterator[Batch]:
            pairs = plain
            if plan.drop:
                ours, theirs = (subwords.sample(side, plan.drop, order) for side in (sources, targets))
                pairs = list(zip(ours, theirs, strict=True))
            lengths = [max(len(x), len(y)) + 1 for x, y in pairs]
            for chosen in training.buckets(lengths, plan.capacity, order):
                yield batch([pairs[i][0] for i in chosen], [pairs[i][1] for i in chosen])

        def validate(net: nn.Module) -> float:
            return -cls(subwords, net).closeness(some)  # type: ignore[arg-type]

        if not some:
            steps = iter(range(plan.recipe.steps, 0, -1))
            validate = lambda net: float(next(steps))  # noqa: E731  (each checkpoint counts as better than the last)
        training.train(
            network, batches, lambda net, b: loss(net, b, plan.smoothing), validate, plan.recipe, rng, progress
        )
        quantise.round_network(network)
        return cls(subwords, network)._tuned(some)

    def closeness(self, pairs: Sequence[Pair]) -> float:
        """Mean of BLEU and chrF of greedy answers: of few pairs BLEU alone is too coarse to tell checkpoints apart."""
        found = beam.greedy(self.network, [self.subwords.encode(x) for x, _ in pairs])
        rows = [metric.measure_tokens(self.subwords.words(p), list(y)) for p, (_, y) in zip(found, pairs, strict=True)]
        return (metric.combine(np.stack(rows)) + metric.chrf(np.stack(rows))) / 2

    def _tuned(self, held: Sequence[Pair]) -> Self:
        """With the length penalty of highest BLEU on held-out pairs."""
        if len(held) < FEWEST:
            return self
        each = [self.candidates(x) for x, _ in held]

        def bleu(alpha: float) -> float:
            best = [max(found, key=lambda c: c.score(alpha)) for found in each]
            rows = [
                metric.measure_tokens(self.subwords.words(c.pieces), list(y))
                for c, (_, y) in zip(best, held, strict=True)
            ]
            return metric.combine(np.stack(rows))

        return replace(self, alpha=max(ALPHAS, key=bleu))

    def candidates(self, source: Sentence, width: int = BEAM) -> tuple[Candidate, ...]:
        """Answers to a tokenised sentence, best first."""
        return beam.search(self.network, [self.subwords.encode(source)], width, self.alpha)[0]

    def logprobs(self, source: Sentence, targets: Sequence[Sentence]) -> np.ndarray:
        """Natural log probability of each tokenised target, float64 (n,): nothing is said (zeros) of texts of more
        than READABLE pieces."""
        given, wanted = self.subwords.encode(source), [self.subwords.encode(target) for target in targets]
        if max(map(len, [given, *wanted])) > READABLE:
            return np.zeros(len(wanted))
        return beam.logprobs(self.network, given, wanted)

    @property
    def parameters(self) -> int:
        return sum(weight.numel() for weight in self.network.parameters())

    def save(self, directory: Path) -> dict[str, Any]:
        """Writes network and subwords; gives what has to be kept in JSON."""
        from safetensors.numpy import save_file

        quantise.save_network(self.network, directory / "network.safetensors")
        save_file({"model": np.frombuffer(self.subwords.model, np.uint8)}, directory / "subwords.safetensors")
        return {"network": self.network.shape.to_json(), "alpha": self.alpha}

    @classmethod
    def load(cls, directory: Path, kept: dict[str, Any]) -> Self:
        from safetensors.numpy import load_file

        network = Transformer(Shape(**kept["network"]))
        quantise.load_network(network, directory / "network.safetensors")
        subwords = Subwords(load_file(directory / "subwords.safetensors")["model"].tobytes())
        return cls(subwords, network, kept["alpha"])


@dataclass(frozen=True)
class Learned:
    """A network, the pairs that it was trained on and those that were held out of it."""

    translator: Translator
    rest: list[Pair]
    held: list[Pair]


def learn(pairs: Sequence[Pair], rng: np.random.Generator, progress: Progress) -> Learned:
    """The network of these pairs. What end-to-end writes with is what the hybrid asks: it is trained once for both,
    where pairs and `rng` are the same, and kept in the cache.

    Raises:
        UserError: no pair has words on both sides.
    """
    pairs = [(x, y) for x, y in pairs if x and y]
    if not pairs:
        raise UserError("The network needs at least one sentence pair with words on both sides.")
    held, rest = ([pairs[i] for i in part] for part in np.split(rng.permutation(len(pairs)), [held_out(len(pairs))]))
    plan = plan_for(len(rest))
    half = training.half_is_fast(training.device())
    name = effort.named([VERSION, half, asdict(plan), rng.bit_generator.state, rest, held], ())
    translator = effort.once(
        datasets.cache_directory() / "translation" / "networks" / name,
        lambda: Translator.fit(rest, held, plan, rng, progress),
        _keep,
        lambda folder: Translator.load(folder, json.loads((folder / "translator.json").read_text())),
    )
    return Learned(translator, rest, held)


def _keep(translator: Translator, folder: Path) -> None:
    (folder / "translator.json").write_text(json.dumps(translator.save(folder)))
