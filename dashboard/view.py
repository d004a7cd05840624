"""The state of a page <-> its URL: case, task, budget, test set, which curves, how far to look, which published
points.

The URL wins, unless it is an echo (`links.py`); what it leaves out comes from the visitor's session, so that a switch
of pages loses nothing; what neither says is the first there is. The widgets are set from the state on every run, never
the other way round, except in their callbacks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from dashboard import links, words
from engines import registry
from engines.core import CaseStudy, Task, UserError
from engines.datasets import dataset
from engines.datasets.published import PublishedGroup, published

KEPT = "view"
NOTED = "view_noted"
LOOK = 10.0  # times the data measured: how far a chart looks unless told
FARTHEST = 1000.0
TEST = "test"  # the main test set
PARAMS = ("case", "task", "budget", "test", "curves", "look", "published")


def is_dark() -> bool:
    """Whether the visitor sees the dark theme."""
    return st.context.theme.type == "dark"


@dataclass(frozen=True)
class View:
    """What a page shows. `budget` is what was asked for (None: nothing was), in the task's unit; `look` how far beyond
    the data, as times the data; `published` the test set whose published points are shown, or ""; `test` the test set
    of ours; `curves` the engines ("name" or "name+reading") that are drawn, () for all; `notes` say, one sentence each,
    what could not be shown as asked."""

    case: CaseStudy
    task: Task
    budget: float | None
    notes: tuple[str, ...] = ()
    look: float = LOOK
    published: str = ""
    test: str = TEST
    curves: tuple[str, ...] = ()

    @property
    def params(self) -> dict[str, str]:
        """As the URL says it, what goes without saying left out."""
        said = {
            "case": self.case.slug,
            "task": self.task.slug,
            "budget": f"{self.budget:.6g}" if self.budget is not None else "",
            "test": self.test if self.test != TEST else "",
            "curves": ",".join(self.curves).replace("+", "."),
            "look": f"{self.look:g}" if self.look != LOOK else "",
            "published": self.published,
        }
        return {name: value for name, value in said.items() if value}


def resolve(params: Mapping[str, str], kept: Mapping[str, str], cases: Mapping[str, CaseStudy]) -> View:
    """The view that the URL's `params` and the session's `kept` values ask for. Unknown values fall back,
    with a note."""
    notes = []
    asked = params.get("case")
    if asked is not None and asked not in cases:
        notes.append(f"There is no case “{_short(asked)}” here; this is {next(iter(cases.values())).title}.")
        params = {}
        asked = None
    case = cases[asked] if asked else cases.get(kept.get("case", ""), next(iter(cases.values())))
    if asked is None and params.get("task") not in [None, *(task.slug for task in case.tasks)]:
        # A link that names the task alone means the case that has it.
        named = [other for other in cases.values() if params["task"] in [task.slug for task in other.tasks]]
        case = named[0] if named else case
    if kept.get("case") != case.slug:
        kept = {}
    slugs = [task.slug for task in case.tasks]
    asked = params.get("task")
    if asked is not None and asked not in slugs:
        notes.append(f"{case.title} has no task “{_short(asked)}”; this is {case.tasks[0].title}.")
        params = {}
        asked = None
    chosen = asked or kept.get("task")
    task = case.task(chosen if chosen in slugs else None)
    if kept.get("task") != task.slug:
        kept = {}
    asked = params.get("budget")
    budget = _number(asked if asked is not None else kept.get("budget"))
    if asked is not None and budget is None:
        notes.append(f"“{_short(asked)}” is not a budget; pick one below.")
    asked = params.get("look")
    look = _number(asked if asked is not None else kept.get("look"))
    if asked is not None and (look is None or not 1 <= look <= FARTHEST):
        notes.append(f"“{_short(asked)}” does not say how far to look; pick it below the chart.")
        look = None
    asked = params.get("published", kept.get("published", ""))
    groups = {group.test_set for group in published(case.slug)}
    if asked and asked not in groups:
        notes.append(f"There are no published points on “{_short(asked)}” for this case.")
        asked = ""
    test = params.get("test", kept.get("test", TEST))
    if test not in (TEST, *task.variants):
        notes.append(f"{task.title} has no test set “{_short(test)}”; this is the main one.")
        test = TEST
    wanted = params.get("curves", kept.get("curves", "")).replace(".", "+").split(",")
    curves = tuple(name for name in case.curves if name in wanted)
    if wanted != [""] and len(curves) < len(set(wanted)):
        notes.append("Some of the curves that the link names are not here; pick them below the chart.")
    return View(case, task, budget, tuple(notes), look or LOOK, asked, test, curves)


def nearest(budgets: Sequence[float], wanted: float | None) -> float:
    """The budget nearest to `wanted` by ratio; the middle one when nothing was asked for.

    Raises:
        UserError: there are no budgets.
    """
    if not budgets:
        raise UserError("There is no budget to pick from: run a sweep of this task first.")
    if wanted is None:
        return sorted(budgets)[len(budgets) // 2]
    return min(budgets, key=lambda budget: abs(math.log(budget / wanted)))


def current() -> View:
    """The view of the page being drawn; the URL is brought in line with it."""
    params = {name: value for name, value in st.query_params.to_dict().items() if name in PARAMS}
    kept = st.session_state.get(KEPT, {})
    if not links.asks(KEPT, frozenset(params.items())):
        params = {}
    elif links.went_back() and "case" in params:
        kept = {}  # an address of ours, which leaves out what goes without saying
    view = resolve(params, kept, registry.cases())
    keep(view)
    return view


def keep(view: View) -> None:
    """Remember a view in the session and in the URL. Other parameters of the URL stay."""
    values = view.params
    st.session_state[KEPT] = values
    links.put(PARAMS, values)
    links.wrote(KEPT, frozenset(values.items()))


def _choose(view: View) -> None:
    """Remember what was picked on the page: what a link got wrong is settled."""
    st.session_state.pop(NOTED, None)
    keep(view)


def _set(**changes: Any) -> None:
    """Change some of the view's fields (for callbacks)."""
    _choose(replace(current(), **changes))


