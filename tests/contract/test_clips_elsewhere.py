"""What other people's software makes of our clips: frame by frame, the bytes that came."""

import subprocess
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import requests
from PIL import Image
from pydicom.encaps import generate_frames

from capture_app.dicom.build import build_clip
from capture_app.dicom.conformance import verify
from capture_app.dicom.part10 import clip_pieces, describe_clip, pixel_sha256, read
from capture_app.model.coded_clip import CodedClip
from capture_app.model.device import DeviceInfo
from tests.contract.test_dciodvfy import ALLOWED_WARNINGS, findings_of, not_allowed
from tests.peers import Orthanc
from tests.sealing import CAMERA, ENDOSCOPE, SCANNER, clip, clip_request, description, frames

UNEVEN = [n * 40_000 + (n % 3) * 19_000 for n in range(12)]

CLIPS: dict[str, tuple[CodedClip, DeviceInfo]] = {
    "ultrasound": (clip(), SCANNER),
    "ultrasound, variable rate": (clip(taken_us=UNEVEN), SCANNER),
    "ultrasound, grey": (clip(frames(grey=True)), SCANNER),
    "camera": (clip(), CAMERA),
    "camera, variable rate": (clip(taken_us=UNEVEN), CAMERA),
    "camera, grey": (clip(frames(grey=True)), CAMERA),
    "endoscope": (clip(), ENDOSCOPE),
    "little known": (clip(), replace(CAMERA, manufacturer="", burned_in_annotation=None)),
}


def content_of(name: str) -> bytes:
    made, device = CLIPS[name]
    changes = {"description": description("GI-COLON", "14742008", None)}
    asked = clip_request(made, device, **(changes if device is ENDOSCOPE else {}))
    ds = build_clip(asked, made)
    verify(ds)
    return b"".join(clip_pieces(ds, made))


@pytest.mark.parametrize("name", CLIPS)
def test_every_kind_of_clip_is_in_order(name: str, tmp_path: Path) -> None:
    code, lines = findings_of(tmp_path, content_of(name))
    assert not_allowed(lines, ALLOWED_WARNINGS) == []
    assert code == 0


@pytest.mark.parametrize("name", CLIPS)
def test_dcmtk_takes_every_frame_out_as_it_went_in(name: str, tmp_path: Path) -> None:
    (tmp_path / "clip.dcm").write_bytes(content_of(name))
    subprocess.run(
        ["dcmdump", "+W", str(tmp_path), str(tmp_path / "clip.dcm")],
        check=True,
        capture_output=True,
    )
    made, _ = CLIPS[name]
    items = [path.read_bytes() for path in sorted(tmp_path.glob("*.raw"), key=_number)]
    assert items[1:] == [one + b"\0" * (len(one) % 2) for one in made.frames()]


@pytest.mark.parametrize("name", ["ultrasound", "camera", "camera, grey"])
def test_dcmtk_shows_the_frame_that_is_asked_for(name: str, tmp_path: Path) -> None:
    (tmp_path / "clip.dcm").write_bytes(content_of(name))
    for number, frame in enumerate(CLIPS[name][0].frames(), start=1):
        done = subprocess.run(
            ["dcmj2pnm", "--frame", str(number), "--write-png", str(tmp_path / "clip.dcm")],
            check=True,
            capture_output=True,
        )
        assert _difference(done.stdout, frame) < 3


@pytest.mark.parametrize("name", ["ultrasound", "camera", "camera, grey"])
def test_orthanc_keeps_and_shows_each_frame(name: str, orthanc: Orthanc) -> None:
    made, device = CLIPS[name]
    content = content_of(name)
    answer = requests.post(f"{orthanc.url}/instances", data=content, auth=orthanc.auth, timeout=60)
    answer.raise_for_status()
    kept = read(orthanc.file(str(read(content).SOPInstanceUID)))
    told = describe_clip(build_clip(clip_request(made, device), made), made)
    assert pixel_sha256(kept) == told.pixel_sha256
    assert [*generate_frames(kept.PixelData)] == [*generate_frames(read(content).PixelData)]
    for number, frame in enumerate(made.frames()):
        shown = requests.get(
            f"{orthanc.url}/instances/{answer.json()['ID']}/frames/{number}/rendered",
            auth=orthanc.auth,
            timeout=60,
        )
        shown.raise_for_status()
        assert _difference(shown.content, frame) < 6


def _number(path: Path) -> int:
    return int(path.name.split(".")[-2])


def _difference(shown: bytes, frame: bytes) -> float:
    """The mean over all samples, 0 to 255, of one picture from another."""
    with Image.open(BytesIO(shown)) as one, Image.open(BytesIO(frame)) as other:
        pair = [np.asarray(picture.convert("RGB")).astype(int) for picture in (one, other)]
        return float(np.abs(pair[0] - pair[1]).mean())
