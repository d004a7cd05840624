"""Makes growth_table.json, the table of averages that the simulator grows by and that a pipeline may be given:
`python -m engines.cases.bone_age.make_table`.

From 9 to 18 years it is fitted to the training children of the lengths task (never to its test). Below 9 years overall
size follows stature: rounded medians of the growth charts of Kuczmarski et al. 2002, "2000 CDC Growth Charts for the
United States", Vital and Health Statistics 11 (246); proportions stay those of nine years.
"""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np

from engines.cases.bone_age import reading
from engines.cases.bone_age.growth import STEP
from engines.cases.bone_age.lengths import lengths

# years -> median stature in cm, girls and boys
STATURE = {
    1.5: (80.0, 81.5),
    2: (85.5, 87.0),
    3: (94.0, 95.0),
    4: (101.0, 102.2),
    5: (107.8, 109.0),
    6: (114.9, 115.4),
    7: (121.2, 121.7),
    8: (127.5, 127.9),
    9: (133.0, 133.5),
}
FIRST, JOINED, LAST = 24.0, 114.0, 228.0


def main() -> None:
    data = lengths().train
    ages = np.array([y.months for y in data.y])
    fitted = reading.table_of(list(data.x), ages)
    grid = np.arange(FIRST, LAST + STEP / 2, STEP)
    years = np.array(list(STATURE)) * 12
    size, unsure = [], []
    for sex in (0, 1):
        old = np.interp(grid, fitted.ages, np.maximum.accumulate(fitted.size[sex]))
        stature = np.log(np.interp(grid, years, [pair[sex] for pair in STATURE.values()]))
        start = np.interp(JOINED, fitted.ages, fitted.size[sex])
        # Stature at the joint is that of nine and a half years, growing on at the pace of the year before.
        at_joint = np.log(STATURE[9][sex] + 0.5 * (STATURE[9][sex] - STATURE[8][sex]))
        young = start + stature - at_joint
        size.append(np.where(grid < JOINED, np.minimum(young, start), old))
        unsure.append(np.interp(grid, fitted.ages, fitted.unsure[sex]))
    table = replace(fitted, ages=grid, size=np.stack(size), unsure=np.stack(unsure))
    kept = {
        "source": " ".join((__doc__ or "").split()),
        "names": list(table.names),
        "arrays": {name: np.round(a.astype(float), 5).tolist() for name, a in table.arrays().items()},
    }
    reading.GIVEN.write_text(json.dumps(kept, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
