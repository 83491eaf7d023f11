"""Which class an image becomes, and which pairs of source and procedure make none."""

from dataclasses import replace

import pytest

from capture_app.dicom.kinds import KindMismatch, object_kind
from capture_app.model.device import DeviceInfo
from capture_app.model.procedure import ImageKind
from tests.sealing import CAMERA, DERMATOSCOPE, ENDOSCOPE, MICROSCOPE, SCANNER, catalog

XC, DMS, ES, GM, US = (
    ImageKind.PHOTO,
    ImageKind.DERMOSCOPY,
    ImageKind.ENDOSCOPY,
    ImageKind.MICROSCOPY,
    ImageKind.ULTRASOUND,
)
SOURCES = {XC: CAMERA, DMS: DERMATOSCOPE, ES: ENDOSCOPE, GM: MICROSCOPE, US: SCANNER}


@pytest.mark.parametrize(
    ("procedure", "becomes"),
    [
        ("WND-BURN", {XC: XC, DMS: XC, ES: ES, GM: GM, US: None}),
        ("DERM-DERMOSCOPY", {XC: XC, DMS: DMS, ES: None, GM: None, US: None}),
        ("RH-CAPILLARO", {XC: XC, DMS: DMS, ES: ES, GM: GM, US: None}),
        ("GI-COLON", {XC: None, DMS: None, ES: ES, GM: None, US: None}),
        ("SU-COLPO", {XC: XC, DMS: None, ES: ES, GM: None, US: None}),
        ("RH-US-KNEE", {XC: None, DMS: None, ES: None, GM: None, US: US}),
    ],
)
def test_source_and_procedure(procedure: str, becomes: dict[ImageKind, ImageKind | None]) -> None:
    entry = catalog().procedure(procedure)
    assert entry is not None
    for source, expected in becomes.items():
        kind = object_kind(SOURCES[source], entry)
        if expected is None:
            assert kind == KindMismatch(entry.image_kind, source)
        else:
            assert kind is expected


@pytest.mark.parametrize(
    "device",
    [
        replace(DERMATOSCOPE, manufacturer=""),
        replace(DERMATOSCOPE, model_name=""),
        replace(DERMATOSCOPE, serial_number=""),
        replace(DERMATOSCOPE, software_versions=""),
    ],
)
def test_a_dermatoscope_of_unknown_identity_makes_photographs(device: DeviceInfo) -> None:
    entry = catalog().procedure("DERM-DERMOSCOPY")
    assert entry is not None
    assert object_kind(device, entry) is XC


@pytest.mark.parametrize(
    ("needed", "words"),
    [
        (US, "This procedure needs an ultrasound source."),
        (ES, "This procedure needs an endoscope source."),
        (GM, "This procedure needs a microscope source."),
        (XC, "This procedure needs a camera source."),
        (DMS, "This procedure needs a camera source."),
    ],
)
def test_a_mismatch_says_what_is_needed(needed: ImageKind, words: str) -> None:
    assert KindMismatch(needed, US).words == words


def test_a_camera_or_an_ultrasound_or_an_endoscope_serves_every_act() -> None:
    for entry in catalog().selectable:
        sources = [
            s for s in (CAMERA, SCANNER, ENDOSCOPE) if isinstance(object_kind(s, entry), ImageKind)
        ]
        assert sources, entry.entry_id
