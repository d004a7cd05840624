"""Noisy tones below and above 1 kHz, made from a seed."""

from pathlib import Path

import numpy as np

from engines.core import Example, Spec, Split, Task, TaskData

RATE = 8000


def tone(rng: np.random.Generator, high: bool) -> np.ndarray:
    pitch = rng.uniform(1000, 2000) if high else rng.uniform(300, 1000)
    time = np.arange(RATE // 4) / RATE
    noise = rng.normal(0, 0.3, len(time))
    return (0.3 * np.sin(2 * np.pi * pitch * time) + 0.3 * noise).astype(np.float32)


def split(count: int, seed: int) -> Split:
    rng = np.random.default_rng(seed)
    high = rng.random(count) < 0.5
    x = [tone(rng, bool(h)) for h in high]
    y = ["HIGH" if h else "LOW" for h in high]
    return Split(x, y, np.ones(count), [{"transcript": answer} for answer in y])


def pairs() -> TaskData:
    return TaskData(split(256, 1), {"test": split(100, 2)}, Spec("waveform", unit="s", shape=(None,), rate=RATE))


def examples(task: Task) -> tuple[Example, ...]:
    folder = Path(__file__).parent / "examples"
    return (
        Example("A low tone", str(folder / "low.wav"), "LOW", "600 Hz"),
        Example("A high tone", str(folder / "high.wav"), "HIGH", "1500 Hz"),
    )


def measure(answer: str, truth: str) -> list[float]:
    return [float(answer != truth)]


def combine(statistics: np.ndarray) -> float:
    return 100 * float(np.mean(statistics))
