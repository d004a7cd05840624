"""Advisor: four points and an answer, everything the table can hold, the link, what it starts from."""

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard import background
from dashboard.advising import question as asking
from dashboard.advising.question import Question

APP = str(Path(__file__).parents[2] / "dashboard" / "app.py")
SIZES = (100, 200, 400, 800)
FOUR = (
    *(("Pipeline", str(n), f"{10 + 60 * n**-0.3:.2f}", "") for n in SIZES),
    *(("End-to-end", str(n), f"{900 * n**-0.55:.2f}", "") for n in SIZES),
)


@pytest.fixture(autouse=True)
def empty_store(tmp_path, monkeypatch):
    monkeypatch.setenv("CROSSOVER_STORE", str(tmp_path / "store"))


def opened(question: Question | None = None, link: str = "") -> AppTest:
    page = AppTest.from_file(APP, default_timeout=240)
    page.run()
    page.query_params["q"] = link or (asking.encode(question) if question else "")
    page.switch_page("app_pages/advisor.py").run()
    assert not page.exception
    return page


def said(page: AppTest) -> str:
    shown = [*page.markdown, *page.info, *page.warning, *page.error, *page.caption]
    return " ".join(element.value for element in shown).replace("\\", "")


def carried(page: AppTest) -> Question:
    """The question in the page's link."""
    link = page.query_params["q"]
    return asking.decode(link if isinstance(link, str) else link[0])


def typed(page: AppTest, *rows: tuple[str, ...]) -> AppTest:
    """Type rows into the table, from the first on."""
    columns = ("Approach", "Data", "Score", "± 1 s.e.")
    edits = {place: dict(zip(columns, row, strict=False)) for place, row in enumerate(rows)}
    turn = page.session_state["advisor_turn"] if "advisor_turn" in page.session_state else 0  # noqa: SIM401
    page.session_state[f"advisor_points_{turn}"] = {
        "edited_rows": edits, "added_rows": [], "deleted_rows": [],
    }  # fmt: skip
    page.run()
    assert not page.exception
    return page


def test_four_points_typed_are_answered_and_stand_in_the_link():
    page = opened()
    assert "Fill in amounts of data" in said(page)
    typed(page, *FOUR)
    text = said(page)
    assert "End-to-end overtakes Pipeline" in text or "End-to-end does not overtake Pipeline" in text
    assert "90 %" in text
    assert "What to measure next" in [each.value for each in page.subheader]
    assert len(page.get("plotly_chart")) == 1
    assert carried(page).rows == FOUR


def test_a_link_shows_the_same_to_somebody_else():
    question = replace(
        Question(), rows=FOUR, target="12", money="5k", price="2,5", unit="X-rays",
        needs=(("Pipeline", "lexicon", "10", "3", "1", "0.01"),),
    )  # fmt: skip
    first, second = opened(question), opened(question)
    assert said(first) == said(second)
    titles = [each.value for each in first.subheader]
    assert titles[:3] == ["Your points", "What you want", "What the target takes"]
    assert {"What the money buys", "What to expect", "How to collect"} <= set(titles)
    assert "X-rays" in said(first)
    assert "€" in said(first)
    assert len(first.table) == 3
    for table in first.table:
        assert table.value.astype(str).to_numpy().sum().count("90 %") >= 2


MARKUP = "![x](y) $a$ <script>"
HELD = {
    "text in numbers": ([("A", "many", "3", "")], "the amount of data, “many”, is not a number"),
    "text in scores": ([("A", "10", "<b>bad</b>", "")], "the score, “<b>bad</b>”, is not a number"),
    "zero": ([("A", "0", "3", "")], "must be more than 0, not 0"),
    "negative": ([("A", "-5", "3", "")], "must be more than 0, not -5"),
    "a score missing": ([("A", "5", "", "")], "the score is missing"),
    "no number": ([("A", "5", "nan", "")], "the score, “nan”, is not a number"),
    "endless": ([("A", "1e999", "3", "")], "the amount of data, “1e999”, is not a number"),
    "better than perfect": ([("A", "5", "-3", "")], "better than a perfect one"),
    "a negative standard error": ([("A", "5", "3", "-1")], "the standard error must be at least 0"),
    "an empty name": ([("", "5", "3", ""), ("", "9", "2", "")], "Row 1 has no approach"),
    "one point": ([("A", "10", "3", "")], "Give at least two amounts of data"),
    "over 100 %": ([("A", "10", "140", ""), ("A", "20", "120", "")], "a second approach is needed"),
    "duplicates": ([("A", "10", "14", "")] * 5, "Give at least two amounts of data"),
    "unicode": ([("Ünïcode 🚀 \u202e", "١٠", "14", ""), ("Ünïcode 🚀 \u202e", "20", "12", "")], "Ünïcode 🚀"),
    "markup": ([(MARKUP, "10", "9", ""), (MARKUP, "20", "8", "")], MARKUP),
    "zeros": ([(name, size, "0", "") for name in "AB" for size in ("10", "20")], "perfect scores"),
}  # fmt: skip


