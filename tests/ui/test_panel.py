"""The panels and the pictures never disagree unnoticed: what the archive got is what was shown."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pydicom
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from capture_app.audit.trail import read_trail
from capture_app.clock import FixedClock
from capture_app.model.audit_event import AuditAction
from capture_app.model.procedure import Side
from capture_app.ui.widgets.buttons import Button
from capture_app.ui.words.shown import Thumb
from capture_app.ui.workspace.state import SendStop
from tests.ui.conftest import Desk
from tests.ui.hands import ALT, CONTROL, Hands, at_work, clinic
from tests.ui.stage import Stage

MAI, MINH = "0012345678", "0012354687"

SHIN = ("SCT", "25763004")

PRESSURE, ULCER, FOOT = "WND-PRESSURE", "WND-LEG-ULCER", "WND-DFU"


@pytest.fixture
def stage(tmp_path: Path, clock: FixedClock) -> Iterator[Stage]:
    with clinic(tmp_path / "station", clock) as opened:
        yield opened


@pytest.fixture
def hands(desk: Desk, stage: Stage, qtbot: QtBot, clock: FixedClock) -> Iterator[Hands]:
    desk.sign_in()
    with at_work(desk.window, stage, qtbot, clock) as hands:
        yield hands


@pytest.fixture
def mai(hands: Hands) -> Hands:
    hands.scan(MAI)
    return hands


def act(hands: Hands, word: str) -> None:
    """One act of a script: a key, a tap on the map, a shot, a click on a picture."""
    kind, _, rest = word.partition(" ")
    keys = {
        "right": (Qt.Key.Key_R, ALT),
        "left": (Qt.Key.Key_L, ALT),
        "midline": (Qt.Key.Key_M, ALT),
        "undo": (Qt.Key.Key_Z, CONTROL),
    }
    if kind == "shoot":
        hands.pedal()
    elif kind == "key":
        hands.key(Qt.Key(Qt.Key.Key_0 + int(rest)))
    elif kind == "tap":
        hands.tap(rest)
    elif kind == "select":  # and again: selects none
        hands.click(hands.page.filmstrip.buttons[int(rest) - 1])
    elif kind == "site":
        hands.page.viewmodel.describing.choose_region("SCT", rest)
    else:
        hands.key(*keys[kind])


def plays(hands: Hands, script: str) -> None:
    for word in script.split(", "):
        act(hands, word)


def said(thumbs: Sequence[Thumb]) -> list[tuple[str, str]]:
    """What each thumbnail says: procedure, and site with its side."""
    return [(thumb.procedure, thumb.site) for thumb in thumbs]


def settled(hands: Hands) -> None:
    hands.qtbot.waitUntil(
        lambda: not any(thumb.is_draft for thumb in hands.state.thumbs), timeout=10_000
    )


def in_archive(hands: Hands) -> list[pydicom.Dataset]:
    """What the archive has, in the order in which it was taken."""
    hands.clock.advance(11)  # the seconds in which it could be undone
    engine = hands.stage.engine()
    engine.start()
    try:
        hands.qtbot.waitUntil(lambda: not hands.stage.outbox.counts().waiting, timeout=10_000)
    finally:
        engine.stop()
    found = [pydicom.dcmread(path) for path in hands.stage.archive.folder.iterdir()]
    return sorted(found, key=lambda ds: str(ds.SOPInstanceUID))


@dataclass(frozen=True)
class Script:
    acts: str
    sides: str
    """The side of each picture in the archive, in the order in which it was taken."""
    stops: bool = False
    answer: str = ""
    """What is answered to a stop: change or keep."""
    procedures: str = ""
    """The key of each picture's procedure, where the script uses more than one."""


