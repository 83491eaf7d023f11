"""Images that scanners send, and the window: filed to the open patient, or to nobody."""

from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from capture_app.exam.received import ReceivedService
from capture_app.model.worklist import IdentifiedBy
from capture_app.outbox.status import StatusFilter
from capture_app.ui.shell.received_watch import ReceivedWatch
from tests.receiving import receiving, storescu, ultrasound
from tests.ui.conftest import Desk
from tests.ui.ends import MAI, MINH, Break, ends


@pytest.fixture
def _sent(desk: Desk, tmp_path: Path) -> None:
    """A scanner has sent an image of MAI."""
    (entry,) = desk.stage.census.lookup(MAI)
    patient = entry.patient
    file = ultrasound(
        tmp_path,
        PatientID=MAI,
        PatientName=patient.name.pn,
        IssuerOfPatientID=patient.patient_id.issuer,
        PatientBirthDate=f"{patient.birth_date:%Y%m%d}",
        PatientSex=patient.sex.value,
    )
    with receiving(desk.stage.outbox) as receiver:
        assert storescu(receiver.port, file).returncode == 0


def _open(desk: Desk, number: str) -> None:
    (entry,) = desk.stage.census.lookup(number)
    operator = desk.content.operator
    desk.content._open(desk.stage.services.exams.open(entry, operator, IdentifiedBy.SCAN))


@pytest.mark.usefixtures("_sent")
def test_an_image_goes_to_the_open_patient_whom_it_names_and_to_no_other(
    desk: Desk, qtbot: QtBot
) -> None:
    desk.sign_in()
    received, outbox = desk.stage.services.received, desk.stage.outbox
    _open(desk, MINH)
    other = desk.content.exam
    assert other is not None
    assert received.file_agreeing(other, desk.content.operator) == 0
    assert received.count() == 1
    _open(desk, MAI)
    exam = desk.content.exam
    qtbot.waitUntil(lambda: received.count() == 0, timeout=30_000)
    (status,) = outbox.statuses(StatusFilter())
    assert exam is not None
    assert status.exam_id == exam.exam_id


@pytest.mark.usefixtures("_sent")
@ends("ReceivedWatch")
def test_a_look_that_failed_is_followed_by_the_next(
    desk: Desk, qtbot: QtBot, break_once: Break
) -> None:
    desk.sign_in()
    told: list[int] = []
    break_once(ReceivedService, "count")
    watch = ReceivedWatch(
        desk.stage.services, desk.window.tasks, desk.content.operator, lambda: None, desk.window
    )
    watch.waiting.connect(told.append)

    def is_told() -> bool:
        watch.look()  # as each change does
        return 1 in told

    qtbot.waitUntil(is_told)
    watch.close()
