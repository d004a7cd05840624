"""A simulated child and the bones of its hand, laid out in mm: who it is, how mature, how long each bone, and how the
hand lies. Everything follows from a seed.

Each source of information on the age has noise of its own: lengths (stature, and every bone by itself), carpals,
epiphyses, plates. Lengths follow the growth table at the skeletal age; stature varies independently of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from engines.cases.bone_age import ossification, reading
from engines.cases.bone_age.anatomy import CARPALS, LONG, TUBULAR
from engines.cases.bone_age.ossification import Maturity
from engines.core.radiograph import Measures

Point = NDArray[np.float64]
YOUNGEST, OLDEST = 36.0, 216.0  # months by the calendar
RANGE = (28.0, 222.0)  # of skeletal ages
# years -> standard deviation in months of the skeletal age around the calendar's (Greulich and Pyle 1959, tables)
DEVIATION = {2: 5.0, 4: 7.0, 6: 9.3, 9: 10.8, 12: 11.0, 14: 11.5, 16: 13.0, 18: 13.0}
# months of noise that each source of maturity has of its own, and every bone in it
CARPAL_NOISE, EPIPHYSIS_NOISE, PLATE_NOISE, BONE_NOISE = 8.0, 7.0, 7.0, 5.0
# log units; single bones deviate as the growth table says that real ones do
STATURE = 0.045

# Of the grown hand, mm from the middle of the wrist joint, thumb to the left: carpals as (x, y, half width, half
# height, tilt in degrees), bases of the metacarpals as (x, y, direction in degrees from straight up).
CARPAL_PLACES = {
    "scaphoid": (-12.5, 8.0, 6.0, 10.5, -48),
    "lunate": (0.5, 6.5, 8.0, 6.6, 8),
    "triquetrum": (11.5, 9.5, 6.2, 7.0, -35),
    "trapezium": (-20.0, 19.0, 7.2, 6.4, 35),
    "trapezoid": (-11.0, 21.5, 5.6, 6.2, 10),
    "capitate": (-1.0, 19.5, 7.0, 11.0, 4),
    "hamate": (10.0, 20.0, 7.4, 8.8, -12),
    "pisiform": (13.5, 8.5, 4.4, 5.2, 0),
}
BASES = {
    1: (-27.0, 23.0, -42),
    2: (-13.5, 29.0, -7),
    3: (-1.5, 31.5, -1),
    4: (8.0, 29.5, 6),
    5: (15.5, 26.5, 13),
}
# half widths against the length of the bone: growing end, waist, other end
WIDTHS = {
    "MC1": (0.175, 0.105, 0.165),
    "MC": (0.118, 0.062, 0.118),
    "PP1": (0.215, 0.125, 0.175),
    "PP": (0.180, 0.108, 0.138),
    "MP": (0.245, 0.150, 0.195),
    "DP1": (0.255, 0.135, 0.190),
    "DP": (0.285, 0.130, 0.200),
}


@dataclass(frozen=True)
class Child:
    """Ages in months; `maturity_ages` those of carpals, epiphyses and plates; `lengths` (19,) mm in the order of LONG,
    joint to joint; `maturity` of every bone."""

    sex: str
    chronological: float
    skeletal: float
    maturity_ages: tuple[float, float, float]
    lengths: Point
    maturity: dict[str, Maturity]

    @property
    def measures(self) -> Measures:
        return Measures(self.sex, LONG, self.lengths.astype(np.float32), ("mm",) * len(LONG))


@dataclass(frozen=True)
class Tube:
    """A tubular bone as it lies: from `start` (its proximal joint) along `axis` (unit vector) for `length` mm as seen;
    half widths in mm of its proximal end, waist and distal end; `grows` +1 where the plate is at the distal end, -1 at
    the proximal one."""

    name: str
    start: Point
    axis: Point
    length: float
    widths: tuple[float, float, float]
    grows: int
    joint: float  # mm of joint gap at each end
    maturity: Maturity


@dataclass(frozen=True)
class Round:
    """A carpal: an ellipse-like outline around `centre` with half axes in mm along the columns of `frame` (2, 2), waves
    `bumps` (a, b, c) of its outline."""

    name: str
    centre: Point
    half: tuple[float, float]
    frame: Point
    bumps: tuple[float, float, float]


@dataclass(frozen=True)
class Pose:
    """How the hand lies: `spread` of the fingers (1: usual), `turn` of the hand in degrees, `flexed` (6,) degrees by
    which the fingers (by number) bend out of the picture's plane, `mirrored` for a right hand."""

    spread: float = 1.0
    turn: float = 0.0
    flexed: tuple[float, ...] = (0.0,) * 6
    mirrored: bool = False
    sway: tuple[float, ...] = field(default=(0.0,) * 20)  # degrees, of each joint


