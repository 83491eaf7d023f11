"""Small pictures of received objects, decoded in a child."""

from __future__ import annotations

from typing import Final

from capture_app.clock import Clock
from capture_app.errors import ImageError, SandboxError
from capture_app.model.encoded_image import EncodedImage, PixelCoding
from capture_app.model.words import tr
from capture_app.outbox.receiving.reading import LONGEST_OBJECT
from capture_app.sandbox.child import Child
from capture_app.sandbox.task import BlockRule, ChildTask

PICTURE: Final = "picture"
LONGEST_SIDE: Final = 800
"""Of the picture, in pixels."""
LOOK_AT_RECEIVED: Final = ChildTask(
    "look-at-received",
    memory=2 << 30,
    most_in=LONGEST_OBJECT,
    blocks=(BlockRule(PICTURE, LONGEST_SIDE * LONGEST_SIDE * 3, dimensions=3),),
)
_WITHIN_S: Final = 30.0


class ReceivedPictures:
    """One warm child. For use by any thread."""

    def __init__(self, clock: Clock) -> None:
        self._child = Child(LOOK_AT_RECEIVED, clock)

    def picture(self, part10: bytes, transfer_syntax_uid: str) -> EncodedImage:
        """The first frame, made small. Raises ImageError where it cannot be shown."""
        from capture_app.archive.dimse import dataset_of  # noqa: PLC0415 - not before it is needed

        question = {"transfer_syntax_uid": transfer_syntax_uid}
        try:
            answer = self._child.ask(question, bytes(dataset_of(part10)), within=_WITHIN_S)
        except SandboxError as error:
            raise _not_shown() from error
        block = answer.block(PICTURE)
        if block is None or block.shape[2] != 3 or 0 in block.shape:
            raise _not_shown()
        return EncodedImage(PixelCoding.RGB, block.shape[0], block.shape[1], bytes(block.data))

    def close(self) -> None:
        """Ends the child."""
        self._child.close()


def _not_shown() -> ImageError:
    return ImageError(tr("This picture cannot be shown here. The archive shows it."))
