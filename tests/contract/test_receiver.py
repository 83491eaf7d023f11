"""The port for scanners, called by DCMTK's own senders with pydicom's ultrasound files."""

import socket
import struct
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset

from capture_app.archive.dimse import dataset_of
from capture_app.clock import SystemClock
from capture_app.model.part10_file import Part10File
from capture_app.net.deadline import Deadline
from capture_app.net.dicom.association import Peer, open_association
from capture_app.net.dicom.upper_layer import ABORT, Context
from capture_app.net.wire import Address
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.recovery.inspection import inspect
from tests.contract.test_archive_tls import Authority
from tests.outboxes import (
    close,
    open_outbox,
    sealed_files,
)
from tests.receiving import (
    RECEIVER,
    SENDER,
    ULTRASOUND,
    dcmsend,
    kept,
    receiving,
    status_told,
    storescu,
    trail,
    ultrasound,
    write,
)
from tests.sealing import MAI

REFUSED = "object-refused"
PADDING = 0xFFFC  # DCMTK leaves it out
CLOCK = SystemClock()


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    outbox = open_outbox(folder, CLOCK)
    yield outbox
    close(outbox)


@pytest.mark.parametrize("name", ULTRASOUND)
def test_an_image_is_durable_as_it_came_before_the_scanner_is_answered(
    outbox: Outbox, tmp_path: Path, name: str
) -> None:
    file = ultrasound(tmp_path, name)
    with receiving(outbox) as receiver:
        sent = storescu(receiver.port, file)
        assert sent.returncode == 0, sent.stdout + sent.stderr
        # What another process finds on the disk at the moment of the answer.
        uid = str(dcmread(file, stop_before_pixels=True).SOPInstanceUID)
        sent_one, here = dcmread(file), kept(outbox, uid)
        assert here.PixelData == sent_one.PixelData
        assert [e for e in sent_one if e.tag.group < PADDING and e != here.get(e.tag)] == []
    assert "object-received" in trail(outbox)
    assert MAI.patient_id.value not in trail(outbox)
    assert inspect(outbox.spool).whole


def test_dcmsend_sends_several_and_the_same_once_more(outbox: Outbox, tmp_path: Path) -> None:
    files = [ultrasound(tmp_path, SOPInstanceUID=f"2.25.{number}") for number in range(1, 4)]
    with receiving(outbox) as receiver:
        for _ in range(2):
            assert "with status SUCCESS  : 3" in dcmsend(receiver.port, *files)
    assert len(sealed_files(outbox.spool.received)) == 3


def test_a_stranger_is_refused_by_title_and_by_address(outbox: Outbox, tmp_path: Path) -> None:
    file = ultrasound(tmp_path)
    with receiving(outbox) as receiver:
        assert storescu(receiver.port, file, calling="STRANGER").returncode
        assert storescu(receiver.port, file, called="ANOTHER").returncode
    elsewhere = replace(RECEIVER, senders=(replace(SENDER, addresses=("10.9.0.0/16",)),))
    with receiving(outbox, elsewhere) as receiver:
        assert storescu(receiver.port, file).returncode
    assert not sealed_files(outbox.spool.received)
    assert trail(outbox).count("scanner-turned-away") == 2


@pytest.mark.expects_log("too-long")
def test_an_object_beyond_the_limit_ends_its_association(outbox: Outbox, tmp_path: Path) -> None:
    ds = dcmread(ultrasound(tmp_path))
    ds.NumberOfFrames, ds.PixelData = 10, ds.PixelData * 10
    large = write(tmp_path, ds, ULTRASOUND[0], SOPInstanceUID="2.25.10")
    assert large.stat().st_size > 1_000_000
    with receiving(outbox, replace(RECEIVER, max_object_mb=1)) as receiver:
        assert storescu(receiver.port, large).returncode
        assert storescu(receiver.port, ultrasound(tmp_path)).returncode == 0, "others go on"
    assert "too-long" in trail(outbox)


