"""Data and methods: everything that a reader needs in order to judge a figure, and counts that hold."""

import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import words
from engines import registry
from engines.claims import design
from engines.core import Budget, CaseStudy, EngineInfo
from engines.datasets import dataset
from engines.runs import Run, RunSpec, RunStore, Score
from tests.pages.app import opened
from tests.pages.test_explore import statistics

PLANTED = {
    "__init__.py": "",
    "one.py": '''"""Words."""

import torch
from engines.core import Stage
from planted import two as other

RATE = (
    1,
)
UNUSED = 2


class First:
    """Words
    on two lines."""

    def stages(self, reading):
        # a remark
        if reading == "loud":
            return (Stage("shout", RATE, 0),)
        if self.written:
            return (Stage("read", RATE, 0),)
        return (Stage("hear", RATE, 0), *other.stages())


class Second:
    later = "planted.two:lazy"
''',
    "two.py": """def stages():
    return (Stage("say", 0, 0),)


def lazy():
    return 1


def unused():
    return 2
""",
}
APP = str(Path(__file__).parents[2] / "dashboard" / "app.py")


def test_the_page_names_every_data_set_and_engine():
    app = AppTest.from_file(APP, default_timeout=200).run()
    app.switch_page("app_pages/data.py").run()
    assert not app.exception
    assert not app.error
    shown = "\n".join(each.value for each in [*app.title, *app.header, *app.subheader, *app.markdown, *app.caption])
    cases = list(registry.cases().values())
    assert len(cases) > 4
    for case in cases:
        assert all(info.title in shown and info.summary in shown for info in case.engines)
        for task in case.tasks:
            assert words.plain(task.title) in shown
            for name in task.datasets:
                assert dataset(name).licence in shown
                assert dataset(name).citation in shown


def told(app: AppTest) -> str:
    return "\n".join(each.value for each in app.markdown)


def test_how_to_get_data_that_is_not_here_names_file_and_page(tmp_path, monkeypatch):
    monkeypatch.setenv("CROSSOVER_DATA", str(tmp_path))
    monkeypatch.setenv("CROSSOVER_CACHE", str(tmp_path / "cache"))
    shown = told(opened("data"))
    by_hand = [
        entry
        for case in registry.cases().values()
        for task in case.tasks
        for entry in map(dataset, task.datasets)
        if entry.by_hand and not entry.convert
    ]
    assert by_hand
    assert all(entry.file in shown for entry in by_hand)
    assert "{file}" not in shown
    assert "{page}" not in shown


def test_seeds_are_counted_from_the_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("CROSSOVER_STORE", str(tmp_path / "store"))
    for pairs, seed in ((2.0, 0), (2.0, 1), (4.0, 0)):
        version = registry.case("tones").engine("pipeline").version
        spec = RunSpec("tones", "pairs", "pipeline", Budget(pairs), seed, version)
        RunStore().add(Run(spec, (Score(50.0, statistics(50)),)))
    shown = told(opened("data"))
    assert "8 budgets from 2 to 256 tones, 1 to 2 seeds each; scored by error rate." in shown
    assert shown.count("each; scored by") == 1, "nothing is said where nothing was run"


def test_what_the_crossing_depends_on_is_shown():
    _, rest = design.told(registry.case("translation"))
    assert "is no property of the amount of data alone" in rest
    assert "a thousandfold apart" in rest
    assert "Merges are therefore left out below 2,500 pairs alone" in rest
    assert rest in told(opened("data"))


@pytest.mark.parametrize("case", list(registry.cases().values()), ids=lambda case: case.slug)
def test_every_engine_has_stages_and_code(case):
    efforts = design.effort(case)
    assert efforts
    for info in case.engines:
        assert design.stages(info), info.name
        if not info.reference:
            assert 0 < efforts[info.name].lines < 10_000
            assert 0 <= efforts[info.name].own <= efforts[info.name].lines


def test_lines_are_counted_by_the_rule(tmp_path, monkeypatch):
    """A planted engine: what it names is counted, in other files too; what it does not, and what is no code, is not."""
    folder = tmp_path / "planted"
    folder.mkdir()
    for name, source in PLANTED.items():
        (folder / name).write_text(source)
    monkeypatch.syspath_prepend(str(tmp_path))
    infos = [EngineInfo(name, name, "pipeline", 1, f"planted.one:{name}", "") for name in ("First", "Second")]
    monkeypatch.setattr(design, "_roots", lambda: frozenset({"planted"}))
    found = design.effort(CaseStudy("planted", "", "", (), tuple(infos)))
    # class, def, two ifs and three returns, three lines of the constant, two of the function in the other file; class,
    # string, two
    assert found == {"First": design.Effort(12, 12), "Second": design.Effort(4, 4)}
    assert design.stages(infos[0]) == (("read",), ("hear", "say"))
    assert "planted.one" not in sys.modules, "nothing is imported to be counted"
