"""Data sets: a catalogue of what they are, and one ready file of each on this machine."""

from engines.datasets.catalogue import Dataset, Source
from engines.datasets.entries import CATALOGUE, dataset
from engines.datasets.store import cache_directory, find, how_to_get, locked, path, table

__all__ = [
    "CATALOGUE",
    "Dataset",
    "Source",
    "cache_directory",
    "dataset",
    "find",
    "how_to_get",
    "locked",
    "path",
    "table",
]
