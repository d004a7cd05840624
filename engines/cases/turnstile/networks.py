"""The convolutional network that every engine of this case is built on, and what is put on top of it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

INNER = 64  # pixels of a cutting that the network sees
STRIDE = 16  # pixels of the input between neighbouring places of the feature map


@dataclass(frozen=True)
class Shape:
    """`widths`: channels of the four levels, each half as fine as the one before; `size` of the embedding; `outputs`: 0
    for an embedding alone, else the number of people told apart."""

    widths: tuple[int, int, int, int] = (24, 48, 96, 128)
    size: int = 128
    outputs: int = 0
    dropout: float = 0.0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(kept: dict[str, Any]) -> Shape:
        return Shape(**{**kept, "widths": tuple(kept["widths"])})


class _Conv(nn.Sequential):
    """Convolution, batch normalisation, rectifier; `stride` 2 halves height and width."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs, eps=1e-3),
            nn.ReLU(inplace=True),
        )


class _Residual(nn.Module):
    """Two convolutions beside a way straight through (He et al. 2016)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.one, self.two = _Conv(width, width), nn.Conv2d(width, width, 3, 1, 1, bias=False)
        self.norm = nn.BatchNorm2d(width, eps=1e-3)

    def forward(self, x: Tensor) -> Tensor:
        return torch.relu(x + self.norm(self.two(self.one(x))))


class Trunk(nn.Module):
    """(batch, 3, height, width) -> (batch, widths[3], height / 16, width / 16)."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        first, second, third, fourth = shape.widths
        self.levels = nn.Sequential(
            _Conv(3, first, 2),
            _Conv(first, second, 2),
            _Residual(second),
            _Conv(second, third, 2),
            _Residual(third),
            _Conv(third, fourth, 2),
        )

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.levels(x.contiguous(memory_format=torch.channels_last))
        return found


class FaceNetwork(nn.Module):
    """(batch, 3, 64, 64) -> embedding (batch, size), or log probabilities (batch, outputs).

    A cutting's places always show the same parts of a face, so that each place has weights of its own where the map is
    gathered (Chen et al. 2018, "MobileFaceNets").
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.trunk = Trunk(shape)
        width, places = shape.widths[3], INNER // STRIDE
        self.gather = nn.Conv2d(width, width, places, groups=width, bias=False)
        self.dropout = nn.Dropout(shape.dropout)
        self.embed = nn.Linear(width, shape.size, bias=False)
        self.norm = nn.BatchNorm1d(shape.size, eps=1e-3)
        self.classes = nn.Linear(shape.size, shape.outputs) if shape.outputs else None

    def embedding(self, x: Tensor) -> Tensor:
        found: Tensor = self.norm(self.embed(self.dropout(self.gather(self.trunk(x)).flatten(1))))
        return found

    def forward(self, x: Tensor) -> Tensor:
        found = self.embedding(x)
        return found if self.classes is None else torch.log_softmax(self.classes(torch.relu(found)).float(), dim=1)


class Margins(nn.Module):
    """Embeddings and labels -> the loss that pulls every face to its person's direction, by a margin more than to any
    other (Wang et al. 2018, "CosFace"). One direction a person; thrown away after training."""

    def __init__(self, size: int, people: int, scale: float = 24.0, margin: float = 0.2) -> None:
        super().__init__()
        self.directions = nn.Parameter(functional.normalize(torch.randn(people, size), dim=1))
        self.scale, self.margin = scale, margin

    def cosines(self, embeddings: Tensor) -> Tensor:
        return functional.normalize(embeddings.float(), dim=1) @ functional.normalize(self.directions, dim=1).T

    def forward(self, embeddings: Tensor, labels: Tensor) -> Tensor:
        cosines = self.cosines(embeddings)
        margins = self.margin * functional.one_hot(labels, len(self.directions))
        return functional.cross_entropy(self.scale * (cosines - margins), labels)


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())
