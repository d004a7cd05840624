"""Data sets: a catalogue of what they are, and one ready file of each on this machine."""

from engines.datasets.catalogue import CATALOGUE, Dataset, Source, dataset
from engines.datasets.store import cache_directory, find, path

__all__ = ["CATALOGUE", "Dataset", "Source", "cache_directory", "dataset", "find", "path"]
