"""What brings the light."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from capture_app.model.console import ConsoleLayout
from capture_app.model.procedure import ImageKind
from capture_app.model.ultrasound import Preset

OFTEN_BURNED_IN: Final = frozenset({ImageKind.ULTRASOUND, ImageKind.ENDOSCOPY})
"""Kinds whose source usually writes the patient's name into the picture."""


class DeviceKind(StrEnum):
    """How a device is reached."""

    CAMERA = "camera"
    STREAM = "stream"
    FILE = "file"
    SYNTHETIC = "synthetic"


@dataclass(frozen=True, slots=True)
class Grabber:
    """What made a picture file of a scanner's or tower's video signal. Empty is unknown."""

    manufacturer: str
    model_name: str = ""
    serial_number: str = ""
    software_versions: str = ""


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    """A device profile: what General Equipment (PS3.3 C.7.5.1) says of it. Empty is unknown.

    Of a scanner behind a grabber it is the scanner's, and `grabber` is what stands between.
    """

    device_id: str
    name: str
    kind: DeviceKind
    image_kind: ImageKind = ImageKind.PHOTO
    manufacturer: str = ""
    model_name: str = ""
    serial_number: str = ""
    software_versions: str = ""
    burned_in_annotation: bool | None = None
    """Whether its pictures show whose they are; None where nobody has said, or where it depends on
    whether the console's names were cut away.
    """
    grabber: Grabber | None = None
    console: ConsoleLayout | None = None
    preset: Preset | None = None
    """What its console is set to; None where nobody has said."""
