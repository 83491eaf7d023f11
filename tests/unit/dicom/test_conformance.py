"""Every fault that conformance is there for is planted once and found; no words carry values."""

import unicodedata
from collections.abc import Callable

import pytest
from pydicom import config
from pydicom.datadict import dictionary_VR, tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage
from pydicom.valuerep import validate_value

from capture_app.dicom.build import build
from capture_app.dicom.conformance import verify
from capture_app.dicom.part10 import read, write
from capture_app.dicom.values import fits, fits_identifier
from capture_app.errors import ConformanceError
from capture_app.imaging.rgb import encode_rgb
from tests.sealing import ORDER, exam, pixels, request

Plant = Callable[[Dataset], object]


def plant(keyword: str, value: object) -> Plant:
    """Sets a value past every check of pydicom's."""

    def planted(ds: Dataset) -> None:
        tag = tag_for_keyword(keyword)
        assert tag is not None
        vr = dictionary_VR(tag)
        ds[tag] = DataElement(tag, vr, value, validation_mode=config.IGNORE)

    return planted


def drop(keyword: str) -> Plant:
    return lambda ds: delattr(ds, keyword)


def faults(*plants: Plant) -> str:
    ds = build(request(exam=exam(order=ORDER)))
    for change in plants:
        change(ds)
    with pytest.raises(ConformanceError) as caught:
        verify(ds)
    return str(caught.value)


def first(ds: Dataset, keyword: str) -> Dataset:
    item: Dataset = ds[keyword].value[0]
    return item


def test_a_built_instance_has_no_fault() -> None:
    ds = build(request(exam=exam(order=ORDER)))
    verify(ds)
    verify(read(write(ds)))


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("AccessionNumber", "A" * 17),
        ("StationName", "S" * 17),
        ("StudyID", "1" * 17),
        ("StudyDescription", "d" * 65),
        ("PatientID", "1" * 65),
        ("Modality", "xc"),
        ("PatientSex", "female"),
        ("PatientBirthDate", "1956-07-14"),
        ("PatientBirthDate", "19561314"),
        ("StudyTime", "9:30"),
        ("AcquisitionDateTime", "20240702093107.25+2500"),
        ("PatientAge", "67Y"),
        ("SeriesNumber", "1234567890123"),
        ("SOPInstanceUID", "1.2.03.4"),
        ("SOPInstanceUID", "1.2." + "3" * 62),
        ("SOPInstanceUID", "2.25.x"),
        ("PatientName", "x" * 65),
        ("PatientName", "a=b=c=d"),
        ("PatientName", "a^b^c^d^e^f"),
        ("PatientName", "a\nb"),
        ("InstitutionName", "St Anne\x00"),
        ("BodyPartExamined", "knee"),
        ("PatientName", "\ud800"),
        ("Modality", "ÜS"),
    ],
)
def test_a_value_that_breaks_its_vr_is_named_without_itself(keyword: str, value: str) -> None:
    said = faults(plant(keyword, value))
    assert keyword in said
    assert value not in said


def test_items_of_sequences_are_looked_into() -> None:
    def planted(ds: Dataset) -> None:
        asked = first(ds, "RequestAttributesSequence")
        protocol = first(asked, "ScheduledProtocolCodeSequence")
        tag = protocol["CodeValue"].tag
        protocol[tag] = DataElement(tag, "SH", "V" * 17, validation_mode=config.IGNORE)

    said = faults(planted)
    assert "RequestAttributesSequence[1].ScheduledProtocolCodeSequence[1].CodeValue" in said


@pytest.mark.parametrize("keyword", ["CodeValue", "CodingSchemeDesignator", "CodeMeaning"])
def test_a_code_without_one_of_its_three_parts(keyword: str) -> None:
    said = faults(lambda ds: delattr(first(ds, "AnatomicRegionSequence"), keyword))
    assert said == f"AnatomicRegionSequence[1].{keyword} is missing"


def test_an_empty_item() -> None:
    def planted(ds: Dataset) -> None:
        ds.RequestAttributesSequence = Sequence([Dataset()])

    assert "RequestAttributesSequence[1] is an empty item" in faults(planted)


