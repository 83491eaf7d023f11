"""The status strip: honest technical health, in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from capture_app.errors import CaptureAppError
from capture_app.model.delivery import ImageState, ImageStatus
from capture_app.model.words import tr, trn
from capture_app.outbox.status import Counts, StatusFilter
from capture_app.store.sealed import free_bytes
from capture_app.ui.reading import Reading
from capture_app.ui.services import Services
from capture_app.ui.tasks import Tasks
from capture_app.ui.words import wording
from capture_app.ui.words.marks import ChipText, Tone

_TYPICAL_PICTURE: Final = 6_000_000
"""Bytes that a picture and its sealed instance take together, for the words about a full disk."""
_LOW_BYTES: Final = 5_000_000_000
_EVERY_MS: Final = 5000

_Read = tuple[Counts, tuple[ImageStatus, ...], tuple[ImageStatus, ...], int]


@dataclass(frozen=True, slots=True)
class StatusState:
    """The strip. Each part is a mark and words."""

    archive: ChipText
    outbox: ChipText
    disk: ChipText
    waiting: int = 0
    """What waits or needs a person: the number beside Outbox in the navigation."""
    unsent: int = 0
    """Drafts too: what leaving names."""
    clock: str = ""


class StatusViewModel(QObject):
    """Reads the outbox's counts and the free room: at each change, and every few seconds."""

    changed = Signal()

    def __init__(self, services: Services, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._services = services
        self._reading = Reading(
            tasks, self._question, told=self._told, failed=self._failed, parent=self
        )
        self.state = StatusState(
            archive=ChipText(tr("Archive not asked yet"), "clock"),
            outbox=ChipText(tr("Outbox"), "paper-plane-right"),
            disk=ChipText("", "hard-drives"),
        )
        self._leave = services.outbox.on_change(lambda _capture_id: self._reading.ask_soon())
        self._ticking = QTimer(self)
        self._ticking.setInterval(_EVERY_MS)
        self._ticking.timeout.connect(self.read)
        self._ticking.start()
        self.read()

    def close(self) -> None:
        """Ends the listening; the window is closing."""
        self._leave()
        self._ticking.stop()
        self._reading.close()

    def read(self) -> None:
        """Reads anew, outside the GUI thread."""
        self._reading.ask()

    def _question(self) -> Callable[[], _Read]:
        outbox, folder = self._services.outbox, self._services.settings.data_dir
        waiting = StatusFilter(
            states=frozenset({ImageState.QUEUED, ImageState.SENDING, ImageState.SENT}), limit=50
        )
        newest = StatusFilter(
            states=frozenset({ImageState.CONFIRMED, ImageState.PURGED, ImageState.LISTED}), limit=1
        )
        return lambda: (
            outbox.counts(),
            outbox.statuses(waiting),
            outbox.statuses(newest),
            free_bytes(folder),
        )

    def _told(self, told: _Read) -> None:
        counts, waiting, newest, free = told
        configured = bool(self._services.settings.archives)
        state = StatusState(
            archive=_archive_words(waiting, newest, configured=configured),
            outbox=_outbox_words(counts),
            disk=_disk_words(free),
            waiting=counts.waiting + counts.needs_you,
            unsent=counts.waiting + counts.needs_you + counts.drafts,
            clock=wording.clock_time(self._services.clock.now()),
        )
        self._show(state)

    def _failed(self, error: CaptureAppError) -> None:
        self._show(replace(self.state, outbox=ChipText(str(error), "warning-circle", Tone.BAD)))

    def _show(self, state: StatusState) -> None:
        if state != self.state:
            self.state = state
            self.changed.emit()


def _archive_words(
    waiting: tuple[ImageStatus, ...], newest: tuple[ImageStatus, ...], *, configured: bool
) -> ChipText:
    """What the last dealings with the archive say; nothing is claimed that was not seen."""
    if not configured:
        return ChipText(tr("No archive is set up"), "warning", Tone.WARN)
    troubled = [status for status in waiting if status.failures]
    if troubled:
        return ChipText(tr("Archive does not answer well"), "warning", Tone.WARN)
    if any(status.state in (ImageState.SENDING, ImageState.SENT) for status in waiting):
        return ChipText(tr("Archive is taking pictures"), "check-circle", Tone.OK)
    if newest:
        time = wording.clock_time(newest[0].changed_at.astimezone())
        return ChipText(tr("Archive answered {time}", time=time), "check-circle", Tone.OK)
    return ChipText(tr("Archive not asked yet"), "clock")


def _outbox_words(counts: Counts) -> ChipText:
    if counts.needs_you:
        words = tr(
            "Outbox: {waiting} waiting, {needing} need you",
            waiting=counts.waiting,
            needing=counts.needs_you,
        )
        return ChipText(words, "paper-plane-right", Tone.WARN)
    return ChipText(
        tr(
            "Outbox: {waiting} waiting, {confirmed} confirmed today",
            waiting=counts.waiting,
            confirmed=counts.confirmed_today,
        ),
        "paper-plane-right",
    )


def _disk_words(free: int) -> ChipText:
    if free < _LOW_BYTES:
        n = max(0, free // _TYPICAL_PICTURE)
        words = trn("Room for about {n} picture", "Room for about {n} pictures", n)
        return ChipText(words, "warning", Tone.WARN)
    return ChipText(tr("{n} GB free", n=free // 1_000_000_000), "hard-drives")
