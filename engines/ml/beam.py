"""Beam search through a `Transformer`, several sentences at once.

Hypotheses are compared by log probability over the length penalty of Wu et al. 2016, ((5 + length) / 6) ** alpha.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engines.ml.subwords import BEGIN, END, PAD, UNKNOWN
from engines.ml.transformer import Transformer, padded

LONGEST = 256  # pieces of an answer
MOST_WEIGHTS = 2**22  # of attention at once, in each head


@dataclass(frozen=True)
class Candidate:
    """An answer: its pieces without END, and their natural log probability, END included. `finished` is False where
    the answer was cut at the length limit."""

    pieces: tuple[int, ...]
    logprob: float
    finished: bool = True

    def score(self, alpha: float) -> float:
        return self.logprob / penalty(len(self.pieces) + 1, alpha)


def penalty(length: int, alpha: float) -> float:
    return float(((5 + length) / 6) ** alpha)


def limit(source: int) -> int:
    """The longest answer to a source of so many pieces."""
    return min(LONGEST, 2 * source + 12)


@torch.inference_mode()
def search(  # noqa: PLR0915
    network: Transformer, sources: Sequence[Sequence[int]], beam: int = 5, alpha: float = 1.0
) -> list[tuple[Candidate, ...]]:
    """For each source (pieces without END) up to `beam` candidates, best first. Time is linear in the longest limit.

    A sentence is done when `beam` candidates have ended and no open one scores higher than the best of them.
    """
    if not sources:
        return []
    where = network.embedding.weight.device
    count, steps = len(sources), [limit(len(source)) for source in sources]
    memory, mask = network.encode(padded([[*s, END] for s in sources]).to(where))
    rows = torch.arange(count, device=where).repeat_interleave(beam)
    looks = [tuple(part[rows] for part in layer.look.remember(memory)) for layer in network.decoder]  # type: ignore
    mask = mask[rows]
    past: list[tuple[Tensor, Tensor] | None] = [None] * len(network.decoder)
    scores = torch.full((count, beam), -1e9, device=where)
    scores[:, 0] = 0.0
    tokens = torch.full((count * beam, 1), BEGIN, device=where)
    done: list[list[Candidate]] = [[] for _ in sources]
    open_ = list(range(count))  # the sentences that the rows stand for
    for step in range(max(steps)):
        states = network.embed(tokens[:, -1:], step)
        for place, layer in enumerate(network.decoder):
            states, past[place] = layer.step(states, past[place], looks[place], mask)  # type: ignore[operator]
        logits = F.linear(network.norm_target(states[:, 0]), network.embedding.weight).float()
        logits[:, [PAD, UNKNOWN, BEGIN]] = -torch.inf
        total = scores.view(-1, 1) + torch.log_softmax(logits, 1)
        width = total.shape[1]
        top, flat = total.view(len(open_), beam * width).topk(2 * beam, dim=1)
        keep_rows, keep_tokens, keep_scores, still = [], [], [], []
        for row, (sentence, values, indices) in enumerate(zip(open_, top.tolist(), flat.tolist(), strict=True)):
            chosen: list[tuple[int, int, float]] = []
            for rank, (value, index) in enumerate(zip(values, indices, strict=True)):
                origin, piece = row * beam + index // width, index % width
                if value < -1e8:
                    break
                if piece == END:
                    if rank < beam:
                        done[sentence].append(Candidate(tuple(tokens[origin, 1:].tolist()), value))
                elif len(chosen) < beam:
                    chosen.append((origin, piece, value))
            done[sentence] = sorted(done[sentence], key=lambda c: -c.score(alpha))[:beam]
            if step + 1 == steps[sentence]:
                if not done[sentence]:
                    done[sentence] = [
                        Candidate((*tokens[o, 1:].tolist(), piece), value, finished=False)
                        for o, piece, value in chosen[:1]
                    ]
                continue
            if chosen and not _settled(done[sentence], chosen[0][2], step + 1, steps[sentence], beam, alpha):
                chosen += [(chosen[0][0], chosen[0][1], -1e9)] * (beam - len(chosen))
                keep_rows += [c[0] for c in chosen]
                keep_tokens += [c[1] for c in chosen]
                keep_scores += [c[2] for c in chosen]
                still.append(sentence)
        if not still:
            break
        order = torch.tensor(keep_rows, device=where)
        tokens = torch.cat([tokens[order], torch.tensor(keep_tokens, device=where)[:, None]], 1)
        scores = torch.tensor(keep_scores, device=where)
        past = [(keys[order], values[order]) for keys, values in past]  # type: ignore[misc]
        if len(still) < len(open_):
            looks = [(keys[order], values[order]) for keys, values in looks]
            mask = mask[order]
        open_ = still
    return [tuple(found) for found in done]


def _settled(done: list[Candidate], best: float, length: int, longest: int, beam: int, alpha: float) -> bool:
    """Whether the search may stop: no open hypothesis (of log probability `best` at most) can still come first, or
    `beam` answers have ended and the best of them beats the best open one as it stands."""
    if not done:
        return False
    top = done[0].score(alpha)
    return top >= best / penalty(longest + 1, alpha) or (len(done) >= beam and top >= best / penalty(length + 1, alpha))


def greedy(network: Transformer, sources: Sequence[Sequence[int]], batch: int = 100) -> list[tuple[int, ...]]:
    """The most probable next piece at every step; sources of similar length go together."""
    order = np.argsort([len(s) for s in sources], kind="stable")
    found: list[tuple[int, ...]] = [()] * len(sources)
    for start in range(0, len(order), batch):
        chosen = order[start : start + batch]
        for place, candidates in zip(chosen, search(network, [sources[i] for i in chosen], 1, 0.0), strict=True):
            found[place] = candidates[0].pieces if candidates else ()
    return found


@torch.inference_mode()
def attention(network: Transformer, source: Sequence[int], target: Sequence[int]) -> np.ndarray:
    """What the last decoder layer looks at while it writes each target piece (END last), heads averaged:
    float32 (target + 1, source + 1)."""
    memory, mask = network.encode(padded([[*source, END]]))
    states = network.embed(padded([[BEGIN, *target]]))
    past = torch.full((states.shape[1], states.shape[1]), -1e9).triu(1)
    for layer in network.decoder:
        looked = layer.look.remember(memory)  # type: ignore[operator, union-attr]
        normed = layer.norm1(states)  # type: ignore[operator]
        inner = states + layer.attend(normed, *layer.attend.remember(normed), past)  # type: ignore
        weights = layer.look.weights(layer.norm2(inner), looked[0], mask)  # type: ignore
        states = layer(states, looked, mask, past)
    return weights[0].numpy().astype(np.float32)


@torch.inference_mode()
def logprobs(network: Transformer, source: Sequence[int], targets: Sequence[Sequence[int]]) -> np.ndarray:
    """Natural log probability of each target (pieces without END, END included in the sum) given one source,
    float64 (n,). Memory is bounded: very long targets go a few at a time."""
    memory, mask = network.encode(padded([[*source, END]]))
    longest = max(map(len, targets), default=0) + 1
    some = max(1, MOST_WEIGHTS // longest**2)
    parts = [_logprobs(network, memory, mask, targets[at : at + some]) for at in range(0, len(targets), some)]
    return np.concatenate(parts) if parts else np.zeros(0)


def _logprobs(network: Transformer, memory: Tensor, mask: Tensor, targets: Sequence[Sequence[int]]) -> np.ndarray:
    given, wanted = padded([[BEGIN, *t] for t in targets]), padded([[*t, END] for t in targets])
    states = network.embed(given)
    past = torch.full((given.shape[1], given.shape[1]), -1e9).triu(1)
    for layer in network.decoder:
        keys, values = layer.look.remember(memory)  # type: ignore[operator, union-attr]
        shared = (keys.expand(len(targets), -1, -1, -1), values.expand(len(targets), -1, -1, -1))
        states = layer(states, shared, mask, past)
    logits = F.linear(network.norm_target(states), network.embedding.weight)
    each = torch.log_softmax(logits, 2).gather(2, wanted[:, :, None])[:, :, 0]
    return (each * (wanted != PAD)).sum(1).double().numpy()
