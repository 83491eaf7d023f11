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
from capture_app.dicom import part10
from capture_app.errors import RuleError
from capture_app.exam.received import ReceivedService
from capture_app.model.delivery import ImageState, ProofKind
from capture_app.model.exam import Exam
from capture_app.model.operator import Operator, Role
from capture_app.model.part10_file import Part10File
from capture_app.model.received import Contradiction
from capture_app.net.deadline import Deadline
from capture_app.net.dicom.association import Peer, open_association
from capture_app.net.dicom.upper_layer import ABORT, Context
from capture_app.net.wire import Address
from capture_app.outbox.delivery.engine import Engine
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.receiving.keeping import open_received, waiting_objects
from capture_app.outbox.recovery.inspection import inspect
from capture_app.outbox.recovery.start_up import recover
from capture_app.outbox.status import StatusFilter
from capture_app.settings.schema import ArchiveDestination
from capture_app.store.role import EngineRole
from capture_app.store.sealed import open_sealed
from tests.archives import archive_for
from tests.contract.test_archive_tls import Authority
from tests.outboxes import (
    PACS,
    DirectoryArchive,
    begin,
    close,
    open_engine,
    open_outbox,
    sealed_files,
)
from tests.peers import HOST, Orthanc
from tests.receiving import (
    RECEIVER,
    SENDER,
    ULTRASOUND,
    dcmsend,
    receiving,
    storescu,
    ultrasound,
    write,
)
from tests.sealing import MAI, NURSE
from tests.waiting import Eventually

REFUSED = "object-refused"
PADDING = 0xFFFC  # DCMTK leaves it out
CLOCK = SystemClock()
BOSS = Operator("boss", "Boss", (Role.CORRECT,))


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    outbox = open_outbox(folder, CLOCK)
    yield outbox
    close(outbox)


@pytest.fixture
def service(outbox: Outbox) -> Iterator[ReceivedService]:
    service = ReceivedService(outbox, lambda _: None)
    yield service
    service.close()


def trail(outbox: Outbox) -> str:
    return " ".join(
        event for (event,) in outbox.spool.database.read().execute("SELECT event FROM audit")
    )


def kept(outbox: Outbox, uid: str) -> Dataset:
    """What was kept. DCMTK writes lengths anew, so that bytes are compared of the pixels alone."""
    (letter,) = letters(outbox, uid)
    return part10.read(open_received(outbox.spool, letter)[1])


def letters(outbox: Outbox, uid: str) -> list[str]:
    """What waits under a SOP Instance UID, in the order in which it came."""
    waiting = waiting_objects(outbox.spool)
    return [one.letter for one in waiting if one.received.sop_instance_uid == uid]


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


def test_a_correction_under_the_same_uid_is_a_letter_of_its_own_and_a_person_chooses(
    outbox: Outbox, service: ReceivedService, tmp_path: Path
) -> None:
    sent_to(
        outbox,
        ultrasound(tmp_path, SOPInstanceUID="2.25.7", PatientID="777"),
    )
    sent_to(outbox, ultrasound(tmp_path, SOPInstanceUID="2.25.7"))
    wrong, right = letters(outbox, "2.25.7")
    exam = exam_of_mai(outbox)
    assert service.file_agreeing(exam, NURSE) == 0, "two say different things"
    service.file(right, exam, NURSE)
    assert letters(outbox, "2.25.7") == [wrong]
    assert service.file_agreeing(exam, NURSE) == 0
    with pytest.raises(RuleError, match="was filed before"):
        service.file(wrong, exam, NURSE)
    service.discard(wrong, BOSS)
    assert letters(outbox, "2.25.7") == []
    assert inspect(outbox.spool).whole


@pytest.mark.expects_log(REFUSED)
def test_another_image_under_the_uid_of_a_filed_one_is_refused(
    outbox: Outbox, service: ReceivedService, tmp_path: Path
) -> None:
    first = ultrasound(tmp_path, SOPInstanceUID="2.25.7")
    sent_to(outbox, first)
    assert service.file_agreeing(exam_of_mai(outbox), NURSE) == 1
    with receiving(outbox) as receiver:
        assert storescu(receiver.port, first).returncode == 0, "the same, once more"
        other = ultrasound(tmp_path, SOPInstanceUID="2.25.7", InstanceNumber="99")
        assert "0x117" in _told(storescu(receiver.port, other))
    assert service.count() == 0
    assert "uid-sent" in trail(outbox)