def pick() -> View:
    """Draw the pickers of case and task, and the notes; return the view."""
    view = current()
    st.session_state["view_case"] = view.case.slug
    st.session_state["view_task"] = view.task.slug
    cases = registry.cases()
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        st.selectbox(
            "Case",
            list(cases),
            format_func=lambda slug: cases[slug].title,
            key="view_case",
            on_change=_case_changed,
            width=220,
        )
        st.selectbox(
            "Task",
            [task.slug for task in view.case.tasks],
            format_func=lambda slug: title(view.case.task(slug)),
            key="view_task",
            on_change=_task_changed,
            width=320,
        )
        st.caption(view.case.question, width=400)
    for note in _noted(view):
        st.info(words.plain(note), icon=":material/info:")
    return view


def _noted(view: View) -> tuple[str, ...]:
    """The view's notes. They stay until the visitor picks something or leaves the page: the URL is mended at once, and
    a page also redraws by itself, when a forecast arrives."""
    if view.notes:
        st.session_state[NOTED] = (links.visit(), view.notes)
    of, notes = st.session_state.get(NOTED, (0, ()))
    return notes if of == links.visit() else ()


def pick_budget(
    view: View,
    budgets: Sequence[float],
    label: str = "Training data",
    lacking: str = "it was not measured",
    default: float | None = None,
) -> float:
    """Draw the slider of the budgets that can be shown (in the task's unit) and return the one picked. `lacking` is
    the reason to give where the budget asked for is not among them, `default` where it stands when none was asked for.

    Works inside a fragment: moving the slider redraws the fragment alone.

    Raises:
        UserError: there are no budgets.
    """
    options = sorted(set(budgets))
    wanted = _number(st.session_state.get(KEPT, {}).get("budget"))
    budget = nearest(options, wanted or default)
    if wanted is not None and abs(math.log(budget / wanted)) > 0.01 and view.budget == wanted:
        st.caption(f"Not {words.amount(wanted, view.task.unit)}: {lacking}. This is the nearest there is.")
    if len(options) == 1:
        st.caption(f"{label}: {words.amount(budget, view.task.unit)}, the only one there is.")
        return budget
    st.session_state["view_budget"] = budget
    st.select_slider(
        label,
        options,
        format_func=lambda value: words.amount(value, view.task.unit),
        key="view_budget",
        on_change=lambda: set_budget(st.session_state["view_budget"]),
    )
    return budget


def set_budget(budget: float) -> None:
    """Move to another budget (for callbacks: a slider, a click on a chart)."""
    _set(budget=budget)


