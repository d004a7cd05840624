"""A typed reference in the form of each task, with a word on what its lexicon lacks."""

import pytest

from engines import registry
from engines.cases.speech.reference import reference
from engines.core import UserError

SPEECH = registry.case("speech")


@pytest.mark.parametrize("task", [task.slug for task in SPEECH.tasks])
def test_numbers_are_spelled_and_unknown_words_are_named(task):
    text, remark = reference("three, 4 qwertz!", SPEECH.task(task))
    assert text == "THREE FOUR QWERTZ"
    # The lexicon of sentences comes with its data, which need not be here.
    assert "QWERTZ" in remark or task == "sentences"


def test_digits_are_read_one_by_one_where_nothing_else_is_spoken():
    assert reference("307, 11", SPEECH.task("digits")) == ("THREE ZERO SEVEN ONE ONE", "")
    assert reference("307", SPEECH.task("commands"))[0] == "THREE HUNDRED SEVEN"


def test_words_in_other_scripts_are_left_out_and_named():
    text, remark = reference("she wants to be a 医生 naïve Łukasz", SPEECH.task("commands"))
    assert text == "SHE WANTS TO BE A NAIVE UKASZ"
    assert remark.startswith("Left out for letters that English does not have: 医生, Łukasz. SHE, WANTS, BE, NAIVE")
    assert reference("one, 2 – “three”! 4 %", SPEECH.task("digits"))[1] == (
        "PERCENT is not in the pronunciation lexicon, so an engine that uses one cannot answer it."
    )


def test_what_cannot_have_been_spoken_is_refused():
    with pytest.raises(UserError, match="no words"):
        reference("?!", SPEECH.task("digits"))
