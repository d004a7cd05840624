"""The one training loop that every network of Crossover goes through.

data -> batches -> loss -> AdamW with warm-up and a cosine to zero -> validation -> best checkpoint.

The same generator gives the same network on a CPU: batches, augmentation and dropout all draw from generators
seeded by `rng`, and torch's global generator is put back as it was found.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from engines.core import effort

Network = TypeVar("Network", bound=nn.Module)
Progress = Callable[[float, str], None]
Loss = Callable[[Any, Any], Tensor]
"""(network, batch) -> scalar: the mean loss of the batch, graph attached."""
Batches = Callable[[np.random.Generator], Iterable[Any]]
"""rng -> the batches of one pass over the data, in a fresh order."""
Validate = Callable[[nn.Module], float]
"""network in eval mode -> a score, lower is better."""


def device() -> torch.device:
    """Where networks are trained and run: the setting CROSSOVER_DEVICE (cpu | cuda | …), the processor unless told."""
    return torch.device(effort.device())


@dataclass(frozen=True)
class Recipe:
    """How long and how hard to train; every field that matters to a result is here."""

    steps: int
    learning_rate: float = 2e-3
    weight_decay: float = 1e-2
    warm_up: float = 0.08  # share of the steps over which the learning rate rises from zero
    clip: float = 5.0  # largest norm of the gradient
    validate_every: int = 100  # steps
    patience: int = 0  # validations without improvement before stopping; 0: never stop early
    seconds: float = 7200.0  # of the wall clock, after which training is given up
    half: bool = True  # matrix products in bfloat16, where the processor has them

    def rate_at(self, step: int) -> float:
        """Learning rate at `step` (0-based): linear warm-up, then half a cosine down to zero at `steps`."""
        rising = max(1, round(self.warm_up * self.steps))
        if step < rising:
            return self.learning_rate * (step + 1) / rising
        done = (step - rising) / max(1, self.steps - rising)
        return self.learning_rate * 0.5 * (1.0 + math.cos(math.pi * min(1.0, done)))


@dataclass(frozen=True)
class Moment:
    """One validation: after `step` steps and `seconds`, mean training loss since the last one, validation score."""

    step: int
    seconds: float
    training: float
    validation: float


def build(make: Callable[[], Network], rng: np.random.Generator) -> Network:
    """`make()` with weights drawn from `rng`, torch's global generator left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(int(rng.integers(2**62)))
        return make()


def train(
    network: nn.Module,
    batches: Batches,
    loss: Loss,
    validate: Validate,
    recipe: Recipe,
    rng: np.random.Generator,
    progress: Progress,
) -> tuple[Moment, ...]:
    """Train `network` in place and leave it, in eval mode on the processor, with the weights that validated best.

    `batches` is called again whenever its iterator ends, so steps, not epochs, say how long. Returns the history.

    Raises:
        FloatingPointError: no validation ever gave a finite score.
        TimeoutError: the machine is too slow for the steps of the recipe: what it got to is another network.
    """
    where = device()
    half = recipe.half and half_is_fast(where)
    network.to(where).train()
    parameters = groups(network, recipe.weight_decay)
    optimiser = torch.optim.AdamW(parameters, lr=recipe.learning_rate, betas=(0.9, 0.98), fused=True)
    history: list[Moment] = []
    best, kept = math.inf, {name: value.detach().clone() for name, value in network.state_dict().items()}
    stale, losses, start = 0, [], time.perf_counter()
    devices = [where] if where.type == "cuda" else []
    # On a GPU cuDNN plans a convolution anew for every shape of batch, and no two batches have the same: 0.6 s a step
    # in place of 13 ms (the recogniser of 2 h of speech, on an H200).
    plain = torch.backends.cudnn.flags(enabled=where.type != "cuda")
    with torch.random.fork_rng(devices=devices), plain:
        torch.manual_seed(int(rng.integers(2**62)))
        for step, batch in enumerate(forever(batches, rng, recipe.steps)):
            for group in optimiser.param_groups:
                group["lr"] = recipe.rate_at(step)
            with torch.autocast(where.type, dtype=torch.bfloat16, enabled=half):
                value = loss(network, batch)
            optimiser.zero_grad(set_to_none=True)
            torch.autograd.backward(value)
            norm = nn.utils.clip_grad_norm_(network.parameters(), recipe.clip)
            if torch.isfinite(norm):  # a batch whose gradient overflows is left out, not learned from
                optimiser.step()
                losses.append(float(value.detach()))
            spent = time.perf_counter() - start
            if spent > recipe.seconds:
                raise TimeoutError(f"{step + 1} of {recipe.steps} steps took {spent:.0f} s: use a faster machine")
            last = step + 1 == recipe.steps
            if not last and (step + 1) % recipe.validate_every:
                continue
            network.eval()
            with torch.inference_mode():
                score = float(validate(network))
            network.train()
            history.append(Moment(step + 1, spent, float(np.mean(losses)) if losses else math.nan, score))
            losses = []
            stale += 1
            if score < best:
                best, stale = score, 0
                kept = {name: weight.detach().clone() for name, weight in network.state_dict().items()}
            progress((step + 1) / recipe.steps, f"step {step + 1} of {recipe.steps}, validation {score:.3f}")
            if last or (recipe.patience and stale >= recipe.patience):
                break
    if not math.isfinite(best):
        raise FloatingPointError("training never gave a finite validation score")
    network.load_state_dict(kept)
    network.to("cpu").eval()
    return tuple(history)


def forever(batches: Batches, rng: np.random.Generator, steps: int) -> Iterator[Any]:
    """`steps` batches, asking for a fresh pass over the data whenever one ends."""
    given = 0
    while given < steps:
        before = given
        for batch in batches(rng):
            yield batch
            given += 1
            if given == steps:
                return
        if given == before:
            raise ValueError("a pass over the training data gave no batch")


def groups(network: nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Parameter groups: matrices are decayed, biases and gains are not."""
    weights = [p for p in network.parameters() if p.requires_grad and p.ndim > 1]
    others = [p for p in network.parameters() if p.requires_grad and p.ndim <= 1]
    return [{"params": weights, "weight_decay": weight_decay}, {"params": others, "weight_decay": 0.0}]


def half_is_fast(where: torch.device) -> bool:
    """Whether bfloat16 products pay: on a GPU, and on processors with instructions of their own for them."""
    return where.type == "cuda" or bool(torch.cpu.get_capabilities().get("avx512_bf16"))


def buckets(lengths: Sequence[int], capacity: int, rng: np.random.Generator, slack: float = 0.1) -> list[np.ndarray]:
    """Batches (arrays of indices) of similar lengths in random order; a batch's padded length is at most `capacity`.

    Lengths are sorted after a jitter of `slack` (relative), so passes differ and padding stays bounded. An item longer
    than `capacity` is a batch of its own.
    """
    sizes = np.asarray(lengths, float)
    order = np.argsort(sizes * rng.uniform(1 - slack, 1 + slack, len(sizes)), kind="stable")
    made: list[list[int]] = [[]]
    longest = 0.0
    for index in order:
        longest = max(longest, sizes[index])
        if made[-1] and longest * (len(made[-1]) + 1) > capacity:
            made.append([])
            longest = sizes[index]
        made[-1].append(int(index))
    return [np.array(made[i]) for i in rng.permutation(len(made)) if made[i]]