def test_what_was_discarded_comes_back_by_undo_or_when_it_is_sent_again(
    outbox: Outbox, service: ReceivedService, tmp_path: Path
) -> None:
    file = ultrasound(tmp_path, SOPInstanceUID="2.25.7")
    sent_to(outbox, file)
    (letter,) = letters(outbox, "2.25.7")
    with pytest.raises(RuleError, match="roles"):
        service.discard(letter, NURSE)
    service.discard(letter, BOSS)
    with pytest.raises(RuleError, match="waits no more"):
        service.file(letter, exam_of_mai(outbox), NURSE)
    service.bring_back(letter, BOSS)
    assert letters(outbox, "2.25.7") == [letter]
    service.discard(letter, BOSS)
    assert recover(outbox.spool, (PACS,)).alarms == []
    assert letters(outbox, "2.25.7") == []
    sent_to(outbox, file)
    assert letters(outbox, "2.25.7") == [letter], "a scanner deletes what it got 0000 for"
    assert kept(outbox, "2.25.7").PixelData == dcmread(file).PixelData
    assert [trail(outbox).count(f"object-{what}") for what in ("discarded", "brought-back")] == [
        2,
        1,
    ]
    assert recover(outbox.spool, (PACS,)).alarms == []
    assert len(sealed_files(outbox.spool.received)) == 1
    assert inspect(outbox.spool).whole


def _told(sent: object) -> str:
    told = str(sent)
    assert "Success)" not in told
    return told.lower()


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
    assert "outofresources" in _told(told[-1])


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


# ------------------------------------------------------------------------------------------ whose


def sent_to(outbox: Outbox, *files: Path) -> None:
    with receiving(outbox) as receiver:
        for file in files:
            sent = storescu(receiver.port, file)
            assert sent.returncode == 0, sent.stdout + sent.stderr


def exam_of_mai(outbox: Outbox) -> Exam:
    return begin(outbox, CLOCK)


CONTRADICTING: tuple[tuple[dict[str, str], Contradiction], ...] = (
    ({"PatientID": "0099999999"}, Contradiction.NUMBER),
    ({"PatientID": "12345678"}, Contradiction.NUMBER),
    ({"PatientID": ""}, Contradiction.NUMBER),
    ({"IssuerOfPatientID": "ELSEWHERE"}, Contradiction.ISSUER),
    ({"IssuerOfPatientID": ""}, Contradiction.ISSUER),
    ({"PatientName": "Tran^Mai"}, Contradiction.NAME),
    ({"PatientBirthDate": "19560715"}, Contradiction.BIRTH_DATE),
    ({"PatientSex": "M"}, Contradiction.SEX),
)


def test_what_contradicts_is_never_filed_by_itself(
    outbox: Outbox, service: ReceivedService, tmp_path: Path
) -> None:
    uids = [f"2.25.{number}" for number, _ in enumerate(CONTRADICTING, 1)]
    sent_to(
        outbox,
        *(
            ultrasound(tmp_path, SOPInstanceUID=uid, **changes)
            for uid, (changes, _) in zip(uids, CONTRADICTING, strict=True)
        ),
    )
    exam = exam_of_mai(outbox)
    assert service.file_agreeing(exam, NURSE) == 0
    found = {one.waiting.received.sop_instance_uid: one.against for one in service.beside(MAI)}
    assert found == {uid: (against,) for uid, (_, against) in zip(uids, CONTRADICTING, strict=True)}
    assert not outbox.statuses(StatusFilter())


def test_what_agrees_is_filed_byte_for_byte_and_proved(
    outbox: Outbox, service: ReceivedService, tmp_path: Path, eventually: Eventually
) -> None:
    files = [ultrasound(tmp_path, name) for name in ULTRASOUND]
    sent_to(outbox, *files)
    came = {
        bytes(dataset_of(open_received(outbox.spool, one.letter)[1])) for one in service.waiting()
    }
    exam = exam_of_mai(outbox)
    assert service.file_agreeing(exam, NURSE) == len(files)
    assert service.file_agreeing(exam, NURSE) == 0
    archive = DirectoryArchive(tmp_path / "pacs")
    archive.folder.mkdir()
    engine = open_engine(outbox, outbox.spool.received.parent, CLOCK, archive)
    engine.start()
    try:
        eventually(
            lambda: {one.state for one in outbox.statuses(StatusFilter())} == {ImageState.CONFIRMED}
        )
    finally:
        engine.stop()
    there = {bytes(dataset_of(one.read_bytes())) for one in archive.folder.iterdir()}
    assert there == came
    assert not sealed_files(outbox.spool.received)
    assert recover(outbox.spool, (PACS,)).alarms == []
    assert inspect(outbox.spool).whole
    assert trail(outbox).count("object-filed") == len(files)


