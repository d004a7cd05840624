"""Try it, where a case can make an input as a visitor chooses: what is made, and what is said of it."""

import pytest
from streamlit.testing.v1 import AppTest

from engines import registry
from tests.pages import app

MAKERS = [(case, task) for case in registry.cases().values() if case.make for task in case.tasks[:1]]
assert MAKERS


@pytest.fixture(autouse=True)
def _without_models(tmp_path, monkeypatch):
    """An input can be made before any model is kept."""
    monkeypatch.setenv("CROSSOVER_STORE", str(tmp_path / "store"))
    monkeypatch.setenv("CROSSOVER_CACHE", str(tmp_path / "cache"))


def opened(case: str, task: str) -> AppTest:
    return app.opened("try_it", case=case, task=task)


def pressed(page: AppTest) -> AppTest:
    next(button for button in page.button if button.label == "Make it").click().run()
    assert not page.exception
    assert not page.error
    return page


@pytest.mark.parametrize(("case", "task"), MAKERS, ids=lambda value: value.slug)
def test_an_input_is_made_as_chosen_and_its_truth_is_told(case, task):
    page = opened(case.slug, task.slug)
    assert len(page.slider) == sum(not choice.options for choice in case.choices)
    before = pressed(page).caption
    told = [caption.value for caption in before if caption.value.startswith("Made so: ")]
    assert len(told) == 1
    assert "not for clinical use" in told[0]


def test_other_choices_make_another_hand():
    page = opened("bone_age", "simulated")
    next(slider for slider in page.slider if slider.label.startswith("Age")).set_value(12.0).run()
    next(slider for slider in page.slider if slider.label.startswith("Skeleton")).set_value(6.0).run()
    told = [caption.value for caption in pressed(page).caption if caption.value.startswith("Made so: ")]
    assert told == ["Made so: skeleton 12 y 6 mo, calendar 12 y 0 mo. Simulated; not for clinical use."]
