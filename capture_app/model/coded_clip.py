"""A clip as it is wrapped: its frames coded, and when each was taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from capture_app.model.encoded_image import EncodedImage


@dataclass(frozen=True, slots=True)
class CodedClip:
    """Frames of one size and one coding. They are read anew each time they are asked for, so that a
    clip of any length takes the memory of one frame.
    """

    first: EncodedImage
    """The first frame, a baseline JPEG: what it says of size and colours holds for all."""
    lengths: tuple[int, ...]
    """Bytes of each frame's stream, in order."""
    taken_us: tuple[int, ...]
    """When each was taken, in microseconds after the first (0); never less than the one before."""
    pixel_sha256: str
    """Hex SHA-256 over the frames as they follow each other in a file: each but the last padded
    with a zero to even length.
    """
    frames: Callable[[], Iterator[bytes]]
    """The streams in order, from the beginning."""

    @property
    def count(self) -> int:
        """How many frames."""
        return len(self.lengths)