@pytest.mark.parametrize(
    "keyword",
    [
        "SOPClassUID",
        "SOPInstanceUID",
        "StudyInstanceUID",
        "SeriesInstanceUID",
        "Modality",
        "PatientName",
        "PatientID",
        "StudyDate",
        "AccessionNumber",
        "Manufacturer",
        "InstanceNumber",
        "PatientOrientation",
        "ImageLaterality",
        "ImageType",
        "AnatomicRegionSequence",
        "AcquisitionContextSequence",
        "SamplesPerPixel",
        "PlanarConfiguration",
        "PixelData",
        "TimezoneOffsetFromUTC",
    ],
)
def test_what_must_be_there_is_missed(keyword: str) -> None:
    assert f"{keyword} is missing" in faults(drop(keyword))


def test_an_image_of_nobody() -> None:
    assert "PatientID is missing" in faults(lambda ds: setattr(ds, "PatientID", ""))


def test_a_class_that_is_not_built_here() -> None:
    said = faults(lambda ds: setattr(ds, "SOPClassUID", SecondaryCaptureImageStorage))
    assert "SOPClassUID is none of the classes" in said


def test_a_stray_backslash_makes_two_values() -> None:
    said = faults(lambda ds: setattr(ds, "StudyDescription", "left\\right"))
    assert said == "StudyDescription has 2 values"


def test_one_uid_for_two_things() -> None:
    said = faults(lambda ds: setattr(ds, "SeriesInstanceUID", ds.StudyInstanceUID))
    assert "UIDs of their own" in said


def test_file_meta_that_speaks_of_another_instance() -> None:
    said = faults(lambda ds: setattr(ds.file_meta, "MediaStorageSOPInstanceUID", "1.2.3"))
    assert "MediaStorageSOPInstanceUID is not SOPInstanceUID" in said


@pytest.mark.parametrize("charset", ["", "ISO_IR 100", "UTF-8", ["", "ISO 2022 IR 87"]])
def test_another_character_set(charset: object) -> None:
    said = faults(plant("SpecificCharacterSet", charset))
    assert "SpecificCharacterSet is not ISO_IR 192" in said


# ---------------------------------------------------- the four faults that dciodvfy lets through


@pytest.mark.parametrize("offset", ["+2500", "-0000", "+1401", "-1230", "0200", "+02:00", "+0260"])
def test_an_impossible_time_zone(offset: str) -> None:
    said = faults(lambda ds: setattr(ds, "TimezoneOffsetFromUTC", offset))
    assert "TimezoneOffsetFromUTC is not an offset from UTC" in said


def test_a_private_element_without_its_creator() -> None:
    said = faults(lambda ds: ds.add_new(0x00091001, "LO", "x"))
    assert said == "(0009,1001) is private and has no creator"


def test_a_private_element_of_another_block() -> None:
    def planted(ds: Dataset) -> None:
        ds.add_new(0x00090010, "LO", "CREATOR")
        ds.add_new(0x00091101, "LO", "x")

    assert faults(planted) == "(0009,1101) is private and has no creator"


def test_a_private_element_with_its_creator_is_well_formed() -> None:
    ds = build(request())
    block = ds.private_block(0x0009, "CREATOR", create=True)
    block.add_new(0x01, "LO", "x")
    verify(ds)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (drop("LossyImageCompressionRatio"), "LossyImageCompressionRatio is missing"),
        (drop("LossyImageCompressionMethod"), "LossyImageCompressionMethod is missing"),
        (lambda ds: setattr(ds, "LossyImageCompressionRatio", "0"), "Ratio is missing"),
        (
            lambda ds: setattr(ds, "LossyImageCompression", "00"),
            "does not say that the picture is compressed",
        ),
        (lambda ds: setattr(ds, "LossyImageCompression", "1"), "neither 00 nor 01"),
    ],
)
def test_a_lossy_picture_that_does_not_say_so_in_full(change: Plant, said: str) -> None:
    assert said in faults(change)


# -------------------------------------------------------------------------------------- pixels


def native() -> Dataset:
    """As it goes to a peer that takes nothing else."""
    ds = build(request(image=encode_rgb(pixels(), came_from_lossy=False)))
    ds.PixelData = pixels().tobytes()
    ds["PixelData"].is_undefined_length = False
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    verify(ds)
    return ds


def test_pixels_of_another_size_than_said() -> None:
    ds = build(request(image=encode_rgb(pixels(), came_from_lossy=False)))
    ds.Rows = 47
    with pytest.raises(ConformanceError, match="does not have the size"):
        verify(ds)
    ds = native()
    ds.Rows = 47
    with pytest.raises(ConformanceError, match="does not have the length"):
        verify(ds)


