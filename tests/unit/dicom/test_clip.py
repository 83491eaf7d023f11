"""Clips: frames byte for byte, and times that are true."""

from dataclasses import replace
from functools import partial
from io import BytesIO
from itertools import accumulate
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import generate_frames, parse_basic_offsets

from capture_app.dicom.build import build_clip
from capture_app.dicom.conformance import verify
from capture_app.dicom.part10 import (
    clip_pieces,
    clip_sha256,
    describe_clip,
    pixel_sha256,
    read,
)
from capture_app.errors import ConformanceError, ImageError
from capture_app.imaging.clip import coded_clips
from capture_app.model.coded_clip import CodedClip
from tests.sealing import (
    CAMERA,
    SCANNER,
    TAKEN_AT,
    clip,
    clip_request,
    frames,
    jpeg,
    pixels,
)

MS = 1_000


def built(made: CodedClip, **changes: Any) -> Dataset:
    ds = build_clip(clip_request(made, **changes), made)
    verify(ds)
    return ds


def written(made: CodedClip, **changes: Any) -> bytes:
    return b"".join(clip_pieces(built(made, **changes), made))


def test_frames_are_byte_for_byte_and_each_in_a_fragment_of_its_own() -> None:
    coded = frames()
    assert {len(one) % 2 for one in coded} == {0, 1}
    ds = read(written(clip(coded)))
    assert [one.rstrip(b"\0") for one in generate_frames(ds.PixelData)] == coded
    padded = [len(one) + len(one) % 2 for one in coded]
    assert parse_basic_offsets(ds.PixelData) == [
        *accumulate((8 + length for length in padded[:-1]), initial=0)
    ]
    assert ds.NumberOfFrames == len(coded)


def test_what_is_told_of_a_clip_before_it_is_written_is_true() -> None:
    made = clip()
    content, told = written(made), describe_clip(built(made), made)
    assert told.size == len(content)
    assert told.pixel_sha256 == pixel_sha256(read(content))
    assert told.pixel_layout is not None
    assert told.pixel_layout.frames == made.count
    one_byte_more = read(content)
    one_byte_more.PixelData = bytes(one_byte_more.PixelData).replace(b"\xff\xd9", b"\xff\xd8", 1)
    assert pixel_sha256(one_byte_more) != told.pixel_sha256


def test_a_steady_clip_has_the_measured_frame_time() -> None:
    """29.97 a second, each frame some milliseconds early or late: never half a frame."""
    jitter = [0, 9, -7, 12, 3, -11, 5, 0, 14, -2, 6, 0]
    times = [round(n * 33.366667 * MS) + jitter[n] * MS for n in range(12)]
    ds = built(clip(taken_us=times))
    assert ds.FrameIncrementPointer == 0x00181063
    assert float(ds.FrameTime) * 11 == pytest.approx(times[-1] / MS, abs=0.001)
    assert "FrameTimeVector" not in ds
    assert (ds.CineRate, ds.RecommendedDisplayFrameRate) == (30, 30)


def test_a_clip_whose_rate_varies_has_each_time_that_was_measured() -> None:
    times = [0, 33, 66, 400, 433, 466, 467, 468, 469, 470, 471, 900]
    ds = built(clip(taken_us=[one * MS for one in times]))
    assert ds.FrameIncrementPointer == 0x00181065
    assert [*accumulate(float(one) for one in ds.FrameTimeVector)] == times
    assert "FrameTime" not in ds


def test_rounding_does_not_add_up_over_a_long_clip() -> None:
    times = [round(n * 33_366.667) + (n % 2) * 20 * MS for n in range(1000)]
    ds = built(clip(frames(2) * 500, times))
    total = [*accumulate(float(one) for one in ds.FrameTimeVector)][-1]
    assert total == pytest.approx(times[-1] / MS, abs=0.001)


def test_times_are_of_milliseconds_where_a_long_clip_has_too_many() -> None:
    rng = np.random.default_rng(7)
    times = [0, *np.cumsum(rng.integers(1, 60 * MS, 15_999)).tolist()]
    ds = built(replace(clip(frames(2, 8, 8)), taken_us=tuple(times)))
    total = [*accumulate(int(one) for one in ds.FrameTimeVector)]
    assert len(total) == 16_000
    assert max(abs(one - at / MS) for one, at in zip(total, times, strict=True)) <= 0.5


def test_an_ultrasound_clip_is_one_and_shows_that_it_often_names_the_patient() -> None:
    ds = built(clip(), device=replace(SCANNER, burned_in_annotation=None))
    assert ds.SOPClassUID == "1.2.840.10008.5.1.4.1.1.3.1"
    assert (ds.Modality, ds.BurnedInAnnotation) == ("US", "YES")
    assert ds.AcquisitionDateTime.startswith(TAKEN_AT.strftime("%Y%m%d%H%M%S"))


