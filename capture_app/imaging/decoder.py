"""The port to what looks into coded data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from capture_app.imaging.other_formats import OtherPicture
from capture_app.model.console import Area

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Decoder(Protocol):
    """What looks into coded data: `surgery`, mostly in a child (see `decoding`).

    Any of it raises ImageError where the data cannot be read at all.
    """

    def is_whole(self, jpeg: bytes) -> bool:
        """Whether it is read to its end without a warning."""
        ...

    def upright(self, jpeg: bytes, orientation: int) -> bytes | None:
        """The same pixels as a sequential Huffman JPEG, turned; None where that cannot be done."""
        ...

    def cut(self, jpeg: bytes, area: Area) -> bytes | None:
        """A part that begins with a block, the same pixels; None where that cannot be done."""
        ...

    def pixels(self, jpeg: bytes, orientation: int) -> NDArray[np.uint8]:
        """The pixels, turned: (rows, columns, 3) uint8 RGB."""
        ...

    def other(self, data: bytes) -> OtherPicture:
        """The picture in a file of one of `DECODED_KINDS`. Raises ImageError that says why not."""
        ...
