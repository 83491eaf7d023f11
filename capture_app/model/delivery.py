"""The life of an image, from the shutter to the archive's proof."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from capture_app.model.clip import ClipLength
from capture_app.model.patient import Patient
from capture_app.model.reason import Reason

MOST_BROKEN_OFF: Final = 2
"""An archive that fell silent at so many images in a row is asked nothing for a while."""


class TaskKind(StrEnum):
    """The steps of delivery. The next one is inserted by the transaction that ends the last."""

    STORE = "store"
    PROVE = "prove"
    RETAIN = "retain"


class TaskState(StrEnum):
    """Where a step stands."""

    HELD = "held"
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    NEEDS_YOU = "needs-you"
    WITHDRAWN = "withdrawn"


class ImageState(StrEnum):
    """The words that a person reads. Derived from the tasks by an SQL view, never stored."""

    DRAFT = "draft"
    HELD = "held"
    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    LISTED = "listed"
    CONFIRMED = "confirmed"
    PURGED = "purged"
    NEEDS_YOU = "needs-you"
    """Stopped, and a clinician can do something about it."""
    IT_ASKED = "it-asked"
    """Stopped, and only IT can do something about it."""


class ProofKind(StrEnum):
    """How the archive proved that it holds an instance. LISTED is no proof of custody."""

    PIXEL_HASH = "pixel-hash"
    STORAGE_COMMITMENT = "storage-commitment"
    LISTED = "listed"


@dataclass(frozen=True, slots=True)
class PixelLayout:
    """How pixel data is to be read (PS3.3 C.7.6.3): the same bytes read otherwise are another
    picture.
    """

    rows: int
    columns: int
    samples_per_pixel: int
    photometric_interpretation: str
    planar_configuration: int | None
    """None where it is not stated, as of one sample a pixel."""
    bits_allocated: int
    bits_stored: int
    high_bit: int
    pixel_representation: int
    frames: int


@dataclass(frozen=True, slots=True)
class Fragment:
    """Where the pixels of one frame, or a part of them, lie in the Part 10 file (PS3.5 A.4)."""

    frame: int
    """Number of the frame, from 1."""
    offset: int
    """Of its first byte, from the beginning of the file."""
    length: int
    """In bytes, without the byte that pads it to even length."""


@dataclass(frozen=True, slots=True)
class Instance:
    """A sealed SOP instance: what an archive needs to know before it is handed the bytes."""

    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    study_instance_uid: str
    series_instance_uid: str
    patient_id: str
    issuer_of_patient_id: str
    pixel_sha256: str
    """Hex SHA-256 over the pixel data: the JPEG stream without padding, or the native bytes."""
    size: int
    """Bytes of the Part 10 file."""
    patient: Patient | None = None
    """In the wording that was sealed, once it is in the outbox; None in rows of before."""
    pixel_layout: PixelLayout | None = None
    """None in rows of before: the archive's is then not compared."""
    fragments: tuple[Fragment, ...] = ()
    """In the order of the frames; none in rows and files of before, whose padding is guessed."""
    decoded_sha256: str = ""
    """Hex SHA-256 over the pixels that a lossless stream codes: what an archive holds that keeps
    them uncompressed. Empty where the pixels are not coded, or not without loss."""

    @property
    def is_clip(self) -> bool:
        """Whether it has several frames: it may be too large to be held in memory."""
        return self.pixel_layout is not None and self.pixel_layout.frames > 1

    @property
    def stream_length(self) -> int | None:
        """Bytes of the pixels without padding; None where it was not written down."""
        return sum(one.length for one in self.fragments) or None

    @property
    def largest_size(self) -> int:
        """Bytes of the file, or of its pixels uncompressed where an archive may hold them so."""
        layout = self.pixel_layout
        if not self.decoded_sha256 or layout is None:
            return self.size
        pixels = layout.frames * layout.rows * layout.columns * layout.samples_per_pixel
        return max(self.size, pixels * layout.bits_allocated // 8)


@dataclass(frozen=True, slots=True)
class AtArchive:
    """How an image stands at one of the archives that it is for."""

    destination: str
    state: ImageState | None
    """None where the archive was retired before it had the image."""
    proof: ProofKind | None
    failures: int
    due_at: datetime | None
    reason: Reason | None


@dataclass(frozen=True, slots=True)
class StoreReceipt:
    """The archive's answer to C-STORE or STOW-RS. Sent is not Confirmed."""

    sop_instance_uid: str
    status: int
    """0x0000, or a warning 0xBxxx."""
    warning: str = ""


@dataclass(frozen=True, slots=True)
class ProofReceipt:
    """What the archive showed of one instance, identity compared by the archive room."""

    sop_instance_uid: str
    kind: ProofKind
    archive_name: str
    transaction_uid: str = ""


@dataclass(frozen=True, slots=True)
class ImageStatus:
    """One image for a list: where it stands, why, and when it is tried again. No patient data."""

    capture_id: str
    sop_instance_uid: str
    exam_id: str
    state: ImageState
    kept_at: datetime
    sealed_at: datetime | None
    changed_at: datetime
    destination: str
    failures: int
    due_at: datetime | None
    reason: Reason | None
    proof: ProofKind | None
    send_id: str = ""
    """What was sent together has the same; empty for a draft."""
    held_by_person: bool = False
    """Held until a person releases it, and not only for a moment of second thoughts."""
    can_be_recalled: bool = False
    """Whether a person can make it a draft again: no attempt to send it has begun."""
    clip: ClipLength | None = None
    """How much of a clip there is; None for a picture."""

    @property
    def last_error(self) -> str:
        """The reason in words; empty where there is none."""
        return str(self.reason) if self.reason else ""
