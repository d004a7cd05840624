"""The store of runs: one Parquet file a run, read through DuckDB.

A file is written aside and renamed, so present means complete; what is there is not measured again, and several
processes may add runs at once without a lock. Layout under the root: `<case>/runs/<id>.parquet`, `<case>/models/<id>/`,
and `<case>/shared/<hash>` for what several models may have in common: a model's larger file lies there once, and in its
own place lies its name with ".shared", which holds the hash.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors import SafetensorError

from engines.core import CaseStudy, Task, UserError
from engines.core.files import replacing
from engines.runs.run import Run, RunSpec

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("case", pa.string()),
        ("task", pa.string()),
        ("engine", pa.string()),
        ("pairs", pa.float64()),
        ("side", pa.string()),
        ("seed", pa.int64()),
        ("version", pa.int64()),
        ("reading", pa.string()),
        ("test", pa.string()),
        ("oracle", pa.string()),
        ("score", pa.float64()),
        ("statistics", pa.list_(pa.list_(pa.float32()))),
        ("faults", pa.list_(pa.list_(pa.float32()))),
        ("train_seconds", pa.float64()),
        ("answer_seconds", pa.float64()),
        ("parameters", pa.int64()),
        ("data_hash", pa.string()),
        ("environment", pa.string()),
        ("error", pa.string()),
        ("finished", pa.string()),
    ]
)
# A run is a few rows: without these its file would be a third to a half larger, most of it about the file itself.
SMALL: dict[str, Any] = {
    "compression": "zstd",
    "compression_level": 19,
    "write_statistics": False,
    "store_schema": False,
    "use_dictionary": False,
}
ABANDONED = 86_400.0  # seconds after which what is half-written is nobody's any more
LARGE = 8_000  # bytes from which a model's file may be shared
POINTER = ".shared"
ROOT = Path(__file__).resolve().parents[2] / "precomputed"


def default_root() -> Path:
    """The folder of the store: CROSSOVER_STORE, or `precomputed/` of this repository."""
    return Path(os.environ.get("CROSSOVER_STORE") or ROOT)


class RunStore:
    """Runs under `root` (made when first written to)."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or default_root()

    def path(self, spec: RunSpec) -> Path:
        return self.root / spec.case / "runs" / f"{spec.id}.parquet"

    def model(self, spec: RunSpec) -> Path:
        """Where the trained model of a run lies, if it was kept."""
        return self.root / spec.case / "models" / spec.id

    def has(self, spec: RunSpec) -> bool:
        return self.path(spec).exists()

    def add(self, run: Run) -> bool:
        """Keep a run; False when one of that name is there already (it stays as it is).

        Raises:
            UserError: the folder cannot be written to.
        """
        path = self.path(run.spec)
        if path.exists():
            return False
        table = pa.Table.from_pylist(run.rows(), schema=SCHEMA)
        try:
            with replacing(path) as aside:
                pq.write_table(table, aside, **SMALL)
        except OSError as error:
            raise _unwritable(path.parent, error) from error
        return True

    def add_model(self, spec: RunSpec, save: Callable[[Path], None]) -> None:
        """Keep a trained model: `save` writes into a folder aside, which is renamed when it is whole."""
        target = self.model(spec)
        if target.exists():
            return
        try:
            with replacing(target) as aside:
                aside.mkdir()
                save(aside)
                share(aside, target)
        except (OSError, SafetensorError) as error:
            if not target.exists():  # else another sweep has kept the same one meanwhile
                raise _unwritable(target.parent, error) from error

    def prepare(self, case: CaseStudy) -> None:
        """See that runs of a case can be written, and remove what killed sweeps have left half-written.

        Raises:
            UserError: they cannot.
        """
        folder = self.root / case.slug / "runs"
        try:
            with replacing(folder / "probe") as aside:
                aside.touch()
            (folder / "probe").unlink(missing_ok=True)  # another sweep may have been quicker
        except OSError as error:
            raise _unwritable(folder, error) from error
        for left in (self.root / case.slug).glob("*/*.partial"):
            with suppress(OSError):
                if time.time() - left.stat().st_mtime > ABANDONED:
                    shutil.rmtree(left) if left.is_dir() else left.unlink()

    def failed(self, spec: RunSpec) -> bool:
        """Whether the store has this run with an error."""
        return self.has(spec) and bool(pq.read_table(self.path(spec), columns=["error"])["error"][0].as_py())

    def forget(self, spec: RunSpec) -> None:
        """Remove a run, so that a sweep measures it again (used for failed runs that are to be tried once more)."""
        self.path(spec).unlink(missing_ok=True)

    def present(
        self, case: CaseStudy, task: Task, columns: Sequence[str] = ("*",), where: str = "true"
    ) -> list[dict[str, Any]]:
        """The rows of a task's runs that count: without an error, by the present version of an engine of the case, and
        with the SQL condition `where`. `columns` hold engine and version."""
        versions = {info.name: info.version for info in case.engines}
        rows = self.frame(f"task = ? and error = '' and {where}", [task.slug], columns, case.slug).to_pylist()
        return [row for row in rows if versions.get(row["engine"]) == row["version"]]

    def frame(
        self,
        where: str = "true",
        parameters: Sequence[Any] = (),
        columns: Sequence[str] = ("*",),
        case: str = "*",
    ) -> pa.Table:
        """The rows for which the SQL condition `where` holds, with `?` filled from `parameters`.

        A row is one score of one run; columns are those of `SCHEMA`. `case` narrows which files are opened.

        Raises:
            UserError: a file of the store cannot be read.
        """
        try:
            return self._frame(where, parameters, columns, case)
        except duckdb.IOException:  # a file that was there a moment ago, or one that is damaged
            self._check(case)
            return self._frame(where, parameters, columns, case)
        except duckdb.Error:
            self._check(case)
            raise

    def _check(self, case: str) -> None:
        for path in sorted(self.root.glob(f"{case}/runs/*.parquet")):
            try:
                pq.read_metadata(path)
            except FileNotFoundError:
                continue
            except (OSError, pa.ArrowException) as error:
                raise UserError(f"{path} is no readable run: delete it, and sweep again.") from error

    def _frame(self, where: str, parameters: Sequence[Any], columns: Sequence[str], case: str) -> pa.Table:
        files = sorted(str(path) for path in self.root.glob(f"{case}/runs/*.parquet"))
        # By name, and with a table of no rows: a run that was made before a column was thought of has nothing in it.
        runs = "(select * from read_parquet(?, union_by_name = true) union all by name select * from nothing)"
        with duckdb.connect() as connection:
            connection.register("nothing", SCHEMA.empty_table())
            query = f"select {', '.join(columns)} from {runs if files else 'nothing'} where {where}"
            given = [files, *parameters] if files else list(parameters)
            return connection.sql(query, params=given).to_arrow_table()


