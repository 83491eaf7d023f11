"""The outbox page over a real outbox and a real engine: true words, acts, proof."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from capture_app.clock import FixedClock
from capture_app.errors import RefusedDeliveryError
from capture_app.model.operator import Operator
from capture_app.model.patient import NameGroup, PersonName
from capture_app.model.reason import Reason
from capture_app.outbox.status import Counts
from capture_app.outbox.steps.tasks import claim, open_tasks, settle_untried
from capture_app.store.role import EngineRole
from capture_app.store.sealed import SUFFIX
from capture_app.ui.outbox.proof_popover import ProofPopover
from capture_app.ui.outbox.row_widget import OutboxRowWidget
from capture_app.ui.outbox.rows import OutboxAct, OutboxRow, Section
from capture_app.ui.outbox.viewmodel import (
    OutboxState,
    OutboxTab,
    OutboxViewModel,
    empty_words,
)
from capture_app.ui.shell.app_bar import Place
from capture_app.ui.widgets.buttons import Button
from capture_app.ui.words.marks import Tone
from tests import outboxes
from tests.ui.conftest import Desk
from tests.ui.pools import ends_of
from tests.ui.stage import Stage

MAI, LAYLA, OLE = "0012345678", "0011902114", "0009812204"


@pytest.fixture
def outbox_desk(desk: Desk) -> Desk:
    desk.sign_in()
    desk.content.go(Place.OUTBOX)
    return desk


def viewmodel(desk: Desk) -> OutboxViewModel:
    return desk.content.outbox_vm


def send(stage: Stage, number: str, count: int, operator: Operator, *, now: bool = True) -> None:
    stage.outbox.seal(stage.pictures(number, count, operator), operator, release_now=now)


def rows(desk: Desk, section: Section) -> tuple[OutboxRow, ...]:
    return viewmodel(desk).state.section(section)


def wait_for(desk: Desk, section: Section, state: str) -> OutboxRow:
    def there() -> bool:
        return any(row.state.startswith(state) for row in rows(desk, section))

    desk.qtbot.waitUntil(there)
    return next(row for row in rows(desk, section) if row.state.startswith(state))


@contextmanager
def delivering(stage: Stage) -> Iterator[None]:
    engine = stage.engine()
    engine.start()
    try:
        yield
    finally:
        engine.stop()


def press(desk: Desk, words: str) -> None:
    def buttons() -> list[Button]:
        return [
            button
            for row in desk.window.findChildren(OutboxRowWidget)
            for button in row.findChildren(Button)
            if button.text() == words and button.isVisible()
        ]

    desk.qtbot.waitUntil(lambda: bool(buttons()))  # a new row is shown a moment after it is made
    QTest.mouseClick(buttons()[0], Qt.MouseButton.LeftButton)


def test_a_row_names_the_patient_as_sent(outbox_desk: Desk) -> None:
    stage, operator = outbox_desk.stage, outbox_desk.content.operator
    for name in (PersonName(NameGroup("Tran", "Linh")), PersonName(NameGroup())):
        kept = stage.pictures(MAI, 1, operator)
        patient = replace(stage.outbox.exam_of(kept[0]).patient, name=name)
        stage.outbox.seal(kept, operator, patient=patient, release_now=True)
    outbox_desk.qtbot.waitUntil(
        lambda: (
            {row.name for row in rows(outbox_desk, Section.WAITING)}
            == {"TRAN, Linh", "Name not given"}
        )
    )
    viewmodel(outbox_desk).filter("tran")
    assert [row.name for row in rows(outbox_desk, Section.WAITING)] == ["TRAN, Linh"]


def test_an_empty_outbox_says_so(outbox_desk: Desk, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: outbox_desk.content.outbox.empty_text == "All sent and confirmed.")


def test_an_empty_page_says_nothing_that_is_not_so() -> None:
    def said(tab: OutboxTab, **counts: int) -> str:
        return empty_words(OutboxState(counts=Counts(**counts), tab=tab, loaded=True))

    assert said(OutboxTab.ALL) == said(OutboxTab.WAITING) == "All sent and confirmed."
    assert "2 drafts are not sent yet" in said(OutboxTab.ALL, drafts=2)
    assert said(OutboxTab.NEEDS_YOU, queued=3) == "Nothing needs you."
    assert said(OutboxTab.IT_ASKED, queued=3) == "IT is asked about nothing."
    assert said(OutboxTab.WAITING, needs_you=1) == "Nothing is on its way."


def test_one_send_is_one_row(outbox_desk: Desk) -> None:
    send(outbox_desk.stage, MAI, 3, outbox_desk.content.operator)
    row = wait_for(outbox_desk, Section.WAITING, "Queued.")

    assert row.name == "NGUYỄN, Thị Mai"
    assert "678" in row.digits
    assert row.what == "Left lower leg, front (shin), 3 pictures"
    assert len(row.sop_instance_uids) == 3
    assert len(rows(outbox_desk, Section.WAITING)) == 1


def test_a_delivery_ends_as_confirmed_with_its_proof(outbox_desk: Desk, qtbot: QtBot) -> None:
    send(outbox_desk.stage, MAI, 2, outbox_desk.content.operator)
    with delivering(outbox_desk.stage):
        row = wait_for(outbox_desk, Section.CONFIRMED, "Confirmed")
        qtbot.waitUntil(lambda: rows(outbox_desk, Section.WAITING) == ())
    assert "Pixels read back from" in row.sentence
    press(outbox_desk, "Show proof")
    popover = outbox_desk.window.findChild(ProofPopover)
    assert popover is not None

    proof = viewmodel(outbox_desk).state.proof
    assert proof is not None
    assert len(proof.images) == 2
    assert any(row.sop_instance_uids[0] in line for line in proof.images[0].lines)
    outbox_desk.key(Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: viewmodel(outbox_desk).state.proof is None)


def test_a_listed_picture_is_never_called_confirmed(outbox_desk: Desk) -> None:
    outbox_desk.stage.archive.lists_only = True
    send(outbox_desk.stage, MAI, 1, outbox_desk.content.operator)
    with delivering(outbox_desk.stage):
        row = wait_for(outbox_desk, Section.WAITING, "Listed")

    assert row.acts == (OutboxAct.ASK_NOW,)
    assert rows(outbox_desk, Section.CONFIRMED) == ()


@pytest.mark.expects_log("delivery-needs-you")
def test_a_refusal_needs_a_person_and_send_again_helps(outbox_desk: Desk) -> None:
    operator, stage = outbox_desk.content.operator, outbox_desk.stage
    (capture,) = stage.pictures(LAYLA, 1, operator)
    stage.outbox.seal([capture], operator, release_now=True)
    (status,) = stage.outbox.statuses()
    stage.archive.refuses[status.sop_instance_uid] = RefusedDeliveryError(
        Reason.of("tls", name="St. Anne PACS")
    )
    with delivering(stage):
        row = wait_for(outbox_desk, Section.IT_ASKED, "St. Anne PACS could not be reached safely.")
        assert row.sentence == "Its certificate or ours was not accepted."
        assert row.when == "Code \u2066tls\u2069"
        stage.archive.refuses.clear()
        press(outbox_desk, "Send again")
        wait_for(outbox_desk, Section.CONFIRMED, "Confirmed")


@pytest.mark.expects_log("destination-silent")
def test_an_archive_that_is_away_is_said_with_the_next_try(outbox_desk: Desk) -> None:
    outbox_desk.stage.archive.is_down = True
    send(outbox_desk.stage, LAYLA, 1, outbox_desk.content.operator)
    with delivering(outbox_desk.stage):
        outbox_desk.qtbot.waitUntil(
            lambda: any(row.when for row in rows(outbox_desk, Section.WAITING))
        )
        (row,) = rows(outbox_desk, Section.WAITING)
        assert row.sentence == "pacs did not answer in time."
        assert row.when.startswith("Tries in")
        assert row.acts == (OutboxAct.TRY_NOW, OutboxAct.HOLD), "an attempt has begun"
        outbox_desk.stage.archive.is_down = False
        press(outbox_desk, "Try now")
        wait_for(outbox_desk, Section.CONFIRMED, "Confirmed")


def test_hold_and_release_are_acts_of_a_person(outbox_desk: Desk) -> None:
    send(outbox_desk.stage, OLE, 1, outbox_desk.content.operator)
    wait_for(outbox_desk, Section.WAITING, "Queued.")
    press(outbox_desk, "Hold")
    row = wait_for(outbox_desk, Section.WAITING, "Held.")
    assert row.when == "Until you release it"
    press(outbox_desk, "Release")

    wait_for(outbox_desk, Section.WAITING, "Queued.")


def test_the_moment_of_second_thoughts_is_not_called_a_hold_of_yours(outbox_desk: Desk) -> None:
    send(outbox_desk.stage, OLE, 1, outbox_desk.content.operator, now=False)
    row = wait_for(outbox_desk, Section.WAITING, "Held.")

    assert "goes by itself" in row.sentence


def test_the_filter_finds_by_name_and_digits(outbox_desk: Desk, qtbot: QtBot) -> None:
    operator = outbox_desk.content.operator
    send(outbox_desk.stage, MAI, 1, operator)
    send(outbox_desk.stage, OLE, 1, operator)
    qtbot.waitUntil(lambda: len(viewmodel(outbox_desk).state.rows) == 2)
    outbox_desk.key(Qt.Key.Key_Slash)
    outbox_desk.type("nguyen")
    assert [row.name for row in viewmodel(outbox_desk).state.rows] == ["NGUYỄN, Thị Mai"]
    viewmodel(outbox_desk).filter("204")
    assert [row.name for row in viewmodel(outbox_desk).state.rows] == ["HANSEN, Ole Martin"]
    viewmodel(outbox_desk).filter("")
    viewmodel(outbox_desk).show_tab(OutboxTab.NEEDS_YOU)

    assert viewmodel(outbox_desk).state.rows == ()


def test_the_row_shows_its_picture(outbox_desk: Desk, qtbot: QtBot) -> None:
    send(outbox_desk.stage, MAI, 1, outbox_desk.content.operator)
    wait_for(outbox_desk, Section.WAITING, "Queued.")

    (row,) = outbox_desk.window.findChildren(OutboxRowWidget)
    qtbot.waitUntil(lambda: row.has_picture)


def test_countdowns_move_no_button(outbox_desk: Desk, qtbot: QtBot, clock: FixedClock) -> None:
    send(outbox_desk.stage, MAI, 1, outbox_desk.content.operator)
    wait_for(outbox_desk, Section.WAITING, "Queued.")
    (before,) = outbox_desk.window.findChildren(OutboxRowWidget)
    viewmodel(outbox_desk).read()
    qtbot.wait(150)

    assert outbox_desk.window.findChildren(OutboxRowWidget) == [before]


def test_back_to_draft_brings_the_pictures_back_to_their_patient(
    outbox_desk: Desk, qtbot: QtBot
) -> None:
    stage, operator = outbox_desk.stage, outbox_desk.content.operator
    send(stage, MAI, 2, operator)
    row = wait_for(outbox_desk, Section.WAITING, "Queued.")
    assert row.acts == (OutboxAct.HOLD, OutboxAct.BACK_TO_DRAFT)
    press(outbox_desk, "Back to draft")
    qtbot.waitUntil(lambda: outbox_desk.content.said.what == "2 pictures are drafts again.")
    assert outbox_desk.content.said.todo == "Open the patient to change, delete or send again."
    qtbot.waitUntil(lambda: viewmodel(outbox_desk).state.rows == ())
    (entry,) = stage.census.lookup(MAI)
    patient_key = stage.outbox.spool.patient_key(entry.patient)
    assert len(stage.outbox.drafts(patient_key=patient_key)) == 2


def test_back_to_draft_is_refused_in_words_where_an_attempt_began_meanwhile(
    outbox_desk: Desk, qtbot: QtBot
) -> None:
    stage = outbox_desk.stage
    send(stage, MAI, 1, outbox_desk.content.operator)
    row = wait_for(outbox_desk, Section.WAITING, "Queued.")
    claim(stage.outbox.spool, open_tasks(stage.outbox.spool))
    viewmodel(outbox_desk).act(row, OutboxAct.BACK_TO_DRAFT)
    qtbot.waitUntil(lambda: outbox_desk.content.said.what == "Not a draft again.")
    assert "Sending of 1 picture has begun" in outbox_desk.content.said.todo
    qtbot.waitUntil(
        lambda: [row.acts for row in viewmodel(outbox_desk).state.rows] == [(OutboxAct.HOLD,)]
    )
    assert stage.outbox.drafts() == ()


def test_an_act_on_a_row_that_stands_otherwise_by_now_is_refused_and_read_again(
    outbox_desk: Desk, qtbot: QtBot, clock: FixedClock
) -> None:
    stage, operator = outbox_desk.stage, outbox_desk.content.operator
    send(stage, MAI, 2, operator)
    row = wait_for(outbox_desk, Section.WAITING, "Queued.")
    other = outboxes.open_outbox(stage.folder, clock)  # nobody tells this window of what it does
    other.hold(row.sop_instance_uids, operator)
    viewmodel(outbox_desk).act(row, OutboxAct.BACK_TO_DRAFT)
    qtbot.waitUntil(lambda: outbox_desk.content.said.what == "Not a draft again.")
    assert "stand otherwise by now" in outbox_desk.content.said.todo
    wait_for(outbox_desk, Section.WAITING, "Held.")
    assert stage.outbox.drafts() == ()
    outboxes.close(other)


def test_hold_says_what_was_on_its_way_already(outbox_desk: Desk, qtbot: QtBot) -> None:
    stage, operator = outbox_desk.stage, outbox_desk.content.operator
    send(stage, MAI, 3, operator)
    row = wait_for(outbox_desk, Section.WAITING, "Queued.")
    claim(stage.outbox.spool, open_tasks(stage.outbox.spool)[:1])
    viewmodel(outbox_desk).act(row, OutboxAct.HOLD)
    qtbot.waitUntil(lambda: outbox_desk.content.said.what == "2 pictures are held.")
    assert outbox_desk.content.said.todo == "1 is on its way already."


def test_only_those_that_were_never_tried_are_offered_as_drafts(
    outbox_desk: Desk, qtbot: QtBot
) -> None:
    stage, operator = outbox_desk.stage, outbox_desk.content.operator
    send(stage, MAI, 3, operator)
    wait_for(outbox_desk, Section.WAITING, "Queued.")
    (task,) = claim(stage.outbox.spool, open_tasks(stage.outbox.spool)[:1])
    settle_untried(stage.outbox.spool, task, reached_nobody=False)
    stage.outbox.tell_changes()
    press(outbox_desk, "Back to draft (2)")
    qtbot.waitUntil(lambda: outbox_desk.content.said.what == "2 pictures are drafts again.")
    left = [(task.sop_instance_uid,)]
    qtbot.waitUntil(
        lambda: [r.sop_instance_uids for r in rows(outbox_desk, Section.WAITING)] == left
    )


def test_what_is_held_is_not_called_queued_beside_what_is(outbox_desk: Desk) -> None:
    stage, operator = outbox_desk.stage, outbox_desk.content.operator
    send(stage, MAI, 2, operator)
    row = wait_for(outbox_desk, Section.WAITING, "Queued.")
    stage.outbox.hold(row.sop_instance_uids[:1], operator)
    held = wait_for(outbox_desk, Section.WAITING, "Held.")
    queued = wait_for(outbox_desk, Section.WAITING, "Queued.")
    assert held.sop_instance_uids == row.sop_instance_uids[:1]
    assert queued.sop_instance_uids == row.sop_instance_uids[1:]


@pytest.mark.expects_log("delivery-needs-you")
def test_what_a_clinician_can_solve_needs_you_and_the_rest_asks_it(
    outbox_desk: Desk, qtbot: QtBot
) -> None:
    stage, operator = outbox_desk.stage, outbox_desk.content.operator
    send(stage, LAYLA, 1, operator)
    send(stage, OLE, 1, operator)
    layla, ole = (
        next(s for s in stage.outbox.statuses() if s.sop_instance_uid == task.sop_instance_uid)
        for task in open_tasks(stage.outbox.spool)
    )
    name = "St. Anne. PACS"
    stage.archive.refuses = {
        layla.sop_instance_uid: RefusedDeliveryError(Reason.of("identity-mismatch", name=name)),
        ole.sop_instance_uid: RefusedDeliveryError(Reason.of("status-0124", name=name)),
    }
    with delivering(stage):
        yours = wait_for(
            outbox_desk, Section.NEEDS_YOU, f"{name} holds this image under another patient."
        )
        theirs = wait_for(
            outbox_desk, Section.IT_ASKED, f"{name} does not allow this station to store"
        )
    assert yours.when == "Waits for you"
    assert "status-0124" in theirs.when
    strip = outbox_desk.window.status
    qtbot.waitUntil(
        lambda: strip.state.outbox.words == "Outbox: 0 waiting, 1 needs you, IT is asked about 1"
    )
    viewmodel(outbox_desk).show_tab(OutboxTab.IT_ASKED)
    assert [row.name for row in viewmodel(outbox_desk).state.rows] == [theirs.name]


@pytest.mark.expects_log("exam-row-unreadable")
def test_an_exam_that_cannot_be_read_takes_no_other_row_away(outbox_desk: Desk) -> None:
    stage, operator = outbox_desk.stage, outbox_desk.content.operator
    send(stage, MAI, 1, operator)
    send(stage, OLE, 1, operator)
    lost = stage.outbox.statuses()[0]
    for path in stage.folder.rglob("*.sealed"):
        path.unlink()
    with stage.outbox.spool.database.transaction() as connection:
        connection.execute("UPDATE exam SET sealed = x'00' WHERE exam_id = ?", (lost.exam_id,))
        connection.execute(
            "UPDATE instance SET sealed = x'00' WHERE capture_id = ?", (lost.capture_id,)
        )
    stage.outbox.tell_changes()
    outbox_desk.qtbot.waitUntil(
        lambda: "The patient cannot be read" in {r.name for r in viewmodel(outbox_desk).state.rows}
    )
    assert len(viewmodel(outbox_desk).state.rows) == 2
    viewmodel(outbox_desk).filter("ole")
    names = {row.name for row in viewmodel(outbox_desk).state.rows}
    assert "The patient cannot be read" not in names
    asked = ends_of(outbox_desk.window)  # for the pictures, which are lost
    outbox_desk.qtbot.waitUntil(lambda: all(one.done() for one in asked))


def test_another_process_is_followed_without_the_engine_role(
    outbox_desk: Desk, clock: FixedClock
) -> None:
    stage = outbox_desk.stage
    role = EngineRole(stage.folder / "engine.lock")
    assert role.try_acquire()
    other = outboxes.open_outbox(stage.folder, clock)
    with delivering(stage):
        exam = outboxes.begin(other, clock)
        other.seal([outboxes.keep(other, exam)], outbox_desk.content.operator, release_now=True)
        row = wait_for(outbox_desk, Section.WAITING, "Queued.")
        other.hold(row.sop_instance_uids, outbox_desk.content.operator)
        wait_for(outbox_desk, Section.WAITING, "Held.")
        outbox_desk.qtbot.waitUntil(lambda: outbox_desk.window.status.state.waiting == 1)
    outboxes.close(other)
    role.release()


@pytest.mark.expects_log("delivery-needs-you")
def test_a_refusal_is_an_answer_of_the_archive(outbox_desk: Desk, qtbot: QtBot) -> None:
    stage, operator = outbox_desk.stage, outbox_desk.content.operator
    sealed = stage.outbox.seal(stage.pictures(MAI, 1, operator), operator)
    (status,) = stage.outbox.statuses()
    assert status.capture_id in sealed.capture_ids
    refusal = RefusedDeliveryError(Reason.of("status-A900", name="PACS"))
    stage.archive.refuses[status.sop_instance_uid] = refusal
    stage.outbox.release([status.sop_instance_uid], operator)
    strip = outbox_desk.window.status
    with delivering(stage):
        qtbot.waitUntil(lambda: strip.state.archive.words == "Archive has taken nothing yet")


@pytest.mark.expects_log("stray-file-unreadable")
def test_the_strip_says_that_a_file_without_a_row_cannot_be_read(
    outbox_desk: Desk, qtbot: QtBot
) -> None:
    junk = outbox_desk.stage.outbox.spool.captures / f"lost{SUFFIX}"
    junk.write_bytes(b"not a sealed file")
    with delivering(outbox_desk.stage):
        qtbot.waitUntil(
            lambda: (
                "1 file cannot be read: IT is asked" in outbox_desk.window.status.state.outbox.words
            )
        )
    assert outbox_desk.window.status.state.outbox.tone is Tone.WARN
    assert junk.exists()


def test_the_strip_says_what_was_seen_of_the_archive(outbox_desk: Desk, qtbot: QtBot) -> None:
    strip = outbox_desk.window.status
    stage, operator = outbox_desk.stage, outbox_desk.content.operator
    qtbot.waitUntil(lambda: strip.state.archive.words == "Archive not asked yet")
    send(stage, MAI, 1, operator)
    with delivering(stage):
        qtbot.waitUntil(
            lambda: strip.state.archive.words.startswith("Archive answered"), timeout=10_000
        )