SCRIPTS = {
    "shot, coded, other side, send: stops, kept": Script(
        "shoot, key 2, tap front.shin.R, tap front.shin.L", "R", stops=True, answer="keep"
    ),
    "shot, coded, other side, send: stops, changed": Script(
        "shoot, key 2, tap front.shin.R, tap front.shin.L", "L", stops=True, answer="change"
    ),
    "right shot, left chosen, left shot": Script(
        "key 2, tap front.shin.R, shoot, tap front.shin.L, shoot", "RL"
    ),
    "by keys alone": Script("key 2, tap front.shin.R, shoot, left, shoot, shoot", "RLL"),
    "other side and back": Script("key 2, tap front.shin.R, shoot, left, right", "R"),
    "the same side again": Script("key 2, tap front.shin.R, shoot, right", "R"),
    "chosen after the shot": Script("shoot, shoot, key 2, tap front.shin.L", "LL"),
    "side after site": Script("shoot, key 2, site 25763004, left, shoot", "LL"),
    "one of three selected": Script(
        "key 2, tap front.shin.R, shoot, shoot, shoot, select 2, left, select 2", "RLR"
    ),
    "looked at an older one": Script(
        "key 2, tap front.shin.R, shoot, tap front.shin.L, shoot, select 1, select 1, shoot", "RLL"
    ),
    "shot while one is selected gets what is shown": Script(
        "key 2, tap front.shin.R, shoot, tap front.shin.L, shoot, select 1, shoot", "RLR"
    ),
    "other side undone": Script("key 2, tap front.shin.R, shoot, left, undo", "R"),
    "other side for selected, undone": Script(
        "key 2, tap front.shin.R, shoot, shoot, select 1, left, undo, select 1", "RR"
    ),
    "two sites, the newest stays": Script(
        "key 2, tap front.shin.R, shoot, tap front.forearm.L, tap front.shin.L, shoot, right",
        "RL",
        stops=True,
        answer="keep",
    ),
    "only the pictures that say the same are changed": Script(
        "key 2, tap front.shin.R, shoot, shoot, tap back.calf.L, shoot, right",
        "RRR",
        stops=True,
        answer="change",
    ),
    "a wrong digit and the right one": Script(
        "key 2, tap front.shin.R, shoot, key 3, key 2, shoot", "RR"
    ),
    "another act is not for the last picture": Script(
        "key 1, tap front.shin.R, shoot, key 2", "R", stops=True, answer="keep", procedures="1"
    ),
    "another act is for the last picture, too": Script(
        "key 1, tap front.shin.R, shoot, key 2", "R", stops=True, answer="change", procedures="2"
    ),
    "asked again is an answer": Script(
        "shoot, key 2, tap front.shin.R, tap front.shin.L", "R", stops=True, answer="send"
    ),
}


@pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS.keys())
def test_the_archive_gets_what_the_window_showed(script: Script, mai: Hands) -> None:
    plays(mai, script.acts)
    mai.send()
    if script.stops:
        assert mai.stage.outbox.counts().held == 0
        message = mai.page.toast.message
        assert message.stop
        assert message.what == "Not sent yet. Which holds? Either answer sends."
        assert message.todo.startswith("The panel says ")
        assert (message.act[:6], message.other_act) == ("Change", "Keep")
        answer = {
            "change": mai.page.toast.acted.emit,
            "keep": mai.page.toast.other_acted.emit,
            "send": mai.send,
        }
        mai.clock.advance(1)  # it was read
        answer[script.answer]()
    shown = said(mai.state.thumbs)
    settled(mai)
    assert said(mai.state.thumbs) == shown
    sides = {"Right": "R", "Left": "L"}
    assert [sides[site.split()[0]] for _, site in shown] == list(script.sides)
    found = in_archive(mai)
    assert [ds.ImageLaterality for ds in found] == list(script.sides)
    acts = script.procedures or "2" * len(script.sides)
    names = {"1": PRESSURE, "2": ULCER}
    catalog = mai.stage.services.catalog
    for ds, key, (procedure, _) in zip(found, acts, shown, strict=True):
        entry = catalog.procedure(names[key])
        assert entry is not None
        assert procedure == entry.display_name
        (protocol,) = ds.PerformedProtocolCodeSequence
        assert protocol.CodeValue == entry.entry_id


