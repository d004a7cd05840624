"""Is a ready file what the catalogue says it is?"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from pathlib import Path

import pyarrow
import pyarrow.parquet as pq

from engines.core import UserError
from engines.datasets import store
from engines.datasets.catalogue import Dataset

WHOLE = 300  # recordings or pictures of a file that are decoded to their ends


def verify(entry: Dataset, file: Path) -> str:
    """Checks columns, types, number of rows, recordings and pictures, and says what the file holds: "" when its content
    is the one that the stored runs were measured on, else a remark. What was fetched a moment ago may rightly be other:
    a publisher corrects a text, and no source but LFW's states a checksum.

    Raises:
        UserError: the file cannot be read, or is not what the catalogue declares.
    """
    again = f"run `python -m engines data fetch {entry.name}`" if entry.convert else f"take it from {entry.page}"
    if wrong := problem(entry, file) or undecodable(entry, file):
        raise UserError(f"{file} {wrong}: delete it and {again}.")
    if entry.content and content(file) != entry.content:
        return (
            "its texts or numbers are not those that the stored runs were measured on, so that scores do not compare: "
            f"delete {file} and {again}; if it stays so, see {entry.page} whether the publisher has changed it"
        )
    return ""


def problem(entry: Dataset, file: Path) -> str:
    """What is wrong with the file's form, as the end of a sentence; "" when nothing is."""
    columns = _csv_columns if file.suffix == ".csv" else _parquet_columns
    try:
        found, rows = columns(file)
    except (pyarrow.ArrowException, OSError, UnicodeDecodeError):
        return "cannot be read"
    wanted = dict(entry.columns)
    if missing := [f"{name} {kind}".strip() for name, kind in wanted.items() if found.get(name) != kind]:
        return f"lacks the columns {', '.join(missing)}"
    if more := set(found) - set(wanted):
        return f"has columns that are not declared ({', '.join(sorted(more))})"
    if rows != entry.rows:
        return f"has {rows:,} rows instead of {entry.rows:,}"
    return ""


def undecodable(entry: Dataset, file: Path) -> str:
    """Which recording or picture cannot be decoded, as the end of a sentence; "" when all can. The head of each is
    read, and some hundred, spread over the file, to their ends."""
    for column, called, decodes in (("audio", "a recording", _heard), ("image", "a picture", _seen)):
        if column not in entry.columns:
            continue
        cells = store.table(file, [column])[column].to_pylist()
        every = max(1, len(cells) // WHOLE)
        for place, cell in enumerate(cells):
            if not decodes(cell or b"", place % every == 0):
                return f"holds {called} that cannot be decoded, first in row {place + 1:,}"
    return ""


def _heard(cell: bytes, whole: bool) -> bool:
    import soundfile

    try:
        with soundfile.SoundFile(io.BytesIO(cell)) as file:
            return file.frames > 0 and (not whole or len(file.read()) == file.frames)
    except (soundfile.SoundFileError, RuntimeError):
        return False


def _seen(cell: bytes, whole: bool) -> bool:
    from PIL import Image

    try:
        with Image.open(io.BytesIO(cell), formats=("JPEG",)) as picture:
            if whole:
                picture.load()
        return True
    except (OSError, SyntaxError, ValueError):
        return False


def _parquet_columns(file: Path) -> tuple[dict[str, str], int]:
    with pq.ParquetFile(file) as opened:
        schema, rows = opened.schema_arrow, opened.metadata.num_rows
    # However a writer calls the items of a list, and however long its strings may become.
    plain = {name: re.sub(r"large_|\w+: | not null", "", str(schema.field(name).type)) for name in schema.names}
    return plain, rows


def _csv_columns(file: Path) -> tuple[dict[str, str], int]:
    with file.open(newline="") as lines:
        reader = csv.reader(lines)
        return dict.fromkeys(next(reader, []), ""), sum(1 for _ in reader)


def content(file: Path) -> str:
    """SHA-256 of a Parquet file's texts and whole numbers, rows in the order of those: the same however the audio
    beside them is coded, whatever the order of rows.

    Raises:
        UserError: the file is damaged.
    """
    table = store.table(file)
    kept = [f.name for f in table.schema if "binary" not in str(f.type) and str(f.type) != "double"]
    lines = sorted(json.dumps([row[name] for name in kept]) for row in table.select(kept).to_pylist())
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
