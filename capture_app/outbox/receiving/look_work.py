"""A small picture of a received object, in a child: for a person who is to say whose it is."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image  # noqa: F401 - read before a child may read no file any more
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filereader import read_dataset
from pydicom.pixels.processing import apply_color_lut
from pydicom.pixels.utils import pixel_array
from pydicom.uid import UID

from capture_app.dicom import jpeg_ls  # noqa: F401 - as above
from capture_app.dicom.part10 import pixel_layout
from capture_app.errors import TaskRefusedError
from capture_app.model.delivery import PixelLayout
from capture_app.model.encoded_image import MOST_PIXELS
from capture_app.outbox.receiving.looking import LONGEST_SIDE, PICTURE
from capture_app.sandbox.task import Block, Call, ChildAnswer

_PIXEL_DATA: Final = 0x7FE00010


def look_at_received(call: Call) -> Iterator[ChildAnswer]:
    """The work."""
    picture = _small_picture(call.data, UID(call.question["transfer_syntax_uid"]))
    yield ChildAnswer({}, (Block(PICTURE, picture.data, picture.shape),))


def _small_picture(encoded: memoryview, syntax: UID) -> NDArray[np.uint8]:
    """The first frame, (rows, columns, 3) RGB, at most `LONGEST_SIDE` high and wide. Refuses with
    "not-shown" what cannot be decoded here.
    """
    ds = _read(encoded, syntax)
    try:
        layout = pixel_layout(ds)
        frame = pixel_array(ds, index=0) if _is_bounded(layout) else np.zeros((0, 0), np.uint8)
        if layout.photometric_interpretation == "PALETTE COLOR":
            frame = apply_color_lut(frame, ds)
        return _in_eight_bits(_thinned(frame), layout)
    except Exception as error:  # any decoder may raise anything: then there is no picture
        code = "not-shown"
        raise TaskRefusedError(code) from error


def _read(encoded: memoryview, syntax: UID) -> Dataset:
    ds = read_dataset(
        BytesIO(encoded),
        syntax.is_implicit_VR,
        True,  # noqa: FBT003 - theirs
        stop_when=lambda tag, _vr, _length: tag > _PIXEL_DATA,
    )
    ds.set_original_encoding(syntax.is_implicit_VR, True)  # noqa: FBT003 - theirs
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    return ds


def _is_bounded(layout: PixelLayout) -> bool:
    return layout.rows * layout.columns <= MOST_PIXELS


def _thinned(frame: NDArray[np.generic]) -> NDArray[np.generic]:
    step = -(-max(frame.shape[:2]) // LONGEST_SIDE)
    return frame[::step, ::step]


def _in_eight_bits(frame: NDArray[np.generic], layout: PixelLayout) -> NDArray[np.uint8]:
    """Of more bits, or signed ones: from the darkest to the lightest of this frame."""
    values = np.asarray(frame)
    if values.dtype != np.uint8:
        low, high = float(values.min()), float(values.max())
        values = ((values - low) * (255.0 / max(1.0, high - low))).astype(np.uint8)
    if layout.photometric_interpretation == "MONOCHROME1":
        values = 255 - values
    if values.ndim == 2:
        values = np.repeat(values[:, :, None], 3, axis=2)
    return np.ascontiguousarray(values, dtype=np.uint8)
