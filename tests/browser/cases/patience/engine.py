"""An engine that waits a minute and tells how far it is, and the little data it is given."""

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from engines.core import Engine, Spec, Split, Stage, TaskData, quiet


@dataclass(frozen=True)
class Waiter(Engine):
    name, shape, version = "pipeline", "pipeline", 1

    def fit(self, data, rng, progress=quiet):
        for second in range(240):
            progress(second / 240, "waiting")
            time.sleep(0.25)
        return self

    def stages(self, reading=""):
        return (Stage("echo", Spec("text"), lambda text: text),)

    def save(self, directory: Path):
        (directory / "engine.json").write_text("{}")

    @classmethod
    def load(cls, directory: Path):
        return cls()

    @property
    def parameters(self):
        return 0


def nothing() -> TaskData:
    split = Split(["A", "B"], ["A", "B"], np.ones(2), [{}, {}])
    return TaskData(split, {"test": split}, Spec("text"))
