"""Finding the cases is light."""

import os
import subprocess
import sys

import pytest

from engines import registry
from engines.core import UserError


def test_cases_are_found_the_toy_included():
    assert {"speech", "tones"} <= set(registry.cases())


def test_an_unknown_case_is_one_sentence():
    with pytest.raises(UserError, match="choose one of"):
        registry.case("nonsense")


@pytest.mark.parametrize("module", ["engines.registry", "engines.__main__", "engines.runs", "engines.datasets"])
def test_importing_and_finding_imports_no_torch(module):
    code = (
        f"import sys, {module}; from engines import registry; registry.cases(); "
        "heavy = {'torch', 'torchaudio', 'numba', 'streamlit'} & set(sys.modules); assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ)


def test_a_missing_cases_folder_is_one_sentence():
    code = "from engines import registry; registry.cases()"
    environment = {**os.environ, "CROSSOVER_CASES": "no-such-folder"}
    told = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert "not a folder" in told.stderr


def test_a_folder_that_is_still_being_written_takes_no_other_down(tmp_path):
    (tmp_path / "unfinished").mkdir()
    (tmp_path / "unfinished" / "__init__.py").write_text("")
    code = "from engines import registry; print(*registry.cases())"
    environment = {**os.environ, "CROSSOVER_CASES": str(tmp_path)}
    told = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert "speech" in told.stdout
    assert "unfinished holds no CASE" in told.stderr
