"""One simulated radiograph with all that is true of it, from a seed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.cases.bone_age import exposure, hand, render
from engines.cases.bone_age.exposure import Scanner
from engines.cases.bone_age.hand import Child, Hand, Pose
from engines.core.radiograph import Age, Radiograph

HEIGHT, WIDTH = 192, 144  # the working size of every picture
MIDDLE_MM = 1.15  # a usual pixel of that size
NOTE = "simulated, not a person; not for clinical use"


@dataclass(frozen=True)
class Shot:
    """A picture and its truth; `labels` uint8 (HEIGHT, WIDTH), places in anatomy.LABELS."""

    radiograph: Radiograph
    labels: NDArray[np.uint8]
    child: Child

    @property
    def age(self) -> Age:
        return Age(self.child.skeletal, chronological=self.child.chronological)


def shoot(
    rng: np.random.Generator, child: Child | None = None, pose: Pose | None = None, scanner: Scanner | None = None
):
    """A radiograph; what is not given is drawn. The same generator state gives the same picture."""
    child = child or hand.draw_child(rng)
    pose = pose or hand.draw_pose(rng)
    scanner = scanner or exposure.SCANNERS[int(rng.integers(len(exposure.SCANNERS)))]
    laid = hand.lay_out(child, pose, rng)
    frame = _frame(laid, rng)
    matter = render.draw(laid, frame, rng)
    grey, inside = exposure.expose(matter, frame, scanner, pose.mirrored, rng)
    # Eight bits, as files have.
    pixels = np.rint(grey * 255).astype(np.float32) / np.float32(255)
    return Shot(Radiograph(pixels, frame.mm_per_pixel, child.sex, NOTE), matter.labels * inside, child)


def _frame(laid: Hand, rng: np.random.Generator) -> render.Frame:
    """A field around the hand with a margin, some of the forearm in it; rarely a fingertip is cut off."""
    fingers = [tube for tube in laid.tubes if tube.name not in ("radius", "ulna")]
    points = np.array([p for t in fingers for p in (t.start, t.start + t.axis * t.length)])
    margin = 9.0 * laid.scale
    low, high = points.min(axis=0) - margin, points.max(axis=0) + margin
    wrist = np.mean([t.start + t.axis * t.length for t in laid.tubes[-2:]], axis=0)
    low[1] = min(low[1], wrist[1] - rng.uniform(16, 40) * laid.scale)
    room = float(np.exp(rng.uniform(np.log(1.02), np.log(1.35))))
    size = high - low
    mm = float(np.float32(room * max(size[1] / HEIGHT, size[0] / WIDTH)))
    free = np.array([WIDTH, HEIGHT]) * mm - size
    # Hands lie near the middle, and the forearm comes in from below.
    left = low[0] - free[0] * rng.uniform(0.25, 0.75)
    top = high[1] + free[1] * rng.uniform(-0.02, 0.6)
    return render.Frame(HEIGHT, WIDTH, mm, float(left), float(top))
