"""Clips from the camera to the archive, by the services that the window has: frame by frame."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
import requests
from pydicom.encaps import generate_frames

from capture_app.clock import SystemClock
from capture_app.devices.chosen import ChosenDevice
from capture_app.devices.replay import Replay
from capture_app.exam.filming import Filming, FilmService, FilmState
from capture_app.exam.session import ExamService
from capture_app.imaging import surgery
from capture_app.model.clip import FrameOfClip
from capture_app.model.delivery import ImageState, ProofKind
from capture_app.model.device import DeviceInfo, DeviceKind
from capture_app.model.exam import Exam
from capture_app.model.procedure import Description, ImageKind
from capture_app.model.worklist import FeedSource, IdentifiedBy, PatientListEntry, PersonNow
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.sealing.seal import Sending
from capture_app.settings.schema import Device
from tests import outboxes, sealing
from tests.contract.test_dciodvfy import ALLOWED_WARNINGS, findings_of, not_allowed
from tests.e2e.test_camera_to_archive import coded_part, delivering
from tests.peers import Orthanc, run_mjpeg_server
from tests.waiting import Eventually

CLOCK = SystemClock()
ULTRASOUND = "1.2.840.10008.5.1.4.1.1.3.1"
SECONDARY = "1.2.840.10008.5.1.4.1.1.7.4"
KNEE = sealing.description(*sealing.KNEE)


@dataclass
class Rig:
    """The services of a window with one camera, and one patient who is open."""

    outbox: Outbox
    exams: ExamService
    films: FilmService
    devices: ChosenDevice
    exam: Exam
    eventually: Eventually
    said: Description
    told: list[FilmState] = field(default_factory=list)

    @property
    def device(self) -> DeviceInfo:
        assert self.devices.chosen is not None
        return self.devices.chosen

    def last(self, frames: int) -> str:
        self.eventually(lambda: len(self.films.replay.film()) >= frames)
        return self.films.keep_last(self.exam, device=self.device, description=self.said)

    def recorded(self, seconds: float) -> str:
        self.eventually(lambda: self.films.replay.newest)
        filming = self.films.record(
            self.exam, device=self.device, description=self.said, told=self.told.append
        )
        self.eventually(lambda: bool(self.told) and self.told[-1].promised.seconds >= seconds)
        filming.end()
        return self._end(filming)

    def _end(self, filming: Filming) -> str:
        assert filming.wait(20)
        assert filming.state.trouble == ""
        return filming.state.capture_id

    def send(self, *capture_ids: str) -> None:
        sent = self.exams.send(
            self.exam,
            dict.fromkeys(capture_ids, self.said),
            shown=self.exam.patient,
            release_now=True,
        )
        assert isinstance(sent, Sending)

    def frames(self, capture_id: str) -> list[bytes]:
        with self.outbox.film_of(capture_id) as clip:
            return [one for one, _at in clip.frames()]


@contextmanager
def rig(folder: Path, device: Device, eventually: Eventually, said: Description) -> Iterator[Rig]:
    outbox = outboxes.open_outbox(folder, CLOCK)
    entry = PatientListEntry(sealing.MAI, sealing.VISIT, (), FeedSource.ADT, CLOCK.now())
    exams = ExamService(
        outbox,
        sealing.catalog(),
        CLOCK,
        sealing.STATION,
        lambda _number: PersonNow(sealing.MAI, (sealing.VISIT,), (entry,)),
        lambda _number: frozenset(),
        surgery,
    )
    ring = Replay(CLOCK, 256_000_000)
    films = FilmService(exams, outbox, ring, CLOCK)
    devices = ChosenDevice((device,), CLOCK, sees=ring.see)
    devices.start()
    try:
        exam = exams.open(entry, sealing.NURSE, IdentifiedBy.SCAN)
        films.begin(exam)
        yield Rig(outbox, exams, films, devices, exam, eventually, said)
    finally:
        assert devices.stop(within=5)
        outboxes.close(outbox)


def files(orthanc: Orthanc, outbox: Outbox, eventually: Eventually) -> dict[str, bytes]:
    """What the archive holds, by UID, once each is proven by its pixels."""
    eventually(lambda: {s.state for s in outbox.statuses()} == {ImageState.CONFIRMED})
    assert {status.proof for status in outbox.statuses()} == {ProofKind.PIXEL_HASH}
    return {uid: orthanc.file(uid) for uid in orthanc.sop_instance_uids()}


def in_order_for_others(folder: Path, content: bytes, kept: Sequence[bytes]) -> None:
    """dciodvfy finds nothing, and DCMTK takes every frame out as it was kept."""
    code, lines = findings_of(folder, content)
    assert (code, not_allowed(lines, ALLOWED_WARNINGS)) == (0, [])
    parts = folder / "parts"
    parts.mkdir()
    (folder / "one.dcm").write_bytes(content)
    command = ["dcmdump", "+W", str(parts), str(folder / "one.dcm")]
    subprocess.run(command, check=True, capture_output=True)
    items = sorted(parts.glob("*.raw"), key=lambda path: int(path.name.split(".")[-2]))[1:]
    assert [coded_part(path.read_bytes()) for path in items] == [coded_part(one) for one in kept]


@pytest.mark.parametrize(
    ("kind", "said", "sop_class"),
    [
        (ImageKind.PHOTO, sealing.description(), SECONDARY),
        (ImageKind.ULTRASOUND, KNEE, ULTRASOUND),
    ],
)
def test_what_a_network_camera_served_is_recorded_and_arrives_byte_for_byte(
    kind: ImageKind,
    said: Description,
    sop_class: str,
    orthanc: Orthanc,
    tmp_path: Path,
    eventually: Eventually,
) -> None:
    served = [sealing.jpeg(480, 640, quality=quality) for quality in range(70, 94)]
    with run_mjpeg_server(served, per_second=20) as camera:
        device = Device("net", "Network camera", DeviceKind.STREAM, camera.url, image_kind=kind)
        with rig(tmp_path / "data", device, eventually, said) as station:
            clip = station.recorded(seconds=1.0)
            last = station.last(frames=20)
            frames = station.frames(clip)
            parts = {coded_part(one) for one in frames}
            assert len(parts) > 3
            assert parts <= {coded_part(one) for one in served}
            still = station.films.keep_still(station.exam, FrameOfClip(clip, 5), said)
            station.send(clip, last, still)
            with delivering(station.outbox, tmp_path, orthanc):
                held = files(orthanc, station.outbox, eventually)
            assert held.keys() == {clip, last, still}
            of_both = {one: station.frames(one) for one in (clip, last)}
    ds = {uid: pydicom.dcmread(BytesIO(content)) for uid, content in held.items()}
    assert {ds[uid].SOPClassUID for uid in of_both} == {sop_class}
    for number, (uid, kept) in enumerate(of_both.items()):
        assert ds[uid].NumberOfFrames == len(kept)
        folder = tmp_path / f"{number}"
        folder.mkdir()
        in_order_for_others(folder, held[uid], kept)
    folder = tmp_path / "still"
    folder.mkdir()
    in_order_for_others(folder, held[still], frames[5:6])
    (source,) = ds[still].SourceImageSequence
    assert (source.ReferencedSOPInstanceUID, source.ReferencedFrameNumber) == (clip, 6)
    shown = requests.get(
        f"{orthanc.dicomweb}/studies/{ds[clip].StudyInstanceUID}/series/{ds[clip].SeriesInstanceUID}"
        f"/instances/{clip}/frames/6/rendered",
        auth=orthanc.auth,
        timeout=60,
    )
    shown.raise_for_status()


def test_a_camera_without_jpeg_has_its_clips_coded_once_and_they_say_so(
    orthanc: Orthanc, tmp_path: Path, eventually: Eventually
) -> None:
    device = Device("skin", "Drawn camera", DeviceKind.SYNTHETIC, "320x240")
    said = sealing.description()
    with rig(tmp_path / "data", device, eventually, said) as station:
        clip = station.last(frames=12)
        station.send(clip)
        with delivering(station.outbox, tmp_path, orthanc):
            held = files(orthanc, station.outbox, eventually)
        kept = station.frames(clip)
    folder = tmp_path / "clip"
    folder.mkdir()
    in_order_for_others(folder, held[clip], kept)
    ds = pydicom.dcmread(BytesIO(held[clip]))
    assert (ds.LossyImageCompression, ds.LossyImageCompressionMethod) == ("01", "ISO_10918_1")
    assert float(ds.LossyImageCompressionRatio) > 1
    assert len([*generate_frames(ds.PixelData, number_of_frames=len(kept))]) == len(kept)
