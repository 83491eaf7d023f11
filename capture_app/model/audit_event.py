"""What the trail records of a person's act."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class AuditAction(StrEnum):
    """The acts that are recorded; the sender maps them to DICOM audit events (PS3.15 A.5.3)."""

    APPLICATION_STARTED = "application-started"
    APPLICATION_STOPPED = "application-stopped"
    SIGNED_IN = "signed-in"
    SIGN_IN_FAILED = "sign-in-failed"
    LOCKED = "locked"
    SESSION_ENDED = "session-ended"
    """The window was closed to a user whose rights were changed."""
    PATIENTS_LISTED = "patients-listed"
    """By a command."""
    PATIENT_OPENED = "patient-opened"
    ORDER_CHOSEN = "order-chosen"
    ORDER_LEFT = "order-left"
    """Pictures that waited under an order that may be another patient's go on without it."""
    IDENTITY_CHECKED = "identity-checked"
    """Of an open exam, once more: at Send, or by a wristband."""
    IDENTITY_CHECK_FAILED = "identity-check-failed"
    WORDING_FOLLOWED = "wording-followed"
    """The feed changed name, birth date or sex of the patient of an open exam."""
    PLACE_PICKED = "place-picked"
    """Where the next pictures are taken was picked, or left to the visit again."""
    CAPTURED = "captured"
    IMPORTED = "imported"
    SLATE_MADE = "slate-made"
    """A slate was shown on the screen, or printed: pictures that follow it are of its patient."""
    FILE_REMOVED = "file-removed"
    """From the card that the picture came on, once every archive had proved that it holds it."""
    DESCRIBED = "described"
    DELETED = "deleted"
    RESTORED = "restored"
    SEND_ASKED = "send-asked"
    SEND_UNDONE = "send-undone"
    CALLED_BACK = "called-back"
    STOPPED_BY_FEED = "stopped-by-feed"
    """The feed said something against sending a picture before an archive could have it, or gave
    the order of an exam to another patient: a person decides.
    """
    TRANSFER_BEGUN = "transfer-begun"
    TRANSFERRED = "transferred"
    CONFIRMED = "confirmed"
    PURGED = "purged"
    STEP_GIVEN_AGAIN = "step-given-again"
    """The step of a delivery was lost by damage: the archive is asked for a proof anew."""
    RETRY_ASKED = "retry-asked"
    ARCHIVE_RETIRED = "archive-retired"
    """An image is no longer due at an archive that is no more."""
    HELD_ASKED = "held-asked"
    RELEASED = "released"
    USER_ADDED = "user-added"
    USER_REMOVED = "user-removed"
    ROLES_SET = "roles-set"
    PIN_RESET = "pin-reset"
    PIN_CHANGED = "pin-changed"
    """By its owner."""
    USERS_SEALED = "users-sealed"
    """Those of an earlier version were taken over."""
    USERS_BEGUN_ANEW = "users-begun-anew"
    """The list of users was lost, or nobody in it kept it any more."""
    SCANNER_SET_UP = "scanner-set-up"
    TRAIL_BROKEN = "trail-broken"
    """The trail was found to be no longer what was written; it goes on behind this row."""
    TRAIL_BREAK_SEEN = "trail-break-seen"
    """An auditor has looked into a break."""
    TRAIL_READ = "trail-read"
    TRAIL_EXPORTED = "trail-exported"
    CLOCK_JUMPED = "clock-jumped"
    """The time of this computer was set, by hand or by a time server."""
    MERGE_SETTLED = "merge-settled"
    """A refused merge of the feed was dealt with, by hand: it marks nobody any more."""
    FEED_SENDER_HEARD = "feed-sender-heard"
    """The first message of an address, or of a certificate, since the application was started."""
    FEED_SENDER_TURNED_AWAY = "feed-sender-turned-away"
    """Somebody called the port of the feed who may not; of an address once in that time."""

    OBJECT_RECEIVED = "object-received"
    """A scanner sent an image by itself; it is kept."""
    OBJECT_REFUSED = "object-refused"
    """What a scanner sent was not kept; it was told so."""
    OBJECT_FILED = "object-filed"
    """A received image was filed to a patient, by agreement or by a person, and goes its way."""
    OBJECT_DISCARDED = "object-discarded"
    """A received image was taken out of sight; its file goes a day later."""
    OBJECT_BROUGHT_BACK = "object-brought-back"
    SCANNER_TURNED_AWAY = "scanner-turned-away"
    """Somebody called the port for scanners who may not; of an address once since the start."""


class EventOutcome(StrEnum):
    """How it ended (PS3.15 A.5.1, EventOutcomeIndicator 0, 4, 8)."""

    SUCCESS = "success"
    MINOR_FAILURE = "minor-failure"
    SERIOUS_FAILURE = "serious-failure"


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """One act. `patient_key` is the keyed hash of the identity, never the identity itself."""

    action: AuditAction
    user_id: str
    outcome: EventOutcome = EventOutcome.SUCCESS
    exam_id: str = ""
    sop_instance_uid: str = ""
    study_instance_uid: str = ""
    patient_key: str = ""
    details: Mapping[str, str] = field(default_factory=dict)
    """Short coded facts: a destination, a reason code, a count. No free text, no patient data."""
