"""Walks the main job through the real windows, by key events, and writes down what it saw.

It proves an installation without a screen: every key goes in where a keyboard's would, every
picture comes from the camera on the network, and the last line of the report counts what the
archive has proven that it holds.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import (
    QEventLoop,
    QMessageLogContext,
    Qt,
    QTimer,
    QtMsgType,
    qInstallMessageHandler,
)
from PySide6.QtTest import QTest

from capture_app.exam.initials import example_of
from capture_app.model.delivery import ImageState, ImageStatus, ProofKind
from capture_app.model.words import tr
from capture_app.outbox.status import StatusFilter
from capture_app.ui.shell.app import application
from capture_app.ui.shell.app_bar import Place
from capture_app.ui.shell.main_window import MainWindow
from capture_app.ui.workspace.page import WorkspacePage

if TYPE_CHECKING:
    from capture_app.demo.hospital import Hospital
    from capture_app.ui.services import Services

PICTURES: Final = 3
_HAND_MS: Final = 240
"""Between two keys: slower than a scanner, as a hand is."""
_PATIENCE_MS: Final = 30_000
_LOOK_MS: Final = 20
_PROOF_WORDS: Final = {
    ProofKind.PIXEL_HASH: "pixel hash (WADO-RS)",
    ProofKind.STORAGE_COMMITMENT: "storage commitment",
}
_NONE: Final = Qt.KeyboardModifier.NoModifier
_CONTROL: Final = Qt.KeyboardModifier.ControlModifier
_ALT: Final = Qt.KeyboardModifier.AltModifier


class WalkError(Exception):
    """A step did not come to its end in time."""


@dataclass(slots=True)
class _Report:
    """The steps, as they are written."""

    out: Path
    window: MainWindow
    clock: Callable[[], float]
    lines: list[str] = field(default_factory=list)
    number: int = 0

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """One step: what is done, how long it took, and a picture of the window after it."""
        self.number += 1
        begin = self.clock()
        try:
            yield
        except WalkError as error:
            self.lines.append(f"{self.number}. {title}: NOT DONE ({error})")
            self._picture("stuck")
            raise
        taken = self.clock() - begin
        name = self._picture(title)
        self.lines.append(f"{self.number}. {title} ({taken:.1f} s), {name}")

    def _picture(self, title: str) -> str:
        words = "-".join(word for word in title.lower().replace(",", "").split() if word.isalnum())
        name = f"{self.number:02}-{words}.png"
        self.window.grab().save(str(self.out / name))
        return name

    def write(self, last: str) -> None:
        """The report; its last line says how many are Confirmed, and by what proof."""
        text = "\n".join(
            [tr("Practice: the main job, walked through the windows"), "", *self.lines]
        )
        (self.out / "report.txt").write_text(f"{text}\n\n{last}\n", encoding="utf-8")


def _qt_says(_kind: QtMsgType, _where: QMessageLogContext, words: str) -> None:
    """Qt's own messages, without the one that comes with every window drawn into memory."""
    if "propagateSizeHints" not in words:
        sys.stderr.write(words + "\n")


def walk(services: Services, hospital: Hospital, out: Path, *, pin: str) -> bool:
    """Walks from the lock to Confirmed; True where the archive has proven every image."""
    out.mkdir(parents=True, exist_ok=True)
    station = services.settings.station
    qInstallMessageHandler(_qt_says)
    application(language=station.language, theme_name=station.theme)
    services.devices.start()
    window = MainWindow(services)
    window.show()
    window.activateWindow()
    QTest.qWaitForWindowActive(window)
    report = _Report(out, window, services.clock.monotonic)
    try:
        with suppress(WalkError):  # it stands in the report, and what is not confirmed is counted
            _main_job(services, hospital, report, pin)
        statuses = services.outbox.statuses(StatusFilter())
        last = _last_line(statuses)
        report.write(last)
    finally:
        window.end()
        services.devices.stop()
        window.close()
    folder = out / "dicom"
    folder.mkdir()
    for instance in hospital.shelf.all():
        (folder / instance.path.name).write_bytes(instance.read())
    print_lines(report, last)
    return len(statuses) == PICTURES and all(_is_proven(status) for status in statuses)


def print_lines(report: _Report, last: str) -> None:
    """The report, on standard output as well."""
    import sys  # noqa: PLC0415 - the only use

    sys.stdout.write("\n".join([*report.lines, "", last]) + "\n")


