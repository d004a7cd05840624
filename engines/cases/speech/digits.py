"""The digits task: strings joined from the single digits of the Free Spoken Digit Dataset."""

from __future__ import annotations

import io
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import soundfile

from engines import datasets
from engines.core import Floats, Spec, Split, TaskData, UserError
from engines.ml.lazy import Lazy

RATE = 8000
LONGEST = 7
TEST_STRINGS = 300
# Left out of training wholly: one of the two native speakers, one of the two Germans; the others stay.
UNSEEN = ("theo", "yweweler")
# Seconds between two digits, and before the first and after the last.
GAP = (0.03, 0.20)
EDGE = (0.05, 0.20)
_FADE = RATE // 200

WORDS = ("ZERO", "ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX", "SEVEN", "EIGHT", "NINE")
LEXICON: dict[str, list[tuple[str, ...]]] = {
    "ZERO": [("Z", "IH", "R", "OW"), ("Z", "IY", "R", "OW")],
    "ONE": [("W", "AH", "N")],
    "TWO": [("T", "UW")],
    "THREE": [("TH", "R", "IY")],
    "FOUR": [("F", "AO", "R")],
    "FIVE": [("F", "AY", "V")],
    "SIX": [("S", "IH", "K", "S")],
    "SEVEN": [("S", "EH", "V", "AH", "N")],
    "EIGHT": [("EY", "T")],
    "NINE": [("N", "AY", "N")],
}


@dataclass(frozen=True)
class Recording:
    speaker: str
    digit: int
    take: int
    test: bool
    seconds: float
    position: int


@dataclass(frozen=True)
class DigitString:
    """Recordings of one speaker, the samples of silence before each and after the last, and a seed for its noise."""

    recordings: tuple[Recording, ...]
    pauses: tuple[int, ...]
    seed: int

    @property
    def samples(self) -> int:
        return sum(self.pauses) + sum(round(recording.seconds * RATE) for recording in self.recordings)


def digits() -> TaskData:
    """Training strings use every training take of four speakers once, so that hours are honest. Test strings use takes
    0-4 of the same four; "unseen_speakers" all takes of the two others."""
    return _digits(datasets.path("fsdd"))


@lru_cache(maxsize=1)
def _digits(file: Path) -> TaskData:
    rows = datasets.table(file, columns=["id", "split", "speaker", "digit", "take", "seconds"]).to_pylist()
    recordings = [
        Recording(row["speaker"], row["digit"], row["take"], row["split"] == "test", row["seconds"], position)
        for position, row in enumerate(rows)
    ]
    recordings.sort(key=lambda r: (r.speaker, r.digit, r.take))
    seen = [r for r in recordings if r.speaker not in UNSEEN]
    unseen = [r for r in recordings if r.speaker in UNSEEN]
    train = [r for r in seen if not r.test]
    test = [r for r in seen if r.test]
    if not (train and test and unseen):
        raise UserError(f"{file.name} is not whole: run `python -m engines data verify fsdd`.")
    return TaskData(
        train=_split(one_pass(train, np.random.default_rng(100)), file),
        tests={
            "test": _split(strings(test, TEST_STRINGS, np.random.default_rng(101)), file),
            "unseen_speakers": _split(strings(unseen, TEST_STRINGS, np.random.default_rng(102)), file),
        },
        x=Spec("waveform", unit="s", shape=(None,), rate=RATE),
        side={"lexicon": LEXICON},
    )


def one_pass(recordings: list[Recording], rng: np.random.Generator) -> list[DigitString]:
    """Strings of 1 to 7 digits of one speaker each, in which every recording occurs exactly once."""
    made = []
    for speaker in sorted({r.speaker for r in recordings}):
        own = [r for r in recordings if r.speaker == speaker]
        order = rng.permutation(len(own))
        start = 0
        while start < len(own):
            stop = min(start + int(rng.integers(1, LONGEST + 1)), len(own))
            made.append(_string([own[i] for i in order[start:stop]], rng))
            start = stop
    return made


def strings(recordings: list[Recording], count: int, rng: np.random.Generator) -> list[DigitString]:
    """`count` strings, as many of each speaker; once all recordings are used up they are used again."""
    speakers = sorted({r.speaker for r in recordings})
    made: list[DigitString] = []
    for speaker in speakers:
        own = [r for r in recordings if r.speaker == speaker]
        mine: list[DigitString] = []
        while len(mine) < -(-count // len(speakers)):
            mine += one_pass(own, rng)
        made += mine[: -(-count // len(speakers))]
    return made[:count]


def _string(recordings: list[Recording], rng: np.random.Generator) -> DigitString:
    edges = rng.uniform(*EDGE, size=2)
    gaps = rng.uniform(*GAP, size=len(recordings) - 1)
    pauses = tuple(int(seconds * RATE) for seconds in (edges[0], *gaps, edges[1]))
    return DigitString(tuple(recordings), pauses, int(rng.integers(2**31)))


def waveform(string: DigitString, audio: list[Floats]) -> Floats:
    """The joined recordings, shape (string.samples,). Each fades in and out over 5 ms, and noise as loud as the
    quietest stretch of the recordings runs through, so that a pause is not digital silence."""
    joined = np.zeros(string.samples, np.float32)
    ramp = np.linspace(0, 1, _FADE, dtype=np.float32)
    position, floors = 0, []
    for pause, recording in zip(string.pauses, string.recordings, strict=False):
        position += pause
        sound = audio[recording.position].copy()
        frames = sound[: len(sound) // _FADE * _FADE].reshape(-1, _FADE)
        floors.append(np.sqrt(np.min(np.mean(frames**2, axis=1))))
        sound[:_FADE] *= ramp
        sound[-_FADE:] *= ramp[::-1]
        joined[position : position + len(sound)] += sound
        position += len(sound)
    floor = max(min(floors), 1e-4)
    joined += np.random.default_rng(string.seed).normal(0, floor, len(joined)).astype(np.float32)
    clipped: Floats = np.clip(joined, -1, 1)
    return clipped


@lru_cache(maxsize=1)
def _audio(file: Path) -> list[Floats]:
    """Every recording, decoded: 22 minutes, 42 MB."""
    found = []
    for value in datasets.table(file, columns=["audio"])["audio"]:
        samples, rate = soundfile.read(io.BytesIO(value.as_py()), dtype="float32")
        if rate != RATE:
            raise ValueError(f"a recording of {file.name} has {rate} samples a second, not {RATE}")
        found.append(samples)
    return found


def _split(planned: list[DigitString], file: Path) -> Split:
    return Split(
        x=Lazy(len(planned), lambda i: waveform(planned[i], _audio(file))),
        y=[" ".join(WORDS[r.digit] for r in string.recordings) for string in planned],
        weight=np.array([string.samples for string in planned]) / RATE / 3600,
        gold=[
            {
                "phonemes": [LEXICON[WORDS[r.digit]][0] for r in string.recordings],
                "speaker": string.recordings[0].speaker,
            }
            for string in planned
        ],
    )
