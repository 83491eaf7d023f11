"""Invented patients, exams and pictures for whoever needs an image that can be sealed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from functools import cache
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capture_app.catalog.catalog import Catalog
from capture_app.catalog.load import load_catalog
from capture_app.clock import FixedClock
from capture_app.dicom import part10
from capture_app.dicom.build import build
from capture_app.dicom.coding import coded
from capture_app.dicom.request import SealRequest, first_study_values
from capture_app.imaging.clip import coded_clips
from capture_app.imaging.jpeg import prepare_jpeg
from capture_app.imaging.rgb import encode_rgb
from capture_app.model.coded_clip import CodedClip
from capture_app.model.coding import Code
from capture_app.model.console import Area
from capture_app.model.delivery import Instance
from capture_app.model.device import DeviceInfo, DeviceKind, Grabber
from capture_app.model.encoded_image import EncodedImage
from capture_app.model.encounter import Encounter, EncounterState, Location
from capture_app.model.exam import Exam
from capture_app.model.operator import Operator, Role
from capture_app.model.order import Order
from capture_app.model.patient import NameGroup, Patient, PatientId, PersonName, Sex
from capture_app.model.procedure import Description, ImageKind, Side
from capture_app.model.ultrasound import Mode, Preset, Scale, TransducerType
from capture_app.model.worklist import IdentifiedBy
from capture_app.settings.schema import Institution, Station

BERLIN_SUMMER = timezone(timedelta(hours=2))
STARTED_AT = datetime(2024, 7, 2, 9, 30, tzinfo=BERLIN_SUMMER)
TAKEN_AT = datetime(2024, 7, 2, 9, 31, 7, 250000, tzinfo=BERLIN_SUMMER)
SEALED_AT = datetime(2024, 7, 2, 9, 32, tzinfo=BERLIN_SUMMER)

MAI = Patient(
    patient_id=PatientId("0012345678", "ST_ANNE", "1.2.276.0.76.3.1", "ISO", "MR"),
    name=PersonName(
        NameGroup("Nguyễn", "Mai", "Thị"), NameGroup("阮", "氏梅"), NameGroup("グエン", "マイ")
    ),
    birth_date=date(1956, 7, 14),
    sex=Sex.FEMALE,
    other_ids=(PatientId("9434765919", "NHS", type_code="NI"),),
)
VISIT = Encounter(
    visit_number="V9921",
    issuer="ST_ANNE",
    patient_class="I",
    location=Location("Ward 4B", "3", "12"),
    state=EncounterState.OPEN,
    referring_physician=PersonName(NameGroup("Okafor", "Ada", prefix="Dr")),
    department="WOUND",
    reason="Leg ulcer follow-up",
)
NURSE = Operator(
    "aokafor", "A. Okafor, RN", (Role.CAPTURE,), PersonName(NameGroup("Okafor", "Ada"))
)
ORDER = Order(
    study_instance_uid="1.2.276.0.7230010.3.1.2.1",
    accession_number="A4711",
    requested_procedure_id="RP4711",
    requested_procedure_description="Wound photographs, left lower leg",
    requested_procedure_code=Code("WOUNDPHOTO", "99STANNE", "Wound photographs"),
    scheduled_procedure_step_id="SPS4711",
    scheduled_procedure_step_description="Wound photographs",
    scheduled_protocol_codes=(Code("WP1", "99STANNE", "Wound, with scale"),),
    modality="XC",
    scheduled_station_ae_title="CAPTURE",
    scheduled_at=STARTED_AT,
    referring_physician=PersonName(NameGroup("Wong", "Tai", prefix="Dr")),
    accession_issuer="ST_ANNE_RIS",
)
INSTITUTION = Institution(
    name="St Anne's Hospital",
    department="Wound care",
    department_code=Code("309967005", "SCT", "Surgery"),
    issuer_of_patient_id="ST_ANNE",
)
STATION = Station(name="TROLLEY-4B", ae_title="CAPTURE", department="Wound care")
CAMERA = DeviceInfo(
    "usb-1",
    "USB camera 1",
    DeviceKind.CAMERA,
    ImageKind.PHOTO,
    manufacturer="Lumina",
    model_name="UC-12",
    serial_number="SN-0815",
    software_versions="2.1",
    burned_in_annotation=False,
)
DERMATOSCOPE = replace(
    CAMERA, device_id="derm-1", name="Dermatoscope", image_kind=ImageKind.DERMOSCOPY
)
ENDOSCOPE = replace(
    CAMERA,
    device_id="scope-1",
    name="Endoscope tower",
    image_kind=ImageKind.ENDOSCOPY,
    burned_in_annotation=True,
)
MICROSCOPE = replace(
    CAMERA, device_id="micro-1", name="Microscope", image_kind=ImageKind.MICROSCOPY
)
SCANNER = replace(
    CAMERA,
    device_id="us-1",
    name="Ultrasound scanner",
    image_kind=ImageKind.ULTRASOUND,
    burned_in_annotation=True,
)
SCANNER_ON_GRABBER = replace(
    SCANNER, grabber=Grabber("Grabbit", model_name="HD-1", serial_number="G-77")
)
LINEAR_4_CM = Preset(
    "Linear, 4 cm",
    TransducerType.LINEAR,
    "L12-3",
    (Mode.B,),
    40,
    Scale(64, 48, Area(8, 4, 48, 40), 1.0),
)
"""Of pictures as `photo` has them."""


def clock() -> FixedClock:
    """The clock that counts the UIDs of one request."""
    return FixedClock(TAKEN_AT)


@cache
def catalog() -> Catalog:
    """The catalogue that ships."""
    return load_catalog()


def exam(**changes: Any) -> Exam:
    """An exam of Mai on ward 4B, without an order."""
    first = Exam(
        exam_id="exam-1",
        patient=MAI,
        encounter=VISIT,
        order=None,
        operator=NURSE,
        study_instance_uid=FixedClock(STARTED_AT).new_uid(),
        started_at=STARTED_AT,
        identified_by=IdentifiedBy.SCAN,
        department="Wound care",
        station_name="TROLLEY-4B",
    )
    return replace(first, **changes)


def description(
    procedure: str = "WND-LEG-ULCER",
    region: str = "25763004",
    side: Side | None = Side.LEFT,
    purpose: int = 0,
) -> Description:
    """A complete description, of ids."""
    found = catalog()
    return Description(
        procedure=found.procedure(procedure),
        region=found.region(region),
        side=side,
        purpose=found.purposes[purpose],
        keep=found.keeps[0],
        consent=found.consents[0],
    )


def request(**changes: Any) -> SealRequest:
    """A request for a photograph of a leg ulcer; `changes` are fields of the request."""
    uids = clock()
    chosen = changes.pop("description", description())
    act = changes.pop("exam", exam())
    study_instance_uid = uids.new_uid()
    first = SealRequest(
        exam=act,
        description=chosen,
        image=changes.pop("image", None) or photo(),
        device=CAMERA,
        sop_instance_uid=uids.new_uid(),
        series_instance_uid=uids.new_uid(),
        study_instance_uid=study_instance_uid,
        series_number=1,
        instance_number=1,
        taken_at=TAKEN_AT,
        sealed_at=SEALED_AT,
        study=first_study_values(act, [chosen], started_at=STARTED_AT, study_id="1"),
        institution=INSTITUTION,
        station=STATION,
    )
    return replace(first, **changes)


def pixels(rows: int = 48, columns: int = 64) -> NDArray[np.uint8]:
    """A colourful picture with some detail in it, the same every time."""
    y, x = np.mgrid[0:rows, 0:columns]
    planes = (128 + 100 * np.sin(x / 7), 128 + 90 * np.cos(y / 9), (x * 3 + y * 5) % 256)
    return np.stack(planes, axis=-1).astype(np.uint8)


def jpeg(rows: int = 48, columns: int = 64, *, grey: bool = False, **options: Any) -> bytes:
    """A baseline JPEG as a camera might make it; options as Pillow's."""
    picture = Image.fromarray(pixels(rows, columns))
    out = BytesIO()
    (picture.convert("L") if grey else picture).save(out, "JPEG", **{"quality": 90} | options)
    return out.getvalue()


