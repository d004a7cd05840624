"""What a visitor of the Advisor enters: drawn, kept through reruns and other pages, and written into the link.

All fields are text, so that whatever is typed stays and is answered by a sentence. `INITIAL` is what the widgets were
made with; the `TURN` is part of every widget's key, so that a table that is loaded makes new widgets.
"""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from dashboard import links
from dashboard.advising import question as asking
from dashboard.advising import starts
from dashboard.advising.question import Question
from dashboard.advising.reading import quoted
from engines.core import UserError

QUESTION, INITIAL, TURN = "advisor_question", "advisor_initial", "advisor_turn"
BEFORE, PROBLEM, SOURCE = "advisor_before", "advisor_problem", "advisor_source"
SAVED = "advisor_saved"  # (name, question) of the saved answer that was opened
EDITABLE = 2000  # rows of a table that can be edited here; longer ones are shown in part
SHOWN = 200
# The fields of a question that are a text field each, under the same name.
TYPED = (
    *("metric", "score_unit", "unit", "target", "money", "price", "currency"),
    *("training_price", "penalty", "best", "available", "horizon", "challenger"),
)
MOST_BYTES = 20_000_000
PARAMETER = "q"
HOW = ":material/keyboard: Type or paste cells from a spreadsheet. Rows of one approach and one amount are its repeats."


def ask() -> tuple[Question, DeltaGenerator]:
    """Draw the inputs; the question they hold, and the place below the table where what is wrong with it is said."""
    _from_link()
    question = _current()
    if key("metric") not in st.session_state:  # new widgets: at first, after loading, and back from another page
        st.session_state[INITIAL] = question
    initial: Question = st.session_state[INITIAL]
    _load(question)
    st.subheader("Your points")
    rows = _points(initial)
    wrong = st.container()
    made = replace(initial, rows=rows, **_measured(initial), **_wanted(initial), **_more(initial))
    look = st.session_state.get(key("look"))
    made = replace(made, look=initial.look if look is None else f"{look:g}")
    if made.rows != question.rows:  # what was wrong with a file is settled by what is typed
        st.session_state.pop(PROBLEM, None)
    st.session_state[QUESTION] = made
    _to_link(made)
    return made, wrong


def key(name: str) -> str:
    """The key of a widget, new for each table that is loaded."""
    return f"advisor_{name}_{st.session_state.get(TURN, 0)}"


def take(question: Question, source: str = "") -> None:
    """Put another question in the place of the present one, which can be brought back."""
    st.session_state[BEFORE] = _current()
    _put(question, source)


def _put(question: Question, source: str) -> None:
    st.session_state[QUESTION] = question
    st.session_state[SOURCE] = source
    st.session_state[TURN] = st.session_state.get(TURN, 0) + 1
    st.session_state.pop(PROBLEM, None)


def _current() -> Question:
    """The question as it is, with what was typed since it was last drawn."""
    question: Question = st.session_state.setdefault(QUESTION, Question())
    typed = {name: st.session_state[key(name)] for name in TYPED if key(name) in st.session_state}
    return replace(question, **typed)


def _from_link() -> None:
    link = st.query_params.get(PARAMETER, "")
    if not link or not links.asks(PARAMETER, link):
        return
    links.wrote(PARAMETER, link)
    try:
        take(asking.decode(link))
    except UserError as error:
        st.session_state[PROBLEM] = str(error)


def _to_link(question: Question) -> None:
    name, saved = st.session_state.get(SAVED, ("", None))
    if name and st.query_params.get("saved") == name:
        if question == saved:
            return
        links.drop("saved")
    try:
        link = asking.encode(question)
    except UserError as error:
        links.drop(PARAMETER)
        st.warning(str(error), icon=":material/link_off:")
        return
    links.wrote(PARAMETER, link)
    links.put((PARAMETER,), {PARAMETER: link} if link else {})


