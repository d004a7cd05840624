"""Small networks from measures to an age: several perceptrons side by side, trained together, whose answers' mean is
the answer. Members differ in their first weights alone; together they err less than any of them does alone."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from engines.core import Progress
from engines.ml import quantise, training

Array = NDArray[np.float64]
MEMBERS, WIDTH = 8, 24
SCALE = 24.0  # months that count as one in a network


class Committee(nn.Module):
    """(batch, inputs) -> (members, batch), in units of SCALE."""

    def __init__(self, inputs: int, dropout: float = 0.1, quiet: float = 1.0) -> None:
        super().__init__()
        self.inputs = inputs
        # Two axes each, so that they are decayed and rounded as matrices are.
        self.enter = nn.Parameter(torch.randn(MEMBERS * WIDTH, inputs) / inputs**0.5)
        self.shift = nn.Parameter(0.3 * torch.randn(MEMBERS * WIDTH))
        self.leave = nn.Parameter(quiet * torch.randn(MEMBERS, WIDTH) / WIDTH**0.5)
        self.straight = nn.Parameter(torch.zeros(MEMBERS, inputs))
        self.level = nn.Parameter(torch.zeros(MEMBERS))
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        x = self.dropout(x)
        hidden = torch.tanh(x @ self.enter.T + self.shift).reshape(len(x), MEMBERS, WIDTH)
        bent = (hidden * self.leave).sum(dim=2).T
        return bent + self.straight @ x.T + self.level[:, None]


def fit(inputs: Array, targets: Array, rng: np.random.Generator, progress: Progress, quiet: float = 1.0) -> Committee:
    """A committee for `inputs` (n, d), standardised, and `targets` (n,) in months. A fifth is held out to tell when to
    stop; with fewer than ten examples all are learned from, for a fixed number of steps."""
    order = rng.permutation(len(inputs))
    held = len(inputs) // 5 if len(inputs) >= 10 else 0
    x = torch.from_numpy(inputs.astype(np.float32))
    y = torch.from_numpy((targets / SCALE).astype(np.float32))
    inner, outer = torch.from_numpy(order[held:].copy()), torch.from_numpy(order[:held].copy())
    network = training.build(lambda: Committee(inputs.shape[1], quiet=quiet), rng)

    def batches(draw: np.random.Generator):
        mixed = inner[torch.from_numpy(draw.permutation(len(inner)))]
        return [(x[part], y[part]) for part in torch.split(mixed, 64)]

    def loss(net: nn.Module, batch: tuple[Tensor, Tensor]) -> Tensor:
        given = net(batch[0])
        return nn.functional.smooth_l1_loss(given, batch[1][None].expand_as(given), beta=0.3)

    def validate(net: nn.Module) -> float:
        if not held:
            return 0.0
        return float((net(x[outer]).mean(dim=0) - y[outer]).abs().mean())

    steps = 250 if not held else 500
    recipe = training.Recipe(
        steps, learning_rate=1e-2, weight_decay=0.3, validate_every=steps if not held else 25, half=False
    )
    training.train(network, batches, loss, validate, recipe, rng, progress)
    quantise.round_network(network)
    return network


def answers(network: Committee, inputs: Array) -> Array:
    """(n,) in months."""
    with torch.inference_mode():
        given = network(torch.from_numpy(np.asarray(inputs, np.float32)))
    return np.asarray(given.mean(dim=0).double() * SCALE)
