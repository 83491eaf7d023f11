"""Whatever the bytes are, a picture comes out whole or a sentence does."""

from hypothesis import given
from hypothesis import strategies as st

from capture_app.errors import ImageError
from capture_app.imaging import surgery
from capture_app.imaging.judge import judge
from capture_app.imaging.rgb import decode
from capture_app.model.encoded_image import EncodedImage, Handling
from tests.jpeg_parts import entropy_coded
from tests.sealing import jpeg

WHOLE = jpeg(24, 32)
MARKERS = st.integers(0xC0, 0xFE).filter(lambda m: m not in range(0xD0, 0xDA))
SEGMENTS = st.tuples(MARKERS, st.binary(max_size=40)).map(
    lambda pair: bytes((0xFF, pair[0])) + (len(pair[1]) + 2).to_bytes(2, "big") + pair[1]
)


def kept(data: bytes) -> EncodedImage:
    return judge(data, surgery).image


def prepared(data: bytes) -> EncodedImage | str:
    """The picture, or the words it was refused with."""
    try:
        return kept(data)
    except ImageError as error:
        return str(error)


def coded_data(jpeg: bytes) -> bytes:
    """What follows the header of the scan, up to the end mark or what fills up."""
    scan = entropy_coded(jpeg + b"\xff\xd9")
    return scan[2 + int.from_bytes(scan[2:4], "big") : -2].rstrip(b"\x00\xff")


def prepared_or_refused(data: bytes) -> None:
    image = prepared(data)
    if isinstance(image, str):
        assert image.endswith(".")
        return
    assert decode(image).shape == (image.rows, image.columns, 3)
    assert kept(image.data).data == image.data
    if image.handling is Handling.AS_IT_IS:
        assert coded_data(image.data) == coded_data(data)


@given(st.binary(max_size=200))
def test_any_bytes(data: bytes) -> None:
    prepared_or_refused(data)
    prepared_or_refused(b"\xff\xd8\xff" + data)


@given(st.integers(0, len(WHOLE) - 1), st.binary(min_size=1, max_size=3))
def test_a_picture_with_some_bytes_changed(at: int, change: bytes) -> None:
    prepared_or_refused(WHOLE[:at] + change + WHOLE[at + len(change) :])


@given(st.integers(0, len(WHOLE) - 1), st.integers(1, 60))
def test_a_picture_with_a_piece_missing(at: int, length: int) -> None:
    prepared_or_refused(WHOLE[:at] + WHOLE[at + length :])


@given(st.lists(SEGMENTS, max_size=6), st.binary(max_size=20))
def test_a_picture_with_segments_and_a_tail_added(segments: list[bytes], tail: bytes) -> None:
    prepared_or_refused(WHOLE[:2] + b"".join(segments) + WHOLE[2:] + tail)


PLANTED = b"Jane Doe 4B"
LIKE_METADATA = st.sampled_from(
    [
        b"",
        b"Exif\x00\x00II*\x00\x08\x00\x00\x00\x00\x00\x00\x00\x00\x00",
        b"http://ns.adobe.com/xap/1.0/\x00",
        b"ICC_PROFILE\x00\x01\x01",
        b"MPF\x00",
        b"JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00",
        b"Photoshop 3.0\x00",
        b"Adobe\x00\x64\x00\x00\x00\x00\x01",
        b"Adobe\x00",
    ]
)
MARKED = st.tuples(
    st.sampled_from([*range(0xE0, 0xF0), 0xFE]), LIKE_METADATA, st.binary(max_size=9)
)
UNUSED_TABLES = st.sampled_from(
    [
        bytes((0xFF, 0xDB, 0, 67, 3)) + PLANTED.ljust(64, b"."),
        bytes((0xFF, 0xDB, 0, 67, 0)) + PLANTED.ljust(64, b"."),
        bytes((0xFF, 0xC4, 0, 19 + len(PLANTED), 0x13, len(PLANTED))) + bytes(15) + PLANTED,
        b"",
    ]
)


@given(st.lists(MARKED, max_size=4), UNUSED_TABLES, st.binary(max_size=9))
def test_no_text_survives_wherever_it_stands(
    segments: list[tuple[int, bytes, bytes]], table: bytes, tail: bytes
) -> None:
    planted = b"".join(
        bytes((0xFF, marker))
        + (2 + len(like) + len(PLANTED) + len(noise)).to_bytes(2, "big")
        + like + PLANTED + noise
        for marker, like, noise in segments
    )  # fmt: skip
    image = prepared(WHOLE[:2] + planted + table + WHOLE[2:] + PLANTED + tail)
    if isinstance(image, str):  # two statements of one fact, or one that cannot be read
        assert "Jane" not in image
        return
    assert PLANTED not in image.data
    assert PLANTED not in image.icc_profile
    assert coded_data(image.data) == coded_data(WHOLE)


@given(
    st.lists(st.tuples(st.sampled_from([0xE0, 0xE1, 0xE3, 0xED, 0xFE]), st.binary(max_size=60))),
    st.binary(max_size=40),
)
def test_metadata_never_changes_what_is_kept(
    metadata: list[tuple[int, bytes]], tail: bytes
) -> None:
    noise = b"".join(
        bytes((0xFF, marker)) + (len(text) + 6).to_bytes(2, "big") + b"note" + text
        for marker, text in metadata
    )
    assert kept(WHOLE[:2] + noise + WHOLE[2:] + tail).data == kept(WHOLE).data
