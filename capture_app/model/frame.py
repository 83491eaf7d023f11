"""A picture on its way from a device: the only part of the model that knows numpy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

# Whoever holds a frame has numpy; who only speaks of one need not wait for it.
if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Frame:
    """One frame of a device.

    `pixels` is (rows, columns, 3), uint8, RGB: what is shown. `jpeg` is the device's own
    compressed picture where it delivers one: then that is what is kept, byte for byte.
    """

    device_id: str
    sequence: int
    taken_at: datetime
    """When it was exposed, as far as it can be told."""
    not_before: float
    """It was exposed at this moment of the monotonic clock or later (seconds)."""
    pixels: NDArray[np.uint8]
    jpeg: bytes | None = None
    pixel_aspect: tuple[int, int] = (1, 1)
    """Height and width of a pixel, where the device says that they are not square."""
    late: float = 0.0
    """By how much later than usual it came from its device (seconds)."""
