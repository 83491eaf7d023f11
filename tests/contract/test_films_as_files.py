"""Films as files: ffmpeg makes them, our boxes are put around their samples, ffmpeg reads them."""

import random
import subprocess
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

import pytest

from capture_app.errors import ImageError
from capture_app.imaging import mp4
from capture_app.imaging.mp4 import VideoFile, read_mp4
from capture_app.imaging.video_stream import AVC_HIGH_41, AVC_HIGH_42, HEVC_MAIN10_51, HEVC_MAIN_51

H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p")
HIGH = (*H264, "-profile:v", "high", "-x264-params", "8x8dct=1:cabac=1", "-level", "4.1")
HEVC = (
    *("-c:v", "libx265", "-preset", "ultrafast", "-x265-params"),
    *("log-level=none:pools=none", "-tag:v", "hvc1"),
)
UNEVEN = (
    *("-vf", "settb=1/1000,setpts=N*40+mod(N\\,3)*7", "-fps_mode", "passthrough"),
    *("-enc_time_base", "1:1000"),
)
SOUND = ("-f", "lavfi", "-i", "sine=d=1")


def film(
    folder: Path, *options: str, source: str = "testsrc2=s=96x80:r=25:d=1", name: str = "in.mp4"
) -> Path:
    path = folder / name
    inputs = ["-f", "lavfi", "-i", source, *(SOUND if "aac" in options else ())]
    argv = ["ffmpeg", "-v", "error", "-y", *inputs, *options, str(path)]
    subprocess.run(argv, check=True, capture_output=True)
    return path


def edited(path: Path) -> tuple[VideoFile, Path]:
    out = path.with_name("out.mp4")
    with path.open("rb") as file:
        found = read_mp4(file)
        out.write_bytes(b"".join(found.pieces(file)))
    assert out.stat().st_size == found.size
    return found, out


def samples(path: Path, how: Sequence[str] = ("-c", "copy")) -> str:
    """Times and hashes of each sample of the picture; decoded, with `how` empty."""
    argv = ["ffmpeg", "-v", "error", "-i", str(path), "-map", "0:v", *how, "-f", "framemd5", "-"]
    done = subprocess.run(argv, check=True, capture_output=True, text=True)
    assert not done.stderr
    return done.stdout


@pytest.mark.parametrize(
    ("name", "options", "syntax", "bits"),
    [
        ("plain.mp4", HIGH, AVC_HIGH_41, 8),
        ("b-frames.mp4", (*HIGH, "-bf", "3"), AVC_HIGH_41, 8),
        ("front.mov", (*HIGH, "-movflags", "+faststart", "-c:a", "aac"), AVC_HIGH_41, 8),
        ("level.mp4", (*HIGH, "-level", "4.2"), AVC_HIGH_42, 8),
        ("hevc.mp4", (*HEVC, "-pix_fmt", "yuv420p"), HEVC_MAIN_51, 8),
        ("ten-bits.mp4", (*HEVC, "-pix_fmt", "yuv420p10le"), HEVC_MAIN10_51, 10),
    ],
)
def test_samples_and_their_times_are_those_that_came(
    tmp_path: Path, name: str, options: tuple[str, ...], syntax: str, bits: int
) -> None:
    path = film(tmp_path, *options, name=name)
    found, out = edited(path)
    assert samples(out) == samples(path)
    assert samples(out, ()) == samples(path, ())
    stream = found.stream
    assert (stream.transfer_syntax_uid, stream.bits) == (syntax, bits)
    assert (stream.rows, stream.columns) == (80, 96)
    assert (found.frames, found.frame_time_us) == (25, 40_000)
    assert found.had_sound == ("aac" in options)


def test_a_size_that_is_no_multiple_of_its_blocks_is_read_right(tmp_path: Path) -> None:
    path = film(tmp_path, *HIGH, source="testsrc2=s=98x74:r=30000/1001:d=1")
    found, out = edited(path)
    assert (found.stream.rows, found.stream.columns) == (74, 98)
    assert found.frame_time_us == pytest.approx(33_366.67, abs=0.01)
    assert samples(out) == samples(path)


def test_sound_places_names_and_times_of_day_are_left_behind(tmp_path: Path) -> None:
    told = ("-metadata", "title=secret name", "-metadata", "location=+48.1375+011.5755/")
    when = ("-metadata", "creation_time=2024-07-02T09:30:00Z", "-movflags", "use_metadata_tags")
    path = film(tmp_path, *HIGH, "-c:a", "aac", *told, *when)
    found, out = edited(path)
    content = out.read_bytes()
    assert found.had_sound
    for left in (b"secret", b"48.1375", b"soun", b"mp4a", b"udta", b"meta", b"Lavf"):
        assert left not in found.head
    assert b"secret" not in content


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((*H264, "-profile:v", "baseline"), "H.264 Baseline"),
        ((*HIGH, "-level", "5.1"), "H.264 High, 5.1"),
        (("-c:v", "libx264", "-pix_fmt", "yuv422p"), "H.264 High 4:2:2"),
        ((*HEVC, "-pix_fmt", "yuv422p"), "HEVC Range Extensions"),
        ((*HIGH, "-flags", "+ildct+ilme"), "interlaced"),
        ((*HIGH, "-vf", "setsar=4/3"), "not square"),
        ((*HIGH, "-movflags", "frag_keyframe+empty_moov"), "fragments"),
        (("-c:v", "mpeg4"), "mp4v"),
        ((*HIGH, *UNEVEN), "variable frame rate"),
    ],
)
def test_what_dicom_has_no_form_for_is_refused_by_name(
    tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    path = film(tmp_path, *options)
    with path.open("rb") as file, pytest.raises(ImageError, match=words):
        read_mp4(file)


def test_a_film_without_a_picture_or_without_an_end_is_told(tmp_path: Path) -> None:
    path = film(tmp_path, *HIGH, "-movflags", "+faststart")
    cut = BytesIO(path.read_bytes()[:-100])
    with pytest.raises(ImageError, match="cut short"):
        read_mp4(cut)
    for other in (b"", b"no film at all", bytes(200)):
        with pytest.raises(ImageError):
            read_mp4(BytesIO(other))


def test_one_that_is_too_large_is_told_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = film(tmp_path, *HIGH)
    monkeypatch.setattr(mp4, "MOST_BYTES", 1000)
    with path.open("rb") as file, pytest.raises(ImageError, match=r"3\.9 GB"):
        read_mp4(file)


def test_no_hostile_table_does_more_than_be_refused(tmp_path: Path) -> None:
    whole = film(tmp_path, *HIGH).read_bytes()
    begin = whole.index(b"moov")
    rng = random.Random(7)
    for _ in range(400):
        film_bytes = bytearray(whole)
        at = rng.randrange(begin, len(whole) - 4)
        film_bytes[at : at + 4] = rng.choice([bytes(4), b"\xff" * 4, rng.randbytes(4)])
        file = BytesIO(film_bytes)
        try:
            found = read_mp4(file)
        except ImageError:
            continue
        assert sum(map(len, found.pieces(file))) == found.size <= 2 * len(whole)
