"""Whole instances as text: a change in what is written shows here, attribute by attribute.

To take over an intended change: CAPTURE_WRITE_GOLDEN=1 python -m pytest tests/unit/dicom
"""

import os
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

import capture_app
from capture_app.dicom.build import build
from capture_app.dicom.request import SealRequest
from capture_app.imaging.jpeg import prepare_jpeg
from capture_app.imaging.rgb import encode_rgb
from capture_app.model.encoded_image import EncodedImage
from capture_app.model.procedure import Side
from tests.sealing import DERMATOSCOPE, ORDER, SCANNER, description, exam, pixels, request

GOLDEN = Path(__file__).parents[2] / "golden"


def photo() -> EncodedImage:
    """Always the same bytes, whatever encoder is installed."""
    return prepare_jpeg((GOLDEN / "photo.jpg").read_bytes())


INSTANCES: dict[str, SealRequest] = {
    "photo": request(image=photo()),
    "photo-of-an-order": request(image=photo(), exam=exam(order=ORDER)),
    "photo-of-the-midline": request(
        image=photo(), description=description("DERM-GENITAL", "60944009", Side.MIDLINE)
    ),
    "dermoscopy": request(
        image=photo(),
        description=description("DERM-DERMOSCOPY", "66643007", Side.RIGHT),
        device=DERMATOSCOPE,
    ),
    "ultrasound-rgb": request(
        image=encode_rgb(pixels(), came_from_lossy=True),
        description=description("RH-US-KNEE", "72696002", Side.RIGHT),
        device=SCANNER,
    ),
}


def dumped(ds: Dataset, indent: str = "") -> list[str]:
    lines = []
    for element in ds:
        head = f"{indent}{element.tag} {element.VR} {element.keyword or '?'}"
        if element.VR == "SQ":
            lines.append(f"{head} [{len(element.value)}]")
            for item in element.value:
                lines += dumped(item, indent + "  > ")
        elif isinstance(element.value, bytes):
            lines.append(f"{head} {len(element.value)} bytes")
        else:
            values = element.value if isinstance(element.value, MultiValue) else [element.value]
            text = "\\".join("" if v is None else str(v) for v in values)
            lines.append(f"{head} {text.replace(capture_app.__version__, 'VERSION')}".rstrip())
    return lines


@pytest.mark.parametrize("name", INSTANCES)
def test_an_instance_is_as_it_was(name: str) -> None:
    ds = build(INSTANCES[name])
    text = "\n".join([*dumped(ds.file_meta), "", *dumped(ds), ""])
    path = GOLDEN / f"{name}.txt"
    if os.environ.get("CAPTURE_WRITE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
