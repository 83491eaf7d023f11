"""An object that a scanner made and sent by itself, and whose it says it is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from capture_app.model.delivery import PixelLayout


@dataclass(frozen=True, slots=True)
class StatedPatient:
    """The patient as the object names them. Empty is not said. None of it is believed by itself."""

    patient_id: str
    issuer: str
    """Issuer of Patient ID (0010,0021), or what the settings say of a scanner that names none."""
    universal_id: str
    """Universal Entity ID (0040,0032) of the issuer."""
    name: str
    """Patient's Name as a PN value."""
    birth_date: str
    """YYYYMMDD."""
    sex: str
    is_unreadable: bool = False
    """Some of it is not of the character set that the object names."""


class Contradiction(StrEnum):
    """What of an object's patient does not fit a patient of ours. Stable words: they are logged."""

    NUMBER = "number"
    ISSUER = "issuer"
    NAME = "name"
    BIRTH_DATE = "birth-date"
    SEX = "sex"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class ReceivedObject:
    """What is written down with a received object: enough to make its row again, and to file it."""

    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    study_instance_uid: str
    series_instance_uid: str
    stated: StatedPatient
    sender: str
    """The scanner's name in the settings."""
    charset_when_absent: str
    modality: str
    manufacturer: str
    model_name: str
    serial_number: str
    software_versions: str
    pixel_sha256: str
    pixel_layout: PixelLayout
    pixels_at: int
    """Where Pixel Data (7FE0,0010) begins in the encoded dataset."""
    received_at: datetime
    letter: str
    """Keyed hash of the encoded dataset: the same object, sent once more, has the same, and another
    of the same SOP Instance UID has not.
    """


@dataclass(frozen=True, slots=True)
class WaitingObject:
    """A received object that is nobody's yet."""

    received: ReceivedObject
    size: int
    """Bytes of its Part 10 file."""
    letters: int = 1
    """How many wait that say other things under its SOP Instance UID, itself counted."""
    is_uid_sent: bool = False
    """An image of this SOP Instance UID is a patient's already: it can only be discarded."""

    @property
    def is_alone(self) -> bool:
        """Nothing else goes by its SOP Instance UID: it can be filed without a choice."""
        return self.letters == 1 and not self.is_uid_sent

    @property
    def letter(self) -> str:
        """What tells it from all others."""
        return self.received.letter
