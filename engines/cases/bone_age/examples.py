"""Inputs that a visitor can pick, and hands made as they choose. No example is in a test set.

`python -m engines.cases.bone_age.examples` makes the committed files of precomputed/bone_age/examples again.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from engines.cases.bone_age import decode, exposure, hand, reading, simulate
from engines.cases.bone_age.anatomy import LONG
from engines.core import Example, Task
from engines.core.radiograph import in_years

# file -> (sex, years, months that the skeleton is ahead, scanner, what to notice)
HANDS = {
    "girl-4": ("F", 4.0, 0.0, 0, "few carpals, wide plates"),
    "boy-8-late": ("M", 8.0, -14.0, 2, "a skeleton more than a year behind the calendar"),
    "girl-11": ("F", 11.0, 0.0, 4, "epiphyses as wide as their shafts"),
    "boy-14": ("M", 14.0, 0.0, 1, "plates about to close"),
    "girl-16-new-scanner": ("F", 16.0, 0.0, 5, "from a scanner of which nothing was trained on"),
}
# file -> (sex, years): an average child of the growth table, 3 % taller
ROWS = {"girl-10": ("F", 10.0), "boy-13": ("M", 13.0), "boy-16": ("M", 16.0)}
SIMULATED = "simulated, not a person"


def examples(task: Task) -> tuple[Example, ...]:
    """Simulated hands for tasks of pictures, average lengths for the task of lengths."""
    if task.x.kind == "measures":
        return tuple(
            Example(
                f"An average {'girl' if sex == 'F' else 'boy'} of {years:.0f}, 3 % taller",
                f"{name}.csv",
                in_years(12 * years),
                "from the growth table, not a person",
            )
            for name, (sex, years) in ROWS.items()
        )
    return tuple(
        Example(
            f"A {'girl' if sex == 'F' else 'boy'} of {years:.0f} ({SIMULATED})",
            f"{name}.png",
            f"skeleton {in_years(12 * years + ahead)}, calendar {in_years(12 * years)}",
            f"{SIMULATED}: {note}. True age of the skeleton: {in_years(12 * years + ahead)}",
        )
        for name, (sex, years, ahead, _, note) in HANDS.items()
    )


def make(task: Task, **chosen: float | str) -> tuple[bytes, str, str]:
    """A hand made to order: (PNG, name, truth in words). `sex` "girl" or "boy", `years`, `ahead` in months, `spread`,
    `bent` and `turn` in degrees, `number` of the child: another number is another child."""
    number = {name: float(value) for name, value in chosen.items() if name != "sex"}
    sex = "M" if chosen.get("sex") == "boy" else "F"
    rng = np.random.default_rng([23, int(number.get("number", 1))])
    child = hand.draw_child(rng, sex, 12 * number.get("years", 10.0), number.get("ahead", 0.0))
    bent = number.get("bent", 0.0)
    pose = hand.Pose(number.get("spread", 1.0), number.get("turn", 0.0), (0.0, bent / 2, bent, bent, bent, bent))
    made = simulate.shoot(rng, child, pose, exposure.SCANNERS[0])
    truth = f"skeleton {in_years(child.skeletal)}, calendar {in_years(child.chronological)}"
    return decode.encode(made.radiograph), f"made-{sex}-{number.get('years', 10.0):g}y.png", truth


def main() -> None:
    folder = Path(__file__).parents[3] / "precomputed" / "bone_age" / "examples"
    folder.mkdir(parents=True, exist_ok=True)
    scanners = (*exposure.SCANNERS, exposure.UNSEEN)
    for place, (name, (sex, years, ahead, scanner, _)) in enumerate(HANDS.items()):
        rng = np.random.default_rng([22, place])
        child = hand.draw_child(rng, sex, 12 * years, ahead)
        made = simulate.shoot(rng, child, hand.Pose(mirrored=bool(place % 2)), scanners[scanner])
        (folder / f"{name}.png").write_bytes(decode.encode(made.radiograph))
    table = reading.given_table()
    for name, (sex, years) in ROWS.items():
        average = [np.interp(12 * years, table.ages, row) for row in table.average(sex)]
        lengths = ",".join(f"{1.03 * np.exp(value):.1f}" for value in average)
        (folder / f"{name}.csv").write_text(f"sex,{','.join(LONG)}\n{sex},{lengths}\n")


if __name__ == "__main__":
    main()
