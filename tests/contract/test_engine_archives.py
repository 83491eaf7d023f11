"""From Send to the proof, with the archives of other people: each way to send and to prove."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from capture_app.archive.commitment import CommitmentListener
from capture_app.archive.connect import commitment_listeners
from capture_app.clock import SystemClock
from capture_app.dicom.part10 import pixel_sha256, read
from capture_app.imaging.rgb import encode_rgb
from capture_app.model.delivery import ImageState, ProofKind
from capture_app.model.procedure import Side
from capture_app.outbox.delivery.engine import Engine
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.steps.tasks import read_instance
from capture_app.settings.schema import ArchiveDestination, ArchiveProtocol, ProofChoice
from capture_app.store.role import EngineRole
from tests import outboxes, sealing
from tests.archives import STATION, archive_for
from tests.outboxes import PACS, begin, keep
from tests.peers import HOST, Orthanc, Storescp, free_port
from tests.waiting import Eventually

CLOCK = SystemClock()
SECONDS = 10.0


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    outbox = outboxes.open_outbox(tmp_path, CLOCK)
    yield outbox
    outboxes.close(outbox)


@dataclass
class Running:
    """An engine that delivers to one destination until the end of the test."""

    outbox: Outbox
    folder: Path
    stack: ExitStack

    def to(self, destination: ArchiveDestination) -> Engine:
        listener: CommitmentListener | None = None
        for listener in commitment_listeners([destination], STATION, CLOCK).values():
            listener.start()
            self.stack.callback(listener.stop)
        archive = archive_for(destination, listener)
        engine = Engine(
            self.outbox, (archive,), CLOCK, role=EngineRole(self.folder / "engine.lock")
        )
        self.stack.callback(lambda: self._stopped(engine))
        engine.start()
        return engine

    def _stopped(self, engine: Engine) -> None:
        assert engine.stop()


@pytest.fixture
def running(outbox: Outbox, tmp_path: Path) -> Iterator[Running]:
    with ExitStack() as stack:
        yield Running(outbox, tmp_path, stack)


def send(outbox: Outbox) -> list[str]:
    """A photograph of each side, one kept as the camera's JPEG and one raw."""
    exam = begin(outbox, CLOCK)
    raw = encode_rgb(sealing.pixels(), came_from_lossy=False)
    kept = [
        keep(outbox, exam),
        keep(outbox, exam, image=raw, description=sealing.description(side=Side.RIGHT)),
    ]
    outbox.seal(kept, sealing.NURSE, release_now=True)
    return kept


def states(outbox: Outbox) -> set[ImageState]:
    return {status.state for status in outbox.statuses()}


def is_there(orthanc: Orthanc, outbox: Outbox, kept: list[str]) -> None:
    """Each image once, of this patient, with its pixels."""
    assert orthanc.sop_instance_uids() == sorted(kept)
    for uid in kept:
        part10 = orthanc.file(uid)
        assert pixel_sha256(read(part10)) == read_instance(outbox.spool, uid)[0].pixel_sha256
        assert read(part10).PatientID == sealing.MAI.patient_id.value


@pytest.mark.parametrize("protocol", list(ArchiveProtocol))
def test_the_pixels_are_read_back(
    outbox: Outbox,
    running: Running,
    orthanc: Orthanc,
    eventually: Eventually,
    protocol: ArchiveProtocol,
) -> None:
    kept = send(outbox)
    running.to(
        ArchiveDestination(
            PACS,
            protocol=protocol,
            host=HOST,
            port=orthanc.dicom_port,
            ae_title=orthanc.aet,
            url=orthanc.dicomweb,
            user=orthanc.auth[0],
            password_key="pacs-password",
            deadline_seconds=SECONDS,
        )
    )
    eventually(lambda: states(outbox) == {ImageState.CONFIRMED})
    assert {status.proof for status in outbox.statuses()} == {ProofKind.PIXEL_HASH}
    is_there(orthanc, outbox, kept)


def test_the_archive_commits_itself(
    outbox: Outbox, running: Running, orthanc: Orthanc, eventually: Eventually
) -> None:
    kept, port = send(outbox), free_port()
    orthanc.know(STATION.ae_title, port)
    running.to(
        ArchiveDestination(
            PACS,
            host=HOST,
            port=orthanc.dicom_port,
            ae_title=orthanc.aet,
            commitment_port=port,
            deadline_seconds=SECONDS,
        )
    )
    eventually(lambda: states(outbox) == {ImageState.CONFIRMED})
    assert {status.proof for status in outbox.statuses()} == {ProofKind.STORAGE_COMMITMENT}
    is_there(orthanc, outbox, kept)


@pytest.mark.expects_log("delivery-needs-you")
def test_an_archive_that_cannot_prove_anything_is_told_and_nothing_is_purged(
    outbox: Outbox, running: Running, storescp: Storescp, eventually: Eventually
) -> None:
    send(outbox)
    running.to(
        ArchiveDestination(
            PACS,
            host=HOST,
            port=storescp.dicom_port,
            ae_title=storescp.aet,
            proof=ProofChoice.AUTO,
            deadline_seconds=SECONDS,
        )
    )
    eventually(lambda: states(outbox) == {ImageState.IT_ASKED})
    assert len(storescp.files()) == 2
    assert all(status.last_error for status in outbox.statuses())
    assert {status.proof for status in outbox.statuses()} == {None}
    assert len(outboxes.sealed_files(outbox.spool.captures.parent)) == 4
