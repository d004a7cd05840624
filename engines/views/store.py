"""Where saved views lie: a folder that a team shares, and nothing more.

`snapshots/<id>.json` never changes, `gallery/<id>.json` lists it. Files are written aside and renamed, so that several
servers and the command line may write at once and a crash leaves no lock behind. Deleting takes a view out of the
gallery; its link goes on working, since somebody may have it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from engines.core import UserError
from engines.core.files import replacing
from engines.datasets import cache_directory
from engines.views.snapshot import MOST_BYTES, Entry, Snapshot, named

NAME = re.compile(r"[0-9a-f]{20}")


def default_root() -> Path:
    """The folder of saved views: CROSSOVER_VIEWS, or `views` in the cache."""
    setting = os.environ.get("CROSSOVER_VIEWS")
    return Path(setting) if setting else cache_directory() / "views"


class ViewStore:
    """Saved views under `root` (made when first written to)."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or default_root()

    def save(self, snapshot: Snapshot, listed: bool = True) -> str:
        """Keep a snapshot, and list it in the gallery if it is to be; its name.

        Raises:
            UserError: it is too large, or the folder cannot be written to.
        """
        text = snapshot.text()
        if len(text.encode()) > MOST_BYTES:
            raise UserError(f"The view is larger than {MOST_BYTES / 1e6:.0f} MB: download it instead of saving it.")
        name = named(text)
        self._write(self._snapshot(name), text)
        if listed:
            self._write(self._entry(name), snapshot.entry().text())
        return name

    def load(self, name: str) -> Snapshot:
        """The snapshot of that name.

        Raises:
            UserError: there is none, or its file is not what was saved.
        """
        if not NAME.fullmatch(name):
            raise UserError("That is not the name of a saved view: copy its link again.")
        try:
            with self._snapshot(name).open(encoding="utf-8") as file:
                text = file.read(MOST_BYTES + 1)
        except FileNotFoundError as error:
            raise UserError(
                f"The saved view {name} is not here: its link belongs to another Crossover, or its file was removed."
            ) from error
        except (OSError, UnicodeDecodeError) as error:
            raise UserError(f"The saved view {name} cannot be read: its file is damaged or barred.") from error
        if named(text) != name:
            raise UserError(f"The saved view {name} is not what was saved: its file was changed, so it is not shown.")
        return Snapshot.read(text)

    def entries(self, search: str = "") -> tuple[list[Entry], int]:
        """What the gallery lists and `search` finds, the latest first; and how many files of it cannot be read."""
        found, damaged = [], 0
        folder = self.root / "gallery"
        for path in sorted(folder.glob("*.json")) if folder.is_dir() else []:
            try:
                entry = Entry.read(path.read_text(encoding="utf-8"))
                if entry.id != path.stem:
                    raise ValueError("another view's name")
            except FileNotFoundError:  # deleted by somebody else meanwhile
                continue
            except (OSError, ValueError, KeyError, TypeError, AttributeError):
                damaged += 1
                continue
            if entry.says(search):
                found.append(entry)
        return sorted(found, key=lambda entry: (entry.made, entry.id), reverse=True), damaged

    def unlist(self, name: str) -> bool:
        """Take a view out of the gallery; False when it was not in it (somebody else may have been quicker).

        Raises:
            UserError: that is no name, or the folder cannot be written to.
        """
        if not NAME.fullmatch(name):
            raise UserError("That is not the name of a saved view: copy its link again.")
        try:
            self._entry(name).unlink()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise UserError(f"{self.root} cannot be changed ({error.strerror}): ask who owns it.") from error
        return True

    def _snapshot(self, name: str) -> Path:
        return self.root / "snapshots" / f"{name}.json"

    def _entry(self, name: str) -> Path:
        return self.root / "gallery" / f"{name}.json"

    def _write(self, path: Path, text: str) -> None:
        if path.exists():  # the name says the content
            return
        try:
            with replacing(path) as aside:
                aside.write_text(text, encoding="utf-8")
        except OSError as error:
            raise UserError(
                f"The view could not be saved in {self.root} ({error.strerror}): make room there, or name another "
                "folder in CROSSOVER_VIEWS."
            ) from error