def _load(question: Question) -> None:
    """Ways to fill the table other than typing."""
    with st.expander("Upload, paste, or start from points that are here", icon=":material/upload:"):
        try:
            offered = starts.starts()
        except UserError as error:
            st.error(str(error), icon=":material/error:")
            offered = {}
        chosen = st.selectbox(
            "Start from",
            list(offered),
            index=None,
            format_func=lambda name: offered[name].title,
            key=key("start"),
            placeholder="Runs of our own, or published points",
        )
        if chosen in offered:
            start = offered[chosen]
            st.button("Load these points", on_click=lambda: take(start.make(), start.source), key=key("start_load"))
        st.file_uploader(
            "A CSV file: approach, size, score, and if known standard_error",
            type=["csv", "tsv", "txt"],
            key=key("upload"),
            on_change=_uploaded,
            help="Commas, semicolons or tabs; at most 20 MB. A column of sizes and one column an approach will do too.",
        )
        st.text_area("Or paste a table", key=key("paste"), height=100, placeholder="approach, size, score")
        st.button("Use the pasted table", on_click=_pasted, key=key("paste_use"))
    if problem := st.session_state.get(PROBLEM):
        st.error(f"{problem} What was here before is still here.", icon=":material/error:")
    if source := st.session_state.get(SOURCE):
        st.caption(source)
    before: Question | None = st.session_state.get(BEFORE)
    if before not in (None, Question(), question):
        st.button("Bring back what was here before", icon=":material/undo:", on_click=_back, key=key("back"))


def _back() -> None:
    take(st.session_state[BEFORE])


def _uploaded() -> None:
    file = st.session_state[key("upload")]
    if file is None:
        st.session_state.pop(PROBLEM, None)
        return
    data = file.getvalue()
    if len(data) > MOST_BYTES:
        st.session_state[PROBLEM] = f"The file has {len(data) / 1e6:.0f} MB; give at most {MOST_BYTES / 1e6:.0f} MB."
        return
    _table(_text(data), f"From the file {quoted(file.name)}.")


def _pasted() -> None:
    _table(st.session_state[key("paste")], "From the table that was pasted.")


def _table(text: str | None, source: str) -> None:
    from engines.curves import HIGHER, read_rows

    try:
        if text is None:
            raise UserError("This file is no text: save the table as CSV.")
        rows = read_rows(text)
    except UserError as error:
        st.session_state[PROBLEM] = str(error)
        return
    asked = replace(_current(), rows=tuple(row[:4] for row in rows))
    if any(row.scored in HIGHER for row in rows):
        asked = replace(asked, higher=True)
    take(asked, source.replace("\\", ""))