def _main_job(services: Services, hospital: Hospital, report: _Report, pin: str) -> None:
    window = report.window
    with report.step(tr("The feed brings the ward")):
        _until(hospital.admissions.acknowledged.is_set, tr("the feed"))
        mai = next(iter(services.census.lookup("0012345678")))
    with report.step(tr("Sign in")):
        _type(window, pin)
        _press(window, Qt.Key.Key_Return)
        _until(lambda: not window.is_locked, tr("sign-in"))
        _until(lambda: _has_rows(window), tr("the list"))
        _pause(200)
    content = window.content
    if content is None:
        raise WalkError(tr("sign-in"))
    with report.step(tr("Find the patient")):
        _press(window, Qt.Key.Key_Slash)
        _type(window, "nguyen mai")
        _pause(400)
    with report.step(tr("Second identifier")):
        _press(window, Qt.Key.Key_Return)
        _pause(300)
    with report.step(tr("Open the workspace")):
        _type(window, example_of(mai.patient.name))
        _press(window, Qt.Key.Key_Tab)
        _type(window, str(mai.patient.birth_date.year if mai.patient.birth_date else ""))
        _press(window, Qt.Key.Key_Return)
        _until(lambda: content.exam is not None, tr("the workspace"))
        _until(partial(_sees_the_patient, window), tr("a live image"))
        _pause(300)
    with report.step(tr("Take pictures")):
        for number in range(1, PICTURES + 1):
            _until(partial(_sees_the_patient, window), tr("a live image"))
            _press(window, Qt.Key.Key_Space)
            _until(partial(_has_drafts, services, number), tr("the picture"))
        _pause(400)
    with report.step(tr("Send too early is stopped in words")):
        _press(window, Qt.Key.Key_Return, _CONTROL)
        _pause(400)
    with report.step(tr("Choose the procedure")):
        _press(window, Qt.Key.Key_1)
        _press(window, Qt.Key.Key_Return, _CONTROL)  # stopped again: the focus goes to the site
        _pause(300)
    with report.step(tr("Choose the site")):
        _press(window, Qt.Key.Key_Return)
        _type(window, "heel")
        _pause(300)
    with report.step(tr("Choose the side")):
        _press(window, Qt.Key.Key_Return)
        _press(window, Qt.Key.Key_L, _ALT)
        _pause(300)
    with report.step(tr("Send")):
        _press(window, Qt.Key.Key_Return, _CONTROL)
        _until(partial(_has_drafts, services, 0), tr("the send"))
        _pause(300)
    with report.step(tr("Look in the outbox")):
        _press(window, Qt.Key.Key_Escape)
        _pause(300)
        content.go(Place.OUTBOX)
        _pause(400)
    with report.step(tr("Confirmed by the archive")):
        _until(lambda: _all_proven(services), tr("the proof"))
        _pause(600)


def _has_rows(window: MainWindow) -> bool:
    return window.content is not None and bool(window.content.patients_vm.state.rows)


def _has_drafts(services: Services, number: int) -> bool:
    return services.outbox.counts().drafts == number


def _all_proven(services: Services) -> bool:
    statuses = services.outbox.statuses(StatusFilter())
    return len(statuses) == PICTURES and all(_is_proven(status) for status in statuses)


def _is_proven(status: ImageStatus) -> bool:
    return status.state in {ImageState.CONFIRMED, ImageState.PURGED}


def _last_line(statuses: tuple[ImageStatus, ...]) -> str:
    proven = [status for status in statuses if _is_proven(status)]
    proofs = sorted({_PROOF_WORDS.get(one.proof, "") for one in proven if one.proof})
    return tr(
        "{n} of {all} images are Confirmed, by {proof}.",
        n=len(proven),
        all=max(len(statuses), PICTURES),
        proof=", ".join(proofs) or tr("no proof"),
    )


def _pause(milliseconds: int) -> None:
    """Lets the window and the threads behind it go on: QTest's own wait stops the threads."""
    loop = QEventLoop()
    QTimer.singleShot(milliseconds, loop.quit)
    loop.exec()


def _sees_the_patient(window: MainWindow) -> bool:
    """Whether the live picture is of this exam: an older one is not shown, and not taken."""
    pages = (page for page in window.findChildren(WorkspacePage) if page.isVisible())
    return any(page.viewmodel.live.frame() is not None for page in pages)


def _type(window: MainWindow, text: str) -> None:
    for character in text:
        # Qt's key codes of letters and digits are those of ASCII's upper half; it makes the text.
        _press(window, Qt.Key(ord(character.upper())))


def _press(window: MainWindow, key: Qt.Key, held: Qt.KeyboardModifier = _NONE) -> None:
    _pause(_HAND_MS)
    QTest.keyClick(window.windowHandle(), key, held)


def _until(done: Callable[[], bool], what: str) -> None:
    for _ in range(_PATIENCE_MS // _LOOK_MS):
        if done():
            return
        _pause(_LOOK_MS)
    raise WalkError(tr("{what} did not come", what=what))
