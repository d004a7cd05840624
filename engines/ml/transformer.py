"""A small encoder-decoder Transformer over subwords, and its beam search.

Source: Vaswani et al. 2017, "Attention is all you need"; normalisation before each block (Xiong et al. 2020), one
matrix for source, target and output (Press and Wolf 2017), length penalty of Wu et al. 2016.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engines.ml.subwords import BEGIN, END, PAD


@dataclass(frozen=True)
class Shape:
    """Sizes of a `Transformer`: `vocabulary` pieces, `width` numbers a token, `inner` units of the perceptrons."""

    vocabulary: int
    width: int = 128
    heads: int = 4
    encoder: int = 3
    decoder: int = 3
    inner: int = 256
    dropout: float = 0.2

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class Dropout(nn.Module):
    """Dropout (Srivastava et al. 2014) from random bytes: a tenth of a training step faster than a draw a number. The
    probability is rounded to 256ths."""

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.threshold = round(256 * probability)

    def forward(self, states: Tensor) -> Tensor:
        if not self.training or not self.threshold:
            return states
        count = states.numel()
        draw = torch.randint(-(2**31), 2**31, (count // 4 + 1,), dtype=torch.int32, device=states.device)
        kept = draw.view(torch.uint8)[:count].view(states.shape) >= self.threshold
        return states * (kept.to(states.dtype) * (256 / (256 - self.threshold)))


class Attention(nn.Module):
    """Scaled dot-product attention in several heads. Keys and values are computed apart from queries, so that a decoder
    keeps those of the past."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.memory = nn.Linear(width, 2 * width)
        self.output = nn.Linear(width, width)

    def remember(self, states: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, length, width) -> keys and values, each (batch, heads, length, width / heads)."""
        keys, values = self.memory(states).chunk(2, dim=-1)
        return self._split(keys), self._split(values)

    def forward(self, states: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None) -> Tensor:
        """`states` (batch, n, width); `mask` is added to the scores, (batch or 1, 1, n or 1, length).

        Written out: on a processor the fused kernel's backward pass takes longer than all of this for short sentences.
        """
        shares = torch.softmax(self._scores(states, keys, mask), -1)
        return self.output((shares @ values).transpose(1, 2).flatten(2))  # type: ignore[no-any-return]

    def weights(self, states: Tensor, keys: Tensor, mask: Tensor | None) -> Tensor:
        """What each token attends to, averaged over heads: (batch, n, length)."""
        return torch.softmax(self._scores(states, keys, mask), -1).mean(1)

    def _scores(self, states: Tensor, keys: Tensor, mask: Tensor | None) -> Tensor:
        query = self._split(self.query(states) * (keys.shape[-1] ** -0.5))
        scores = query @ keys.transpose(2, 3)
        return scores if mask is None else scores + mask

    def _split(self, states: Tensor) -> Tensor:
        return states.unflatten(2, (self.heads, -1)).transpose(1, 2)


class Perceptron(nn.Module):
    def __init__(self, width: int, inner: int) -> None:
        super().__init__()
        self.widen, self.narrow = nn.Linear(width, inner), nn.Linear(inner, width)

    def forward(self, states: Tensor) -> Tensor:
        return self.narrow(torch.relu(self.widen(states)))  # type: ignore[no-any-return]


class EncoderLayer(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(shape.width), nn.LayerNorm(shape.width)
        self.attend = Attention(shape.width, shape.heads)
        self.think = Perceptron(shape.width, shape.inner)
        self.dropout = Dropout(shape.dropout)

    def forward(self, states: Tensor, mask: Tensor | None) -> Tensor:
        normed = self.norm1(states)
        states = states + self.dropout(self.attend(normed, *self.attend.remember(normed), mask))
        return states + self.dropout(self.think(self.norm2(states)))  # type: ignore[no-any-return]


class DecoderLayer(nn.Module):
    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.norm1, self.norm2, self.norm3 = (nn.LayerNorm(shape.width) for _ in range(3))
        self.attend = Attention(shape.width, shape.heads)
        self.look = Attention(shape.width, shape.heads)
        self.think = Perceptron(shape.width, shape.inner)
        self.dropout = Dropout(shape.dropout)

    def forward(self, states: Tensor, source: tuple[Tensor, Tensor], mask: Tensor | None, past: Tensor) -> Tensor:
        """`past` hides from every token those after it."""
        normed = self.norm1(states)
        states = states + self.dropout(self.attend(normed, *self.attend.remember(normed), past))
        states = states + self.dropout(self.look(self.norm2(states), *source, mask))
        return states + self.dropout(self.think(self.norm3(states)))  # type: ignore[no-any-return]

    def step(
        self, states: Tensor, past: tuple[Tensor, Tensor] | None, source: tuple[Tensor, Tensor], mask: Tensor | None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """One more token, (batch, 1, width), given keys and values of those before."""
        normed = self.norm1(states)
        keys, values = self.attend.remember(normed)
        if past is not None:
            keys, values = torch.cat([past[0], keys], 2), torch.cat([past[1], values], 2)
        states = states + self.attend(normed, keys, values, None)
        states = states + self.look(self.norm2(states), *source, mask)
        return states + self.think(self.norm3(states)), (keys, values)


class Transformer(nn.Module):
    """Source and target pieces -> log probabilities of the next target piece."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.embedding = nn.Embedding(shape.vocabulary, shape.width, padding_idx=PAD)
        self.encoder = nn.ModuleList(EncoderLayer(shape) for _ in range(shape.encoder))
        self.decoder = nn.ModuleList(DecoderLayer(shape) for _ in range(shape.decoder))
        self.norm_source, self.norm_target = nn.LayerNorm(shape.width), nn.LayerNorm(shape.width)
        self.dropout = Dropout(shape.dropout)
        nn.init.normal_(self.embedding.weight, std=shape.width**-0.5)
        for name, weight in self.named_parameters():
            if weight.ndim == 2 and "embedding" not in name:
                nn.init.xavier_uniform_(weight)
            elif name.endswith("bias"):
                nn.init.zeros_(weight)

    def embed(self, pieces: Tensor, start: int = 0) -> Tensor:
        """(batch, length) -> (batch, length, width), positions counted from `start`."""
        width = self.shape.width
        found = self.embedding(pieces) * math.sqrt(width)
        return self.dropout(found + positions(start, pieces.shape[1], width).to(found.device))  # type: ignore[no-any-return]

    def encode(self, source: Tensor) -> tuple[Tensor, Tensor]:
        """(batch, length) pieces -> states (batch, length, width) and the mask that hides padding."""
        mask = torch.zeros(source.shape, device=source.device).masked_fill(source == PAD, -1e9)[:, None, None]
        states = self.embed(source)
        for layer in self.encoder:
            states = layer(states, _like(mask, states))
        return self.norm_source(states), mask

    def forward(self, source: Tensor, target: Tensor, keep: Tensor | None = None) -> Tensor:
        """`source` (batch, n) and `target` (batch, m), which begins with BEGIN -> unnormalised log probabilities of the
        piece after each of the target's, (batch, m, vocabulary), or (k, vocabulary) where `keep` (batch, m) holds."""
        memory, mask = self.encode(source)
        states = self.embed(target)
        past = torch.full((target.shape[1], target.shape[1]), -1e9, device=target.device).triu(1)
        for layer in self.decoder:
            states = layer(states, layer.look.remember(memory), _like(mask, states), _like(past, states))
        states = self.norm_target(states)
        return F.linear(states if keep is None else states[keep], self.embedding.weight)


