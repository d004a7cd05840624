"""What each data set is, where it officially comes from, under which terms, and what its ready file must look like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from engines.core import UserError


@dataclass(frozen=True)
class Source:
    """An official file. `sha256` is None where the publisher states none: the content is then checked by its columns
    and its number of rows. `bytes` is about what has to be downloaded."""

    url: str
    file: str
    bytes: int
    sha256: str | None = None


@dataclass(frozen=True)
class Dataset:
    """A catalogue entry.

    `file` is the name of the ready file, `columns` its columns with their types (as Arrow writes them), `rows` how many
    it has. `convert` is "module:function"(folder of the sources, Path of the file to write), or "" where the
    project cannot yet fetch the data by itself: `by_hand` then says what to do. `generated` data has no source.
    """

    name: str
    title: str
    what: str
    licence: str
    citation: str
    page: str
    file: str = ""
    rows: int = 0
    columns: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    sources: tuple[Source, ...] = ()
    convert: str = ""
    by_hand: str = ""
    generated: bool = False

    @property
    def bytes(self) -> int:
        return sum(source.bytes for source in self.sources)


_OPENSLR_101 = Source(
    "https://www.openslr.org/resources/101/speechocean762.tar.gz", "speechocean762.tar.gz", 545_000_000
)
_AUDIO = {"sample_rate": "int64", "seconds": "double", "audio": "binary"}

_ENTRIES = (
    Dataset(
        name="speechocean762",
        title="speechocean762",
        what="5,000 English sentences in the original, read by children and adults whose first language is Mandarin; "
        "3,780 of them here, 16 kHz, official training and test speakers",
        licence="CC BY 4.0",
        citation="Zhang et al. 2021, speechocean762: An Open-Source Non-native English Speech Corpus for "
        "Pronunciation Assessment, Interspeech",
        page="https://www.openslr.org/101/",
        file="speechocean762.parquet",
        rows=3780,
        columns={
            "id": "string",
            "split": "string",
            "speaker": "string",
            "age": "int64",
            "gender": "string",
            "text": "string",
            "phones": "list<element: string>",
            **_AUDIO,
        },
        sources=(_OPENSLR_101,),
        convert="engines.datasets.convert:speechocean762",
    ),
    Dataset(
        name="speechocean762_lexicon",
        title="speechocean762, pronunciations",
        what="how the words of speechocean762 are pronounced, in ARPAbet; several ways a word possible",
        licence="CC BY 4.0",
        citation="Zhang et al. 2021, speechocean762: An Open-Source Non-native English Speech Corpus for "
        "Pronunciation Assessment, Interspeech",
        page="https://www.openslr.org/101/",
        file="speechocean762_lexicon.parquet",
        rows=2861,
        columns={"word": "string", "phones": "string"},
        sources=(_OPENSLR_101,),
        convert="engines.datasets.convert:speechocean762_lexicon",
    ),
    Dataset(
        name="fsdd",
        title="Free Spoken Digit Dataset",
        what="the digits zero to nine, 50 times each by six speakers, 8 kHz",
        licence="CC BY-SA 4.0",
        citation="Jackson et al. 2018, Jakobovski/free-spoken-digit-dataset v1.0.8, Zenodo, doi:10.5281/zenodo.1342401",
        page="https://github.com/Jakobovski/free-spoken-digit-dataset",
        file="fsdd.parquet",
        rows=3000,
        columns={
            "id": "string",
            "split": "string",
            "speaker": "string",
            "digit": "int64",
            "take": "int64",
            **_AUDIO,
        },
        sources=(
            Source(
                "https://github.com/Jakobovski/free-spoken-digit-dataset/archive/refs/tags/v1.0.10.tar.gz",
                "free-spoken-digit-dataset-1.0.10.tar.gz",
                16_000_000,
            ),
        ),
        convert="engines.datasets.convert:fsdd",
    ),
    Dataset(
        name="espeak_commands",
        title="Spoken commands (synthetic)",
        what="commands of a small grammar voiced by espeak-ng on this machine, with noise and room echo added; "
        "no person spoke them",
        licence="made here from a seed; espeak-ng, the program that speaks, is GPL-3.0-or-later",
        citation="espeak-ng contributors, eSpeak NG, https://github.com/espeak-ng/espeak-ng",
        page="https://github.com/espeak-ng/espeak-ng",
        generated=True,
    ),
)

CATALOGUE: Mapping[str, Dataset] = MappingProxyType({entry.name: entry for entry in _ENTRIES})


def dataset(name: str) -> Dataset:
    """The catalogue entry of that name.

    Raises:
        UserError: there is none.
    """
    if name not in CATALOGUE:
        raise UserError(f"There is no data set {name!r}: choose one of {', '.join(CATALOGUE)}.")
    return CATALOGUE[name]
