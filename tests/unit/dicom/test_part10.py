"""Files, and the hash that an archive's answer is compared by."""

import hashlib
from io import BytesIO

import pytest
from pydicom import dcmread, dcmwrite
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from capture_app.dicom.build import build
from capture_app.dicom.part10 import (
    IMPLEMENTATION_CLASS_UID,
    describe_instance,
    pixel_fragment,
    pixel_sha256,
    read,
    write,
)
from capture_app.errors import ConformanceError
from capture_app.imaging.jpeg import prepare_jpeg
from capture_app.imaging.rgb import encode_rgb
from capture_app.model.encoded_image import EncodedImage, PixelCoding
from tests.sealing import jpeg, pixels, request


def odd_and_even() -> list[EncodedImage]:
    """Two pictures, one whose stream has an odd length."""
    found: dict[int, EncodedImage] = {}
    for quality in range(50, 95):
        image = prepare_jpeg(jpeg(quality=quality))
        found.setdefault(len(image.data) % 2, image)
    return [found[0], found[1]]


@pytest.mark.parametrize("image", odd_and_even())
def test_the_hash_is_of_the_stream_without_its_padding(image: EncodedImage) -> None:
    ds = build(request(image=image))
    assert pixel_sha256(ds) == hashlib.sha256(image.data).hexdigest()
    assert pixel_sha256(read(write(ds))) == pixel_sha256(ds)


@pytest.mark.parametrize("image", odd_and_even())
def test_the_hash_does_not_hang_on_fragments(image: EncodedImage) -> None:
    ds = build(request(image=image))
    for fragments in (2, 3):
        other = read(write(ds))
        other.PixelData = encapsulate([image.data], fragments_per_frame=fragments, has_bot=False)
        other["PixelData"].is_undefined_length = True
        assert pixel_sha256(read(write(other))) == pixel_sha256(ds)


@pytest.mark.parametrize(
    "image",
    [*odd_and_even(), EncodedImage(PixelCoding.JPEG_BASELINE, 48, 64, b"\xff\xd8no end of image")],
)
def test_where_the_pixels_end_is_known_and_not_guessed(image: EncodedImage) -> None:
    """A stream need not end in the marker that ends an image; the padding belongs to no stream."""
    ds = build(request(image=image))
    content = write(ds)
    pixels = pixel_fragment(ds, content, len(image.data))
    assert content[pixels.offset : pixels.offset + pixels.length] == image.data
    told = describe_instance(ds, len(content), (pixels,))
    assert told.stream_length == len(image.data)
    assert told.pixel_sha256 == hashlib.sha256(image.data).hexdigest()
    other = read(content)
    other.PixelData = encapsulate([image.data + b"\0\0"], has_bot=False)
    other["PixelData"].is_undefined_length = True
    assert pixel_sha256(other, told.stream_length) != told.pixel_sha256
    with pytest.raises(ConformanceError):
        pixel_fragment(ds, content, len(image.data) - 2)


def test_one_changed_byte_changes_the_hash() -> None:
    image = odd_and_even()[0]
    changed = bytearray(image.data)
    changed[-10] ^= 1
    ds = build(request(image=image))
    other = build(request(image=EncodedImage(image.coding, 48, 64, bytes(changed))))
    assert pixel_sha256(ds) != pixel_sha256(other)


@pytest.mark.parametrize("transfer_syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_the_hash_of_native_pixels_does_not_hang_on_padding_or_encoding(
    transfer_syntax: UID,
) -> None:
    raw = pixels(3, 5)
    ds = build(request(image=encode_rgb(raw, came_from_lossy=False)))
    ds.PixelData = raw.tobytes() + b"\0"
    ds["PixelData"].is_undefined_length = False
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    expected = hashlib.sha256(raw.tobytes()).hexdigest()
    assert pixel_sha256(ds) == expected
    other = dcmread(BytesIO(write(ds)))
    other.file_meta.TransferSyntaxUID = transfer_syntax
    out = BytesIO()
    implicit = transfer_syntax == ImplicitVRLittleEndian
    dcmwrite(out, other, implicit_vr=implicit, little_endian=True, enforce_file_format=True)
    assert pixel_sha256(read(out.getvalue())) == expected


def test_a_file_says_who_wrote_it_and_reads_back_equal() -> None:
    ds = build(request())
    data = write(ds)
    assert data[128:132] == b"DICM"
    again = read(data)
    assert again.file_meta.ImplementationClassUID == IMPLEMENTATION_CLASS_UID
    assert again.file_meta.SourceApplicationEntityTitle == "CAPTURE"
    assert len(again.file_meta.ImplementationVersionName or "") <= 16
    assert again.to_json_dict() == _with_delimiter(ds).to_json_dict()
    assert write(again) == data


def _with_delimiter(ds: Dataset) -> Dataset:
    return read(write(ds))


@pytest.mark.parametrize(
    "image", [*odd_and_even(), encode_rgb(pixels(3, 5), came_from_lossy=False)]
)
def test_the_bytes_are_those_that_pydicom_would_write(image: EncodedImage) -> None:
    ds = build(request(image=image))
    out = BytesIO()
    dcmwrite(out, ds, enforce_file_format=True)
    assert write(ds) == out.getvalue()


def test_the_same_request_gives_the_same_bytes() -> None:
    assert write(build(request())) == write(build(request()))


def test_an_archive_is_told_what_it_must_compare() -> None:
    ds = build(request())
    data = write(ds)
    told = describe_instance(ds, len(data))
    assert told.sop_instance_uid == ds.SOPInstanceUID
    assert told.sop_class_uid == "1.2.840.10008.5.1.4.1.1.77.1.4"
    assert told.transfer_syntax_uid == "1.2.840.10008.1.2.4.50"
    assert told.study_instance_uid == ds.StudyInstanceUID
    assert told.series_instance_uid == ds.SeriesInstanceUID
    assert (told.patient_id, told.issuer_of_patient_id) == ("0012345678", "ST_ANNE")
    assert told.pixel_sha256 == pixel_sha256(ds)
    assert told.size == len(data)


def test_what_has_no_pixels_has_no_hash() -> None:
    ds = build(request())
    del ds.PixelData
    with pytest.raises(ConformanceError):
        pixel_sha256(ds)
    with pytest.raises(ConformanceError):
        read(b"no DICOM")
