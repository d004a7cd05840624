"""Recognisers that others trained on far more speech: single dots to compare with, nothing here is learned."""

from __future__ import annotations

import json
import pickle
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import NDArray

from engines.cases.speech.language import spoken
from engines.core import Engine, Progress, Segment, Spec, Stage, TrainingData, UserError, quiet
from engines.core.engine import Shape
from engines.datasets import cache_directory
from engines.ml.ctc import greedy
from engines.ml.wer import words as normal

RATE = 16_000  # samples a second that both were trained on
WAV2VEC_FRAMES = 50.0  # frames a second that wav2vec 2.0 gives
SHORTEST = 640  # samples: less than this gives wav2vec 2.0 no frame
FILLER = re.compile(r"^(<.*>|\[.*\]|\+\+.*\+\+)$")  # pocketsphinx's silence and noise "words"
VARIANT = re.compile(r"\(\d+\)$")  # "the(2)": a second pronunciation


@dataclass(frozen=True)
class Reference(Engine):
    """What both have in common. `rate`: samples a second of the task's waveforms."""

    reference: ClassVar[bool] = True
    version: ClassVar[int] = 1
    rate: float = RATE

    def fit(self, data: TrainingData, rng: np.random.Generator, progress: Progress = quiet) -> Self:
        """Looks at nothing but the rate of the waveforms."""
        return replace(self, rate=float(data.x.rate or RATE))

    def save(self, directory: Path) -> None:
        (directory / "reference.json").write_text(json.dumps({"rate": self.rate}))

    @classmethod
    def load(cls, directory: Path) -> Self:
        return cls(json.loads((directory / "reference.json").read_text())["rate"])

    @property
    def parameters(self) -> int:
        """Nothing is learned from the budget."""
        return 0


@dataclass(frozen=True)
class PocketSphinx(Reference):
    """A pipeline: CMU's pocketsphinx with the US English model, dictionary and n-gram that it ships with.

    Source: Huggins-Daines et al. (2006), "Pocketsphinx: a free, real-time continuous speech recognition system".
    """

    name: ClassVar[str] = "pocketsphinx"
    version: ClassVar[int] = 2
    shape: ClassVar[Shape] = "pipeline"
    supervision: ClassVar[tuple[str, ...]] = ("trained elsewhere, on much more speech and text",)

    def stages(self, reading: str = "") -> tuple[Stage, ...]:
        self.check_reading(reading)
        return Stage("words", Spec("segments"), self._listen), Stage("transcript", Spec("text"), spoken)

    def _listen(self, x: NDArray[np.float32]) -> tuple[Segment, ...]:
        sound = np.clip(resampled(x, self.rate) * 32767, -32768, 32767).astype("<i2")
        decoder = self._decoder
        decoder.reinit_feat()  # else an answer hangs on what was heard before
        decoder.start_utt()
        if len(sound):
            decoder.process_raw(sound.tobytes(), full_utt=True)
        decoder.end_utt()
        if decoder.hyp() is None:
            return ()
        frames = float(decoder.config["frate"])
        return tuple(
            Segment("words", word, part.start_frame / frames, (part.end_frame + 1) / frames)
            for part in decoder.seg()
            if not FILLER.match(part.word)
            for word in normal(VARIANT.sub("", part.word))
        )

    @cached_property
    def _decoder(self) -> Any:
        try:
            import pocketsphinx  # here, not above: an optional extra
        except ImportError as error:
            raise UserError("pocketsphinx is not installed: run `pip install pocketsphinx`.") from error
        return pocketsphinx.Decoder(samprate=RATE, loglevel="FATAL")


@dataclass(frozen=True)
class Wav2Vec2(Reference):
    """End-to-end: wav2vec 2.0 base, pre-trained and fine-tuned on 960 h of LibriSpeech, read greedily.

    Source: Baevski et al. (2020), "wav2vec 2.0: a framework for self-supervised learning of speech representations".
    """

    name: ClassVar[str] = "wav2vec2"
    shape: ClassVar[Shape] = "end_to_end"
    supervision: ClassVar[tuple[str, ...]] = ("trained elsewhere, on 960 h of read English",)

    def fit(self, data: TrainingData, rng: np.random.Generator, progress: Progress = quiet) -> Self:
        """Downloads the weights where they are not in the cache. Raises UserError when they cannot be had."""
        fitted = super().fit(data, rng, progress)
        progress(0.0, "fetching wav2vec 2.0's weights (360 MB)")
        assert fitted._network is not None
        return fitted

    def stages(self, reading: str = "") -> tuple[Stage, ...]:
        self.check_reading(reading)
        labels = _bundle().get_labels()
        return (
            Stage(
                "characters",
                Spec("posteriors", "log probability", (None, len(labels)), labels, WAV2VEC_FRAMES),
                self._listen,
            ),
            Stage("transcript", Spec("text"), lambda scores: spelled(greedy(scores), labels)),
        )

    def _listen(self, x: NDArray[np.float32]) -> NDArray[np.float32]:
        sound = torch.from_numpy(resampled(x, self.rate))
        padded = torch.nn.functional.pad(sound, (0, max(0, SHORTEST - len(sound))))
        with torch.inference_mode():
            scores = self._network(padded[None])[0]
            return np.asarray(torch.log_softmax(scores[0], dim=-1).numpy(), np.float32)

    @cached_property
    def _network(self) -> Any:
        folder = cache_directory() / "wav2vec2"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            return _bundle().get_model(dl_kwargs={"model_dir": str(folder), "progress": False}).eval()
        except OSError as error:  # URLError and a full disk are OSErrors
            raise UserError(
                "wav2vec 2.0's weights could not be downloaded: connect to a network, or put "
                f"wav2vec2_fairseq_base_ls960_asr_ls960.pth into the folder wav2vec2 of the download cache ({error})."
            ) from error
        except (RuntimeError, EOFError, pickle.UnpicklingError) as error:
            raise UserError(f"wav2vec 2.0's weights in {folder} are damaged: delete them and try again.") from error


def _bundle() -> Any:
    import torchaudio  # slow to import, and only this reference needs it

    return torchaudio.pipelines.WAV2VEC2_ASR_BASE_960H


def resampled(x: NDArray[np.float32], rate: float) -> NDArray[np.float32]:
    """(samples,) at `rate` -> at 16,000 samples a second."""
    sound = np.ascontiguousarray(x, np.float32)
    if round(rate) == RATE or not len(sound):
        return sound
    import torchaudio

    return np.asarray(torchaudio.functional.resample(torch.from_numpy(sound), round(rate), RATE).numpy(), np.float32)


def spelled(found: Sequence[int], labels: Sequence[str]) -> str:
    """Columns of wav2vec 2.0 -> words joined by one space; "|" stands between words."""
    return " ".join("".join(labels[i] for i in found).replace("|", " ").split())
