"""Pictures from outside are decoded in a child: what they do to a decoder, they do there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from capture_app.clock import Clock
from capture_app.dicom.jpeg_stream import damaged
from capture_app.errors import ChildEndedError, ImageError, TaskRefusedError
from capture_app.imaging.file_kind import kind_of
from capture_app.imaging.other_formats import Loss, OtherPicture, refused
from capture_app.model.console import Area
from capture_app.model.encoded_image import MOST_PIXELS
from capture_app.sandbox.child import Child
from capture_app.sandbox.task import BlockRule, ChildAnswer, ChildTask

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

LONGEST_FILE: Final = 200_000_000
_LONGEST_PROFILE: Final = 16_000_000
DECODE_FILE: Final = ChildTask(
    "decode-file",
    memory=1 << 30,
    most_in=LONGEST_FILE,
    blocks=(
        BlockRule("pixels", MOST_PIXELS * 3, dimensions=3),
        BlockRule("jpeg", LONGEST_FILE),
        BlockRule("profile", _LONGEST_PROFILE),
    ),
)
"""What the child does of it stands in `decoding_work`."""
_LARGEST_RATIO: Final = 1 << 31
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

    def cut(self, jpeg: bytes, area: Area) -> bytes | None:
        """As `surgery.cut`."""
        corner, size = [area.left, area.top], [area.width, area.height]
        block = self._asked({"do": "cut", "corner": corner, "size": size}, jpeg).block("jpeg")
        return None if block is None else bytes(block.data)

    def pixels(self, jpeg: bytes, orientation: int) -> NDArray[np.uint8]:
        """As `surgery.pixels`; read only."""
        return _pixels_in(self._asked({"do": "pixels", "orientation": orientation}, jpeg))

    def other(self, data: bytes) -> OtherPicture:
        """As `other_formats_work.decode`, with its refusals in words."""
        kind = kind_of(data)
        answer = self._asked({"do": "other"}, data, refused=lambda code: refused(code, kind))
        said, profile = answer.facts, answer.block("profile")
        try:
            aspect = Fraction(int(said["height"]), int(said["width"]))
            taken_at = datetime.fromisoformat(said["taken_at"]) if said["taken_at"] else None
            loss = Loss(said["loss"])
        except (ValueError, TypeError, KeyError, ZeroDivisionError) as error:
            raise ImageError(damaged()) from error
        is_told_well = (
            said.get("color_space") in {"", "SRGB", "ADOBERGB"}
            and aspect > 0
            and max(aspect.numerator, aspect.denominator) < _LARGEST_RATIO
            and (taken_at is None or taken_at.tzinfo is not None)
        )
        if not is_told_well:
            raise ImageError(damaged())
        return OtherPicture(
            pixels=_pixels_in(answer),
            loss=loss,
            icc_profile=b"" if profile is None else bytes(profile.data),
            color_space=said["color_space"],
            taken_at=taken_at,
            pixel_aspect=aspect,
        )

    def close(self) -> None:
        """Ends the child."""
        self._child.close()

    def _asked(
        self,
        question: dict[str, object],
        data: bytes,
        *,
        refused: Callable[[str], str] = lambda _: damaged(),
    ) -> ChildAnswer:
        if len(data) > LONGEST_FILE:
            raise ImageError(damaged())
        try:
            return self._child.ask(question, data, within=_WITHIN_S)
        except TaskRefusedError as error:
            raise ImageError(refused(error.code)) from None
        except ChildEndedError as error:
            raise ImageError(str(error)) from error


def _pixels_in(answer: ChildAnswer) -> NDArray[np.uint8]:
    """Read only."""
    import numpy as np  # noqa: PLC0415 - whoever only holds a decoder need not wait for it

    block = answer.block("pixels")
    if block is None or block.shape[2] != 3:
        raise ImageError(damaged())
    return np.frombuffer(block.data, np.uint8).reshape(block.shape)
