"""What a screen reader meets: items with names and states, and what is said without being asked."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible, QAccessibleInterface
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from capture_app.ui.widgets.listbox import ListBox
from capture_app.ui.words.shown import ListRow

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
