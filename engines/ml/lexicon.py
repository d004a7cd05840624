"""Pronunciations, and what is known of phones before any audio is heard.

Phones are ARPAbet without stress. The classes serve as questions of the tree that ties states (Young, Odell, Woodland
1994, "Tree-based state tying for high accuracy acoustic modelling") and as what a phone falls back on that the budget
hardly ever heard.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

Pronunciation = tuple[str, ...]
Lexicon = Mapping[str, Sequence[Pronunciation]]

SILENCE = "SIL"
EDGE = "#"  # the neighbour of a word's first and last phone

# A phone without data borrows from its class; each phone is in one.
FAMILIES = {
    "front vowel": "IY IH EY EH AE",
    "central vowel": "AH ER AX",
    "low vowel": "AA AY AW AO",
    "round vowel": "UW UH OW OY",
    "voiceless stop": "P T K",
    "voiced stop": "B D G",
    "affricate": "CH JH",
    "voiceless fricative": "F TH S SH HH",
    "voiced fricative": "V DH Z ZH",
    "nasal": "M N NG",
    "liquid": "L R",
    "glide": "W Y",
}
_CLASSES = {
    **FAMILIES,
    "vowel": "IY IH EY EH AE AH ER AX AA AY AW AO UW UH OW OY",
    "high vowel": "IY IH UW UH",
    "mid vowel": "EY EH AH ER OW",
    "open vowel": "AE AA AO AY AW",
    "diphthong": "EY AY OY AW OW",
    "ends high front": "IY IH EY AY OY Y",
    "ends round": "UW UH OW AW W",
    "starts low": "AA AE AY AW",
    "rhotic": "R ER",
    "stop": "P T K B D G",
    "stop or affricate": "P T K B D G CH JH",
    "fricative": "F TH S SH HH V DH Z ZH",
    "sibilant": "S SH Z ZH CH JH",
    "alveolar fricative": "S Z",
    "palatal": "SH ZH CH JH",
    "labial": "P B M F V W",
    "bilabial": "P B M",
    "labiodental": "F V",
    "dental": "TH DH",
    "alveolar": "T D N S Z L",
    "alveolar stop": "T D",
    "velar": "K G NG",
    "velar stop": "K G",
    "voiceless": "P T K CH F TH S SH HH",
    "voiced obstruent": "B D G JH V DH Z ZH",
    "sonorant": "M N NG L R W Y",
    "approximant": "L R W Y",
    "nasal or liquid": "M N NG L R",
    "consonant": "P T K B D G CH JH F TH S SH HH V DH Z ZH M N NG L R W Y",
}


def phones_of(lexicon: Lexicon) -> tuple[str, ...]:
    """All phones that some pronunciation uses, sorted."""
    return tuple(sorted({phone for variants in lexicon.values() for variant in variants for phone in variant}))


def family(phone: str) -> str:
    """The class a phone falls back on; silence and unknown symbols are classes of their own."""
    for name, members in FAMILIES.items():
        if phone in members.split():
            return name
    return "silence" if phone == SILENCE else "other"


def questions(phones: Sequence[str]) -> tuple[frozenset[str], ...]:
    """Sets of neighbours worth asking about: every class, every phone, the edge of a word, silence."""
    known = set(phones) | {EDGE, SILENCE}
    found: dict[frozenset[str], None] = {}
    for members in _CLASSES.values():
        found[frozenset(known & set(members.split()))] = None
    for phone in (*phones, EDGE, SILENCE):
        found[frozenset([phone])] = None
    found[frozenset([EDGE, SILENCE])] = None
    return tuple(question for question in found if question)


def only(lexicon: Lexicon, words: Iterable[str]) -> dict[str, Sequence[Pronunciation]]:
    """The lexicon of these words alone; words that it lacks are left out."""
    return {word: lexicon[word] for word in sorted(set(words)) if word in lexicon}


def save(lexicon: Lexicon, file: Path) -> None:
    """Keep a lexicon as Parquet, a row a pronunciation."""
    rows = [(word, " ".join(phones)) for word, found in lexicon.items() for phones in found]
    table = pa.table({"word": [word for word, _ in rows], "phones": [phones for _, phones in rows]})
    pq.write_table(table, file, compression="zstd", compression_level=19)


def load(file: Path) -> Lexicon:
    """What `save` kept."""
    lexicon: dict[str, list[Pronunciation]] = {}
    for row in pq.read_table(file).to_pylist():
        lexicon.setdefault(row["word"], []).append(tuple(row["phones"].split()))
    return lexicon
