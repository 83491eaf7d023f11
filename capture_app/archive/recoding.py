"""A sealed file in the transfer syntax that an archive takes."""

from __future__ import annotations

from capture_app.dicom.coding import in_transfer_syntax
from capture_app.errors import ConformanceError, RefusedDeliveryError
from capture_app.model.delivery import Instance
from capture_app.model.reason import SEAL_BROKEN, Reason


def as_sent(part10: bytes, instance: Instance, transfer_syntax_uid: str) -> bytes:
    """The Part 10 file as it goes over the wire: the sealed bytes, else decoded without loss.

    Raises RefusedDeliveryError "seal-broken" for a file that is not what its row says.
    """
    try:
        return in_transfer_syntax(part10, instance, transfer_syntax_uid)
    except ConformanceError as error:
        raise RefusedDeliveryError(Reason.of(SEAL_BROKEN)) from error
