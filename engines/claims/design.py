"""How much of an approach people designed: its stages, what it was given beside the pairs, its lines of code.

Lines are those of the engine's module and of every module of `engines` that it imports, directly or not, but for what
all approaches share: the nouns, the data, the runs and the one training loop. Blank lines, comments and docstrings do
not count. A network's own code counts as design, as its authors chose its shape; its weights do not.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from engines.core import EngineInfo

ROOT = Path(__file__).parents[2]
SHARED = ("engines.core", "engines.datasets", "engines.runs", "engines.ml.training", "engines.ml.quantise")


@dataclass(frozen=True)
class Design:
    """stages: names, where a trained engine could be asked, else (). lines: of code, and in how many modules."""

    name: str
    given: tuple[str, ...]
    lines: int
    modules: int


def design(info: EngineInfo) -> Design:
    """Of an engine as its case lists it."""
    found = sorted(_modules(info.target.partition(":")[0]))
    return Design(info.title, info.supervision, sum(_lines(_file(name)) for name in found if _file(name)), len(found))


@cache
def _modules(name: str) -> frozenset[str]:
    """`name` and the modules of `engines` that it imports, without the shared ones."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        module = waiting.pop()
        if module in found or module.startswith(SHARED) or _file(module) is None:
            continue
        found.add(module)
        waiting += _imports(module)
    return frozenset(found)


def _imports(module: str) -> Iterator[str]:
    file = _file(module)
    assert file is not None
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{each.name}" for each in node.names)
        elif isinstance(node, ast.Import):
            yield from (each.name for each in node.names)


def _file(module: str) -> Path | None:
    """The file of a module of `engines` that is no package; None otherwise."""
    if not module.startswith("engines."):
        return None
    file = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    return file if file.is_file() else None


@cache
def _lines(file: Path | None) -> int:
    if file is None:
        return 0
    text = file.read_text(encoding="utf-8")
    dropped: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            dropped.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return sum(
        bool(line.strip()) and not line.strip().startswith("#") and number not in dropped
        for number, line in enumerate(text.splitlines(), 1)
    )
