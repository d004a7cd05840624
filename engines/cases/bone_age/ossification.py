"""When the bones of the hand ossify, and how far they have come at an age of the skeleton.

Ages of appearance are rounded medians of Garn, Rohmann and Silverman 1967 ("Radiographic standards for postnatal
ossification") as given with Greulich and Pyle's atlas (1959); ages of fusion follow the atlas and the stages of Tanner
and Whitehouse (TW3, 2001). All in months, girls and boys.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from engines.cases.bone_age.anatomy import CARPALS, TUBULAR

# bone -> (girls, boys): first sight of the epiphysis, or of the whole carpal
APPEARS = {
    "radius": (10, 13),
    "ulna": (68, 84),
    "MC1": (19, 32),
    "MC2": (13, 19),
    "MC3": (14, 21),
    "MC4": (16, 24),
    "MC5": (17, 27),
    "PP1": (21, 33),
    "PP2": (10, 16),
    "PP3": (10, 16),
    "PP4": (11, 17),
    "PP5": (15, 22),
    "MP2": (16, 24),
    "MP3": (15, 24),
    "MP4": (15, 24),
    "MP5": (23, 40),
    "DP1": (12, 17),
    "DP2": (30, 39),
    "DP3": (22, 29),
    "DP4": (23, 30),
    "DP5": (33, 44),
    "capitate": (2, 3),
    "hamate": (3, 4),
    "triquetrum": (25, 30),
    "lunate": (34, 44),
    "trapezium": (48, 66),
    "trapezoid": (50, 69),
    "scaphoid": (51, 66),
    "pisiform": (106, 132),
}
# when the plate is gone
FUSES = {
    "radius": (205, 222),
    "ulna": (198, 214),
    **dict.fromkeys(("MC1", "MC2", "MC3", "MC4", "MC5"), (180, 200)),
    **dict.fromkeys(("PP1", "PP2", "PP3", "PP4", "PP5"), (174, 194)),
    **dict.fromkeys(("MP2", "MP3", "MP4", "MP5"), (172, 194)),
    **dict.fromkeys(("DP1", "DP2", "DP3", "DP4", "DP5"), (164, 188)),
}
CARPALS_GROWN = (165, 186)
FUSING = 26.0  # months from the first bridge of bone to the last


@dataclass(frozen=True)
class Maturity:
    """How far one bone has come. `centre`: size of its epiphysis (or carpal) against the grown one, 0 before it
    appears; `cap`: how far it wraps the shaft, `gap`: width of the plate against its youthful width, 1 to 0; `fused`:
    the share of the plate that is bridged, from its middle outwards, 1 when it is gone."""

    centre: float
    cap: float
    gap: float
    fused: float


def carpal(name: str, sex: str, age: float) -> Maturity:
    boy = int(sex == "M")
    start, end = APPEARS[name][boy], CARPALS_GROWN[boy]
    share = np.clip((age - start) / (end - start), 0.0, 1.0)
    return Maturity(float(0.18 + 0.82 * share**0.75) if age > start else 0.0, 0.0, 0.0, 0.0)


def tubular(name: str, sex: str, epiphysis_age: float, plate_age: float) -> Maturity:
    """`epiphysis_age` drives the size of the epiphysis, `plate_age` width and fusion of the plate."""
    boy = int(sex == "M")
    start, end = APPEARS[name][boy], FUSES[name][boy]
    wide = end - 42.0  # when the epiphysis is as wide as the shaft
    share = np.clip((epiphysis_age - start) / (wide - start), 0.0, 1.0)
    centre = float(0.25 + 0.75 * share**0.7) if epiphysis_age > start else 0.0
    cap = float(np.clip((epiphysis_age - wide) / 26.0, 0.0, 1.0))
    closing = np.clip((end - plate_age) / (end - start), 0.0, 1.0)
    fused = float(np.clip((plate_age - (end - FUSING)) / FUSING, 0.0, 1.0))
    return Maturity(centre, cap if centre else 0.0, float(0.25 + 0.75 * closing), fused if centre else 0.0)


def fractions(sex: str, carpal_age: float, epiphysis_age: float, plate_age: float) -> dict[str, Maturity]:
    """Every bone's maturity at these ages, without what varies from bone to bone."""
    found = {name: carpal(name, sex, carpal_age) for name in CARPALS}
    return found | {name: tubular(name, sex, epiphysis_age, plate_age) for name in TUBULAR}
