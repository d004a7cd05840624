"""Data and licences: what each task's data is, where it comes from and under which terms."""

import streamlit as st

from dashboard import view, words
from engines import registry
from engines.core import UserError
from engines.datasets import dataset, find

st.title("Data and licences")
st.markdown(
    "Every figure in this dashboard comes from runs on the data below. A task is called synthetic where no person, "
    "place or event stands behind its examples."
)
for case in registry.cases().values():
    st.header(case.title)
    for task in case.tasks:
        with st.container(border=True):
            kind = "Synthetic data" if task.simulated else "Real data"
            st.subheader(view.title(task))
            budgets = words.span(task.budgets[0], task.budgets[-1], task.unit)
            st.markdown(f"{task.summary}\n\n{kind}; budgets from {budgets}; scored by {task.metric.name}.")
            for test, what in task.variants.items():
                st.caption(f"Further test set, {test.replace('_', ' ')}: {what}.")
            for name in task.datasets:
                try:
                    entry = dataset(name)
                    here = find(name)
                except UserError as error:
                    st.error(str(error))
                    continue
                rows = {
                    "Data set": f"[{entry.title}]({entry.page}): {entry.what}",
                    "Licence": entry.licence,
                    "Cite": entry.citation,
                }
                if not entry.generated:
                    rows["On this machine"] = "yes" if here else f"no: `python -m engines data fetch {name}` gets it"
                st.table(rows, border="horizontal")
            if not task.datasets:
                st.caption("Made by the task itself from a seed; there is nothing to cite.")
