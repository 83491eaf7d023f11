"""What the disk and the archives can do to what was promised."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from capture_app.clock import SystemClock
from capture_app.dicom.part10 import pixel_sha256, read, write
from capture_app.errors import DiskFullError
from capture_app.model.delivery import ImageState, ImageStatus, ProofKind
from capture_app.model.encoded_image import EncodedImage, PixelCoding
from capture_app.model.exam import Exam
from capture_app.outbox.delivery.engine import Engine
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.steps.tasks import read_instance
from capture_app.settings.schema import ArchiveDestination, Capture
from capture_app.store.role import EngineRole
from capture_app.store.sealed import free_bytes, open_sealed
from tests import outboxes, sealing
from tests.archive_samples import Sample
from tests.archives import archive_for, store
from tests.faults.small_disk import KINDS, small_disk
from tests.outboxes import DirectoryArchive, begin, keep
from tests.peers import HOST, Orthanc, free_port, run_orthanc
from tests.waiting import Eventually

CLOCK = SystemClock()


def noise(rows: int, columns: int) -> EncodedImage:
    """A raw picture of a size."""
    pixels = np.random.default_rng(0).integers(0, 64, (rows, columns, 3), dtype=np.uint8)
    return EncodedImage(PixelCoding.RGB, rows, columns, pixels.tobytes())


def fill(outbox: Outbox, exam: Exam, safe: list[str]) -> None:
    """Takes pictures, larger and larger, until the shutter refuses."""
    for number in range(1, 30):
        keep(outbox, exam, image=noise(1000 * number, 100), on_safe=safe.append)


# ------------------------------------------------------------------------------------------ disks


@pytest.mark.parametrize("kind", KINDS)
def test_on_a_full_disk_the_shutter_says_so_and_nothing_promised_is_lost(
    tmp_path: Path, kind: str, eventually: Eventually
) -> None:
    folder, archive = tmp_path / "disk", DirectoryArchive(tmp_path / "archive")
    with small_disk(kind, folder, 6_000_000):
        outbox = outboxes.open_outbox(folder, CLOCK, capture=Capture(min_free_mb=1))
        exam = begin(outbox, CLOCK)
        safe: list[str] = []
        ballast = folder / "ballast"
        keep(outbox, exam, on_safe=safe.append)
        if kind == "tmpfs":
            # What fills the disk is somebody else: our own margin cannot see that coming.
            no_margin = replace(outbox.rules.capture, min_free_mb=0)
            outbox.rules = replace(outbox.rules, capture=no_margin)
            ballast.write_bytes(bytes(free_bytes(folder) - 500_000))
        with pytest.raises(DiskFullError, match="room|full"):  # noqa: RUF043 - either
            fill(outbox, exam, safe)
        assert not list(folder.rglob("*.tmp"))
        assert [draft.capture_id for draft in outbox.drafts()] == safe
        ballast.unlink(missing_ok=True)
        outbox.seal(safe, sealing.NURSE, release_now=True)
        engine = outboxes.open_engine(outbox, folder, CLOCK, archive)
        engine.start()
        eventually(lambda: {s.state for s in outbox.statuses()} == {ImageState.CONFIRMED})
        assert engine.stop()
        outboxes.close(outbox)
    assert sorted(archive.holds()) == sorted(safe)


# --------------------------------------------------------------------------------------- archives


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    outbox = outboxes.open_outbox(tmp_path, CLOCK)
    yield outbox
    outboxes.close(outbox)


def destination(orthanc: Orthanc, **changes: object) -> ArchiveDestination:
    plain = ArchiveDestination(
        outboxes.PACS,
        host=HOST,
        port=orthanc.dicom_port,
        ae_title=orthanc.aet,
        url=orthanc.dicomweb,
        user=orthanc.auth[0],
        password_key="pacs-password",
        deadline_seconds=1.0,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def engine_for(outbox: Outbox, folder: Path, to: ArchiveDestination) -> Engine:
    role = EngineRole(folder / "engine.lock")
    engine = Engine(outbox, (archive_for(to),), CLOCK, role=role)
    engine.start()
    return engine


def send(outbox: Outbox) -> str:
    capture_id = keep(outbox, begin(outbox, CLOCK))
    outbox.seal([capture_id], sealing.NURSE, release_now=True)
    return capture_id


def only(outbox: Outbox) -> ImageStatus:
    (status,) = outbox.statuses()
    return status


def sealed(outbox: Outbox, uid: str) -> Sample:
    """What will be sent."""
    instance, file = read_instance(outbox.spool, uid)
    assert file is not None
    return Sample(instance, open_sealed(outbox.spool.instances / file, outbox.spool.cipher).content)


def test_orthanc_holds_what_was_sent_and_proves_it(
    outbox: Outbox, orthanc: Orthanc, tmp_path: Path, eventually: Eventually
) -> None:
    uid = send(outbox)
    engine = engine_for(outbox, tmp_path, destination(orthanc))
    eventually(lambda: only(outbox).state is ImageState.CONFIRMED)
    assert engine.stop()
    assert only(outbox).proof is ProofKind.PIXEL_HASH
    assert orthanc.sop_instance_uids() == [uid]
    assert pixel_sha256(read(orthanc.file(uid))) == sealed(outbox, uid).instance.pixel_sha256


@pytest.mark.expects_log("destination-silent")
def test_what_nobody_listens_to_stays_queued_with_the_reason(
    outbox: Outbox, tmp_path: Path, orthanc: Orthanc, eventually: Eventually
) -> None:
    send(outbox)
    engine = engine_for(outbox, tmp_path, destination(orthanc, port=free_port()))
    eventually(lambda: only(outbox).failures == 1)
    assert engine.stop()
    status = only(outbox)
    assert (status.state, status.due_at is not None) == (ImageState.QUEUED, True)
    assert status.last_error


def test_an_archive_that_refuses_us_never_loses_the_picture(
    outbox: Outbox, tmp_path: Path, eventually: Eventually
) -> None:
    """Orthanc that takes nothing from strangers accepts the association and ends it then."""
    uid = send(outbox)
    with run_orthanc(strict=True) as stern:
        engine = engine_for(outbox, tmp_path, destination(stern))
        eventually(lambda: only(outbox).failures == 1)
        assert only(outbox).state in {ImageState.QUEUED, ImageState.IT_ASKED}
        assert only(outbox).last_error
        stern.know("CAPTURE", 11112)
        outbox.try_now([uid], sealing.NURSE)
        eventually(lambda: only(outbox).state is ImageState.CONFIRMED)
        assert engine.stop()


@pytest.mark.expects_log("destination-silent")
def test_an_archive_that_stands_still_is_left_in_time_and_tried_again(
    outbox: Outbox, fresh_orthanc: Orthanc, tmp_path: Path, eventually: Eventually
) -> None:
    uid = send(outbox)
    fresh_orthanc.program.freeze()
    engine = engine_for(outbox, tmp_path, destination(fresh_orthanc))
    eventually(lambda: only(outbox).state is ImageState.SENDING)
    eventually(lambda: only(outbox).failures == 1)
    assert only(outbox).state is ImageState.QUEUED
    assert only(outbox).last_error
    fresh_orthanc.program.thaw()
    outbox.try_now([uid], sealing.NURSE)
    eventually(lambda: only(outbox).state is ImageState.CONFIRMED)
    assert engine.stop()
    assert fresh_orthanc.sop_instance_uids() == [uid]


@pytest.mark.expects_log("delivery-needs-you")
def test_an_archive_that_holds_other_pixels_under_our_uid_is_found_out(
    outbox: Outbox, orthanc: Orthanc, tmp_path: Path, eventually: Eventually
) -> None:
    """Orthanc answers success and keeps what it had first."""
    uid = send(outbox)
    ours = sealed(outbox, uid)
    store(archive_for(destination(orthanc)), [Sample(ours.instance, sealed_like(ours))])
    assert orthanc.sop_instance_uids() == [uid]
    engine = engine_for(outbox, tmp_path, destination(orthanc))
    eventually(lambda: only(outbox).state is ImageState.IT_ASKED)
    assert engine.stop()
    assert only(outbox).last_error
    assert len(outboxes.sealed_files(tmp_path)) == 2


def sealed_like(sample: Sample) -> bytes:
    """The same instance with another picture in it."""
    ds = read(sample.part10)
    stream = bytearray(ds.PixelData)
    at = stream.rfind(b"\xff\xd9") - 8
    stream[at] ^= 0x11 if stream[at] not in (0xEE, 0xFF) else 0x22
    ds.PixelData = bytes(stream)
    return write(ds)
