"""What a data set is: where it officially comes from, under which terms, and what its ready file must look like."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True)
class Source:
    """An official file. `urls` are tried in turn; `bytes` is about what has to be downloaded; `sha256` is None where
    the publisher states none: the file is then checked by what is in it."""

    urls: tuple[str, ...]
    file: str
    bytes: int
    sha256: str | None = None


@dataclass(frozen=True)
class Dataset:
    """A catalogue entry.

    `file` is the name of the ready file, `columns` its columns with their types (as Arrow writes them; of a csv file
    the types are not declared), `rows` how many it has. `content` is the SHA-256 of its texts and whole numbers (see
    verify.py), which stays the same however the file was packed. `convert` is "module:function"(the sources' paths, the
    path to write), or "" where the project does not fetch the data by itself: `by_hand` then says what to do.
    `generated` data has no source and no file. Data that is `brought` can be had by its users alone, who must agree to
    its terms: a sweep of everything leaves it out where it is not.
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
    content: str = ""
    sources: tuple[Source, ...] = ()
    convert: str = ""
    by_hand: str = ""
    generated: bool = False
    brought: bool = False

    @property
    def bytes(self) -> int:
        return sum(source.bytes for source in self.sources)
