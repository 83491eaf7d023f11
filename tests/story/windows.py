"""Two real windows of a story, each with services of its own on one data folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic
from typing import Final

from PySide6.QtCore import QCoreApplication, QEventLoop, QTimer

from capture_app.clock import Clock
from capture_app.exam.session import ExamService
from capture_app.imaging import surgery
from capture_app.model.device import DeviceKind
from capture_app.model.operator import Operator
from capture_app.model.patient import PatientId
from capture_app.model.worklist import PersonNow
from capture_app.patients.census.census import Census, open_census
from capture_app.patients.finding.scan import ScannedCode
from capture_app.security.auditing import Auditing
from capture_app.security.users import Users
from capture_app.settings.schema import Device
from capture_app.store.cipher import Cipher
from capture_app.ui.services import Services
from capture_app.ui.shell.main_window import MainWindow
from capture_app.ui.workspace.state import SendStop, WorkspaceState
from capture_app.ui.workspace.viewmodel import WorkspaceViewModel
from tests import outboxes
from tests.story.hospital import Wording
from tests.ui.pools import ends_of
from tests.ui.stage import CHEAP, Stage, with_devices

_SMALL: Final = Device(
    id="skin", name="Synthetic skin", kind=DeviceKind.SYNTHETIC, address="320x240"
)
_PATIENCE_S: Final = 30.0
_SOON_MS: Final = 300
_ROUNDS: Final = 3
"""An answer may ask the next question: of the pictures, then of their states."""


@dataclass(slots=True)
class Window:
    """A window with its services, and what the person before it saw."""

    services: Services
    window: MainWindow
    user: Operator
    shown: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Procedure and site of each picture as Send took it, by capture id: the last words of it."""
    identified: Wording | None = None
    """How the open patient was worded when somebody last said who it is."""
    sent_unsure: list[str] = field(default_factory=list)
    """What went although this window knew that it must not, or that somebody must be asked."""
    _taking: frozenset[str] = frozenset()
    _heard: WorkspaceViewModel | None = None

    @property
    def workspace(self) -> WorkspaceViewModel | None:
        """What is open, if anything is."""
        content = self.window.content
        if content is None or self.window.is_locked:
            return None
        return content._workspace_vm

    @property
    def number(self) -> str:
        """The record number of whom the banner names."""
        vm = self.workspace
        return "" if vm is None else vm.exam.patient.patient_id.value

    @property
    def opens_another(self) -> bool:
        """Whether somebody else is being opened than the banner still names: whoever stands there
        is that one.
        """
        content = self.window.content
        return content is not None and content.patients_vm.state.opening

    def is_quiet(self) -> bool:
        """Whether nothing is about to be asked."""
        return not any(
            timer.isActive() and timer.isSingleShot() and timer.interval() <= _SOON_MS
            for timer in self.window.findChildren(QTimer)
        )

    def hear(self) -> None:
        """Takes in within a second what another process did, as the engine and the feeds do."""
        self.services.outbox.tell_others_changes()
        self.services.census.refresh()

    def listen(self) -> None:
        """Watches what the open workspace shows, so that what Send took is known."""
        vm = self.workspace
        if vm is not None and vm is not self._heard:
            self._heard = vm
            vm.changed.connect(lambda: self.note(vm.state, vm))

    def note(self, state: WorkspaceState, vm: WorkspaceViewModel) -> None:
        """Keeps what is shown of the pictures that Send is taking."""
        known = vm._board.known
        taking, begun = known.sending, known.sending - self._taking
        self._taking = taking
        if begun and (known.due or known.standing.stop or known.standing.asks):
            self.sent_unsure += sorted(begun)
        self.shown |= {
            thumb.capture_id: (thumb.procedure, thumb.site)
            for thumb in state.thumbs
            if thumb.capture_id in taking
        }

    def scan(self, number: str) -> None:
        """A wristband."""
        content = self.window.content
        if content is not None and not self.window.is_locked:
            content.patients_vm.scanned(ScannedCode(number))

    def asks_which(self) -> bool:
        """Whether Send asks if the panels or the pictures hold."""
        vm = self.workspace
        return vm is not None and vm._board.known.stop is SendStop.DIFFERS


def settle(*windows: Window) -> None:
    """Until all that was asked is done, everywhere."""
    until, quiet = monotonic() + _PATIENCE_S, 0
    while quiet < _ROUNDS:
        marks = [mark for one in windows for mark in ends_of(one.window)]
        _events()
        while not all(mark.done() for mark in marks):
            _events()
            assert monotonic() < until, "something that was asked never ended"
        _events()
        quiet = quiet + 1 if all(one.is_quiet() for one in windows) else 0
        for one in windows:
            one.listen()


def _events() -> None:
    QCoreApplication.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 5)


def until_live(one: Window) -> bool:
    """Until the camera shows a picture of the open exam; False where there is none."""
    vm, until = one.workspace, monotonic() + _PATIENCE_S
    while vm is not None and vm.live.frame() is None:
        _events()
        assert monotonic() < until, "the camera never came"
    return vm is not None


@contextmanager
def opened(stage: Stage, users: tuple[Operator, Operator]) -> Iterator[tuple[Window, Window]]:
    """The window of the stage, which takes the feed, and one of another process."""
    services = stage.services
    first = with_devices(services, (_SMALL,), services.clock, _exams(services, stage.census))
    with _of_another_process(stage.folder, stage.services) as second:
        windows = (_window(first, users[0]), _window(second, users[1]))
        try:
            yield windows
        finally:
            for one in windows:
                one.window.end()
                one.window.hide()
                one.window.deleteLater()
                one.services.devices.stop()
            QCoreApplication.processEvents()


@contextmanager
def _of_another_process(folder: Path, first: Services) -> Iterator[Services]:
    clock, settings = first.clock, first.settings
    outbox = outboxes.open_outbox(folder, clock, capture=settings.capture)
    cipher = Cipher(outboxes.KEY)
    census = open_census(folder, cipher, clock, settings)
    services = replace(
        first,
        outbox=outbox,
        census=census,
        users=Users(outbox.spool.database, cipher, clock, cost=CHEAP),
        auditing=Auditing(outbox.spool.database, cipher, clock),
    )
    try:
        yield with_devices(services, (_SMALL,), clock, _exams(services, census))
    finally:
        census.close()
        outboxes.close(outbox)


def _exams(services: Services, census: Census) -> ExamService:
    def newest(number: PatientId) -> PersonNow | None:
        census.refresh()  # as the composition root has it
        return census.person(number)

    clock: Clock = services.clock
    return ExamService(
        services.outbox,
        services.catalog,
        clock,
        services.settings.station,
        newest,
        census.orders_of_others,
        surgery,
    )


def _window(services: Services, user: Operator) -> Window:
    services.devices.start()
    window = MainWindow(services)
    window.show()
    window._signed_in(user)
    return Window(services, window, user)
