"""What yields where a part is narrow: its words are cut with a mark, and the tooltip says them."""

from dataclasses import replace

import pytest
from PySide6.QtCore import QRect, QSize
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from capture_app.catalog.body_map import load_body_map
from capture_app.exam.standing import Stop
from capture_app.ui.widgets.buttons import Button, ToggleButton
from capture_app.ui.widgets.chips import Chip
from capture_app.ui.widgets.fields import FilterField
from capture_app.ui.widgets.labels import Label
from capture_app.ui.widgets.scrolling import ScrollColumn
from capture_app.ui.widgets.toast import Toast
from capture_app.ui.words.marks import ChipText, Message, Tone
from capture_app.ui.words.shown import OrderShown
from capture_app.ui.workspace.banner import PatientBanner
from capture_app.ui.workspace.region_picker import LargeBodyMap
from capture_app.ui.workspace.whose_words import BannerFact, BannerState, stop_message

STATE = BannerState(
    name="VAN DER BERG-AL-HASHIMI, Maria-Fernanda Josefina",
    native="",
    facts=(
        BannerFact("Born", "14-Jul-1956 (70 y)"),
        BannerFact("Sex", "Female"),
        BannerFact("MRN ST ANNE", "0012 345 678"),
    ),
    droppable=(BannerFact("Place", "4B, bed 12"), BannerFact("Visit", "V9921")),
    identified=ChipText("Wristband scanned 07:09", "check-circle", Tone.OK),
    place="Place: 4B, bed 12. Pick another (Alt+P)",
)
WHAT = "Wound photograph, again"
ORDER = OrderShown("Use the order", WHAT, WHAT)


@pytest.mark.parametrize("kind", [Button, ToggleButton])
def test_a_button_that_yields_says_its_words_in_the_tooltip(
    kind: type[Button | ToggleButton], qtbot: QtBot
) -> None:
    button = kind("Stop reading by &camera", key="F9")
    qtbot.addWidget(button)
    button.let_yield()
    button.resize(button.sizeHint())
    button.grab()
    assert button.toolTip() == ""
    button.resize(100, 44)
    button.grab()
    assert button.toolTip() == "Stop reading by camera"
    assert button.minimumSizeHint().width() < 100


def in_sight(banner: PatientBanner) -> list[str]:
    """The labels that are whole."""
    labels = [label for label in banner.findChildren(Label) if label.isVisible()]
    assert all(label.wordWrap() or label.width() >= label.sizeHint().width() for label in labels), [
        (label.text(), label.width()) for label in labels
    ]
    return [label.text() for label in labels]


@pytest.fixture
def page(qtbot: QtBot) -> QWidget:
    """What the banner stands in: a window of its own would be as wide as it asks for."""
    page = QWidget()
    qtbot.addWidget(page)
    return page


def banner_of(state: BannerState, width: int, page: QWidget) -> PatientBanner:
    page.resize(width, 200)
    banner = PatientBanner(state, page)
    banner.resize(width, banner.height())
    page.show()
    banner.show()
    return banner


@pytest.mark.parametrize("width", [960, 1024, 1093, 1366])
def test_how_the_patient_was_identified_or_that_it_is_due_is_in_sight(
    width: int, page: QWidget
) -> None:
    due = ChipText("Identity asked at Send", "clock", Tone.WARN)
    long = ChipText("Identity asked at Send, in a language of long words", "clock", Tone.WARN)
    scanned = STATE.identified
    names = (STATE.name, "NGUYEN, Thi Mai", "LI, Bo")
    for name, says in ((name, says) for name in names for says in (due, long, scanned)):
        banner = banner_of(STATE, width, page)
        banner.show_order(ORDER)
        state = replace(STATE, name=name, native="阮氏梅", identified=says)
        banner.show_state(state)  # as after idle minutes
        QApplication.processEvents()
        (chip,) = banner.findChildren(Chip)
        assert chip.isVisible()
        assert banner.rect().contains(chip.geometry())


def test_how_the_patient_was_identified_is_in_sight_at_1366_and_125_per_cent(page: QWidget) -> None:
    banner = banner_of(replace(STATE, name="NGUYEN, Thi Mai", native="阮氏梅"), 1093, page)
    QApplication.processEvents()
    (chip,) = banner.findChildren(Chip)
    assert chip.isVisible()
    assert banner.rect().contains(chip.geometry())


@pytest.mark.parametrize("width", [960, 1024, 1093, 1366, 1920])
def test_the_banner_never_cuts_name_birth_date_sex_or_number(width: int, page: QWidget) -> None:
    banner = banner_of(STATE, width, page)
    banner.show_order(ORDER)
    for changed in (STATE, replace(STATE, name="NGUYEN, Mai", place="")):
        banner.show_state(changed)  # its facts are new, and were never on screen
        QApplication.processEvents()
        said = " ".join(in_sight(banner))
        assert all(fact.value in said for fact in changed.facts)
        (name,) = (label for label in banner.findChildren(Label) if changed.name in label.text())
        assert not name.wordWrap() or name.heightForWidth(name.width()) <= name.height()


@pytest.mark.parametrize("width", [380, 442, 758])
def test_a_toast_is_as_high_as_its_words_need(width: int, qtbot: QtBot) -> None:
    page = QWidget()
    qtbot.addWidget(page)
    page.resize(900, 400)
    page.show()
    toast = Toast(page)
    what = "Nothing was sent. 3 pictures need 2 things, and 14 are kept as they are."
    toast.fit(width)
    toast.say(Message(what, "Choose the side.", act="Change these 3", other_act="Keep", stop=True))
    QApplication.processEvents()
    (label,) = (one for one in toast.findChildren(Label) if one.text() == what)
    assert label.heightForWidth(label.width()) <= label.height()
    buttons = [button for button in toast.findChildren(Button) if button.isVisible()]
    assert len(buttons) == 2
    assert all(button.width() >= button.sizeHint().width() for button in buttons)
    assert all(toast.rect().contains(button.geometry()) for button in buttons)


def test_a_field_is_revealed_whole_not_its_cursor_alone(qtbot: QtBot) -> None:
    column = ScrollColumn()
    qtbot.addWidget(column)
    field, low = FilterField("Find"), Label("low")
    column.column.addWidget(field)
    column.column.addSpacing(600)
    column.column.addWidget(low)
    column.resize(300, 200)
    column.show()
    QApplication.processEvents()
    column.verticalScrollBar().setValue(6)
    column.reveal(field)
    assert field.visibleRegion().boundingRect().size() == field.size()


def test_each_stop_says_what_happened_and_who_helps() -> None:
    said = {stop: stop_message(stop, drafts=2) for stop in Stop}
    assert len({message.what for message in said.values()}) == len(Stop)
    assert said[Stop.NUMBER_OF_TWO].what == (
        "Two people have this record number: nothing can be sent."
    )
    assert "IT" in said[Stop.NUMBER_OF_TWO].todo
    assert all("2 pictures are safe here." in message.todo for message in said.values())


@pytest.mark.parametrize("size", [QSize(1093, 590), QSize(1366, 768), QSize(1920, 1080)])
def test_the_large_body_map_is_whole(size: QSize, page: QWidget) -> None:
    page.resize(size)
    page.show()
    popover = LargeBodyMap(page, load_body_map(), None)
    popover.show_at(QRect())
    QApplication.processEvents()
    seen = popover.map.visibleRegion().boundingRect()
    assert seen.size() == popover.map.size()
    assert page.rect().contains(popover.card.geometry())
    assert popover.map.height() >= 320
