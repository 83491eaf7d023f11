"""The feed changes under an open exam: what is shown is what is sent, or Send stops or asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from capture_app.audit.trail import read_trail
from capture_app.clock import FixedClock
from capture_app.demo.people import ADMISSIONS, Admission
from capture_app.dicom import part10
from capture_app.model.audit_event import AuditAction, AuditEvent
from capture_app.model.delivery import ImageState
from capture_app.model.operator import Operator
from capture_app.model.patient import NameGroup, PatientId, PersonName, Sex
from capture_app.model.worklist import PatientListEntry
from capture_app.outbox.sealing.identity import SealedIdentity, read_identity
from capture_app.patients.finding.scan import ScannedCode
from capture_app.patients.finding.tabs import Tab
from capture_app.store.sealed import open_sealed
from capture_app.ui.identity.popover import IdentityPopover
from capture_app.ui.patients.rows import key_of
from capture_app.ui.widgets.buttons import Button
from tests import outboxes
from tests.ui.conftest import Desk
from tests.ui.hands import Hands, at_work, clinic
from tests.ui.stage import Stage

MAI = ADMISSIONS[0]
NUMBER = MAI.patient.patient_id.value


@pytest.fixture
def stage(tmp_path: Path, clock: FixedClock) -> Iterator[Stage]:
    with clinic(tmp_path / "station", clock) as opened:
        yield opened


@pytest.fixture
def hands(
    desk: Desk, stage: Stage, ada: Operator, qtbot: QtBot, clock: FixedClock
) -> Iterator[Hands]:
    desk.sign_in()
    with at_work(desk.window, stage, qtbot, clock) as hands:
        yield hands


@pytest.fixture
def mai(hands: Hands, stage: Stage, ada: Operator) -> Hands:
    """One coded draft of Mai, opened by her wristband."""
    stage.pictures(NUMBER, 1, ada)
    hands.scan(NUMBER)
    hands.qtbot.waitUntil(lambda: hands.state.sendable == 1)
    return hands


def said_of(admission: Admission, **changes: object) -> Admission:
    return replace(admission, patient=replace(admission.patient, **changes))  # type: ignore[arg-type]


def named(family: str, given: str) -> PersonName:
    return PersonName(NameGroup(family, given))


def banner(hands: Hands) -> str:
    return hands.page.banner.accessibleName()


def note(hands: Hands) -> str:
    return hands.page.banner.note.words


def events(stage: Stage) -> list[AuditEvent]:
    return [row.event for row in read_trail(stage.outbox.spool.database.read())]


def count(stage: Stage, action: AuditAction) -> int:
    return sum(event.action is action for event in events(stage))


def sealed(stage: Stage) -> list[tuple[Dataset, SealedIdentity]]:
    """What would go to the archive, and what the files say of themselves."""
    spool, found = stage.outbox.spool, []
    for path in outboxes.sealed_files(spool.instances):
        whole = open_sealed(path, spool.cipher)
        found.append((part10.read(whole.content), read_identity(whole.header, whole.identity)))
    return found


def question(hands: Hands) -> IdentityPopover | None:
    found = hands.page.findChildren(IdentityPopover)
    return next((popover for popover in found if popover.isVisible()), None)


def asked(hands: Hands) -> IdentityPopover:
    hands.qtbot.waitUntil(lambda: question(hands) is not None)
    popover = question(hands)
    assert popover is not None
    return popover


def sent(hands: Hands, stage: Stage) -> list[tuple[Dataset, SealedIdentity]]:
    hands.qtbot.waitUntil(lambda: stage.outbox.counts().held > 0)
    return sealed(stage)


# ------------------------------------------------------------------------------ the wording follows


def test_a_new_name_is_shown_and_it_is_what_is_sent(mai: Hands, stage: Stage) -> None:
    before = mai.page.viewmodel.exam
    stage.admit(said_of(MAI, name=named("Tran", "Mai")), event="A08")
    mai.qtbot.waitUntil(lambda: "TRAN, Mai" in banner(mai))
    assert "name was NGUY" in note(mai)
    assert mai.state.family == "TRAN"
    mai.send()
    ((ds, identity),) = sent(mai, stage)
    assert str(ds.PatientName) == "Tran^Mai"
    assert identity.patient is not None
    assert identity.patient.name == named("Tran", "Mai")
    assert identity.kept.exam.patient == MAI.patient  # as it was frozen
    assert mai.page.viewmodel.exam == before
    assert count(stage, AuditAction.WORDING_FOLLOWED) == 1
    (followed,) = [e for e in events(stage) if e.action is AuditAction.WORDING_FOLLOWED]
    assert followed.details == {"changed": "name"}


def test_the_file_says_letter_for_letter_what_the_screen_said(mai: Hands, stage: Stage) -> None:
    stage.admit(said_of(MAI, name=named("Tran", "Mai")), event="A08")
    mai.qtbot.waitUntil(lambda: "TRAN, Mai" in banner(mai))
    (thumb,) = mai.state.thumbs
    on_screen = banner(mai)
    mai.send()
    ((_, identity),) = sent(mai, stage)
    shown = identity.shown
    assert shown is not None
    assert shown.name == "TRAN, Mai"
    for words in (shown.name, shown.birth_date, shown.sex, shown.record_number):
        assert words
        assert words in on_screen
    assert shown.place in [fact.value for fact in mai.state.banner.droppable]
    assert (shown.procedure, shown.site, shown.side) == (thumb.procedure, thumb.site, thumb.side)
    assert identity.sender is not None
    assert identity.sender.user_id == identity.user_id


def test_two_changes_ask_at_send_and_one_band_scan_answers(mai: Hands, stage: Stage) -> None:
    changed = said_of(MAI, name=named("Tran", "Linh"), birth_date=date(1960, 2, 3))
    stage.admit(changed, event="A08")
    mai.qtbot.waitUntil(lambda: "TRAN, Linh" in banner(mai))
    assert "Identity asked at Send" in banner(mai)
    mai.pedal()  # the shutter never asks
    mai.qtbot.waitUntil(lambda: len(stage.outbox.drafts()) == 2)
    mai.key(Qt.Key.Key_Delete)
    mai.qtbot.waitUntil(lambda: len(stage.outbox.drafts()) == 1)
    mai.send()
    popover = asked(mai)
    shown = popover.accessibleName() + banner(mai) + mai.page.send_bar.send.accessibleName()
    assert "Linh" not in shown  # nothing on the screen answers
    assert "1960" not in shown
    assert stage.outbox.counts().held == 0
    mai.window.scanner.scanned.emit(ScannedCode(NUMBER))
    ((ds, _),) = sent(mai, stage)
    assert (str(ds.PatientName), ds.PatientBirthDate) == ("Tran^Linh", "19600203")
    assert count(stage, AuditAction.IDENTITY_CHECKED) == 1
    assert "Wristband scanned" in banner(mai)


def test_two_changes_are_answered_by_the_second_identifier_of_now(
    mai: Hands, stage: Stage, desk: Desk
) -> None:
    stage.admit(said_of(MAI, name=named("Tran", "Linh"), sex=Sex.MALE), event="A08")
    mai.qtbot.waitUntil(lambda: "TRAN, Linh" in banner(mai))
    mai.send()
    asked(mai)
    desk.type("NTM")  # the old initials are wrong
    desk.key(Qt.Key.Key_Tab)
    desk.type("1956")
    desk.key(Qt.Key.Key_Return)
    assert stage.outbox.counts().held == 0
    desk.type("TL")
    desk.key(Qt.Key.Key_Tab)
    desk.type("1956")
    desk.key(Qt.Key.Key_Return)
    ((ds, _),) = sent(mai, stage)
    assert (str(ds.PatientName), ds.PatientSex) == ("Tran^Linh", "M")
    (checked,) = [e for e in events(stage) if e.action is AuditAction.IDENTITY_CHECKED]
    assert checked.details == {"identified-by": "initials-and-year"}
    assert "Initials and year checked" in banner(mai)


def test_three_wrong_answers_send_nothing_and_keep_all(
    mai: Hands, stage: Stage, desk: Desk
) -> None:
    stage.admit(said_of(MAI, name=named("Tran", "Linh"), sex=Sex.MALE), event="A08")
    mai.qtbot.waitUntil(lambda: "TRAN, Linh" in banner(mai))
    mai.send()
    asked(mai)
    for _ in range(3):
        desk.type("XX")
        desk.key(Qt.Key.Key_Tab)
        desk.type("1900")
        desk.key(Qt.Key.Key_Return)
    mai.qtbot.waitUntil(lambda: mai.state.message is not None)
    assert mai.state.message is not None
    assert "three answers did not fit" in mai.state.message.what
    assert {s.state for s in stage.outbox.statuses()} == {ImageState.DRAFT}
    mai.qtbot.waitUntil(lambda: count(stage, AuditAction.IDENTITY_CHECK_FAILED) == 3)


@pytest.mark.parametrize(
    "unknown",
    [
        named("Unknown", "Trauma 7"),
        named("Baby of Nguyen", ""),
        named("Nguyen", "BABY GIRL"),
        named("Unbekannt", "Unbekannt"),
    ],
)
def test_a_placeholder_that_becomes_known_follows_by_itself(
    hands: Hands, stage: Stage, ada: Operator, unknown: PersonName
) -> None:
    number = PatientId("0099000001", "ST ANNE", type_code="MR")
    child = replace(
        MAI,
        patient=replace(
            MAI.patient,
            patient_id=number,
            name=unknown,
            birth_date=None,
            sex=Sex.UNKNOWN,
            other_ids=(),
        ),
        encounter=replace(MAI.encounter, visit_number="V77"),
    )
    stage.admit(child)
    stage.pictures(number.value, 1, ada)
    hands.scan(number.value)
    hands.qtbot.waitUntil(lambda: hands.state.sendable == 1)
    known = said_of(child, name=named("Nguyen", "An"), birth_date=date(2024, 7, 1), sex=Sex.FEMALE)
    stage.admit(known, event="A08")
    hands.qtbot.waitUntil(lambda: "NGUYEN, An" in banner(hands))
    assert "name was" in note(hands)
    assert "Wristband scanned" in banner(hands)
    hands.send()
    ((ds, _),) = sent(hands, stage)
    assert (str(ds.PatientName), ds.PatientBirthDate, ds.PatientSex) == (
        "Nguyen^An",
        "20240701",
        "F",
    )
    assert count(stage, AuditAction.WORDING_FOLLOWED) == 1
    assert count(stage, AuditAction.IDENTITY_CHECKED) == 0


def test_drafts_from_before_a_change_between_exams_are_asked_about_at_send(
    hands: Hands, stage: Stage, ada: Operator
) -> None:
    stage.pictures(NUMBER, 1, ada)
    stage.admit(said_of(MAI, name=named("Tran", "Linh"), birth_date=date(1960, 2, 3)), event="A08")
    hands.scan(NUMBER)
    hands.qtbot.waitUntil(lambda: hands.state.sendable == 1)
    hands.qtbot.waitUntil(lambda: "Identity asked at Send" in banner(hands))
    hands.send()
    asked(hands)
    hands.window.scanner.scanned.emit(ScannedCode(NUMBER))
    ((ds, _),) = sent(hands, stage)
    assert str(ds.PatientName) == "Tran^Linh"


# -------------------------------------------------------------------------------- the visit changes


def test_a_cancelled_visit_stops_send_at_once_and_its_return_lets_it_go_on(
    mai: Hands, stage: Stage
) -> None:
    stage.admit(MAI, event="A11")
    mai.qtbot.waitUntil(lambda: "Visit cancelled" in note(mai))
    assert mai.state.message is not None
    assert "1 picture is safe here." in mai.state.message.todo
    mai.send()
    assert stage.outbox.counts().held == 0
    mai.pedal()
    assert len(stage.outbox.drafts()) == 2
    stage.admit(MAI, event="A01")
    mai.qtbot.waitUntil(lambda: not note(mai))
    mai.key(Qt.Key.Key_Delete)
    mai.qtbot.waitUntil(lambda: len(stage.outbox.drafts()) == 1)
    mai.send()
    assert len(sent(mai, stage)) == 1


def test_a_cancelled_visit_says_what_is_held_and_can_be_taken_back(
    mai: Hands, stage: Stage
) -> None:
    mai.send()
    mai.qtbot.waitUntil(lambda: [thumb.badge.words for thumb in mai.state.thumbs] == ["Held"])
    stage.admit(MAI, event="A11")
    mai.qtbot.waitUntil(lambda: "Visit cancelled" in note(mai))
    assert mai.state.message is not None
    assert "1 picture was sent before and is held: Ctrl+Z takes it back." in mai.state.message.todo
    mai.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    mai.qtbot.waitUntil(lambda: mai.state.sendable == 1)
    mai.send()
    assert stage.outbox.counts().held == 0


def test_a_discharge_warns_and_stops_nothing(mai: Hands, stage: Stage) -> None:
    stage.admit(MAI, event="A03")
    mai.qtbot.waitUntil(lambda: "Discharged" in note(mai))
    mai.send()
    assert len(sent(mai, stage)) == 1


# ------------------------------------------------------------------------- rows that are held still


def held_row(desk: Desk, filter_text: str) -> Callable[[], None]:
    """A row under a resting pointer, and how it is opened: the settings ask nothing."""
    vm = desk.content.patients_vm
    vm.show_tab(Tab.ALL)
    vm.filter(filter_text)
    desk.qtbot.waitUntil(lambda: vm.shows_what_was_asked and len(vm.state.rows) == 1)
    vm.pointed(over=True)
    key = vm.state.rows[0].key

    def open_it() -> None:
        vm.choose(key)
        desk.qtbot.waitUntil(lambda: vm.check is not None)
        desk.type("NTM")
        desk.key(Qt.Key.Key_Tab)
        desk.type("1956")
        desk.key(Qt.Key.Key_Return)

    return open_it


@pytest.mark.parametrize(
    ("event", "changes", "words"),
    [
        ("A11", {}, "This visit was cancelled."),
        (
            "A08",
            {"name": named("Tran", "Linh"), "birth_date": date(1960, 2, 3)},
            "changed who this is",
        ),
    ],
)
def test_a_row_that_was_held_still_opens_nobody_where_the_feed_said_otherwise(
    hands: Hands,
    desk: Desk,
    stage: Stage,
    event: str,
    changes: dict[str, object],
    words: str,
) -> None:
    open_it = held_row(desk, NUMBER)
    stage.admit(said_of(MAI, **changes), event=event)
    open_it()
    desk.qtbot.waitUntil(lambda: "not opened" in desk.content.said.what)
    assert words in desk.content.said.todo
    assert desk.content.exam is None
    assert count(stage, AuditAction.PATIENT_OPENED) == 0


def test_a_row_that_was_held_still_opens_with_the_newest_name(
    hands: Hands, desk: Desk, stage: Stage
) -> None:
    open_it = held_row(desk, NUMBER)
    stage.admit(said_of(MAI, name=named("Tran", "Mai")), event="A08")
    open_it()
    desk.qtbot.waitUntil(lambda: desk.content.exam is not None)
    assert desk.content.exam is not None
    assert desk.content.exam.patient.name == named("Tran", "Mai")


@pytest.mark.parametrize(
    ("changes", "is_asked"),
    [
        ({"name": named("Tran", "Mai")}, False),
        ({"name": named("Roe", "Rick"), "sex": Sex.MALE}, True),
    ],
)
def test_who_was_identified_a_moment_ago_is_asked_for_where_the_feed_made_it_somebody_else(
    mai: Hands, desk: Desk, stage: Stage, changes: dict[str, object], is_asked: bool
) -> None:
    """Nobody checked that this is the one: else leaving an exam were a way round its question."""
    mai.key(Qt.Key.Key_Escape)
    vm = desk.content.patients_vm
    stage.admit(said_of(MAI, **changes), event="A08")

    def rows() -> list[PatientListEntry]:
        entries = [e for e in vm._found.entries if e.patient.patient_id.value == NUMBER]
        return [e for e in entries if e.patient.name == changes["name"]]

    desk.qtbot.waitUntil(lambda: bool(rows()) and not vm.state.opening)
    vm.choose(key_of(rows()[0]))
    if is_asked:
        assert vm.check is not None
        assert desk.content.exam is None
    else:
        desk.qtbot.waitUntil(lambda: desk.content.exam is not None)
        assert "Opened again" in banner(mai)


# ------------------------------------------------------------------------------------- due at send


def test_after_a_lock_send_asks_and_the_chip_says_what_was_really_checked(
    mai: Hands, desk: Desk, stage: Stage, clock: FixedClock
) -> None:
    assert "Wristband scanned" in banner(mai)
    mai.window.lock()
    desk.sign_in()
    assert "Identity asked at Send" in banner(mai)
    mai.qtbot.waitUntil(lambda: mai.page.viewmodel.live.frame() is not None)
    mai.pedal()  # the shutter never asks
    assert question(mai) is None
    clock.advance(60)
    mai.key(Qt.Key.Key_Delete)
    mai.send()
    asked(mai)
    desk.type("NTM")
    desk.key(Qt.Key.Key_Tab)
    desk.type("1956")
    desk.key(Qt.Key.Key_Return)
    assert len(sent(mai, stage)) == 1
    assert "Initials and year checked" in banner(mai)
    assert "09:31" in banner(mai)


def test_esc_of_the_question_sends_nothing_and_it_is_asked_again(
    mai: Hands, desk: Desk, stage: Stage
) -> None:
    mai.window.lock()
    desk.sign_in()
    mai.send()
    asked(mai)
    desk.key(Qt.Key.Key_Escape)
    assert question(mai) is None
    assert mai.page_is_there
    assert stage.outbox.counts().held == 0
    mai.send()
    asked(mai)


def test_the_keypad_answers_without_a_keyboard(mai: Hands, desk: Desk, stage: Stage) -> None:
    mai.window.lock()
    desk.sign_in()
    mai.send()
    popover = asked(mai)
    popover.keypad_button.click()
    keys = {
        key.accessibleName(): key for key in popover.keypad.findChildren(Button) if key.isVisible()
    }
    for letter in "NTX":
        keys[letter].click()
    keys["Delete the last one"].click()
    keys["M"].click()
    desk.key(Qt.Key.Key_Tab)
    digits = {key.text(): key for key in popover.keypad.findChildren(Button) if key.isVisible()}
    assert all(key.width() >= 76 and key.height() >= 76 for key in digits.values())
    for digit in "1956":
        digits[digit].click()
    desk.key(Qt.Key.Key_Return)
    assert len(sent(mai, stage)) == 1
