"""A card with pictures of two patients, real files and codes, through to drafts and deletion."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from capture_app.audit.trail import read_trail
from capture_app.clock import FixedClock
from capture_app.devices.card import card_files
from capture_app.errors import (
    ChangedSinceSeenError,
    DeviceError,
    ImageError,
    PartlyKeptError,
    RuleError,
)
from capture_app.exam.card_sorting import Group, SeenFile, Why, sort_card
from capture_app.exam.cards import Cards, code_of
from capture_app.exam.importing import picture_of_file
from capture_app.exam.session import ExamService, Stopped
from capture_app.imaging import surgery
from capture_app.model.audit_event import AuditAction
from capture_app.model.delivery import ImageState
from capture_app.model.device import DeviceInfo, DeviceKind
from capture_app.model.exam import Exam
from capture_app.model.operator import Operator, Role
from capture_app.model.patient import NameGroup, PatientId, PersonName
from capture_app.model.slate import KNOWN_FOR, Slate, SlateCode
from capture_app.model.worklist import FeedSource, IdentifiedBy, PatientListEntry
from capture_app.outbox.keeping.slates import forget_slates
from capture_app.outbox.outbox import Outbox
from capture_app.patients.finding.scan import ScannedCode, ScannedNumber, ScanRules, Unread
from capture_app.settings.scanning import Alphabet, ScanPattern, Suffix
from tests import outboxes, sealing
from tests.cards import CameraCard, picture
from tests.outboxes import DirectoryArchive
from tests.unit.exam.examining import FEED, entry
from tests.waiting import Eventually

DSLR = DeviceInfo("dslr", "DSLR", DeviceKind.FILE)
DOE = replace(
    sealing.MAI,
    patient_id=PatientId("77", "ST_ANNE", "1.2.276.0.76.3.1", "ISO", "MR"),
    name=PersonName(NameGroup("Doe", "Jo")),
)


@dataclass
class Desk:
    """Somebody with a camera, its card, and this station."""

    cards: Cards
    outbox: Outbox
    clock: FixedClock
    card: CameraCard

    def begin(self, **changes: object) -> Exam:
        return outboxes.begin(self.outbox, self.clock, **changes)

    def show(self, exam: Exam) -> Slate:
        """On the screen, and before the camera."""
        slate = self.cards.show(exam, sealing.NURSE)
        self.photograph(slate)
        return slate

    def photograph(self, slate: Slate, *, closes: bool = False) -> None:
        self.clock.advance(5)
        self.card.now = self.clock.now() - timedelta(seconds=5)
        self.card.shoot(code_of(slate, self.clock.now(), closes=closes))

    def shoot(self, count: int) -> None:
        self.card.shots(count)
        self.clock.advance(5 * count)

    def read(self) -> tuple[SeenFile, ...]:
        return tuple(self.cards.read(file) for file in card_files(self.card.folder))

    def groups(self) -> tuple[Group, ...]:
        files = self.read()
        return sort_card(files, self.cards.slates_of(files), self.clock.now())

    def keep(self, group: Group, slate: Slate | None = None) -> tuple[str, ...]:
        whose = slate or group.slate
        assert whose is not None
        shown = self.cards.patient_of(whose)
        return self.cards.keep(group, whose, shown=shown, operator=sealing.NURSE, device=DSLR)

    def actions(self) -> list[AuditAction]:
        return [row.event.action for row in read_trail(self.outbox.spool.database.read())]


@pytest.fixture
def desk(outbox: Outbox, clock: FixedClock, tmp_path: Path) -> Desk:
    cards = Cards(outbox, sealing.catalog(), clock, sealing.STATION, FEED.get_now, surgery)
    return Desk(cards, outbox, clock, CameraCard(tmp_path / "card", clock.now()))


def test_each_picture_becomes_a_draft_of_the_patient_of_its_slate(
    desk: Desk, clock: FixedClock
) -> None:
    entry(clock)
    mai = desk.show(desk.begin())
    desk.shoot(2)
    doe = desk.show(desk.begin(patient=DOE))
    desk.shoot(1)
    of_mai, of_doe = desk.groups()
    assert (of_mai.slate, of_doe.slate) == (mai, doe)
    ids = desk.keep(of_mai)
    assert len(ids) == 2
    (last,) = desk.keep(of_doe)
    exam = desk.outbox.exam_of(ids[0])
    assert exam.patient == sealing.MAI
    assert exam.encounter == sealing.VISIT
    assert exam.identified_by is IdentifiedBy.SLATE
    assert desk.outbox.exam_of(last).patient == DOE
    drafts = {draft.capture_id: draft for draft in desk.outbox.drafts()}
    assert set(drafts) == {*ids, last}
    taken = [drafts[one].taken_at for one in ids]
    assert taken[1] - taken[0] == timedelta(seconds=5)
    assert desk.actions().count(AuditAction.IMPORTED) == 3
    assert desk.actions().count(AuditAction.SLATE_MADE) == 2


def test_a_wrong_clock_of_the_camera_is_put_right_by_the_slate(
    desk: Desk, clock: FixedClock
) -> None:
    desk.card.clock_off = timedelta(days=-4000, minutes=7)
    slate = desk.show(desk.begin())
    shown_at = clock.now()
    desk.shoot(1)
    (group,) = desk.groups()
    assert group.slate == slate
    (capture_id,) = desk.keep(group)
    (draft,) = desk.outbox.drafts()
    assert draft.capture_id == capture_id
    assert abs(draft.taken_at - (shown_at + timedelta(seconds=5))) <= timedelta(seconds=1)


def test_nothing_that_is_nobodys_can_be_kept(desk: Desk) -> None:
    slate = desk.cards.show(desk.begin(), sealing.NURSE)
    desk.shoot(2)
    (group,) = desk.groups()
    assert (group.slate, group.why) == (None, Why.NO_SLATE)
    with pytest.raises(RuleError, match="nobody's"):
        desk.keep(group, slate)
    assert desk.outbox.drafts() == ()


def test_what_was_offered_is_kept_where_a_person_says_so(desk: Desk) -> None:
    slate = desk.show(desk.begin())
    desk.shoot(1)
    desk.card.now += timedelta(minutes=4)
    desk.clock.advance(240)
    desk.shoot(1)
    _, late = desk.groups()
    assert (late.slate, late.why, late.offered) == (None, Why.GAP, slate)
    assert len(desk.keep(late, slate)) == 1


def test_a_file_is_kept_once_and_is_new_again_when_its_draft_is_deleted(desk: Desk) -> None:
    slate = desk.show(desk.begin())
    desk.shoot(2)
    (group,) = desk.groups()
    first, _ = desk.keep(group)
    with pytest.raises(RuleError, match="kept already"):
        desk.keep(group)
    assert {one.state for one in desk.cards.kept(group.files).values()} == {ImageState.DRAFT}
    desk.outbox.delete([first], sealing.NURSE)
    assert len(desk.cards.kept(group.files)) == 1
    assert len(desk.keep(group)) == 1
    assert group.slate == slate


def test_a_file_that_changed_since_it_was_shown_is_not_kept(desk: Desk) -> None:
    desk.show(desk.begin())
    desk.shoot(1)
    (group,) = desk.groups()
    path = group.files[0].file.path
    path.write_bytes(path.read_bytes() + b"\x00")
    with pytest.raises(ChangedSinceSeenError, match="has changed"):
        desk.keep(group)
    assert desk.outbox.drafts() == ()


def test_a_card_that_is_pulled_out_leaves_whole_pictures_and_says_how_many(
    desk: Desk, tmp_path: Path
) -> None:
    desk.show(desk.begin())
    desk.shoot(3)
    (group,) = desk.groups()
    away = tmp_path / "pocket"

    def pull(_: str) -> None:
        shutil.move(desk.card.folder, away)

    assert group.slate is not None
    with pytest.raises(PartlyKeptError, match=r"1 of 3 pictures are safe.*The card was pulled out"):
        desk.cards.keep(
            group,
            group.slate,
            shown=sealing.MAI,
            operator=sealing.NURSE,
            device=DSLR,
            on_safe=pull,
        )
    (draft,) = desk.outbox.drafts()
    assert desk.outbox.image_of(draft.capture_id).rows == 480
    with pytest.raises(DeviceError, match="pulled out"):
        desk.keep(group)
    shutil.move(away, desk.card.folder)
    assert len(desk.keep(group)) == 2
    assert len(desk.outbox.drafts()) == 3


def test_a_group_is_not_kept_for_somebody_whom_the_feed_calls_another_by_now(
    desk: Desk, clock: FixedClock
) -> None:
    slate = desk.show(desk.begin())
    desk.shoot(1)
    (group,) = desk.groups()
    entry(clock, patient=replace(DOE, patient_id=sealing.MAI.patient_id, birth_date=None))
    with pytest.raises(RuleError, match="changed who this is"):
        desk.cards.keep(group, slate, shown=sealing.MAI, operator=sealing.NURSE, device=DSLR)
    assert desk.outbox.drafts() == ()


def test_who_takes_no_pictures_makes_no_slates_and_keeps_nothing(desk: Desk) -> None:
    auditor = Operator("eve", "Eve", (Role.AUDIT,))
    exam = desk.begin()
    with pytest.raises(RuleError):
        desk.cards.show(exam, auditor)
    with pytest.raises(RuleError):
        desk.cards.print([], auditor)
    slate = desk.show(exam)
    desk.shoot(1)
    (group,) = desk.groups()
    with pytest.raises(RuleError):
        desk.cards.keep(group, slate, shown=sealing.MAI, operator=auditor, device=DSLR)
    with pytest.raises(RuleError):
        desk.cards.remove(group.files, auditor)


def test_a_slate_is_forgotten_after_a_week_and_holds_nobody_in_clear(
    desk: Desk, clock: FixedClock, tmp_path: Path
) -> None:
    slate = desk.show(desk.begin())
    desk.shoot(1)
    rows = desk.outbox.spool.database.read().execute("SELECT * FROM slate").fetchall()
    assert "Nguy" not in str(rows)
    assert "0012345678" not in str(rows)
    assert forget_slates(desk.outbox.spool) == 0
    (group,) = desk.groups()
    clock.advance(KNOWN_FOR.total_seconds() + 1)
    assert desk.cards.slates_of(desk.read()) == {}
    with pytest.raises(RuleError, match="not known any more"):
        desk.keep(group, slate)
    assert forget_slates(desk.outbox.spool) == 1


@pytest.mark.expects_log("slate-row-unreadable")
def test_a_damaged_slate_names_nobody_and_the_others_go_on(desk: Desk) -> None:
    bad = desk.show(desk.begin())
    desk.shoot(1)
    good = desk.show(desk.begin(patient=DOE))
    desk.shoot(1)
    with desk.outbox.spool.database.transaction() as connection:
        connection.execute("UPDATE slate SET sealed = x'00' WHERE token = ?", (bad.token,))
    first, second = desk.groups()
    assert (first.slate, first.why) == (None, Why.UNKNOWN_SLATE)
    assert second.slate == good


def test_printed_slates_are_for_whom_has_a_number_of_their_own(
    desk: Desk, clock: FixedClock
) -> None:
    row = PatientListEntry(sealing.MAI, sealing.VISIT, (), FeedSource.ADT, clock.now())
    nobody = replace(row, patient=replace(sealing.MAI, patient_id=PatientId("", "", "", "", "")))
    (slate,) = desk.cards.print([row, nobody], sealing.NURSE)
    assert slate.is_printed
    desk.photograph(slate)
    desk.shoot(1)
    (group,) = desk.groups()
    assert (group.slate, group.clock_off) == (slate, None)


def test_drafts_of_a_card_go_through_the_one_gate(
    desk: Desk, clock: FixedClock, exams: ExamService
) -> None:
    entry(clock)
    desk.show(desk.begin())
    desk.shoot(1)
    (group,) = desk.groups()
    (capture_id,) = desk.keep(group)
    exam = desk.outbox.exam_of(capture_id)
    said = desk.outbox.description_of(capture_id)
    stopped = exams.send(exam, {capture_id: said}, sealing.NURSE, shown=sealing.MAI)
    assert isinstance(stopped, Stopped)
    exams.describe({capture_id: said}, sealing.description(), sealing.NURSE)
    seen = {capture_id: desk.outbox.description_of(capture_id)}
    sent = exams.send(exam, seen, sealing.NURSE, shown=sealing.MAI)
    assert not isinstance(sent, Stopped)


def test_a_copy_of_a_picture_is_the_same_picture(desk: Desk) -> None:
    desk.show(desk.begin())
    desk.shoot(1)
    original = desk.card.files[-1]
    shutil.copy(original, original.with_suffix(".JPEG"))
    (group,) = desk.groups()
    assert len(group.files) == 2
    assert len(desk.keep(group)) == 1


def test_a_time_that_the_camera_does_not_say_is_not_made_up(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    slate = desk.show(desk.begin())
    desk.shoot(1)
    timeless = desk.card.path.with_name("IMG_0003.JPG")
    timeless.write_bytes(picture(77, None))
    _, late = desk.groups()
    assert (late.why, late.offered, late.clock_off) == (Why.NO_TIME, slate, timedelta())
    told: list[bool] = []
    real = Outbox.keep

    def keep(self: Outbox, *args: Any, **options: Any) -> str:
        told.append(options["is_time_known"])
        return real(self, *args, **options)

    monkeypatch.setattr(Outbox, "keep", keep)
    desk.keep(late, slate)
    assert told == [False]


def test_what_the_command_imported_is_known_on_the_card(
    desk: Desk, clock: FixedClock, exams: ExamService
) -> None:
    desk.show(desk.begin())
    desk.shoot(1)
    (group,) = desk.groups()
    exam = exams.open(entry(clock), sealing.NURSE, IdentifiedBy.COMMAND_AND_SECOND_IDENTIFIER)
    read = picture_of_file(group.files[0].file.path, surgery, now=clock.now())
    exams.keep(exam, read, device=DSLR)
    assert set(desk.cards.kept(group.files)) == {group.files[0].digest}


def test_a_slate_opens_nobody_as_a_scan() -> None:
    code = ScannedCode(SlateCode("A" * 26, sealing.STARTED_AT).text, Suffix.ENTER)
    number = ScanRules((), "ST_ANNE").read(code)
    assert isinstance(number, ScannedNumber)
    assert not number.is_of(sealing.MAI.patient_id)
    digits = ScanPattern(name="band", alphabet=Alphabet.DIGITS)
    assert ScanRules((digits,), "ST_ANNE").read(code) is Unread.NO_PATTERN


# -------------------------------------------------------------------------------------- deletion


def deliver(desk: Desk, ids: Sequence[str], folder: Path, eventually: Eventually) -> None:
    desk.outbox.seal(list(ids), sealing.NURSE, release_now=True)
    engine = outboxes.open_engine(desk.outbox, folder, desk.clock, DirectoryArchive(folder / "a"))
    engine.start()
    eventually(lambda: not desk.outbox.counts().waiting)
    assert engine.stop()


def removable(desk: Desk, group: Group) -> Mapping[str, bool]:
    return {one.capture_id: one.may_be_removed for one in desk.cards.kept(group.files).values()}


def test_files_are_removed_from_the_card_only_when_confirmed(
    desk: Desk, tmp_path: Path, eventually: Eventually
) -> None:
    desk.show(desk.begin())
    desk.shoot(2)
    (group,) = desk.groups()
    ids = desk.keep(group)
    desk.outbox.describe(ids, sealing.description(), sealing.NURSE)
    assert desk.cards.remove(group.files, sealing.NURSE) == (0, group.files)
    deliver(desk, ids[:1], tmp_path, eventually)
    assert removable(desk, group) == {ids[0]: True, ids[1]: False}
    assert desk.cards.remove(group.files, sealing.NURSE) == (1, group.files[1:])
    assert not group.files[0].file.path.exists()
    assert group.files[1].file.path.exists()
    assert desk.actions().count(AuditAction.FILE_REMOVED) == 1


def test_a_file_that_is_not_what_was_kept_stays(
    desk: Desk, tmp_path: Path, eventually: Eventually
) -> None:
    desk.show(desk.begin())
    desk.shoot(1)
    (group,) = desk.groups()
    ids = desk.keep(group)
    desk.outbox.describe(ids, sealing.description(), sealing.NURSE)
    deliver(desk, ids, tmp_path, eventually)
    path = group.files[0].file.path
    path.write_bytes(b"another picture under the same name")
    assert desk.cards.remove(group.files, sealing.NURSE) == (0, group.files)
    assert path.exists()


def test_a_set_with_a_picture_for_safeguarding_stays_on_the_card(
    desk: Desk, tmp_path: Path, eventually: Eventually
) -> None:
    desk.show(desk.begin())
    desk.shoot(2)
    (group,) = desk.groups()
    ids = desk.keep(group)
    said = sealing.description()
    (forensic,) = (one for one in sealing.catalog().purposes if one.choice_id == "forensic")
    desk.outbox.describe(ids[:1], replace(said, purpose=forensic), sealing.NURSE)
    desk.outbox.describe(ids[1:], said, sealing.NURSE)
    deliver(desk, ids, tmp_path, eventually)
    assert removable(desk, group) == dict.fromkeys(ids, False)
    assert desk.cards.remove(group.files, sealing.NURSE) == (0, group.files)


def test_what_a_set_is_for_is_not_guessed(
    desk: Desk, tmp_path: Path, eventually: Eventually
) -> None:
    desk.show(desk.begin())
    desk.shoot(2)
    (group,) = desk.groups()
    ids = desk.keep(group)
    desk.outbox.describe(ids[:1], sealing.description(), sealing.NURSE)
    deliver(desk, ids[:1], tmp_path, eventually)  # the other one says nothing yet
    assert removable(desk, group) == {ids[0]: False, ids[1]: False}


def test_a_picture_that_cannot_be_kept_is_named_and_breaks_the_row(desk: Desk) -> None:
    desk.show(desk.begin())
    desk.shoot(1)
    desk.card.shoot().write_bytes(b"\xff\xd8 half a picture")
    desk.shoot(1)
    faults = [seen for seen in desk.read() if seen.fault]
    assert [seen.fault.startswith("IMG_0003.JPG: ") for seen in faults] == [True]
    good, after = desk.groups()
    assert good.slate is not None
    assert (after.slate, after.why) == (None, Why.UNREADABLE)
    with pytest.raises((RuleError, ImageError)):
        desk.cards.look_at(faults[0])
