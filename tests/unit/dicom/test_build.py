"""What an instance says, attribute by attribute."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames
from pydicom.uid import JPEGBaseline8Bit, JPEGLSLossless

from capture_app.devices.opening import device_info
from capture_app.dicom.build import build
from capture_app.dicom.conformance import verify
from capture_app.dicom.descriptions import series_description, study_description
from capture_app.dicom.jpeg_ls import decode
from capture_app.dicom.request import first_study_values
from capture_app.errors import ConformanceError
from capture_app.imaging.jpeg import prepare_jpeg
from capture_app.imaging.rgb import encode_rgb
from capture_app.model.coding import Code
from capture_app.model.device import DeviceInfo, DeviceKind
from capture_app.model.encoded_image import Handling
from capture_app.model.encounter import Location
from capture_app.model.procedure import Description, ImageKind, Side
from capture_app.settings.schema import Device, StationPlace
from tests.sealing import (
    CAMERA,
    INSTITUTION,
    ORDER,
    STARTED_AT,
    STATION,
    TAKEN_AT,
    catalog,
    description,
    exam,
    jpeg,
    photo,
    pixels,
    request,
)


def code(ds: Dataset) -> tuple[str, str, str]:
    return (ds.CodeValue, ds.CodingSchemeDesignator, ds.CodeMeaning)


def region(ds: Dataset) -> tuple[str, str, str, str]:
    """Region, side, modifier and body part, as they are written."""
    item = ds.AnatomicRegionSequence[0]
    modifiers = [m.CodeMeaning for m in item.get("AnatomicRegionModifierSequence", [])]
    return (item.CodeValue, ds.ImageLaterality, ",".join(modifiers), ds.get("BodyPartExamined", ""))


# --------------------------------------------------------------------------------- what, where


@pytest.mark.parametrize(
    ("procedure", "code_value", "side", "written"),
    [
        ("WND-LEG-ULCER", "25763004", Side.LEFT, ("25763004", "L", "", "")),
        ("RH-PHOTO-HANDS", "33712006", Side.BOTH, ("33712006", "B", "", "")),
        ("RH-US-KNEE", "72696002", Side.RIGHT, ("72696002", "R", "", "KNEE")),
        ("DERM-LESION", "66643007", Side.MIDLINE, ("66643007", "U", "Median", "")),
        ("DERM-LESION", "66643007", Side.RIGHT, ("66643007", "R", "Right", "")),
        ("DERM-LESION", "66643007", Side.LEFT, ("66643007", "L", "Left", "")),
        ("DERM-LESION", "66643007", Side.BOTH, ("66643007", "B", "Bilateral", "")),
        ("DERM-HAIR", "386045008", None, ("386045008", "U", "", "")),
        ("CAR-ECHO", "80891009", None, ("80891009", "U", "", "HEART")),
        ("SU-BRONCHO", "955009", Side.LEFT, ("955009", "L", "", "BRONCHUS")),
        ("DERM-LESION", "61439", Side.LEFT, ("61439", "L", "Left", "")),
        ("ED-USG-NERVE", "122496007", None, ("122496007", "U", "", "LSPINE")),
        ("DEN-TEETH", "422653006", Side.RIGHT, ("422653006", "R", "Right", "")),
        ("RH-US-HAND", "JOINT-PIP-3", Side.LEFT, ("JOINT-PIP-3", "L", "", "")),
        ("ED-US-AORTA", "7832008", None, ("7832008", "U", "", "ABDOMINALAORTA")),
    ],
)
def test_region_and_side(
    procedure: str, code_value: str, side: Side | None, written: tuple[str, str, str, str]
) -> None:
    chosen = description(procedure, code_value, side)
    assert chosen.procedure is not None
    device = replace(CAMERA, image_kind=chosen.procedure.image_kind)
    ds = build(request(description=chosen, device=device))
    verify(ds)
    assert region(ds) == written
    assert "Laterality" not in ds


@pytest.mark.parametrize(
    ("code_value", "side"),
    [
        ("25763004", None),
        ("25763004", Side.MIDLINE),
        ("61439", Side.RIGHT),
        ("7832008", Side.LEFT),
        ("122496007", Side.LEFT),
        ("422653006", Side.LEFT),
    ],
)
def test_contradicting_region_and_side_are_never_written(
    code_value: str, side: Side | None
) -> None:
    with pytest.raises(ConformanceError):
        build(request(description=description("DERM-LESION", code_value, side)))


def test_the_act_the_entry_and_the_intent_are_coded() -> None:
    ds = build(request())
    assert [code(item) for item in ds.ProcedureCodeSequence] == [
        ("197157006", "SCT", "Photography of patient")
    ]
    protocol = ds.PerformedProtocolCodeSequence[0]
    assert code(protocol) == (
        "WND-LEG-ULCER",
        "99CAPTURE",
        "Leg ulcer (venous, arterial or mixed)",
    )
    context = protocol.ProtocolContextSequence[0]
    assert code(context.ConceptNameCodeSequence[0]) == ("363703001", "SCT", "Has intent")
    assert code(context.ConceptCodeSequence[0]) == (
        "DOCUMENTATION",
        "99CAPTURE",
        "Documentation of clinical findings",
    )
    assert ds.CodingSchemeIdentificationSequence[0].CodingSchemeDesignator == "99CAPTURE"
    assert ds.StudyDescription == "Photography of patient, Wound care"
    assert (
        ds.SeriesDescription == "Leg ulcer (venous, arterial or..., Lower leg, front (shin), left"
    )


def test_an_order_is_named_and_its_study_values_stand() -> None:
    ds = build(request(exam=exam(order=ORDER)))
    assert ds.AccessionNumber == "A4711"
    assert ds.IssuerOfAccessionNumberSequence[0].LocalNamespaceEntityID == "ST_ANNE_RIS"
    assert str(ds.ReferringPhysicianName) == "Wong^Tai^^Dr"
    assert ds.StudyDescription == "Wound photographs, left lower leg"
    assert ds.StudyID == "RP4711"
    assert code(ds.ProcedureCodeSequence[0]) == ("WOUNDPHOTO", "99STANNE", "Wound photographs")
    assert [item.CodeValue for item in ds.PerformedProtocolCodeSequence] == [
        "WND-LEG-ULCER",
        "197157006",
    ]
    asked = ds.RequestAttributesSequence[0]
    assert asked.StudyInstanceUID == ORDER.study_instance_uid
    assert (asked.RequestedProcedureID, asked.ScheduledProcedureStepID) == ("RP4711", "SPS4711")
    assert asked.ScheduledProtocolCodeSequence[0].CodeValue == "WP1"
    verify(ds)


def test_a_performed_step_is_an_exam_and_no_request() -> None:
    first = exam(order=ORDER)
    later = replace(first, exam_id="exam-2", started_at=STARTED_AT + timedelta(hours=2))
    study = request(exam=first).study
    one, two, again = (build(request(exam=act, study=study)) for act in (first, later, first))
    assert one.PerformedProcedureStepID == again.PerformedProcedureStepID
    ids = {ds.PerformedProcedureStepID for ds in (one, two)}
    assert len(ids) == 2
    assert not ids & {ORDER.requested_procedure_id, ORDER.scheduled_procedure_step_id, one.StudyID}
    assert all(len(step) == 16 for step in ids)
    assert [ds.PerformedProcedureStepStartTime[:4] for ds in (one, two)] == ["0930", "1130"]


def test_a_series_begins_with_its_exam() -> None:
    later = exam(started_at=STARTED_AT + timedelta(days=1, hours=2))
    study = request().study
    ds = build(request(exam=later, study=study))
    assert (ds.StudyDate, ds.StudyTime) == ("20240702", "093000.000000")
    assert (ds.SeriesDate, ds.SeriesTime) == ("20240703", "113000.000000")


def test_without_an_order_nothing_is_invented() -> None:
    ds = build(request())
    assert ds.AccessionNumber == ""
    assert "RequestAttributesSequence" not in ds
    assert "PerformedProcedureStepID" not in ds


@pytest.mark.parametrize(
    ("procedure", "code_value", "side", "content", "recognizable"),
    [
        ("DERM-GENITAL", "60944009", Side.MIDLINE, "131391", ""),
        ("DERM-LESION", "59112000", Side.MIDLINE, "131391", ""),
        ("DERM-FACE", "73897004", Side.MIDLINE, "131393", "YES"),
        ("DERM-FACE", "68698007", Side.MIDLINE, "131393", "YES"),
        ("DERM-TBP-BASE", "39937001", None, "131391", "YES"),
        ("DERM-TBP-FU", "66643007", Side.MIDLINE, "131391", "YES"),
        ("PT-POSTURE", "66643007", Side.MIDLINE, "", "YES"),
        ("PT-MOTION", "16953009", Side.LEFT, "", ""),
        ("ED-PHOTO-ABUSE", "25763004", Side.LEFT, "131395", ""),
        ("WND-LEG-ULCER", "25763004", Side.LEFT, "", ""),
    ],
)
def test_a_viewer_is_warned_of_what_it_will_show(
    procedure: str, code_value: str, side: Side, content: str, recognizable: str
) -> None:
    ds = build(request(description=description(procedure, code_value, side)))
    sequence = ds[0x0008001D].value if 0x0008001D in ds else []
    assert [item.CodeValue for item in sequence] == ([content] if content else [])
    assert ds.get("RecognizableVisualFeatures", "") == recognizable
    verify(ds)


@pytest.mark.parametrize(
    ("procedure", "code_value", "view"),
    [
        ("EYE-SQUINT", "81745001", ["399033003"]),
        ("EYE-EXTERNAL", "81745001", ["399033003"]),
        ("WND-LEG-ULCER", "25763004", []),
    ],
)
def test_the_view_is_said_where_the_act_says_it(
    procedure: str, code_value: str, view: list[str]
) -> None:
    ds = build(request(description=description(procedure, code_value, Side.LEFT)))
    found = [(i.CodingSchemeDesignator, i.CodeValue) for i in ds.get("ViewCodeSequence", [])]
    assert found == [("SCT", one) for one in view]
    verify(ds)


@pytest.mark.parametrize(
    ("kind", "said", "written"),
    [
        (ImageKind.PHOTO, None, "NO"),
        (ImageKind.PHOTO, True, "YES"),
        (ImageKind.DERMOSCOPY, None, "NO"),
        (ImageKind.MICROSCOPY, None, "NO"),
        (ImageKind.ULTRASOUND, None, "YES"),
        (ImageKind.ULTRASOUND, False, "NO"),
        (ImageKind.ENDOSCOPY, None, "YES"),
        (ImageKind.ENDOSCOPY, False, "NO"),
    ],
)
def test_a_name_may_be_in_the_picture_of_a_scanner_until_its_profile_says_no(
    kind: ImageKind, said: bool | None, written: str
) -> None:
    profile = Device(
        "one", "One", DeviceKind.CAMERA, "0", image_kind=kind, burned_in_annotation=said
    )
    chosen = {
        ImageKind.ULTRASOUND: description("RH-US-KNEE", "72696002", Side.RIGHT),
        ImageKind.ENDOSCOPY: description("GI-COLON", "14742008", None),
    }.get(kind, description("DERM-LESION", "66643007", Side.RIGHT))
    ds = build(request(description=chosen, device=device_info(profile)))
    assert ds.BurnedInAnnotation == written
    verify(ds)


@pytest.mark.parametrize(
    ("kind", "written"),
    [(ImageKind.PHOTO, None), (ImageKind.ULTRASOUND, "YES"), (ImageKind.ENDOSCOPY, "YES")],
)
def test_where_nothing_is_known_of_a_name_in_the_picture_nothing_is_said(
    kind: ImageKind, written: str | None
) -> None:
    chosen = {
        ImageKind.ULTRASOUND: description("RH-US-KNEE", "72696002", Side.RIGHT),
        ImageKind.ENDOSCOPY: description("GI-COLON", "14742008", None),
    }.get(kind, description())
    unknown = DeviceInfo("import", "Imported file", DeviceKind.FILE, kind)
    ds = build(request(description=chosen, device=unknown))
    assert ds.get("BurnedInAnnotation") == written
    verify(ds)


# ---------------------------------------------------------------------------------- equipment


def test_device_place_and_application_are_told_apart() -> None:
    ds = build(request())
    assert (ds.Manufacturer, ds.ManufacturerModelName, ds.DeviceSerialNumber) == (
        "Lumina",
        "UC-12",
        "SN-0815",
    )
    assert (ds.InstitutionName, ds.InstitutionalDepartmentName, ds.StationName) == (
        "St Anne's Hospital",
        "Wound care",
        "TROLLEY-4B",
    )
    assert ds.InstitutionalDepartmentTypeCodeSequence[0].CodeValue == "309967005"
    ours = ds.ContributingEquipmentSequence[0]
    assert ours.PurposeOfReferenceCodeSequence[0].CodeValue == "CAPTURE"
    assert ours.ManufacturerModelName == "Capture App"


@pytest.mark.parametrize(("ward", "code"), [("Burns", "309964003"), ("Theatre 2", ""), ("4C", "")])
def test_the_type_of_another_ward_is_that_of_the_places_of_the_station(
    ward: str, code: str
) -> None:
    burns = StationPlace("Burns", Code("309964003", "SCT", "Radiology department"))
    station = replace(STATION, places=(burns, StationPlace("Theatre 2")))
    ds = build(replace(request(), station=station, place=Location(ward)))
    types = ds.get("InstitutionalDepartmentTypeCodeSequence", [])
    assert ds.InstitutionalDepartmentName == ward
    assert [one.CodeValue for one in types] == ([code] if code else [])


@pytest.mark.parametrize(
    ("named", "ours", "code"),
    [
        ("Wound care", "Wound care", "309967005"),
        ("", "", "309967005"),
        ("Burns", "Wound care", "309964003"),
        ("Dermatology", "Wound care", "309923008"),
        ("Somewhere", "Wound care", ""),
    ],
)
def test_the_type_of_a_department_is_that_of_the_department_that_is_named(
    named: str, ours: str, code: str
) -> None:
    burns = StationPlace("Burns", Code("309964003", "SCT", "Radiology department"))
    ds = build(
        request(
            exam=exam(department=named),
            station=replace(STATION, department=ours, places=(burns,)),
            institution=replace(INSTITUTION, department=ours),
            description=description("DERM-LESION", "66643007", Side.LEFT),
        )
    )
    types = ds.get("InstitutionalDepartmentTypeCodeSequence", [])
    assert ds.get("InstitutionalDepartmentName", "") == named
    assert [one.CodeValue for one in types] == ([code] if code else [])


# --------------------------------------------------------------------------------------- time


def test_all_times_are_in_the_zone_of_the_study() -> None:
    ds = build(request())
    assert ds.TimezoneOffsetFromUTC == "+0200"
    assert (ds.StudyDate, ds.StudyTime) == ("20240702", "093000.000000")
    assert (ds.ContentDate, ds.ContentTime) == ("20240702", "093107.250000")
    assert ds.AcquisitionDateTime == "20240702093107.250000+0200"
    assert (ds.InstanceCreationDate, ds.InstanceCreationTime) == ("20240702", "093200.000000")


def test_a_study_keeps_its_date_when_the_clocks_go_back() -> None:
    summer, winter = timezone(timedelta(hours=1)), UTC
    started = datetime(2024, 10, 27, 0, 50, tzinfo=summer)
    taken = datetime(2024, 10, 27, 1, 10, tzinfo=winter)
    values = first_study_values(exam(), [description()], started_at=started, study_id="1")
    ds = build(request(study=values, taken_at=taken, sealed_at=taken))
    assert ds.TimezoneOffsetFromUTC == "+0100"
    assert (ds.StudyTime, ds.ContentTime) == ("005000.000000", "021000.000000")


@pytest.mark.parametrize(
    ("offset", "written"),
    [
        (timedelta(0), "+0000"),
        (timedelta(hours=-3, minutes=-30), "-0330"),
        (timedelta(hours=5, minutes=45), "+0545"),
        (timedelta(hours=14), "+1400"),
        (timedelta(hours=-12), "-1200"),
    ],
)
def test_offsets_of_the_world(offset: timedelta, written: str) -> None:
    started = STARTED_AT.astimezone(timezone(offset))
    values = first_study_values(exam(), [description()], started_at=started, study_id="1")
    ds = build(request(study=values))
    assert ds.TimezoneOffsetFromUTC == written
    verify(ds)


def test_a_time_without_zone_is_refused() -> None:
    naive = datetime(2024, 7, 2, 9, 30)  # noqa: DTZ001 - that is the fault
    values = first_study_values(exam(), [description()], started_at=naive, study_id="1")
    with pytest.raises(ConformanceError):
        build(request(study=values))


# -------------------------------------------------------------------------------------- pixels


def test_a_jpeg_is_wrapped_as_it_is() -> None:
    image = photo()
    ds = build(request(image=image))
    assert ds.file_meta.TransferSyntaxUID == JPEGBaseline8Bit
    assert image.data in ds.PixelData
    assert (ds.PhotometricInterpretation, ds.SamplesPerPixel) == ("YBR_FULL_422", 3)
    assert (ds.LossyImageCompression, ds.LossyImageCompressionMethod) == ("01", "ISO_10918_1")
    ratio = 48 * 64 * 3 / len(image.data)
    assert float(ds.LossyImageCompressionRatio) == pytest.approx(ratio, abs=0.051)
    assert ds.ColorSpace == "SRGB"
    assert ds.ICCProfile[36:40] == b"acsp"


def test_a_pictures_own_profile_goes_before_srgb() -> None:
    image = replace(photo(), icc_profile=b"own profile", color_space="")
    ds = build(request(image=image))
    assert ds.ICCProfile == b"own profile\x00"
    assert "ColorSpace" not in ds
    ds = build(request(image=replace(photo(), color_space="ADOBERGB")))
    assert ds.ColorSpace == "ADOBERGB"
    assert "ICCProfile" not in ds


def test_grey_and_rgb_are_named_for_what_they_are() -> None:
    grey = build(request(image=prepare_jpeg(jpeg(grey=True))))
    assert (grey.PhotometricInterpretation, grey.SamplesPerPixel) == ("MONOCHROME2", 1)
    assert "PlanarConfiguration" not in grey
    assert (grey.WindowCenter, grey.WindowWidth) == (128, 256)
    assert "WindowCenter" not in build(request())
    assert "ICCProfile" not in grey
    rgb = build(request(image=prepare_jpeg(jpeg(keep_rgb=True))))
    assert rgb.PhotometricInterpretation == "RGB"


@pytest.mark.parametrize("came_from_lossy", [True, False])
def test_lossless_pixels_remember_whether_they_were_compressed(*, came_from_lossy: bool) -> None:
    ds = build(request(image=encode_rgb(pixels(3, 5), came_from_lossy=came_from_lossy)))
    verify(ds)
    assert ds.file_meta.TransferSyntaxUID == JPEGLSLossless
    assert (ds.PhotometricInterpretation, ds.PlanarConfiguration) == ("RGB", 0)
    (stream,) = generate_frames(ds.PixelData, number_of_frames=1)
    assert decode(stream.rstrip(b"\x00"), 3, 5, 3) == pixels(3, 5).tobytes()
    assert ds.LossyImageCompression == ("01" if came_from_lossy else "00")
    assert "LossyImageCompressionRatio" not in ds


# ------------------------------------------------------------------------------- what is refused


def test_an_incomplete_description_is_refused() -> None:
    whole = request()
    for incomplete in (
        Description(),
        replace(description(), region=None),
        replace(description(), procedure=None),
    ):
        with pytest.raises(ConformanceError):
            build(replace(whole, description=incomplete))


def test_a_camera_cannot_make_an_ultrasound_image() -> None:
    chosen = description("RH-US-KNEE", "72696002", Side.RIGHT)
    with pytest.raises(ConformanceError, match=r"This procedure needs an ultrasound source\."):
        build(request(description=chosen))


# --------------------------------------------------------------------------------- descriptions


def test_descriptions_fit_for_every_act_region_and_side() -> None:
    found = catalog()
    for entry in found.selectable:
        assert 0 < len(study_description(entry, "Accident and Emergency")) <= 64
        for place in found.regions_for(entry):
            text = series_description(Description(entry, place, Side.BOTH))
            assert len(text) <= 64
            assert text.endswith(f"{place.label}, both sides")


def test_study_values_say_only_what_is_true_of_every_image() -> None:
    burn = description("WND-BURN", "25763004")
    lesion = description("DERM-LESION", "25763004")
    alone = first_study_values(exam(), [burn, burn], started_at=TAKEN_AT, study_id="7")
    assert alone.reason == Code("125666000", "SCT", "Burn")
    assert alone.study_id == "7"
    mixed = first_study_values(exam(), [burn, lesion], started_at=TAKEN_AT, study_id="7")
    assert mixed.reason is None
    assert burn.procedure is not None
    assert lesion.procedure is not None
    assert alone.fits(burn.procedure)
    assert not alone.fits(lesion.procedure)
    assert mixed.fits(lesion.procedure)
    ds = build(request(description=burn))
    assert ds.ReasonForPerformedProcedureCodeSequence[0].CodeValue == "125666000"


@pytest.mark.parametrize(
    ("handling", "kind"),
    [
        (Handling.AS_IT_IS, "ORIGINAL"),
        (Handling.MADE_BASELINE, "DERIVED"),
        (Handling.TURNED, "DERIVED"),
        (Handling.DECODED, "DERIVED"),
    ],
)
def test_derived_is_what_is_not_in_the_bytes_that_came(handling: Handling, kind: str) -> None:
    ds = build(request(image=replace(photo(), handling=handling)))
    assert list(ds.ImageType) == [kind, "PRIMARY"]
    assert ("DerivationDescription" in ds) is (kind == "DERIVED")


def test_pixels_that_are_not_square_have_their_aspect_ratio() -> None:
    assert "PixelAspectRatio" not in build(request())
    ds = build(request(image=replace(photo(), pixel_aspect=(1, 2))))
    assert list(map(int, ds.PixelAspectRatio)) == [1, 2]
    verify(ds)


def test_where_nobody_knows_when_it_was_taken_no_acquisition_is_claimed() -> None:
    ds = build(request(is_time_known=False))
    for word in ("AcquisitionDate", "AcquisitionTime", "AcquisitionDateTime"):
        assert word not in ds
    assert ds.ContentDate
    verify(ds)
