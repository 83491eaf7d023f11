"""The row of tabs where there is little room."""

import pytest
from pytestqt.qtbot import QtBot

from capture_app.ui.widgets.tabs import TabRow


@pytest.fixture
def row(qtbot: QtBot) -> TabRow:
    tabs = TabRow(
        {"a": "Patients", "b": "Outbox", "c": "Cameras"},
        icons={"a": "users", "b": "paper-plane-right", "c": "camera"},
    )
    qtbot.addWidget(tabs)
    return tabs


def test_a_narrow_row_keeps_every_icon_and_the_words_of_the_chosen_tab(row: TabRow) -> None:
    row.resize(row.sizeHint())
    row.show()
    whole = [row.tabRect(at).width() for at in range(3)]
    row.resize(row.minimumSizeHint())
    folded = [row.tabRect(at).width() for at in range(3)]
    assert folded[0] == whole[0]
    assert all(now < before for now, before in zip(folded[1:], whole[1:], strict=True))
    assert [row.tabToolTip(at) for at in range(3)] == ["Patients", "Outbox", "Cameras"]
    row.show_chosen("c")
    assert row.tabRect(2).width() == whole[2]
    assert row.tabRect(0).width() < whole[0]
    row.resize(row.sizeHint())
    assert [row.tabRect(at).width() for at in range(3)] == whole
    assert not row.tabToolTip(0)


def test_a_row_without_icons_is_never_narrower_than_its_words(qtbot: QtBot) -> None:
    tabs = TabRow({"a": "Ward", "b": "All"})
    qtbot.addWidget(tabs)
    assert tabs.minimumSizeHint() == tabs.sizeHint()
