"""A view of Explore to take away: the figure as a picture or a page of its own, its data, or a report of one page.

`python -m engines export LINK --to FILE` makes the same files as the buttons on the page.
"""

from __future__ import annotations

import io
import os
import shutil
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import plotly.graph_objects as go
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from dashboard import charts, documents, findings, outlook, view, words
from dashboard.outlook import Outlook
from dashboard.view import View
from engines import registry
from engines.core import UserError
from engines.core.files import replacing
from engines.datasets import dataset
from engines.datasets.published import PublishedGroup, published
from engines.runs import Point, RunStore, points
from engines.views import Snapshot, ViewStore

WIDTH, HEIGHT, SCALE = 1100, 700, 2  # of a picture, in pixels, and how many dots a pixel
LETTERS = 100  # in a row of a title
PATIENCE = 120.0  # seconds that a forecast may take
MOST_LINK = 30_000  # characters
NO_BROWSER = (
    "A picture is drawn by Chromium or Chrome, and there is none on this machine: install one (on Debian: `apt install "
    "chromium`) or name it in BROWSER_PATH; HTML, CSV and Parquet need none."
)


@dataclass(frozen=True)
class Shown:
    """What Explore shows of a view: the points of the main test set first, as they were read or frozen."""

    view: View
    points: tuple[Point, ...]
    budget: float
    runs: Mapping[str, str]
    snapshot: Snapshot | None = None

    @cached_property
    def here(self) -> tuple[Point, ...]:
        """The points of the test set that is looked at, as if it were the main one."""
        return findings.on_test(self.points, self.view.test)

    @property
    def drawn(self) -> list[Point]:
        return findings.drawn(self.here, self.view.curves)

    @cached_property
    def outlook(self) -> Outlook | None:
        if not self.here:
            return None
        return outlook.outlook(self.view.case, self.view.task, self.here, PATIENCE)

    @property
    def group(self) -> PublishedGroup | None:
        named = [group for group in published(self.view.case.slug) if group.test_set == self.view.published]
        return named[0] if named else None

    @property
    def title(self) -> str:
        return findings.titled(self.view.case, self.view.task, self.here, self.budget, self.view.test)

    @property
    def sentences(self) -> list[str]:
        case, task = self.view.case, self.view.task
        ahead = outlook.sentence(case, task, self.outlook) if self.outlook else ""
        every = [findings.headline(case, task, self.here), ahead, *findings.further(case, task, self.drawn)]
        return list(dict.fromkeys(sentence for sentence in every if sentence))

    @property
    def figure(self) -> go.Figure:
        """As on the page, with its finding as the title.

        Raises:
            UserError: there are no runs.
        """
        case, task = self.view.case, self.view.task
        if not self.points:
            raise UserError(
                f"There are no runs of {case.title}, {task.title} yet: `python -m engines sweep {case.slug}`."
            )
        alike = self.group if self.group and self.group.shares_axes(task.metric, task.unit) else None
        reach = max(point.budget for point in self.points)
        drawn = charts.curves(case, task, self.drawn, self.budget, self.outlook, self.view.look, alike, reach)
        title = "<br>".join(textwrap.wrap(escape(self.sentences[0]), LETTERS))
        drawn.update_layout(
            title={"text": title, "x": 0.01, "y": 0.97, "yanchor": "top", "yref": "container"},
            margin={"l": 60, "r": 200, "t": 110, "b": 60},
            height=HEIGHT,
        )
        return drawn

    def table(self) -> pa.Table:
        """Every point, a row each: what made it, its score with its 95 % interval, what it cost."""
        task = self.view.task
        rows = [
            {
                "case": point.case,
                "task": point.task,
                "engine": point.engine,
                "shape": point.shape,
                "test": point.test,
                "true_stage": point.oracle,
                "budget": point.budget,
                "unit": task.unit,
                "metric": task.metric.name,
                "metric_unit": task.metric.unit,
                "mean": point.mean,
                "standard_error": point.standard_error,
                "low": point.low,
                "high": point.high,
                "seeds": len(point.seeds),
                "train_seconds": point.train_seconds,
                "device": point.device,
                "answer_seconds": point.answer_seconds,
                "parameters": point.parameters,
                "runs": " ".join(point.runs),
            }
            for point in self.points
        ]
        if not rows:
            raise UserError(f"There are no runs of {self.view.case.title}, {task.title} yet.")
        return pa.Table.from_pylist(rows)


