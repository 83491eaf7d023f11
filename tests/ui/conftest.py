"""Real windows over real services, on the offscreen platform unless an X server is asked for."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from capture_app.clock import FixedClock
from capture_app.model.operator import Operator
from capture_app.security.users import FIRST_ROLES
from capture_app.settings.schema import ThemeName
from capture_app.ui.looks import theme
from capture_app.ui.shell import app as shell_app
from capture_app.ui.shell.content import Content
from capture_app.ui.shell.main_window import MainWindow
from capture_app.ui.tasks import Tasks
from tests.ui.ends import Break
from tests.ui.stage import PIN, Stage, open_stage


class PatientQtBot(QtBot):
    """Waits longer than the library does: what comes in 100 ms takes seconds on a busy machine."""

    def waitUntil(  # noqa: N802 - the base class's name
        self, callback: Callable[[], bool | None], *, timeout: int = 30_000
    ) -> None:
        """Runs the event loop until the callback gives True."""
        super().waitUntil(callback, timeout=timeout)


@pytest.fixture
def qtbot(qapp: QApplication, request: pytest.FixtureRequest) -> QtBot:
    """pytest-qt's hands, in no hurry."""
    return PatientQtBot(request)


@pytest.fixture(scope="session", autouse=True)
def dressed(qapp: QApplication) -> QApplication:
    """The application with its fonts and its theme, as `run` dresses it."""
    return shell_app.application()


@pytest.fixture(autouse=True)
def _dark_again(dressed: QApplication) -> Iterator[None]:
    yield
    if theme.appearance().name is not ThemeName.DARK:
        theme.apply(dressed, ThemeName.DARK)
    dressed.setLayoutDirection(Qt.LayoutDirection.LeftToRight)


@pytest.fixture
def stage(tmp_path: Path, clock: FixedClock) -> Iterator[Stage]:
    """A ward of nine, nobody to sign in yet."""
    with open_stage(tmp_path / "station", clock) as opened:
        yield opened


@pytest.fixture
def ada(stage: Stage) -> Operator:
    """The one user there is."""
    return stage.add_user("aokafor", "A. Okafor", *FIRST_ROLES)


@pytest.fixture
def tasks(qapp: QApplication) -> Iterator[Tasks]:
    """A pool whose unexpected errors fail the test."""
    errors: list[BaseException] = []
    pool = Tasks(errors.append)
    yield pool
    pool.stop()
    assert not errors, errors


@dataclass(slots=True)
class Desk:
    """The window, and the hands in front of it."""

    window: MainWindow
    stage: Stage
    clock: FixedClock
    qtbot: QtBot

    def key(
        self,
        key: Qt.Key,
        modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
        on: QWidget | None = None,
    ) -> None:
        """One key, to whatever has the focus."""
        QTest.keyClick(on or self.focused, key, modifiers)

    def type(self, text: str) -> None:
        """Keys of a hand, to whatever has the focus."""
        for character in text:
            if character.isascii():
                QTest.keyClick(self.focused, ord(character))
                continue
            for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):  # as an input method does
                key = QKeyEvent(kind, 0, Qt.KeyboardModifier.NoModifier, character)
                QApplication.sendEvent(self.focused, key)

    @property
    def focused(self) -> QWidget:
        focused = QApplication.focusWidget()
        assert focused is not None, "nothing has the focus"
        return focused

    def sign_in(self, pin: str = PIN) -> None:
        """Types the PIN of the user whose tile has the focus, and waits for the content."""
        self.qtbot.waitUntil(self.window.sign_in.isVisible)
        self.type(pin)
        self.key(Qt.Key.Key_Return)
        self.qtbot.waitUntil(lambda: not self.window.is_locked)
        self.qtbot.waitUntil(lambda: bool(self.content.patients_vm.state.rows))

    @property
    def content(self) -> Content:
        assert self.window.content is not None
        return self.window.content


@pytest.fixture
def open_desk(stage: Stage, clock: FixedClock, qtbot: QtBot) -> Iterator[Callable[[], Desk]]:
    """Opens the window; it is closed at the end, with all that it began."""
    windows: list[MainWindow] = []

    def open_it() -> Desk:
        window = MainWindow(stage.services)
        windows.append(window)
        window.show()
        window.activateWindow()
        qtbot.waitUntil(window.isActiveWindow)
        QTest.mouseMove(window, QPoint(1, 1))  # where the test before left it is not known
        return Desk(window, stage, clock, qtbot)

    yield open_it
    for window in windows:
        window.end()
        window.hide()  # at once: deleted later it would take the focus from the next test's window
        window.deleteLater()


@pytest.fixture
def desk(ada: Operator, open_desk: Callable[[], Desk]) -> Desk:
    """The window with one user, locked."""
    return open_desk()


@pytest.fixture
def break_once(monkeypatch: pytest.MonkeyPatch) -> Break:
    """`break_once(Outbox, "drafts")`: the next call raises, the one after it does not."""

    def plant(where: Any, name: str, error: BaseException | None = None) -> None:
        real = getattr(where, name)

        def once(*args: Any, **options: Any) -> Any:
            monkeypatch.setattr(where, name, real)
            raise error or RuntimeError("a fault of ours")

        monkeypatch.setattr(where, name, once)

    return plant
