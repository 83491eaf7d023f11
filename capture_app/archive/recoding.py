"""A sealed file in the transfer syntax that an archive takes."""

from __future__ import annotations

from capture_app.dicom.coding import in_transfer_syntax
from capture_app.errors import ConformanceError, RefusedDeliveryError
from capture_app.model.delivery import Instance
from capture_app.model.part10_file import Part10File
from capture_app.model.reason import SEAL_BROKEN, Reason


def as_sent(file: Part10File, instance: Instance, transfer_syntax_uid: str) -> Part10File:
    """The Part 10 file as it goes over the wire: the sealed bytes, else decoded without loss.

    Raises RefusedDeliveryError "seal-broken" for a file that is not what its row says.
    """
    if transfer_syntax_uid == instance.transfer_syntax_uid:
        return file
    try:
        return Part10File.of(in_transfer_syntax(file.whole(), instance, transfer_syntax_uid))
    except ConformanceError as error:
        raise RefusedDeliveryError(Reason.of(SEAL_BROKEN)) from error
