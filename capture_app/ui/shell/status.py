"""The status strip: honest technical health, in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from capture_app.audit.news import TrailNews
from capture_app.diagnostics.certificates import CertificateLife, certificate_lives
from capture_app.errors import CaptureAppError
from capture_app.model.delivery import ImageState, ImageStatus
from capture_app.model.words import tr, trn
from capture_app.outbox.status import Counts, StatusFilter
from capture_app.store.sealed import free_bytes
from capture_app.ui.patients.feeds import to_look_at
from capture_app.ui.reading import Reading
from capture_app.ui.services import Services
from capture_app.ui.tasks import Tasks
from capture_app.ui.words import wording
from capture_app.ui.words.marks import ChipText, Tone

_TYPICAL_PICTURE: Final = 6_000_000
"""Bytes that a picture and its sealed instance take together, for the words about a full disk."""
_LOW_BYTES: Final = 5_000_000_000
_EVERY_MS: Final = 5000
_CLOCK_TOLD_FOR: Final = timedelta(days=1)

_Read = tuple[
    Counts,
    int,
    tuple[ImageStatus, ...],
    datetime | None,
    int,
    int,
    tuple[CertificateLife, ...],
    TrailNews,
]


@dataclass(frozen=True, slots=True)
class StatusState:
    """The strip. Each part is a mark and words."""

    archive: ChipText
    outbox: ChipText
    disk: ChipText
    feed: ChipText = ChipText("", "warning", Tone.WARN)  # noqa: RUF009 - frozen
    """What of the feeds somebody should look at; without words where there is nothing."""
    certificate: ChipText = ChipText("", "warning", Tone.WARN)  # noqa: RUF009 - frozen
    """The first certificate to end, where that is soon; without words where none does."""
    trail: ChipText = ChipText("", "warning-circle", Tone.BAD)  # noqa: RUF009 - frozen
    """That the trail does not hold, or the clock was set; without words where neither is so."""
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
        self._leave = (
            services.outbox.on_change(lambda _capture_id: self._reading.ask_soon()),
            services.census.on_change(self._reading.ask_soon),
        )
        self._ticking = QTimer(self)
        self._ticking.setInterval(_EVERY_MS)
        self._ticking.timeout.connect(self.read)
        self._ticking.start()
        self.read()

    def close(self) -> None:
        """Ends the listening; the window is closing."""
        for leave in self._leave:
            leave()
        self._ticking.stop()
        self._reading.close()

    def read(self) -> None:
        """Reads anew, outside the GUI thread."""
        self._reading.ask()

    def _question(self) -> Callable[[], _Read]:
        outbox, folder = self._services.outbox, self._services.settings.data_dir
        census, settings = self._services.census, self._services.settings
        auditing = self._services.auditing
        waiting = StatusFilter(
            states=frozenset({ImageState.QUEUED, ImageState.SENDING, ImageState.SENT}), limit=50
        )
        return lambda: (
            outbox.counts(),
            len(outbox.files_set_apart()),
            outbox.statuses(waiting),
            outbox.last_answered(),
            free_bytes(folder),
            sum(to_look_at(feed) for feed in census.feed_status()),
            certificate_lives(settings, self._services.clock.now()),
            auditing.news(),
        )

    def _told(self, told: _Read) -> None:
        counts, set_apart, waiting, answered, free, for_it, lives, news = told
        configured = bool(self._services.settings.archives)
        state = StatusState(
            archive=_archive_words(counts, waiting, answered, configured=configured),
            outbox=_outbox_words(counts, set_apart),
            disk=_disk_words(free),
            feed=_feed_words(for_it),
            certificate=_certificate_words(lives),
            trail=_trail_words(news, self._services.clock.now()),
            waiting=counts.waiting + counts.stopped,
            unsent=counts.waiting + counts.stopped + counts.drafts,
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
    counts: Counts,
    waiting: tuple[ImageStatus, ...],
    answered: datetime | None,
    *,
    configured: bool,
) -> ChipText:
    """What the last dealings with the archive say; nothing is claimed that was not seen."""
    if not configured:
        return ChipText(tr("No archive is set up"), "warning", Tone.WARN)
    troubled = [status for status in waiting if status.failures]
    if troubled:
        return ChipText(tr("Archive does not answer well"), "warning", Tone.WARN)
    if any(status.state is ImageState.SENT for status in waiting):
        return ChipText(tr("Archive is taking pictures"), "check-circle", Tone.OK)
    if any(status.state is ImageState.SENDING for status in waiting):
        return ChipText(tr("Sending to the archive"), "arrow-up")
    if answered is not None:
        time = wording.clock_time(answered.astimezone())
        return ChipText(tr("Archive answered {time}", time=time), "check-circle", Tone.OK)
    if counts.stopped:  # it was asked: a refusal is an answer, too
        return ChipText(tr("Archive has taken nothing yet"), "warning", Tone.WARN)
    return ChipText(tr("Archive not asked yet"), "clock")


def _outbox_words(counts: Counts, set_apart: int) -> ChipText:
    if counts.stopped or set_apart:
        parts = [tr("Outbox: {waiting} waiting", waiting=counts.waiting)]
        if counts.needs_you:
            parts.append(trn("{n} needs you", "{n} need you", counts.needs_you))
        if counts.it_asked:
            parts.append(trn("IT is asked about {n}", "IT is asked about {n}", counts.it_asked))
        if set_apart:
            parts.append(
                trn(
                    "{n} file cannot be read: IT is asked",
                    "{n} files cannot be read: IT is asked",
                    set_apart,
                )
            )
        return ChipText(", ".join(parts), "paper-plane-right", Tone.WARN)
    return ChipText(
        tr(
            "Outbox: {waiting} waiting, {confirmed} confirmed today",
            waiting=counts.waiting,
            confirmed=counts.confirmed_today,
        ),
        "paper-plane-right",
    )


def _feed_words(n: int) -> ChipText:
    words = trn("Patient lists: {n} for IT", "Patient lists: {n} for IT", n) if n else ""
    return ChipText(words, "warning", Tone.WARN)


def _certificate_words(lives: tuple[CertificateLife, ...]) -> ChipText:
    """The first to end: then nothing is delivered any more, and only IT can renew it."""
    life = next((life for life in lives if life.problem), None)
    if life is None:
        return ChipText("", "warning", Tone.WARN)
    if life.is_valid:
        words = trn(
            "{n} day left: certificate of {name}",
            "{n} days left: certificate of {name}",
            life.days,
            name=life.owner,
        )
        return ChipText(words, "warning", Tone.WARN)
    words = tr("Not valid: certificate of {name}", name=life.owner)
    return ChipText(words, "warning-circle", Tone.BAD)


def _trail_words(news: TrailNews, now: datetime) -> ChipText:
    """What somebody did to the trail goes before what was done to the clock."""
    if not news.holds or news.open_breaks:
        return ChipText(tr("Trail broken: tell IT"), "warning-circle", Tone.BAD)
    was_set = news.clock_set
    if was_set is None or abs(now - was_set.at) > _CLOCK_TOLD_FOR:
        return ChipText("", "warning-circle", Tone.BAD)
    length = wording.span(timedelta(seconds=abs(was_set.seconds)))
    words = (
        tr("Clock set forward by {length}", length=length)
        if was_set.seconds > 0
        else tr("Clock set back by {length}", length=length)
    )
    return ChipText(words, "warning", Tone.WARN)


def _disk_words(free: int) -> ChipText:
    if free < _LOW_BYTES:
        n = max(0, free // _TYPICAL_PICTURE)
        words = trn("Room for about {n} picture", "Room for about {n} pictures", n)
        return ChipText(words, "warning", Tone.WARN)
    return ChipText(tr("{n} GB free", n=free // 1_000_000_000), "hard-drives")
