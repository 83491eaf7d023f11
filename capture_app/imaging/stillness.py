"""Whether a device goes on sending one and the same picture: frozen at its console, or stuck."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from capture_app.model.frame import Frame

_ROWS, _COLUMNS = 90, 160
_SAME_WITHIN: Final = 1
"""Grey levels. What lives has noise of its own: a sensor's, or an echo's."""
_MAY_DIFFER: Final = 0.01
"""Share of the points: the console's clock and a blinking mark go on over a frozen picture."""
_STILL_AFTER: Final = 5


@dataclass(frozen=True, slots=True, eq=False)
class Glance:
    """What was seen of a device until now. The first is `glance(frame, None)`."""

    device_id: str
    sequence: int
    points: NDArray[np.uint8]
    """Some points of the newest frame."""
    alike: int = 0
    """How many newer frames in a row were like the one before."""
    has_moved: bool = False
    """Whether two frames differed since the first glance."""

    @property
    def is_still(self) -> bool:
        """Whether frames go on coming, and all are the same picture: five glances in a row."""
        return self.alike >= _STILL_AFTER


def glance(frame: Frame, before: Glance | None) -> Glance:
    """A look at the newest frame of a device; well below a millisecond at any size.

    A frame that was seen before tells nothing. One of another device or size begins anew.
    """
    pixels = frame.pixels
    rows, columns = pixels.shape[:2]
    step_down, step_across = max(1, rows // _ROWS), max(1, columns // _COLUMNS)
    points = pixels[::step_down, ::step_across].copy()
    if before is None or (before.device_id, before.points.shape) != (frame.device_id, points.shape):
        return Glance(frame.device_id, frame.sequence, points)
    if before.sequence == frame.sequence:
        return before
    apart = np.abs(points.astype(np.int16) - before.points) > _SAME_WITHIN
    is_alike = float(apart.mean()) < _MAY_DIFFER
    alike = before.alike + 1 if is_alike else 0
    has_moved = before.has_moved or not is_alike
    # What drifts slowly is measured from where it stood first, so that it is seen to move.
    kept = before.points if is_alike else points
    return Glance(frame.device_id, frame.sequence, kept, alike, has_moved)
