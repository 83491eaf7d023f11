"""The validator of the trade reads every kind of object that is made here.

dciodvfy (dicom3tools) exits 0 where it finds no error. Its warnings must be on the list below, each
with its reason. It is blind to four faults: for each of them it is shown that it is, and that our
own conformance is not.
"""

import re
import subprocess
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydicom import config
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.uid import UID

from capture_app.dicom.build import build
from capture_app.dicom.conformance import verify
from capture_app.dicom.part10 import write
from capture_app.dicom.request import SealRequest
from capture_app.errors import ConformanceError
from capture_app.imaging import surgery
from capture_app.imaging.cutting import cut
from capture_app.imaging.jpeg import prepare_jpeg
from capture_app.imaging.rgb import encode_rgb
from capture_app.imaging.turning import turned
from capture_app.model.coding import Code
from capture_app.model.console import Area, ConsoleLayout
from capture_app.model.device import DeviceInfo
from capture_app.model.patient import NameGroup, PartialDate, PatientId, PersonName, Sex
from capture_app.model.procedure import Side, Turn
from capture_app.model.ultrasound import Mode
from capture_app.patients.census.fold import entries, fold
from capture_app.patients.sources.adt.numbers import Authority
from capture_app.patients.sources.adt.reading import MessageReader
from capture_app.settings.schema import StationPlace
from tests.sealing import (
    CAMERA,
    DERMATOSCOPE,
    ENDOSCOPE,
    LINEAR_4_CM,
    MAI,
    MICROSCOPE,
    ORDER,
    SCANNER,
    SCANNER_ON_GRABBER,
    STARTED_AT,
    STATION,
    VISIT,
    catalog,
    description,
    exam,
    jpeg,
    pixels,
    request,
)

ALLOWED_WARNINGS = {
    r"CodingSchemeDesignator.* - Unrecognized defined term = <99[A-Z]+>": (
        "99... is how DICOM marks a local coding scheme (PS3.16 8); ours and those of orders"
    ),
    r"BodyPartExamined.* - Unrecognized defined term = <[A-Z]+>": (
        "terms of Annex L that are younger than this dciodvfy"
    ),
    r"Modality.* - Unrecognized defined term = <DMS>": "Sup 221 is younger than this dciodvfy",
    r"LossyImageCompressionMethod.* - Unrecognized defined term = <ISO_23008_2>": (
        "HEVC (PS3.3 C.7.6.1.1.5.1) is younger than this dciodvfy"
    ),
    r"</ViewCodeSequence\(0054,0220\).* - Attribute is not present in standard DICOM IOD": (
        "View Code Sequence of VL images (PS3.3 C.8.12.1) is younger than this dciodvfy"
    ),
    r"</ImageType\(0008,0008\)\[3\]> - Unrecognized defined term = <>": (
        "which examination it was is not said, and the modes stand behind it (PS3.3 C.8.5.6.1.1)"
    ),
}

ALLOWED_FOR_SENSITIVE_CONTENT = {
    r"^Warning - </\(0008,001d\)>.* - Unrecognized tag": "as below",
    r"^(Warning|Error) - </\(0008,001d\).* - Attribute": (
        "Sensitive Content Code Sequence is younger than this dciodvfy; it calls that an error and "
        "still exits 0"
    ),
}

ALLOWED_FOR_RGB_JPEG = {
    r"^Error - </PhotometricInterpretation.* - Unrecognized enumerated value = <RGB>$": (
        "this dciodvfy knows RGB for uncompressed VL images only; the stream is truly RGB, and any "
        "other word would show it in wrong colours (PS3.5 8.2.1)"
    ),
}

RGB = encode_rgb(pixels(), came_from_lossy=True)
KNEE = description("RH-US-KNEE", "72696002", Side.RIGHT)
CONSOLE = ConsoleLayout(128, 96, Area(0, 16, 128, 80), Area(0, 0, 128, 12))

