"""The Advisor without its page: numbers as people write them, links, answers, what can be taken away."""

import base64
import csv
import io
import re
import threading
import time
import zlib
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard import background, theme, words
from dashboard.advising import outputs, report
from dashboard.advising import question as asking
from dashboard.advising.answer import answer
from dashboard.advising.asked import asked
from dashboard.advising.drawing import figure, shapes
from dashboard.advising.question import Question, decode, encode
from dashboard.advising.reading import number, read
from dashboard.advising.telling import Telling
from engines.core import UserError

SIZES = np.geomspace(100, 12800, 8)
ROWS = (
    *(("Pipeline", f"{n:.0f}", f"{10 + 60 * (n / 100) ** -0.4:.3f}", "0.3") for n in SIZES),
    *(("End-to-end", f"{n:.0f}", f"{0.5 + 150 * (n / 100) ** -0.5:.3f}", "0.3") for n in SIZES),
)


def answered(question):
    return answer(question, read(question), asked(question)[0])


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("12.5", 12.5), (" 12,5 ", 12.5), ("1,000", 1000), ("1 000", 1000), ("1.000.000", 1e6), ("0,125", 0.125),
        ("5 %", 5), ("10k", 1e4), ("1.5M", 1.5e6), ("-3", -3), ("\u22123", -3), ("1e3", 1000), ("١٢", 12),
        ("1,234,567.5", 1234567.5), ("1'000", 1000),
    ],
)  # fmt: skip
def test_numbers_as_people_write_them(text, value):
    assert number(text) == value


@pytest.mark.parametrize("text", ["", "many", "nan", "inf", "1e999", "--1", "5 apples", "k", "1,2,3", "0x10", "M"])
def test_what_is_no_number(text):
    with pytest.raises(ValueError, match=r"could not convert|^" + re.escape(text)):
        number(text)


@given(st.floats(-1e12, 1e12))
def test_every_number_that_python_writes_is_read(value):
    assert number(repr(value)) == value


CELL = st.text(max_size=40)
TABLE = st.lists(st.tuples(CELL, CELL, CELL, CELL), max_size=12)


@given(TABLE, CELL, st.booleans())
def test_a_link_brings_back_what_was_typed(rows, target, higher):
    question = replace(Question(), rows=asking.table(rows, 4), target=target, higher=higher)
    assert decode(encode(question)) == question if encode(question) else question == Question()


@given(st.text(max_size=200))
def test_a_link_of_anything_is_a_question_or_a_sentence(link):
    with suppress(UserError):
        assert isinstance(decode(link), Question)


@settings(max_examples=60, deadline=None)
@given(TABLE)
def test_a_table_of_anything_is_read_or_gets_a_sentence(rows):
    question = replace(Question(), rows=asking.table(rows, 4))
    try:
        found = read(question)
    except UserError:
        return
    assert all((series.sizes > 0).all() and np.isfinite(series.scores).all() for series in found.series)


def test_half_a_letter_in_a_link_is_dropped():
    link = "j" + base64.urlsafe_b64encode(b'{"target":"1\\ud800","look":"\xc2\xb2"}').decode()
    assert decode(link).target == "1"
    assert outputs._number(decode(link).look) == 10


def test_a_link_has_a_stated_limit_and_cannot_unfold_for_ever():
    rng = np.random.default_rng(0)
    rows = tuple(("A", f"{size:.6f}", f"{score:.6f}", "") for size, score in rng.random((3000, 2)))
    with pytest.raises(UserError, match=r"a link, which holds 6,000"):
        encode(replace(Question(), rows=rows))
    bomb = asking._written("z", zlib.compress(b" " * 50_000_000, 9))
    with pytest.raises(UserError, match="damaged"):
        decode(bomb)
    assert len(encode(replace(Question(), rows=ROWS))) < 600


def test_the_planted_crossover_is_in_the_answer_and_every_figure_has_its_interval():
    found = answered(replace(Question(), rows=ROWS, target="14", money="5000"))
    crossing = next(fact for fact in found.facts if fact.section == "crossover")
    at = np.geomspace(100, 12800, 10000) / 100
    truth = 100 * at[np.argmax(0.5 + 150 * at**-0.5 < 10 + 60 * at**-0.4)]
    assert crossing.low <= truth <= crossing.high
    assert found.sentences[0].startswith("End-to-end overtakes Pipeline at about")
    for fact in found.facts:
        if "chance" not in fact.what and fact.section != "plan":
            assert fact.low <= fact.middle <= fact.high
    for rows in (found.target, found.money, found.expected):
        assert len(rows) == 2
        assert all(any("90 %" in cell for cell in row.values()) for row in rows)
    assert answered(replace(Question(), rows=ROWS, target="14", money="5000")).facts == found.facts


def test_swapping_the_rows_changes_nothing_but_the_order():
    swapped = answered(replace(Question(), rows=ROWS[8:] + ROWS[:8]))
    assert swapped.sentences[0].split(" at about")[0] == "End-to-end overtakes Pipeline"


def test_side_data_and_training_make_an_approach_dearer():
    plain = answered(replace(Question(), rows=ROWS, target="14"))
    needs = (("Pipeline", "lexicon", "100", "1000", "5", "0"),)
    dear = answered(replace(Question(), rows=ROWS, target="14", needs=needs, training_price="10"))

    def cost(found):
        return next(fact.middle for fact in found.facts if (fact.approach, fact.what) == ("Pipeline", "cost"))

    assert cost(dear) == pytest.approx(cost(plain) + 100 * 1000 + 5 * 10)


