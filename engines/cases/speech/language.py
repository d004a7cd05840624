"""Words and n-gram of a budget's transcripts, as every engine of the case keeps them beside its own model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from engines.core import Segment
from engines.ml.ngram import NgramModel

ORDER = 3


@dataclass(frozen=True)
class Language:
    """words: all that may be said; model: how likely they follow each other."""

    words: tuple[str, ...]
    model: NgramModel

    @classmethod
    def fit(cls, texts: Sequence[str], words: Iterable[str], order: int = ORDER) -> Self:
        known = tuple(sorted(set(words)))
        return cls(known, NgramModel.fit([text.split() for text in texts], known, order))

    def save(self, directory: Path) -> None:
        grams = {f"word{i}": column for i, column in enumerate(self.model.grams.T)}
        table = pa.table({**grams, "count": self.model.counts})
        pq.write_table(table, directory / "ngrams.parquet", compression="zstd", compression_level=19)
        words = pa.table({"word": list(self.words)})
        pq.write_table(words, directory / "words.parquet", compression="zstd", compression_level=19)

    @classmethod
    def load(cls, directory: Path) -> Self:
        words = tuple(pq.read_table(directory / "words.parquet")["word"].to_pylist())
        table = pq.read_table(directory / "ngrams.parquet")
        columns = [np.asarray(table[name]) for name in table.column_names]
        grams = np.stack(columns[:-1], axis=1).astype(np.int32)
        return cls(words, NgramModel(words, len(columns) - 1, grams, columns[-1].astype(np.int32)))


def spoken(found: Sequence[Segment]) -> str:
    """The words of segments, in order."""
    return " ".join(segment.label for segment in found if segment.tier == "words")
