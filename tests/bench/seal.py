"""From a camera's JPEG to a DICOM file, against DCMTK's img2dcm."""

import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from pydicom import dcmread
from pydicom.encaps import generate_frames

from capture_app.dicom import part10
from capture_app.dicom.build import build
from capture_app.dicom.conformance import verify
from capture_app.imaging.jpeg import prepare_jpeg
from tests import sealing
from tests.bench.measures import Measure, seconds, slower_than
from tests.bench.workshop import Workshop
from tests.jpeg_parts import entropy_coded

_TIMES = 5  # a round is the mean of so many
_KEYS = (
    *("PatientName=Doe^Jane", "PatientID=P1", "StudyDate=20240702", "StudyID=S1"),
    *("AccessionNumber=A1", "SeriesNumber=1", "InstanceNumber=1", "Laterality=R"),
)


def measure(shop: Workshop) -> Iterator[Measure]:
    """Both from a file to a file; ours verified, theirs with the start of its process."""
    room = shop.room("seal")
    photo, ours, theirs = room / "photo.jpg", room / "ours.dcm", room / "theirs.dcm"
    photo.write_bytes(shop.jpeg)
    keys = [argument for key in _KEYS for argument in ("-k", key)]
    acts = {
        "ours": partial(_seal, photo, ours),
        "img2dcm": partial(_run, "img2dcm", "-vlp", photo, theirs, *keys),
        "start": partial(_run, "img2dcm", "--version"),
    }
    times: dict[str, list[float]] = {name: [] for name in acts}
    for act in acts.values():
        act()
    for _ in range(shop.rounds):
        sums = dict.fromkeys(acts, 0.0)
        for _ in range(_TIMES):
            for name, act in acts.items():
                sums[name] += seconds(act)
        for name, total in sums.items():
            times[name].append(total / _TIMES)
        _see_that_both_hold(photo.read_bytes(), ours, theirs)
    yield slower_than(
        "Seal: cut, build, verify, write one 12-megapixel JPEG",
        times["ours"],
        "img2dcm",
        times["img2dcm"],
        at_most=0.5,
    )
    net = [all_of - start for all_of, start in zip(times["img2dcm"], times["start"], strict=True)]
    yield slower_than(
        "the same, img2dcm without the start of its process", times["ours"], "img2dcm", net
    )


def _seal(photo: Path, into: Path) -> None:
    image = prepare_jpeg(photo.read_bytes())
    ds = build(sealing.request(image=image))
    verify(ds)
    into.write_bytes(part10.write(ds))


def _run(*argv: str | Path) -> None:
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)


def _see_that_both_hold(jpeg: bytes, *files: Path) -> None:
    for file in files:
        frame = next(generate_frames(dcmread(file).PixelData, number_of_frames=1))
        assert entropy_coded(frame) == entropy_coded(jpeg), f"{file.name}: another picture"