OBJECTS: dict[str, SealRequest] = {
    "photo, paired": request(),
    "photo, in another ward": request(place=VISIT.location),
    "photo, in another ward of a known type": request(
        place=VISIT.location,
        station=replace(
            STATION,
            places=(StationPlace(VISIT.location.ward, Code("225746001", "SCT", "Hospital ward")),),
        ),
    ),
    "photo, both sides": request(description=description("RH-PHOTO-HANDS", "33712006", Side.BOTH)),
    "photo, midline": request(description=description("DERM-LESION", "66643007", Side.MIDLINE)),
    "photo, left of a trunk": request(
        description=description("DERM-LESION", "66643007", Side.LEFT)
    ),
    "photo, unpaired": request(description=description("DERM-LESION", "84365009", None)),
    "photo of an order": request(exam=exam(order=ORDER)),
    "photo with a reason": request(description=description("WND-BURN", "25763004", Side.LEFT)),
    "photo, little known": request(
        exam=exam(encounter=None, department="", station_name=""),
        device=DeviceInfo("bare", "Bare", CAMERA.kind),
    ),
    "photo, patient without a name": request(
        exam=exam(
            patient=replace(
                MAI,
                name=PersonName(NameGroup()),
                birth_date=None,
                partial_birth_date=PartialDate(1956),
                sex=Sex.UNKNOWN,
                patient_id=replace(MAI.patient_id, type_code="MÜDRZT"),
                other_ids=(PatientId("77", "AUSL", type_code="MÜDRZT"),),
            )
        )
    ),
    "photo, issuers by OID alone": request(
        exam=exam(
            patient=replace(MAI, patient_id=replace(MAI.patient_id, issuer="")),
            encounter=replace(VISIT, issuer="", universal_id="1.2.3", universal_id_type="ISO"),
            order=replace(
                ORDER,
                accession_issuer="",
                accession_universal_id="1.2.4",
                accession_universal_id_type="ISO",
                requested_procedure_id="",
                scheduled_procedure_step_id="",
            ),
        )
    ),
    "photo, grey": request(image=prepare_jpeg(jpeg(grey=True))),
    "photo, RGB": request(image=RGB),
    "photo, decoded from HEIC": request(
        image=replace(RGB, lossy_method="ISO_23008_2", lossy_ratio=8.8)
    ),
    "photo, turned by a person": request(
        image=turned(replace(prepare_jpeg(jpeg()), pixel_aspect=(16, 15)), Turn.RIGHT, surgery)
    ),
    "photo of part blocks, turned by a person": request(
        image=turned(prepare_jpeg(jpeg(45, 61)), Turn.LEFT, surgery)
    ),
    "photo, frontal view": request(description=description("EYE-SQUINT", "81745001", Side.BOTH)),
    "photo, RGB of odd length": request(image=encode_rgb(pixels(3, 5), came_from_lossy=False)),
    "dermoscopy": request(
        description=description("DERM-DERMOSCOPY", "66643007", Side.MIDLINE), device=DERMATOSCOPE
    ),
    "dermoscopy by an unknown device": request(
        description=description("DERM-DERMOSCOPY", "66643007", Side.MIDLINE),
        device=replace(DERMATOSCOPE, serial_number=""),
    ),
    "endoscopy": request(description=description("GI-COLON", "14742008", None), device=ENDOSCOPE),
    "endoscopy, RGB": request(
        description=description("GI-COLON", "34402009", None), device=ENDOSCOPE, image=RGB
    ),
    "microscopy": request(
        description=description("GEN-OTHER", "66643007", Side.RIGHT), device=MICROSCOPE
    ),
    "ultrasound": request(description=KNEE, device=SCANNER),
    "ultrasound, behind a grabber": request(description=KNEE, device=SCANNER_ON_GRABBER),
    "ultrasound, of a known setting": request(
        description=KNEE, device=replace(SCANNER_ON_GRABBER, preset=LINEAR_4_CM)
    ),
    "ultrasound, without the console's names": request(
        description=KNEE,
        device=replace(SCANNER, burned_in_annotation=None, console=CONSOLE),
        image=cut(prepare_jpeg(jpeg(96, 128)), CONSOLE, surgery),
    ),
    "ultrasound, Doppler without a scale": request(
        description=KNEE,
        device=replace(
            SCANNER, preset=replace(LINEAR_4_CM, modes=(Mode.B, Mode.PW_DOPPLER), scale=None)
        ),
    ),
    "ultrasound, RGB": request(
        description=description("CAR-ECHO", "80891009", None), device=SCANNER, image=RGB
    ),
}


