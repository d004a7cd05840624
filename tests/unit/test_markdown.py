"""Tables of planted runs, and READMEs that hold them."""

import numpy as np
import pytest

from engines import registry
from engines.core import Budget, UserError
from engines.runs import Run, RunSpec, RunStore, Score, renew, tables

CASE = registry.case("tones")
MARKS = "Before.\n<!-- report: tones -->\nstale\n<!-- end of report -->\nAfter.\n"


@pytest.fixture
def store(tmp_path):
    store = RunStore(tmp_path / "store")
    for engine, budget, seeds in (("pipeline", 4, 2), ("pipeline", 2, 1), ("end_to_end", 4, 1)):
        for seed in range(seeds):
            wrong = np.repeat([1.0, 0.0], [30, 70])[:, None]
            spec = RunSpec("tones", "pairs", engine, Budget(budget), seed, CASE.engine(engine).version)
            store.add(Run(spec, (Score(30.0, wrong),), 1.0, 0.1, 7))
    return store


def test_budgets_go_down_and_engines_across(store):
    rows = [line.strip("|").split("|") for line in tables(CASE, store).splitlines() if line.startswith("|")]
    assert [cell.strip() for cell in rows[0]] == [
        "training data",
        CASE.engine("pipeline").title,
        CASE.engine("end_to_end").title,
        "seeds",
    ]
    cells = [[cell.strip() for cell in row] for row in rows[2:]]
    assert [row[0] for row in cells] == ["2 tones", "4 tones"]
    assert cells[0][2:] == ["–", "1"]
    assert cells[1][3] == "1 to 2"
    assert cells[1][1].startswith("30.0 ± ")


def test_what_stands_outside_the_marks_is_kept(store, tmp_path):
    file = tmp_path / "README.md"
    file.write_text(MARKS)
    renew(file, registry.cases(), store)
    once = file.read_text()
    assert once.startswith("Before.\n<!-- report: tones -->\n")
    assert once.endswith("\n<!-- end of report -->\nAfter.\n")
    assert tables(CASE, store) in once
    assert "stale" not in once
    renew(file, registry.cases(), store)
    assert file.read_text() == once


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Nothing here.", "has no place for a table"),
        (MARKS.replace("tones", "toans"), "“toans”, which is no case study"),
    ],
)
def test_a_readme_without_a_place_is_left_alone(store, tmp_path, text, said):
    file = tmp_path / "README.md"
    file.write_text(text)
    with pytest.raises(UserError, match=said):
        renew(file, registry.cases(), store)
    assert file.read_text() == text
    with pytest.raises(UserError, match="cannot be renewed"):
        renew(tmp_path / "none.md", registry.cases(), store)
