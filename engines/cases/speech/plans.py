"""The plan of the commands task: what is said, by which voice, in which room, all drawn from a seed.

A plan is cheap (30 microseconds an utterance), so that the transcripts and hours of the whole pool are known without a
sound having been made. Everything follows from the pool's name and the shard's number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import numpy as np

from engines.cases.speech import grammar
from engines.cases.speech.espeak import ACCENTS

RATE = 16000
# Utterances a shard: about 6.5 minutes.
UTTERANCES = 128
TEST_SHARDS = 3


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# espeak-ng's voice variants. Those of the test never speak in training.
TEST_VARIANTS = _words("f2 f5 m3 m7 Annie Michael david linda travis norbert grandpa Andy")
VARIANTS = _words(
    "Alex Alicia Andrea Denis Diogo Gene Henrique Hugo Lee Mario Mike Nguyen Reed RicishayMax RicishayMax2 adam "
    "announcer anika antonio aunty belinda benjamin boris caleb ed edward edward2 f1 f3 f4 grandma gustave "
    "ian john kaukovalta klatt3 klatt4 klatt6 m1 m2 m4 m5 m6 m8 marcelo max miguel mike2 pablo paul pedro quincy "
    "rob sandro shelby steph victor zac"
)
NOISES = ("white", "pink", "hum", "babble")


@dataclass(frozen=True)
class Plan:
    """One utterance. Pitch and its range are espeak-ng's (0-99); `level` is the peak in dB below full scale, `reverb`
    the seconds a room takes to fall by 60 dB (0: no room), `direct` and `snr` are in dB; `samples` at 16 kHz."""

    text: str
    accent: str
    variant: str
    words_a_minute: int
    pitch: int
    pitch_range: int
    level: float
    noise: str
    snr: float
    reverb: float
    direct: float
    samples: int
    seed: int


@cache
def shard_plans(pool: str, shard: int) -> tuple[Plan, ...]:
    """The utterances of one shard; `pool` is "train" or "test"."""
    rng = np.random.default_rng([("train", "test").index(pool), shard])
    barred = test_texts() if pool == "train" else frozenset()
    return tuple(_plan(pool, rng, barred) for _ in range(UTTERANCES))


@lru_cache(maxsize=1)
def test_texts() -> frozenset[str]:
    return frozenset(plan.text for shard in range(TEST_SHARDS) for plan in shard_plans("test", shard))


def _plan(pool: str, rng: np.random.Generator, barred: frozenset[str]) -> Plan:
    text = grammar.draw(rng)
    while text in barred:
        text = grammar.draw(rng)
    variants = VARIANTS if pool == "train" else TEST_VARIANTS
    words_a_minute = int(rng.integers(110, 191))
    return Plan(
        text=text,
        accent=ACCENTS[rng.integers(len(ACCENTS))],
        variant=variants[rng.integers(len(variants))],
        words_a_minute=words_a_minute,
        pitch=int(rng.integers(20, 81)),
        pitch_range=int(rng.integers(30, 71)),
        level=float(rng.uniform(1, 20)),
        noise=NOISES[rng.integers(len(NOISES))],
        snr=float(rng.uniform(8, 35)),
        reverb=float(rng.uniform(0.1, 0.5)) if rng.random() < 0.7 else 0.0,
        direct=float(rng.uniform(3, 15)),
        samples=round(RATE * (1.06 * expected_seconds(text, words_a_minute) + rng.uniform(0.2, 0.6))),
        seed=int(rng.integers(2**31)),
    )


def expected_seconds(text: str, words_a_minute: int) -> float:
    """How long espeak-ng takes to say `text`: least squares over 3,000 commands in all voices; the truth is within
    17 % of it for 95 in 100. Speech that does not fit its window is spoken again, faster."""
    words = text.split()
    phones = sum(len(table()[word][0]) for word in words)
    return (0.060 * phones + 0.050 * len(words) + 0.072) * 175 / words_a_minute


@lru_cache(maxsize=1)
def table() -> Mapping[str, tuple[tuple[str, ...], ...]]:
    """word -> its pronunciation in each accent, in the order of ACCENTS (pronunciations.tsv, made by espeak.py)."""
    lines = (Path(__file__).parent / "pronunciations.tsv").read_text().splitlines()[1:]
    rows = [line.split("\t") for line in lines]
    return {word: tuple(tuple(phones.split()) for phones in accents) for word, *accents in rows}
