"""Renders one shard of synthetic commands: `python -m engines.cases.speech.render POOL SHARD FILE`.

Speech from espeak-ng (22,050 Hz) is brought to 16 kHz, put into a room, and noise is added. Resampling and room are
one multiplication in the frequency domain; 32 hours take about a quarter of an hour on one core.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.cases.speech.espeak import FASTEST, Espeak
from engines.cases.speech.plans import RATE, Plan, shard_plans
from engines.cases.speech.shards import path
from engines.core import Floats
from engines.core.files import replacing

# 22050 : 16000
_UP, _DOWN = 320, 441
_MARGIN = RATE // 20
_TALKERS = 5


def render(pool: str, shard: int) -> Floats:
    """All utterances of a shard, one after another, float32 in [-1, 1]."""
    plans = shard_plans(pool, shard)
    speaker = Espeak()
    if speaker.rate * _UP != RATE * _DOWN:
        raise ValueError(f"espeak-ng speaks at {speaker.rate} samples a second, not at 22050")
    dry = [speak(speaker, plan) for plan in plans]
    return np.concatenate([record(plan, speech, dry) for plan, speech in zip(plans, dry, strict=True)])


def speak(speaker: Espeak, plan: Plan) -> Floats:
    """The words alone, at 22,050 Hz, spoken fast enough to leave a margin in the window."""
    room = (plan.samples - 2 * _MARGIN) * _DOWN // _UP
    speaker.voice(f"{plan.accent}+{plan.variant}")
    speaker.seed(plan.seed)
    pace = plan.words_a_minute
    while True:
        speech = speaker.say(plan.text, pace, plan.pitch, plan.pitch_range)
        if len(speech) <= room or pace == FASTEST:
            fitting: Floats = speech[:room]
            return fitting
        pace = min(FASTEST, int(pace * max(1.03, len(speech) / room)) + 1)


def record(plan: Plan, speech: Floats, others: list[Floats]) -> Floats:
    """What a microphone in the room hears: `plan.samples` samples at 16 kHz."""
    rng = np.random.default_rng(plan.seed)
    # The transform is circular: what the room adds beyond the end must have faded when it comes round.
    blocks = -(-(plan.samples + int(plan.reverb * RATE)) // _UP)
    at = int(rng.integers(_MARGIN, plan.samples - _MARGIN - len(speech) * _UP // _DOWN + 1)) * _DOWN // _UP
    clean = _at_rate(speech, at, blocks)
    heard = np.fft.irfft(clean * np.fft.rfft(_room(plan, rng), blocks * _UP), blocks * _UP)[: plan.samples]
    noise = _noise(plan, others, blocks, rng)[: plan.samples]
    gain = np.sqrt(np.mean(heard**2) / (np.mean(noise**2) + 1e-12)) * 10 ** (-plan.snr / 20)
    mixed = heard + gain * noise
    recorded: Floats = (mixed / np.max(np.abs(mixed)) * 10 ** (-plan.level / 20)).astype(np.float32)
    return recorded


def _at_rate(speech: Floats, at: int, blocks: int) -> NDArray[np.complexfloating[Any, Any]]:
    """Spectrum at 16 kHz of speech at 22,050 Hz that begins at sample `at` of a window of `blocks` * 20 ms."""
    window = np.zeros(blocks * _DOWN, np.float32)
    window[at : at + len(speech)] = speech[: len(window) - at]
    spectrum: NDArray[np.complexfloating[Any, Any]] = np.fft.rfft(window)[: blocks * _UP // 2 + 1]
    return spectrum


def _room(plan: Plan, rng: np.random.Generator) -> Floats:
    """An impulse response: the direct sound, then noise that falls by 60 dB in `reverb` seconds (Polack's model)."""
    if plan.reverb == 0:
        return np.ones(1)
    time = np.arange(int(plan.reverb * RATE)) / RATE
    tail = rng.standard_normal(len(time)) * 10 ** (-3 * time / plan.reverb)
    tail[: RATE // 500] = 0
    tail *= 10 ** (-plan.direct / 20) / np.sqrt(np.sum(tail**2))
    tail[0] = 1
    response: Floats = tail
    return response


def _noise(plan: Plan, others: list[Floats], blocks: int, rng: np.random.Generator) -> Floats:
    """Noise of the planned kind, of any loudness; babble is five other utterances of the shard at once."""
    length = blocks * _UP
    if plan.noise == "babble":
        total = np.zeros(blocks * _DOWN, np.float32)
        for talker in rng.choice(len(others), _TALKERS, replace=False):
            total += np.roll(np.resize(others[talker], len(total)), int(rng.integers(len(total))))
        return np.fft.irfft(np.fft.rfft(total)[: length // 2 + 1], length)
    white = rng.standard_normal(length, np.float32)
    if plan.noise == "white":
        return white
    frequency = np.maximum(np.fft.rfftfreq(length, 1 / RATE), 20)
    spectrum = np.fft.rfft(white) / np.sqrt(frequency)
    noise: Floats = np.fft.irfft(spectrum, length)
    if plan.noise == "hum":
        time = np.arange(length) / RATE
        mains = (50, 60)[rng.integers(2)]
        hum = sum(np.sin(2 * np.pi * mains * k * time + rng.uniform(0, 6.28)) / k for k in (1, 2, 3, 4, 5))
        noise = noise / np.std(noise) + hum
    return noise


def main() -> None:
    pool, shard, target = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    if target.name != path(pool, shard).name:
        sys.exit("the program was changed while it ran")
    samples = np.clip(np.round(render(pool, shard) * 32767), -32768, 32767).astype(np.int16)
    with replacing(target) as aside, aside.open("wb") as handle:
        np.save(handle, samples, allow_pickle=False)


if __name__ == "__main__":
    main()
