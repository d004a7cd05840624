"""The name of a file that a visitor brought, as a sentence can hold it."""

from pathlib import PurePath


def short(filename: str) -> str:
    """The last part of a path, printable, at most 60 characters; "The file" where nothing is left."""
    name = "".join(c for c in PurePath(filename.replace("\\", "/")).name if c.isprintable()).strip()
    return name if len(name) <= 60 else f"{name[:57]}..." if name else "The file"
