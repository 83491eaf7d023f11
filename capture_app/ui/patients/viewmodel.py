"""The patient list: found by anything a person knows, opened by a scan or after a check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final

from PySide6.QtCore import QObject, QTimer, Signal

from capture_app.errors import CaptureAppError
from capture_app.exam.orders import of_row
from capture_app.model.exam import Exam
from capture_app.model.operator import Operator
from capture_app.model.order import Order
from capture_app.model.patient import Patient
from capture_app.model.words import tr, trn
from capture_app.model.worklist import IdentifiedBy, PatientListEntry
from capture_app.patients.finding.scan import ScannedCode, ScanRules
from capture_app.patients.finding.tabs import Tab
from capture_app.ui.identity.viewmodel import IdentityCheck
from capture_app.ui.patients.drafts import DraftCard, DraftsSeen
from capture_app.ui.patients.feeds import feed_lines
from capture_app.ui.patients.found import (
    FeedsSeen,
    Found,
    count_moves,
    find,
    held_still,
    read_feeds,
)
from capture_app.ui.patients.holding import Holding
from capture_app.ui.patients.last_identified import Identified, LastIdentified
from capture_app.ui.patients.merges import MergeSettling
from capture_app.ui.patients.row_order import RowOrder
from capture_app.ui.patients.rows import RowKey, key_of
from capture_app.ui.patients.scanning import entry_of, not_opened, scan_again
from capture_app.ui.patients.state import PatientsState, state_of
from capture_app.ui.reading import Reading
from capture_app.ui.services import Services
from capture_app.ui.tasks import Tasks
from capture_app.ui.words.marks import Message, Tone

_SLOW_MS: Final = 400
_AGES_EVERY_S: Final = 60.0
_FEEDS_EVERY_S: Final = 5.0
_ASK_AGAIN_S: Final = 5.0
"""A list that could not be read is asked for again after so long."""


class PatientsViewModel(QObject):
    """Searches outside the GUI thread; holds the rows still under the pointer and under Enter."""

    changed = Signal()
    opened = Signal(object)
    """The Exam that was opened."""
    told = Signal(object)
    """A Message, for whatever page is on screen."""

    def __init__(
        self,
        services: Services,
        tasks: Tasks,
        operator: Operator,
        when_free: Callable[[Callable[[], None]], None],
        confirms: Callable[[PatientListEntry], bool],
        parent: QObject | None = None,
    ) -> None:
        """`when_free` calls back once another exam may begin: no picture is on its way to disk.
        `confirms`: takes a scan of the patient who is open already, and says whether it was one.
        """
        super().__init__(parent)
        self._services = services
        self._tasks = tasks
        self._operator = operator
        self._when_free = when_free
        self._confirms = confirms
        self._question = 0
        self._found = Found(-1, "", Tab.WARD)
        self._newer: Found | None = None
        self._drafts = DraftsSeen()
        self._drafts_changed = True
        self._read_at = services.clock.monotonic()
        self._feeds = self._found.feeds
        self._enter_waits = False
        self._last = LastIdentified(services.clock)
        self.scan_rules = ScanRules.of(services.settings)
        """What a scanned code must be to open anybody."""
        self.merges = MergeSettling(services, tasks, operator, self)
        self.merges.told.connect(self.told)
        self.check: IdentityCheck | None = None
        """The question that is open, if one is."""
        self.order_question: RowOrder | None = None
        """The question which order a row stands for, if that is open."""
        self.state = PatientsState()
        self._holding = Holding(services.clock, self._let_go, self)
        self._slow = self._timer(_SLOW_MS, self._say_loading)
        self._reading = Reading(
            tasks, self._search, told=self._answered, failed=self._failed, parent=self
        )
        self._feeds_reading = Reading(
            tasks, lambda: partial(read_feeds, services), told=self._feeds_read, parent=self
        )
        self._may_say_failed = True
        self._ask_again_at = 0.0
        self._second = self._timer(1000, self._tick, once=False)
        self._second.start()
        self._leave = (
            services.census.on_change(self._reading.ask_soon),
            services.outbox.on_change(lambda _id: tasks.post(self, self._pictures_changed)),
        )
        self.read()

    def _timer(self, milliseconds: int, act: Callable[[], None], *, once: bool = True) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(once)
        timer.setInterval(milliseconds)
        timer.timeout.connect(act)
        return timer

    def close(self) -> None:
        """Ends the listening; another user comes, or the window closes."""
        for leave in self._leave:
            leave()
        for timer in (self._slow, self._second):
            timer.stop()
        self._reading.close()
        self._feeds_reading.close()
        self._holding.close()

    # ---------------------------------------------------------------------- finding

    def filter(self, text: str) -> None:
        """Other words in the filter: the list is searched for them at once."""
        if text != self.state.text:
            self.touched()
            self._asks_anew(replace(self.state, text=text, marked=None))

    def show_tab(self, tab: Tab) -> None:
        """Another part of the list."""
        if tab is not self.state.tab:
            self._asks_anew(replace(self.state, tab=tab, marked=None))

    def _asks_anew(self, state: PatientsState) -> None:
        self._question += 1
        self._enter_waits = False
        self._show(state)
        self.read()

    def read(self) -> None:
        """Asks the census, outside the GUI thread; one question at a time, the last one counts."""
        self._reading.ask()

    def _search(self) -> Callable[[], Found]:
        self._slow.start()
        question = self._question, self.state.text, self.state.tab
        # Drafts are sealed: they are opened again where they changed, not for every key.
        known = None if self._drafts_changed else self._drafts
        self._drafts_changed = False
        return partial(find, self._services, self._operator, question, known)

    def _pictures_changed(self) -> None:
        self._drafts_changed = True
        self._reading.ask_soon()

    def _answered(self, found: Found) -> None:
        self._slow.stop()
        self._may_say_failed = True
        self._drafts = found.drafts
        self._feeds = found.feeds
        if found.question != self._question:
            return  # the words changed meanwhile: their own answer is on its way
        is_same = self._found.question == found.question
        if is_same and self._is_held() and count_moves(self._found, found):
            self._found, self._newer = held_still(self._found, found), found
            self._refresh()
        else:
            self._take(found)
        if self._enter_waits:
            self._enter_waits = False
            if len(self.state.rows) == 1:
                self.open_marked()

    def _failed(self, error: CaptureAppError) -> None:
        self._slow.stop()
        self._drafts_changed = True
        self._enter_waits = False  # nobody is opened by an Enter of long ago
        self._ask_again_at = self._services.clock.monotonic() + _ASK_AGAIN_S
        self._show(replace(self.state, loading=""))
        if self._may_say_failed:  # said once, asked again until it can be read
            self._may_say_failed = False
            self._tell_fault(tr("The list cannot be read."), str(error))

    def _take(self, found: Found) -> None:
        self._found, self._newer = found, None
        self._refresh()

    def _refresh(self, **changes: Any) -> None:
        """Makes the state from what was found, as of now, with these changes."""
        if self.shows_what_was_asked:
            check = self.check
            asked = None if check is None else (check.patient, check.state.question)
            feeds = self._feeds.as_of(self._services.clock.monotonic())
            now = self._services.clock.now()
            state = state_of(self.state, self._found, self._newer, feeds, asked, now)
            state = replace(state, feed_lines=feed_lines(self._feeds.messages, feeds, now))
        else:
            state = self.state
        self._show(replace(state, **changes))

    def _tick(self) -> None:
        """Only what time changes: how old the feeds are. All else is read when it changes."""
        now = self._services.clock.monotonic()
        if now - self._read_at >= _AGES_EVERY_S:
            self._read_at = now
            self._pictures_changed()  # a draft is another minute old, a day may have ended
        elif not self._may_say_failed and now >= self._ask_again_at:
            self.read()
        elif now - self._feeds.at >= _FEEDS_EVERY_S and not self._feeds_reading.is_asking:
            self._feeds_reading.ask()
        self._refresh()

    def _feeds_read(self, feeds: FeedsSeen) -> None:
        self._feeds = feeds
        self._refresh()

    def _say_loading(self) -> None:
        n = dict(self._found.counts).get(self.state.tab, 0)
        words = trn("Loading {n} patient", "Loading {n} patients", n) if n else tr("Loading")
        self._show(replace(self.state, loading=words))

    @property
    def shows_what_was_asked(self) -> bool:
        """Whether the rows are the answer to the words in the filter."""
        return self._found.question == self._question

    # ---------------------------------------------------------------------- holding still

    def pointed(self, *, over: bool) -> None:
        """The pointer came over the rows, or left them."""
        self._holding.pointed(over=over)

    def touched(self) -> None:
        """A key was pressed, or the list was touched: for a moment nothing moves."""
        self._holding.touched()

    def apply_changes(self) -> None:
        """The person asked for the changes now."""
        if self._newer is not None:
            self._take(self._newer)

    def _is_held(self) -> bool:
        asks = self.check is not None or self.order_question is not None
        return asks or self._holding.is_held

    def _let_go(self) -> None:
        if self._newer is not None and not self._is_held():
            self._take(self._newer)

    # ---------------------------------------------------------------------- choosing

    def move(self, by: int) -> None:
        """Marks another row."""
        self.touched()
        keys = [row.key for row in self.state.rows]
        if not keys:
            return
        before = -1 if by > 0 else len(keys)
        if self.state.marked in keys:
            before = keys.index(self.state.marked)
        at = min(len(keys) - 1, max(0, before + by))
        self._show(replace(self.state, marked=keys[at]))

    def mark(self, key: RowKey) -> None:
        """Marks this row; Enter opens it."""
        self.touched()
        self._show(replace(self.state, marked=key))

    def open_marked(self) -> None:
        """Enter. While the words are still being looked for it waits for their one match."""
        self.touched()
        if not self.shows_what_was_asked:
            self._enter_waits = True
        elif self.state.marked is not None:
            self.choose(self.state.marked)

    def choose(self, key: RowKey) -> None:
        """A row is to be opened. A row of the worklist is an order, a row elsewhere is none."""
        entry = next((entry for entry in self._found.entries if key_of(entry) == key), None)
        if entry is None:
            return
        self._show(replace(self.state, marked=key))
        if self._found.tab is Tab.WORKLIST and entry.orders:
            self._ask(entry.patient, partial(self._open_order, entry, key), key)
        else:
            self._ask(entry.patient, partial(self._open_row, entry, None), key)

    def _open_order(self, entry: PatientListEntry, key: RowKey, identified: Identified) -> None:
        order = of_row(entry, self._services.devices.chosen)
        if order is not None:
            self._open_row(entry, order, identified)
            return
        question = RowOrder(self._services, entry, key, self)
        self.order_question = question
        question.answered.connect(lambda order: self._order_told(entry, order, identified))
        question.closed.connect(self._end_order_question)
        self._show(replace(self.state, order_asked=key))

    def _order_told(
        self, entry: PatientListEntry, order: Order | None, identified: Identified
    ) -> None:
        self._end_order_question()
        self._open_row(entry, order, identified)

    def _end_order_question(self) -> None:
        question, self.order_question = self.order_question, None
        if question is not None:
            question.deleteLater()
            self._show(replace(self.state, order_asked=None))
            self._let_go()

    def _open_row(
        self, entry: PatientListEntry, order: Order | None, identified: Identified
    ) -> None:
        begin = partial(self._services.exams.open, entry, self._operator)
        self._open(lambda: begin(identified[0], order, identified[1]), identified)

    def reopen(self, card: DraftCard) -> None:
        """Drafts are to be taken up again: same patient, visit and order. That asks always."""
        exam_id, patient = card.exam.exam_id, card.patient
        begin_anew = partial(self._services.exams.reopen, exam_id, self._operator, shown=patient)

        def begin(identified: Identified) -> None:
            self._open(lambda: begin_anew(*identified), identified)

        self._last.forget()
        self._ask(patient, begin, None)

    def scanned(self, code: ScannedCode) -> None:
        """A wristband was scanned, on whatever page: it opens its patient at once, or nobody."""
        entry = entry_of(code, self.scan_rules, self._services.census)
        if self.state.opening:
            entry = scan_again()  # another is being opened: never one for the other
        if isinstance(entry, Message):
            self.told.emit(entry)
        else:
            self._end_questions()
            self._open_scanned(entry)

    def _open_scanned(self, entry: PatientListEntry) -> None:
        """Opens whose wristband it was; for the open patient it says again who is there."""
        if self._confirms(entry):
            return
        exams, operator, now = self._services.exams, self._operator, self._services.clock.now()
        by = IdentifiedBy.SCAN
        self._open(lambda: exams.open(entry, operator, by), (by, now))

    def _ask(
        self, patient: Patient, then: Callable[[Identified], None], row: RowKey | None
    ) -> None:
        """Asks the second identifier, unless the settings or a moment ago make it needless."""
        if self.state.opening or self.check is not None or self.order_question is not None:
            return
        now = self._services.clock.now()
        if not self._services.settings.security.second_identifier:
            then((IdentifiedBy.NOTHING, now))
            return
        if (known_at := self._last.known_at(patient)) is not None:
            then((IdentifiedBy.KNOWN, known_at))
            return
        others = [entry.patient for entry in self._found.entries]
        others += self._services.census.look_alikes(patient)
        check = IdentityCheck(self._services, self._tasks, self._operator, patient, others, self)
        self.check = check
        check.passed.connect(lambda: self._passed(check, then))
        check.closed.connect(self._not_passed)
        self._refresh(asked=row)

    def _passed(self, check: IdentityCheck, then: Callable[[Identified], None]) -> None:
        by = check.state.question.identifies_by
        self._end_check()
        then((by, self._services.clock.now()))

    def _not_passed(self, was_wrong: bool) -> None:  # noqa: FBT001 - a signal's slot
        self._end_check()
        if was_wrong:
            todo = tr("Scan the wristband, or look for the right patient.")
            self._tell_fault(tr("Nobody was opened: three answers did not fit."), todo)

    def _end_check(self) -> None:
        check, self.check = self.check, None
        if check is not None:
            check.deleteLater()
            self._refresh(asked=None)
            self._let_go()

    def _end_questions(self) -> None:
        self._end_check()
        self._end_order_question()

    def stay_known(self) -> None:
        """The patient last identified is being worked with: the idle time begins anew."""
        self._last.stay()

    def forget(self) -> None:
        """Idle or locked: whoever is opened next is asked."""
        self._last.forget()
        self._end_questions()

    def _open(self, begin: Callable[[], Exam], identified: Identified) -> None:
        if self.state.opening:
            return
        self._show(replace(self.state, opening=True))
        self._when_free(
            lambda: self._tasks.run(
                begin,
                owner=self,
                done=lambda exam: self._opened(exam, identified),
                failed=self._not_opened,
                ended=self._opening_ended,
            )
        )

    def _opened(self, exam: Exam, identified: Identified) -> None:
        # The exam takes pictures from now on: it is shown first, whatever else fails.
        self.opened.emit(exam)
        number, census = exam.patient.patient_id, self._services.census
        by, at = identified
        if by is not IdentifiedBy.NOTHING:
            self._last.note(exam.patient, at)
        self._asks_anew(replace(self.state, text="", marked=None))
        self._tasks.run(
            lambda: census.note_opened(number), owner=self, done=lambda _nothing: self.read()
        )

    def _opening_ended(self) -> None:
        self._show(replace(self.state, opening=False))

    def _not_opened(self, error: CaptureAppError) -> None:
        self.told.emit(not_opened(error))

    def _tell_fault(self, what: str, todo: str) -> None:
        self.told.emit(Message(what, todo, "warning-circle", Tone.BAD))

    def _show(self, state: PatientsState) -> None:
        if state != self.state:
            self.state = state
            self.changed.emit()