def test_four_sites_in_eight_shots_stop_nothing_and_relabel_nothing(mai: Hands) -> None:
    sites = []
    mai.key(Qt.Key.Key_1)
    for act_of_site in (
        "tap back.sacrum, midline",
        "tap back.heel.L",
        "tap front.shin.R",
        "tap front.shin.L",
    ):
        plays(mai, f"{act_of_site}, shoot, shoot")
        sites += [mai.state.thumbs[-1].site] * 2
    assert [thumb.site for thumb in mai.state.thumbs] == sites
    assert len(set(sites)) == 4
    mai.send()
    settled(mai)
    assert [thumb.site for thumb in mai.state.thumbs] == sites
    assert len(in_archive(mai)) == 8


# --------------------------------------------------------------------------- what the panels say


def test_the_panel_says_what_is_next_and_what_stays(mai: Hands) -> None:
    plays(mai, "key 2, tap front.shin.R, shoot, shoot, shoot")
    assert mai.page.shutter.next.words.startswith("Next: Right")
    act(mai, "left")
    assert mai.state.next_picture.words == "Next: Left; 3 kept: Right"
    assert mai.state.message is not None
    assert mai.state.message.todo == "3 pictures stay as they are."
    act(mai, "right")
    assert mai.state.next_picture.words.startswith("Next: Right")
    act(mai, "key 1")
    assert mai.state.next_picture.words == (
        "Next: Pressure ulcer (pressure injury); 3 kept: Leg ulcer (venous, arterial or mixed)"
    )


def test_a_stop_leads_to_its_answer_and_a_new_choice_asks_anew(mai: Hands) -> None:
    plays(mai, "key 2, tap front.shin.R, shoot, shoot, left")
    mai.send()
    stop = mai.page.toast.message
    assert stop.todo == "The panel says Left, 2 pictures say Right."
    assert stop.act == "Change these 2"
    answer = mai.window.focusWidget()
    assert isinstance(answer, Button)
    assert answer.text() == "Change these 2"
    act(mai, "tap back.calf.L")
    assert not mai.page.toast.message.stop
    mai.send()
    assert mai.page.toast.message.stop
    act(mai, "shoot")  # that is what it was for
    mai.send()
    settled(mai)
    assert [ds.ImageLaterality for ds in in_archive(mai)] == ["R", "R", "L"]


def test_a_double_click_on_send_is_no_answer_to_what_it_asks(mai: Hands) -> None:
    plays(mai, "shoot, key 2, tap front.shin.R, tap front.shin.L")
    for _ in range(2):
        mai.click(mai.page.send_bar.send)
    assert mai.page.toast.message.stop
    assert not mai.state.message or mai.state.message.stop
    assert mai.stage.outbox.counts().held == 0
    mai.clock.advance(1)
    mai.click(mai.page.send_bar.send)
    settled(mai)
    assert [ds.ImageLaterality for ds in in_archive(mai)] == ["R"]


def test_a_purpose_chosen_after_the_shot_is_not_lost_unnoticed(mai: Hands) -> None:
    plays(mai, "key 2, tap front.shin.R, shoot, shoot")
    mai.page.choices.chosen.emit("consent", "refused")
    assert mai.state.next_picture.words.startswith("Next: Consent: Refused")
    mai.send()
    assert mai.page.toast.message.act == "Change these 2"
    mai.page.toast.acted.emit()
    settled(mai)
    captured = [thumb.capture_id for thumb in mai.state.thumbs]
    consents = {mai.stage.outbox.description_of(one).consent for one in captured}
    assert {one.choice_id for one in consents if one} == {"refused"}


def test_a_site_that_nobody_chose_is_shown_as_proposed(mai: Hands) -> None:
    mai.page.viewmodel.describing.choose_procedure("DERM-FACE")
    assert mai.page.site.note.words == "Proposed"
    mai.key(Qt.Key.Key_L, ALT)
    assert mai.page.site.note.words == "Done"
    mai.key(Qt.Key.Key_2)
    assert mai.state.region == "Face"  # a person has touched it
    assert mai.state.next_picture.words == "Next: Site does not fit"


