"""Saved views: what a page showed, frozen in a file that is named by its content, and the gallery that lists them."""

from engines.views.snapshot import Entry, Snapshot
from engines.views.store import ViewStore

__all__ = ["Entry", "Snapshot", "ViewStore"]
