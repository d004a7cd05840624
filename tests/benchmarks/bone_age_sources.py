"""How much of the age each source of information carries: `python -m tests.benchmarks.bone_age_sources`.

An oracle regression (kernel ridge, a function for each sex) on the true values of simulated children, 1,600 to learn
from and 800 others: mean absolute error in months against the age of the skeleton, from lengths alone, carpals alone,
and so on. Then the same on what geometry measures on true masks, which is what pictures of this size still show. Last,
whether the simulator grows as children do: the table it grows by, looked up for real children of the held-out test and
for simulated children of the same sexes and ages by the calendar. About half a minute.
"""

from functools import cache

import numpy as np

from engines.cases.bone_age import geometry, hand, reading, simulate, simulated
from engines.cases.bone_age.anatomy import CARPALS, LONG, TUBULAR
from engines.cases.bone_age.lengths import lengths
from engines.core import UserError
from engines.core.radiograph import Measures, Regions
from engines.ml.kernel import KernelRidge

LEARN, TEST = 1600, 800
PICTURES = (640, 240)  # to learn from, to test on
SIZES = (20, 80, 320, 640)
TWINS = 10  # simulated children for every real one


def main() -> None:
    children = [hand.draw_child(np.random.default_rng([31, i])) for i in range(LEARN + TEST)]
    ages = np.array([child.skeletal for child in children])
    boys = np.array([child.sex == "M" for child in children])
    sources = _true_values(children)
    middle = np.abs(ages[LEARN:] - np.median(ages[:LEARN])).mean()
    print(f"{'true values of':34} {'months':>6}   (the median of all alone: {middle:.1f})")
    for name, parts in (
        ("lengths", ["lengths"]),
        ("carpals", ["carpals"]),
        ("epiphyses", ["epiphyses"]),
        ("growth plates", ["plates"]),
        ("carpals, epiphyses, plates", ["carpals", "epiphyses", "plates"]),
        ("all of them", ["lengths", "carpals", "epiphyses", "plates"]),
    ):
        print(f"{name:34} {_error(np.hstack([sources[p] for p in parts]), ages, boys, LEARN):6.1f}")
    print(f"{'measured on true masks':34} {'months':>6}   (the sexes apart, {PICTURES[0]} to learn from)")
    measured, seen_ages, seen_boys = _measured(sum(PICTURES))
    long = np.arange(len(LONG))
    signs = np.arange(len(LONG), measured.shape[1])
    for name, columns in (("lengths", long), ("signs of maturity", signs), ("all of them", np.r_[long, signs])):
        print(f"{name:34} {_error(measured[:, columns], seen_ages, seen_boys, PICTURES[0]):6.1f}")
    _by_size()
    _real_against_simulated()


def _true_values(children: list[hand.Child]) -> dict[str, np.ndarray]:
    def of(names: tuple[str, ...], *signs: str) -> np.ndarray:
        return np.array([[getattr(c.maturity[name], sign) for name in names for sign in signs] for c in children])

    return {
        "lengths": np.log([child.lengths for child in children]),
        "carpals": of(CARPALS, "centre"),
        "epiphyses": of(TUBULAR, "centre", "cap"),
        "plates": of(TUBULAR, "gap", "fused"),
    }


def _error(features: np.ndarray, ages: np.ndarray, boys: np.ndarray, learn: int) -> float:
    found = np.full(len(ages), np.nan)
    for side in (False, True):
        inner, outer = np.flatnonzero(boys[:learn] == side), learn + np.flatnonzero(boys[learn:] == side)
        regression = KernelRidge.fit(features[inner], ages[inner], np.random.default_rng(0))
        found[outer] = regression(features[outer])
    return float(np.abs(found - ages)[learn:].mean())


@cache
def _shots(count: int) -> tuple[list[simulate.Shot], list[Measures]]:
    shots = [simulated.shot("train", i) for i in range(count)]
    return shots, [geometry.measures(Regions(shot.radiograph, shot.labels)) for shot in shots]


def _measured(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    shots, measures = _shots(count)
    features = np.stack([reading.features(one)[:-1] for one in measures])
    return features, np.array([s.child.skeletal for s in shots]), np.array([s.child.sex == "M" for s in shots])


def _by_size() -> None:
    """What the pipeline's second half comes to when its first half makes no mistake, by how many hands it learned
    from."""
    shots, measures = _shots(sum(PICTURES))
    ages = np.array([shot.child.skeletal for shot in shots])
    true = [shot.child.measures for shot in shots]
    test = slice(PICTURES[0], None)
    print(f"{'learned from':14} {'table, true lengths':>20} {'table, true masks':>18} {'all, true masks':>16}")
    for size in SIZES:
        found = []
        for values in (true, measures):
            table = reading.table_of(values[:size], ages[:size])
            found.append([table.look_up(one).months for one in values[test]])
        features = np.stack([reading.features(one) for one in measures])
        regression = KernelRidge.fit(features[:size], ages[:size], np.random.default_rng(0))
        found.append(regression(features[test]).tolist())
        errors = [float(np.abs(np.array(one) - ages[test]).mean()) for one in found]
        print(f"{size:10} X-rays {errors[0]:17.1f} {errors[1]:18.1f} {errors[2]:16.1f}")


def _real_against_simulated() -> None:
    try:
        test = lengths().tests["test"]
    except UserError as error:
        print(f"Real children were left out: {error}")
        return
    table = reading.given_table()
    real, skeletal, calendar = [], [], []
    rests: dict[str, list[np.ndarray]] = {"real": [], "simulated": []}
    for i, (x, y) in enumerate(zip(test.x, test.y, strict=True)):
        usual = np.array([np.interp(y.months, table.ages, row) for row in table.average(x.sex)])
        rests["real"].append(np.log(x.lengths(LONG)) - usual)
        real.append(abs(table.look_up(x).months - y.months))
        for k in range(TWINS):
            child = hand.draw_child(np.random.default_rng([32, i, k]), x.sex, y.months)
            rests["simulated"].append(np.log(child.lengths) - usual)
            found = table.look_up(child.measures).months
            skeletal.append(abs(found - child.skeletal))
            calendar.append(abs(found - child.chronological))
    print("the simulator's table looked up for children of 9 to 18 years, months")
    for name, errors in (
        ("real, age by the calendar", real),
        ("simulated, age by the calendar", calendar),
        ("simulated, age of the skeleton", skeletal),
    ):
        print(f"{name:34} {np.mean(errors):6.1f} ± {np.std(errors) / np.sqrt(len(errors)):.1f}")
    print("how much children of one age by the calendar differ, %: size, single bones")
    for name, parts in rests.items():
        size = np.mean(parts, axis=1)
        single = np.array(parts) - size[:, None]
        print(f"{name:34} {100 * size.std():6.1f} {100 * (single - single.mean(axis=0)).std():5.1f}")


if __name__ == "__main__":
    main()