def test_keeping_is_a_word_on_send_and_teaching_has_none_by_default(mai: Hands) -> None:
    plays(mai, "key 2, tap front.shin.R, shoot")
    assert mai.page.send_bar.send.keeping == "Keep: Record"
    assert "Keep: Record" in mai.page.send_bar.send.accessibleName()
    act(mai, "select 1")
    mai.page.choices.chosen.emit("purpose", "teaching")
    assert mai.page.send_bar.send.keeping == "Keep: not chosen"
    assert mai.state.thumbs[0].badge.words == "Needs 1"
    mai.send()
    assert mai.page.toast.message.todo == "Choose what becomes of them (Keep in)."
    assert mai.window.focusWidget() is mai.page.choices.buttons["keep"]
    assert mai.stage.outbox.counts().held == 0
    mai.page.choices.chosen.emit("keep", "record-30")
    assert mai.page.send_bar.send.keeping == "Keep: Record, copy 30 days"
    mai.send()
    settled(mai)


# -------------------------------------------------------------------------------- taking back


def test_one_digit_says_how_many_it_filled_and_is_taken_back_exactly(mai: Hands) -> None:
    for _ in range(5):
        mai.pedal()
    mai.key(Qt.Key.Key_3)
    assert mai.page.toast.message.what == "Diabetic foot ulcer: 5 pictures changed."
    assert {thumb.procedure for thumb in mai.state.thumbs} == {"Diabetic foot ulcer"}
    mai.key(Qt.Key.Key_Z, CONTROL)
    assert mai.page.toast.message.what == "Taken back: Diabetic foot ulcer."
    assert mai.page.toast.message.todo == "5 pictures are as before."
    assert {thumb.procedure for thumb in mai.state.thumbs} == {"No procedure"}
    assert mai.state.chosen_row == ""

    def described() -> int:
        trail = read_trail(mai.stage.outbox.spool.database.read())
        return sum(row.event.action is AuditAction.DESCRIBED for row in trail)

    mai.qtbot.waitUntil(lambda: described() >= 10)
    assert described() == 10  # five said, and five taken back
    assert all(d.description.procedure is None for d in mai.stage.outbox.drafts())


def test_ctrl_z_takes_back_act_after_act(mai: Hands) -> None:
    plays(mai, "key 2, tap front.shin.R, shoot, key 3, left, select 1, left")
    plays(mai, "undo, select 1, undo, undo")
    assert mai.state.chosen_row == ULCER
    assert mai.state.side is Side.RIGHT
    assert [thumb.side for thumb in mai.state.thumbs] == ["R"]
    plays(mai, "undo, undo")  # what was chosen before the shot: the picture stays as it is
    assert mai.state.chosen_row == ""
    assert [thumb.side for thumb in mai.state.thumbs] == ["R"]
    act(mai, "undo")
    assert len(mai.state.thumbs) == 1


def test_what_was_sent_meanwhile_is_not_said_anew_by_taking_back(mai: Hands) -> None:
    plays(mai, "shoot, key 2, tap front.shin.R")
    mai.send()
    settled(mai)
    shown = said(mai.state.thumbs)
    assert len(in_archive(mai)) == 1
    mai.key(Qt.Key.Key_Z, CONTROL)
    mai.qtbot.waitUntil(lambda: mai.page.toast.message.what.startswith("Too late to undo"))
    mai.key(Qt.Key.Key_Z, CONTROL)
    assert mai.page.toast.message.todo.startswith("1 picture is not a draft any more")
    assert said(mai.state.thumbs) == shown
    assert mai.state.side is None  # the panels, for the next picture


# --------------------------------------------------------------- reopened, and two exams of one


def test_drafts_of_earlier_obey_the_same_rules(mai: Hands) -> None:
    plays(mai, "key 2, tap front.shin.R, shoot, shoot")
    mai.key(Qt.Key.Key_Escape)
    mai.scan(MAI)
    mai.qtbot.waitUntil(lambda: len(mai.state.thumbs) == 2)
    plays(mai, "key 2, tap front.shin.L")
    assert mai.state.next_picture.words.endswith("; 2 kept: Right")
    assert [thumb.side for thumb in mai.state.thumbs] == ["R", "R"]
    mai.send()
    assert mai.page.toast.message.act == "Change these 2"
    assert mai.page.viewmodel._board.known.stop is SendStop.DIFFERS
    act(mai, "shoot")
    mai.send()
    settled(mai)
    assert [ds.ImageLaterality for ds in in_archive(mai)] == ["R", "R", "L"]


