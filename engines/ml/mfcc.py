"""Mel-frequency cepstra of a clip, normalised by the clip itself.

Source: Davis and Mermelstein (1980); deltas as in Furui (1986), by regression over two frames either side.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import torch
import torchaudio

COEFFICIENTS = 13
WINDOW_S = 0.025
HOP_S = 0.010
FRAMES_PER_SECOND = 1 / HOP_S
_PREEMPHASIS = 0.97
_LEVEL = 0.1  # clips are brought to this root mean square, so that the floor under the logarithm suits all


@lru_cache(maxsize=4)
def _transform(rate: int) -> Any:
    window = round(WINDOW_S * rate)
    return torchaudio.transforms.MFCC(
        sample_rate=rate,
        n_mfcc=COEFFICIENTS,
        log_mels=True,
        melkwargs={
            "n_fft": 1 << (window - 1).bit_length(),
            "win_length": window,
            "hop_length": round(HOP_S * rate),
            "n_mels": 26 if rate >= 16000 else 20,
            "f_min": 60.0 if rate >= 16000 else 100.0,
            "f_max": 7600.0 if rate >= 16000 else 0.475 * rate,
            "window_fn": torch.hamming_window,
        },
    )


def mfcc(waveform: np.ndarray, rate: int) -> np.ndarray:
    """13 cepstra per 10 ms, (samples,) -> (frames, 13) float32, mean 0 and variance 1 over the clip's speech.

    frames = samples // (rate / 100) + 1. Clips shorter than a window are padded with silence.
    """
    x = np.asarray(waveform, np.float32)
    transform = _transform(int(rate))
    shortest = transform.MelSpectrogram.n_fft
    if len(x) < shortest:
        x = np.pad(x, (0, shortest - len(x)))
    x = x - x.mean()
    x = x * (_LEVEL / max(float(np.sqrt(np.mean(x * x))), 1e-5))
    x = np.concatenate([x[:1], x[1:] - _PREEMPHASIS * x[:-1]])
    with torch.inference_mode():
        cepstra = transform(torch.from_numpy(x)).T.numpy()
    return normalised(cepstra)


def normalised(cepstra: np.ndarray) -> np.ndarray:
    """Mean 0 and variance 1, per column, over the louder frames: how much silence surrounds the words must not matter.

    Louder: the first cepstrum is above its mean less a fifth of its deviation. A constant column becomes 0.
    """
    level = cepstra[:, 0]
    loud = level > level.mean() - 0.2 * level.std()
    kept = cepstra[loud] if loud.sum() >= 10 else cepstra
    spread = kept.std(0)
    return np.clip((cepstra - kept.mean(0)) / np.where(spread > 1e-3, spread, 1.0), -20, 20).astype(np.float32)


def deltas(x: np.ndarray) -> np.ndarray:
    """The slope over two frames either side, same shape."""
    p = np.pad(x, ((2, 2), (0, 0)), mode="edge")
    return ((p[3:-1] - p[1:-3]) + 2 * (p[4:] - p[:-4])) / np.float32(10)


def with_deltas(x: np.ndarray) -> np.ndarray:
    """(frames, 13) -> (frames, 39): cepstra, slopes, slopes of slopes, brought to like scale."""
    d = deltas(x)
    return np.concatenate([x, 2 * d, 4 * deltas(d)], 1).astype(np.float32)


def spliced(x: np.ndarray, either_side: int) -> np.ndarray:
    """(frames, d) -> (frames, d * (2 * either_side + 1)): each frame with its neighbours, the ends repeated."""
    p = np.pad(x, ((either_side, either_side), (0, 0)), mode="edge")
    return np.concatenate([p[i : i + len(x)] for i in range(2 * either_side + 1)], 1)
