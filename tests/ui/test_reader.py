"""What a screen reader meets: items with names and states, and what is said without being asked."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import (
    QAccessible,
    QAccessibleAnnouncementEvent,
    QAccessibleEvent,
    QAccessibleInterface,
)
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from capture_app.catalog.body_map import load_body_map
from capture_app.clock import SystemClock
from capture_app.model.operator import Operator
from capture_app.model.procedure import Side
from capture_app.ui.shell.app_bar import Place
from capture_app.ui.shell.main_window import MainWindow
from capture_app.ui.widgets import announce
from capture_app.ui.widgets.fields import FilterField
from capture_app.ui.widgets.labels import FaultLabel
from capture_app.ui.widgets.listbox import ListBox
from capture_app.ui.widgets.tabs import TabRow
from capture_app.ui.widgets.toast import Toast
from capture_app.ui.words.marks import Message
from capture_app.ui.words.shown import ListRow, Selection
from capture_app.ui.workspace.body_map import BodyMapView
from tests.ui.conftest import Desk
from tests.ui.pages import all_pages, furnish, pages_without_services
from tests.ui.stage import Stage, open_stage

Role, Text = QAccessible.Role, QAccessible.Text


def of(widget: QWidget) -> QAccessibleInterface:
    """How a widget appears to a reader."""
    seen = QAccessible.queryAccessibleInterface(widget)
    assert seen is not None
    return seen


def children(seen: QAccessibleInterface) -> list[QAccessibleInterface]:
    return [seen.child(at) for at in range(seen.childCount())]


def name(seen: QAccessibleInterface) -> str:
    return seen.text(Text.Name)


# ------------------------------------------------------------------------------------ list box

ROWS = (
    ListRow("heel", "Heel", note="both sides"),
    ListRow("shin", "Lower leg, front (shin)"),
    ListRow("eye", "Eye", note="asks for another camera", usable=False),
    *(ListRow(f"more-{n}", f"Site {n}") for n in range(40)),
)


@pytest.fixture
def sites(qtbot: QtBot) -> ListBox:
    box = ListBox(name="Sites")
    qtbot.addWidget(box)
    box.resize(300, 300)
    box.show_rows(ROWS, "shin")
    box.show()
    box.activateWindow()
    box.setFocus()
    qtbot.waitUntil(box.hasFocus)
    return box


def test_a_list_box_is_a_list_with_its_rows(sites: ListBox) -> None:
    seen = of(sites)
    rows = children(seen)
    assert (seen.role(), name(seen)) == (Role.List, "Sites")
    assert [row.role() for row in rows] == [Role.ListItem] * len(ROWS)
    assert [name(row) for row in rows[:3]] == [
        "Heel, both sides",
        "Lower leg, front (shin)",
        "Eye, asks for another camera",
    ]
    assert [bool(row.state().selected) for row in rows[:3]] == [False, True, False]
    assert [bool(row.state().selectable) for row in rows[:3]] == [True, True, False]


def test_the_row_under_the_arrows_has_the_focus_and_is_not_selected(sites: ListBox) -> None:
    QTest.keyClick(sites, Qt.Key.Key_Up)
    heel, shin = children(of(sites))[:2]
    focus = of(sites).focusChild()
    assert focus is not None
    assert name(focus) == "Heel, both sides"
    assert heel.state().focused
    assert not heel.state().selected
    assert shin.state().selected


def test_rows_have_places_and_are_revealed(sites: ListBox) -> None:
    heel = children(of(sites))[0].rect()
    assert heel.height() == sites.row_height
    assert of(sites).rect().contains(heel.center())
    QTest.keyClick(sites, Qt.Key.Key_End)
    assert of(sites).rect().contains(children(of(sites))[-1].rect().center())


def test_a_reader_chooses_a_row(sites: ListBox, qtbot: QtBot) -> None:
    act = children(of(sites))[0].actionInterface()
    assert act is not None
    with qtbot.waitSignal(sites.picked) as picked:
        act.doAction(act.actionNames()[0])
    assert picked.args == ["heel"]
    assert children(of(sites))[1].state().selected  # until the page says that it was taken


def test_a_reader_cannot_choose_what_is_not_usable(sites: ListBox, qtbot: QtBot) -> None:
    act = children(of(sites))[2].actionInterface()
    assert act is not None
    with qtbot.assertNotEmitted(sites.picked):
        act.doAction(act.actionNames()[0])


def test_other_words_for_the_same_rows_lose_nobodys_place(sites: ListBox) -> None:
    resets: list[bool] = []
    sites.model().modelReset.connect(lambda: resets.append(True))
    other = (ListRow("heel", "Heel, changed"), *ROWS[1:])
    sites.show_rows(other, "shin")
    assert name(children(of(sites))[0]) == "Heel, changed"
    assert not resets
    sites.show_rows(other[:5], "shin")
    assert resets
    assert of(sites).childCount() == 5


# ---------------------------------------------------------------------------------------- tabs


def test_tabs_are_tabs_and_the_chosen_one_says_so(qtbot: QtBot) -> None:
    row = TabRow({"ward": "Ward", "all": "All", "gone": "Gone"})
    qtbot.addWidget(row)
    row.set_count("ward", 9)
    row.show_tab("gone", shown=False)
    row.show_chosen("all")
    row.show()
    row.activateWindow()
    row.setFocus()
    tabs = [tab for tab in children(of(row)) if tab.role() == Role.PageTab]
    assert of(row).role() == Role.PageTabList
    assert [name(tab) for tab in tabs[:2]] == ["Ward, 9", "All"]
    assert [bool(tab.state().selected) for tab in tabs[:2]] == [False, True]
    with qtbot.waitSignal(row.asked) as asked:
        QTest.keyClick(row, Qt.Key.Key_Left)
    assert asked.args == ["ward"]
    with qtbot.waitSignal(row.asked) as asked:  # what it leads to may be behind a question
        QTest.mouseClick(row, Qt.MouseButton.LeftButton, pos=row.rect_of("ward").center())
    assert asked.args == ["ward"]
    with qtbot.waitSignal(row.asked) as asked:
        QTest.mouseClick(row, Qt.MouseButton.LeftButton, pos=row.rect_of("all").center())
    assert asked.args == ["all"]
    with qtbot.assertNotEmitted(row.asked):
        row.show_chosen("ward")


# ---------------------------------------------------------------------------------------- map


@pytest.fixture
def body(qtbot: QtBot) -> BodyMapView:
    view = BodyMapView(load_body_map(), ("front", "back"), small=False)
    qtbot.addWidget(view)
    view.resize(600, 500)
    view.show()
    view.activateWindow()
    return view


def test_the_regions_of_the_map_are_items_where_they_are_drawn(body: BodyMapView) -> None:
    body.show_selection(Selection(("SCT", "25763004"), Side.LEFT, side_is_open=False))
    seen = of(body.items)
    assert (seen.role(), name(seen)) == (Role.List, "Body map: Front, Back")
    items = {name(item): item for item in children(seen)}
    assert len(children(seen)) == sum(
        len(load_body_map().views[view].regions) for view in ("front", "back")
    )
    left = items["Lower leg, front (shin), left"]
    right = items["Lower leg, front (shin), right"]
    assert left.role() == Role.ListItem
    assert left.state().selected
    assert not right.state().selected
    assert left.rect().center().x() > right.rect().center().x(), "her left is at our right"
    point = body.point_of("front.shin.L")
    assert point is not None
    assert left.rect().contains(body.mapToGlobal(point.toPoint()))


def test_an_open_side_selects_both_limbs(body: BodyMapView) -> None:
    body.show_selection(Selection(("SCT", "25763004"), None, side_is_open=True))
    chosen = [name(item) for item in children(of(body.items)) if item.state().selected]
    assert chosen == ["Lower leg, front (shin), right", "Lower leg, front (shin), left"]


def test_a_reader_chooses_a_region(body: BodyMapView, qtbot: QtBot) -> None:
    items = {name(item): item for item in children(of(body.items))}
    act = items["Lower leg, front (shin), right"].actionInterface()
    assert act is not None
    with qtbot.waitSignal(body.touched) as touched:
        act.doAction(act.actionNames()[0])
    assert touched.args == ["SCT", "25763004", "R"]


def test_arrow_keys_go_over_the_map_and_enter_chooses(body: BodyMapView, qtbot: QtBot) -> None:
    body.items.setFocus()
    qtbot.waitUntil(body.items.hasFocus)
    heard: list[str] = []
    body.hovered.connect(heard.append)
    first = body.items.focused
    assert first is not None
    QTest.keyClick(body.items, Qt.Key.Key_Down)
    below = body.items.focused
    assert below is not None
    assert below.place.center().y() > first.place.center().y()
    assert heard == [below.words]
    with qtbot.waitSignal(body.touched) as touched:
        QTest.keyClick(body.items, Qt.Key.Key_Return)
    assert touched.args == [*below.touch.key, below.touch.side or ""]


def test_every_region_is_reached_by_the_arrows(body: BodyMapView, qtbot: QtBot) -> None:
    body.items.setFocus()
    qtbot.waitUntil(body.items.hasFocus)
    index = body.items.model().index
    reached, waiting = {0}, [0]
    while waiting:
        at = waiting.pop()
        for key in (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Right):
            body.items.setCurrentIndex(index(at, 0))
            QTest.keyClick(body.items, key)
            if (to := body.items.currentIndex().row()) not in reached:
                reached.add(to)
                waiting.append(to)
    missing = [item.words for at, item in enumerate(body.items.items) if at not in reached]
    assert not missing


# ------------------------------------------------------------------------------- said by itself


@dataclass
class Said:
    """What a screen reader is told without having asked."""

    words: list[tuple[str, str]]

    def __contains__(self, words: object) -> bool:
        return any(words == said for said, _ in self.words)


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> Said:
    """Listens where our words go into Qt: nothing reads them on the offscreen platform."""
    heard: list[tuple[str, str]] = []

    class Listening:
        AnnouncementPoliteness = QAccessible.AnnouncementPoliteness
        Event = QAccessible.Event

        @staticmethod
        def isActive() -> bool:  # noqa: N802 - Qt's own
            return True

        @staticmethod
        def updateAccessibility(event: QAccessibleEvent) -> None:  # noqa: N802 - Qt's own
            if isinstance(event, QAccessibleAnnouncementEvent):
                heard.append((event.message(), event.politeness().name))

    monkeypatch.setattr(announce, "QAccessible", Listening)
    return Said(heard)


def test_a_message_is_read_aloud_and_a_stop_at_once(said: Said, qtbot: QtBot) -> None:
    host = QWidget()
    qtbot.addWidget(host)
    toast = Toast(host)
    toast.say(Message("2 pictures sent", "They wait 10 s."))
    toast.say(Message("A side is missing", "", stop=True))
    assert said.words == [
        ("2 pictures sent They wait 10 s.", "Polite"),
        ("A side is missing", "Assertive"),
    ]
    assert of(toast).role() == Role.AlertMessage


def test_a_fault_is_read_aloud_when_it_comes(said: Said, qtbot: QtBot) -> None:
    fault = FaultLabel()
    qtbot.addWidget(fault)
    for words in ("", "The PIN does not fit.", "The PIN does not fit.", ""):
        fault.say(words)
    assert said.words == [("The PIN does not fit.", "Assertive")]
    assert fault.isHidden()


def test_the_row_that_a_filter_leads_to_is_read_aloud(said: Said, qtbot: QtBot) -> None:
    host = QWidget()
    qtbot.addWidget(host)
    column = QVBoxLayout(host)
    field, box = FilterField("Find"), ListBox(name="Sites")
    column.addWidget(field)
    column.addWidget(box)
    box.show_rows(ROWS, "heel")
    host.show()
    host.activateWindow()
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    box.move_current(1)
    assert "Lower leg, front (shin)" in said


def test_nothing_is_said_where_nobody_listens(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = QWidget()
    qtbot.addWidget(host)
    told: list[object] = []
    monkeypatch.setattr(QAccessible, "updateAccessibility", told.append)
    monkeypatch.setattr(QAccessible, "isActive", lambda: False)
    announce.announce(host, "Something")
    assert not told


# ------------------------------------------------------------------------- what is not on screen


@pytest.fixture
def reader() -> Iterator[None]:
    """A screen reader runs: Qt tells it, and what it remembers of lists, that rows are others."""
    QAccessible.setActive(True)
    yield
    QAccessible.setActive(False)


@pytest.mark.usefixtures("reader")
def test_no_patient_is_read_behind_another_page_or_a_lock(desk: Desk) -> None:
    desk.sign_in()
    rows = desk.content.patients.rows_view
    assert len(children(of(rows))) == len(desk.content.patients_vm.state.rows) > 0
    desk.key(Qt.Key.Key_Down)
    marked = desk.content.patients_vm.state.marked
    desk.content.go(Place.OUTBOX)
    assert not children(of(rows))
    desk.content.go(Place.PATIENTS)
    desk.qtbot.waitUntil(lambda: bool(children(of(rows))))
    chosen = [item for item in children(of(rows)) if item.state().selected]
    assert len(chosen) == 1
    assert desk.content.patients_vm.state.marked == marked
    desk.window.lock()
    assert not children(of(rows))


# --------------------------------------------------------------------------------- the whole tree

_NOTHING = {Role.NoRole, Role.Client}


def faults_below(seen: QAccessibleInterface, path: str = "") -> Iterator[str]:
    """What a reader cannot name, from here down: what can be acted on has a name and a kind, and
    what has a name has a kind.
    """
    if not seen.isValid() or seen.state().invisible:
        return
    role, words = seen.role(), name(seen)
    widget = seen.object()
    here = f"{path}/{type(widget).__name__ if isinstance(widget, QWidget) else role.name}"
    can_act = bool(seen.state().focusable) or seen.actionInterface() is not None
    acts = can_act and isinstance(widget, QWidget) and widget.focusPolicy() & TAB
    if (acts or role in _CONTROLS) and not words.strip():
        yield f"{here}: {role.name} without a name"
    if role in _NOTHING and (acts or words.strip()):
        yield f"{here}: {words!r} is nothing in particular"
    for child in children(seen):
        yield from faults_below(child, here)


TAB = Qt.FocusPolicy.TabFocus
_CONTROLS = {
    Role.Button,
    Role.ButtonMenu,
    Role.CheckBox,
    Role.RadioButton,
    Role.EditableText,
    Role.List,
    Role.ListItem,
    Role.PageTabList,
    Role.PageTab,
    Role.Dialog,
    Role.ComboBox,
}


@pytest.mark.expects_log("delivery-needs-you", "destination-silent")
def test_every_page_can_be_read(tmp_path: Path, qtbot: QtBot) -> None:
    found: dict[str, list[str]] = {}
    pages = 0
    with open_stage(tmp_path / "station", SystemClock()) as stage:
        operator = furnish(stage, qtbot.waitUntil)
        stage.services.devices.start()
        window = MainWindow(stage.services)
        window.show()
        window.activateWindow()
        try:
            for page, shown in (
                *all_pages_read(window, stage, operator, qtbot),
                *bare_pages_read(tmp_path / "bare", stage),
            ):
                pages += 1
                if shown:
                    found[page] = shown
        finally:
            window.end()
            window.hide()
            window.deleteLater()
            stage.services.devices.stop()
    assert pages > 15
    assert not found, "\n".join(f"{page}: {fault}" for page in found for fault in found[page])


def all_pages_read(
    window: MainWindow, stage: Stage, operator: Operator, qtbot: QtBot
) -> Iterator[tuple[str, list[str]]]:
    for page, shown in all_pages(window, stage, operator, qtbot.waitUntil):
        yield page, sorted(set(faults_below(of(shown))))


def bare_pages_read(folder: Path, stage: Stage) -> Iterator[tuple[str, list[str]]]:
    for page, shown in pages_without_services(folder, stage):
        yield page, sorted(set(faults_below(of(shown))))
