"""What a saved view holds, as an object and as text."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import UTC, datetime
from typing import Any

from engines.core import UserError
from engines.runs import Point

SCHEMA = 1
MOST_TITLE, MOST_NOTE = 120, 2000  # characters
MOST_PARAMS = 2_000_000  # characters of all parameters together
MOST_LISTED = 600  # characters of a parameter that the gallery lists
MOST_BYTES = 4_000_000
DIGITS = 6  # significant digits kept of scores


@dataclass(frozen=True)
class Snapshot:
    """A view as it was when somebody saved it. It never changes: its `id` is a hash of all of it.

    page and params: which page, and what its link said. points: the numbers that were shown (empty on pages that show
    the visitor's own). runs: id of each run behind them -> engine and version that made it and a hash of its training
    data. by: who saved it, where visitors sign in, or "". made: when, in UTC.
    """

    page: str
    params: Mapping[str, str]
    points: tuple[Point, ...] = ()
    runs: Mapping[str, str] = field(default_factory=dict)
    title: str = ""
    note: str = ""
    by: str = ""
    made: str = ""

    @classmethod
    def of(
        cls,
        page: str,
        params: Mapping[str, str],
        points: Sequence[Point] = (),
        runs: Mapping[str, str] | None = None,
        title: str = "",
        note: str = "",
        by: str = "",
    ) -> Snapshot:
        """A snapshot of now, its scores rounded to six digits.

        Raises:
            UserError: the title, the note or the parameters are too long.
        """
        title, note = " ".join(_storable(title).split()), _storable(note).strip()
        params = {_storable(name): _storable(value) for name, value in params.items()}
        for what, text, most in (("title", title, MOST_TITLE), ("note", note, MOST_NOTE)):
            if len(text) > most:
                raise UserError(f"The {what} has {len(text)} characters: shorten it to {most:,}.")
        if sum(len(name) + len(value) for name, value in params.items()) > MOST_PARAMS:
            raise UserError(f"The view says more than {MOST_PARAMS:,} characters: download it instead of saving it.")
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(page, params, tuple(map(_rounded, points)), dict(runs or {}), title, note, by, now)

    @property
    def id(self) -> str:
        return named(self.text())

    def text(self) -> str:
        """The same for the same content, byte by byte."""
        kept = {**asdict(self), "schema": SCHEMA}
        return json.dumps(kept, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)

    @classmethod
    def read(cls, text: str) -> Snapshot:
        """From `text()`.

        Raises:
            UserError: it is no snapshot, or of a newer kind.
        """
        try:
            kept = json.loads(text)
            schema = kept.pop("schema")
            if schema != SCHEMA:
                raise UserError(
                    f"This view was saved by a newer Crossover (kind {schema}): update this one to open it."
                )
            points = tuple(_point(each) for each in kept.pop("points"))
            made = cls(**kept, points=points)
            strings = [made.page, made.title, made.note, made.by, made.made, *made.params, *made.params.values()]
            if not all(isinstance(each, str) for each in strings):
                raise TypeError("text was expected")
            return made
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError("This saved view is damaged: ask for its link again, or save the view anew.") from error

    def entry(self) -> Entry:
        """What the gallery lists of it."""
        sketch: dict[str, list[tuple[float, float]]] = {}
        shapes: dict[str, str] = {}
        for point in self.points:
            if point.test == "test" and not (point.oracle or point.reading or point.reference):
                sketch.setdefault(point.engine, []).append((point.budget, point.mean))
                shapes[point.engine] = point.shape
        curves = tuple((shapes[name], tuple(sorted(line))) for name, line in sketch.items())
        params = {name: value for name, value in self.params.items() if len(value) <= MOST_LISTED}
        return Entry(self.id, self.page, params, self.title, self.note, self.by, self.made, curves)


@dataclass(frozen=True)
class Entry:
    """A saved view in the gallery. curves: (shape, ((budget, score), …)) of each engine, for a thumbnail."""

    id: str
    page: str
    params: Mapping[str, str]
    title: str
    note: str
    by: str
    made: str
    curves: tuple[tuple[str, tuple[tuple[float, float], ...]], ...] = ()

    def text(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"), allow_nan=False)

    @classmethod
    def read(cls, text: str) -> Entry:
        """Raises ValueError, KeyError, TypeError or AttributeError where it is none."""
        kept = json.loads(text)
        curves = tuple((str(shape), tuple((float(x), float(y)) for x, y in line)) for shape, line in kept.pop("curves"))
        made = cls(**kept, curves=curves)
        strings = [made.id, made.page, made.title, made.note, made.by, made.made, *made.params.values()]
        if not all(isinstance(each, str) for each in strings):
            raise TypeError("text was expected")
        return made

    def says(self, search: str) -> bool:
        """Whether every word of `search` stands in it, in any case."""
        where = " ".join([self.title, self.note, self.by, self.page, *self.params.values()]).casefold()
        return all(word in where for word in search.casefold().split())


def named(text: str) -> str:
    """The name of a snapshot with this text."""
    return hashlib.sha256(text.encode()).hexdigest()[:20]


def _storable(text: str) -> str:
    """Half a surrogate pair, which no file holds, becomes a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _rounded(point: Point) -> Point:
    changed: dict[str, Any] = {}
    for each in fields(point):
        value = getattr(point, each.name)
        if isinstance(value, float):
            changed[each.name] = _digits(value)
        elif isinstance(value, tuple) and value and isinstance(value[0], float):
            changed[each.name] = tuple(map(_digits, value))
        elif isinstance(value, Mapping):
            changed[each.name] = {name: _digits(number) for name, number in value.items()}
    return replace(point, **changed)


def _digits(value: float) -> float:
    return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else 0.0


def _point(kept: Mapping[str, Any]) -> Point:
    lists = {name: tuple(value) for name, value in kept.items() if isinstance(value, list)}
    return Point(**{**kept, **lists})
