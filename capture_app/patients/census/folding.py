"""Stored messages into states: read by the settings of today, and folded patient by patient."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import chain

import structlog

from capture_app.errors import MessageError
from capture_app.model.feed_note import FeedNote, NoteCode
from capture_app.model.patient import PatientId
from capture_app.model.words import tr
from capture_app.patients.census.cells import StoredMessage
from capture_app.patients.census.fold import CensusPatient, add, numbers_of, steps
from capture_app.patients.census.journal import Folded, Journal
from capture_app.patients.census.salvage import with_late
from capture_app.patients.sources.adt.facts import AdtEvent
from capture_app.patients.sources.adt.naming import MOST_PAIRS, LearntNames, Pair, pairs_of
from capture_app.patients.sources.adt.reading import MessageReader

_log = structlog.get_logger(__name__)

PatientKey = tuple[str, str]
"""Identifier and issuer."""


class Folding:
    """Reads and folds what the journal holds. Not for two threads at once: the census locks."""

    def __init__(self, journal: Journal, reader: MessageReader) -> None:
        self._journal = journal
        self._reader = reader
        self.names = LearntNames()
        """Under which name each authority's numbers are kept."""
        self._unreadable: set[int] = set()
        self._elsewhere: defaultdict[bytes, set[bytes]] = defaultdict(set)
        """By the key of a patient all keys under which a process of other settings keeps messages
        of that patient."""

    @property
    def unreadable(self) -> int:
        """How many stored messages the settings of today cannot read, as far as was looked."""
        return len(self._unreadable)

    def one_more(self, known: CensusPatient | None, number: PatientId, event: AdtEvent) -> Folded:
        """A patient's state after one more message, which `arrival` says the place of."""
        if event.prior is None and (known is None or known.follows(event)):
            step = add(known, event)
            return Folded(step.known, {event.arrival: _notes_of(event, step.notes)})
        # It came late, or it cancels or renames: all that was said is put in its order.
        key = self._journal.patient_key(number)
        story = self._story(key, event)
        made = folded(story)
        if known is None or not self._journal.is_damaged(key):
            return made
        before = folded(story[:-1]).known if story[1:] else None
        return replace(made, known=with_late(known, event, before, made.known))

    def of_patient(self, patient_key: bytes) -> Folded | None:
        """The state that the stored messages of one patient come to; None for none."""
        events = self._story(patient_key)
        return folded(events) if events else None

    def of_other_reading(self, patient_key: bytes) -> Iterator[CensusPatient]:
        """The states of all of whom the messages under a key speak, by the settings of today. By
        those of the process that keeps them the number may be another one: what was said of such a
        patient stands under two keys then, until all states are made anew.
        """
        for events in _by_patient(self._events(self._journal.of_patient(patient_key))):
            key = self._key_of(events)
            if key != patient_key:
                self._elsewhere[key].add(patient_key)
            yield folded(self._story(key)).known

    def _key_of(self, events: Iterable[AdtEvent]) -> bytes:
        return self._journal.patient_key(folded(events).known.patient.patient_id)

    def _from_elsewhere(self, patient_key: bytes) -> Iterator[AdtEvent]:
        """What was said of a patient and is kept under other keys."""
        for other in self._elsewhere.get(patient_key, ()):
            for events in _by_patient(self._events(self._journal.of_patient(other))):
                if self._key_of(events) == patient_key:
                    yield from events

    def _story(self, patient_key: bytes, *new: AdtEvent) -> list[AdtEvent]:
        """All that was said of one patient. A change to a number of somebody else changes none."""
        events = [*self._events(self._journal.of_patient(patient_key))]
        events += [*self._from_elsewhere(patient_key), *new]
        had = {event.prior.key for event in events if event.prior is not None}

        def is_own(number: PatientId) -> bool:
            return number.key in had or self._journal.patient_key(number) == patient_key

        return [e if is_own(e.person.patient_id) else _without_change(e) for e in events]

    def all(self, messages: Iterable[StoredMessage]) -> Iterator[tuple[Folded, list[int]]]:
        """Every patient's state, with the places of the messages about that patient."""
        self._unreadable.clear()
        self._elsewhere.clear()
        read = list(self._read(messages))
        self.learn(pair for event in read for pair in pairs_of(event))
        for events in _by_patient(map(self.names.in_event, read)):
            yield folded(events), [event.arrival for event in events]

    def again(self) -> None:
        """Makes all states anew from the messages. Where one of a patient's is damaged, a state
        that was made before from all of them says more, and stays.
        """
        self._journal.fold_again(self.all, lambda: self.names.stated, self._is_still_named)

    def again_where_due(self) -> bool:
        """The same, where states are of other settings or rules, or a message is nobody's."""
        is_due = self._journal.is_read_otherwise()
        if is_due:
            self.again()
        return is_due

    def _is_still_named(self, known: CensusPatient) -> bool:
        """Whether the numbers in a state have the names that are known of their authorities now."""
        return all(self.names.named(number) == number for number in numbers_of(known))

    def has_news(self, event: AdtEvent) -> bool:
        """Whether a message names an authority in two ways that were not stated before."""
        return not pairs_of(event) <= self.names.stated

    def learn_from(self, event: AdtEvent, numbers: Iterable[PatientId]) -> bool:
        """Takes in, durably, under which names a message knows its authorities.

        Where one of the `numbers` by which patients are known has another name now, all states are
        made anew, and True comes back: two of them may be one person.
        """
        pairs, before = pairs_of(event), self.names
        if pairs <= before.stated or not self.learn(pairs):
            return False
        if len(self.names.contradicting) > len(before.contradicting):
            count = len(self.names.contradicting)
            _log.warning("authority-named-in-two-ways", feed="adt", count=count)
        is_renamed = any(before.changes(self.names, number) for number in numbers)
        try:
            if is_renamed:
                self.again()
            else:
                self._journal.learn(pairs)
        except BaseException:
            self.names = before  # the message is refused, and comes again
            raise
        return is_renamed

    def learn(self, pairs: Iterable[Pair]) -> bool:
        """Takes in what messages state of the names of authorities; True where it is news."""
        known = self.names.stated
        new = sorted(set(pairs) - known)[: max(0, MOST_PAIRS - len(known))]
        if new:
            self.names = LearntNames.of(known.union(new), self._reader.authority.same)
        return bool(new)

    def require_two(self, events: Sequence[AdtEvent]) -> None:
        """Raises MessageError where a message about two patients names one person twice, also by
        both names of an authority.
        """
        pairs = frozenset(chain.from_iterable(map(pairs_of, events)))
        names = LearntNames.of(self.names.stated | pairs, self._reader.authority.same)
        numbers = [names.named(event.person.patient_id).key for event in events]
        if any(one == other for one, other in zip(numbers[::2], numbers[1::2], strict=False)):
            raise MessageError(tr("The message is about two patients and names one of them twice."))

    def forbids(self, event: AdtEvent, number: PatientId) -> None:
        """Raises MessageError where the new number of an A47 was a patient's already: that would
        be a merge. `number`: by which that one is kept today.
        """
        known = self._journal.of_patient(self._journal.patient_key(number))
        since = event.order.recorded.start
        if any(each.order.recorded.start <= since for each in self._events(known)):
            raise MessageError(
                tr(
                    "The number that is put in place of another one belongs to a patient already: "
                    "that is a merge, and a person has to look at it."
                )
            )

    def _events(self, messages: Iterable[StoredMessage]) -> Iterator[AdtEvent]:
        """The messages that can be read, as events in their place of arrival, with the names that
        were learnt.
        """
        return map(self.names.in_event, self._read(messages))

    def _read(self, messages: Iterable[StoredMessage]) -> Iterator[AdtEvent]:
        for message in messages:
            try:
                event = self._reader.read(message.raw, message.received_at)[message.part]
            except (MessageError, IndexError) as error:
                self._unreadable.add(message.event_id)
                _log.warning("stored-message-unreadable", feed="adt", reason=str(error))
            else:
                yield replace(event, arrival=message.event_id)