@dataclass(frozen=True)
class Hand:
    child: Child
    tubes: tuple[Tube, ...]
    rounds: tuple[Round, ...]
    scale: float  # size against the grown hand


def draw_child(rng: np.random.Generator, sex: str = "", age: float | None = None, lead: float | None = None) -> Child:
    """A child of `sex` and `age` in months by the calendar, each drawn where it is not given; `lead` is by how many
    months the skeleton is ahead of the calendar."""
    sex = sex or ("F", "M")[int(rng.integers(2))]
    calendar = float(rng.uniform(YOUNGEST, OLDEST))
    calendar = calendar if age is None else float(age)
    deviation = float(np.interp(calendar / 12, list(DEVIATION), list(DEVIATION.values())))
    drawn = deviation * float(rng.standard_normal())
    skeletal = float(np.clip(calendar + (drawn if lead is None else lead), *RANGE))
    noise = rng.standard_normal(3) * (CARPAL_NOISE, EPIPHYSIS_NOISE, PLATE_NOISE)
    ages = tuple(float(skeletal + n) for n in noise)
    table = reading.given_table()
    average = np.array([np.interp(skeletal, table.ages, row) for row in table.average(sex)])
    lengths = np.exp(average + STATURE * rng.standard_normal() + table.noise * rng.standard_normal(len(LONG)))
    single = BONE_NOISE * rng.standard_normal((2, len(TUBULAR)))
    small = BONE_NOISE * rng.standard_normal(len(CARPALS))
    maturity = {
        name: ossification.tubular(name, sex, ages[1] + single[0, i], ages[2] + single[1, i])
        for i, name in enumerate(TUBULAR)
    }
    maturity |= {name: ossification.carpal(name, sex, ages[0] + small[i]) for i, name in enumerate(CARPALS)}
    return Child(sex, calendar, skeletal, (ages[0], ages[1], ages[2]), lengths, maturity)


def draw_pose(rng: np.random.Generator) -> Pose:
    """Most hands lie as they should; one in five is turned, one in four has a bent finger or two."""
    turn = rng.normal(0, 4) + (rng.uniform(-25, 25) if rng.random() < 0.2 else 0.0)
    flexed = np.abs(rng.normal(0, 6, 6))
    if rng.random() < 0.25:
        flexed += rng.uniform(0, 50) * (rng.random(6) < 0.35)
    spread = float(np.clip(rng.normal(0.9, 0.35), 0.05, 1.7))
    sway = tuple(float(v) for v in rng.normal(0, 2.5, 20))
    return Pose(spread, float(turn), tuple(float(v) for v in flexed), bool(rng.random() < 0.5), sway)


