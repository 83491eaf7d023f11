"""What the child of `decoding` does with a picture."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from capture_app.errors import ImageError, TaskRefusedError
from capture_app.imaging import surgery, turbo
from capture_app.sandbox.task import Answer, Block, Call, Work


def decode_file() -> Work:
    """`do` says what is asked of a JPEG: whether its coded data is all there, the same picture
    turned, or its pixels. Refuses with "damaged".
    """
    turbo.is_had()  # reads the library while that is still allowed
    return _work


def _work(call: Call) -> Iterator[Answer]:
    data, asked = bytes(call.data), call.question
    try:
        match asked["do"]:
            case "check":
                yield Answer({"is_whole": surgery.is_whole(data)})
            case "upright":
                made = surgery.upright(data, int(asked["orientation"]))
                yield Answer({}, () if made is None else (Block.of_bytes("jpeg", made),))
            case _:
                pixels = surgery.pixels(data, int(asked["orientation"]))
                shape = pixels.shape
                yield Answer({}, (Block("pixels", np.ascontiguousarray(pixels).data, shape),))
    except ImageError as error:
        code = "damaged"
        raise TaskRefusedError(code) from error
