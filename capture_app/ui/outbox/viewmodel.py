"""The outbox: what needs a person, what is on its way, what is confirmed, in true words."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from capture_app.errors import CaptureAppError, RuleError
from capture_app.exam.doubted_orders import SentWithoutOrder
from capture_app.model.delivery import ImageState, ImageStatus
from capture_app.model.encoded_image import EncodedImage
from capture_app.model.operator import Operator
from capture_app.model.procedure import Turn
from capture_app.model.words import tr, trn
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.recovery.set_apart import FileSetApart
from capture_app.outbox.status import Counts, StatusFilter
from capture_app.ui.outbox.rows import (
    OutboxAct,
    OutboxRow,
    ProofReport,
    Section,
    Sent,
    group_sends,
    proof_of,
    report_of_file,
    row_of,
    row_of_file,
    section_of,
)
from capture_app.ui.reading import Reading
from capture_app.ui.services import Services
from capture_app.ui.tasks import Tasks, UnexpectedError
from capture_app.ui.words import wording
from capture_app.ui.words.marks import Message, Tone

_CONFIRMED_SHOWN: Final = 200

_Loaded = tuple[Counts, tuple[Sent, ...], tuple[FileSetApart, ...]]


class OutboxTab(StrEnum):
    """What to show."""

    ALL = "all"
    NEEDS_YOU = "needs-you"
    IT_ASKED = "it-asked"
    WAITING = "waiting"
    CONFIRMED = "confirmed"


@dataclass(frozen=True, slots=True)
class OutboxState:
    """The page."""

    counts: Counts = field(default_factory=Counts)
    tab: OutboxTab = OutboxTab.ALL
    filter_text: str = ""
    rows: tuple[OutboxRow, ...] = ()
    """In the order of the sections: needs you, IT is asked, waiting, confirmed."""
    files: int = 0
    """How many of the rows for IT are files of which nobody knows whose picture they are."""
    loaded: bool = False
    proof: ProofReport | None = None
    """What the popover shows."""
    fault: str = ""

    def section(self, section: Section) -> tuple[OutboxRow, ...]:
        """The rows of one section."""
        return tuple(row for row in self.rows if row.section is section)


class OutboxViewModel(QObject):
    """Reads the outbox anew at each change; the acts are the outbox's, each in the trail."""

    changed = Signal()
    told = Signal(object)
    """A Message about an act that was done or refused."""

    def __init__(
        self, services: Services, tasks: Tasks, operator: Operator, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._outbox = services.outbox
        self._exams = services.exams
        self._received = services.received
        self._clock = services.clock
        self._tasks = tasks
        self._operator = operator
        self._sends: tuple[Sent, ...] = ()
        self._files: tuple[FileSetApart, ...] = ()
        self._shown = False
        self.state = OutboxState()
        self._reading = Reading(
            tasks, self._question, told=self._loaded, failed=self._failed, parent=self
        )
        self._second = QTimer(self)
        self._second.setInterval(1000)
        self._second.timeout.connect(self._tick)
        self._leave = self._outbox.on_change(lambda _id: self._reading.ask_soon())

    def close(self) -> None:
        """Ends the listening."""
        self._leave()
        self._second.stop()
        self._reading.close()

    def appear(self) -> None:
        """The page is on screen: it counts down and follows changes."""
        self._shown = True
        self._second.start()
        self.read()

    def vanish(self) -> None:
        """The page is not on screen any more."""
        self._shown = False
        self._second.stop()

    def read(self) -> None:
        """Reads anew, outside the GUI thread."""
        self._reading.ask()

    def _question(self) -> Callable[[], _Loaded] | None:
        if not self._shown:
            return None
        outbox, now = self._outbox, self._clock.now()
        return lambda: _load(outbox, now)

    def show_tab(self, tab: OutboxTab) -> None:
        """Another tab."""
        self._show(replace(self.state, tab=tab))

    def filter(self, text: str) -> None:
        """Only the patients whose name or number holds the text."""
        self._show(replace(self.state, filter_text=text))

    def act(self, row: OutboxRow, act: OutboxAct) -> None:
        """Does what a person asked for one row."""
        outbox, operator, uids = self._outbox, self._operator, row.sop_instance_uids
        if act is OutboxAct.SHOW_PROOF:
            self._show(replace(self.state, proof=self._report_of(row.key)))
            return
        if act is OutboxAct.SEND_WITHOUT_ORDER:
            self._tasks.run(
                partial(self._send_without_order, row),
                owner=self,
                done=self._sent_without_order,
                failed=lambda error: self._refused(act, error),
            )
            return
        seen = dict(row.states)
        recalled = {uid: seen[uid] for uid in row.recallable}
        jobs: dict[OutboxAct, Callable[[], int]] = {
            OutboxAct.TRY_NOW: lambda: outbox.try_now(uids, operator, seen),
            OutboxAct.ASK_NOW: lambda: outbox.try_now(uids, operator, seen),
            OutboxAct.SEND_AGAIN: lambda: outbox.try_now(uids, operator, seen),
            OutboxAct.HOLD: lambda: outbox.hold(uids, operator, seen),
            OutboxAct.RELEASE: lambda: outbox.release(uids, operator, seen),
            OutboxAct.BACK_TO_DRAFT: partial(
                outbox.call_back, row.recallable, operator, seen=recalled
            ),
        }
        self._tasks.run(
            jobs[act],
            owner=self,
            done=lambda moved: self._acted(row, act, moved),
            failed=lambda error: self._refused(act, error),
        )

    def _send_without_order(self, row: OutboxRow) -> SentWithoutOrder:
        """In the pool. Raises RuleError, and what `ExamService.send_without_order` does."""
        sent = next((sent for sent in self._sends if sent.key == row.key), None)
        if sent is None or sent.patient is None:
            raise RuleError(tr("The patient cannot be read"))
        capture_ids = [image.capture_id for image in sent.images]
        return self._exams.send_without_order(
            capture_ids, self._operator, dict(row.states), sent.patient
        )

    def _sent_without_order(self, done: SentWithoutOrder) -> None:
        what = trn(
            "{n} picture is sent without the order.",
            "{n} pictures are sent without the order.",
            len(done.sending.capture_ids),
        )
        todo = tr("It is held for a few seconds. Tell IT which order it was.")
        if done.called_back:
            todo = trn(
                "{n} other picture under the order is a draft now: open the patient to send it.",
                "{n} other pictures under the order are drafts now: open the patient to send them.",
                done.called_back,
            )
        self.told.emit(Message(what, todo, "paper-plane-right"))
        self.read()

    def _report_of(self, key: str) -> ProofReport | None:
        reports = (
            *(proof_of(sent, self._clock.now()) for sent in self._sends if sent.key == key),
            *filter(lambda report: report.key == key, map(report_of_file, self._files)),
        )
        return next(iter(reports), None)

    def image_of(self, row: OutboxRow) -> EncodedImage:
        """The picture that stands for a row. Blocks: for the pool. Raises as the outbox does."""
        filed = self._received.filed_image_of(row.capture_id)
        return filed or self._outbox.poster_of(row.capture_id)

    def turn_of(self, row: OutboxRow) -> Turn:
        """As it was turned. Blocks and raises as `image_of`."""
        return self._outbox.description_of(row.capture_id).turn

    def close_proof(self) -> None:
        """The popover closes."""
        self._show(replace(self.state, proof=None))

    def _loaded(self, loaded: _Loaded) -> None:
        counts, self._sends, self._files = loaded
        state = replace(self.state, counts=counts, files=len(self._files), loaded=True, fault="")
        self._show(state)

    def _acted(self, row: OutboxRow, act: OutboxAct, moved: int) -> None:
        if act is OutboxAct.BACK_TO_DRAFT:
            what = trn("{n} picture is a draft again.", "{n} pictures are drafts again.", moved)
            todo = tr("Open the patient to change, delete or send again.")
            self.told.emit(Message(what, todo, "arrow-u-up-left"))
        if act is OutboxAct.HOLD and (gone := len(row.states) - moved):
            what = trn("{n} picture is held.", "{n} pictures are held.", moved)
            todo = trn("{n} is on its way already.", "{n} are on their way already.", gone)
            self.told.emit(Message(what, todo, "pause"))
        self.read()

    def _refused(self, act: OutboxAct, error: CaptureAppError) -> None:
        if isinstance(error, UnexpectedError):  # how far it came is read below
            what, todo = error.what, error.todo
        elif act is OutboxAct.BACK_TO_DRAFT:
            what, todo = tr("Not a draft again."), str(error)
        elif act is OutboxAct.SEND_WITHOUT_ORDER:
            what, todo = tr("Not sent."), str(error)
        else:
            what, todo = tr("Nothing was changed."), str(error)
        self.told.emit(Message(what, todo, "warning-circle", Tone.BAD))
        self.read()

    def _failed(self, error: CaptureAppError) -> None:
        self._show(replace(self.state, fault=str(error), loaded=True))

    def _tick(self) -> None:
        if any(sent.counts_down for sent in self._sends):
            self._show(self.state)

    def _show(self, state: OutboxState) -> None:
        now = self._clock.now()
        rows = tuple(
            row_of(sent, now)
            for sent in self._sends
            if _in_tab(sent, state.tab) and _matches(sent, state.filter_text)
        )
        if state.tab in (OutboxTab.ALL, OutboxTab.IT_ASKED) and not state.filter_text:
            rows = tuple(
                sorted(
                    (*rows, *(row_of_file(file, now) for file in self._files)),
                    key=lambda row: tuple(Section).index(row.section),
                )
            )
        state = replace(state, rows=rows)
        if state != self.state:
            self.state = state
            self.changed.emit()


def _load(outbox: Outbox, now: datetime) -> _Loaded:
    """What is shown, read in the pool: the words of a send need its exam, which is sealed."""
    open_states = frozenset(ImageState) - {
        ImageState.DRAFT,
        ImageState.CONFIRMED,
        ImageState.PURGED,
    }
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    statuses: tuple[ImageStatus, ...] = (
        *outbox.statuses(StatusFilter(states=open_states)),
        *outbox.statuses(
            StatusFilter(
                states=frozenset({ImageState.CONFIRMED, ImageState.PURGED}),
                changed_since=midnight,
                limit=_CONFIRMED_SHOWN,
            )
        ),
    )
    return outbox.counts(), group_sends(outbox, statuses), outbox.files_set_apart()


def _in_tab(sent: Sent, tab: OutboxTab) -> bool:
    wanted = {
        OutboxTab.NEEDS_YOU: Section.NEEDS_YOU,
        OutboxTab.IT_ASKED: Section.IT_ASKED,
        OutboxTab.WAITING: Section.WAITING,
        OutboxTab.CONFIRMED: Section.CONFIRMED,
    }.get(tab)
    return wanted is None or section_of(sent.images[0].state) is wanted


def _matches(sent: Sent, text: str) -> bool:
    asked = _plain(text).split()
    if (patient := sent.patient) is None:
        return not asked
    number = patient.patient_id.value
    where = _plain(f"{wording.shown_name(patient.name)} {wording.native(patient.name)} {number}")
    where += " " + _plain(wording.last_digits(patient.patient_id))
    return all(word in where for word in asked)


def _plain(text: str) -> str:
    apart = unicodedata.normalize("NFKD", text)
    return "".join(c for c in apart if not unicodedata.combining(c)).casefold()


def empty_words(state: OutboxState) -> str:
    """What an empty page says."""
    if not state.loaded:
        return ""
    if state.filter_text:
        return tr('No pictures of "{text}" here.', text=state.filter_text)
    counts, tab = state.counts, state.tab
    if tab is OutboxTab.CONFIRMED:
        return tr("Nothing confirmed today yet.")
    if tab is OutboxTab.NEEDS_YOU:
        return tr("Nothing needs you.")
    if tab is OutboxTab.IT_ASKED:
        return tr("IT is asked about nothing.")
    if counts.stopped or state.files:
        return tr("Nothing is on its way.")
    if counts.drafts:
        return trn(
            "Nothing is on its way. {n} draft is not sent yet: open its patient.",
            "Nothing is on its way. {n} drafts are not sent yet: open their patients.",
            counts.drafts,
        )
    return tr("All sent and confirmed.")