def lay_out(child: Child, pose: Pose, rng: np.random.Generator) -> Hand:
    """The bones in the plane of the picture, in mm; y grows towards the fingertips."""
    by_name = dict(zip(LONG, child.lengths, strict=True))
    scale = float(np.exp(np.mean(np.log(child.lengths)) - np.mean(np.log(_grown()))))
    girth = float(np.exp(rng.normal(0, 0.06)))  # how sturdy bones are for their length
    tubes: list[Tube] = []
    for finger in range(1, 6):
        x, y, direction = BASES[finger]
        spot = np.array([x, y]) * scale
        bend = pose.flexed[finger]
        heading = direction + (6.0 * (pose.spread - 1) if finger == 1 else 0.0) * -1
        fan = (0.0, 12.0, -8.0, -1.0, 6.5, 15.0)[finger]
        rows = ("MC", "PP", "DP") if finger == 1 else ("MC", "PP", "MP", "DP")
        for place, row in enumerate(rows):
            name = f"{row}{finger}"
            length = by_name[name]
            if place == 1:
                heading = heading + fan if finger == 1 else direction * 0.35 + fan * pose.spread
            if place:
                heading += pose.sway[finger * 3 + place]
            # A bent finger leaves the plane further with every joint.
            out = np.deg2rad(min(85.0, bend * (0.0, 0.45, 1.0, 1.25)[place]))
            seen = length * float(np.cos(out))
            axis = _unit(heading)
            kind = name if name in WIDTHS else row
            widths = tuple(float(girth * w * length) for w in WIDTHS[kind])
            widths = (widths[2], widths[1], widths[0]) if row == "MC" and finger > 1 else widths
            grows = 1 if row == "MC" and finger > 1 else -1
            joint = 0.65 * scale**0.3
            tubes.append(Tube(name, spot, axis, seen, widths, grows, joint, child.maturity[name]))
            spot = spot + seen * axis
    tubes += _forearm(child, scale, girth, rng)
    turn = np.deg2rad(pose.turn)
    matrix = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    if pose.mirrored:
        matrix = np.array([[-1.0, 0.0], [0.0, 1.0]]) @ matrix
    rounds = _carpals(child, scale, rng, matrix)
    turned = [Tube(**{**vars(t), "start": matrix @ t.start, "axis": matrix @ t.axis}) for t in tubes]
    return Hand(child, tuple(turned), tuple(rounds), scale)


def _grown() -> Point:
    table = reading.given_table()
    return np.exp(table.average("M")[:, -1])


def _forearm(child: Child, scale: float, girth: float, rng: np.random.Generator) -> list[Tube]:
    """Radius and ulna, from far below the picture up to the wrist."""
    lean = rng.normal(0, 2)
    made = []
    for name, x, y, end, waist in (("radius", -6.5, 0.5, 14.5, 6.6), ("ulna", 15.0, -1.5, 7.6, 5.4)):
        axis = _unit((2.0 if name == "radius" else -2.5) + lean)
        length = 180.0 * scale
        tip = np.array([x, y]) * scale
        widths = (girth * waist * scale * 1.1, girth * waist * scale, girth * end * scale)
        made.append(Tube(name, tip - length * axis, axis, length, widths, 1, 0.8 * scale**0.3, child.maturity[name]))
    return made


def _carpals(child: Child, scale: float, rng: np.random.Generator, matrix: Point) -> list[Round]:
    made = []
    for name, (x, y, wide, high, tilt) in CARPAL_PLACES.items():
        spot = np.array([x, y]) * scale + rng.normal(0, 0.6, 2) * scale
        bumps = rng.normal(0, 1, 3) * (0.05, 0.07, 0.04)
        size = child.maturity[name].centre
        if size <= 0:
            continue
        # Young centres are round, and smaller than the cartilage they lie in.
        roundness = np.sqrt(wide * high)
        half = tuple(scale * size * ((1 - size) * roundness + size * each) for each in (wide, high))
        lean = np.deg2rad(tilt)
        frame = matrix @ np.array([[np.cos(lean), np.sin(lean)], [-np.sin(lean), np.cos(lean)]])
        made.append(Round(name, matrix @ spot, (float(half[0]), float(half[1])), frame, tuple(size * bumps)))
    return made


def _unit(degrees: float) -> Point:
    """0 is straight up, positive to the right."""
    return np.array([np.sin(np.deg2rad(degrees)), np.cos(np.deg2rad(degrees))])