def test_a_wrong_name_for_the_colours() -> None:
    said = faults(lambda ds: setattr(ds, "PhotometricInterpretation", "MONOCHROME2"))
    assert "PhotometricInterpretation does not fit the compressed picture" in said
    ds = build(request(image=encode_rgb(pixels(), came_from_lossy=False)))
    ds.PhotometricInterpretation = "YBR_FULL"
    with pytest.raises(ConformanceError, match="does not fit the compressed picture"):
        verify(ds)
    ds = native()
    ds.PhotometricInterpretation = "YBR_FULL"
    with pytest.raises(ConformanceError, match="does not fit the pixels"):
        verify(ds)


def test_a_picture_that_is_not_encapsulated() -> None:
    def planted(ds: Dataset) -> None:
        ds.PixelData = b"\xff\xd8\xff\xd9"

    assert "PixelData is not encapsulated" in faults(planted)
    assert "PixelData has an odd length" in faults(lambda ds: setattr(ds, "PixelData", b"\xff"))


def test_a_compressed_picture_under_the_name_of_an_uncompressed_one() -> None:
    said = faults(lambda ds: setattr(ds.file_meta, "TransferSyntaxUID", ExplicitVRLittleEndian))
    assert "does not have the length" in said


def test_all_faults_are_said_at_once() -> None:
    said = faults(drop("Modality"), drop("StudyDate"))
    assert said == "StudyDate is missing; Modality is missing"


def test_a_misspelt_keyword_is_an_error() -> None:
    with pytest.raises(ValueError, match="PatientNmae"):
        Dataset().PatientNmae = "x"


@pytest.mark.parametrize(
    ("keyword", "text"),
    [
        ("RequestedProcedureID", "R" * 17),
        ("RequestedProcedureID", "R\t1"),
        ("PatientID", "7" * 65),
        ("PatientID", "7\\8"),
        ("PatientID", "7\x85"),
        ("PatientID", "\ud800"),
        ("IdentifierTypeCode", "MÜ"),
        ("IdentifierTypeCode", "mr"),
        ("IdentifierTypeCode", "M" * 17),
        ("StudyInstanceUID", "1.02.3"),
        ("StudyInstanceUID", "1." + "2" * 63),
        ("PatientName", "A" * 65),
        ("PatientName", "A^B^C^D^E^F"),
        ("PatientName", "A=B=C=D"),
        ("ScheduledStationAETitle", "A" * 17),
        ("UniversalEntityID", "1\n2"),
    ],
)
def test_a_text_that_an_element_cannot_hold_does_not_fit(keyword: str, text: str) -> None:
    assert not fits(keyword, text)


@pytest.mark.parametrize(
    ("keyword", "text"),
    [
        ("RequestedProcedureID", "R" * 16),
        ("PatientID", "Ü-7/王"),
        ("IdentifierTypeCode", "MR"),
        ("StudyInstanceUID", "1.2.3"),
        ("PatientName", "A" * 64 + "=" + "王" * 64),
        ("PatientName", "می\u200cخواهم"),  # a joiner is part of the script
        ("UniversalEntityID", "1." * 100),
        ("PatientID", ""),
    ],
)
def test_one_that_it_can_hold_fits(keyword: str, text: str) -> None:
    assert fits(keyword, text)


@pytest.mark.parametrize(
    ("keyword", "vr", "longest"),
    [
        ("IdentifierTypeCode", "CS", 16),
        ("AccessionNumber", "SH", 16),
        ("PatientID", "LO", 64),
        ("InstitutionAddress", "ST", 1024),
        ("UniversalEntityID", "UT", 2000),
        ("PatientName", "PN", 64),
    ],
)
def test_each_character_fits_where_its_vr_holds_it(keyword: str, vr: str, longest: int) -> None:
    for character in map(chr, range(0x180)):
        is_text = unicodedata.category(character) != "Cc" and character != "\\"
        allowed = is_text and (vr != "CS" or character.isascii())
        for text in (character, f"A{character}0", character * longest, character * (longest + 1)):
            try:
                validate_value(vr, text, config.RAISE)
                is_valid = vr != "PN" or text.count("^") <= 4
            except ValueError:
                is_valid = False
            assert fits(keyword, text) == (allowed and is_valid), (vr, character, len(text))


def test_a_mark_that_nobody_sees_is_no_part_of_an_identifier() -> None:
    assert fits("PatientID", "7\u200b8")
    assert not fits_identifier("PatientID", "7\u200b8")


def test_a_keyword_that_is_none_is_a_fault_of_ours() -> None:
    with pytest.raises(ConformanceError, match="no such attribute"):
        fits("PatientNmae", "7")
