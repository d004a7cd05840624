"""Answers of the Advisor that are saved: the table, and the answer of that day."""

from __future__ import annotations

import streamlit as st

from dashboard import links, sharing, words
from dashboard.advising import inputs
from dashboard.advising.answer import Answer
from dashboard.advising.question import Question, decode, packed
from engines.core import UserError
from engines.views import Snapshot

LONGEST = 500  # characters of an answer that are kept
WHY = "A short link for a table of any length, which also keeps the answer of today, and is listed in the gallery."


def opened() -> Snapshot | None:
    """The saved answer that the link names, for as long as its table is the one that is shown."""
    found = sharing.named("advisor", "The table is what it was.")
    if found is None:
        return None
    name, snapshot = found
    if links.asks(sharing.NAMED, name):
        links.wrote(sharing.NAMED, name)
        try:
            question = decode(snapshot.params.get("q", ""))
        except UserError as error:
            st.error(str(error), icon=":material/error:")
            return None
        inputs.take(question)
        st.session_state[inputs.SAVED] = (name, question)
    return snapshot


def banner(snapshot: Snapshot) -> None:
    with st.container(border=True, gap="xsmall"):
        sharing.about(snapshot)
        st.markdown(f"The answer of that day: **{words.plain(snapshot.params.get('answer', ''))}**")


def offer(question: Question, found: Answer) -> None:
    """The form that saves the answer."""
    said = " ".join(found.sentences)

    def freeze(title: str, note: str) -> Snapshot:
        params = {"q": packed(question), "answer": said[:LONGEST]}
        return Snapshot.of("advisor", params, title=title, note=note, by=sharing.visitor())

    sharing.save(question, f"{question.metric.capitalize()} against {question.unit}", WHY, freeze)
