"""What the child of `decoding` does with a picture."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from capture_app.errors import ImageError, TaskRefusedError
from capture_app.imaging import other_formats_work, surgery, turbo
from capture_app.model.console import Area
from capture_app.sandbox.task import Block, Call, ChildAnswer, Work


def decode_file() -> Work:
    """`do` says what is asked of a JPEG: whether its coded data is all there, the same picture
    turned, a part of it, or its pixels; or ("other") for the picture in a file of another format.
    Refuses with a code of `other_formats.Refusal`.
    """
    turbo.is_had()  # reads the library while that is still allowed
    return _work


def _work(call: Call) -> Iterator[ChildAnswer]:
    data, asked = bytes(call.data), call.question
    try:
        match asked["do"]:
            case "check":
                yield ChildAnswer({"is_whole": surgery.is_whole(data)})
            case "upright":
                made = surgery.upright(data, int(asked["orientation"]))
                yield ChildAnswer({}, () if made is None else (Block.of_bytes("jpeg", made),))
            case "cut":
                (left, top), (width, height) = asked["corner"], asked["size"]
                made = surgery.cut(data, Area(int(left), int(top), int(width), int(height)))
                yield ChildAnswer({}, () if made is None else (Block.of_bytes("jpeg", made),))
            case "other":
                yield _other(data)
            case _:
                pixels = surgery.pixels(data, int(asked["orientation"]))
                shape = pixels.shape
                yield ChildAnswer({}, (Block("pixels", np.ascontiguousarray(pixels).data, shape),))
    except ImageError as error:
        code = "damaged"
        raise TaskRefusedError(code) from error


def _other(data: bytes) -> ChildAnswer:
    picture = other_formats_work.decode(data)
    blocks = [Block("pixels", np.ascontiguousarray(picture.pixels).data, picture.pixels.shape)]
    if picture.icc_profile:
        blocks.append(Block.of_bytes("profile", picture.icc_profile))
    facts = {
        "loss": picture.loss,
        "color_space": picture.color_space,
        "taken_at": "" if picture.taken_at is None else picture.taken_at.isoformat(),
        "height": picture.pixel_aspect.numerator,
        "width": picture.pixel_aspect.denominator,
    }
    return ChildAnswer(facts, tuple(blocks))
