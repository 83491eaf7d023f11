"""What another process takes in from the feed counts here at once, at opening and at Send."""

from dataclasses import replace
from pathlib import Path

import pytest

from capture_app.bootstrap import Rooms, open_rooms
from capture_app.clock import FixedClock
from capture_app.demo.people import ADMISSIONS, Admission
from capture_app.errors import RuleError
from capture_app.exam.encoding import Picture
from capture_app.exam.standing import Stop, WordingPart
from capture_app.hl7.build import Sender, build_adt
from capture_app.model.patient import NameGroup, PersonName, Sex
from capture_app.model.worklist import IdentifiedBy
from capture_app.patients.sources.adt.receiver import AdtReceiver
from capture_app.settings.feeds import AdtFeed
from capture_app.settings.schema import ArchiveDestination, KeyStore, Security, Settings
from tests import sealing

MAI = ADMISSIONS[0]
NUMBER = MAI.patient.patient_id.value


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    security = Security(key_store=KeyStore.FILE, key_file=str(tmp_path / "key"))
    archive = ArchiveDestination(name="pacs", host="127.0.0.1", port=104, ae_title="A")
    feed = AdtFeed(assigning_authority="ST ANNE")
    return Settings(tmp_path / "data", adt=feed, archives=(archive,), security=security)


def tell(rooms: Rooms, event: str, admission: Admission, number: int) -> None:
    """The feed speaks to the process that holds it."""
    assert rooms.settings.adt is not None
    receiver = AdtReceiver(rooms.census, rooms.settings.adt, rooms.clock)
    message = build_adt(
        event,
        admission.patient,
        admission.encounter,
        control_id=f"T{number}",
        at=rooms.clock.now(),
        sender=Sender(application="ADT", facility="ST ANNE", processing_id="P"),
    )
    assert b"MSA|AA" in receiver.handle(message)


def test_send_reads_the_patient_as_another_process_has_just_heard(
    settings: Settings, clock: FixedClock
) -> None:
    renamed = replace(MAI, patient=replace(MAI.patient, name=PersonName(NameGroup("Tran", "Mai"))))
    another = replace(renamed, patient=replace(renamed.patient, sex=Sex.MALE))
    with open_rooms(settings, clock) as ours, open_rooms(settings, clock) as theirs:
        tell(theirs, "A01", MAI, 1)
        ours.census.refresh()
        (row,) = ours.census.lookup(NUMBER)
        exam = ours.exams.open(row, sealing.NURSE, IdentifiedBy.SCAN)
        described = sealing.description()
        one = ours.exams.keep(
            exam,
            Picture(sealing.photo(), clock.now()),
            device=sealing.CAMERA,
            description=described,
        )
        clock.advance(60)
        tell(theirs, "A08", renamed, 2)
        with pytest.raises(RuleError, match="changed the patient's name"):
            ours.exams.send(exam, {one: described}, shown=MAI.patient)
        assert ours.exams.standing(exam).newer == (WordingPart.NAME,)
        clock.advance(60)
        tell(theirs, "A08", another, 3)
        assert ours.exams.standing(exam).asks == (WordingPart.NAME, WordingPart.SEX)
        with pytest.raises(RuleError, match="who is in front of you"):
            ours.exams.send(exam, {one: described}, shown=another.patient)
        clock.advance(60)
        tell(theirs, "A11", another, 4)
        assert ours.exams.standing(exam).stop is Stop.VISIT_CANCELLED
        with pytest.raises(RuleError, match="changed who this is"):
            ours.exams.open(row, sealing.NURSE, IdentifiedBy.SCAN)
        assert ours.outbox.counts().held == 0