def pick_look(looks: Sequence[float], reach: float, unit: str) -> float:
    """Draw the choice of how far to look beyond the data, as times the largest budget `reach`; the one chosen.

    Works inside a fragment, as `pick_budget` does.
    """
    chosen = nearest(looks, _number(st.session_state.get(KEPT, {}).get("look")) or LOOK)
    st.session_state["view_look"] = chosen
    st.segmented_control(
        "How far to look",
        looks,
        required=True,
        format_func=lambda look: "the data" if look == 1 else f"to {words.about(look * reach, unit)}",
        key="view_look",
        on_change=lambda: _set(look=st.session_state["view_look"]),
        help="Beyond the data the curves are forecasts: dashed lines, with bands that hold nine times in ten.",
    )
    return chosen


def pick_published(case: str) -> PublishedGroup | None:
    """Draw the switch of the layer of published points, where the case has any; the group chosen, or None."""
    groups = {group.test_set: group for group in published(case)}
    if not groups:
        return None
    asked = st.session_state.get(KEPT, {}).get("published", "")
    st.session_state["view_published"] = asked if asked in groups else ""
    st.selectbox(
        "Published by others",
        ["", *groups],
        format_func=lambda name: groups[name].title if name else "not shown",
        key="view_published",
        on_change=lambda: _set(published=st.session_state["view_published"]),
        help="Results of other groups on their own test sets, each with its source. Compare how the curves run, not "
        "their heights.",
        width=380,
    )
    return groups.get(st.session_state["view_published"])


def pick_test(view: View, there: Collection[str]) -> str:
    """Draw the choice of the test set where runs are `there` on other ones than the main; the one chosen."""
    names = [name for name in view.task.variants if name in there]
    if not names:
        return TEST
    st.session_state["view_test"] = view.test if view.test in names else TEST
    st.segmented_control(
        "Tested on",
        [TEST, *names],
        required=True,
        format_func=lambda name: "the main test set" if name == TEST else name.replace("_", " "),
        key="view_test",
        on_change=lambda: _set(test=st.session_state["view_test"]),
    )
    return str(st.session_state["view_test"])


def pick_curves(view: View, there: Collection[str], label: Callable[[str], str]) -> tuple[str, ...]:
    """Draw the choice of the curves that are drawn, of those that are `there`; the ones chosen, all when none is."""
    names = [name for name in view.case.curves if name in there]
    shown = [name for name in names if name in view.curves] or names
    if len(names) < 3:
        return tuple(names)
    st.session_state["view_curves"] = shown
    st.pills(
        "Curves",
        names,
        selection_mode="multi",
        format_func=label,
        key="view_curves",
        wrap=True,
        on_change=lambda: _set(curves=_chosen(names)),
    )
    return tuple(shown)


def _chosen(names: Sequence[str]) -> tuple[str, ...]:
    """The curves that were picked; () where it is all or none, which the link need not say."""
    picked = tuple(name for name in names if name in st.session_state["view_curves"])
    return picked if 0 < len(picked) < len(names) else ()


def sources(task: Task) -> None:
    """Draw a line with source, licence and citation of a task's data, and whether they are real."""
    st.caption(
        words.plain(task.summary) + (" Synthetic data: no person made these examples." if task.simulated else "")
    )
    for name in task.datasets:
        entry = dataset(name)
        st.caption(f"Data: [{entry.title}]({entry.page}); licence: {entry.licence}. Cite: {entry.citation}.")


@contextmanager
def said() -> Iterator[None]:
    """Show what a person can put right as its sentence; the rest of the page is drawn all the same."""
    try:
        yield
    except UserError as error:
        st.error(str(error), icon=":material/error:")


def title(task: Task) -> str:
    """A task's title; a task of made data is called synthetic, or simulated, wherever it is named."""
    if task.simulated and not any(word in task.title.lower() for word in ("synthetic", "simulated")):
        return f"{task.title} (synthetic)"
    return task.title


def heading(task: Task) -> str:
    """A task's title as Markdown: a file's name may be part of it."""
    return words.plain(title(task))


def _case_changed() -> None:
    case = registry.case(st.session_state["view_case"])
    _choose(View(case, case.tasks[0], None))


def _task_changed() -> None:
    view = current()
    task = view.case.task(st.session_state["view_task"])
    _choose(View(view.case, task, None, look=view.look, curves=view.curves))


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) and value > 0 else None


def _short(text: str) -> str:
    """What the URL said, fit to be quoted in a sentence."""
    plain = "".join(letter for letter in text if letter.isalnum() or letter in " _-.,+")
    return plain if len(plain) <= 40 else plain[:39] + "…"
