"""Whatever a visitor brings either decodes to what the task declares or gets one sentence."""

from __future__ import annotations

import io
import time
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from functools import cache

import av
import numpy as np
import pytest
import soundfile

from engines.cases.speech import CASE
from engines.core import UserError
from engines.ml import audio

TASK = CASE.task("sentences")
DIGITS = CASE.task("digits")


def tone(seconds: float, rate: int, channels: int = 1, hertz: float = 440, level: float = 0.5) -> np.ndarray:
    wave = level * np.sin(2 * np.pi * hertz * np.arange(int(seconds * rate)) / rate)
    return np.repeat(wave[:, None], channels, axis=1).astype(np.float32)


def written(samples: np.ndarray, rate: int, **how: str) -> bytes:
    buffer = io.BytesIO()
    how = {"format": "WAV", **how}
    # In pieces: libsndfile crashes when it is to write half an hour of Vorbis at once.
    with soundfile.SoundFile(buffer, "w", samplerate=rate, channels=samples.shape[1], **how) as file:
        for start in range(0, len(samples), rate):
            file.write(samples[start : start + rate])
    return buffer.getvalue()


def encoded(samples: np.ndarray, rate: int, container: str, codec: str, video: bool = False) -> bytes:
    """The samples (n, channels) through PyAV; with `video`, a few black pictures beside or instead of them."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format=container) as out:
        if video:
            pictures = out.add_stream("vp8" if container == "webm" else "mpeg4", rate=10)
            pictures.width = pictures.height = 64
            pictures.pix_fmt = "yuv420p"
        if len(samples):
            layout = "mono" if samples.shape[1] == 1 else "stereo"
            stream = out.add_stream(codec, rate=rate, layout=layout)
            frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples.reshape(1, -1)), "flt", layout)
            frame.sample_rate = rate
            resampler = av.AudioResampler(stream.format, layout, rate, stream.frame_size or 1024)
            for piece in [*resampler.resample(frame), *resampler.resample(None)]:
                out.mux(stream.encode(piece))
            out.mux(stream.encode(None))
        if video:
            for _ in range(10):
                out.mux(pictures.encode(av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), "rgb24")))
            out.mux(pictures.encode(None))
    return buffer.getvalue()


def noise_bytes(count: int, seed: int = 0) -> bytes:
    return np.random.default_rng(seed).bytes(count)


def png() -> bytes:
    from PIL import Image

    buffer = io.BytesIO()
    Image.new("RGB", (64, 64), "red").save(buffer, "PNG")
    return buffer.getvalue()


@cache
def ten_minutes() -> bytes:
    return written(tone(600, 8000), 8000, format="OGG", subtype="VORBIS")


def damaged(content: bytes, seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    spoiled = bytearray(content)
    for place in rng.integers(0, len(spoiled), 200):
        spoiled[place] = int(rng.integers(256))
    return bytes(spoiled)


def part(content: bytes, share: float) -> bytes:
    return content[: int(len(content) * share)]


def header_that_lies(content: bytes) -> bytes:
    """A wav that declares four gigabytes."""
    at = content.index(b"data") + 4
    return content[:at] + (0xFFFFFFF0).to_bytes(4, "little") + content[at + 4 :]


ONE = tone(1, 16000)
NOISE = np.random.default_rng(0).normal(0, 0.1, (48000, 1))
NAN = np.where(np.arange(16000)[:, None] % 100 == 0, np.nan, ONE).astype(np.float32)
INF = np.where(np.arange(16000)[:, None] % 100 == 0, np.inf, ONE).astype(np.float32)
PLAYLIST = b"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"

GOOD: dict[str, Callable[[], bytes]] = {
    "16bit.wav": lambda: written(ONE, 16000),
    "8bit.wav": lambda: written(ONE, 16000, subtype="PCM_U8"),
    "24bit.wav": lambda: written(ONE, 16000, subtype="PCM_24"),
    "32bit.wav": lambda: written(ONE, 16000, subtype="PCM_32"),
    "float.wav": lambda: written(ONE, 16000, subtype="FLOAT"),
    "double.wav": lambda: written(ONE, 16000, subtype="DOUBLE"),
    "mulaw.wav": lambda: written(ONE, 16000, subtype="ULAW"),
    "alaw.wav": lambda: written(ONE, 16000, subtype="ALAW"),
    "adpcm.wav": lambda: written(ONE, 16000, subtype="MS_ADPCM"),
    "stereo.wav": lambda: written(tone(1, 44100, 2), 44100),
    "surround.wav": lambda: written(tone(1, 48000, 6), 48000),
    "96k.wav": lambda: written(tone(1, 96000), 96000),
    "192k.flac": lambda: written(tone(1, 192000), 192000, format="FLAC"),
    "8k.wav": lambda: written(tone(1, 8000), 8000),
    "odd_rate.wav": lambda: written(tone(1, 44099), 44099),
    "flac.flac": lambda: written(ONE, 16000, format="FLAC"),
    "vorbis.ogg": lambda: written(tone(1, 44100), 44100, format="OGG", subtype="VORBIS"),
    "opus.ogg": lambda: written(tone(1, 48000), 48000, format="OGG", subtype="OPUS"),
    "mp3.mp3": lambda: written(tone(1, 44100), 44100, format="MP3"),
    "apple.aiff": lambda: written(ONE, 16000, format="AIFF"),
    "sun.au": lambda: written(ONE, 16000, format="AU"),
    "opus.webm": lambda: encoded(tone(1, 48000), 48000, "webm", "libopus"),
    "stereo.webm": lambda: encoded(tone(1, 48000, 2), 48000, "webm", "libopus"),
    "aac.m4a": lambda: encoded(tone(1, 44100), 44100, "ipod", "aac"),
    "film.mp4": lambda: encoded(tone(1, 44100), 44100, "mp4", "aac", video=True),
    "film.webm": lambda: encoded(tone(1, 48000), 48000, "webm", "libopus", video=True),
    "named_wrongly.mp3": lambda: written(ONE, 16000),
    "no_ending": lambda: written(ONE, 16000, format="FLAC"),
    "shortest.wav": lambda: written(tone(0.1, 16000), 16000),
    "longest.wav": lambda: written(tone(30, 16000), 16000),
    "truncated.mp3": lambda: part(written(tone(4, 44100), 44100, format="MP3"), 0.5),
    "truncated.wav": lambda: part(written(tone(2, 16000), 16000), 0.6),
    "truncated.flac": lambda: part(written(NOISE, 16000, format="FLAC"), 0.75),
    "truncated.webm": lambda: part(encoded(tone(4, 48000), 48000, "webm", "libopus"), 0.5),
    "lying_header.wav": lambda: header_that_lies(written(ONE, 16000)),
    "too_loud.wav": lambda: written(ONE * 1000, 16000, subtype="FLOAT"),
    "quiet.wav": lambda: written(tone(1, 16000, level=0.001), 16000),
    "offset.wav": lambda: written(ONE * 0.1 + 0.8, 16000),
    "../../etc/évil\x00 name.wav": lambda: written(ONE, 16000),
}
BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty.wav": (lambda: b"", "empty"),
    "one_byte.wav": (lambda: b"R", "could not be read"),
    "header_only.wav": (lambda: written(ONE, 16000)[:44], "no sound"),
    "half_header.wav": (lambda: written(ONE, 16000)[:20], "could not be read"),
    "no_samples.wav": (lambda: written(ONE[:0], 16000), "no sound"),
    "0.05s.wav": (lambda: written(tone(0.05, 16000), 16000), "too short"),
    "0.05s.mp3": (
        lambda: written(tone(0.02, 44100), 44100, format="MP3")[:300],
        "too short|no sound|could not be read",
    ),
    "31s.wav": (lambda: written(tone(31, 8000), 8000), "longer than 30 s"),
    "30min.wav": (lambda: written(tone(1800, 8000), 8000, subtype="PCM_U8"), "longer than 30 s"),
    "5min.mp3": (lambda: written(tone(300, 8000), 8000, format="MP3"), "longer than 30 s"),
    "10min.ogg": (ten_minutes, "longer than 30 s"),
    "1min.webm": (lambda: encoded(tone(60, 48000), 48000, "webm", "libopus"), "longer than 30 s"),
    "300MB.wav": (lambda: bytes(300_000_000), "300 MB"),
    "silence.wav": (lambda: written(np.zeros((16000, 1)), 16000), "silent"),
    "silence.mp3": (lambda: written(np.zeros((44100, 1)), 44100, format="MP3"), "silent"),
    "constant.wav": (lambda: written(np.full((16000, 1), 0.7), 16000), "silent"),
    "opposite_channels.wav": (lambda: written(ONE * [[1, -1]], 16000), "silent"),
    "nan.wav": (lambda: written(NAN, 16000, subtype="FLOAT"), "not numbers"),
    "infinite.wav": (lambda: written(INF, 16000, subtype="FLOAT"), "not numbers"),
    "text.wav": (lambda: b"This is a letter, not a recording.\n" * 50, "could not be read"),
    "json.mp3": (lambda: b'{"audio": [0, 1, 2]}', "could not be read"),
    "page.webm": (lambda: b"<!DOCTYPE html><html><body>404</body></html>" * 20, "could not be read"),
    "picture.wav": (png, "could not be read"),
    "nonsense.mp3": (lambda: noise_bytes(100_000), "could not be read"),
    "nonsense.wav": (lambda: b"RIFF" + noise_bytes(10_000), "could not be read"),
    "zeros.mp3": (lambda: bytes(100_000), "could not be read"),
    "archive.m4a": (lambda: b"PK\x03\x04" + noise_bytes(10_000), "could not be read"),
    "playlist.m4a": (lambda: PLAYLIST, "could not be read"),
    "concat.wav": (lambda: b"ffconcat version 1.0\nfile /etc/hostname\n", "could not be read"),
    "silent_film.mp4": (lambda: encoded(ONE[:0], 16000, "mp4", "", video=True), "no sound"),
    "100Hz.wav": (lambda: written(tone(5, 100, hertz=9), 100), "samples a second"),
    "1MHz.wav": (lambda: written(tone(0.5, 1_000_000), 1_000_000), "samples a second"),
    "64_channels.wav": (lambda: written(tone(0.5, 16000, 64), 16000), "channels"),
    "truncated_early.mp3": (
        lambda: written(tone(4, 44100), 44100, format="MP3")[:100],
        "too short|no sound|could not be read",
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_good_files_decode_to_the_declared_spec(name: str) -> None:
    content = GOOD[name]()
    for task in (TASK, DIGITS):
        waveform = audio.decode(content, name, task)
        assert task.x.problem(waveform) is None
        assert np.abs(waveform).max() <= 1
        assert len(waveform) <= audio.MAX_SECONDS * task.x.rate + 1
        assert len(waveform) >= audio.MIN_SECONDS * task.x.rate - 1


@pytest.mark.parametrize("name", BAD)
def test_bad_files_get_one_sentence(name: str) -> None:
    make, expected = BAD[name]
    content = make()
    start = time.perf_counter()
    with pytest.raises(UserError, match=expected) as caught:
        audio.decode(content, name, TASK)
    assert time.perf_counter() - start < 3
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert len(sentence) < 250


@pytest.mark.parametrize("name", GOOD)
def test_only_a_file_with_less_sound_than_it_says_gets_a_remark(name: str) -> None:
    told = audio.cut(GOOD[name](), name)
    # Of a cut wav libsndfile counts what is there.
    known = name in ("truncated.mp3", "truncated.flac", "truncated.webm")
    assert bool(told) == known
    assert not known or (told.startswith(f"{name} is cut or damaged: of its ") and told.endswith("could be read."))


@pytest.mark.parametrize("kind", ["aac.m4a", "film.mp4", "nonsense.wav", "half_header.wav"])
def test_a_cut_file_of_a_known_kind_may_be_cut_or_damaged(kind: str) -> None:
    content = part(GOOD[kind](), 0.5) if kind in GOOD else BAD[kind][0]()
    with pytest.raises(UserError, match="could not be read as audio, or it is cut or damaged: record or export it"):
        audio.decode(content, kind, TASK)
    with pytest.raises(UserError, match="bring a wav, flac"):
        audio.decode(noise_bytes(10_000), "noise.m4a", TASK)


def test_there_are_forty_files_or_more() -> None:
    assert len(GOOD) + len(BAD) >= 40


@pytest.mark.parametrize("name", ["16bit.wav", "flac.flac", "vorbis.ogg", "opus.webm", "aac.m4a", "mp3.mp3", "8k.wav"])
def test_a_tone_stays_the_tone_it_was(name: str) -> None:
    waveform = audio.decode(GOOD[name](), name, TASK)
    middle = waveform[4000:12000]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))))
    assert np.argmax(spectrum) * 16000 / len(middle) == pytest.approx(440, abs=3)
    assert np.abs(middle).max() == pytest.approx(0.5, abs=0.06)


@pytest.mark.parametrize("kind", ["16bit.wav", "flac.flac", "vorbis.ogg", "mp3.mp3", "opus.webm", "aac.m4a"])
def test_damaged_files_decode_or_get_one_sentence(kind: str) -> None:
    whole = GOOD[kind]()
    for seed in range(12):
        for content in (damaged(whole, seed), whole[: 40 + 97 * seed], whole[97 * seed + 1 :]):
            with suppress(UserError):
                assert TASK.x.problem(audio.decode(content, kind, TASK)) is None


@pytest.mark.parametrize(("rate", "target"), [(44100, 16000), (8000, 16000), (48000, 8000)])
def test_resampling_keeps_a_chirp(rate: int, target: int) -> None:
    def chirp(per_second: int) -> np.ndarray:
        time = np.arange(2 * per_second) / per_second
        return np.sin(2 * np.pi * (100 * time + 700 * time**2)) * np.hanning(2 * per_second)

    resampled = audio.resample(chirp(rate), rate, target)
    assert len(resampled) == 2 * target
    assert np.abs(resampled - chirp(target)).max() < 1e-3


def test_a_long_file_costs_no_memory() -> None:
    content = ten_minutes()
    tracemalloc.start()
    with pytest.raises(UserError):
        audio.decode(content, "10min.ogg", TASK)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6


def test_the_limits_shown_are_the_limits_enforced() -> None:
    assert CASE.limits == f"English speech, {audio.LIMITS}"
    assert CASE.accepts == audio.ACCEPTS