def shown(link: str, store: RunStore | None = None, views: ViewStore | None = None) -> Shown:
    """What a link to Explore shows; a link without a saved view shows the runs of today.

    Raises:
        UserError: the link is too long, leads to another page, or names a saved view that is not here.
    """
    if len(link) > MOST_LINK:
        raise UserError(
            f"The link has {len(link):,} characters, and {MOST_LINK:,} are the most: save the view instead."
        )
    try:
        parts = urlsplit(link)
        params = dict(parse_qsl(parts.query, keep_blank_values=True))
    except ValueError as error:
        raise UserError(f"That is no link ({error}): copy it from the browser once more.") from error
    snapshot = None
    if "saved" in params:
        snapshot = (views or ViewStore()).load(params["saved"])
        page, params = snapshot.page, dict(snapshot.params)
    else:
        page = parts.path.rstrip("/").rpartition("/")[2] or "explore"
    if page != "explore":
        raise UserError(f"The link leads to the page “{page[:40]}”: only views of Explore are exported.")
    asked = view.resolve(params, {}, registry.cases())
    if asked.notes:
        raise UserError(" ".join(asked.notes))
    return of(asked, store, snapshot)


def of(asked: View, store: RunStore | None = None, snapshot: Snapshot | None = None) -> Shown:
    """What a view shows: the runs of today, or those frozen in its snapshot."""
    store = store or RunStore()
    found = snapshot.points if snapshot else tuple(points(asked.case, asked.task, store))
    known = sorted({point.budget for point in found if not point.reference})
    options = sorted({*asked.task.budgets, *known})
    budget = view.nearest(
        options, asked.budget if asked.budget is not None else known[len(known) // 2] if known else None
    )
    return Shown(asked, found, budget, snapshot.runs if snapshot else provenance(asked, store), snapshot)


def now(asked: View, points: Sequence[Point], budget: float, snapshot: Snapshot | None = None) -> Shown:
    """What a page is showing."""
    runs = snapshot.runs if snapshot else provenance(asked, RunStore())
    return Shown(asked, tuple(points), budget, runs, snapshot)


def provenance(asked: View, store: RunStore) -> dict[str, str]:
    """Run that counts today -> engine, version, seed, hash of its training data and the day it was finished."""
    columns = ("distinct id", "engine", "version", "seed", "data_hash", "finished")
    rows = store.present(asked.case, asked.task, columns)
    return {
        row["id"]: f"{row['engine']} {row['version']}, seed {row['seed']}, data {row['data_hash']}, "
        f"{row['finished'][:10]}"
        for row in sorted(rows, key=lambda row: row["id"])
    }


def freeze(what: Shown, title: str, note: str, by: str = "") -> Snapshot:
    """A snapshot of what is shown."""
    asked = what.view
    params = replace(asked, budget=what.budget).params
    return Snapshot.of("explore", params, what.points, what.runs, title or what.title, note, by)


def newer(snapshot: Snapshot, store: RunStore | None = None) -> int:
    """How many runs there are today that the snapshot does not hold."""
    asked = view.resolve(snapshot.params, {}, registry.cases())
    return len(provenance(asked, store or RunStore()).keys() - snapshot.runs.keys())


def html(what: Shown) -> str:
    """The figure as one file that needs nothing else."""
    page: str = what.figure.to_html(include_plotlyjs=True, config={"displaylogo": False, "responsive": True})
    return page


def report(what: Shown, link: str = "") -> str:
    """One page: the answer, the figure, the table, where the numbers come from, whom to cite."""
    case, task = what.view.case, what.view.task
    kind = "simulated data" if task.simulated else "real data"
    parts = [
        f"<p>{escape(case.title)}, {escape(task.title)} ({kind}): {escape(task.summary)}</p>",
        f'<p class="answer">{escape(" ".join(what.sentences))}</p>',
        documents.chart(what.figure.update_layout(title=None, margin_t=40)),
    ]
    if what.snapshot:
        saved = what.snapshot
        by = f" by {escape(saved.by)}" if saved.by else ""
        parts.insert(
            0, f"<p><b>{escape(saved.title)}</b>, saved{by} on {escape(saved.made[:10])}. {escape(saved.note)}</p>"
        )
    rows = charts.table(case, task, [point for point in what.points if not point.oracle])
    parts.append(f"<h2>The numbers</h2>{documents.table(rows)}")
    made = [{"Run": run, "Made by": how} for run, how in what.runs.items()]
    parts.append(f"<h2>The runs behind them</h2>{documents.table(made)}")
    cited = [dataset(name) for name in task.datasets]
    if cited:
        parts.append(f"<h2>Data to cite</h2>{documents.items([f'{each.citation} {each.licence}.' for each in cited])}")
    again = f"python -m engines sweep {case.slug} {task.option}"
    parts.append(f'<p class="small">Every number is measured and made again by <code>{escape(again)}</code>.')
    parts.append(f' This view: <a href="{escape(link, quote=True)}">{escape(link)}</a></p>' if _web(link) else "</p>")
    return documents.page(what.title, parts)


def picture(what: Shown, kind: str) -> bytes:
    """The figure as "png" or "svg", drawn by the system's Chromium through Kaleido.

    Raises:
        UserError: there is no browser.
    """
    if not browser():
        raise UserError(NO_BROWSER)
    try:
        drawn: bytes = what.figure.to_image(
            format=kind, width=WIDTH, height=HEIGHT, scale=SCALE if kind == "png" else 1
        )
    except (RuntimeError, OSError, ValueError) as error:
        raise UserError(f"{NO_BROWSER} ({type(error).__name__})") from error
    return drawn


def browser() -> bool:
    """Whether there is one to draw pictures with."""
    return bool(os.environ.get("BROWSER_PATH")) or any(shutil.which(name) for name in BROWSERS)


BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")


def parquet(what: Shown) -> bytes:
    file = io.BytesIO()
    pq.write_table(what.table(), file)
    return file.getvalue()


def csv(what: Shown) -> bytes:
    file = io.BytesIO()
    pa.csv.write_csv(what.table(), file)
    return file.getvalue()


KINDS: Mapping[str, Callable[[Shown], bytes]] = {
    ".png": lambda what: picture(what, "png"),
    ".svg": lambda what: picture(what, "svg"),
    ".html": lambda what: html(what).encode(),
    ".report.html": lambda what: report(what).encode(),
    ".csv": csv,
    ".parquet": parquet,
}


def export(link: str, to: Path, store: RunStore | None = None, views: ViewStore | None = None) -> str:
    """Write what a link shows into a file whose ending says how; a sentence that says what was written.

    Raises:
        UserError: the ending is unknown, the link shows nothing, or the file cannot be written.
    """
    ending = next((kind for kind in sorted(KINDS, key=len, reverse=True) if to.name.lower().endswith(kind)), None)
    if ending is None:
        raise UserError(f"{to.name} ends in nothing that can be written: end it in {words.listing(list(KINDS), 'or')}.")
    made = KINDS[ending](shown(link, store, views))
    if not to.parent.is_dir():
        raise UserError(f"{to} cannot be written (there is no such folder): name another file.")
    try:
        with replacing(to) as aside:
            aside.write_bytes(made)
    except OSError as error:
        raise UserError(f"{to} cannot be written ({error.strerror}): name another file.") from error
    return f"{to}: {len(made):,} bytes."


def _web(link: str) -> bool:
    return link.startswith(("http://", "https://"))
