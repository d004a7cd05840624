"""Subwords by byte-pair encoding, joint for source and target.

Source: Sennrich, Haddow and Birch 2016; learned and applied by sentencepiece (Kudo and Richardson 2018). Pieces that
drop merges at random (Provilkov et al. 2020) make a small corpus say the same in many ways.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

LEARNED = 64  # pieces at least that are longer than a letter, or none
PAD, UNKNOWN, BEGIN, END = 0, 1, 2, 3  # the first pieces of every vocabulary


@dataclass(frozen=True)
class Subwords:
    """`model` is sentencepiece's own, as bytes. Pieces 0 to 3: padding, unknown, begin, end."""

    model: bytes

    @classmethod
    def fit(cls, sentences: Iterable[str], size: int) -> Self:
        """At most `size` pieces, or what the letters alone take; fewer where the text does not give as many. All but
        the rarest letters, which make up one in 10,000, are pieces."""
        import sentencepiece

        sentences = list(sentences)
        size = max(size, len(set().union(*sentences)) + LEARNED)
        made = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(sentences),
            model_writer=made,
            model_type="bpe",
            vocab_size=size,
            hard_vocab_limit=False,
            character_coverage=0.9999,
            pad_id=PAD,
            unk_id=UNKNOWN,
            bos_id=BEGIN,
            eos_id=END,
            num_threads=1,
            normalization_rule_name="identity",
            minloglevel=2,
        )
        return cls(made.getvalue())

    @cached_property
    def _processor(self) -> Any:
        import sentencepiece

        return sentencepiece.SentencePieceProcessor(model_proto=self.model)

    def __len__(self) -> int:
        return int(self._processor.get_piece_size())

    def encode(self, words: Sequence[str]) -> list[int]:
        """Pieces of a tokenised sentence."""
        return list(self._processor.encode(" ".join(words)))

    def spelled(self, words: Sequence[str]) -> tuple[str, ...]:
        """The pieces of a tokenised sentence as they look; those that are none as they were written."""
        pieces = zip(self.encode(words), self._processor.encode(" ".join(words), out_type=str), strict=True)
        return tuple(self._named(number, written) for number, written in pieces)

    def _named(self, number: int, written: str) -> str:
        return written if self.numbers([written]) == [number] else self.pieces([number])[0]

    def sample(self, sentences: Sequence[str], drop: float, rng: np.random.Generator) -> list[list[int]]:
        """Pieces of each sentence, every merge left out with probability `drop`."""
        import sentencepiece

        sentencepiece.set_random_generator_seed(int(rng.integers(2**31)))
        # One thread: made anew for each call, it draws from the seed just given; several would race for sentences.
        found = self._processor.encode(list(sentences), enable_sampling=True, alpha=drop, nbest_size=-1, num_threads=1)
        return [list(pieces) for pieces in found]

    def words(self, pieces: Sequence[int]) -> list[str]:
        """The words that pieces spell."""
        return str(self._processor.decode(list(pieces))).split()

    def pieces(self, numbers: Sequence[int]) -> tuple[str, ...]:
        """What each piece looks like."""
        return tuple(str(self._processor.id_to_piece(int(n))) for n in numbers)

    def numbers(self, pieces: Sequence[str]) -> list[int]:
        """The inverse of `pieces`; what is none is unknown."""
        return [int(self._processor.piece_to_id(piece)) for piece in pieces]