def _text(data: bytes) -> str | None:
    """A file's text in the encodings that spreadsheets write; None where it is none."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", errors="replace")
    if b"\0" in data[:10_000]:
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252", errors="replace")


def _points(initial: Question) -> tuple[asking.Cells, ...]:
    columns = ["Approach", "Data", "Score", "± 1 s.e."]
    if len(initial.rows) > EDITABLE:
        st.dataframe(pd.DataFrame(initial.rows[:SHOWN], columns=columns), hide_index=True, height=300)
        st.caption(
            f"The first {SHOWN} of {len(initial.rows):,} rows; all are used. So long a table is changed in its file."
        )
        return initial.rows
    text = st.column_config.TextColumn
    edited = st.data_editor(
        pd.DataFrame(initial.rows, columns=columns, dtype="object"),
        num_rows="dynamic",
        hide_index=True,
        height=min(38 + 35 * (len(initial.rows) + 1), 430),
        column_config={
            "Approach": text(width=118, help="The same name in every row of an approach"),
            "Data": text(width=68, help="How much training data, in your own unit"),
            "Score": text(width=68, help="The score on the test set"),
            "± 1 s.e.": text(width=68, help="The score's standard error, if you know it; else leave it empty"),
        },
        key=key("points"),
        alt="Your points: approach, amount of data, score, and its standard error if known",
    )
    st.caption(HOW)
    return asking.table(edited.to_numpy(dtype=object).tolist(), 4)


def _measured(initial: Question) -> dict[str, object]:
    first, second = st.columns(2)
    metric = first.text_input("Score", initial.metric, key=key("metric"), max_chars=60, help="What it is called")
    score_unit = second.text_input("Its unit", initial.score_unit, key=key("score_unit"), max_chars=20)
    first, second = st.columns(2)
    unit = first.text_input("Data in", initial.unit, key=key("unit"), max_chars=40, help="hours, examples, pairs …")
    better = second.segmented_control(
        "Better is", ["lower", "higher"], default="higher" if initial.higher else "lower", required=True,
        key=key("better"),
    )  # fmt: skip
    return {"metric": metric, "unit": unit, "score_unit": score_unit, "higher": better == "higher"}


def _wanted(initial: Question) -> dict[str, object]:
    st.subheader("What you want")
    unit = (st.session_state[key("unit")].strip() or "units").removesuffix("s")
    first, second = st.columns(2)
    target = first.text_input("A score to reach", initial.target, key=key("target"), placeholder="none")
    money = second.text_input("Money to spend", initial.money, key=key("money"), placeholder="none")
    first, second = st.columns(2)
    price = first.text_input(f"Price of one {unit} of data", initial.price, key=key("price"))
    currency = second.text_input("Currency", initial.currency, key=key("currency"), max_chars=8)
    return {"target": target, "price": price, "money": money, "currency": currency}


def _more(initial: Question) -> dict[str, object]:
    with st.expander("More: side data, training, a plan", icon=":material/tune:"):
        names = [*dict.fromkeys(" ".join(row[0].split()) for row in initial.rows[:EDITABLE] if row[0].strip())]
        rows = initial.needs or tuple((name, *[""] * 5) for name in names)
        st.markdown("What each approach needs besides the data")
        edited = st.data_editor(
            pd.DataFrame(
                rows,
                columns=[
                    "Approach",
                    "Side data",
                    "Amount",
                    "Price of one",
                    "Training hours",
                    "… for each unit of data",
                ],
                dtype="object",
            ),
            num_rows="dynamic",
            hide_index=True,
            column_config={name: st.column_config.TextColumn() for name in ("Side data", "Amount", "Price of one")},
            key=key("needs"),
            alt="What each approach needs besides the data: side data, their amount and price, hours of training",
        )
        first, second = st.columns(2)
        with first:
            training = st.text_input(
                "Price of a training hour", initial.training_price, key=key("training_price"), placeholder="0"
            )
            penalty = st.text_input(
                "What missing the target costs", initial.penalty, key=key("penalty"),
                help="The plan weighs it against the price of more data", placeholder="ten times its data",
            )  # fmt: skip
            best = st.text_input(
                "Perfect score", initial.best, key=key("best"), placeholder="0, 1 or 100",
                help="Nothing can be better than this",
            )  # fmt: skip
        with second:
            available = st.text_input(
                "Data at hand", initial.available, key=key("available"), placeholder="what was measured",
                help="What a next measurement could use",
            )  # fmt: skip
            horizon = st.text_input(
                "Forecast up to", initial.horizon, key=key("horizon"), placeholder="100 times the data"
            )
            challenger = st.text_input(
                "When does this approach overtake?", initial.challenger, key=key("challenger"),
                placeholder="the one that may",
            )  # fmt: skip
        same = st.checkbox("All were scored on the same test set", initial.same_test, key=key("same_test"))
    needs = asking.table(edited.to_numpy(dtype=object).tolist(), 6)
    blank = all(not any(cell.strip() for cell in row[1:]) for row in needs)
    return {
        "needs": () if blank else needs, "training_price": training, "penalty": penalty, "best": best,
        "available": available, "horizon": horizon, "challenger": challenger, "same_test": same,
    }  # fmt: skip
