"""What other people's software makes of our objects: the same identity, bytes and colours."""

import subprocess
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import requests
from numpy.typing import NDArray
from PIL import Image
from pydicom.uid import JPEGBaseline8Bit

from capture_app.dicom.build import build
from capture_app.dicom.part10 import pixel_sha256, read, write
from capture_app.dicom.request import SealRequest
from capture_app.imaging.jpeg import prepare_jpeg
from capture_app.imaging.rgb import encode_rgb
from capture_app.model.console import Area
from capture_app.model.encoded_image import PixelCoding
from capture_app.model.procedure import Side
from capture_app.model.ultrasound import Scale
from tests.jpeg_parts import entropy_coded
from tests.peers import Orthanc
from tests.sealing import (
    DERMATOSCOPE,
    ENDOSCOPE,
    LINEAR_4_CM,
    SCANNER,
    SCANNER_ON_GRABBER,
    description,
    jpeg,
    pixels,
    request,
)

ROWS, COLUMNS = 120, 161  # an odd width: columns of the last block are cut off

OBJECTS: dict[str, SealRequest] = {
    "photo": request(image=prepare_jpeg(jpeg(ROWS, COLUMNS))),
    "photo without subsampling": request(image=prepare_jpeg(jpeg(ROWS, COLUMNS, subsampling=0))),
    "RGB photo": request(image=encode_rgb(pixels(ROWS, COLUMNS), came_from_lossy=False)),
    "RGB JPEG": request(image=prepare_jpeg(jpeg(ROWS, COLUMNS, keep_rgb=True))),
    "grey photo": request(image=prepare_jpeg(jpeg(ROWS, COLUMNS, grey=True))),
    "ultrasound": request(
        image=prepare_jpeg(jpeg(ROWS, COLUMNS)),
        description=description("RH-US-KNEE", "72696002", Side.RIGHT),
        device=SCANNER,
    ),
    "ultrasound of a known setting": request(
        image=prepare_jpeg(jpeg(ROWS, COLUMNS)),
        description=description("RH-US-KNEE", "72696002", Side.RIGHT),
        device=replace(
            SCANNER_ON_GRABBER,
            preset=replace(LINEAR_4_CM, scale=Scale(COLUMNS, ROWS, Area(8, 4, 48, 40), 1.0)),
        ),
    ),
    "endoscopy": request(
        image=encode_rgb(pixels(ROWS, COLUMNS), came_from_lossy=True),
        description=description("GI-COLON", "14742008", None),
        device=ENDOSCOPE,
    ),
    "dermoscopy": request(
        image=prepare_jpeg(jpeg(ROWS, COLUMNS)),
        description=description("DERM-DERMOSCOPY", "66643007", Side.LEFT),
        device=DERMATOSCOPE,
    ),
}


def shown(name: str) -> NDArray[np.int_]:
    """The picture that went in, as anybody should see it."""
    picture = Image.fromarray(pixels(ROWS, COLUMNS))
    seen = picture.convert("L").convert("RGB") if "grey" in name else picture
    return np.asarray(seen).astype(int)


def differs(name: str, seen: bytes) -> float:
    """How far a picture is from the one that went in: the mean over all samples, 0 to 255."""
    with Image.open(BytesIO(seen)) as picture:
        return float(np.abs(np.asarray(picture.convert("RGB")).astype(int) - shown(name)).mean())


@pytest.mark.parametrize("name", OBJECTS)
def test_orthanc_keeps_every_byte_and_shows_the_right_colours(name: str, orthanc: Orthanc) -> None:
    asked = OBJECTS[name]
    ds = build(asked)
    answer = requests.post(
        f"{orthanc.url}/instances", data=write(ds), auth=orthanc.auth, timeout=60
    )
    answer.raise_for_status()
    kept = orthanc.file(str(ds.SOPInstanceUID))
    assert pixel_sha256(read(kept)) == pixel_sha256(ds)
    assert str(read(kept).PatientName) == str(ds.PatientName)
    if ds.file_meta.TransferSyntaxUID == JPEGBaseline8Bit:
        assert entropy_coded(asked.image.data) in kept
    rendered = requests.get(
        f"{orthanc.url}/instances/{answer.json()['ID']}/rendered", auth=orthanc.auth, timeout=60
    )
    rendered.raise_for_status()
    assert differs(name, rendered.content) < 6


@pytest.mark.parametrize("name", OBJECTS)
def test_dcmtk_reads_it_and_shows_the_right_colours(name: str, tmp_path: Path) -> None:
    (tmp_path / "in.dcm").write_bytes(write(build(OBJECTS[name])))
    done = subprocess.run(  # its tool for pictures decodes JPEG alone
        ["dcmdjpls", str(tmp_path / "in.dcm"), str(tmp_path / "plain.dcm")],
        capture_output=True,
        check=False,
    )
    is_jpeg_ls = OBJECTS[name].image.coding is PixelCoding.RGB
    assert (done.returncode == 0) is is_jpeg_ls
    if is_jpeg_ls:
        decoded = read((tmp_path / "plain.dcm").read_bytes())
        assert decoded.PixelData.startswith(OBJECTS[name].image.data)
    source = "plain.dcm" if is_jpeg_ls else "in.dcm"
    run = ["dcmj2pnm", str(tmp_path / source), str(tmp_path / "out.pnm")]
    done = subprocess.run(run, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert differs(name, (tmp_path / "out.pnm").read_bytes()) < 6
    dump = subprocess.run(["dcmdump", str(tmp_path / "in.dcm")], capture_output=True, check=True)
    assert dump.stderr == b""
    assert "[Nguyễn^Mai^Thị=阮^氏梅=グエン^マイ]" in dump.stdout.decode("utf-8")
