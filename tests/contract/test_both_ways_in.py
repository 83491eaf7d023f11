"""A picture is judged alike whichever way it comes: as a file that is imported, or through the
shutter from a device that shows files. Both decode in the real child.
"""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta, timezone
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageCms

from capture_app.clock import SystemClock
from capture_app.devices.chosen import ChosenDevice
from capture_app.devices.opening import device_info
from capture_app.errors import ImageError, RuleError
from capture_app.exam.encoding import Picture, picture_of
from capture_app.exam.importing import picture_of_file
from capture_app.imaging.decoding import PictureDecoder
from capture_app.model.device import DeviceKind
from capture_app.model.encoded_image import Handling
from capture_app.settings.schema import Device
from tests.jpeg_parts import exif, icc_segments, segment, with_segments, without_jfif
from tests.sealing import jpeg, pixels
from tests.waiting import eventually

CLOCK = SystemClock()
NOW = CLOCK.now()
EOI = b"\xff\xd9"
GOLDEN = Path(__file__).parents[1] / "golden"
SAID = "Jane Doe, ward 4B"


def big(**options: Any) -> bytes:
    return jpeg(480, 640, **options)


def with_hole() -> bytes:
    data = big()
    return data[:9000] + bytes(2000) + data[11_000:]


def cmyk() -> bytes:
    Image.fromarray(pixels()).convert("CMYK").save(out := BytesIO(), "JPEG")
    return out.getvalue()


def display_p3() -> bytes:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return with_segments(big(progressive=True), *icc_segments(profile))


KEPT = {
    "as it is": (big(), Handling.AS_IT_IS),
    "without its end mark": (big()[:-2], Handling.AS_IT_IS),
    "progressive": (big(progressive=True), Handling.MADE_BASELINE),
    "progressive with a profile": (display_p3(), Handling.MADE_BASELINE),
    "extended": (big().replace(b"\xff\xc0", b"\xff\xc1", 1), Handling.MADE_BASELINE),
    "turned": (with_segments(big(), exif(orientation=6)), Handling.TURNED),
    "turned, of part blocks": (with_segments(jpeg(45, 61), exif(orientation=6)), Handling.DECODED),
    "text in APP14": (with_segments(big(), segment(0xEE, SAID.encode())), Handling.AS_IT_IS),
    "text for a profile": (
        with_segments(big(), segment(0xE2, b"ICC_PROFILE\x00\x01\x01" + SAID.encode())),
        Handling.AS_IT_IS,
    ),
    "pixels that are not square": (
        with_segments(
            without_jfif(big()), segment(0xE0, b"JFIF\x00\x01\x01\x01\x00\x48\x00\x90\x00\x00")
        ),
        Handling.AS_IT_IS,
    ),
}
OTHERS: dict[str, Callable[[Image.Image], bytes]] = {
    "one.png": lambda image: saved(image, "PNG"),
    "one.tiff": lambda image: saved(image, "TIFF"),
    "one.webp": lambda image: saved(image, "WEBP"),
    "one.bmp": lambda image: saved(image, "BMP"),
    "one.gif": lambda image: saved(image, "GIF"),
    "one.avif": lambda image: saved(image, "AVIF"),
    "one.heic": lambda _: (GOLDEN / "turned.heic").read_bytes(),
}
REFUSED = {
    "a hole": (with_hole(), "damaged"),
    "cut short": (big()[:-400], "damaged"),
    "cut short, with an end mark": (big()[:-400] + EOI, "damaged"),
    "two orientations": (
        with_segments(big(), exif(orientation=6), exif(orientation=1)),
        "how it is turned",
    ),
    "two fields": (
        2 * with_segments(without_jfif(big()), segment(0xE0, b"AVI1\x01" + bytes(9))),
        "interlaced",
    ),
    "for printing": (cmyk(), "CMYK"),
}


def saved(image: Image.Image, kind: str) -> bytes:
    image.save(out := BytesIO(), kind)
    return out.getvalue()


@pytest.fixture(scope="module")
def decoder() -> Iterator[PictureDecoder]:
    with closing(PictureDecoder(CLOCK)) as decoder:
        yield decoder