# -------------------------------------------------------------------------- all pictures at once


def wounds(hands: Hands) -> None:
    """Forty pictures of three wounds."""
    plays(hands, "key 1, tap back.sacrum, midline" + ", shoot" * 8)
    plays(hands, "key 2, tap front.shin.R" + ", shoot" * 20)
    plays(hands, "tap front.shin.L" + ", shoot" * 12)


def test_forty_pictures_are_named_seen_and_said_anew(mai: Hands) -> None:
    wounds(mai)
    strip = mai.page.filmstrip
    assert len(strip.buttons) == 40
    assert len(strip.in_sight) >= 6
    for button in strip.buttons:
        thumb = button.thumb
        assert thumb.procedure in button.accessibleName()
        assert thumb.site in button.accessibleName()
        assert button.toolTip() == f"{thumb.procedure}, {thumb.site}"
        assert thumb.side in "RLM"
    mai.key(Qt.Key.Key_F2)
    sheet = mai.page.contacts
    assert sheet.isVisible()
    assert not mai.page.view.isVisible()
    assert [heading.text().rpartition(" ")[2] for heading in sheet.headings] == ["8", "20", "12"]
    assert len(sheet.buttons) == 40
    mai.click(sheet.headings[1])
    assert sum(thumb.selected for thumb in mai.state.thumbs) == 20
    act(mai, "left")
    assert [heading.text().rpartition(" ")[2] for heading in sheet.headings] == ["8", "32"]
    mai.qtbot.waitUntil(
        lambda: sum(d.description.side is Side.LEFT for d in mai.stage.outbox.drafts()) == 32
    )
    act(mai, "undo")
    assert len(sheet.headings) == 3
    mai.qtbot.waitUntil(
        lambda: sum(d.description.side is Side.LEFT for d in mai.stage.outbox.drafts()) == 12
    )
    mai.key(Qt.Key.Key_Escape)
    assert mai.page.view.isVisible()


def test_the_contact_sheet_is_worked_by_keys_alone(mai: Hands) -> None:
    plays(mai, "key 2, tap front.shin.R, shoot, shoot, shoot, tap front.shin.L, shoot, shoot")
    mai.key(Qt.Key.Key_F2)
    sheet = mai.page.contacts
    assert mai.window.focusWidget() is sheet.buttons[-1]  # the newest
    mai.key(Qt.Key.Key_Up)
    assert mai.window.focusWidget() is sheet.buttons[1]
    mai.key(Qt.Key.Key_Left)
    mai.key(Qt.Key.Key_Return)
    mai.key(Qt.Key.Key_Right)
    mai.key(Qt.Key.Key_Return, Qt.KeyboardModifier.ShiftModifier)
    assert [thumb.selected for thumb in mai.state.thumbs] == [True, True, False, False, False]
    mai.key(Qt.Key.Key_1)
    assert [thumb.procedure[:8] for thumb in mai.state.thumbs] == ["Pressure"] * 2 + [
        "Leg ulce"
    ] * 3
    assert sheet.isAncestorOf(mai.window.focusWidget())
    mai.key(Qt.Key.Key_A, CONTROL)
    assert all(thumb.selected for thumb in mai.state.thumbs)
    mai.key(Qt.Key.Key_Delete)
    assert mai.page.view.isVisible()  # nothing is left to show
    mai.key(Qt.Key.Key_Z, CONTROL)
    mai.qtbot.waitUntil(lambda: len(mai.state.thumbs) == 5)


def test_no_picture_is_taken_that_nobody_saw(mai: Hands) -> None:
    plays(mai, "shoot")
    mai.key(Qt.Key.Key_F2)
    mai.key(Qt.Key.Key_F13)
    assert mai.page.view.isVisible()
    assert len(mai.state.thumbs) == 1
    act(mai, "shoot")
    assert len(mai.state.thumbs) == 2
