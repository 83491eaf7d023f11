"""Whose an image is that a scanner sent: both identities, and a person who says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from PySide6.QtCore import QObject, Signal

from capture_app.errors import CaptureAppError
from capture_app.model.encoded_image import EncodedImage
from capture_app.model.operator import Act, Operator, may
from capture_app.model.received import Contradiction, WaitingObject
from capture_app.model.words import tr
from capture_app.model.worklist import IdentifiedBy, PatientListEntry
from capture_app.outbox.receiving.agreement import contradictions
from capture_app.ui.identity.viewmodel import IdentityCheck
from capture_app.ui.reading import Reading
from capture_app.ui.received.words import (
    IdentityLine,
    about,
    lines_of,
    note_of,
    person_row,
    waiting_row,
)
from capture_app.ui.services import Services
from capture_app.ui.tasks import Tasks
from capture_app.ui.words import wording
from capture_app.ui.words.marks import Message, Tone
from capture_app.ui.words.shown import ListRow

MOST_PEOPLE: Final = 30

_Read = tuple[tuple[WaitingObject, ...], str, tuple[PatientListEntry, ...]]
"""What waits; for whom people were looked for, and who was found."""


@dataclass(frozen=True, slots=True)
class ReceivedState:
    """The page. `chosen` is a letter of `rows`, `person` a row of `people`; each may be empty."""

    rows: tuple[ListRow, ...] = ()
    loaded: bool = False
    chosen: str = ""
    about: str = ""
    note: str = ""
    lines: tuple[IdentityLine, ...] = ()
    text: str = ""
    people: tuple[ListRow, ...] = ()
    person: str = ""
    verdict: str = ""
    """Whether the two agree, in words."""
    agrees: bool = False
    file_words: str = ""
    """What the button says; empty where nothing can be filed."""
    can_discard: bool = False
    discarded: str = ""
    """The letter that was discarded last here, while that can be undone."""
    is_asking: bool = False
    """The second identifier is asked: what answers it is hidden."""
    busy: bool = False
    fault: str = ""


class ReceivedViewModel(QObject):
    """Reads when the page appears and at each change while it is on screen."""

    changed = Signal()
    told = Signal(object)
    """A Message about an act."""

    def __init__(
        self,
        services: Services,
        tasks: Tasks,
        operator: Operator,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._services = services
        self._tasks = tasks
        self._operator = operator
        self._waiting: tuple[WaitingObject, ...] = ()
        self._people: tuple[PatientListEntry, ...] = ()
        self._banded: PatientListEntry | None = None
        """Whose wristband was scanned for the chosen image."""
        self._is_shown = False
        self.check: IdentityCheck | None = None
        self.state = ReceivedState()
        self._reading: Reading[_Read] = Reading(
            tasks, self._question, told=self._told, failed=self._failed, parent=self
        )
        self._leave = (
            services.outbox.on_change(lambda _id: self._reading.ask_soon()),
            services.census.on_change(self._reading.ask_soon),
        )

    def appear(self) -> None:
        """The page is on screen."""
        self._is_shown = True
        self._reading.ask()

    def vanish(self) -> None:
        """Another page is."""
        self._is_shown = False
        self.forget()
        self._show(replace(self.state, discarded=""))

    def forget(self) -> None:
        """Idle or locked: whose band was scanned counts no more."""
        self._end_check()
        self._banded = None
        self._show(self.state)

    def close(self) -> None:
        """The user has gone."""
        for leave in self._leave:
            leave()
        self._reading.close()

    # ---------------------------------------------------------------------------------- reading

    def _question(self) -> Callable[[], _Read] | None:
        if not self._is_shown:
            return None
        text, chosen = self.state.text, self.state.chosen
        received, census = self._services.received, self._services.census

        def read() -> _Read:
            waiting = received.waiting()
            one = _named(waiting, chosen) or next(iter(waiting), None)
            if text.strip():
                return waiting, chosen, census.find(text, limit=MOST_PEOPLE)
            number = one.received.stated.patient_id if one else ""
            return waiting, chosen, census.lookup(number)[:MOST_PEOPLE] if number else ()

        return read

    def _told(self, read: _Read) -> None:
        self._waiting, asked_for, people = read
        if asked_for != self.state.chosen:
            self._reading.ask()  # another one was chosen meanwhile
            return
        if _named(self._waiting, self.state.chosen) is None:
            self._forget_person()
        self._people = _one_row_each(people)
        fault = self.state.fault if self.state.loaded else ""
        self._show(replace(self.state, loaded=True, fault=fault))

    def _failed(self, error: CaptureAppError) -> None:
        self._show(replace(self.state, loaded=True, fault=str(error)))

    # --------------------------------------------------------------------------------- choosing

    def choose(self, letter: str) -> None:
        """Another image."""
        if letter != self.state.chosen and not self.state.busy:
            self._forget_person()
            self._show(replace(self.state, chosen=letter, fault="", text="", person=""))
            self._reading.ask()

    def filter(self, text: str) -> None:
        """Looks for people; empty: those who have the number that the machine says."""
        if text != self.state.text:
            self._show(replace(self.state, text=text))
            self._reading.ask()

    def choose_person(self, row_id: str) -> None:
        """Whom it is held against."""
        self._end_check()
        self._banded = None
        self._show(replace(self.state, person=row_id, fault=""))

    def scanned(self, found: PatientListEntry | Message) -> None:
        """A wristband, or why it is nobody's: it says whose the chosen image is. Where nothing
        contradicts the image is filed.
        """
        if isinstance(found, Message):
            self.told.emit(found)
            return
        if self.state.busy or self._one is None:
            return
        self._end_check()
        self._banded = found
        self._show(replace(self.state, person=_row_id(found), fault=""))
        if self.state.agrees and self.state.file_words:
            self.file()

    def _forget_person(self) -> None:
        self._end_check()
        self._banded = None
        self.state = replace(self.state, person="")

    @property
    def _one(self) -> WaitingObject | None:
        return _named(self._waiting, self.state.chosen)

    @property
    def _entry(self) -> PatientListEntry | None:
        people = (self._banded, *self._people) if self._banded else self._people
        return next((one for one in people if _row_id(one) == self.state.person), None)

    # ------------------------------------------------------------------------------------- acts

    def file(self) -> None:
        """Files the chosen image to the chosen person: at once where their wristband was scanned,
        else after the second identifier.
        """
        one, entry = self._one, self._entry
        if one is None or entry is None or not self.state.file_words or self.check is not None:
            return
        if self._banded is entry:
            self._file(one, entry, IdentifiedBy.SCAN)
            return
        if not self._services.settings.security.second_identifier:
            self._file(one, entry, IdentifiedBy.NOTHING)
            return
        patient = entry.patient
        others = [other.patient for other in self._people if other is not entry]
        others += self._services.census.look_alikes(patient)
        check = IdentityCheck(self._services, self._tasks, self._operator, patient, others, self)
        self.check = check
        check.passed.connect(lambda: self._passed(check, one, entry))
        check.closed.connect(self._not_passed)
        self._show(replace(self.state, is_asking=True))

    def _passed(self, check: IdentityCheck, one: WaitingObject, entry: PatientListEntry) -> None:
        by = check.state.question.identifies_by
        self._end_check()
        self._file(one, entry, by)

    def _not_passed(self, was_wrong: bool) -> None:  # noqa: FBT001 - a signal's slot
        self._end_check()
        if was_wrong:
            what = tr("Nothing was filed: three answers did not fit.")
            todo = tr("Scan the wristband, or look for the right patient.")
            self.told.emit(Message(what, todo, "warning-circle", Tone.BAD))

    def _end_check(self) -> None:
        check, self.check = self.check, None
        if check is not None:
            check.deleteLater()
            self._show(replace(self.state, is_asking=False))

    def _file(self, one: WaitingObject, entry: PatientListEntry, by: IdentifiedBy) -> None:
        seen = contradictions(one.received.stated, entry.patient)
        received, operator = self._services.received, self._operator
        name = wording.family(entry.patient.name)
        digits = wording.last_digits(entry.patient.patient_id)
        self._act(
            lambda: received.file(one.letter, entry, operator, by, seen=seen),
            Message(
                tr("Filed to {name} {digits}. It goes to the archives.", name=name, digits=digits),
                "",
                "check-circle",
                Tone.OK,
            ),
        )

    def discard(self) -> None:
        """Takes the chosen image out of sight; for a day it can be brought back."""
        one = self._one
        if one is None or not self.state.can_discard:
            return
        self._act(
            partial(self._services.received.discard, one.letter, self._operator),
            Message(tr("Discarded. For a day it can be brought back."), "", "trash"),
            discarded=one.letter,
        )

    def bring_back(self) -> bool:
        """Undoes the last of that; False where there is none."""
        is_there = bool(self.state.discarded)
        if is_there:
            self._act(
                partial(self._services.received.bring_back, self.state.discarded, self._operator),
                Message(tr("It waits again."), "", "arrow-u-up-left"),
            )
        return is_there

    def _act(self, work: Callable[[], object], said: Message, *, discarded: str = "") -> None:
        if self.state.busy:
            return
        self._show(replace(self.state, busy=True, fault=""))

        def done(_: object) -> None:
            self._show(replace(self.state, discarded=discarded))
            self.told.emit(said)

        def ended() -> None:
            self._show(replace(self.state, busy=False))
            self._reading.ask()

        self._tasks.run(work, owner=self, done=done, failed=self._refused, ended=ended)

    def _refused(self, error: CaptureAppError) -> None:
        self._show(replace(self.state, fault=str(error)))

    def picture(self, letter: str) -> EncodedImage:
        """A small picture of one that waits. Blocks: for the pool. Raises ImageError and more."""
        return self._services.received.image_of(letter)

    # ---------------------------------------------------------------------------------- showing

    def _show(self, state: ReceivedState) -> None:
        now = self._services.clock.now()
        chosen = state.chosen
        if _named(self._waiting, chosen) is None:
            chosen = self._waiting[0].letter if self._waiting else ""
        before, self.state = self.state, replace(state, chosen=chosen)
        one, people = self._one, self._people
        if self._banded is not None:
            others = (other for other in people if _row_id(other) != _row_id(self._banded))
            people = (self._banded, *others)
        state = replace(
            self.state,
            rows=tuple(
                waiting_row(waiting, now, masked=state.is_asking) for waiting in self._waiting
            ),
            people=tuple(
                person_row(entry, _row_id(entry), masked=state.is_asking) for entry in people
            ),
            about=about(one, now) if one else "",
            note=note_of(one) if one else "",
            can_discard=one is not None and may(self._operator, Act.DISCARD_RECEIVED),
        )
        self.state = self._compared(state, one)
        if self.state != before:
            self.changed.emit()

    def _compared(self, state: ReceivedState, one: WaitingObject | None) -> ReceivedState:
        entry = self._entry
        if one is None:
            return replace(state, lines=(), verdict="", agrees=False, file_words="", person="")
        if entry is None:
            lines = lines_of(one.received.stated, None, ())
            return replace(state, lines=lines, verdict="", agrees=False, file_words="", person="")
        patient = entry.patient
        against = contradictions(one.received.stated, patient)
        is_fileable = not one.is_uid_sent and may(self._operator, Act.TAKE_PICTURES)
        whose = f"{wording.family(patient.name)} {wording.last_digits(patient.patient_id)}"
        words = (
            tr("File to {who}", who=whose) if not against else tr("File to {who} anyway", who=whose)
        )
        return replace(
            state,
            lines=lines_of(one.received.stated, patient, against),
            verdict=_verdict(against),
            agrees=not against and one.letters == 1,
            file_words=words if is_fileable else "",
        )


def _verdict(against: tuple[Contradiction, ...]) -> str:
    if not against:
        return tr("Both say the same.")
    if Contradiction.UNREADABLE in against:
        return tr("They do not agree, or it cannot be read. Make sure whose picture this is.")
    return tr("They do not agree. Make sure whose picture this is.")


def _named(waiting: tuple[WaitingObject, ...], letter: str) -> WaitingObject | None:
    return next((one for one in waiting if one.letter == letter), None)


def _row_id(entry: PatientListEntry) -> str:
    return "|".join(entry.patient.patient_id.key)


def _one_row_each(entries: tuple[PatientListEntry, ...]) -> tuple[PatientListEntry, ...]:
    """Of several visits of one person the first: an image of a scanner is of no visit."""
    return tuple({_row_id(entry): entry for entry in reversed(entries)}.values())[::-1]