def photo() -> EncodedImage:
    """A small photograph, prepared."""
    return prepare_jpeg(jpeg())


def frames(count: int = 12, rows: int = 48, columns: int = 64, **options: Any) -> list[bytes]:
    """JPEG frames of a clip, no two alike, of odd and of even length."""
    made = []
    for number in range(count):
        out = BytesIO()
        picture = Image.fromarray(np.roll(pixels(rows, columns), number * 3, axis=1))
        picture = picture.convert("L") if options.get("grey") else picture
        picture.save(out, "JPEG", quality=80 + number % 3)
        made.append(prepare_jpeg(out.getvalue()).data)
    return made


def clip(coded: Sequence[bytes] = (), taken_us: Sequence[int] = ()) -> CodedClip:
    """A clip of these frames; 25 a second where no times are given."""
    streams = list(coded or frames())
    times = list(taken_us or range(0, len(streams) * 40_000, 40_000))
    (whole,) = coded_clips(lambda: iter(zip(streams, times, strict=True)))
    return whole


KNEE = ("RH-US-KNEE", "72696002", Side.RIGHT)


def clip_request(made: CodedClip, device: DeviceInfo = CAMERA, **changes: Any) -> SealRequest:
    """A request for that clip: of a knee where it comes from the scanner."""
    if device.image_kind is ImageKind.ULTRASOUND:
        changes = {"description": description(*KNEE)} | changes
    return request(image=made.first, device=device, **changes)


def lossless(rows: int = 48, columns: int = 65, **changes: Any) -> tuple[bytes, Instance]:
    """The file of an instance that did not come as JPEG, sealed, and what is said of it."""
    kept = encode_rgb(pixels(rows, columns), came_from_lossy=True)
    image = coded(kept)
    ds = build(request(image=image, **changes))
    content = part10.write(ds)
    place = part10.pixel_fragment(ds, content, len(image.data))
    hashed = part10.sha256_of(kept.data)
    return content, part10.describe_instance(ds, len(content), (place,), decoded_sha256=hashed)
