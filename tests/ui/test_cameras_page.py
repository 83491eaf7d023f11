"""The page of the cameras: what is plugged in, a look through the one in use, and for whom."""

from collections.abc import Callable

import pytest
from pytestqt.qtbot import QtBot

from capture_app.model.operator import Operator, Role
from capture_app.ui.cameras.page import CamerasPage
from capture_app.ui.cameras.viewmodel import CamerasViewModel
from capture_app.ui.shell.app_bar import Place
from tests.ui.conftest import Desk
from tests.ui.pages_of_cameras import GRABBER, IN_USE, WEBCAM, plugged_in
from tests.ui.stage import Stage


@pytest.fixture
def page(desk: Desk, qtbot: QtBot) -> CamerasPage:
    desk.sign_in()
    content = desk.content
    return content.late.cameras[1]


def open_page(desk: Desk, qtbot: QtBot, rows: int) -> CamerasViewModel:
    desk.content.go(Place.CAMERAS)
    viewmodel = desk.content.late.cameras[0]
    qtbot.waitUntil(lambda: viewmodel.state.is_read and len(viewmodel.state.rows) == rows)
    return viewmodel


def test_what_is_plugged_in_is_listed_with_all_that_it_can(
    desk: Desk, page: CamerasPage, qtbot: QtBot
) -> None:
    with plugged_in(WEBCAM, GRABBER, IN_USE):
        viewmodel = open_page(desk, qtbot, 3)
        state = viewmodel.state
        assert [row.note for row in state.rows] == ["in the settings", "", "cannot be used"]
        assert state.chosen == WEBCAM.camera.identity
        assert state.about[1] == "Device skin of the settings: Wound camera."
        assert state.modes[0].startswith("MJPG:  ")
        assert "1920 x 1080" in state.modes[0]
        assert state.controls == (
            "Exposure: 250 (3 to 2047), automatic",
            "White balance: 4600 (2000 to 6500), locked at 4600",
            "Power-line frequency: 50 (0 to 60), not locked",
        )
        assert state.fault == ""
        viewmodel.choose(GRABBER.camera.identity)
        assert viewmodel.state.fault.startswith("No signal")
        viewmodel.choose(IN_USE.camera.identity)
        assert "group video" in viewmodel.state.fault


def test_a_camera_that_is_plugged_in_or_out_is_on_the_page_by_itself(
    desk: Desk, page: CamerasPage, qtbot: QtBot
) -> None:
    with plugged_in(WEBCAM):
        viewmodel = open_page(desk, qtbot, 1)
        with plugged_in(WEBCAM, GRABBER):
            qtbot.waitUntil(lambda: len(viewmodel.state.rows) == 2)
            viewmodel.choose(GRABBER.camera.identity)
        qtbot.waitUntil(lambda: len(viewmodel.state.rows) == 1)
        assert viewmodel.state.chosen == WEBCAM.camera.identity


def test_the_camera_in_use_is_looked_through_and_goes_on_afterwards(
    desk: Desk, page: CamerasPage, qtbot: QtBot, stage: Stage
) -> None:
    stage.services.devices.start()
    with plugged_in(WEBCAM):
        viewmodel = open_page(desk, qtbot, 1)
        page.look.click()
        qtbot.waitUntil(lambda: page.picture.has_picture)
        qtbot.waitUntil(lambda: bool(viewmodel.state.measured))
        assert viewmodel.state.measured[0].startswith("First picture after")
        page.look.click()
        assert not viewmodel.state.is_looking
        assert not page.picture.has_picture
        assert stage.services.devices.chosen is not None


def test_one_that_went_says_why_while_it_is_looked_through(
    desk: Desk, page: CamerasPage, qtbot: QtBot
) -> None:
    with plugged_in(WEBCAM, GRABBER):
        viewmodel = open_page(desk, qtbot, 2)
        viewmodel.choose(GRABBER.camera.identity)
        page.look.click()
        qtbot.waitUntil(lambda: viewmodel.state.fault == "Camera not found. Check the cable.")
        desk.content.go(Place.PATIENTS)
        assert not viewmodel.state.is_looking


def test_without_a_camera_it_says_so(desk: Desk, page: CamerasPage, qtbot: QtBot) -> None:
    with plugged_in(WEBCAM):
        open_page(desk, qtbot, 1)
        desk.content.go(Place.PATIENTS)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("capture_app.ui.cameras.viewmodel.attached_cameras", tuple)
        open_page(desk, qtbot, 0)
        assert page.list.rows == ()
        assert not page.look.isVisible()


def test_it_is_for_administrators(
    open_desk: Callable[[], Desk], stage: Stage, ada: Operator
) -> None:
    bo = stage.add_user("bo", "Bo", Role.CAPTURE)
    desk = open_desk()
    desk.window.sign_in_vm.signed_in.emit(bo)
    desk.content.go(Place.CAMERAS)
    assert desk.content.late._cameras is None
