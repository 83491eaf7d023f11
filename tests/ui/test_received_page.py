"""The page of images that scanners sent: both identities, and a person who says whose it is."""

from pathlib import Path

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from capture_app.exam.initials import example_of
from capture_app.exam.received import ReceivedService
from capture_app.exam.second_identifier import Answer
from capture_app.model.operator import Role
from capture_app.model.words import isolated
from capture_app.model.worklist import IdentifiedBy
from capture_app.outbox.status import StatusFilter
from capture_app.patients.finding.scan import ScannedCode
from capture_app.ui.received.page import ReceivedPage
from capture_app.ui.received.viewmodel import ReceivedViewModel
from capture_app.ui.shell.app_bar import Place
from tests.receiving import sent_to, ultrasound
from tests.ui.conftest import Desk
from tests.ui.ends import MAI, MINH, SAID, Break, ends


def image_of(desk: Desk, folder: Path, number: str, uid: str, **changes: str) -> Path:
    """A file of a scanner that names a patient of the ward, but for the changes."""
    (entry,) = desk.stage.census.lookup(number)
    patient = entry.patient
    said = {
        "PatientID": number,
        "PatientName": patient.name.pn,
        "IssuerOfPatientID": patient.patient_id.issuer,
        "PatientBirthDate": f"{patient.birth_date:%Y%m%d}",
        "PatientSex": patient.sex.value,
        "SOPInstanceUID": uid,
        **changes,
    }
    return ultrasound(folder, **said)


def page_with(desk: Desk, *files: Path) -> tuple[ReceivedViewModel, ReceivedPage]:
    """The page, on screen, with what was sent."""
    sent_to(desk.stage.outbox, *files)
    desk.sign_in()
    desk.content.go(Place.RECEIVED)
    viewmodel, page = desk.content.late.received
    desk.qtbot.waitUntil(lambda: len(viewmodel.state.rows) == len(files))
    return viewmodel, page


def filed(desk: Desk) -> list[str]:
    """The record numbers of the patients to whom images were filed, in order."""
    outbox = desk.stage.outbox
    exams = [outbox.exam(status.exam_id) for status in outbox.statuses(StatusFilter())]
    return [exam.patient.patient_id.value for exam in exams]


def test_a_wristband_that_agrees_files_the_image_and_opens_nobody(
    desk: Desk, qtbot: QtBot, tmp_path: Path
) -> None:
    viewmodel, page = page_with(desk, image_of(desk, tmp_path, MAI, "2.25.1"))
    qtbot.waitUntil(lambda: page.picture.has_picture)
    desk.content.scanned(ScannedCode(MAI))
    qtbot.waitUntil(lambda: filed(desk) == [MAI])
    qtbot.waitUntil(lambda: not viewmodel.state.rows)
    assert desk.content.exam is None
    assert desk.content.place is None or desk.content.place is not Place.PATIENTS
    (status,) = desk.stage.outbox.statuses(StatusFilter())
    exam = desk.stage.outbox.exam(status.exam_id)
    assert exam.identified_by is IdentifiedBy.SCAN
    assert "Filed to" in desk.content.said.what


def test_what_differs_is_marked_and_a_band_that_contradicts_files_nothing_by_itself(
    desk: Desk, qtbot: QtBot, tmp_path: Path
) -> None:
    viewmodel, page = page_with(
        desk, image_of(desk, tmp_path, MAI, "2.25.1", PatientBirthDate="19010203")
    )
    desk.content.scanned(ScannedCode(MINH))
    marked = [line.label for line in viewmodel.state.lines if line.differs]
    assert {"Name", "Born", "Record number"} <= set(marked)
    assert not viewmodel.state.agrees
    assert "anyway" in page.file.text()
    assert filed(desk) == []
    desk.content.scanned(ScannedCode(MAI))
    assert [line.label for line in viewmodel.state.lines if line.differs] == ["Born"]
    assert filed(desk) == [], "a contradiction waits for a deliberate act"
    page.file.click()
    qtbot.waitUntil(lambda: filed(desk) == [MAI])


def test_a_chosen_person_is_asked_for_and_the_answer_is_hidden_meanwhile(
    desk: Desk, qtbot: QtBot, tmp_path: Path
) -> None:
    viewmodel, page = page_with(desk, image_of(desk, tmp_path, MAI, "2.25.1"))
    qtbot.waitUntil(lambda: len(viewmodel.state.people) == 1)
    assert not page.file.isVisible(), "nobody is chosen by the machine"
    (row,) = viewmodel.state.people
    viewmodel.choose_person(row.row_id)
    page.file.click()
    check = viewmodel.check
    assert check is not None
    assert not page._comparison.isVisible()
    patient = check.patient
    shown = " ".join(f"{one.words} {one.note}" for one in viewmodel.state.people)
    assert str(patient.birth_date.year if patient.birth_date else "") not in shown
    check.answer(Answer("XX", "1900"))
    assert filed(desk) == []
    assert patient.birth_date is not None
    check.answer(Answer(example_of(patient.name), str(patient.birth_date.year)))
    qtbot.waitUntil(lambda: filed(desk) == [MAI])


