"""What goes wrong, by kind: how often each kind of error is made as data grow, counted in every kept answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from dashboard import findings, theme, words
from dashboard.figures.faults import Rate, rates
from dashboard.measured import state
from engines import registry
from engines.core import CaseStudy, Floats, Task
from engines.runs import RunStore

ACROSS = 3  # charts in a row


@dataclass(frozen=True)
class Counted:
    """Of one engine: budgets (n,), growing, and errors of each kind in 100 units of what there was to get right, mean
    over seeds, (n, kinds)."""

    sizes: Floats
    shares: Floats


def offer(case: CaseStudy, task: Task) -> None:
    """Draw a small chart for each kind of error, where the task names kinds and runs counted them."""
    if task.faults is None:
        return
    root = RunStore().root
    found = counted(case.slug, task.slug, str(root), state(root / case.slug / "runs"))
    if not found:
        return
    st.subheader("What goes wrong, by kind", anchor="kinds")
    if told := sentence(case, task, found):
        st.markdown(told)
    signs = [
        f":{theme.MARKDOWN[case.engine(name).shape]}[{theme.SIGNS[case.engine(name).shape]} {case.engine(name).title}]"
        for name in found
    ]
    st.caption(
        f"{' · '.join(signs)} — in 100 {task.faults.unit}, against {task.unit}; each kind on a scale of its own."
    )
    sizes = sorted({float(size) for each in found.values() for size in each.sizes})
    ticks = [sizes[0], sizes[-1]] if len(sizes) > 1 else sizes
    texts = [words.amount(size, task.unit).removesuffix(f" {task.unit}") for size in ticks]
    kinds = list(task.faults.kinds.items())
    for first in range(0, len(kinds), ACROSS):
        for place, column in enumerate(st.columns(ACROSS, gap="small")):
            if first + place == len(kinds):
                break
            number = first + place
            kind, meaning = kinds[number]
            top = max(1.0, *(float(each.shares[:, number].max()) for each in found.values()))
            lines = [
                Rate(
                    case.engine(name).shape,
                    each.sizes,
                    each.shares[:, number],
                    tuple(
                        f"{case.engine(name).title}, {words.amount(size, task.unit)}: {share:.1f}"
                        for size, share in zip(each.sizes, each.shares[:, number], strict=True)
                    ),
                )
                for name, each in found.items()
            ]
            with column:
                st.markdown(f"**{words.title(kind)}**", help=f"{words.title(meaning)}.")
                st.plotly_chart(
                    rates(lines, ticks, texts, top),
                    key=f"explore_fault_{number}",
                    config={"displayModeBar": False},
                    alt=f"{words.title(kind)} in 100 {task.faults.unit} against the amount of data",
                )
    behind_it = st.expander(
        "The table behind these charts", icon=":material/table_chart:", key="explore_faults", on_change="rerun"
    )
    if behind_it.open:
        told = f"Errors of each kind in 100 {task.faults.unit}, with the least and the most data"
        behind_it.dataframe(pd.DataFrame(table(case, task, found)), hide_index=True, alt=told)
        behind_it.caption(f"{told}.")


def table(case: CaseStudy, task: Task, found: Mapping[str, Counted]) -> list[dict[str, str | float]]:
    """How often each kind of error is made, of every engine with the least and the most data it was counted at."""
    assert task.faults is not None
    kinds = [words.title(kind) for kind in task.faults.kinds]
    return [
        {
            "Engine": case.engine(name).title,
            f"Data ({task.unit})": float(each.sizes[row]),
            **{kind: round(float(share), 1) for kind, share in zip(kinds, each.shares[row], strict=True)},
        }
        for name, each in found.items()
        for row in dict.fromkeys((0, len(each.sizes) - 1))
    ]


def sentence(case: CaseStudy, task: Task, found: Mapping[str, Counted]) -> str:
    """Which kind is the commonest of each engine at the largest budget that all were measured at; "" where there is
    none."""
    assert task.faults is not None
    shared = set.intersection(*(set(each.sizes.tolist()) for each in found.values()))
    if not shared:
        return ""
    budget, kinds = max(shared), list(task.faults.kinds)
    parts = []
    for name, each in found.items():
        shares = each.shares[each.sizes.tolist().index(budget)]
        worst = int(shares.argmax())
        parts.append(f"{findings.spoken(case, name)} {kinds[worst]} ({shares[worst]:.0f})")
    return (
        f"With {words.amount(budget, task.unit)}, what goes wrong most often in 100 {task.faults.unit}: "
        f"{words.listing(parts)}."
    )


@st.cache_data(max_entries=24, show_spinner=False)
def counted(case_slug: str, task_slug: str, root: str, at: str) -> dict[str, Counted]:
    """What the runs of the engines' present versions counted, by engine; references, which had none of the data, are
    left out. `at` names the state of the store."""
    case = registry.case(case_slug)
    main = "reading = '' and test = 'test' and oracle = '' and faults is not null"
    columns = ("engine", "version", "pairs", "faults")
    shares: dict[str, dict[float, list[Floats]]] = defaultdict(lambda: defaultdict(list))
    for row in RunStore(Path(root)).present(case, case.task(task_slug), columns, main):
        totals = np.array(row["faults"], np.float64).sum(0)
        shares[row["engine"]][row["pairs"]].append(100 * totals[1:] / max(totals[0], 1.0))
    return {
        info.name: Counted(
            np.array(sorted(shares[info.name])),
            np.stack([np.mean(each, axis=0) for _, each in sorted(shares[info.name].items())]),
        )
        for info in case.engines
        if info.name in shares and not info.reference
    }
