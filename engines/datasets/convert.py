"""Official archives to the columns of the catalogue. Archives are read as streams; nothing is unpacked to disk."""

from __future__ import annotations

import gzip
import io
import re
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow
import pyarrow.parquet as pq

# 64 of the 125 official test speakers: those of the stored runs, so that a score means the same everywhere.
_SPEAKERS = (
    "0003 0092 0094 0111 0133 0306 0461 0765 0811 0981 1030 1037 1050 1076 1109 1135 1156 1181 1292 1334 "
    "1420 1465 1501 1503 2002 2007 2027 2112 2252 2355 2438 2448 2451 2488 2740 2892 2917 3007 3012 3014 "
    "3060 3075 3214 3412 3631 5029 5039 5072 5428 5432 5547 6067 6902 8063 8153 9088 9101 9107 9555 9558 "
    "9608 9612 9623 9640 "
)
TEST_SPEAKERS = frozenset(_SPEAKERS.split())
_RECORDING = re.compile(r"recordings/(\d)_([a-z]+)_(\d+)\.wav$")
_TEST_TAKES = 5


def speechocean762(archives: list[Path], target: Path) -> None:
    """One row an utterance; recordings as Ogg Opus, which is a tenth of the size and what the stored runs heard."""
    texts: dict[str, str] = {}
    recordings: dict[str, bytes] = {}
    for name, content in _members(archives[0]):
        if name.suffix.upper() == ".WAV":
            recordings[name.stem] = content
        elif name.parent.name in ("train", "test", "resource"):
            texts[f"{name.parent.name}/{name.name}"] = content.decode()
    phones: dict[str, list[tuple[int, str]]] = {}
    for key, value in _table(texts["resource/text-phone"]).items():
        utterance, _, position = key.partition(".")
        phones.setdefault(utterance, []).append((int(position), value))
    rows = []
    for split in ("train", "test"):
        words, speakers, ages, genders = (
            _table(texts[f"{split}/{table}"]) for table in ("text", "utt2spk", "spk2age", "spk2gender")
        )
        for utterance in sorted(words):
            speaker = speakers[utterance].removeprefix("SPEAKER")
            if split == "test" and speaker not in TEST_SPEAKERS:
                continue
            row = {
                "id": utterance,
                "split": split,
                "speaker": speaker,
                "age": int(ages[speakers[utterance]]),
                "gender": genders[speakers[utterance]],
                "text": words[utterance],
                "phones": [word for _, word in sorted(phones[utterance])],
            }
            rows.append(row | _recording(recordings[utterance], "OGG", "OPUS"))
    _write(rows, target)


def speechocean762_lexicon(archives: list[Path], target: Path) -> None:
    for name, content in _members(archives[0], only="lexicon.txt"):
        if name.parent.name == "resource":
            lines = {tuple(line.split(maxsplit=1)) for line in content.decode().splitlines() if line.strip()}
            rows = [{"word": word, "phones": " ".join(phones.split())} for word, phones in sorted(lines)]
            return _write(rows, target)
    raise KeyError("resource/lexicon.txt")


def fsdd(archives: list[Path], target: Path) -> None:
    rows = []
    for name, content in _members(archives[0]):
        if match := _RECORDING.search(str(name)):
            digit, speaker, take = int(match[1]), match[2], int(match[3])
            row = {
                "id": name.stem,
                "split": "test" if take < _TEST_TAKES else "train",
                "speaker": speaker,
                "digit": digit,
                "take": take,
            }
            rows.append(row | _recording(content, "FLAC", "PCM_16"))
    if not rows:
        raise KeyError("recordings")
    _write(sorted(rows, key=lambda row: (row["speaker"], row["digit"], row["take"])), target)


def multi30k_en_fr(files: list[Path], target: Path) -> None:
    _multi30k("fr", files, target)


def multi30k_en_de(files: list[Path], target: Path) -> None:
    _multi30k("de", files, target)


def _multi30k(code: str, files: list[Path], target: Path) -> None:
    """One row a caption: `files` are train, val and test 2016, of each the English lines and then the other language's.
    A line of one file translates the same line of the other."""
    rows = []
    for place, split in enumerate(("train", "val", "test2016")):
        english, other = (_lines(file) for file in files[2 * place : 2 * place + 2])
        if len(english) != len(other):
            raise KeyError(f"{split} has {len(english)} and {len(other)} lines")
        rows += [
            {"id": f"{split}-{number:05d}", "split": split, "en": one, code: two}
            for number, (one, two) in enumerate(zip(english, other, strict=True))
        ]
    _write(rows, target)


def _lines(file: Path) -> list[str]:
    with gzip.open(file, "rt", encoding="utf-8", newline="\n") as text:
        return [line.strip() for line in text]


def _members(archive: Path, only: str = "") -> Iterator[tuple[PurePosixPath, bytes]]:
    """(path, content) of every file in a tar archive compressed by gzip, whose checksum holds."""
    with gzip.open(archive) as raw:
        with tarfile.open(fileobj=raw, mode="r|") as tar:
            for member in tar:
                path = PurePosixPath(member.name)
                # AppleDouble files beside the real ones.
                if not member.isfile() or path.name.startswith("._") or (only and path.name != only):
                    continue
                file = tar.extractfile(member)
                if file is not None:
                    yield path, file.read()
        while raw.read(1 << 20):  # the checksum comes last
            pass


def _table(text: str) -> dict[str, str]:
    """Kaldi's files: a key, white space, a value, a line each."""
    lines = (line.split(maxsplit=1) for line in text.splitlines() if line.strip())
    return {key: value.strip() for key, value in lines}


def _recording(content: bytes, container: str, codec: str) -> dict[str, Any]:
    import soundfile

    samples, rate = soundfile.read(io.BytesIO(content), dtype="int16", always_2d=True)
    packed = io.BytesIO()
    soundfile.write(packed, samples[:, 0], rate, format=container, subtype=codec)
    return {"sample_rate": rate, "seconds": len(samples) / rate, "audio": packed.getvalue()}


def _write(rows: list[dict[str, Any]], target: Path) -> None:
    pq.write_table(pyarrow.Table.from_pylist(rows), target, row_group_size=500)
