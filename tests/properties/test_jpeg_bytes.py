"""Whatever the bytes are, a picture comes out whole or a sentence does."""

from hypothesis import given
from hypothesis import strategies as st

from capture_app.errors import ImageError
from capture_app.imaging.jpeg import prepare_jpeg
from capture_app.imaging.rgb import decode
from capture_app.model.encoded_image import EncodedImage
from tests.jpeg_parts import entropy_coded
from tests.sealing import jpeg

WHOLE = jpeg(24, 32)
MARKERS = st.integers(0xC0, 0xFE).filter(lambda m: m not in range(0xD0, 0xDA))
SEGMENTS = st.tuples(MARKERS, st.binary(max_size=40)).map(
    lambda pair: bytes((0xFF, pair[0])) + (len(pair[1]) + 2).to_bytes(2, "big") + pair[1]
)


def prepared(data: bytes) -> EncodedImage | str:
    """The picture, or the words it was refused with."""
    try:
        return prepare_jpeg(data)
    except ImageError as error:
        return str(error)


def prepared_or_refused(data: bytes) -> None:
    image = prepared(data)
    if isinstance(image, str):
        assert image.endswith(".")
        return
    assert decode(image).shape == (image.rows, image.columns, 3)
    assert prepare_jpeg(image.data).data == image.data
    assert entropy_coded(image.data) == entropy_coded(data)


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
    assert prepare_jpeg(WHOLE[:2] + noise + WHOLE[2:] + tail).data == prepare_jpeg(WHOLE).data
