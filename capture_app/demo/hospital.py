"""The whole simulated hospital, started and stopped as one."""

from __future__ import annotations

import socket
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from capture_app.demo.admissions import AdmissionsSystem
from capture_app.demo.camera import MjpegCamera
from capture_app.demo.dimse_archive import PracticeArchive
from capture_app.demo.orders import worklist_items
from capture_app.demo.people import ADMISSIONS, ISSUER
from capture_app.demo.shelf import Shelf
from capture_app.demo.web_archive import WebArchive
from capture_app.demo.worklist import WorklistPeer
from capture_app.model.device import DeviceKind
from capture_app.model.procedure import ImageKind
from capture_app.settings.feeds import AdtFeed, Worklist
from capture_app.settings.resources import resource
from capture_app.settings.schema import (
    ArchiveDestination,
    ArchiveProtocol,
    Capture,
    Device,
    Institution,
    KeyStore,
    ProofChoice,
    Security,
    Settings,
    Station,
)

if TYPE_CHECKING:
    from types import TracebackType

    from capture_app.clock import Clock

ARCHIVE_AE_TITLE: Final = "PRACTICE"
OUR_AE_TITLE: Final = "CAPTURE"


class Hospital:
    """Admissions, worklist, archive and a camera, each on a port of its own on 127.0.0.1.

    `settings` is what the application needs to work with it: practice settings, which refuse every
    other destination. The archive's pictures stay in `folder`, for a person to look at.
    """

    def __init__(self, folder: Path, clock: Clock, *, practice_data: Path) -> None:
        self._stack = ExitStack()
        try:
            self._start(folder, clock, practice_data)
        except BaseException:
            self._stack.close()
            raise

    def _start(self, folder: Path, clock: Clock, practice_data: Path) -> None:
        feed_port, commitment_port = free_port(), free_port()
        self.shelf = Shelf(folder)
        self.archive = PracticeArchive(
            self.shelf,
            ae_title=ARCHIVE_AE_TITLE,
            commitment_peers={OUR_AE_TITLE: ("127.0.0.1", commitment_port)},
        )
        self._stack.callback(self.archive.stop)
        self.web = WebArchive(self.shelf)
        self._stack.callback(self.web.stop)
        self.worklist = WorklistPeer(worklist_items(clock), ae_title=ARCHIVE_AE_TITLE)
        self._stack.callback(self.worklist.stop)
        self.camera = MjpegCamera(_pictures())
        self._stack.callback(self.camera.stop)
        self.admissions = AdmissionsSystem(
            ADMISSIONS, host="127.0.0.1", port=feed_port, clock=clock
        )
        self._stack.callback(self.admissions.stop)
        self.settings = Settings(
            data_dir=practice_data,
            station=Station(name="PRACTICE", ae_title=OUR_AE_TITLE, department="Wound care"),
            institution=Institution(name="St Anne (practice)", issuer_of_patient_id=ISSUER),
            adt=AdtFeed(port=feed_port, assigning_authority=ISSUER, processing_id="T"),
            worklists=(Worklist("practice", "127.0.0.1", self.worklist.port, ARCHIVE_AE_TITLE),),
            archives=(
                ArchiveDestination(
                    name="practice",
                    protocol=ArchiveProtocol.DIMSE,
                    host="127.0.0.1",
                    port=self.archive.port,
                    ae_title=ARCHIVE_AE_TITLE,
                    url=self.web.url,
                    proof=ProofChoice.AUTO,
                    commitment_port=commitment_port,
                ),
            ),
            devices=(
                Device(
                    id="ward-camera",
                    name="Ward camera",
                    kind=DeviceKind.STREAM,
                    address=self.camera.url,
                    manufacturer="Capture App",
                    model_name="Practice camera",
                ),
                Device(
                    id="ultrasound",
                    name="Ultrasound (drawn)",
                    kind=DeviceKind.SYNTHETIC,
                    image_kind=ImageKind.ULTRASOUND,
                    manufacturer="Capture App",
                    model_name="Practice ultrasound",
                    burned_in_annotation=True,
                ),
            ),
            security=Security(
                key_store=KeyStore.FILE, key_file=str(practice_data / "practice.key")
            ),
            capture=Capture(min_free_mb=50),
            practice=True,
            practice_ports=(self.archive.port, self.web.port, self.worklist.port, self.camera.port),
        )

    def close(self) -> None:
        """Ends every peer and its threads."""
        self._stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def free_port() -> int:
    """A port on 127.0.0.1 that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _pictures() -> tuple[bytes, ...]:
    folder = resource("demo")
    return tuple(path.read_bytes() for path in sorted(folder.glob("camera-*.jpg")))
