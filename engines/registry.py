"""Finds the case studies: every folder under engines/cases, and under the folders named in CROSSOVER_CASES.

Importing this module, or finding the cases, imports no torch: a case's `__init__.py` holds metadata only.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
import warnings
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import engines.cases
from engines.core import CaseStudy, UserError


@cache
def cases() -> dict[str, CaseStudy]:
    """Every case study by slug, in order of their places and titles. The search is done once a process."""
    packages = [module.name for module in pkgutil.iter_modules(engines.cases.__path__) if module.ispkg]
    found = _imported(f"engines.cases.{name}" for name in packages)
    for folder in filter(None, os.environ.get("CROSSOVER_CASES", "").split(os.pathsep)):
        found += _outside(Path(folder))
    if not found:
        raise UserError("No case study was found under engines/cases: the installation is incomplete, get it again.")
    return {case.slug: case for case in sorted(found, key=lambda case: (case.place, case.title))}


def _outside(folder: Path) -> list[CaseStudy]:
    """Cases kept elsewhere: each a package in `folder`, imported by its own name."""
    if not folder.is_dir():
        raise UserError(f"CROSSOVER_CASES names {folder}, which is not a folder: correct the setting or unset it.")
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    return _imported(module.name for module in pkgutil.iter_modules([str(folder)]) if module.ispkg)


def _imported(packages: Iterable[str]) -> list[CaseStudy]:
    """The cases of these packages. One that is still being written, and has no CASE yet, takes no other down."""
    found = []
    for name in packages:
        package = importlib.import_module(name)
        if hasattr(package, "CASE"):
            found.append(package.CASE)
        else:
            warnings.warn(f"{name} holds no CASE and is left out.", stacklevel=3)
    return found


def case(slug: str) -> CaseStudy:
    """The case study of that name.

    Raises:
        UserError: there is none.
    """
    if slug not in cases():
        raise UserError(f"There is no case {slug!r}: choose one of {', '.join(cases())}.")
    return cases()[slug]