def findings(folder: Path, ds: Dataset) -> tuple[int, list[str]]:
    """What dciodvfy says of an instance: its exit code, and its errors and warnings."""
    return findings_of(folder, write(ds))


def findings_of(folder: Path, part10: bytes) -> tuple[int, list[str]]:
    path = folder / "image.dcm"
    path.write_bytes(part10)
    done = subprocess.run(["dciodvfy", "-new", str(path)], capture_output=True, check=False)
    said = (done.stdout + done.stderr).decode("utf-8", "replace").splitlines()
    return done.returncode, [line for line in said if line.startswith(("Error", "Warning"))]


def not_allowed(lines: list[str], *lists: dict[str, str]) -> list[str]:
    patterns = [re.compile(pattern) for allowed in lists for pattern in allowed]
    return [line for line in lines if not any(pattern.search(line) for pattern in patterns)]


@pytest.mark.parametrize("name", OBJECTS)
def test_every_kind_of_object_is_in_order(name: str, tmp_path: Path) -> None:
    ds = build(OBJECTS[name])
    verify(ds)
    code, lines = findings(tmp_path, ds)
    assert not_allowed(lines, ALLOWED_WARNINGS) == []
    assert code == 0


def test_every_body_part_and_side_rule_is_in_order(tmp_path: Path) -> None:
    """One region for each of them: all 474 would only take longer."""
    sides = {
        "paired": Side.LEFT,
        "side-or-midline": Side.MIDLINE,
        "L only": Side.LEFT,
        "R only": Side.RIGHT,
    }
    regions = {(r.body_part_examined, r.side_rule, r.code.scheme): r for r in catalog().regions}
    assert len(regions) > 80
    for region in regions.values():
        chosen = replace(
            description("DERM-LESION", region.code.value, sides.get(region.side_rule)),
            region=region,
        )
        ds = build(request(description=chosen))
        verify(ds)
        code, lines = findings(tmp_path, ds)
        extra = [ALLOWED_FOR_SENSITIVE_CONTENT] if region.intimate else []
        assert not_allowed(lines, ALLOWED_WARNINGS, *extra) == [], region
        assert code == 0, region


def test_a_sensitive_picture_is_in_order_but_for_its_young_attribute(tmp_path: Path) -> None:
    genital = description("DERM-GENITAL", "60944009", Side.MIDLINE)
    ds = build(request(description=genital))
    verify(ds)
    code, lines = findings(tmp_path, ds)
    assert not_allowed(lines, ALLOWED_WARNINGS, ALLOWED_FOR_SENSITIVE_CONTENT) == []
    assert code == 0


def test_an_rgb_jpeg_is_in_order_but_for_the_name_of_its_colours(tmp_path: Path) -> None:
    ds = build(request(image=prepare_jpeg(jpeg(keep_rgb=True))))
    verify(ds)
    code, lines = findings(tmp_path, ds)
    assert not_allowed(lines, ALLOWED_WARNINGS, ALLOWED_FOR_RGB_JPEG) == []
    assert code == 1
    assert len([line for line in lines if line.startswith("Error")]) == 1


