"""Networks from a log-mel spectrogram to one distribution a frame.

Two convolutions over time and frequency (each may halve the frame rate), residual blocks of a depthwise convolution
along time and a two-layer perceptron (Liu et al. 2022, "A ConvNet for the 2020s"), then one LSTM in both directions.

Chosen by what learns most in a second of one processor core, by validation loss on 2.9 h of read sentences: LSTMs alone
stay on CTC's plateau of blanks for a thousand steps that the blocks leave after two hundred; with an LSTM on top the
blocks learn more from each step than without; matrices in bfloat16 are four times as fast as in float32.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Shape:
    """Sizes of a `Recogniser`. The frame rate is divided by the product of `strides`."""

    bins: int
    outputs: int
    channels: int = 16
    width: int = 192  # of the blocks
    kernel: int = 11  # frames that a block looks at, after subsampling
    blocks: int = 3
    hidden: int = 128  # units of the LSTM in each direction; 0: no LSTM
    dropout: float = 0.15
    strides: tuple[int, int] = (2, 2)
    # 0: one distribution a network frame. Else every frame of the input gets one, through so many units of its own.
    spread: int = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(kept: dict[str, Any]) -> Shape:
        return Shape(**{**kept, "strides": tuple(kept["strides"])})

    @property
    def reduction(self) -> int:
        return self.strides[0] * self.strides[1]


class ChannelDropout(nn.Module):
    """(batch, frames, width): whole channels of an utterance dropped, in training only (Gal and Ghahramani 2016).

    One draw for all frames is a stronger regulariser than one a frame, and on a processor a tenth of a step cheaper.
    """

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, hidden: Tensor) -> Tensor:
        if not self.training or not self.probability:
            return hidden
        kept = 1.0 - self.probability
        draw = torch.full((len(hidden), 1, hidden.shape[2]), kept, device=hidden.device)
        return hidden * (torch.bernoulli(draw) / kept).to(hidden.dtype)


class Block(nn.Module):
    """(batch, frames, width) -> the same shape: mixes along time within a channel, then across channels."""

    def __init__(self, width: int, kernel: int, dropout: float) -> None:
        super().__init__()
        self.mix = nn.Conv2d(width, width, (1, kernel), padding=(0, kernel // 2), groups=width)
        self.norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, 2 * width)
        self.narrow = nn.Linear(2 * width, width)
        self.dropout = ChannelDropout(dropout)
        with torch.no_grad():  # a quiet branch at the start keeps the sum of blocks near its input
            self.narrow.weight.mul_(0.5)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        # (batch, width, 1, frames) seen through (batch, frames, width) is oneDNN's channels-last: nothing is copied.
        mixed = self.mix(hidden.transpose(1, 2)[:, :, None]).squeeze(2).transpose(1, 2)
        branch: Tensor = self.narrow(torch.relu(self.widen(self.norm(mixed))))
        changed: Tensor = (hidden + self.dropout(branch)) * mask
        return changed


class Recogniser(nn.Module):
    """(batch, frames, bins) -> log probabilities (batch, frames / reduction, outputs), or (batch, frames, outputs)
    where the shape asks to spread them.

    An utterance gets the same answer alone and in a batch: what lies past its length is held at zero, and the backward
    LSTM starts at its own last frame.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        first, second = shape.strides
        self.conv1 = nn.Conv2d(1, shape.channels, 3, stride=(first, 2), padding=1)
        self.conv2 = nn.Conv2d(shape.channels, shape.channels, 3, stride=(second, 2), padding=1)
        height = math.ceil(math.ceil(shape.bins / 2) / 2)
        self.project = nn.Linear(shape.channels * height, shape.width)
        self.norm = nn.LayerNorm(shape.width)
        self.blocks = nn.ModuleList(Block(shape.width, shape.kernel, shape.dropout) for _ in range(shape.blocks))
        self.ahead = self.back = None
        if shape.hidden:
            self.ahead = nn.LSTM(shape.width, shape.hidden, batch_first=True)
            self.back = nn.LSTM(shape.width, shape.hidden, batch_first=True)
        last = 2 * shape.hidden or shape.width
        self.last = nn.LayerNorm(last)
        self.dropout = ChannelDropout(shape.dropout)
        self.spread = nn.Linear(last, shape.reduction * shape.spread) if shape.spread else None
        self.output = nn.Linear(shape.spread or last, shape.outputs)

    def forward(self, features: Tensor, lengths: Tensor, phase: int | None = None) -> tuple[Tensor, Tensor]:
        """`features` (batch, frames, bins), `lengths` (batch,) in frames -> log probabilities and their lengths.

        phase: where distributions are spread, give only frames phase, phase + reduction, phase + 2 * reduction, …:
        training on a few frames of every utterance costs half as much as on all, and neighbours teach the same.
        """
        given, frames = lengths, features.shape[1]
        image = (features * inside(lengths, features.shape[1])[:, :, None])[:, None]
        for conv in (self.conv1, self.conv2):
            lengths = (lengths - 1) // conv.stride[0] + 1
            image = torch.relu(conv(image))
            image = image * inside(lengths, image.shape[2])[:, None, :, None]
        hidden = self.dropout(self.norm(self.project(image.transpose(1, 2).flatten(2))))
        mask = inside(lengths, hidden.shape[1])[:, :, None]
        hidden = hidden * mask
        for block in self.blocks:
            hidden = block(hidden, mask)
        if self.ahead is not None and self.back is not None:
            reverse = reversal(lengths, hidden.shape[1])[:, :, None]
            with torch.backends.cudnn.flags(enabled=True):  # see training.train: convolutions alone go without
                turned = self.back(hidden.gather(1, reverse.expand_as(hidden)))[0]
                straight = self.ahead(hidden)[0]
            hidden = torch.cat([straight, turned.gather(1, reverse.expand_as(turned))], dim=2)
        hidden = self.dropout(self.last(hidden))
        if self.spread is not None:
            fine = self.spread(hidden).reshape(len(hidden), -1, self.shape.spread)[:, :frames]
            every, first = (1, 0) if phase is None else (self.shape.reduction, phase)
            hidden = torch.relu(fine[:, first::every])
            lengths = (given - first + every - 1) // every
        return torch.log_softmax(self.output(hidden).float(), dim=2), lengths


def inside(lengths: Tensor, frames: int) -> Tensor:
    """(batch, frames), True where a frame belongs to the utterance."""
    return torch.arange(frames, device=lengths.device) < lengths[:, None]


def reversal(lengths: Tensor, frames: int) -> Tensor:
    """(batch, frames) indices that turn each utterance round and leave its padding in place."""
    ahead = torch.arange(frames, device=lengths.device)
    turned = lengths[:, None] - 1 - ahead
    return torch.where(turned >= 0, turned, ahead)


def parameters(network: nn.Module) -> int:
    return sum(p.numel() for p in network.parameters())
