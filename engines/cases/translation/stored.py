"""A phrase model on disk: its phrase pairs and the n-grams of its language model. No sentence of the corpus is kept."""

from __future__ import annotations

from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from engines.cases.translation.phrase_model import PhraseModel, Reading, Vocabulary
from engines.ml.alignment import Corpus
from engines.ml.backoff import BackoffModel, Grams
from engines.ml.phrases import STEP, PhrasePairs
from engines.ml.stack_decoder import Settings

SCORE = "score_{}"  # of each phrase pair: four scores, then three orientations


def save(model: PhraseModel, directory: Path) -> dict[str, Any]:
    """Writes phrases.parquet (a row a phrase pair: its words as text, its links, its logs in steps of STEP) and the
    language model; gives what has to be kept in JSON."""
    pairs, corpus = model.pairs, model.pairs.corpus
    columns: dict[str, Any] = {
        "source": _texts(model.source, corpus.source, corpus.source_at),
        "target": _texts(model.target, corpus.target, corpus.target_at),
        "links": [_packed(pairs.links[a:b]) for a, b in pairwise(pairs.links_at)],
    }
    for place, logs in enumerate(np.concatenate([pairs.scores, pairs.orientations], 1).T):
        columns[SCORE.format(place)] = _steps(logs)
    _write(pa.table(columns), directory / "phrases.parquet", ["source"])
    return {"settings": asdict(model.settings), "language": save_reading(model.reading, directory, "language")}


def load(directory: Path, meta: dict[str, Any]) -> PhraseModel:
    """The model that `save` wrote."""
    table = pq.read_table(directory / "phrases.parquet")
    sides = [[line.split(" ") for line in table[name].to_pylist()] for name in ("source", "target")]
    source, target = (Vocabulary.of(side) for side in sides)
    corpus = Corpus.of([(source.encode(x), target.encode(y)) for x, y in zip(*sides, strict=True)])
    each = [_unpacked(line) for line in table["links"].to_pylist()]
    at = np.concatenate([[0], np.cumsum([len(links) for links in each])]).astype(np.int64)
    links = np.concatenate([np.zeros((0, 2), np.int16), *each])
    logs = np.stack([_logs(table[SCORE.format(place)].to_numpy()) for place in range(7)], 1)
    pairs = PhrasePairs(corpus, links, at, logs[:, :4].copy(), logs[:, 4:].copy())
    reading = load_reading(directory, "language", meta["language"])
    return PhraseModel(source, target, pairs, reading, settings(meta["settings"]))


def settings(kept: dict[str, Any]) -> Settings:
    return Settings(**{**kept, "weights": tuple(kept["weights"])})


def save_reading(reading: Reading, directory: Path, name: str) -> dict[str, Any]:
    """Writes the n-grams of a language model and its words to `name`_grams.parquet and `name`_words.parquet; gives
    what has to be kept in JSON."""
    grams = reading.model.grams
    columns = {
        "prefix": np.concatenate([each.prefix for each in grams]),
        "word": np.concatenate([each.word for each in grams]),
        "logp": _steps(np.concatenate([each.logp for each in grams])),
        "backoff": _steps(np.concatenate([each.backoff for each in grams])),
    }
    _write(pa.table(columns), directory / f"{name}_grams.parquet", [], ["prefix"])
    _write(pa.table({"word": list(reading.words.words)}), directory / f"{name}_words.parquet", ["word"])
    return {"sizes": [len(each.word) for each in grams], "unseen": reading.model.unseen}


def load_reading(directory: Path, name: str, kept: dict[str, Any]) -> Reading:
    """The language model that `save_reading` wrote."""
    words = tuple(pq.read_table(directory / f"{name}_words.parquet")["word"].to_pylist())
    table = pq.read_table(directory / f"{name}_grams.parquet")
    columns = [table[column].to_numpy() for column in ("prefix", "word")]
    columns += [_logs(table[column].to_numpy()) for column in ("logp", "backoff")]
    ends = np.cumsum([0, *kept["sizes"]])
    grams = [Grams(*(column[a:b].copy() for column in columns)) for a, b in pairwise(ends)]
    return Reading(Vocabulary(words), BackoffModel.of(grams, len(words), kept["unseen"]))


def _texts(vocabulary: Vocabulary, words: NDArray[np.int32], at: NDArray[np.int64]) -> list[str]:
    names = vocabulary.words
    return [" ".join(names[w] for w in words[a:b]) for a, b in pairwise(at)]


def _steps(logs: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Logs that are the first 256 multiples of -STEP, as numbers of steps."""
    return np.rint(logs / -STEP).astype(np.uint8)


def _logs(steps: NDArray[np.uint8]) -> NDArray[np.float32]:
    return (np.float32(-STEP) * steps.astype(np.float32)).astype(np.float32)


def _write(table: pa.Table, file: Path, sorted_texts: list[str], growing: list[str] | None = None) -> None:
    """Texts that are sorted share their beginnings with the one before, numbers that grow are kept as differences."""
    encodings = dict.fromkeys(sorted_texts, "DELTA_BYTE_ARRAY") | dict.fromkeys(growing or [], "DELTA_BINARY_PACKED")
    pq.write_table(
        table, file, compression="zstd", compression_level=22, use_dictionary=False, write_statistics=False,
        data_page_size=1 << 24, row_group_size=1 << 22, column_encoding=encodings or None,
    )  # fmt: skip


def _packed(links: NDArray[np.int16]) -> bytes:
    """Links inside a phrase pair, a byte each: phrases have fewer than 16 words."""
    return (links[:, 0] * 16 + links[:, 1]).astype(np.uint8).tobytes()


def _unpacked(packed: bytes) -> NDArray[np.int16]:
    flat = np.frombuffer(packed, np.uint8).astype(np.int16)
    return np.stack([flat // 16, flat % 16], 1)
