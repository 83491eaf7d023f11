"""One instance, one UID, in the transfer syntaxes in which it may be sent."""

from dataclasses import replace

import pytest
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, JPEGBaseline8Bit

from capture_app.dicom import part10
from capture_app.dicom.build import build
from capture_app.dicom.coding import UNCOMPRESSED, coded, in_transfer_syntax, sendable_in
from capture_app.dicom.conformance import verify
from capture_app.errors import ConformanceError
from capture_app.imaging.rgb import decode, encode_rgb
from capture_app.model.encoded_image import PixelCoding
from tests.sealing import lossless, photo, pixels, request

JPEG_LS = "1.2.840.10008.1.2.4.80"


def test_pixels_are_sealed_once_and_without_loss() -> None:
    kept = encode_rgb(pixels(), came_from_lossy=False)
    image = coded(kept)
    assert image.coding is PixelCoding.JPEG_LS
    assert len(image.data) < len(kept.data)
    assert (decode(image) == pixels()).all()
    assert coded(image) is image
    assert coded(photo()) == photo()
    with pytest.raises(ConformanceError):
        coded(replace(kept, rows=kept.rows + 1))


@pytest.mark.parametrize("syntax", UNCOMPRESSED)
def test_what_is_decoded_is_the_same_instance(syntax: str) -> None:
    content, instance = lossless(7, 5)
    assert instance.transfer_syntax_uid == JPEG_LS
    sent = in_transfer_syntax(content, instance, syntax)
    assert sent == in_transfer_syntax(content, instance, syntax)
    ds, original = part10.read(sent), part10.read(content)
    verify(ds)
    assert ds.file_meta.TransferSyntaxUID == syntax
    assert ds.PixelData == pixels(7, 5).tobytes() + b"\0"
    assert part10.pixel_sha256(ds) == instance.decoded_sha256
    assert part10.pixel_layout(ds) == instance.pixel_layout
    for one in (ds, original):
        del one.file_meta.TransferSyntaxUID, one.file_meta.FileMetaInformationGroupLength
    assert ds.file_meta == original.file_meta
    del ds.PixelData, original.PixelData
    assert ds.to_json_dict() == original.to_json_dict()


def test_the_sealed_bytes_go_as_they_are_where_they_are_taken() -> None:
    content, instance = lossless(7, 5)
    assert in_transfer_syntax(content, instance, JPEG_LS) is content
    assert sendable_in(JPEG_LS) == (JPEG_LS, *UNCOMPRESSED)
    assert sendable_in(ExplicitVRLittleEndian) == UNCOMPRESSED


def test_a_lossy_jpeg_is_never_decoded() -> None:
    assert sendable_in(JPEGBaseline8Bit) == (JPEGBaseline8Bit,)
    ds = build(request())
    content = part10.write(ds)
    for syntax in UNCOMPRESSED:
        with pytest.raises(ConformanceError):
            in_transfer_syntax(content, part10.describe_instance(ds, len(content)), syntax)


def test_what_does_not_decode_to_what_was_sealed_is_not_sent() -> None:
    content, instance = lossless(7, 5)
    (place,) = instance.fragments
    for damaged in (
        replace(instance, decoded_sha256="0" * 64),
        replace(instance, fragments=()),
        replace(instance, fragments=(replace(place, length=place.length - 20),)),
        replace(instance, fragments=(replace(place, offset=place.offset + 2),)),
    ):
        with pytest.raises(ConformanceError):
            in_transfer_syntax(content, damaged, ImplicitVRLittleEndian)


def test_raw_pixels_of_before_go_to_a_peer_that_takes_implicit_alone() -> None:
    content, instance = lossless(7, 5)
    explicit = in_transfer_syntax(content, instance, ExplicitVRLittleEndian)
    old = part10.describe_instance(part10.read(explicit), len(explicit))
    implicit = in_transfer_syntax(explicit, old, ImplicitVRLittleEndian)
    assert implicit == in_transfer_syntax(content, instance, ImplicitVRLittleEndian)
