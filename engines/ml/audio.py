"""Audio that a visitor brings, to what a task takes: float32 mono in [-1, 1] at the task's rate.

soundfile reads wav, flac, ogg, mp3, aiff; PyAV what it cannot: webm, m4a. Both carry their codecs. Nothing beyond the
limits below is decoded, so that a long or large file costs neither time nor memory.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

from engines.core import Floats, Task, UserError
from engines.ml.filenames import short

MIN_SECONDS, MAX_SECONDS = 0.1, 30.0
MAX_BYTES = 20_000_000
LIMITS = f"{MIN_SECONDS:g} to {MAX_SECONDS:g} seconds, at most {MAX_BYTES // 1_000_000} MB"
ACCEPTS = ("wav", "flac", "mp3", "ogg", "webm", "m4a")
# Samples a second that a recording of speech can have.
RATES = (4_000, 384_000)
MAX_CHANNELS = 32
# Louder than this, in root mean square about the mean, is sound: -80 dB below full scale.
SILENCE = 1e-4
# A file with less than this share of the sound that it says it holds is cut.
WHOLE = 0.9
# Samples a second, mono blocks, and how many seconds they are by what the file says (0: not known).
Opened = tuple[int, Iterator[Floats], float]
# What files of the formats above begin with, those of m4a aside: theirs stands behind four bytes.
_BEGINNINGS = (
    b"RIFF",
    b"fLaC",
    b"OggS",
    b"FORM",
    b".snd",
    b"\x1aE\xdf\xa3",
    b"ID3",
    b"\xff\xfb",
    b"\xff\xf3",
    b"\xff\xf2",
)
# FFmpeg's names of the formats it may take a file for. Play lists and the like, which name other files, are not among
# them.
_FORMATS = "aac,aiff,amr,asf,au,avi,caf,flac,flv,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mp3,ogg,w64,wav"


def decode(content: bytes, filename: str, task: Task) -> Floats:
    """The recording in a file, shape (samples,), as `task.x` declares it. Channels are averaged; a truncated file gives
    what is left of it; samples above full scale are scaled down to it.

    Raises:
        UserError: it is not audio, or outside the limits, or silent.
    """
    name = short(filename)
    if not content:
        raise UserError(f"{name} is empty: record or choose another file.")
    if len(content) > MAX_BYTES:
        raise UserError(
            f"{name} has {len(content) / 1e6:.0f} MB, more than the {MAX_BYTES // 1_000_000} MB that are taken: "
            "choose a shorter recording or a compressed format such as mp3."
        )
    rate, blocks, _ = _opened(content, name)
    if not RATES[0] <= rate <= RATES[1]:
        raise UserError(f"{name} has {rate} samples a second: bring a recording with {RATES[0]:,} to {RATES[1]:,}.")
    return prepare(_gather(blocks, rate, name), rate, int(task.x.rate or rate), name)


def cut(content: bytes, filename: str) -> str:
    """A sentence on a file with clearly less sound in it than it says; "" where it has it all or that cannot be known.

    Raises:
        UserError: it is not audio, or too long.
    """
    name = short(filename)
    rate, blocks, said = _opened(content, name)
    held = len(_gather(blocks, rate, name)) / rate if said else 0.0
    if held >= WHOLE * said:
        return ""
    return f"{name} is cut or damaged: of its {said:.1f} s only {held:.1f} s could be read."


def prepare(samples: Floats, rate: int, target: int, name: str = "The recording") -> Floats:
    """Checks samples, shape (n,), at `rate` a second and brings them to `target` a second.

    Raises:
        UserError: too short, silent, or not numbers.
    """
    if not len(samples):
        raise UserError(f"{name} holds no sound that can be decoded: record or export it again.")
    if len(samples) < MIN_SECONDS * rate:
        raise UserError(
            f"{name} lasts {len(samples) / rate:.2g} s, too short for a word: "
            f"bring {MIN_SECONDS:g} to {MAX_SECONDS:g} s."
        )
    if not np.isfinite(samples).all():
        raise UserError(f"{name} holds samples that are not numbers: export it again, for instance as 16-bit wav.")
    scaled: Floats = np.asarray(samples, dtype=np.float64)
    scaled = scaled / max(1.0, float(np.max(np.abs(scaled))))
    if np.std(scaled) < SILENCE:
        raise UserError(f"{name} is silent: check the microphone and record again.")
    if rate != target:
        scaled = resample(scaled, rate, target)
    waveform: Floats = np.clip(scaled, -1, 1).astype(np.float32)
    return waveform


def resample(samples: Floats, rate: int, target: int) -> Floats:
    """Samples at `rate` brought to `target` a second: the spectrum is cut, or continued with zeros, at the lower of the
    two Nyquist frequencies. 44,099 to 16,000 takes the next ratio of small numbers, less than a millionth off."""
    ratio = Fraction(target, rate).limit_denominator(1000)
    # At least 50 ms of zeros, so that the end of the (circular) transform does not ring into the beginning.
    blocks = -(-(len(samples) + rate // 20) // ratio.denominator)
    spectrum = np.fft.rfft(samples, blocks * ratio.denominator)
    length = blocks * ratio.numerator
    resampled: Floats = np.fft.irfft(spectrum[: length // 2 + 1], length) * float(ratio)
    return resampled[: round(len(samples) * ratio)]


def _gather(blocks: Iterator[Floats], rate: int, name: str) -> Floats:
    """All blocks in one array, unless they last too long."""
    kept: list[Floats] = []
    count = 0
    for block in blocks:
        kept.append(block)
        count += len(block)
        if count > MAX_SECONDS * rate:
            raise UserError(f"{name} is longer than {MAX_SECONDS:g} s: cut it to the part that should be recognised.")
    return np.concatenate(kept) if kept else np.zeros(0, np.float32)


def _opened(content: bytes, name: str) -> Opened:
    """Raises UserError where it is not audio."""
    if opened := _soundfile(content, name) or _av(content, name):
        return opened
    if content.startswith(_BEGINNINGS) or content[4:8] == b"ftyp":
        raise UserError(
            f"{name} could not be read as audio, or it is cut or damaged: record or export it again, for instance as "
            "wav."
        )
    raise UserError(f"{name} could not be read as audio: bring a {', '.join(ACCEPTS[:-1])} or {ACCEPTS[-1]} file.")


def _soundfile(content: bytes, name: str) -> Opened | None:
    """None where libsndfile does not know the format; blocks of up to a second."""
    import soundfile

    try:
        file = soundfile.SoundFile(io.BytesIO(content))
    except (soundfile.SoundFileError, RuntimeError):
        return None
    _check_channels(file.channels, name)

    def blocks() -> Iterator[Floats]:
        with file:
            while True:
                try:
                    block = file.read(file.samplerate, dtype="float32", always_2d=True)
                except (soundfile.SoundFileError, RuntimeError):
                    # A damaged file: what came before is kept.
                    return
                if not len(block):
                    return
                yield block.mean(axis=1)

    # Of other formats, and of an mp3 without this header, what libsndfile tells is what is there, or a guess.
    known = file.format == "FLAC" or (
        file.format == "MP3" and any(sign in content[:4096] for sign in (b"Xing", b"Info"))
    )
    return file.samplerate, blocks(), file.frames / file.samplerate if known else 0.0


def _av(content: bytes, name: str) -> Opened | None:
    """None where FFmpeg does not know the format."""
    import av

    try:
        container: Any = av.open(io.BytesIO(content), metadata_errors="ignore", options={"format_whitelist": _FORMATS})
    except (av.FFmpegError, ValueError):
        return None
    if not container.streams.audio:
        container.close()
        raise UserError(f"{name} has no sound in it: bring a recording of speech.")
    stream = container.streams.audio[0]
    rate = stream.codec_context.sample_rate if stream.codec_context else 0
    if not rate:
        container.close()
        return None
    _check_channels(stream.codec_context.channels, name)

    def blocks() -> Iterator[Floats]:
        resampler = av.AudioResampler(format="flt", layout="mono", rate=rate)
        try:
            for frame in container.decode(stream):
                for mono in resampler.resample(frame):
                    yield mono.to_ndarray().ravel().astype(np.float32)
            for mono in resampler.resample(None):
                yield mono.to_ndarray().ravel().astype(np.float32)
        except (av.FFmpegError, ValueError):
            # A damaged file: what came before is kept.
            return
        finally:
            container.close()

    alone = len(container.streams) == 1  # else pictures beside the sound may be what lasts so long
    return rate, blocks(), (container.duration or 0) / av.time_base if alone else 0.0


def _check_channels(channels: int, name: str) -> None:
    if channels > MAX_CHANNELS:
        raise UserError(f"{name} has {channels} channels, more than {MAX_CHANNELS}: export it as mono or stereo.")
