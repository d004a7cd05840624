"""Opening a page brings in no torch, which takes seconds, and no sweep."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.pages.app import APP

PAGES = sorted(file.stem for file in (Path(APP).parent / "app_pages").glob("*.py"))
# They answer an example as they open, wherever there is a model that can.
ANSWERING = ["gate", "try_it"]
QUIET = [page for page in PAGES if page not in ANSWERING]
# One page after the other in one process: what the first of them brings in, the later ones show too.
SCRIPT = """
import json, sys
from tests.pages.app import opened

app, found = opened(), {}
for page in sys.argv[1:]:
    app.switch_page(f"app_pages/{page}.py").run()
    assert not app.exception, app.exception
    assert app.title or app.subheader, f"nothing was drawn of {page}"
    found[page] = sorted({"torch", "torchaudio", "engines.sweep"} & set(sys.modules))
print(json.dumps(found))
"""


def brought_in(pages: list[str], **environment: str) -> dict[str, list[str]]:
    command = [sys.executable, "-c", SCRIPT, *pages]
    whole = {**os.environ, **environment}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=whole, cwd=Path(APP).parents[1])
    assert done.returncode == 0, done.stderr[-2000:]
    found: dict[str, list[str]] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture(scope="module")
def with_runs() -> dict[str, list[str]]:
    return brought_in(QUIET)


@pytest.fixture(scope="module")
def without_runs(tmp_path_factory) -> dict[str, list[str]]:
    return brought_in(PAGES, CROSSOVER_STORE=str(tmp_path_factory.mktemp("store")))


@pytest.mark.parametrize("page", QUIET)
def test_opening_a_page_imports_no_torch_and_no_sweep(with_runs, page):
    assert with_runs[page] == []


@pytest.mark.parametrize("page", PAGES)
def test_nor_does_any_before_there_are_runs_and_models(without_runs, page):
    assert without_runs[page] == []
