"""Finds the case studies: every folder under engines/cases, and under the folders named in CROSSOVER_CASES.

Importing this module, or finding the cases, imports no torch: a case's `__init__.py` holds metadata only.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
from functools import cache
from pathlib import Path

import engines.cases
from engines.core import CaseStudy, UserError


@cache
def cases() -> dict[str, CaseStudy]:
    """Every case study by slug, in order of title. The search is done once a process."""
    found = [
        importlib.import_module(f"engines.cases.{module.name}").CASE
        for module in pkgutil.iter_modules(engines.cases.__path__)
        if module.ispkg
    ]
    for folder in filter(None, os.environ.get("CROSSOVER_CASES", "").split(os.pathsep)):
        found += _outside(Path(folder))
    if not found:
        raise UserError("No case study was found under engines/cases: the installation is incomplete, get it again.")
    return {case.slug: case for case in sorted(found, key=lambda case: case.title)}


def _outside(folder: Path) -> list[CaseStudy]:
    """Cases kept elsewhere: each a package in `folder`, imported by its own name."""
    if not folder.is_dir():
        raise UserError(f"CROSSOVER_CASES names {folder}, which is not a folder: correct the setting or unset it.")
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    packages = [module.name for module in pkgutil.iter_modules([str(folder)]) if module.ispkg]
    return [importlib.import_module(name).CASE for name in packages]


def case(slug: str) -> CaseStudy:
    """The case study of that name.

    Raises:
        UserError: there is none.
    """
    if slug not in cases():
        raise UserError(f"There is no case {slug!r}: choose one of {', '.join(cases())}.")
    return cases()[slug]
