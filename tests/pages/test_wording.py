"""Panels of words: what was given stands there, marked as it should be, and hostile words stay words."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.figures.links import matrix
from engines.core.wording import Hypothesis, Links, NBest, Option, Options, Phrased, Span, Tokens

TOKENS = Tokens((("a", "blue", "<b>zebra</b>"),), ((2,),), lack="not in the phrase table")
LONG = tuple(f"w{i}" for i in range(70))
OFFERED = tuple(
    Option(a, b, (f"t{rank}",), (-float(rank),), ()) for a in range(70) for b in (a + 1, a + 2) for rank in range(9)
    if b <= 70
)  # fmt: skip
CHOSEN = Hypothesis(
    ("un", "zèbre", "bleu"), -1.25, (("language_model", -1.0), ("phrases", -0.25)),
    (Span(0, 1, 0, 1), Span(1, 2, 2, 3), Span(2, 3, 1, 2, True)),
)  # fmt: skip
VALUES = {
    "tokens": TOKENS,
    "phrases": Phrased(TOKENS, (CHOSEN,), (((0, 0), (1, 2), (2, 1)),)),
    "options": Options(
        TOKENS, ((Option(0, 1, ("un",), (-0.5,), ()), Option(2, 3, ("x",), (-9.0,), (), True)),), ("p",)
    ),
    "n_best": NBest(TOKENS, ((CHOSEN, Hypothesis(("un",), -3.0, note="It never ended.")),)),
    "many options": Options(Tokens((LONG,)), (OFFERED,), ("p",)),
    "a text of options": Options(Tokens((LONG,) * 9), (OFFERED,) * 9, ("p",)),
    "a long sentence": Phrased(
        Tokens((LONG,)),
        (Hypothesis(LONG, 0.0, spans=tuple(Span(i, i + 1, i, i + 1) for i in range(70))),),
        (((0, 0),),),
    ),
    "a failure": NBest(
        TOKENS,
        (
            (
                Hypothesis(("un",), -1.0, (("log probability", -0.5),), note="repeats “<b>un</b>”"),
                Hypothesis(("x",), -2.0),
            ),
        ),
    ),
    "links": Links(
        (("a", "b"),), (("c", "d", "e"),), (("cd", "e"),), (np.array([[1, 0], [0.5, 0.5], [0, 1]], np.float32),), ("",)
    ),
}


KINDS = {
    "many options": "options",
    "a text of options": "options",
    "a long sentence": "phrases",
    "a failure": "n_best",
}  # of those that go by another name


def page(kind: str) -> None:
    import streamlit as st

    from dashboard import panels
    from dashboard.panels.beside import Beside
    from engines.core import Spec
    from tests.pages.test_wording import KINDS, VALUES

    with st.container():
        panels.show(VALUES[kind], Spec(KINDS.get(kind, kind)), Beside("here"))


def drawn(kind: str) -> AppTest:
    app = AppTest.from_function(page, kwargs={"kind": kind}, default_timeout=60).run()
    assert not app.exception
    return app


@pytest.mark.parametrize("kind", VALUES)
def test_every_kind_is_drawn(kind):
    assert VALUES[kind].problem() is None
    app = drawn(kind)
    assert not any("no picture" in each.value for each in app.caption)
    assert "<b>" not in " ".join(each.value.replace("\\<", "") for each in app.markdown)


def test_unknown_words_and_changed_places_are_said():
    assert drawn("tokens").caption[0].value.startswith("Not in the phrase table: “")
    app = drawn("phrases")
    assert "changed places" in app.caption[0].value
    target = app.markdown[1].value
    assert target.index("1 un") < target.index("zèbre") < target.index("2 bleu")
    assert len(app.get("plotly_chart")) == 1


def test_scores_and_failures_stand_beside_candidates():
    app = drawn("n_best")
    table = app.dataframe[0].value
    assert list(table["Score"]) == [-1.25, -3.0]
    assert "language model" in table.columns
    listed = app.html[0].value
    assert "un zèbre bleu" in listed
    assert listed.index("It never ended") > listed.index("-3.000"), "a failure stands in the row of its candidate"
    assert not app.warning, "and is no warning where the answer is another candidate"
    assert any("not a word alignment" in each.value for each in drawn("links").caption)


def test_a_failure_of_the_answer_is_warned_of_and_its_text_stays_text():
    app = drawn("a failure")
    assert [each.value for each in app.warning] == ["The best candidate\\: repeats “\\<b\\>un\\</b\\>”."]
    listed = app.html[0].value
    assert "<b>" not in listed
    heads = ["#", "Score", "Probability", "Candidate", "Failure"]
    assert [listed.index(f">{head}</th>") for head in heads] == sorted(listed.index(f">{head}</th>") for head in heads)
    assert "61 %" in listed


def test_options_of_every_word_are_listed_however_long_the_sentence():
    app = drawn("many options")
    table = app.dataframe[0].value
    assert set(LONG) <= set(table["Source"])
    assert list(table["Target"][:10]) == [f"t{rank}" for rank in range(5)] * 2
    assert app.caption[0].value.startswith("The best 5 at most of each stretch of words: 695 of 1,251 options.")
    app = drawn("a text of options")
    assert len(app.dataframe[0].value) == 1_000
    told = app.caption[0].value
    assert told.startswith("The best 1 at most of each stretch of words: 1,251 of 11,259 options. The first 1,000 of")


def test_what_is_too_long_to_draw_is_said():
    app = drawn("a long sentence")
    assert not app.get("plotly_chart")
    assert any("more than 60 pieces is not drawn" in each.value for each in app.caption)


def test_an_endless_word_makes_no_endless_picture():
    figure = matrix(np.zeros((1, 2), np.float32), ("a", "x" * 3999), ("<" * 100,), "#1173b4")
    assert figure.layout.height < 300
    assert figure.layout.xaxis.ticktext[1] == "x" * 23 + "…"
    assert figure.layout.yaxis.ticktext == ("&lt;" * 23 + "…",)
    assert figure.data[0].customdata[0][1].count("x") == 3999
    assert figure.data[0].customdata[0][1].count("&lt;") == 100


def test_words_that_look_like_tags_stay_words_in_the_matrix():
    figure = matrix(np.eye(2, dtype=np.float32), ("a", "<b>zebra</b>"), ("un", "<a href='x'>x</a>"), "#1173b4")
    assert figure.layout.xaxis.ticktext == ("a", "&lt;b&gt;zebra&lt;/b&gt;")
    assert not any("<a" in name for name in figure.layout.yaxis.ticktext)
    hover = [text for row in figure.data[0].customdata for text in row]
    assert not any("<b>" in text or "<a" in text for text in hover)


def test_equal_words_keep_places_of_their_own():
    figure = matrix(np.zeros((1, 3), np.float32), ("a", "dog", "a"), ("un",), "#1173b4")
    assert list(figure.layout.xaxis.tickvals) == [0, 1, 2]
    assert figure.data[0].zmax == 1
