"""A phrase model on disk: the aligned corpus, of which phrase table and language model are made again when loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engines.cases.translation.phrase_model import PhraseModel, Vocabulary
from engines.ml.alignment import Corpus
from engines.ml.stack_decoder import Settings


def save(model: PhraseModel, directory: Path) -> dict[str, Any]:
    """Writes corpus.parquet (a row a sentence pair: its words as text, and its links as "i-j") and gives what has to be
    kept in JSON. Text compresses better than numbers: a word that is seen again costs a few bits."""
    corpus = model.corpus
    sides = []
    for vocabulary, words, at in (
        (model.source, corpus.source, corpus.source_at),
        (model.target, corpus.target, corpus.target_at),
    ):
        names = vocabulary.words
        sides.append([" ".join(names[w] for w in words[a:b]) for a, b in pairwise(at)])
    links = [_packed(model.links[a:b]) for a, b in pairwise(model.links_at)]
    table = pa.table({"source": sides[0], "target": sides[1], "links": links})
    _write(table, directory / "corpus.parquet")
    return {"settings": asdict(model.settings)}


def load(directory: Path, meta: dict[str, Any]) -> PhraseModel:
    """The model that `save` wrote."""
    table = pq.read_table(directory / "corpus.parquet")
    sides = [[line.split(" ") for line in table[name].to_pylist()] for name in ("source", "target")]
    source, target = (Vocabulary.of(side) for side in sides)
    corpus = Corpus.of([(source.encode(x), target.encode(y)) for x, y in zip(*sides, strict=True)])
    each = [_unpacked(line) for line in table["links"].to_pylist()]
    at = np.concatenate([[0], np.cumsum([len(links) for links in each])]).astype(np.int64)
    links = np.concatenate(each).astype(np.int16).reshape(-1, 2)
    settings = Settings(**{**meta["settings"], "weights": tuple(meta["settings"]["weights"])})
    return PhraseModel(source, target, corpus, links, at, settings)


def save_texts(texts: Sequence[Sequence[str]], file: Path) -> None:
    _write(pa.table({"text": [" ".join(text) for text in texts]}), file)


def load_texts(file: Path) -> tuple[list[str], ...]:
    return tuple(line.split(" ") for line in pq.read_table(file)["text"].to_pylist())


def _write(table: pa.Table, file: Path) -> None:
    pq.write_table(
        table, file, compression="zstd", compression_level=22, use_dictionary=False, write_statistics=False,
        data_page_size=1 << 24, row_group_size=1 << 20,
    )  # fmt: skip


def _packed(links: np.ndarray) -> bytes:
    """A sentence's links as bytes: where each lies off the diagonal that the one before is on, then which source word.
    Mostly the next word of both sides, so mostly the same two bytes."""
    steps = np.diff(links.astype(np.int64), axis=0, prepend=[[-1, -1]])
    return (steps % 256).astype(np.uint8).tobytes()


def _unpacked(packed: bytes) -> np.ndarray:
    steps = np.frombuffer(packed, np.uint8).astype(np.int64).reshape(-1, 2)
    places = np.cumsum(np.where(steps > 127, steps - 256, steps), axis=0)
    return places - 1
