"""A colleague's drafts in the workspace: to be finished and sent, not to be deleted."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from capture_app.clock import FixedClock
from capture_app.model.delivery import ImageState
from capture_app.model.operator import Operator, Role
from tests.ui.conftest import Desk
from tests.ui.hands import Hands, at_work, clinic
from tests.ui.stage import PIN, Stage

MAI = "0012345678"


@pytest.fixture
def stage(tmp_path: Path, clock: FixedClock) -> Iterator[Stage]:
    with clinic(tmp_path / "station", clock) as opened:
        yield opened


def signed_in(desk: Desk, qtbot: QtBot, user_id: str) -> None:
    vm = desk.window.sign_in_vm
    vm.choose(user_id)
    for digit in PIN:
        vm.type(digit)
    vm.submit()
    qtbot.waitUntil(lambda: not desk.window.is_locked)


@pytest.mark.parametrize("roles", [(Role.CAPTURE,), (Role.CAPTURE, Role.CORRECT)])
def test_others_drafts_are_finished_and_sent_and_deleted_by_a_role_only(
    stage: Stage,
    ada: Operator,
    open_desk: Callable[[], Desk],
    qtbot: QtBot,
    clock: FixedClock,
    roles: tuple[Role, ...],
) -> None:
    stage.pictures(MAI, 2, ada)
    stage.add_user("bo", "Bo Ruiz", *roles)
    desk = open_desk()
    signed_in(desk, qtbot, "bo")
    with at_work(desk.window, stage, qtbot, clock) as hands:
        refuses = roles == (Role.CAPTURE,)
        page = hands.scan(MAI)
        qtbot.waitUntil(lambda: hands.state.sendable == 2)
        qtbot.waitUntil(lambda: page.send_bar.delete.isEnabled() is not refuses)
        told = page.send_bar.delete.toolTip()
        assert told.startswith("Somebody else took this picture.") is refuses
        assert page.send_bar.delete.accessibleDescription() == told
        hands.key(Qt.Key.Key_Delete)
        if refuses:
            assert hands.state.message is not None
            assert hands.state.message.what.startswith("Somebody else took this picture.")
            assert len(stage.outbox.drafts()) == 2
            own(hands)
        else:
            qtbot.waitUntil(lambda: len(stage.outbox.drafts()) == 1)
        hands.send()
        qtbot.waitUntil(lambda: not stage.outbox.drafts())
    sent = [one for one in stage.outbox.statuses() if one.state is ImageState.HELD]
    assert len(sent) == (2 if refuses else 1)


def own(hands: Hands) -> None:
    """A picture of one's own may be deleted beside them."""
    hands.shot(Qt.Key.Key_Space)
    hands.qtbot.waitUntil(hands.page.send_bar.delete.isEnabled)
    hands.key(Qt.Key.Key_Delete)
    hands.qtbot.waitUntil(lambda: hands.state.sendable == 2)
    hands.qtbot.waitUntil(lambda: len(hands.stage.outbox.drafts()) == 2)
    assert not hands.page.send_bar.delete.isEnabled()
