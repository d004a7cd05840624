"""Planted errors are found and marked; nothing typed reaches the page as markup."""

import re

from hypothesis import given
from hypothesis import strategies as st

from dashboard import worddiff
from dashboard.worddiff import Mark, align, words


def test_each_kind_of_error_is_found_where_it_was_planted():
    marks = align(["THE", "CUT", "SAT", "ON", "ON", "MAT"], ["THE", "CAT", "SAT", "ON", "THE", "BIG", "MAT"])
    assert Mark("substitution", "CUT", "CAT") in marks
    assert [mark.kind for mark in marks].count("same") == 4
    assert sum(mark.kind != "same" for mark in marks) == 3
    assert align(["A", "B"], ["B"]) == [Mark("insertion", "A", ""), Mark("same", "B", "B")]
    assert align([], ["B"]) == [Mark("deletion", "", "B")]
    assert align([], []) == []


@given(st.lists(st.sampled_from("ABC"), max_size=8), st.lists(st.sampled_from("ABC"), max_size=8))
def test_an_alignment_spells_both_sides(written, wanted):
    marks = align(written, wanted)
    assert [mark.written for mark in marks if mark.written] == written
    assert [mark.wanted for mark in marks if mark.wanted] == wanted
    assert sum(mark.kind != "same" for mark in marks) <= max(len(written), len(wanted))


def test_a_typed_reference_is_spelled_as_transcripts_are():
    assert words("  It’s the dog's bowl, 'now' — isn't_it? ") == ["IT'S", "THE", "DOG'S", "BOWL", "NOW", "ISN'T", "IT"]
    assert words("été!") == ["ÉTÉ"]
    assert words(" ?! ' ") == []


def test_marks_do_not_need_colour():
    marked = worddiff.html("THE CUT SAT", "THE CAT SAT HERE")
    assert "≠ CAT" in marked
    assert "−\u2009<s>HERE</s>" in marked
    assert "+\u2009B" in worddiff.html("A B", "A")


def test_no_reference_no_marks_and_nothing_said_is_said():
    assert worddiff.html("A B") == '<div class="wd">A B</div>'
    assert worddiff.html(" ") == worddiff.NOTHING
    assert "class=" not in worddiff.html("A B", "A B").replace('class="wd"', "")


def lower(text: str) -> list[tuple[str, str]]:
    """Words and signs apart, compared without their case."""
    return [(word, word.lower()) for word in re.findall(r"\w+'?|\S", text)]


def test_words_are_compared_as_the_score_counts_them():
    same = worddiff.html("un Chien court.", "Un chien court", lower)
    assert "≠" not in same
    assert same == '<div class="wd">un Chien court<span class="ins" title=". is not in it">+\u2009.</span></div>'
    marked = worddiff.html("L'homme court là.", "l'homme dort là.", lower)
    assert marked.startswith('<div class="wd">L&#x27;homme <span class="sub"')
    assert marked.endswith("court <small>≠ dort</small></span> là.</div>")
    assert "≠" in worddiff.html("un chien", "Un chien"), "and as they stand where nothing else is said"


def test_typed_markup_stays_text():
    marked = worddiff.html("<script>alert(1)</script>") + worddiff.html("A", "<img src=x onerror=alert(1)>")
    assert "<script" not in marked
    assert "<img" not in marked
