"""The marker segments of a JPEG; what is refused in words is in tests/unit/imaging/test_jpeg.py."""

import pytest

from capture_app.dicom.jpeg_stream import SOF0, SOS, frame_size, segments
from capture_app.errors import ImageError
from tests import sealing


@pytest.mark.parametrize("progressive", [False, True])
def test_the_size_is_that_of_the_frame_header_whatever_its_process(*, progressive: bool) -> None:
    assert frame_size(sealing.jpeg(48, 64, progressive=progressive)) == (48, 64)


def test_the_size_is_read_though_the_rest_is_missing() -> None:
    jpeg = sealing.jpeg(48, 64)
    (frame,) = [segment for segment in segments(jpeg) if segment.marker == SOF0]
    assert frame_size(jpeg[: frame.end]) == (48, 64)


def test_a_size_in_a_thumbnail_is_not_that_of_the_picture() -> None:
    inner = sealing.jpeg(8, 8)
    app1 = b"\xff\xe1" + (len(inner) + 2).to_bytes(2, "big") + inner
    jpeg = sealing.jpeg(48, 64)
    assert frame_size(jpeg[:2] + app1 + jpeg[2:]) == (48, 64)


@pytest.mark.parametrize(
    "data", [b"", b"\xff\xd8", b"\xff\xd8\xff\xda\x00\x02", b"\xff\xd8\xff\xd9", b"RIFF" * 20]
)
def test_bytes_without_a_frame_header_have_no_size(data: bytes) -> None:
    with pytest.raises(ImageError):
        frame_size(data)


def test_segments_lie_side_by_side_and_the_last_scan_ends_at_the_end() -> None:
    jpeg = sealing.jpeg(48, 64)
    found = list(segments(jpeg))
    assert found[0].start == 2
    assert [one.end for one in found[:-1]] == [next_one.start for next_one in found[1:]]
    assert found[-1].marker == SOS
    assert jpeg[found[-1].end :] == b"\xff\xd9"