def test_a_column_with_decimal_commas_holds_no_thousands():
    rows = tuple(("A", size, score, "") for size, score in (("100", "14,2"), ("200", "12,345"), ("400", "10,9")))
    assert read(replace(Question(), rows=rows)).series[0].scores.tolist() == [14.2, 12.345, 10.9]
    rows = tuple(("A", size, "5", "") for size in ("1,000", "2,000"))
    assert read(replace(Question(), rows=rows)).series[0].sizes.tolist() == [1000, 2000]


def test_accuracies_up_to_one_have_a_perfect_score_of_one_and_it_is_said():
    rows = tuple(("A", str(n), f"{1 - 0.5 * n**-0.3:.3f}", "") for n in (1, 2, 4, 8, 16))
    found = read(replace(Question(), rows=rows, higher=True))
    assert found.best == 1
    assert any("perfect one is taken to be 1" in note for note in found.notes)


def test_too_little_money_and_a_far_look_are_said():
    little = answered(replace(Question(), rows=ROWS, money="50"))
    assert "less data than any approach was measured with" in little.sentences[1]
    assert all("less than was measured" in row["Data it buys"] for row in little.money)
    assert any("times as far" in each for each in answered(replace(Question(), rows=ROWS, money="1e9")).warnings)
    easy = answered(replace(Question(), rows=ROWS, target="80"))
    assert "at most 100 examples" in easy.sentences[1]


def test_never_is_said():
    flat = tuple(("End-to-end", f"{n:.0f}", f"{60 + 20 * (n / 100) ** -0.3:.3f}", "0.3") for n in SIZES)
    found = answered(replace(Question(), rows=ROWS[:8] + flat, challenger="End-to-end"))
    assert "does not overtake" in found.sentences[0]
    assert "never" in report.facts(found)


HOSTILE = '<script>alert("x")</script> =1+1'


def test_the_report_is_one_file_in_which_names_are_only_names():
    rows = tuple((HOSTILE if row[0] == "Pipeline" else row[0], *row[1:]) for row in ROWS)
    question = replace(Question(), rows=rows, target="14", metric=HOSTILE, unit="<b>u</b>")
    found = answered(question)
    drawn = figure(found.lines, found.overtaking, Telling(question), found.reach, 10.0)
    page = report.html(question, found, drawn)
    assert "<script>alert" not in page
    assert "<b>u</b>" not in page
    assert 'src="http' not in page
    assert "cdn.plot.ly" not in page.split("<script")[0]
    assert found.sentences[0].split("<")[0] in page


def test_the_csv_holds_every_figure_and_no_formula():
    rows = tuple(({"Pipeline": "=cmd|x"}.get(row[0], "+cmd|y"), *row[1:]) for row in ROWS)
    question = replace(Question(), rows=rows)
    found = answered(question)
    table = list(csv.DictReader(io.StringIO(report.facts(found))))
    assert {"crossover", "forecast", "answer"} <= {row["section"] for row in table}
    assert not any(cell.startswith("=") for row in table for cell in row.values())
    again = list(csv.reader(io.StringIO(report.points(question))))
    assert len(again) == len(rows) + 1
    assert {row[0] for row in again[1:]} == {"'=cmd|x", "'+cmd|y"}
    assert report.points(replace(Question(), rows=(("A", "1", "-3.5", ""),))).endswith("A,1,-3.5,\n")


def test_approaches_have_colours_of_their_own():
    names = ["Hybrid A", "End to end", "my pipeline", "x", "y", "another pipeline", "z", "w", "v"]
    found = shapes(names)
    assert found[:3] == [theme.HYBRID, theme.END_TO_END, theme.PIPELINE]
    assert len(set(found[:8])) == 8
    assert all(theme.colour(shape) and theme.sign(shape) and theme.symbol(shape) for shape in found)


def test_words_for_amounts_money_and_chances():
    assert words.about(1_234_567, "pairs") == "1.2 million pairs"
    assert words.about(0.0123, "hours") == "44 s"
    assert words.joined("1.5 million pairs", "4.9 million pairs") == "1.5 to 4.9 million pairs"
    assert words.joined("37 min", "1.2 h") == "37 min to 1.2 h"
    assert words.money(0.0693, "€") == "0.069 €"
    assert words.money(1234, "€") == "1,230 €"
    assert [words.chance(p) for p in (0.001, 0.5, 0.999)] == ["under 1 %", "50 %", "over 99 %"]


def test_work_is_done_once_beside_the_page_and_its_errors_are_told():
    calls, gate = [], threading.Event()

    def slow():
        calls.append(1)
        gate.wait(10)
        return 7

    name = f"test {time.monotonic_ns()}"
    assert background.ask(name, slow, patience=0.01) is None
    assert background.ask(name, slow, patience=0.01) is None
    gate.set()
    assert background.ask(name, slow, patience=10) == 7
    assert len(calls) == 1

    def wrong():
        raise UserError("so it is")

    for _ in range(2):
        with pytest.raises(UserError, match="so it is"):
            background.ask(f"{name} wrong", wrong, patience=10)


def test_work_that_failed_is_tried_again_after_a_while(monkeypatch):
    ends = iter([UserError("so it was"), None])

    def work():
        if error := next(ends):
            raise error
        return 7

    name = f"test {time.monotonic_ns()}"
    for _ in range(2):
        with pytest.raises(UserError, match="so it was"):
            background.ask(name, work, patience=10)
    monkeypatch.setattr(background, "RETRY", 0.0)
    assert background.ask(name, work, patience=10) == 7
    assert background.ask(name, work, patience=10) == 7
