"""What the hybrid and the end-to-end engine share: utterances of a budget as features, sizes and steps by one rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from engines.core import Progress, Split
from engines.ml import ctc, training
from engines.ml.decoder import Decoder, SearchSettings
from engines.ml.logmel import log_mel, normalised
from engines.ml.networks import Shape
from engines.ml.training import Recipe
from engines.ml.wer import edits

FEWEST = 4  # held-out utterances that may choose the weights of a search
FRAMES = 4000  # padded frames in a batch: 40 s of sound
MUCH = 6.0  # hours from which a network is wider, and trains longer, once more


@dataclass(frozen=True)
class Utterances:
    """features: float16 (frames, bins) each, normalised; texts; all held in memory: 46 MB an hour at 64 bins."""

    features: list[NDArray[np.float16]]
    texts: list[str]

    def __len__(self) -> int:
        return len(self.features)

    @property
    def hours(self) -> float:
        return sum(len(x) for x in self.features) / 360_000

    def take(self, index: NDArray[np.integer]) -> Utterances:
        return Utterances([self.features[i] for i in index], [self.texts[i] for i in index])


def bins_for(rate: float) -> int:
    """Mel bins: 64 up to 8 kHz, 48 up to 4 kHz (about the same width of a bin)."""
    return 64 if rate >= 16_000 else 48


def utterances(split: Split, rate: float, progress: Progress) -> Utterances:
    """The features of a split whose sound is made or decoded when asked for."""
    bins, features = bins_for(rate), []
    for i in range(len(split)):
        features.append(normalised(log_mel(split.x[i], rate, bins)).astype(np.float16))
        if i % 200 == 199:
            progress(i / len(split), f"listened to {i + 1} of {len(split)} recordings")
    return Utterances(features, list(split.y))


def holdout(count: int, rng: np.random.Generator, most: int = 200) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """(for training, for validation): a tenth is held out, at most `most`; of fewer than five, none is spared and the
    training utterances themselves validate."""
    order = rng.permutation(count)
    if count < 5:
        return order, order
    held = min(most, max(1, count // 10))
    return np.sort(order[held:]), np.sort(order[:held])


def shape_for(hours: float, bins: int, outputs: int) -> Shape:
    """Capacity by the hours of training sound: wider with more, more dropout with less. At 2.6 h the training loss
    stays above the validation loss with a dropout of 0.15, and a network learns twice as fast with 0.05."""
    if hours < 0.06:
        return Shape(bins, outputs, width=96, blocks=2, hidden=64, dropout=0.2)
    if hours < 0.25:
        return Shape(bins, outputs, width=128, blocks=2, hidden=80, dropout=0.2)
    if hours < 0.7:
        return Shape(bins, outputs, width=144, blocks=3, hidden=96, dropout=0.1)
    if hours < MUCH:
        return Shape(bins, outputs, width=192, blocks=3, hidden=128, dropout=0.05)
    return Shape(bins, outputs, width=256, blocks=4, hidden=192, dropout=0.05)


def augment_for(hours: float) -> ctc.Augment:
    """Gentler bending and masking where there is enough sound that a network sees each of it few times."""
    return ctc.Augment() if hours < 0.7 else ctc.Augment(speed=0.12, pitch=0.08, time_masks=0.6, bin_masks=1)


def recipe_for(hours: float, labelled: bool = False) -> Recipe:
    """Steps grow with the sound to the power 0.6, from 700 for seconds of it; with labelled frames six tenths of that.

    Beyond half an hour end-to-end takes more, to the power 0.8 and 24,000 at three hours: CTC has its alignment to find
    as well, and at 2.9 h its error still fell when 9,700 steps became 16,900. Beyond six hours they grow once more, to
    the power 0.5: of 5 h of commands, after 9,000 steps, 14 % of the words of voices that a network had learned from
    were wrong, and 20 % of those of other voices, so that most of what was left was not learned yet. It stays on its
    plateau of blanks at a rate of 4e-3; a network of labelled frames learns best at 3e-3."""
    usual, patient = 9000 * hours**0.6, 10_300 * hours**0.8
    most = 24_000 * max(1.0, hours / MUCH) ** 0.5
    steps = int(0.6 * np.clip(usual, 700, 24_000) if labelled else np.clip(max(usual, patient), 700, most))
    rate = 3e-3 if labelled else 2e-3
    every = max(50, steps // 20)
    return Recipe(steps=steps, learning_rate=rate, warm_up=0.12, validate_every=every, seconds=14_400.0)


def scores_of(network: nn.Module, features: NDArray[np.floating]) -> NDArray[np.float32]:
    """Log probabilities (frames, outputs) of one utterance's normalised features (frames, bins)."""
    with torch.inference_mode():
        batch = torch.from_numpy(np.asarray(features, np.float32))[None]
        scores, _ = network(batch, torch.tensor([len(features)]))
    return np.asarray(scores[0].numpy(), np.float32)


def score_all(network: nn.Module, features: list[NDArray[np.float16]]) -> list[NDArray[np.float32]]:
    """`scores_of` every utterance, in batches of similar lengths, on the device where the network is."""
    where = next(network.parameters()).device
    given: list[NDArray[np.float32]] = [np.zeros((0, 0), np.float32)] * len(features)
    for index in training.buckets([len(x) for x in features], FRAMES, np.random.default_rng(0)):
        batch = ctc.collate([features[i] for i in index], [[] for _ in index]).to(where)
        scores, lengths = network(batch.features, batch.lengths)
        for i, score, length in zip(index, scores.float().cpu().numpy(), lengths.tolist(), strict=True):
            given[i] = score[:length]
    return given


def weighed(tried: Sequence[float], usual: float) -> list[float]:
    """Factors to try, the nearest to the usual one first, so that it wins where held-out utterances do not decide."""
    return sorted(tried, key=lambda value: abs(np.log(value / usual)))


def lightest(
    decoder: Decoder,
    scores: Sequence[NDArray[np.float32]],
    texts: Sequence[str],
    usual: SearchSettings,
    scales: Sequence[float],
    word_scores: Sequence[float],
) -> SearchSettings:
    """The weights of fewest word errors on held-out utterances: scales first, then word scores at the best scale."""

    def errors(settings: SearchSettings) -> int:
        tried = decoder.with_settings(settings)
        found = [edits(tried.decode(s).text.split(), t.split()) for s, t in zip(scores, texts, strict=True)]
        return sum(edit.kind != "equal" for steps in found for edit in steps)

    tries = (replace(usual, acoustic_scale=scale) for scale in weighed(scales, usual.acoustic_scale))
    best = min(tries, key=errors)
    return min((replace(best, word_score=score) for score in word_scores), key=errors)