MESSAGE = (
    "MSH|^~\\&|ADT|HOSP|||20240702080100||ADT^A01|1|P|2.5.1||||||UNICODE UTF-8\r"
    "PID|1||7^^^HOSP^MR~{other}||{name}||{born}|{sex}\r"
    "PV1|1|I|4B^12^A|||||77^{doctor}||{service}|||||||||{visit}\rPV2|||^{reason}\r"
)
PLAIN = {
    "other": "9^^^NHS^NI",
    "name": "Doe^Jane",
    "born": "19560714",
    "sex": "F",
    "doctor": "House^Greg",
    "service": "SUR",
    "visit": "V1^^^HOSP",
    "reason": "Burn",
}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("other", "77^^^AUSL^MÜDRZT"),
        ("other", "9^^^NHS&2.16&ISO^NI~8\t^^^X~7^^^HOSP&1\\E\\2&ISO^MR"),
        ("name", "A" * 70 + "^Jane"),
        ("name", "=^\\X0A\\"),
        ("name", "محمد^علي~王^小明^^^^^L^I"),
        ("born", "1956"),
        ("born", "20991231"),
        ("sex", "W"),
        ("doctor", "G" * 80),
        ("service", "S" * 80),
        ("visit", "V1^^^&1.2.3&ISO"),
        ("visit", "V1^^^&guid&GUID"),
        ("visit", "V" * 80),
        ("reason", "\\X5C\\\t" + "R" * 90),
    ],
)
def test_what_a_feed_sends_leaves_an_object_in_order(
    field: str, value: str, tmp_path: Path
) -> None:
    raw = MESSAGE.format(**{**PLAIN, field: value}).encode()
    known = fold(MessageReader(Authority("HOSP", "MR"), "UNICODE UTF-8").read(raw, STARTED_AT))
    assert known is not None
    (row,) = entries(known, STARTED_AT, timedelta(hours=1))
    ds = build(request(exam=exam(patient=row.patient, encounter=row.encounter)))
    verify(ds)
    code, lines = findings(tmp_path, ds)
    assert not_allowed(lines, ALLOWED_WARNINGS) == []
    assert code == 0


def test_it_would_have_found_a_plain_fault(tmp_path: Path) -> None:
    ds = build(request())
    del ds.SOPInstanceUID
    ds.file_meta.MediaStorageSOPInstanceUID = UID("1.2.3")
    assert findings(tmp_path, ds)[0] == 1


# -------------------------------------------------------------------------- the four blind spots


def no_ratio(ds: Dataset) -> None:
    del ds.LossyImageCompressionRatio


def no_creator(ds: Dataset) -> None:
    ds.add_new(0x00091001, "LO", "x")


def wrong_zone(ds: Dataset) -> None:
    tag = ds["TimezoneOffsetFromUTC"].tag
    ds[tag] = DataElement(tag, "SH", "+2500", validation_mode=config.IGNORE)


@pytest.mark.parametrize("plant", [no_ratio, no_creator, wrong_zone])
def test_what_it_lets_through_is_stopped_here(
    plant: Callable[[Dataset], None], tmp_path: Path
) -> None:
    ds = build(request())
    plant(ds)
    assert findings(tmp_path, ds)[0] == 0
    with pytest.raises(ConformanceError):
        verify(ds)


def test_the_images_of_one_study_agree(tmp_path: Path) -> None:
    """dcentvfy compares what the images of a study say of patient, study and series."""
    first = request()
    uids = (f"{first.sop_instance_uid}.{n}" for n in range(9))
    lesion = description("DERM-LESION", "66643007", Side.MIDLINE)
    paths = []
    for number, changed in enumerate(
        [
            first,
            replace(first, sop_instance_uid=next(uids), instance_number=2),
            replace(
                first,
                sop_instance_uid=next(uids),
                series_instance_uid=next(uids),
                series_number=2,
                description=lesion,
            ),
        ]
    ):
        paths.append(tmp_path / f"{number}.dcm")
        paths[-1].write_bytes(write(build(changed)))
    done = subprocess.run(["dcentvfy", *map(str, paths)], capture_output=True, check=False)
    assert (done.returncode, done.stderr.decode()) == (0, "")