@pytest.mark.parametrize("name", HELD)
def test_whatever_the_table_holds_gets_a_sentence_and_stays(name):
    rows, sentence = HELD[name]
    page = opened(replace(Question(), rows=tuple(rows)))
    assert sentence in said(page)
    kept = page.data_editor[0].value.fillna("").to_numpy().tolist()
    assert [tuple(row) for row in kept] == [tuple(row) for row in rows]
    assert carried(page).rows == tuple(rows)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("target", "low", "The target: “low” is not a number"),
        ("target", "-4", "The target must be a score short of the perfect one"),
        ("money", "0", "The money to spend must be more than 0"),
        ("price", "-1", "The price of data must be at least 0"),
        ("price", "0", "nothing to plan"),
        ("horizon", "5", "Forecast further than the data reach"),
        ("best", "perfect", "The perfect score, “perfect”, is not a number"),
        ("challenger", "Nobody", "There is no approach “Nobody”"),
    ],
)
def test_a_field_that_cannot_be_used_gets_a_sentence_and_stays(field, value, sentence):
    question = replace(Question(), rows=FOUR, **{"target": "12", field: value})
    page = opened(question)
    assert sentence in said(page)
    assert getattr(carried(page), field) == value


@pytest.mark.parametrize(
    "link", ["x", "jAAAA", "zAAAA", "j" + "A" * 5000, "jW10", "jeyJyb3dzIjo1fQ", "jeyJ0YXJnZXQiOls1XX0"]
)
def test_a_damaged_link_is_no_traceback(link):
    page = opened(link=link)
    assert page.data_editor[0].value.shape[1] == 4
    damaged = [error.value for error in page.error]
    assert all(text.startswith("The link is damaged") for text in damaged)
    assert damaged or link in ("jeyJyb3dzIjo1fQ", "jeyJ0YXJnZXQiOls1XX0")


def test_a_table_too_long_for_a_link_says_so_and_is_answered():
    rows = tuple((name, f"{n * 1.37:.5f}", f"{50 * n**-0.3 + (n * 7919 % 97) / 100:.4f}", "")
                 for name in ("Pipeline", "End-to-end") for n in range(1, 700))  # fmt: skip
    page = opened()
    page.session_state["advisor_question"] = replace(Question(), rows=rows)
    page.session_state["advisor_turn"] = 5
    page.run()
    assert not page.exception
    assert "too long for a link" in said(page)
    assert "q" not in page.query_params
    assert len(page.get("plotly_chart")) == 1


def test_an_upload_fills_the_table_and_can_be_taken_back():
    page = opened(replace(Question(), rows=FOUR))
    page.file_uploader[0].upload("mine.csv", b"Model;Train_Size;Loss\nb;2;3\nb;4;2\na;1;5 %\na;3;4,5\n").run()
    assert not page.exception
    assert page.data_editor[0].value["Approach"].tolist() == ["b", "b", "a", "a"]
    assert "From the file “mine.csv”" in said(page)
    back = next(button for button in page.button if "Bring back" in button.label)
    back.click().run()
    assert page.data_editor[0].value["Approach"].tolist() == [row[0] for row in FOUR]


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("empty.csv", b"", "The table is empty"),
        ("binary.csv", bytes(range(256)) * 10, "no text"),
        ("columns.csv", b"approach,score\na,1\n", "no column size"),
        ("words.txt", b"These are notes, and no table.\nNone at all.", "no column size"),
    ],
)
def test_a_bad_upload_gets_a_sentence_and_takes_nothing_away(name, data, sentence):
    page = opened(replace(Question(), rows=FOUR))
    page.file_uploader[0].upload(name, data).run()
    assert not page.exception
    assert sentence in page.error[0].value
    assert "What was here before is still here." in page.error[0].value
    assert len(page.data_editor[0].value) == len(FOUR)
    assert len(page.get("plotly_chart")) == 1