def test_somebody_else_is_found_by_name_and_a_lock_forgets_a_band(
    desk: Desk, qtbot: QtBot, tmp_path: Path
) -> None:
    viewmodel, page = page_with(desk, image_of(desk, tmp_path, MAI, "2.25.1", PatientID="777"))
    qtbot.waitUntil(lambda: viewmodel.state.loaded)
    assert viewmodel.state.people == ()
    page.filter.setText("nguyen")
    qtbot.waitUntil(lambda: len(viewmodel.state.people) > 0)
    desk.content.scanned(ScannedCode(MAI))
    assert viewmodel.state.person
    desk.window.lock()
    page.file.click()
    assert filed(desk) == []
    assert viewmodel.check is not None or not viewmodel.state.person


def test_discarding_takes_a_role_and_ctrl_z_brings_it_back(
    desk: Desk, qtbot: QtBot, tmp_path: Path
) -> None:
    viewmodel, page = page_with(desk, image_of(desk, tmp_path, MAI, "2.25.1"))
    page.discard.click()
    qtbot.waitUntil(lambda: not viewmodel.state.rows)
    assert page._bring_back.isVisible()
    desk.content.undo()
    qtbot.waitUntil(lambda: len(viewmodel.state.rows) == 1)
    assert filed(desk) == []


def test_who_only_takes_pictures_discards_nothing(desk: Desk, qtbot: QtBot, tmp_path: Path) -> None:
    sent_to(desk.stage.outbox, image_of(desk, tmp_path, MAI, "2.25.1"))
    nurse = desk.stage.add_user("nurse", "N. Urse", Role.CAPTURE)
    desk.window.sign_in_vm.signed_in.emit(nurse)
    desk.content.go(Place.RECEIVED)
    viewmodel, page = desk.content.late.received
    qtbot.waitUntil(lambda: bool(viewmodel.state.rows))
    assert not page.discard.isVisible()
    viewmodel.discard()
    assert desk.stage.services.received.count() == 1


def test_the_outbox_shows_the_picture_and_the_scanner_of_what_was_filed(
    desk: Desk, qtbot: QtBot, tmp_path: Path
) -> None:
    page_with(desk, image_of(desk, tmp_path, MAI, "2.25.1"))
    desk.content.scanned(ScannedCode(MAI))
    qtbot.waitUntil(lambda: filed(desk) == [MAI])
    desk.content.go(Place.OUTBOX)
    outbox = desk.content.outbox_vm
    qtbot.waitUntil(lambda: len(outbox.state.rows) == 1)
    (row,) = outbox.state.rows
    assert row.what == f"Ultrasound from {isolated('us1')}, 1 picture"
    image = outbox.image_of(row)
    assert image.rows > 100


def test_esc_leaves(desk: Desk, tmp_path: Path) -> None:
    _, page = page_with(desk)
    desk.key(Qt.Key.Key_Escape, on=page)
    assert desk.content.place is Place.PATIENTS


@ends("ReceivedViewModel")
def test_every_end_of_the_page_ends(
    desk: Desk, qtbot: QtBot, tmp_path: Path, break_once: Break
) -> None:
    viewmodel, page = page_with(desk, image_of(desk, tmp_path, MAI, "2.25.1"))
    break_once(ReceivedService, "file")
    desk.content.scanned(ScannedCode(MAI))
    qtbot.waitUntil(lambda: SAID in viewmodel.state.fault and not viewmodel.state.busy)
    assert viewmodel.state.rows, "it waits still"
    page.file.click()
    qtbot.waitUntil(lambda: filed(desk) == [MAI])
    break_once(ReceivedService, "waiting")
    viewmodel.appear()
    qtbot.waitUntil(lambda: SAID in viewmodel.state.fault)
    viewmodel.appear()
    qtbot.waitUntil(lambda: viewmodel.state.rows == ())


@ends("ReceivedPage")
def test_a_picture_that_cannot_be_shown_says_so_and_the_next_is_shown(
    desk: Desk, qtbot: QtBot, tmp_path: Path, break_once: Break
) -> None:
    break_once(ReceivedService, "image_of")
    files = [image_of(desk, tmp_path, MAI, uid) for uid in ("2.25.1", "2.25.2")]
    viewmodel, page = page_with(desk, *files)
    qtbot.waitUntil(lambda: SAID in page.not_shown.text())
    assert not page.picture.has_picture
    viewmodel.choose(viewmodel.state.rows[1].row_id)
    qtbot.waitUntil(lambda: page.picture.has_picture)
    assert not page.not_shown.isVisible()
