"""Try it with sentences: what is typed stays text, right answers are scored as such, and own pairs are told of."""

import re
from dataclasses import replace

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dashboard import words
from engines import registry
from engines.cases.translation import data
from engines.cases.translation.tasks import own
from engines.core import Budget
from engines.runs import Run, RunSpec, RunStore, Score
from tests.pages.app import opened
from tests.unit.test_translation import lines_of, toy_pairs

TYPED = (
    "<b>hi</b> [x](javascript:y) $x$ :red[x] :material/home: https://evil.com/x and www.evil.com and a@evil.com -> "
    "A red dog runs."
)
# What the page's Markdown would make something of, none of it a stage's own.
ALIVE = re.compile(r"https?:(\\?/){2}|www\.|a@|(?<!\\)\$|(?<!\\)<|\]\((?!#)|:red\[|:material/home|(?<!\\)\*\*b")


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A store with a model of each engine, of forty sentences of a little language."""
    folder = tmp_path_factory.mktemp("store")
    made = data.task_data(toy_pairs(40), toy_pairs(5, 1), ("en", "fr"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CROSSOVER_CACHE", str(tmp_path_factory.mktemp("cache")))
        for info in registry.case("translation").engines:
            spec = RunSpec("translation", "captions", info.name, Budget(600.0), 0, info.version)
            engine = info.create().fit(made.draw(Budget(30), 0), np.random.default_rng(0))
            RunStore(folder).add_model(spec, engine.save)
            RunStore(folder).add(Run(spec, (Score(1.0, np.ones((2, 20))),)))
    return folder


@pytest.fixture
def page(store, monkeypatch) -> AppTest:
    monkeypatch.setenv("CROSSOVER_STORE", str(store))
    return opened("try_it", case="translation", task="captions")


def type_in(page: AppTest, text: str) -> None:
    page.text_area[0].set_value(text).run()
    assert not page.exception


def answer_right(page: AppTest, text: str) -> None:
    """Type what a visitor holds to be right."""
    page.text_area[1].set_value(text).run()
    assert not page.exception


def drawn(page: AppTest) -> list[str]:
    """All Markdown of the page."""
    kinds = (page.markdown, page.caption, page.warning, page.error, page.info, page.title, page.subheader)
    return [each.value for kind in kinds for each in kind]


def html(page: AppTest) -> str:
    return " ".join(each.value for each in page.html)


def test_what_is_typed_is_drawn_as_it_is_typed_by_every_engine(page):
    type_in(page, TYPED)
    assert len(page.get("plotly_chart")) >= 2
    shown = [text for text in drawn(page) if "evil" in text or "red" in text or "home" in text]
    assert len(shown) >= 5
    every = "\n".join(re.sub(r":(\w+-badge|small|gray|blue|material/help:)", "", text) for text in drawn(page))
    own = [text for text in every.splitlines() if "data: [" not in text.lower()]  # our own links to sources
    assert not [text for text in own if ALIVE.search(text)]
    assert "<b>hi" not in html(page)
    assert "&lt;b&gt;hi" in html(page)


def test_unknown_words_are_said_by_what_does_not_know_them(page):
    type_in(page, "A red Zaphod runs 7.")
    told = [each.value for each in page.caption]
    assert sum("Not in the phrase table: “Zaphod”" in each for each in told) == 2
    assert any(each.startswith("The network cannot read: “") and "“7”" in each for each in told)


def test_an_emptied_box_takes_its_error_with_it(page):
    type_in(page, "word " * 500)
    assert len(page.error) == 1
    type_in(page, "  ")
    assert not page.error


def test_a_short_right_answer_is_right(page):
    type_in(page, "A red dog runs.")
    answers = re.findall(r'font-size:1.2rem;font-weight:500"><div class="wd">([^<]*)</div>', html(page))
    assert answers
    answer_right(page, answers[0].upper().rstrip(". "))
    shown = html(page)
    assert f'<div class="wd">{answers[0].rstrip(". ")}' in shown, "case is nothing that the score looks at"
    assert any("eff:yes" in each.value for each in page.caption)
    answer_right(page, answers[0])
    assert "<b>100 BLEU; 100 chrF; 100 BLEU, cased (13a)</b>" in html(page)


def test_a_reference_may_be_as_long_as_a_text_and_is_lost_at_no_length(page):
    long = ("une longue phrase de mots " * 80)[:3990]
    answer_right(page, long[:1900] + " fin")
    assert "fin" in html(page)
    for text, says in ((long * 2, "characters: type at most 4,000"), ("a " * 450, "450 words: type at most 400")):
        answer_right(page, text)
        assert any(says in each.value for each in page.warning)
        assert page.text_area[1].value == text


@pytest.fixture
def hostile(tmp_path, monkeypatch):
    """The case with a task of own pairs whose file is named like markup."""
    file = tmp_path / ":red[evil] **b** www.evil.com $x$.tsv"
    file.write_text("\n".join(lines_of(400)))
    case = registry.case("translation")
    cases = {**registry.cases(), "translation": replace(case, tasks=(*case.tasks, own(file)))}
    monkeypatch.setattr(registry, "cases", lambda: cases)
    monkeypatch.setenv("CROSSOVER_STORE", str(tmp_path / "store"))
    return cases["translation"].tasks[-1]


@pytest.mark.parametrize("where", ["explore", "try_it", "data", "tour", "home"])
def test_a_files_name_is_no_markup(hostile, where):
    page = opened(where, case="translation", task=hostile.slug)
    shown = [text for text in drawn(page) if "evil" in text]
    assert shown or where in ("tour", "home")
    assert not [text for text in shown if ALIVE.search(text)]


def test_own_pairs_are_trained_with_their_file(hostile):
    page = opened("try_it", case="translation", task=hostile.slug)
    command = f"python -m engines sweep translation --task {hostile.slug} --pairs FILE.tsv"
    assert any(f"`{command}`" in each.value for each in page.info)
    page = opened("explore", case="translation", task=hostile.slug)
    assert [each.value for each in page.code] == [command]


def test_signatures_stand_with_the_data():
    told = "\n".join(each.value for each in opened("data").caption)
    for metric in (registry.case("translation").tasks[0].metric, *registry.case("translation").tasks[0].beside):
        assert words.plain(f"{metric.name}: {metric.signature}") in told