def test_a_pasted_table_without_a_header_and_a_wide_one_are_read():
    page = opened()
    page.text_area[0].set_value("Pipeline\t10\t5\nPipeline\t20\t4\nE2E\t10\t9\nE2E\t20\t3").run()
    next(button for button in page.button if button.label == "Use the pasted table").click().run()
    assert page.data_editor[0].value["Score"].tolist() == ["5", "4", "9", "3"]
    page.text_area[0].set_value("size,Pipeline,E2E\n10,5,9\n20,4,\n40,3,2").run()
    next(button for button in page.button if button.label == "Use the pasted table").click().run()
    assert not page.exception
    assert page.data_editor[0].value["Approach"].tolist() == ["Pipeline"] * 3 + ["E2E"] * 2


@pytest.mark.slow
def test_a_million_points_are_answered():
    file = io.StringIO()
    rows = csv.writer(file)
    rows.writerow(["approach", "size", "score"])
    rows.writerows((("A", "B")[n % 2], 1 + n % 100_000, 40 + n % 7) for n in range(1_000_000))
    page = opened()
    page.file_uploader[0].upload("many.csv", file.getvalue().encode()).run()
    assert not page.exception
    assert "The first 200 of 1,000,000 rows" in said(page)
    assert len(page.get("plotly_chart")) == 1


def test_published_points_are_one_click_away():
    page = opened()
    next(button for button in page.button if button.label.startswith("Show me")).click().run()
    assert not page.exception
    assert "BLEU" in said(page)
    assert "Koehn" in said(page)
    assert len(page.get("plotly_chart")) == 1


def test_what_was_entered_is_kept_while_another_page_is_seen():
    page = typed(opened(), *FOUR)
    page.switch_page("app_pages/data.py").run()
    page.query_params.pop("q", None)
    page.switch_page("app_pages/advisor.py").run()
    assert not page.exception
    assert page.data_editor[0].value["Data"].tolist() == [row[1] for row in FOUR]


def test_an_address_that_the_browser_sends_late_takes_nothing_back():
    page = opened(Question(rows=FOUR))
    target = next(box for box in page.text_input if box.label == "A score to reach")
    target.set_value("12").run()
    late = page.query_params["q"]
    next(box for box in page.text_input if box.label == "A score to reach").set_value("14").run()
    page.query_params["q"] = late  # of a click made before the browser heard of the new address
    next(box for box in page.text_input if box.label == "Money to spend").set_value("900").run()
    assert (carried(page).target, carried(page).money) == ("14", "900")
    assert next(box for box in page.text_input if box.label == "A score to reach").value == "14"
    # The same address asks for something when it is a link on another page.
    page.switch_page("app_pages/home.py").run()
    page.query_params["q"] = late
    page.switch_page("app_pages/advisor.py").run()
    assert (carried(page).target, carried(page).money) == ("12", "")


def test_what_a_link_takes_the_place_of_can_be_brought_back():
    page = opened(Question(rows=FOUR))
    page.query_params["q"] = asking.encode(Question(rows=FOUR[:2]))
    page.run()
    assert carried(page).rows == FOUR[:2]
    next(button for button in page.button if button.label == "Bring back what was here before").click().run()
    assert carried(page).rows == FOUR


def test_a_field_typed_just_before_a_button_is_kept():
    page = opened(Question(rows=FOUR))
    page.text_area[0].set_value("approach, size, score\nA, 1, 2\nA, 2, 1").run()
    next(box for box in page.text_input if box.label == "Money to spend").set_value("900")
    next(button for button in page.button if button.label == "Use the pasted table").click().run()
    assert carried(page).money == "900"
    next(box for box in page.text_input if box.label == "Data in").set_value("hours").run()
    assert any(box.label == "Price of one hour of data" for box in page.text_input)


def test_the_page_does_not_wait_for_what_is_not_ready(monkeypatch):
    monkeypatch.setattr(background, "ask", lambda name, work, patience=None: None)
    page = opened(replace(Question(), rows=FOUR))
    assert "is being worked out" in said(page)
