"""Where the months go, stage by stage: `python -m tests.benchmarks.bone_age_stages`.

For every trained pipeline that the store keeps: how well its masks cover the bones (mean Dice over labels), how far its
lengths are off those on true masks (median, share over a fifth, by row of bones), and the error in the age with its own
masks, with true ones, and with true lengths. 160 hands of a seed of their own, a quarter from the scanner that is not
trained on. Half a minute.
"""

import numpy as np

from engines import registry
from engines.cases.bone_age import exposure, geometry, reading, segment, simulate
from engines.cases.bone_age.anatomy import LONG, ROWS, row_of
from engines.cases.bone_age.pipeline import ALL, FEWER
from engines.core import quiet
from engines.core.radiograph import Measures, Regions
from engines.runs import RunStore, kept_models, load_model

HANDS = 160


def main() -> None:
    case = registry.case("bone_age")
    store = RunStore()
    kept = kept_models(case, case.task("simulated"), store).get("pipeline", {})
    assert kept, "no pipeline of simulated hands is kept: run `python -m engines sweep bone_age --task simulated`"
    shots = [
        simulate.shoot(np.random.default_rng([41, i]), scanner=exposure.UNSEEN if i % 4 == 0 else None)
        for i in range(HANDS)
    ]
    ages = np.array([shot.child.skeletal for shot in shots])
    true = [geometry.measures(Regions(shot.radiograph, shot.labels)) for shot in shots]
    labels = np.stack([shot.labels for shot in shots])
    for pairs, spec in kept.items():
        engine = load_model(case.engine("pipeline"), spec, store)
        print(f"{pairs:g} X-rays with their age")
        own: list[Measures] = []
        for name in (ALL, *FEWER):
            eye = engine.eyes[name]
            found = list(segment.regions_all(eye.segmenter, [shot.radiograph for shot in shots], quiet))
            measured = [geometry.measures(one) for one in found]
            own = own or measured
            print(f"  {FEWER.get(name, 160):3} masks: {_masks(found, labels)}; {_rows(measured, true)}")
            errors = [_error(eye.regression(_features(values)), ages) for values in (measured, true)]
            print(f"      all measures: {errors[0]}; on true masks {errors[1]}")
        lengths = [shot.child.measures for shot in shots]
        for name, table in (("table", engine.table), ("given table", reading.given_table())):
            errors = [_error([table.look_up(one).months for one in each], ages) for each in (own, true, lengths)]
            print(f"  {name}: {errors[0]}; on true masks {errors[1]}; true lengths {errors[2]}")


def _features(measured: list[Measures]) -> np.ndarray:
    return np.stack([reading.features(one) for one in measured])


def _masks(found: list[Regions], labels: np.ndarray) -> str:
    return f"Dice {segment.dice(np.stack([one.labels for one in found]), labels):.2f}"


def _rows(measured: list[Measures], true: list[Measures]) -> str:
    """By row of bones: the median error in %, and of how many bones in a hundred it is over 20 % or there is none."""
    off = np.array([np.log(a.lengths(LONG) / b.lengths(LONG)) for a, b in zip(measured, true, strict=True)])
    parts = []
    for row in range(4):
        some = np.abs(off[:, [row_of(bone) == row for bone in LONG]])
        far = np.mean(~(some < 0.2))
        parts.append(f"{ROWS[row]} {100 * np.nanmedian(some):.1f} % ({100 * far:.0f} in 100 lost)")
    return ", ".join(parts)


def _error(found: object, ages: np.ndarray) -> str:
    """Mean absolute error in months: of the scanners trained on, and of the other."""
    off = np.abs(np.asarray(found) - ages)
    other = np.arange(len(ages)) % 4 == 0
    return f"{off[~other].mean():.1f} (other scanner {off[other].mean():.1f})"


if __name__ == "__main__":
    main()