def imported(path: Path, decoder: PictureDecoder) -> Picture:
    return picture_of_file(path, decoder, now=NOW)


def taken(path: Path, decoder: PictureDecoder) -> Picture:
    """As the shutter takes it from a device that shows the file."""
    device = Device("files", "Files", DeviceKind.FILE, str(path))
    devices = ChosenDevice([device], CLOCK)
    devices.start()
    try:
        frame = eventually(devices.latest, what="a frame")
        assert frame is not None
        return picture_of(frame, device_info(device), decoder)
    finally:
        devices.stop()


@pytest.mark.parametrize("name", KEPT)
def test_what_one_way_keeps_the_other_keeps_too(
    name: str, decoder: PictureDecoder, tmp_path: Path
) -> None:
    data, handling = KEPT[name]
    path = tmp_path / "one.jpg"
    path.write_bytes(data)
    picture = imported(path, decoder)
    assert picture.image.handling is handling
    assert SAID.encode() not in picture.image.data
    assert taken(path, decoder).image == picture.image


@pytest.mark.parametrize("name", REFUSED)
def test_what_one_way_refuses_the_other_refuses_too(
    name: str, decoder: PictureDecoder, tmp_path: Path
) -> None:
    data, said = REFUSED[name]
    path = tmp_path / "one.jpg"
    path.write_bytes(data)
    with pytest.raises(RuleError, match=said):
        imported(path, decoder)
    with pytest.raises(ImageError, match=said):
        taken(path, decoder)


def film(path: Path, sample_aspect: str) -> Path:
    command = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc=size=160x120:rate=10"]
    shape = ["-vf", f"setsar={sample_aspect}", "-t", "1", "-c:v", "mpeg4"]
    subprocess.run([*command, *shape, str(path)], check=True)
    return path


@pytest.mark.parametrize(("sample_aspect", "meant"), [("2/1", (1, 2)), ("1/1", (1, 1))])
def test_a_film_of_pixels_that_are_not_square_says_so_of_its_pictures(
    sample_aspect: str, meant: tuple[int, int], decoder: PictureDecoder, tmp_path: Path
) -> None:
    picture = taken(film(tmp_path / "one.mp4", sample_aspect), decoder)
    assert picture.image.pixel_aspect == meant
    assert not picture.is_time_known


@pytest.mark.parametrize(
    ("age", "is_known"),
    [
        (timedelta(days=3), True),
        (timedelta(days=700), True),
        (timedelta(days=800), False),
        (timedelta(days=-1), False),
        (None, False),
    ],
)
def test_a_files_own_time_counts_where_it_can_be_believed(
    age: timedelta | None, is_known: bool, decoder: PictureDecoder, tmp_path: Path
) -> None:
    path, offset = tmp_path / "one.jpg", timezone(timedelta(hours=1))
    own = None if age is None else (NOW - age).astimezone(offset).replace(microsecond=0)
    said = "" if own is None else f"{own:%Y:%m:%d %H:%M:%S}"
    path.write_bytes(with_segments(big(), exif(taken=said, offset="+01:00")))
    for picture in (imported(path, decoder), taken(path, decoder)):
        assert picture.is_time_known is is_known
        if is_known:
            assert picture.taken_at == own
        else:
            assert picture.taken_at >= NOW


@pytest.mark.parametrize("name", OTHERS)
def test_other_formats_are_decoded_both_ways_alike(
    name: str, decoder: PictureDecoder, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_bytes(OTHERS[name](Image.fromarray(pixels())))
    picture = imported(path, decoder)
    assert picture.image.handling is Handling.DECODED
    assert taken(path, decoder).image == picture.image


def test_a_sixteen_bit_picture_is_refused_both_ways(
    decoder: PictureDecoder, tmp_path: Path
) -> None:
    path = tmp_path / "one.png"
    path.write_bytes(saved(Image.new("I;16", (64, 48)), "PNG"))
    with pytest.raises(RuleError, match="more than 8 bits"):
        imported(path, decoder)
    with pytest.raises(ImageError, match="more than 8 bits"):
        taken(path, decoder)