def _unwritable(folder: Path, error: Exception) -> UserError:
    reason = getattr(error, "strerror", None) or error
    return UserError(
        f"Runs cannot be written to {folder} ({reason}): make room there, or name another folder in CROSSOVER_STORE."
    )


def share(folder: Path, model: Path) -> None:
    """Put the larger files of `folder`, which is or becomes `model`, where equal ones of other models lie too; a
    pointer stays in the place of each."""
    large = [file for file in folder.rglob("*") if file.is_file() and file.stat().st_size >= LARGE]
    for file in large:
        home = _shared(model, hashlib.blake2b(file.read_bytes(), digest_size=12).hexdigest())
        if not home.exists():
            with replacing(home) as part:
                shutil.copyfile(file, part)
        file.with_name(file.name + POINTER).write_text(home.name)
        file.unlink()


@contextmanager
def opened(model: Path) -> Iterator[Path]:
    """A trained model's folder (`RunStore.model`) with all of its files in their places, while the block lasts.

    Raises:
        OSError: a file is missing.
    """
    pointers = list(model.rglob(f"*{POINTER}"))
    if not pointers:
        yield model
        return
    with tempfile.TemporaryDirectory() as aside:
        whole = Path(aside) / model.name
        shutil.copytree(model, whole, ignore=shutil.ignore_patterns(f"*{POINTER}"))
        for pointer in pointers:
            place = whole / pointer.relative_to(model).with_suffix("")
            shutil.copyfile(_shared(model, pointer.read_text().strip()), place)
        yield whole


def _shared(model: Path, name: str) -> Path:
    return model.parents[1] / "shared" / name
