"""Scanners that send: DCMTK's senders, and pydicom's ultrasound files with patients of ours."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset, FileDataset

from capture_app.dicom import part10
from capture_app.model.audit_event import AuditAction, AuditEvent
from capture_app.model.delivery import PixelLayout
from capture_app.model.received import ReceivedObject, StatedPatient
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.receiving.keeping import (
    keep_received,
    open_received,
    waiting_objects,
)
from capture_app.outbox.receiving.receiver import SOP_CLASSES, ObjectReceiver
from capture_app.settings.receiving import Receiver, SendingScanner
from tests.sealing import MAI

SCANNER, ISSUER = "SCANNER1", "ST_ANNE"
SENDER = SendingScanner("us1", SCANNER, ("127.0.0.1",))
RECEIVER = Receiver((SENDER,), port=0)
ULTRASOUND = ("examples_rgb_color.dcm", "examples_ybr_color.dcm", "examples_jpeg2k.dcm")
"""One uncompressed, one of 30 frames in JPEG, one in JPEG 2000."""
_PROPOSES = {
    "examples_rgb_color.dcm": (),
    "examples_ybr_color.dcm": ("-xy",),
    "examples_jpeg2k.dcm": ("-xv",),
}


def ultrasound(folder: Path, name: str = ULTRASOUND[0], **changes: str | None) -> Path:
    """A file of a scanner, of MAI unless said otherwise, under a UID of its own where asked."""
    ds = dcmread(str(get_testdata_file(name)))
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.PatientName, ds.PatientID = MAI.name.pn, MAI.patient_id.value
    ds.IssuerOfPatientID, ds.PatientBirthDate, ds.PatientSex = ISSUER, "19560714", "F"
    return write(folder, ds, name, **changes)


def write(folder: Path, ds: FileDataset, name: str, **changes: str | None) -> Path:
    """A dataset as a file; a value of None takes an element out."""
    for keyword, value in changes.items():
        if value is None:
            ds.pop(keyword, None)
        else:
            setattr(ds, keyword, value)
    ds.file_meta.MediaStorageSOPInstanceUID = ds.SOPInstanceUID
    path = folder / f"{ds.SOPInstanceUID}-{name}"
    ds.save_as(path)
    return path


@contextmanager
def receiving(outbox: Outbox, settings: Receiver = RECEIVER) -> Iterator[ObjectReceiver]:
    """The port, open; what is no object goes into the trail as `bootstrap` has it done."""

    def record(action: AuditAction, details: Mapping[str, str]) -> None:
        with outbox.spool.database.transaction() as connection:
            outbox.spool.record(connection, AuditEvent(action, "capture-app", details=details))

    receiver = ObjectReceiver(outbox, settings, record=record)
    receiver.start()
    try:
        yield receiver
    finally:
        receiver.stop()
        receiver.close()


def storescu(
    port: int,
    *files: Path,
    calling: str = SCANNER,
    called: str = "CAPTURE",
    options: tuple[str, ...] = (),
) -> subprocess.CompletedProcess[str]:
    """DCMTK's storescu, which tells each status and ends with 1 where one is none of success."""
    if not options:
        options = _PROPOSES.get(files[0].name.partition("-")[2], ())
    command = ["storescu", "-v", "-aet", calling, "-aec", called, *options, "127.0.0.1", str(port)]
    return subprocess.run(
        [*command, *map(str, files)], capture_output=True, text=True, check=False, timeout=60
    )


def dcmsend(port: int, *files: Path) -> str:
    """What DCMTK's dcmsend says; its exit code says nothing."""
    done = subprocess.run(
        [
            "dcmsend",
            "-v",
            "-aet",
            SCANNER,
            "-aec",
            "CAPTURE",
            "127.0.0.1",
            str(port),
            *map(str, files),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.stdout + done.stderr


def trail(outbox: Outbox) -> str:
    """The events of the trail."""
    return " ".join(
        event for (event,) in outbox.spool.database.read().execute("SELECT event FROM audit")
    )


def letters(outbox: Outbox, uid: str) -> list[str]:
    """What waits under a SOP Instance UID, in the order in which it came."""
    waiting = waiting_objects(outbox.spool)
    return [one.letter for one in waiting if one.received.sop_instance_uid == uid]


def kept(outbox: Outbox, uid: str) -> Dataset:
    """What was kept. DCMTK writes lengths anew, so that bytes are compared of the pixels alone."""
    (letter,) = letters(outbox, uid)
    return part10.read(open_received(outbox.spool, letter)[1])


def status_told(sent: object) -> str:
    """What storescu told of a refusal."""
    told = str(sent)
    assert "Success)" not in told
    return told.lower()


def sent_to(outbox: Outbox, *files: Path) -> None:
    """A scanner has sent these."""
    with receiving(outbox) as receiver:
        for file in files:
            sent = storescu(receiver.port, file)
            assert sent.returncode == 0, sent.stdout + sent.stderr


def keep_one(
    outbox: Outbox,
    uid: str = "2.25.9",
    *,
    patient_id: str = MAI.patient_id.value,
    most_a_day: int = 1_000_000,
    min_free_bytes: int = 0,
) -> ReceivedObject:
    """An object, kept as the port keeps one, without the wire."""
    stated = StatedPatient(patient_id, ISSUER, "", MAI.name.pn, "19560714", "F")
    content = repr((uid, stated)).encode()
    received = ReceivedObject(
        sop_instance_uid=uid,
        sop_class_uid=SOP_CLASSES[0],
        transfer_syntax_uid="1.2.840.10008.1.2.1",
        study_instance_uid="2.25.1000",
        series_instance_uid="2.25.1001",
        stated=stated,
        sender=SENDER.name,
        charset_when_absent="ISO_IR 6",
        modality="US",
        manufacturer="",
        model_name="",
        serial_number="",
        software_versions="",
        pixel_sha256=part10.sha256_of(content),
        pixel_layout=PixelLayout(1, 1, 1, "MONOCHROME2", None, 8, 8, 7, 0, 1),
        pixels_at=1,
        received_at=outbox.spool.clock.now(),
        letter=outbox.spool.cipher.keyed_hash("received object", content.hex()),
    )
    keep_received(
        outbox.spool, received, content, min_free_bytes=min_free_bytes, most_a_day=most_a_day
    )
    return received