@pytest.mark.parametrize(("said", "burned_in"), [(None, "YES"), (False, "NO"), (True, "YES")])
def test_a_clip_of_a_camera_says_no_names_only_where_somebody_has_said_so(
    *, said: bool | None, burned_in: str
) -> None:
    ds = built(clip(), device=replace(CAMERA, burned_in_annotation=said))
    assert ds.SOPClassUID == "1.2.840.10008.5.1.4.1.1.7.4"
    assert (ds.Modality, ds.BurnedInAnnotation) == ("XC", burned_in)
    assert ds.ConversionType == "DI"


def test_a_grey_clip_of_a_camera_is_grey() -> None:
    ds = built(clip(frames(grey=True)))
    assert ds.SOPClassUID == "1.2.840.10008.5.1.4.1.1.7.2"
    assert ds.PhotometricInterpretation == "MONOCHROME2"


def test_it_is_lossy_with_the_ratio_of_all_frames() -> None:
    made = clip()
    ds = built(made)
    assert (ds.LossyImageCompression, ds.LossyImageCompressionMethod) == ("01", "ISO_10918_1")
    ratio = 48 * 64 * 3 * made.count / sum(made.lengths)
    assert float(ds.LossyImageCompressionRatio) == pytest.approx(ratio, abs=0.06)


@pytest.mark.parametrize("times", [[0, 0, 0], [0, 40, 20]])
def test_times_that_stand_or_go_back_make_no_clip(times: list[int]) -> None:
    made = clip(frames(3))
    with pytest.raises(ConformanceError):
        built(replace(made, taken_us=tuple(one * MS for one in times)))


def test_a_frame_of_another_size_is_told_in_words() -> None:
    mixed = [jpeg(), jpeg(96, 64)]
    with pytest.raises(ImageError, match="not all of one size"):
        coded_clips(lambda: iter(zip(mixed, (0, 40 * MS), strict=True)))


@pytest.mark.parametrize("count", [0, 1])
def test_less_than_two_frames_are_told_in_words(count: int) -> None:
    with pytest.raises(ImageError, match="less than two"):
        coded_clips(lambda: iter([(jpeg(), 0)] * count))


@pytest.mark.expects_log("film-frames-left-out")
def test_broken_frames_of_a_camera_hold_up_no_clip_and_their_times_show_as_gaps() -> None:
    coded = frames(6)
    came = [*coded[:2], b"", coded[2][:300], *coded[3:]]
    made = clip(came, [n * 40 * MS for n in range(len(came))])
    assert [*made.frames()] == [*coded[:2], *coded[3:]]
    assert made.taken_us == tuple(n * 40 * MS for n in (0, 1, 4, 5, 6))
    built(made)


def test_metadata_of_a_frame_is_cut() -> None:
    out = BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    Image.fromarray(pixels()).save(out, "JPEG", exif=exif)
    content = written(clip([out.getvalue(), out.getvalue()]))
    assert b"secret place" not in content


def test_frames_that_changed_since_they_were_counted_are_refused() -> None:
    made = clip()
    ds = built(made)
    for other in (frames(11), frames(13), frames(12, 48, 96)):
        changed = replace(made, frames=partial(iter, other))
        with pytest.raises(ConformanceError):
            b"".join(clip_pieces(ds, changed))


def test_a_clip_too_long_for_one_instance_makes_several_that_follow_each_other() -> None:
    coded = frames(40)
    times = [n * 40 * MS for n in range(40)]
    parts = coded_clips(
        lambda: iter(zip(coded, times, strict=True)), most_bytes=sum(map(len, coded)) // 3
    )
    assert len(parts) == 4
    assert [frame for part in parts for frame in part.frames()] == coded
    for part in parts:
        assert part.taken_us[0] == 0
        assert part.pixel_sha256 == clip_sha256(part.frames())
        ds = read(written(part))
        assert list(generate_frames(ds.PixelData)) == [
            one + b"\0" * (len(one) % 2) for one in part.frames()
        ]


def test_a_clip_with_more_times_than_a_vector_can_hold_makes_several() -> None:
    rng = np.random.default_rng(7)
    times = [0, *np.cumsum(rng.integers(1, 90 * MS, 24_999)).tolist()]
    two = frames(2, 8, 8)
    parts = coded_clips(lambda: ((two[n % 2], at) for n, at in enumerate(times)))
    assert sum(part.count for part in parts) == 25_000
    assert len(parts) == 2
    for part in parts:
        built(part)