def test_a_person_files_what_contradicts_and_the_old_words_are_kept(
    outbox: Outbox, service: ReceivedService, tmp_path: Path
) -> None:
    file = ultrasound(
        tmp_path,
        SOPInstanceUID="2.25.5",
        PatientName="Müller^Jörg",
        PatientID="777",
        PatientBirthDate="19400101",
        PatientSex="M",
        OtherPatientIDs="888",
        SpecificCharacterSet="ISO_IR 100",
        StudyDescription="Beinödem",
    )
    sent_to(outbox, file)
    service.file(letters(outbox, "2.25.5")[0], exam_of_mai(outbox), NURSE)
    (sealed,) = sealed_files(outbox.spool.instances)
    content = open_sealed(sealed, outbox.spool.cipher, uid="2.25.5").content
    before, after = dcmread(file), part10.read(content)
    said = (after.PatientName, after.PatientID, after.PatientBirthDate, after.PatientSex)
    assert said == (MAI.name.pn, MAI.patient_id.value, "19560714", "F")
    (change,) = after.OriginalAttributesSequence
    (old,) = change.ModifiedAttributesSequence
    assert (old.PatientName, old.PatientID, old.OtherPatientIDs) == ("Müller^Jörg", "777", "888")
    assert change.ReasonForTheAttributeModification == "COERCE"
    assert "OtherPatientIDs" not in after, "another patient's numbers stay nowhere"
    assert after.StudyDescription == "Beinödem", "rewritten in another character set"
    untouched = [
        element.tag
        for element in before
        if 0x10 < element.tag.group < PADDING and element != after.get(element.tag)
    ]
    assert untouched == []
    assert after.PixelData == before.PixelData
    assert "777" not in trail(outbox)


def test_a_study_of_another_patient_takes_no_image(
    outbox: Outbox, service: ReceivedService, tmp_path: Path
) -> None:
    sent_to(
        outbox,
        ultrasound(tmp_path, SOPInstanceUID="2.25.1"),
        ultrasound(tmp_path, SOPInstanceUID="2.25.2", PatientID="777"),
    )
    service.file_agreeing(exam_of_mai(outbox), NURSE)
    other = replace(MAI, patient_id=replace(MAI.patient_id, value="777"))
    with pytest.raises(RuleError, match="same study"):
        service.file(letters(outbox, "2.25.2")[0], begin(outbox, CLOCK, patient=other), NURSE)
    assert service.count() == 1


def test_a_received_file_without_its_row_is_taken_in_again(
    outbox: Outbox, service: ReceivedService, tmp_path: Path
) -> None:
    sent_to(outbox, ultrasound(tmp_path))
    (before,) = service.waiting()
    with outbox.spool.database.transaction() as connection:
        connection.execute("DELETE FROM received")
    assert recover(outbox.spool, (PACS,)).alarms == []
    (after,) = service.waiting()
    assert after.received == before.received
    assert inspect(outbox.spool).whole


def test_orthanc_takes_it_and_proves_it(
    outbox: Outbox,
    service: ReceivedService,
    tmp_path: Path,
    orthanc: Orthanc,
    eventually: Eventually,
) -> None:
    files = [
        ultrasound(tmp_path, name, PatientName="NGUYEN^MAI", SOPInstanceUID=f"2.25.{number}")
        for number, name in enumerate(ULTRASOUND, 1)
    ]
    sent_to(outbox, *files)
    assert service.file_agreeing(exam_of_mai(outbox), NURSE) == len(files)
    destination = ArchiveDestination(
        PACS,
        host=HOST,
        port=orthanc.dicom_port,
        ae_title=orthanc.aet,
        url=orthanc.dicomweb,
        user=orthanc.auth[0],
        password_key="pacs-password",
    )
    engine = Engine(
        outbox,
        (archive_for(destination, None),),
        CLOCK,
        role=EngineRole(tmp_path / "engine.lock"),
    )
    engine.start()
    try:
        eventually(
            lambda: {one.proof for one in outbox.statuses()} == {ProofKind.PIXEL_HASH}, timeout=60
        )
    finally:
        engine.stop()
    for file in files:
        sent = dcmread(file)
        there = part10.read(orthanc.file(sent.SOPInstanceUID))
        assert there.PixelData == sent.PixelData
        assert there.PatientName == MAI.name.pn
        (change,) = there.OriginalAttributesSequence
        assert change.ModifiedAttributesSequence[0].PatientName == "NGUYEN^MAI"
