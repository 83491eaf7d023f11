"""What a sealed instance says of itself: the identity chunk of its file, in every version.

Whatever must be known of an image when its database is lost stands here, as it was at Send. What a
version holds: docs/decisions/0003-sealed-file.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from capture_app.model.delivery import Instance
from capture_app.model.operator import Operator
from capture_app.model.patient import Patient
from capture_app.model.shown import ShownAtSend
from capture_app.outbox.keeping.drafts import PictureIdentity
from capture_app.outbox.sealing.study import SeriesPlace
from capture_app.store.record import from_record
from capture_app.store.sealed_form import SealedHeader


@dataclass(frozen=True, slots=True)
class SealedIdentity:
    """Enough to make all rows of an instance again. Written whole: no field may be absent."""

    kept: PictureIdentity
    """With the description that was sealed; its exam names who took the picture."""
    capture_id: str
    send_id: str
    user_id: str
    """Who sent it."""
    place: SeriesPlace
    instance: Instance
    keep_days: int
    sealed_at: datetime
    patient: Patient
    """In the wording that was sealed."""
    destinations: tuple[str, ...]
    """The archives that it is for, as the settings named them at Send."""
    sender: Operator | None
    """As they were then, with what they might do; None in a file of version 1."""
    shown: ShownAtSend | None
    """What the screen said at Send; None where a command sent, and in a file of version 1."""


@dataclass(frozen=True, slots=True)
class _Version1:
    kept: PictureIdentity
    capture_id: str
    send_id: str
    user_id: str
    place: SeriesPlace
    instance: Instance
    keep_days: int
    sealed_at: datetime
    patient: Patient | None = None


def read_identity(
    header: SealedHeader, record: bytes, *, unnamed: tuple[str, ...] = ()
) -> SealedIdentity:
    """The identity of a sealed instance. Raises SealBrokenError for what does not fit its version.

    `unnamed`: the destinations of a file that names none, which is one of version 1.
    """
    if header.version > 1:
        return from_record(SealedIdentity, record)
    old = from_record(_Version1, record)
    return SealedIdentity(
        kept=old.kept,
        capture_id=old.capture_id,
        send_id=old.send_id,
        user_id=old.user_id,
        place=old.place,
        instance=old.instance,
        keep_days=old.keep_days,
        sealed_at=old.sealed_at,
        patient=old.patient or old.kept.exam.patient,
        destinations=unnamed,
        sender=None,
        shown=None,
    )


def instance_context(sop_instance_uid: str) -> str:
    """The place of an instance's encrypted cell."""
    return f"instance {sop_instance_uid}"