def folded(events: Iterable[AdtEvent]) -> Folded:
    """The state of one patient after at least one event, with the notes on each."""
    said = {event.arrival: event for event in events}
    told = tuple(steps(said.values()))
    notes = {step.arrival: _notes_of(said[step.arrival], step.notes) for step in told}
    return Folded(told[-1].known, notes)


def is_of(event: AdtEvent, retired_since: AdtEvent) -> bool:
    """Whether a message with a number that was retired is about the patient who had it."""
    return event.order.recorded.start <= retired_since.order.recorded.start


def _by_patient(events: Iterable[AdtEvent]) -> Iterator[list[AdtEvent]]:
    """The events in groups of one patient each, by their numbers and the changes of numbers.

    A change to a number that was another patient's would be a merge, which is not done: it was
    taken before it was known that the number is that patient's, and changes nothing now.
    """
    groups: defaultdict[PatientKey, list[AdtEvent]] = defaultdict(list)
    renamed: dict[PatientKey, tuple[PatientKey, AdtEvent]] = {}
    for event in events:
        key = event.person.patient_id.key
        while key in renamed and is_of(event, renamed[key][1]):
            key = renamed[key][0]
        if event.prior is not None and event.prior.key != key:
            if groups.get(event.prior.key) and any(is_of(e, event) for e in groups.get(key, ())):
                groups[event.prior.key].append(_without_change(event))
                continue
            groups[key] = [*groups.pop(event.prior.key, ()), *groups.pop(key, ())]
            renamed.pop(key, None)
            renamed[event.prior.key] = (key, event)
        groups[key].append(event)
    return iter(groups.values())


def _without_change(event: AdtEvent) -> AdtEvent:
    """A change of a number (A47) that is not carried out: what else it says is about the number
    that would have been changed.
    """
    if event.prior is None:
        return event
    notes = (*event.notes, FeedNote("MRG-1", NoteCode.NUMBER_TAKEN))
    person = replace(event.person, patient_id=event.prior)
    return replace(event, person=person, prior=None, notes=notes)


def _notes_of(event: AdtEvent, notes: tuple[FeedNote, ...]) -> tuple[FeedNote, ...]:
    return (*event.notes, *notes)


def successor(event: AdtEvent, holder: tuple[PatientId, CensusPatient] | None) -> PatientId:
    """Whom a message is about: `holder` has the number among those that were retired."""
    number = event.person.patient_id
    if holder is None:
        return number
    now, known = holder
    since = next(each.since for each in known.retired if each.number.key == number.key)
    return now if event.order.recorded.start <= since else number
