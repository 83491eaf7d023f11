"""Pictures from outside are decoded in a child: what they do to a decoder, they do there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from capture_app.clock import Clock
from capture_app.dicom.jpeg_stream import damaged
from capture_app.errors import ChildEndedError, ImageError, TaskRefusedError
from capture_app.model.encoded_image import MOST_PIXELS
from capture_app.sandbox.child import Child
from capture_app.sandbox.task import Answer, BlockRule, Task

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LONGEST_FILE: Final = 200_000_000
DECODE_FILE: Final = Task(
    "decode-file",
    memory=1 << 30,
    most_in=LONGEST_FILE,
    blocks=(BlockRule("pixels", MOST_PIXELS * 3, dimensions=3), BlockRule("jpeg", LONGEST_FILE)),
)
"""What the child does of it stands in `decoding_work`."""
_WITHIN_S: Final = 20.0
"""The largest picture takes three seconds on a quiet computer."""


class PictureDecoder:
    """Decodes in one warm child. For use by any thread; every question may raise ImageError.

    The child is started by the first question, or ahead of it by `warm`.
    """

    def __init__(self, clock: Clock) -> None:
        self._child = Child(DECODE_FILE, clock)

    def warm(self) -> None:
        """Starts the child ahead of the first picture. Raises ChildEndedError."""
        self._child.warm()

    def is_whole(self, jpeg: bytes) -> bool:
        """Whether the coded data of a prepared JPEG is read to its end without a warning."""
        return self._asked({"do": "check"}, jpeg).facts.get("is_whole") is True

    def upright(self, jpeg: bytes, orientation: int) -> bytes | None:
        """As `surgery.upright`."""
        block = self._asked({"do": "upright", "orientation": orientation}, jpeg).block("jpeg")
        return None if block is None else bytes(block.data)

    def pixels(self, jpeg: bytes, orientation: int) -> NDArray[np.uint8]:
        """As `surgery.pixels`; read only."""
        import numpy as np  # noqa: PLC0415 - whoever only holds a decoder need not wait for it

        block = self._asked({"do": "pixels", "orientation": orientation}, jpeg).block("pixels")
        if block is None or block.shape[2] != 3:
            raise ImageError(damaged())
        return np.frombuffer(block.data, np.uint8).reshape(block.shape)

    def close(self) -> None:
        """Ends the child."""
        self._child.close()

    def _asked(self, question: dict[str, object], data: bytes) -> Answer:
        if len(data) > LONGEST_FILE:
            raise ImageError(damaged())
        try:
            return self._child.ask(question, data, within=_WITHIN_S)
        except TaskRefusedError:
            raise ImageError(damaged()) from None
        except ChildEndedError as error:
            raise ImageError(str(error)) from error
