"""Panels of words: what was given stands there, marked as it should be, and hostile words stay words."""

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.figures.links import matrix
from engines.core.wording import Hypothesis, Links, NBest, Option, Options, Phrased, Span, Tokens

TOKENS = Tokens((("a", "blue", "<b>zebra</b>"),), ((2,),))
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
    "links": Links(
        (("a", "b"),), (("c", "d", "e"),), (("cd", "e"),), (np.array([[1, 0], [0.5, 0.5], [0, 1]], np.float32),), ("",)
    ),
}


def page(kind: str) -> None:
    import streamlit as st

    from dashboard import panels
    from dashboard.panels.beside import Beside
    from engines.core import Spec
    from tests.pages.test_wording import VALUES

    with st.container():
        panels.show(VALUES[kind], Spec(kind), Beside("here"))


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
    assert "Never seen in training" in drawn("tokens").caption[0].value
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
    assert any("It never ended" in each.value for each in app.caption)
    assert any("not a word alignment" in each.value for each in drawn("links").caption)


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
