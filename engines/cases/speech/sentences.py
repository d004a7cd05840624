"""The sentences task: speechocean762, real people reading English sentences."""

from __future__ import annotations

import io
import re
from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from engines import datasets
from engines.core import Floats, Spec, Split, TaskData, UserError
from engines.ml.lazy import Lazy

RATE = 16000
TEST_UTTERANCES = 600
# What a transcript is spelled with.
_OTHER = re.compile(r"[^A-Z' ]+")
# ARPAbet as the corpus writes it: "IY0_E" is IY, unstressed, at the end of a word.
_MARKS = re.compile(r"[0-9]|_[BIES]$")

Lexicon = Mapping[str, list[tuple[str, ...]]]


def sentences() -> TaskData:
    """All of the training speakers' utterances; 600 of the test speakers', of sentences not heard in training."""
    return _sentences(datasets.path("speechocean762"), datasets.path("speechocean762_lexicon"))


@lru_cache(maxsize=1)
def _sentences(audio: Path, lexicon: Path) -> TaskData:
    rows = datasets.table(audio, columns=["id", "split", "speaker", "text", "phones", "seconds"]).to_pylist()
    for position, row in enumerate(rows):
        row["position"] = position
        row["text"] = " ".join(_OTHER.sub(" ", row["text"].upper()).split())
    rows.sort(key=lambda row: str(row["id"]))
    train = [row for row in rows if row["split"] == "train"]
    heard = {row["text"] for row in train}
    unheard = [row for row in rows if row["split"] == "test" and row["text"] not in heard]
    if not train or len(unheard) < TEST_UTTERANCES:
        raise UserError(f"{audio.name} is not whole: run `python -m engines data verify speechocean762`.")
    chosen = np.sort(np.random.default_rng(0).choice(len(unheard), TEST_UTTERANCES, replace=False))
    recordings = _Recordings(audio)
    return TaskData(
        train=_split(train, recordings),
        tests={"test": _split([unheard[i] for i in chosen], recordings)},
        x=Spec("waveform", unit="s", shape=(None,), rate=RATE),
        side={"lexicon": read_lexicon(lexicon)},
    )


def read_lexicon(file: Path) -> Lexicon:
    """word -> its pronunciations, without stress and position marks."""
    found: dict[str, list[tuple[str, ...]]] = defaultdict(list)
    for row in datasets.table(file).to_pylist():
        phones = bare(row["phones"])
        if phones not in found[row["word"]]:
            found[row["word"]].append(phones)
    return dict(found)


def bare(phones: str) -> tuple[str, ...]:
    """The phones without marks: "W_B IY0_E" gives ("W", "IY")."""
    return tuple(_MARKS.sub("", _MARKS.sub("", phone)) for phone in phones.split())


class _Recordings:
    """Decodes recordings when they are asked for: about 800 times faster than real time, so nothing is kept but the
    compressed bytes (50 MB for 4.2 hours)."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def decode(self, position: int) -> Floats:
        samples, rate = soundfile.read(io.BytesIO(_audio(self.file)[position].as_py()), dtype="float32")
        if rate != RATE:
            raise ValueError(f"recording {position} of {self.file.name} has {rate} samples a second, not {RATE}")
        waveform: Floats = samples
        return waveform


@lru_cache(maxsize=1)
def _audio(file: Path) -> Any:
    return datasets.table(file, columns=["audio"])["audio"]


def _split(rows: list[dict[str, Any]], recordings: _Recordings) -> Split:
    return Split(
        x=Lazy(len(rows), lambda i: recordings.decode(rows[i]["position"])),
        y=[row["text"] for row in rows],
        weight=np.array([row["seconds"] for row in rows]) / 3600,
        gold=[{"phonemes": [bare(word) for word in row["phones"]], "speaker": row["speaker"]} for row in rows],
    )
