"""Clips: Multi-frame, Cine, SC Equipment, SC Multi-frame Image and SC Multi-frame Vector
(PS3.3 C.7.6.6, C.7.6.5, C.8.6.1, C.8.6.3, C.8.6.4).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from pydicom.dataset import Dataset

import capture_app
from capture_app.dicom.elements import put
from capture_app.dicom.modules.equipment import APPLICATION
from capture_app.errors import ConformanceError

_FRAME_TIME: Final = 0x00181063
_FRAME_TIME_VECTOR: Final = 0x00181065
_LONGEST_VECTOR: Final = 65_534
"""Bytes of a value with a 16-bit length (PS3.5 7.1.2)."""


def multi_frame_module(ds: Dataset, taken_us: Sequence[int]) -> None:
    """How many frames, and when each is shown (C.7.6.6, C.7.6.5).

    One Frame Time where it shows no frame further than half of itself from when it was taken, else
    the measured times as a Frame Time Vector. Raises ConformanceError for fewer than two frames,
    for times that go back or stand still, and for more than a vector can hold.
    """
    gaps = [later - earlier for earlier, later in pairwise(taken_us)]
    if not gaps or min(gaps) < 0 or taken_us[-1] == taken_us[0]:
        message = "a clip has frames that follow each other in time"
        raise ConformanceError(message)
    put(ds, "NumberOfFrames", len(taken_us))
    if is_steady(taken_us):
        put(ds, "FrameIncrementPointer", _FRAME_TIME)
        put(ds, "FrameTime", _ms(_mean_us(taken_us)))
    else:
        vector = _vector(taken_us)
        if len("\\".join(vector)) > _LONGEST_VECTOR:
            message = "FrameTimeVector is longer than its VR allows"
            raise ConformanceError(message)
        put(ds, "FrameIncrementPointer", _FRAME_TIME_VECTOR)
        put(ds, "FrameTimeVector", vector)
    rate = max(1, round(1e6 / _mean_us(taken_us)))
    put(ds, "CineRate", rate)
    put(ds, "RecommendedDisplayFrameRate", rate)
    put(ds, "EffectiveDuration", f"{(taken_us[-1] - taken_us[0]) / 1e6:.3f}")


def is_steady(taken_us: Sequence[int]) -> bool:
    """Whether one Frame Time is true of all: none further than half of it from its own time."""
    mean = (taken_us[-1] - taken_us[0]) / max(1, len(taken_us) - 1)
    return all(
        abs(at - taken_us[0] - number * mean) <= mean / 2 for number, at in enumerate(taken_us)
    )


def vector_is_too_long(taken_us: Sequence[int]) -> bool:
    """Whether the times need a Frame Time Vector that one instance cannot hold."""
    return not is_steady(taken_us) and len("\\".join(_vector(taken_us))) > _LONGEST_VECTOR


def secondary_capture_modules(ds: Dataset, *, grey: bool) -> None:
    """What took the pictures over, and what this kind of object must say besides.

    Burned In Annotation is Type 1: where nobody has said that there is none, it says YES.
    """
    put(ds, "ConversionType", "DI")
    put(ds, "SecondaryCaptureDeviceManufacturer", APPLICATION)
    put(ds, "SecondaryCaptureDeviceManufacturerModelName", APPLICATION)
    put(ds, "SecondaryCaptureDeviceSoftwareVersions", capture_app.__version__)
    if "BurnedInAnnotation" not in ds:
        put(ds, "BurnedInAnnotation", "YES")
    if grey:
        put(ds, "PresentationLUTShape", "IDENTITY")
        put(ds, "RescaleIntercept", "0")
        put(ds, "RescaleSlope", "1")
        put(ds, "RescaleType", "US")


def _mean_us(taken_us: Sequence[int]) -> float:
    return (taken_us[-1] - taken_us[0]) / (len(taken_us) - 1)


def _vector(taken_us: Sequence[int]) -> list[str]:
    """The time from each frame to the next, of the first 0 (C.7.6.5.1.2).

    To the microsecond as they were measured, else to the millisecond where a value could not hold
    that: differences of rounded times, not rounded differences, so that nothing adds up.
    """
    vector = ["0", *(_ms(later - earlier) for earlier, later in pairwise(taken_us))]
    if len("\\".join(vector)) <= _LONGEST_VECTOR:
        return vector
    at = [round((one - taken_us[0]) / 1000) for one in taken_us]
    return ["0", *(str(later - earlier) for earlier, later in pairwise(at))]


def _ms(us: float) -> str:
    """A DS of milliseconds."""
    return f"{us / 1000:.6f}".rstrip("0").rstrip(".")
