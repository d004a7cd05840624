"""Two ways to tell a low tone from a high one."""

import json
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file

from engines.core import Engine, Segment, Spec, Stage, UserError, quiet

RATE = 8000
WINDOW = 256
FEATURES = Spec("spectrogram", "dB", (None, WINDOW // 2 + 1), rate=RATE / WINDOW)


def spectrum(wave: np.ndarray) -> np.ndarray:
    """Power in dB, (frames, bins)."""
    frames = max(1, len(wave) // WINDOW)
    padded = np.zeros(frames * WINDOW, np.float32)
    padded[: min(len(wave), len(padded))] = wave[: len(padded)]
    power = np.abs(np.fft.rfft(padded.reshape(frames, WINDOW) * np.hanning(WINDOW))) ** 2
    return (10 * np.log10(power + 1e-6)).astype(np.float32)


@dataclass(frozen=True)
class Pitch(Engine):
    name, shape, version = "pipeline", "pipeline", 1
    supervision = ("that pitch is what matters",)
    threshold: float = 0.0

    def fit(self, data, rng, progress=quiet):
        pitches = {"LOW": [], "HIGH": []}
        for place, (x, y) in enumerate(zip(data.train.x, data.train.y, strict=True)):
            pitches[y].append(loudest(spectrum(x)))
            progress((place + 1) / len(data.train), "measuring pitch")
        if not all(pitches.values()):
            raise UserError("All tones of the budget have the same answer: take a larger budget.")
        return Pitch(float((max(pitches["LOW"]) + min(pitches["HIGH"])) / 2))

    def stages(self, reading=""):
        self.check_reading(reading)

        def segments(power):
            frequency = loudest(power)
            return (Segment("words", "HIGH" if frequency > self.threshold else "LOW", 0.0, len(power) * WINDOW / RATE),)

        return (
            Stage("features", FEATURES, spectrum),
            Stage("words", Spec("segments"), segments),
            Stage("transcript", Spec("text"), lambda found: " ".join(segment.label for segment in found)),
        )

    def truths(self, x, gold):
        return {
            "words": (Segment("words", gold["transcript"], 0.0, len(x) / RATE),),
            "transcript": gold["transcript"],
        }

    def save(self, directory: Path):
        (directory / "engine.json").write_text(json.dumps({"threshold": self.threshold}))

    @classmethod
    def load(cls, directory: Path):
        return cls(**json.loads((directory / "engine.json").read_text()))

    @property
    def parameters(self):
        return 1


def loudest(power: np.ndarray) -> float:
    return float(np.argmax(power.mean(axis=0)) * RATE / WINDOW)


@dataclass(frozen=True)
class Nearest(Engine):
    name, shape, version = "end_to_end", "end_to_end", 1
    centres: np.ndarray = field(default_factory=lambda: np.zeros((2, WINDOW // 2 + 1), np.float32))

    def fit(self, data, rng, progress=quiet):
        spectra = np.stack([spectrum(x).mean(axis=0) for x in data.train.x])
        high = np.array([y == "HIGH" for y in data.train.y])
        if high.all() or not high.any():
            raise UserError("All tones of the budget have the same answer: take a larger budget.")
        progress(1.0, "averaged the spectra")
        return Nearest(np.stack([spectra[~high].mean(0), spectra[high].mean(0)]).astype(np.float32))

    def stages(self, reading=""):
        self.check_reading(reading)
        scores = Spec("posteriors", "log probability", (None, 2), labels=("LOW", "HIGH"), rate=RATE / WINDOW)

        def compare(power):
            distance = ((power[:, None] - self.centres[None]) ** 2).mean(-1) / 50
            return (-distance - np.logaddexp.reduce(-distance, axis=1, keepdims=True)).astype(np.float32)

        return (
            Stage("features", FEATURES, spectrum),
            Stage("characters", scores, compare),
            Stage("transcript", Spec("text"), lambda log: ("LOW", "HIGH")[int(log.sum(axis=0).argmax())]),
        )

    def save(self, directory: Path):
        save_file({"centres": self.centres}, directory / "engine.safetensors")

    @classmethod
    def load(cls, directory: Path):
        return cls(load_file(directory / "engine.safetensors")["centres"])

    @property
    def parameters(self):
        return self.centres.size