def _like(mask: Tensor, states: Tensor) -> Tensor:
    return mask.to(torch.get_autocast_dtype("cpu")) if torch.is_autocast_enabled("cpu") else mask.to(states.dtype)


def positions(start: int, count: int, width: int) -> Tensor:
    """Sines and cosines of `count` positions from `start`, (count, width)."""
    place = torch.arange(start, start + count, dtype=torch.float32)[:, None]
    rate = torch.exp(torch.arange(0, width, 2, dtype=torch.float32) * (-math.log(10000.0) / width))
    return torch.cat([torch.sin(place * rate), torch.cos(place * rate)], dim=1)


def padded(sequences: Sequence[Sequence[int]]) -> Tensor:
    """Lists of pieces -> (batch, longest), filled up with PAD."""
    out = np.full((len(sequences), max(map(len, sequences))), PAD, np.int64)
    for row, sequence in enumerate(sequences):
        out[row, : len(sequence)] = sequence
    return torch.from_numpy(out)


@dataclass(frozen=True)
class Batch:
    """source (n, s) ends with END; given (n, t) begins with BEGIN; wanted (n, t) ends with END."""

    source: Tensor
    given: Tensor
    wanted: Tensor


def batch(sources: Sequence[Sequence[int]], targets: Sequence[Sequence[int]]) -> Batch:
    return Batch(
        padded([[*s, END] for s in sources]),
        padded([[BEGIN, *t] for t in targets]),
        padded([[*t, END] for t in targets]),
    )


def loss(network: Transformer, given: Batch, smoothing: float) -> Tensor:
    """Mean cross-entropy a target piece, with `smoothing` of the mass spread over all pieces (Szegedy et al. 2016)."""
    where = network.embedding.weight.device
    keep = (given.wanted != PAD).to(where)
    logits = network(given.source.to(where), given.given.to(where), keep)
    return F.cross_entropy(logits.float(), given.wanted.to(where)[keep], label_smoothing=smoothing)
