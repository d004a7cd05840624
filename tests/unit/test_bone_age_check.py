"""Is it a hand, whole and the right way up? Asked of the kept pipeline with pictures that are none, or not as they
should be; what is right goes through."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from engines import registry
from engines.cases.bone_age import check, decode, hand, simulate
from engines.cases.bone_age.exposure import SCANNERS
from engines.core import UserError

TASK = registry.case("bone_age").task("simulated")
HANDS = 12


@pytest.fixture(scope="module", autouse=True)
def _model():
    assert check._segmenter() is not None, "precomputed/bone_age keeps no trained pipeline"


def xray(i: int = 0) -> simulate.Shot:
    rng = np.random.default_rng([55, i])
    child = hand.draw_child(rng, "FM"[i % 2], 12.0 * (5 + i))
    return simulate.shoot(rng, child, hand.Pose(mirrored=bool(i % 3 == 0)), SCANNERS[(0, 2, 4)[i % 3]])


def taken(pixels: np.ndarray, name: str = "some_F_1mm.png"):
    """What a visitor's file of these greys in [0, 1] becomes."""
    file = io.BytesIO()
    Image.fromarray(np.rint(np.clip(pixels, 0, 1) * 255).astype(np.uint8)).save(file, "PNG")
    return decode.decode(file.getvalue(), name, TASK)


def refused(pixels: np.ndarray, match: str) -> None:
    with pytest.raises(UserError, match=match) as caught:
        taken(pixels)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def photograph() -> np.ndarray:
    """A grey landscape: clouds over a horizon, a bright house before it."""
    rng = np.random.default_rng(1)
    made = 0.7 + 0.3 * ndimage.gaussian_filter(rng.standard_normal((400, 300)), 25) * 20
    made[240:] = 0.35 + 0.2 * ndimage.gaussian_filter(rng.standard_normal((160, 300)), 2)
    made[180:300, 90:190] = 0.85
    made[220:260, 110:130] = 0.2
    return made


def foot() -> np.ndarray:
    """A foot from above as X-rays show it: a heel, a block of tarsals, five rays side by side, short toes."""
    y, x = np.mgrid[0:420, 0:240].astype(float)
    tissue = ((x - 120) / 62) ** 2 + ((y - 250) / 200) ** 2 < 1
    made = 0.05 + 0.25 * tissue
    made[((x - 125) / 34) ** 2 + ((y - 385) / 60) ** 2 < 1] = 0.85  # heel
    made[((x - 120) / 44) ** 2 + ((y - 290) / 48) ** 2 < 1] = 0.75  # tarsals
    for ray in range(5):
        middle, thick = 82 + 19 * ray, 9 - ray * 0.8
        for top, low in ((150, 245), (112, 146), (95, 110), (82, 93)):
            bone = (np.abs(x - middle) < thick * (0.7 + 0.3 * np.abs(2 * (y - top) / (low - top) - 1))) & (y > top)
            made[bone & (y < low)] = 0.8
    noise = np.random.default_rng(2).normal(0, 0.02, made.shape)
    return ndimage.gaussian_filter(made, 1.2) + noise


def test_hands_go_through_as_they_are():
    for i in range(HANDS):
        shot = xray(i)
        assert np.abs(taken(shot.radiograph.pixels).pixels - shot.radiograph.pixels).max() < 0.01


def test_a_hand_in_inverted_grey_is_put_right():
    for i in range(HANDS):
        pixels = xray(i).radiograph.pixels
        found = taken(1 - pixels).pixels
        assert np.corrcoef(found.ravel(), pixels.ravel())[0, 1] > 0.9


def test_a_hand_upside_down_is_said_to_be():
    for i in range(HANDS):
        refused(xray(i).radiograph.pixels[::-1, ::-1], "upside down")
    refused(1 - xray(1).radiograph.pixels[::-1, ::-1], "upside down")


def test_a_hand_without_its_fingers_is_not_measured():
    told = []
    for i in range(HANDS):
        shot = xray(i)
        tip = np.flatnonzero((shot.labels > 0).any(axis=1))[0]
        with pytest.raises(UserError) as caught:
            taken(shot.radiograph.pixels[tip + 38 :])
        told.append("part of a hand" in str(caught.value) or "cut off" in str(caught.value))
    assert np.mean(told) > 0.6  # of the others too little is left to be taken for a hand


@pytest.mark.parametrize("made", [photograph, foot], ids=["photograph", "foot"])
def test_what_is_no_hand_is_refused(made):
    refused(made(), "does not look like an X-ray of a hand|part of a hand")


def test_noise_writing_and_a_single_finger_are_no_hands():
    rng = np.random.default_rng(3)
    refused(rng.random((300, 240)), "does not look like")
    page = np.ones((300, 240))
    page[20:280:12, 20:220] = rng.random((22, 200)) < 0.5
    refused(page, "does not look like")
    shot = xray(6)
    label = 1 + list(check.LONG).index("PP3")
    rows, columns = np.nonzero(shot.labels == label)
    finger = shot.radiograph.pixels[: rows.max(), max(0, columns.min() - 4) : columns.max() + 5]
    large = np.kron(finger, np.ones((8, 8), np.float32))
    refused(large, "does not look like|part of a hand")
