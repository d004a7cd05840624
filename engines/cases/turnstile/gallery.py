"""How a verifier fares as more people come on file, on people it never saw, and how long a search takes.

`python -m engines.cases.turnstile.gallery` measures the kept model of the pipeline's largest budget and writes
`gallery.json` beside the runs. What goes beyond the people that there are is a forecast and is called one.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.cases.turnstile import CASE, crop, frames, metric, photos, sight
from engines.cases.turnstile.pipeline import Pipeline
from engines.core import Budget, UserError
from engines.runs import RunSpec, RunStore

SIZES = (62, 125, 250, 500, 1000, 2000)
FORECAST = 10_000
FOLDS = 10
SEARCHED = (10_000, 1_000_000)


@dataclass(frozen=True)
class Growth:
    """Rank 1 and FPIR, as shares, with `people` on file; `forecast` where there are not so many people."""

    people: int
    rank1: float
    fpir: float
    forecast: bool


def growth(
    mates: NDArray[np.float32],
    own: NDArray[np.int64],
    strangers: NDArray[np.float32],
    sizes: tuple[int, ...],
    most: int,
) -> list[Growth]:
    """`mates` (n, k) and `strangers` (m, k) hold the similarity of every probe to everybody on file, `own` (n,) the
    place of each mate's true person. The threshold is set once, at an FPIR of 1 % with the first of `sizes` on file.

    The forecast for `most` people takes each probe's chance to be more like a random person on file than like its own
    (or than the threshold) from those that there are, and lets it meet that many.
    """
    t = metric.threshold(strangers[:, : sizes[0]].max(axis=1).astype(np.float64), metric.LIMIT)
    mine = mates[np.arange(len(own)), own]
    others = mates.copy()
    others[np.arange(len(own)), own] = -np.inf
    found = []
    for size in (*(size for size in sizes if size < mates.shape[1]), mates.shape[1]):
        rank1 = float(np.mean(mine > others[:, :size].max(axis=1)))
        found.append(Growth(size, rank1, float(np.mean(strangers[:, :size].max(axis=1) > t)), False))
    n = mates.shape[1]
    beaten = ((others > mine[:, None]).sum(axis=1) + 0.5) / (n + 1)
    above = ((strangers > t).sum(axis=1) + 0.5) / (n + 1)
    rank1, fpir = float(np.mean((1 - beaten) ** most)), float(np.mean(1 - (1 - above) ** most))
    return [*found, Growth(most, rank1, fpir, True)]


def verification(directions: NDArray[np.float32], labels: NDArray[np.int64], rng: np.random.Generator) -> float:
    """Accuracy at telling whether two photos show one person, as LFW does it: ten folds of people, the threshold chosen
    on nine; as many pairs of the same person as of different ones. (Huang et al. 2007.)"""
    folds = np.array_split(rng.permutation(np.unique(labels)), FOLDS)
    scores, truths = [], []
    for fold in folds:
        index = np.flatnonzero(np.isin(labels, fold))
        same = [(i, j) for i in index for j in index if i < j and labels[i] == labels[j]]
        same = [same[k] for k in rng.permutation(len(same))[:60]]
        different = []
        while len(different) < len(same):
            i, j = rng.choice(index, 2, replace=False)
            if labels[i] != labels[j]:
                different.append((i, j))
        both = np.array(same + different)
        scores.append((directions[both[:, 0]] * directions[both[:, 1]]).sum(axis=1))
        truths.append(np.arange(len(both)) < len(same))
    right = []
    for k in range(FOLDS):
        s = np.concatenate([scores[j] for j in range(FOLDS) if j != k])
        y = np.concatenate([truths[j] for j in range(FOLDS) if j != k])
        t = max(np.unique(s), key=lambda v, s=s, y=y: float(np.mean((s >= v) == y)))
        right.append(float(np.mean((scores[k] >= t) == truths[k])))
    return float(np.mean(right))


def seconds(people: int, size: int, rng: np.random.Generator) -> tuple[float, float]:
    """(a search, reading the gallery once): medians of seven, float32, one probe against `people` of `size` numbers."""
    gallery = rng.standard_normal((people, size), dtype=np.float32)
    probe = gallery[0].copy()
    searches, reads = [], []
    for _ in range(7):
        start = time.perf_counter()
        np.argmax(gallery @ probe)
        searches.append(time.perf_counter() - start)
        start = time.perf_counter()
        gallery.sum()
        reads.append(time.perf_counter() - start)
    return float(np.median(searches)), float(np.median(reads))


def measure(engine: Pipeline) -> dict[str, Any]:
    """All of it for one trained pipeline. Beyond the employees, who are enrolled by their frames, people are on file by
    one photo each, as it was before it became part of a frame."""
    who, made, rng = photos.parts(), engine._verifier, np.random.default_rng(5)
    # Those whom the verifier never saw come on file first, then those whose photos trained it.
    more = {**who.others, **who.unseen, **who.callers}
    order = [
        group[i]
        for group in (sorted({**who.unseen, **who.callers}), sorted(who.others))
        for i in rng.permutation(len(group))
    ]
    first = crop.cuttings(tuple(more[name][0] for name in order))
    on_file = np.concatenate([engine._gallery, made.directions(first)])
    gate, strangers = frames.frames("gate"), frames.frames("strangers")
    seen = sight.cuttings([gate.pixels(i) for i in range(len(gate))], lambda f, s: None, "frames")
    unknown = sight.cuttings([strangers.pixels(i) for i in range(len(strangers))], lambda f, s: None, "frames")
    own = np.array([engine.people.index(name) for name in gate.people])
    mates, others = made.directions(seen) @ on_file.T, made.directions(unknown) @ on_file.T
    chosen = [(i, name) for name in sorted(who.unseen) for i in who.unseen[name]]
    faces = made.directions(crop.cuttings(tuple(i for i, _ in chosen)))
    labels = np.unique([name for _, name in chosen], return_inverse=True)[1]
    return {
        "growth": [vars(each) for each in growth(mates, own, others, SIZES, FORECAST)],
        "verification": verification(faces, labels, rng),
        "search": [dict(zip(("people", "search", "read"), (n, *seconds(n, 128, rng)), strict=True)) for n in SEARCHED],
    }


def main() -> None:
    """Measure and keep."""
    case, store = CASE, RunStore()
    task = case.task("gate")
    info = case.engine("pipeline")
    spec = RunSpec(case.slug, task.slug, info.name, Budget(max(task.models)), task.seeds[0], info.version)
    folder = store.model(spec)
    if not folder.exists():
        raise UserError("The pipeline's model is not kept yet: run `python -m engines sweep turnstile` first.")
    found = {"model": spec.id, **measure(Pipeline.load(folder))}
    (store.root / case.slug / "gallery.json").write_text(json.dumps(found, indent=1) + "\n")
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
