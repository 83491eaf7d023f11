"""What an archive says that it takes, for the doctor: contexts are proposed, nothing is sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from pydicom.uid import UID

from capture_app.clock import Clock
from capture_app.dicom.kinds import SOP_CLASSES
from capture_app.model.procedure import ImageKind
from capture_app.net.deadline import Deadline
from capture_app.net.dicom.association import UNCOMPRESSED, Peer, open_association
from capture_app.net.dicom.upper_layer import Context

STORAGE_COMMITMENT: Final = "1.2.840.10008.1.20.1"
_JPEG_BASELINE: Final = "1.2.840.10008.1.2.4.50"
_LOSSLESS: Final = ("1.2.840.10008.1.2.4.80", *UNCOMPRESSED)  # JPEG-LS, else decoded


@dataclass(frozen=True, slots=True)
class Offer:
    """One SOP class, and in which of our transfer syntaxes the archive takes it."""

    sop_class_uid: str
    transfer_syntaxes: tuple[str, ...]
    is_image: bool

    @property
    def name(self) -> str:
        """Its name in the standard (PS3.6 A)."""
        return UID(self.sop_class_uid).name

    @property
    def takes_camera_jpeg(self) -> bool:
        """Whether the JPEG of a camera can go as it is."""
        return _JPEG_BASELINE in self.transfer_syntaxes

    @property
    def takes_lossless(self) -> bool:
        """Whether other pictures can go: as they are sealed, or decoded without loss."""
        return any(syntax in _LOSSLESS for syntax in self.transfer_syntaxes)


def offered_by(
    peer: Peer, kinds: Sequence[ImageKind], clock: Clock, seconds: float, *, commits: bool
) -> tuple[Offer, ...]:
    """One offer for each kind of image, and one for storage commitment where it `commits`.

    Each transfer syntax has a context of its own: an acceptor picks one of each. Raises
    DeliveryError.
    """
    wanted = [
        (SOP_CLASSES[kind], syntax) for kind in kinds for syntax in (_JPEG_BASELINE, *_LOSSLESS)
    ]
    if commits:
        wanted += [(STORAGE_COMMITMENT, syntax) for syntax in UNCOMPRESSED]
    contexts = [Context(sop_class, (syntax,)) for sop_class, syntax in wanted]
    with open_association(peer, contexts, Deadline.after(clock, seconds)) as assoc:
        taken = [one for one in wanted if assoc.accepts(*one)]
    return tuple(
        Offer(
            sop_class,
            tuple(syntax for owner, syntax in taken if owner == sop_class),
            is_image=sop_class != STORAGE_COMMITMENT,
        )
        for sop_class in dict.fromkeys(owner for owner, _ in wanted)
    )