@pytest.mark.expects_log(REFUSED, "object-not-kept")
def test_what_is_beyond_a_day_is_refused_as_out_of_resources(
    outbox: Outbox, tmp_path: Path
) -> None:
    with receiving(outbox, replace(RECEIVER, max_mb_per_day=1)) as receiver:
        told = [
            storescu(receiver.port, ultrasound(tmp_path, SOPInstanceUID=f"2.25.{number}"))
            for number in range(1, 6)
        ]
    assert [one.returncode == 0 for one in told] == [True, True, True, True, False]
    assert "outofresources" in status_told(told[-1])


@pytest.mark.expects_log(REFUSED)
def test_what_is_no_image_or_not_what_the_command_says_is_refused(
    outbox: Outbox, tmp_path: Path
) -> None:
    ds = dcmread(ultrasound(tmp_path))
    del ds.PixelData
    bare = write(tmp_path, ds, ULTRASOUND[0], SOPInstanceUID="2.25.1")
    with receiving(outbox) as receiver:
        assert storescu(receiver.port, bare).returncode
        # The next one is answered: the child that refused goes on.
        assert storescu(receiver.port, ultrasound(tmp_path)).returncode == 0
    assert len(sealed_files(outbox.spool.received)) == 1


@pytest.mark.expects_log(REFUSED, "child-ended")
def test_a_dataset_that_ends_the_child_ends_nothing_else(outbox: Outbox, tmp_path: Path) -> None:
    nested = Dataset()
    for _ in range(3000):
        outer = Dataset()
        outer.RequestAttributesSequence = [nested]
        nested = outer
    file = ultrasound(tmp_path, SOPInstanceUID="2.25.1")
    encoded = bytearray(file.read_bytes())
    # An undefined length within an undefined length, 3000 times: what pydicom reads by recursion.
    at = encoded.index(b"\x20\x00\x0d\x00UI")
    level = struct.pack("<HH2sHL", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF)
    level += struct.pack("<HHL", 0xFFFE, 0xE000, 0xFFFFFFFF)
    encoded[at:at] = level * 3000
    file.write_bytes(encoded)
    with receiving(outbox) as receiver:
        assert _store_raw(receiver.port, bytes(dataset_of(bytes(encoded)))) == 0xC000
        assert storescu(receiver.port, ultrasound(tmp_path)).returncode == 0


def _store_raw(port: int, dataset: bytes) -> int | None:
    """The status of a C-STORE of bytes that no sender of others would send."""
    peer = Peer(Address("receiver", "127.0.0.1", port), "CAPTURE", calling_ae_title="SCANNER1")
    us, syntax = "1.2.840.10008.5.1.4.1.1.6.1", "1.2.840.10008.1.2.1"
    deadline = Deadline.after(CLOCK, 60.0)
    with open_association(peer, [Context(us, (syntax,))], deadline) as assoc:
        return assoc.store(
            Part10File.of(dataset),
            sop_class_uid=us,
            sop_instance_uid="2.25.1",
            transfer_syntax_uid=syntax,
        )


def test_a_pdu_of_no_end_is_cut_off_before_it_is_read(outbox: Outbox) -> None:
    with (
        receiving(outbox) as receiver,
        socket.create_connection(("127.0.0.1", receiver.port), 30) as sock,
    ):
        sock.sendall(struct.pack(">BxL", 1, 0x7FFFFFFF))
        assert sock.recv(10)[:1] in (b"", bytes([ABORT]))


def test_scanners_show_their_certificate_where_the_port_asks(
    outbox: Outbox, tmp_path: Path
) -> None:
    hospital = Authority.made(tmp_path, "hospital")
    server, scanner = hospital.sign("station"), hospital.sign("scanner")
    tls = replace(
        RECEIVER,
        tls=True,
        certificate_file=str(server),
        certificate_key_file=str(server.with_suffix(".key")),
        ca_file=str(hospital.file),
    )
    trusts = ("+cf", str(hospital.file))
    known = ("+tls", str(scanner.with_suffix(".key")), str(scanner), *trusts)
    file = ultrasound(tmp_path)
    with receiving(outbox, tls) as receiver:
        sent = storescu(receiver.port, file, options=known)
        assert sent.returncode == 0, sent.stdout + sent.stderr
        assert storescu(receiver.port, file).returncode, "in clear"
        anonymous = ("+tla", *trusts)
        assert storescu(receiver.port, file, options=anonymous).returncode
