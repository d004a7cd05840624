"""Pages run in the tests' own process."""

import sys

import pytest

from dashboard import background


@pytest.fixture(autouse=True)
def main_module_stays():
    """AppTest leaves the page behind as the main module, which processes that a later test spawns would run again."""
    before = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = before


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """Forecasts are waited for: a new installation compiles them first."""
    monkeypatch.setattr(background, "PATIENCE", 120.0)
