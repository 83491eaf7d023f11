"""What an archive's answer means: taken, again later, or a person is needed.

The statuses are those of C-STORE (PS3.4 B.2.3, PS3.7 C), which STOW-RS uses too (PS3.18 10.5.3).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from capture_app.errors import DeliveryError, RefusedDeliveryError, TransientDeliveryError
from capture_app.model.delivery import Instance, ProofReceipt, StoreReceipt
from capture_app.model.reason import NOT_IN_ARCHIVE, Reason
from capture_app.model.words import tr
from capture_app.net.deadline import Interruption

DUPLICATE: Final = 0x0111
_WEB_DUPLICATE: Final = 0xB00E  # two that a cloud archive gives as failure reasons
_WEB_BEING_STORED: Final = 0xB00F

SLOWEST_BYTES_PER_SECOND: Final = 65_536
"""By this the time for one image grows with its size; a slower line counts as stalled."""

Proven = Iterator[tuple[str, ProofReceipt | DeliveryError]]


class ProofMethod(Protocol):
    """A way in which an archive shows that it holds instances; see outbox.ports.Archive.prove."""

    def prove(self, instances: Sequence[Instance], interruption: Interruption) -> Proven:
        """One outcome for each instance, as soon as it is known."""
        ...


def stored(name: str, uid: str, status: int | None) -> StoreReceipt | DeliveryError:
    """The outcome of an instance for which the archive `name` gave that status."""
    if status is None:
        return TransientDeliveryError(Reason.of("no-status", name=name))
    if status == DUPLICATE:
        # It has something under this UID: the proof shows whether it is ours.
        return StoreReceipt(uid, status, tr("{name} says that it has this image.", name=name))
    if status == 0x0000 or 0xB000 <= status <= 0xBFFF:
        return StoreReceipt(uid, status, _warning(name, status))
    return failed(name, status)


def failed(name: str, status: int) -> DeliveryError:
    """The outcome for a status that says that the instance was not stored."""
    passes = 0xA700 <= status <= 0xA7FF or status in {0x0213, 0x0110, 0xFE00, _WEB_BEING_STORED}
    kind = TransientDeliveryError if passes else RefusedDeliveryError
    return kind(Reason.of(f"status-{status:04X}", name=name))


def stored_by_web(name: str, uid: str, failure_reason: int) -> StoreReceipt | DeliveryError:
    """The outcome for the reason in a Failed SOP Sequence (PS3.18 10.5.3.1)."""
    if failure_reason in {DUPLICATE, _WEB_DUPLICATE}:
        return stored(name, uid, DUPLICATE)
    return failed(name, failure_reason)


def not_in_archive(name: str) -> TransientDeliveryError:
    """The archive was asked, and does not hold the instance."""
    return TransientDeliveryError(Reason.of(NOT_IN_ARCHIVE, name=name))


def _warning(name: str, status: int) -> str:
    match status:
        case 0x0000:
            return ""
        case 0xB000:
            return tr("{name} changed values in it.", name=name)
        case 0xB006:
            return tr("{name} left parts of it out.", name=name)
        case 0xB007:
            return tr("{name} finds that it does not fit its kind.", name=name)
        case _:
            return tr("{name} stored it with a warning ({s}).", name=name, s=f"{status:04X}")
