"""What the page of the trail shows, and what an auditor does there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, Signal

from capture_app.audit.reading import TrailExcerpt, TrailFilter
from capture_app.audit.verify import ChainReport
from capture_app.errors import CaptureAppError, StoreError
from capture_app.model.operator import Operator
from capture_app.model.words import tr
from capture_app.security.auditing import ExportKind
from capture_app.settings.write_once import replace_file
from capture_app.ui.reading import Reading
from capture_app.ui.services import Services
from capture_app.ui.tasks import Tasks
from capture_app.ui.trail.words import row_of, verdict
from capture_app.ui.words.marks import Tone
from capture_app.ui.words.shown import ListRow

MOST_SHOWN: Final = 500


class Period(StrEnum):
    """How far back is looked."""

    DAY = "day"
    WEEK = "week"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class TrailState:
    """The page. `rows` are those that the filter leaves, newest first."""

    period: Period = Period.DAY
    text: str = ""
    rows: tuple[ListRow, ...] = ()
    note: str = ""
    """What is to be known of the list: that there are older ones, or rows that cannot be read."""
    verdict: str = ""
    tone: Tone = Tone.TEXT_2
    has_open_break: bool = False
    busy: bool = False
    """An act is under way."""
    said: str = ""
    fault: str = ""


class TrailViewModel(QObject):
    """Reads when the page appears and when the period changes: each reading is an act in the trail,
    so what is typed into the filter looks through what was read.
    """

    changed = Signal()

    def __init__(
        self, services: Services, tasks: Tasks, operator: Operator, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._auditing = services.auditing
        self._clock = services.clock
        self._tasks = tasks
        self._operator = operator
        self._read: tuple[ListRow, ...] = ()
        self.state = TrailState()
        self._reading: Reading[tuple[TrailExcerpt, ChainReport]] = Reading(
            tasks, self._question, told=self._told, failed=self._failed, parent=self
        )

    def appear(self) -> None:
        """The page is on screen: it reads and proves."""
        self._reading.ask()

    def close(self) -> None:
        """The user has gone."""
        self._reading.close()

    def show_period(self, period: Period) -> None:
        """Reads another period."""
        if period is not self.state.period:
            self._show(replace(self.state, period=period))
            self._reading.ask()

    def filter(self, text: str) -> None:
        """Shows those acts alone whose user or kind has all of these words."""
        self._show(replace(self.state, text=text, rows=self._left(text)))

    def export(self, kind: ExportKind, path: Path) -> None:
        """Writes the acts of the period into a file that only its owner can read."""
        wanted = self._wanted()

        def write() -> None:
            text = self._auditing.export(self._operator, wanted, kind)
            try:
                replace_file(path, text.encode())
            except OSError as error:
                reason = error.strerror or type(error).__name__
                raise StoreError(
                    tr("The file cannot be written: {reason}.", reason=reason)
                ) from error

        self._act(write, tr("The trail was written to the file that you chose."))

    def see_breaks(self) -> None:
        """Says that the breaks were looked into."""
        self._act(
            lambda: self._auditing.see_breaks(self._operator),
            tr("Written down: the breaks were looked into."),
        )

    def _act(self, work: Callable[[], object], said: str) -> None:
        if self.state.busy:
            return
        self._show(replace(self.state, busy=True, said="", fault=""))

        def done(_: object) -> None:
            self._show(replace(self.state, said=said))
            self._reading.ask()

        self._tasks.run(
            work,
            owner=self,
            done=done,
            failed=self._failed,
            ended=lambda: self._show(replace(self.state, busy=False)),
        )

    def _wanted(self) -> TrailFilter:
        days = {Period.DAY: 1, Period.WEEK: 7}.get(self.state.period)
        since = self._clock.now() - timedelta(days=days) if days else None
        return TrailFilter(since=since)

    def _question(self) -> Callable[[], tuple[TrailExcerpt, ChainReport]]:
        auditing, operator, wanted = self._auditing, self._operator, self._wanted()

        def read() -> tuple[TrailExcerpt, ChainReport]:
            page = auditing.find(operator, wanted, limit=MOST_SHOWN)
            return page, auditing.verify()

        return read

    def _told(self, answer: tuple[TrailExcerpt, ChainReport]) -> None:
        page, found = answer
        self._read = tuple(row_of(row) for row in page.rows)
        notes = []
        if page.has_more:
            notes.append(tr("The newest {n}; an export has all.", n=MOST_SHOWN))
        if page.unreadable:
            notes.append(tr("Rows that cannot be read: {n}.", n=page.unreadable))
        words, tone = verdict(found)
        self._show(
            replace(
                self.state,
                rows=self._left(self.state.text),
                note=" ".join(notes),
                verdict=words,
                tone=tone,
                has_open_break=any(not one.is_seen for one in found.breaks),
                fault="",
            )
        )

    def _left(self, text: str) -> tuple[ListRow, ...]:
        words = text.casefold().split()
        return tuple(row for row in self._read if all(word in row.also for word in words))

    def _failed(self, error: CaptureAppError) -> None:
        self._show(replace(self.state, fault=str(error)))

    def _show(self, state: TrailState) -> None:
        if state != self.state:
            self.state = state
            self.changed.emit()
