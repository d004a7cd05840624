"""Waveform -> log-mel spectrogram, the input of every speech network here.

Power spectrum of 25 ms Hann windows every 10 ms, summed under triangles evenly spaced on the mel scale
(Davis and Mermelstein 1980; mel = 2595 log10(1 + f / 700)), then the logarithm.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

RATE = 100.0  # frames a second
WINDOW_S = 0.025
LOWEST_HZ = 60.0
FLOOR = 1e-6  # added to a power before the logarithm: far below speech, above the noise of 16-bit samples
BLOCK = 3000  # frames transformed at a time, so that half an hour of sound needs no gigabytes


def log_mel(waveform: NDArray[np.float32], rate: float, bins: int) -> NDArray[np.float32]:
    """float32 (samples,) at `rate` samples/s -> float32 (frames, bins) at 100 frames/s, at least one frame."""
    hop, window, size = round(rate / RATE), round(rate * WINDOW_S), fft_size(rate)
    frames = 1 + len(waveform) // hop
    # Windows are centred: frame t looks at samples around t * hop.
    padded = np.pad(np.asarray(waveform, np.float32), (window // 2, window))
    views = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop][:frames]
    taper = np.hanning(window + 1)[:-1].astype(np.float32)
    filters = mel_filters(rate, bins)
    given = np.empty((frames, bins), np.float32)
    for start in range(0, frames, BLOCK):
        spectrum = np.fft.rfft(views[start : start + BLOCK] * taper, size)
        power = spectrum.real**2 + spectrum.imag**2
        given[start : start + BLOCK] = np.log(power.astype(np.float32) @ filters + FLOOR)
    return given


def normalised(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each bin of (frames, bins) shifted to mean 0 and scaled to deviation 1 over the louder frames.

    Louder frames are those above the mean level less a fifth of its deviation, so that the silence around the words
    does not matter. A bin that does not vary (silence) is left at 0: its deviation counts as at least 0.1.
    """
    level = features.mean(axis=1)
    loud = features[level > level.mean() - 0.2 * level.std()]
    speech = loud if len(loud) >= 10 else features
    scaled = (features - speech.mean(axis=0)) / np.maximum(speech.std(axis=0), 0.1)
    return np.asarray(np.clip(scaled, -8, 8), np.float32)


def fft_size(rate: float) -> int:
    """The power of two that holds a window."""
    return int(2 ** np.ceil(np.log2(rate * WINDOW_S)))


@lru_cache
def mel_filters(rate: float, bins: int) -> NDArray[np.float32]:
    """Triangles (fft_size // 2 + 1, bins), each with a peak of 1, from 60 Hz to half the rate."""
    lowest, highest = (2595 * np.log10(1 + hz / 700) for hz in (LOWEST_HZ, rate / 2))
    corners = 700 * (10 ** (np.linspace(lowest, highest, bins + 2) / 2595) - 1)
    hertz = np.linspace(0, rate / 2, fft_size(rate) // 2 + 1)[:, None]
    rising = (hertz - corners[:-2]) / (corners[1:-1] - corners[:-2])
    falling = (corners[2:] - hertz) / (corners[2:] - corners[1:-1])
    return np.maximum(0, np.minimum(rising, falling)).astype(np.float32)
