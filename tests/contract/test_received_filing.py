"""Whose an image is that a scanner sent: by agreement, by a person, or nobody's."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import dcmread

from capture_app.archive.dimse import dataset_of
from capture_app.clock import SystemClock
from capture_app.dicom import part10
from capture_app.errors import ChangedSinceSeenError, RuleError
from capture_app.exam.received import ReceivedService
from capture_app.model.delivery import ImageState, ProofKind
from capture_app.model.exam import Exam
from capture_app.model.operator import Operator, Role
from capture_app.model.patient import Patient
from capture_app.model.received import Contradiction
from capture_app.model.worklist import FeedSource, IdentifiedBy, PatientListEntry, PersonNow
from capture_app.outbox.delivery.engine import Engine
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.receiving.keeping import open_received
from capture_app.outbox.recovery.inspection import inspect
from capture_app.outbox.recovery.start_up import recover
from capture_app.outbox.status import StatusFilter
from capture_app.settings.schema import ArchiveDestination
from capture_app.store.role import EngineRole
from capture_app.store.sealed import open_sealed
from tests.archives import archive_for
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
    ULTRASOUND,
    kept,
    letters,
    receiving,
    sent_to,
    status_told,
    storescu,
    trail,
    ultrasound,
)
from tests.sealing import MAI, NURSE
from tests.waiting import Eventually

REFUSED = "object-refused"
PADDING = 0xFFFC  # DCMTK leaves it out
CLOCK = SystemClock()
SEEN_AT = CLOCK.now()
BOSS = Operator("boss", "Boss", (Role.CORRECT,))
OTHER = replace(MAI, patient_id=replace(MAI.patient_id, value="777"))
PEOPLE = {
    one.patient_id: PersonNow(one, (), (PatientListEntry(one, None, (), FeedSource.ADT, SEEN_AT),))
    for one in (MAI, OTHER)
}


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    outbox = open_outbox(folder, CLOCK)
    yield outbox
    close(outbox)


@pytest.fixture
def service(outbox: Outbox) -> Iterator[ReceivedService]:
    service = ReceivedService(outbox, PEOPLE.get)
    yield service
    service.close()


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
    say_theirs(service, right)
    assert letters(outbox, "2.25.7") == [wrong]
    assert service.file_agreeing(exam, NURSE) == 0
    with pytest.raises(RuleError, match="was filed before"):
        say_theirs(service, wrong, MAI, Contradiction.NUMBER)
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
        assert "0x117" in status_told(storescu(receiver.port, other))
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
        say_theirs(service, letter)
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


def exam_of_mai(outbox: Outbox) -> Exam:
    return begin(outbox, CLOCK)


def say_theirs(
    service: ReceivedService, letter: str, patient: Patient = MAI, *seen: Contradiction
) -> None:
    """A person has looked, and says whose it is."""
    (entry,) = PEOPLE[patient.patient_id].entries
    service.file(letter, entry, NURSE, IdentifiedBy.SCAN, seen=seen)


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
    (letter,) = letters(outbox, "2.25.5")
    with pytest.raises(ChangedSinceSeenError):
        say_theirs(service, letter, MAI, Contradiction.NUMBER)
    four = (Contradiction.NUMBER, Contradiction.NAME, Contradiction.BIRTH_DATE, Contradiction.SEX)
    say_theirs(service, letter, MAI, *four)
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
    with pytest.raises(RuleError, match="same study"):
        say_theirs(service, letters(outbox, "2.25.2")[0], OTHER)
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
