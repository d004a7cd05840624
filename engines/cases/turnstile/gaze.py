"""One network from the frame to the person: every place of the frame says who is there, and how much it should count.

The chance of a person is the mean over all places and three sizes of the frame, weighted by attention: a mixture of
experts over places (Jacobs et al. 1991; as pooling for images that are labelled as a whole, Ilse et al. 2018,
"Attention-based Deep Multiple Instance Learning"). Nobody told the network where faces are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from engines.cases.turnstile import networks
from engines.cases.turnstile.networks import Trunk

# Sizes of the frame that are looked at, as shares of it: a face of 24 to 160 pixels is one of 20 to 48 in one of them.
SCALES = (1.0, 0.5, 0.25)


@dataclass(frozen=True)
class Shape:
    """`outputs` people and nobody, told apart at every place by `hidden` features."""

    outputs: int
    widths: tuple[int, int, int, int] = (24, 48, 96, 160)
    hidden: int = 160
    dropout: float = 0.1

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(kept: dict[str, Any]) -> Shape:
        return Shape(**{**kept, "widths": tuple(kept["widths"])})


class Gaze(nn.Module):
    """(batch, 3, height, width) in about [-1, 1] -> log probabilities (batch, outputs + 1), nobody last."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.trunk = Trunk(networks.Shape(widths=shape.widths))
        self.mix = nn.Sequential(
            nn.Conv2d(shape.widths[3], shape.hidden, 3, padding=1, bias=False),
            nn.BatchNorm2d(shape.hidden, eps=1e-3),
            nn.ReLU(inplace=True),
            nn.Dropout2d(shape.dropout),
        )
        self.people = nn.Conv2d(shape.hidden, shape.outputs + 1, 1)
        self.weight = nn.Conv2d(shape.hidden, 1, 1)

    def places(self, x: Tensor, scales: Sequence[float] = SCALES) -> list[tuple[Tensor, Tensor]]:
        """For every scale: log probabilities (batch, outputs + 1, rows, columns), attention before its softmax
        (batch, rows, columns)."""
        found = []
        for scale in scales:
            size = (round(x.shape[2] * scale), round(x.shape[3] * scale))
            small = x if scale == 1.0 else functional.interpolate(x, size, mode="area")
            features = self.mix(self.trunk(small))
            found.append((torch.log_softmax(self.people(features).float(), dim=1), self.weight(features)[:, 0].float()))
        return found

    def forward(self, x: Tensor, scales: Sequence[float] = SCALES) -> Tensor:
        return pooled(self.places(x, scales))

    def heat(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Where it looked, (batch, rows, columns) of the finest scale adding up to 1, and the log probabilities, as
        `forward` gives them."""
        found = self.places(x)
        rows, columns = found[0][1].shape[1:]
        flat = torch.softmax(torch.cat([weight.flatten(1) for _, weight in found], dim=1), dim=1)
        heat, begin = torch.zeros(len(x), rows, columns), 0
        for _, weight in found:
            part = flat[:, begin : begin + weight[0].numel()].reshape(weight.shape)
            begin += weight[0].numel()
            grown = functional.interpolate(part[:, None], (rows, columns), mode="nearest")[:, 0]
            heat += grown * part.sum(dim=(1, 2), keepdim=True) / grown.sum(dim=(1, 2), keepdim=True).clamp_min(1e-12)
        return heat, pooled(found)


def pooled(found: Sequence[tuple[Tensor, Tensor]]) -> Tensor:
    """What `Gaze.places` gives -> log probabilities (batch, outputs + 1) of the whole picture."""
    who = torch.cat([people.flatten(2) for people, _ in found], dim=2)
    weight = torch.log_softmax(torch.cat([weight.flatten(1) for _, weight in found], dim=1), dim=1)
    return torch.logsumexp(who + weight[:, None], dim=2)
