"""From a network camera to the archive and back: the coded picture is the one that was served."""

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
import requests
from PIL import Image
from pydicom.encaps import generate_frames

from capture_app.clock import SystemClock
from capture_app.devices.chosen import ChosenDevice
from capture_app.exam.session import ExamService
from capture_app.imaging import surgery
from capture_app.model.delivery import ImageState, ProofKind
from capture_app.model.device import DeviceKind
from capture_app.model.worklist import FeedSource, IdentifiedBy, PatientListEntry, PersonNow
from capture_app.outbox.delivery.engine import Engine
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.sealing.seal import Sending
from capture_app.settings.schema import ArchiveDestination, Device
from capture_app.store.role import EngineRole
from tests import outboxes, sealing
from tests.archives import archive_for
from tests.peers import HOST, Orthanc, run_mjpeg_server
from tests.waiting import Eventually

CLOCK = SystemClock()


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    outbox = outboxes.open_outbox(tmp_path, CLOCK)
    yield outbox
    outboxes.close(outbox)


def with_place(jpeg: bytes) -> bytes:
    """The same coded picture with EXIF that says where and when it was taken."""
    exif = Image.Exif()
    exif[0x0132] = "2024:07:02 09:31:07"  # DateTime
    exif.get_ifd(0x8825)[1] = "N"  # GPSLatitudeRef
    segment = b"Exif\x00\x00" + exif.tobytes().removeprefix(b"Exif\x00\x00")
    return jpeg[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + jpeg[2:]


def coded_part(jpeg: bytes) -> bytes:
    """From the start of scan to the end of image."""
    begin = jpeg.index(b"\xff\xda")
    return jpeg[begin : jpeg.index(b"\xff\xd9", begin) + 2]


def frame_of(part10: bytes) -> bytes:
    """The one frame of a file, by pydicom alone."""
    ds = pydicom.dcmread(BytesIO(part10))
    assert ds.file_meta.TransferSyntaxUID == pydicom.uid.JPEGBaseline8Bit
    (frame,) = generate_frames(ds.PixelData, number_of_frames=1)
    return bytes(frame)


def retrieved(orthanc: Orthanc, ds: pydicom.Dataset) -> bytes:
    """The instance by WADO-RS, in the transfer syntax in which it is stored."""
    path = f"studies/{ds.StudyInstanceUID}/series/{ds.SeriesInstanceUID}"
    answer = requests.get(
        f"{orthanc.dicomweb}/{path}/instances/{ds.SOPInstanceUID}",
        headers={"Accept": 'multipart/related; type="application/dicom"; transfer-syntax=*'},
        auth=orthanc.auth,
        timeout=60,
    )
    answer.raise_for_status()
    boundary = answer.headers["Content-Type"].partition("boundary=")[2].partition(";")[0]
    (part,) = answer.content.split(f"--{boundary.strip(chr(34))}".encode())[1:-1]
    return part.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n")


@contextmanager
def camera_in_use(url: str) -> Iterator[ChosenDevice]:
    devices = ChosenDevice((Device("net", "Network camera", DeviceKind.STREAM, url),), CLOCK)
    devices.start()
    try:
        yield devices
    finally:
        assert devices.stop(within=5)


@contextmanager
def delivering(outbox: Outbox, folder: Path, orthanc: Orthanc) -> Iterator[None]:
    archive = archive_for(
        ArchiveDestination(
            outboxes.PACS,
            host=HOST,
            port=orthanc.dicom_port,
            ae_title=orthanc.aet,
            url=orthanc.dicomweb,
            user=orthanc.auth[0],
            password_key="pacs-password",
            deadline_seconds=10.0,
        )
    )
    engine = Engine(outbox, (archive,), CLOCK, role=EngineRole(folder / "engine.lock"))
    engine.start()
    try:
        yield
    finally:
        assert engine.stop()


def test_the_archive_holds_the_coded_picture_that_the_camera_served(
    orthanc: Orthanc, outbox: Outbox, tmp_path: Path, eventually: Eventually
) -> None:
    served = [with_place(sealing.jpeg(480, 640, quality=quality)) for quality in (75, 92)]
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
    taken: dict[str, bytes] = {}
    with run_mjpeg_server(served, per_second=20) as camera, camera_in_use(camera.url) as devices:
        exam = exams.open(entry, sealing.NURSE, IdentifiedBy.SCAN)
        began = CLOCK.monotonic()

        def both_pictures() -> bool:
            frame, device = devices.latest(), devices.chosen
            if frame is None or frame.jpeg is None or frame.not_before < began:
                return False
            if coded_part(frame.jpeg) not in taken.values():
                assert device is not None
                taken[exams.take(exam, frame, device=device)] = coded_part(frame.jpeg)
            return len(taken) == len(served)

        eventually(both_pictures)
    assert set(taken.values()) == {coded_part(jpeg) for jpeg in served}
    described = sealing.description()
    seen = {one: outbox.description_of(one) for one in taken}
    exams.describe(seen, described, sealing.NURSE)
    sent = exams.send(exam, dict.fromkeys(taken, described), shown=exam.patient, release_now=True)
    assert isinstance(sent, Sending)
    with delivering(outbox, tmp_path, orthanc):
        eventually(lambda: {s.state for s in outbox.statuses()} == {ImageState.CONFIRMED})
    assert {status.proof for status in outbox.statuses()} == {ProofKind.PIXEL_HASH}
    assert orthanc.sop_instance_uids() == sorted(taken)
    for uid, part in taken.items():
        stored = orthanc.file(uid)
        ds = pydicom.dcmread(BytesIO(stored))
        assert (ds.PatientID, ds.ImageLaterality) == (sealing.MAI.patient_id.value, "L")
        for part10 in (stored, retrieved(orthanc, ds)):
            frame = frame_of(part10)
            assert coded_part(frame) == part
            assert b"Exif" not in frame
