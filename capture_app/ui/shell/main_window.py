"""The one window: the lock, or what a signed-in user sees. No patient is ever in its title."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import structlog
from PySide6.QtCore import QSize, QTimer
from PySide6.QtGui import QCloseEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget

from capture_app.errors import CaptureAppError
from capture_app.model.operator import Operator
from capture_app.model.words import tr
from capture_app.patients.finding.scan import ScannedCode, ScanRules
from capture_app.settings.schema import ThemeName
from capture_app.ui.looks import theme
from capture_app.ui.looks.theme import Metric
from capture_app.ui.patients.scanning import key_too_soon, scan_again, scanner_is_slow
from capture_app.ui.services import Services
from capture_app.ui.shell.app_bar import PracticeBand
from capture_app.ui.shell.clean_screen import CleanScreen
from capture_app.ui.shell.focus_ring import FocusRing
from capture_app.ui.shell.input_watch import InputWatch
from capture_app.ui.shell.leave_popover import LeavePopover
from capture_app.ui.shell.page_stack import Pages
from capture_app.ui.shell.scanner import Failed, ScannerFilter
from capture_app.ui.shell.session_watch import SessionWatch
from capture_app.ui.shell.shortcuts import WindowKeys, bind
from capture_app.ui.shell.status import StatusViewModel
from capture_app.ui.shell.status_strip import StatusStrip
from capture_app.ui.sign_in.page import SignInPage
from capture_app.ui.sign_in.viewmodel import SignInViewModel
from capture_app.ui.tasks import Tasks, UnexpectedError
from capture_app.ui.widgets.card import Backdrop
from capture_app.ui.widgets.reader_roles import Role
from capture_app.ui.widgets.toast import Toast
from capture_app.ui.words.marks import Message, Tone

if TYPE_CHECKING:
    from PySide6.QtDBus import QDBusConnection

    from capture_app.patients.finding.learning import Learnt
    from capture_app.ui.set_up.page import SetUpPage
    from capture_app.ui.shell.content import Content
    from capture_app.ui.shell.keys_popover import KeysPopover
    from capture_app.ui.shell.system_lock import SystemLock

_log = structlog.get_logger(__name__)

IDENTITY_ASKED_AGAIN_S: Final = 300.0
"""After so many idle seconds the patient of an open exam is asked for again."""
_FILMING_IS_PRESENCE_S: Final = 1200.0
"""Who records a clip is there, though nothing is touched; at most for so long."""
_SMALLEST: Final = QSize(800, 400)
"""Never what its pages ask for: a window larger than the screen hides Send. They fold instead."""
_READ_AHEAD_MS: Final = 50
"""The lock is painted by then. While a PIN is typed and checked there is time to read the rest."""


class MainWindow(QWidget):
    """Locks and unlocks; everything else is the content's. Close it to end its threads."""

    reader_role = Role.Window

    def __init__(self, services: Services) -> None:
        super().__init__()
        self._services = services
        self.setWindowTitle(tr("Capture"))
        self.tasks = Tasks(self.show_error, self)
        self.acts = Tasks(self.show_error, self, in_order=True)
        self._lock_after_s = services.settings.security.lock_after_minutes * 60
        self.watch = InputWatch(services.clock, (IDENTITY_ASKED_AGAIN_S, self._lock_after_s), self)
        self.watch.idle.connect(self._idle)
        self.status = StatusViewModel(services, self.tasks, self)
        self.sign_in_vm = SignInViewModel(services, self.tasks, self)
        self.sign_in_vm.signed_in.connect(self._signed_in)
        self.sign_in = SignInPage(self.sign_in_vm)
        self.content: Content | None = None
        self._session = SessionWatch(services.users, self.tasks, self)
        self._session.ended.connect(self._end_session)
        self._system_lock: SystemLock | None = None
        self._set_up: SetUpPage | None = None
        self._may_close = False
        self._leaving: LeavePopover | None = None
        self._keys: KeysPopover | None = None
        self._in_workspace = False
        self._band = PracticeBand()
        self._band.setVisible(services.settings.practice)
        self._stack = Pages()
        self._lock_page = self._with_strip(self.sign_in)
        self._stack.addWidget(self._lock_page)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._band)
        column.addWidget(self._stack, 1)
        self._error = Toast(self)
        self._ring = FocusRing(self, self.watch)
        set_up = services.settings.scanner
        self.scanner = ScannerFilter(
            services.clock.monotonic,
            ScanRules.of(services.settings),
            gap_s=set_up.gap_ms / 1000,
            layout=set_up.keyboard_layout,
            parent=self,
        )
        self.scanner.scanned.connect(self._scanned)
        self.scanner.failed.connect(self._scan_failed)
        self.scanner.too_soon.connect(self._key_too_soon)
        self.scanner.digits_were_scans.connect(self._take_back_digits)
        self.cleaning = CleanScreen(services.clock, self)
        self.cleaning.key_lost.connect(self.scanner.lost)
        bind(
            self,
            WindowKeys(
                self.show_keys,
                self._toggle_dim,
                self._toggle_full_screen,
                self.lock,
                self.cleaning.begin,
            ),
        )
        self._second = QTimer(self)
        self._second.setInterval(1000)
        self._second.timeout.connect(self._tick)
        self._second.start()
        self.setMinimumSize(_SMALLEST)
        self.resize(1366, 768)
        if self._is_first_start():
            self._show_set_up()
        else:
            self._show_lock("")

    def _is_first_start(self) -> bool:
        """No where the list of users is lost, too: the lock says what is to be done."""
        try:
            return not self._services.users.has_any()
        except CaptureAppError:
            return False

    def _with_strip(self, page: QWidget) -> QWidget:
        whole = Backdrop()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(page, 1)
        column.addWidget(StatusStrip(self.status))
        return whole

    # ---------------------------------------------------------------------- lock and unlock

    @property
    def is_locked(self) -> bool:
        """Whether nobody is signed in at the moment."""
        return self.content is None or self._stack.currentWidget() is not self.content

    def lock(self, *, reason: str = "asked") -> None:
        """Nobody may see or do anything until someone signs in. Sending goes on."""
        content = self.content
        if content is None or self.is_locked:
            return
        operator, users = content.operator, self._services.users
        self._show_lock(operator.user_id)  # first: it is locked, whatever else fails
        self.acts.run(lambda: users.record_lock(operator, reason=reason), owner=self)
        content.lock()
        self.close_keys()

    def _end_session(self, operator: Operator) -> None:
        """Who was removed, or has other roles by now, does not go on with those of before."""
        if self.content is None or self.content.operator != operator:
            return
        users = self._services.users
        fault = tr("{name}: your rights were changed. Sign in again.", name=operator.display_name)
        self._show_lock("", fault)  # first: nobody goes on, whatever else fails
        self._drop_content()
        self.acts.run(lambda: users.record_session_ended(operator), owner=self)

    def listen_to_system(self, bus: QDBusConnection) -> None:
        """Locks when the system locks its session, and before it sleeps."""
        from capture_app.ui.shell.system_lock import SystemLock  # noqa: PLC0415 - not needed at once

        self._system_lock = SystemLock(bus, self)
        self._system_lock.asked.connect(lambda reason: self.lock(reason=reason))

    def _show_lock(self, user_id: str, fault: str = "") -> None:
        is_warm = self._services.devices.chosen is not None
        self.sign_in_vm.appear(user_id, camera_warm=is_warm, fault=fault)
        self._stack.setCurrentWidget(self._lock_page)
        self._stay()
        self._fold_band(in_workspace=False)

    def _fold_band(self, *, in_workspace: bool) -> None:
        """Lower where the picture, or a low screen, needs the room."""
        self._in_workspace = in_workspace
        self._band.set_compact(compact=in_workspace or self.height() < Metric.FOLDS_BELOW)

    def _show_set_up(self) -> None:
        # Only here: it is shown once in the life of a station.
        from capture_app.ui.set_up.page import SetUpPage  # noqa: PLC0415
        from capture_app.ui.set_up.viewmodel import SetUpViewModel  # noqa: PLC0415

        viewmodel = SetUpViewModel(self._services, self.tasks, self)
        viewmodel.signed_in.connect(self._signed_in)
        self._set_up = SetUpPage(viewmodel)
        self._stack.addWidget(self._set_up)
        self._stack.setCurrentWidget(self._set_up)

    def _signed_in(self, operator: Operator) -> None:
        self.sign_in_vm.vanish()
        if self._set_up is not None:
            self._stack.removeWidget(self._set_up)
            self._set_up.deleteLater()
            self._set_up = None
        if self.content is not None and self.content.operator == operator:
            self._stack.setCurrentWidget(self.content)
            self.content.unlock()
        else:
            self._drop_content()
            content_type = _content_type()
            self.content = content_type(
                self._services, self.tasks, self.acts, operator, self.status
            )
            self.content.lock_asked.connect(self.lock)
            self.content.clean_asked.connect(self.cleaning.begin)
            self.content.learns.connect(self.scanner.learn)
            self.content.scanner_learnt.connect(self._use_scanner)
            self.content.in_workspace.connect(lambda on: self._fold_band(in_workspace=on))
            self._stack.addWidget(self.content)
            self._stack.setCurrentWidget(self.content)
            self.content.patients.focus_list()
        self._session.watch(operator)
        self.watch.begin()
        self._tick()

    def _drop_content(self) -> None:
        self.close_keys()
        self._session.watch(None)
        content, self.content = self.content, None
        if content is not None:
            content.close_all()
            self._stack.removeWidget(content)
            content.deleteLater()

    # ---------------------------------------------------------------------- time and input

    def _idle(self, limit: float) -> None:
        if self.is_locked or self.content is None:
            return
        if limit >= self._lock_after_s:
            self.lock(reason="idle")
        else:
            self.content.identity_is_due()

    def _tick(self) -> None:
        if self.content is not None and not self.is_locked:
            if 0 < self.content.films_for < _FILMING_IS_PRESENCE_S:
                self.watch.begin()
            left = max(0.0, self._lock_after_s - self.watch.idle_s)
            self.content.strip.show_user(self.content.operator.display_name, left)

    def _scanned(self, code: ScannedCode) -> None:
        if self.content is not None and not self.is_locked:
            self._uncover()
            self.content.scanned(code)
        else:
            self.sign_in_vm.refuse_scan()

    def _scan_failed(self, why: Failed) -> None:
        _log.info("scan-failed", reason=why.value)
        if self.content is not None and not self.is_locked:
            self._uncover()
            self.content.tell(scan_again() if why is not Failed.SLOW else scanner_is_slow())
        else:
            self.sign_in_vm.refuse_scan()

    def _uncover(self) -> None:
        """Nothing stands between a scan, or why it opened nobody, and whoever scanned."""
        self.close_keys()
        self._stay()

    def _use_scanner(self, learnt: Learnt) -> None:
        """What the set-up page saved holds at once, and for whoever signs in next."""
        settings = self._services.settings
        scanner = replace(learnt.scanner, camera=settings.scanner.camera)
        settings = replace(settings, scanner=scanner, scan_patterns=(learnt.pattern,))
        self._services = replace(self._services, settings=settings)
        rules = ScanRules.of(settings)
        self.scanner.use(rules, gap_s=scanner.gap_ms / 1000, layout=scanner.keyboard_layout)
        if self.content is not None:
            self.content.use_patterns(rules)

    def _take_back_digits(self, digits: int) -> None:
        if self.content is not None:
            self.content.take_back_digits(digits)

    def _key_too_soon(self) -> None:
        if self.content is not None and not self.is_locked:
            self.content.tell(key_too_soon())

    def show_keys(self) -> None:
        """F1."""
        from capture_app.ui.shell.keys_popover import KeysPopover  # noqa: PLC0415 - seldom shown

        if self.content is not None and not self.is_locked and self._keys is None:
            self._keys = KeysPopover(self.content)
            self._keys.close_asked.connect(self.close_keys)
            self._keys.open()

    def close_keys(self) -> None:
        """Esc in the keys."""
        popover, self._keys = self._keys, None
        if popover is not None:
            popover.dismiss()

    def _toggle_dim(self) -> None:
        app = QApplication.instance()
        if isinstance(app, QApplication):
            usual = self._services.settings.station.theme
            if usual is ThemeName.DIM:
                usual = ThemeName.DARK
            is_dim = theme.appearance().name is ThemeName.DIM
            theme.apply(app, usual if is_dim else ThemeName.DIM)

    def _toggle_full_screen(self) -> None:
        if self.isFullScreen():
            self.showNormal()
        else:
            self.showFullScreen()

    # ---------------------------------------------------------------------- trouble and leaving

    def show_error(self, error: CaptureAppError) -> None:
        """An error that no page asked for is shown over all pages; the log has it by then."""
        if isinstance(error, UnexpectedError):
            message = Message(error.what, error.todo, "warning-circle", Tone.BAD)
        else:
            _log.warning("act-failed", reason=str(error))
            message = Message(str(error), "", "warning-circle", Tone.BAD)
        self._error.say(message)
        self._place_error()

    @property
    def said(self) -> Message:
        """The last error that no page asked for."""
        return self._error.message

    def _place_error(self) -> None:
        self._error.fit(min(760, self.width() - 64))
        self._error.move(
            (self.width() - self._error.width()) // 2, self.height() - self._error.height() - 40
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fold_band(in_workspace=self._in_workspace)
        self._place_error()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        handle = self.windowHandle()
        if handle is not None:
            self.scanner.watch(handle)
        QTimer.singleShot(_READ_AHEAD_MS, self, _content_type)

    def closeEvent(self, event: QCloseEvent) -> None:
        unsent = self.status.state.unsent
        if self.content is not None and self.content.films_for:
            unsent += 1  # it becomes a draft as it ends
        if unsent and not self._may_close:
            event.ignore()
            if self._leaving is None:
                self._leaving = LeavePopover(self, unsent)
                self._leaving.leave.connect(self._leave)
                self._leaving.close_asked.connect(self._stay)
                self._leaving.open()
            return
        self.end()
        super().closeEvent(event)

    def _stay(self) -> None:
        popover, self._leaving = self._leaving, None
        if popover is not None:
            popover.dismiss()

    def _leave(self) -> None:
        self._may_close = True
        self.close()

    def end(self) -> None:
        """Ends everything that this window began. Acts on pictures that were asked are done."""
        self.cleaning.end()
        self._drop_content()
        self.status.close()
        self.sign_in_vm.close()
        self._session.close()
        self.watch.close()
        self._second.stop()
        self.acts.stop()
        self.tasks.stop()


def _content_type() -> type[Content]:
    """What a signed-in user sees, read when it is first needed: the lock does not wait for it."""
    from capture_app.ui.shell.content import Content  # noqa: PLC0415

    return Content
