"""DICOM radiographs. Only the tags named here are read: who the patient is never enters memory."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.core import UserError

MAX_PIXELS = 25_000_000
# What is needed to show the picture, and how large its pixels are. Of the person, the sex alone.
_TAGS = (
    "Rows",
    "Columns",
    "SamplesPerPixel",
    "PhotometricInterpretation",
    "BitsAllocated",
    "BitsStored",
    "HighBit",
    "PixelRepresentation",
    "PlanarConfiguration",
    "NumberOfFrames",
    "PixelSpacing",
    "ImagerPixelSpacing",
    "EstimatedRadiographicMagnificationFactor",
    "RescaleSlope",
    "RescaleIntercept",
    "PatientSex",
)


@dataclass(frozen=True)
class Plate:
    """`pixels` float32 (height, width) in [0, 1], bright where the film would be; `mm` of a pixel; `sex`."""

    pixels: NDArray[np.float32]
    mm: float
    sex: str


def looks_like_dicom(content: bytes, name: str) -> bool:
    return content[128:132] == b"DICM" or name.lower().endswith((".dcm", ".dicom"))


def read(content: bytes, name: str) -> Plate:
    """The picture in a DICOM file.

    Raises:
        UserError: it cannot be read, has no picture, several, too large a one, no pixel size, or is compressed in a way
            that is not read here.
    """
    import pydicom
    from pydicom.errors import InvalidDicomError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            head = pydicom.dcmread(io.BytesIO(content), specific_tags=list(_TAGS), stop_before_pixels=True)
    except (InvalidDicomError, EOFError, ValueError, KeyError, NotImplementedError, OSError) as error:
        raise UserError(f"{name} could not be read as DICOM: export it again from the viewer it came from.") from error
    rows, columns = int(head.get("Rows") or 0), int(head.get("Columns") or 0)
    if rows * columns == 0:
        raise UserError(f"{name} is DICOM without a picture: bring the file that holds the radiograph.")
    if rows * columns > MAX_PIXELS:
        raise UserError(
            f"{name} has {rows * columns / 1e6:.0f} megapixels, more than the {MAX_PIXELS / 1e6:g} that are taken: "
            "export it smaller."
        )
    if int(head.get("NumberOfFrames") or 1) > 1:
        raise UserError(f"{name} holds several pictures: bring a single radiograph.")
    mm = _spacing(head, name)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            whole = pydicom.dcmread(io.BytesIO(content), specific_tags=[*_TAGS, "PixelData"])
            if "PixelData" not in whole:
                raise UserError(f"{name} is DICOM without a picture: bring the file that holds the radiograph.")
            values = np.asarray(whole.pixel_array, np.float32)
    except (RuntimeError, NotImplementedError, ValueError, AttributeError, EOFError, KeyError) as error:
        raise UserError(
            f"{name} is compressed in a way that is not read here, or damaged: export it as uncompressed DICOM or PNG."
        ) from error
    if values.ndim == 3:
        values = values.mean(axis=2)
    if values.ndim != 2:
        raise UserError(f"{name} holds several pictures: bring a single radiograph.")
    low, high = np.quantile(values[::4, ::4], (0.005, 0.995))
    if high <= low:
        raise UserError(f"{name} is of one grey all over: bring a picture that shows something.")
    pixels = np.clip((values - low) / (high - low), 0, 1).astype(np.float32)
    if str(whole.get("PhotometricInterpretation", "")).upper() == "MONOCHROME1":
        pixels = 1 - pixels
    sex = str(whole.get("PatientSex") or "").strip().upper()
    return Plate(pixels, mm, sex if sex in ("F", "M") else "")


def _spacing(head: object, name: str) -> float:
    """mm a pixel on the patient: the imager's spacing is at the detector, a little more than at the hand."""
    get = head.get  # type: ignore[attr-defined]
    for tag in ("PixelSpacing", "ImagerPixelSpacing"):
        try:
            found = [float(value) for value in get(tag) or ()]
        except (TypeError, ValueError):
            continue
        if len(found) == 2 and 0.01 < found[0] < 5:
            grown = float(get("EstimatedRadiographicMagnificationFactor") or 1.0) if tag != "PixelSpacing" else 1.0
            return found[0] / (grown if 1 <= grown < 2 else 1.0)
    raise UserError(
        f"{name} does not say how large its pixels are, and lengths cannot be measured without: export it with its "
        "pixel spacing, or as a PNG named like hand_F_0.14mm.png."
    )
