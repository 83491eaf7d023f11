"""The census: every patient the feeds told of, in memory, folded from what is on disk.

One process receives the feed; others `refresh` and read what it wrote. For several threads.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from capture_app.clock import Clock
from capture_app.hl7.split import Hl7Message
from capture_app.model.encounter import Location
from capture_app.model.feed_note import WITHOUT_EFFECT, NoteCode
from capture_app.model.patient import Patient, PatientId
from capture_app.model.worklist import PatientListEntry, PersonNow
from capture_app.patients.census.cells import Cells, StoredState
from capture_app.patients.census.dead_letters import DeadLetterBox
from capture_app.patients.census.fold import STATE_VERSION, CensusPatient
from capture_app.patients.census.folding import Folding, successor
from capture_app.patients.census.intake import Intake
from capture_app.patients.census.journal import Folded, Journal
from capture_app.patients.census.listeners import Listeners
from capture_app.patients.census.orders import OrderBook, WorklistAnswer
from capture_app.patients.census.reporting import (
    ADT,
    feed_messages,
    noted_messages,
    stored_status,
    worklist_status,
)
from capture_app.patients.census.status import (
    DeadLetter,
    FeedMessage,
    FeedStatus,
    Link,
    NotedMessage,
)
from capture_app.patients.finding.crosschecks import PatientKey
from capture_app.patients.finding.look_alikes import LookAlike
from capture_app.patients.finding.patient_list import PatientList
from capture_app.patients.finding.scan import ScannedCode, ScannedNumber, ScanRules, Unread
from capture_app.patients.finding.tabs import Tab
from capture_app.patients.sources.adt.facts import AdtEvent
from capture_app.patients.sources.adt.reading import READER_VERSION, MessageReader
from capture_app.patients.sources.authorities import SameAuthorities
from capture_app.settings.feeds import AdtFeed
from capture_app.settings.resources import migrations
from capture_app.settings.schema import Settings
from capture_app.store.cipher import Cipher
from capture_app.store.database import Database

_log = structlog.get_logger(__name__)

DATABASE: Final = "census.db"
KEPT_DAYS: Final = 90
"""A patient who left is forgotten after so many days; late updates and merges come before."""


class Census:
    """Who is here. Made by `open_census`."""

    def __init__(self, db: Database, cipher: Cipher, clock: Clock, settings: Settings) -> None:
        self._db = db
        self._clock = clock
        self._adt = settings.adt
        self.reader = MessageReader.of(settings.adt or AdtFeed(), settings.institution)
        """How messages of the feed are read here."""
        reading = cipher.keyed_hash(READER_VERSION, STATE_VERSION, repr(self.reader))
        self._cells = Cells(cipher)
        self._intake = Intake(db, settings)
        self._journal = Journal(db, self._cells, reading, self._intake)
        self._letters = DeadLetterBox(db, self._cells, self._intake)
        self._folding = Folding(self._journal, self.reader)
        self._writing = threading.Lock()  # taken before _lock, held while the disk is waited for
        self._lock = threading.RLock()
        adt = settings.adt or AdtFeed()
        self._orders = OrderBook(
            settings.institution.issuer_of_patient_id or adt.assigning_authority,
            SameAuthorities.of(settings.institution.same_authorities),
        )
        self._list = PatientList(
            clock,
            wards=frozenset(adt.wards),
            closed_visible=timedelta(hours=adt.closed_visible_hours),
            orders=self._orders,
        )
        self._links: dict[str, Callable[[], Link]] = {}
        self._listeners = Listeners()
        self._scan_rules = ScanRules.of(settings)
        self._last_event = 0
        self._merges: tuple[int, ...] = ()
        self._reading = reading
        self._created_at = self._journal.begin(clock.now())
        if self._adt is not None:
            self._load()

    def apply(
        self, raw: bytes, message: Hl7Message, events: Sequence[AdtEvent], *, sender: str = ""
    ) -> bool:
        """Stores a message durably and folds it in; False for a repeat, which changes nothing.

        `events`: one for each patient. StoreError where not all could be stored, or `sender` (its
        address) sent too much: no AA then, and the rest is stored when it comes again.
        MessageError where it makes one patient of two (A47), or speaks of one as of two (A17).
        """
        with self._writing:
            self._folding.require_two(events)
            is_new = sum(self._apply(raw, message, event, sender) for event in events) > 0
        if is_new:
            self._listeners.tell()
        return is_new

    def _apply(self, raw: bytes, message: Hl7Message, event: AdtEvent, sender: str) -> bool:
        duplicate_key = self._journal.duplicate_key(raw, message, event.part)
        folded: list[Folded] = []
        if self._journal.last_event_id() != self._last_event:
            self._catch_up()  # another process held the feed before
        if self._journal.is_repeat(duplicate_key):
            return False
        self._intake.require_room(sender, len(raw), event.received_at)
        self._learn_names(event)
        event = self._folding.names.in_event(event)
        prior = event.prior
        number = successor(event, self._list.holder_of_retired(event.person.patient_id.key))
        was = self._list.holder_of_retired(prior.key) if prior is not None else None
        if prior is not None and (was is None or was[0].key != number.key):
            self._folding.forbids(event, number)

        def fold_in(event_id: int) -> Folded:
            if event_id != self._last_event + 1:  # another process wrote meanwhile
                self._catch_up()
            known = self._list.known((prior or number).key) or self._list.known(number.key)
            folded.append(self._folding.one_more(known, number, replace(event, arrival=event_id)))
            return folded[-1]

        event_id = self._journal.keep(
            *(raw, duplicate_key, number, event.received_at, fold_in),
            prior=prior,
            part=event.part,
            sender=sender,
        )
        if event_id is None:
            return False
        self._last_event = event_id
        with self._lock:
            if prior is not None:
                self._list.remove(prior.key)
            self._list.put(number.key, folded[-1].known)
        return True

    def keep_dead_letter(
        self,
        raw: bytes,
        message: Hl7Message | None,
        *,
        reason: str,
        ack_code: str,
        at: datetime,
        is_merge: bool = False,
        sender: str = "",
    ) -> None:
        """Keeps a message that cannot be used where a person sees it. StoreError as by `apply`.

        A merge marks all whom it names for as long as one is known, or until `settle_merge`.
        """
        with self._writing:
            self._letters.keep(
                *(raw, message),
                reason=reason,
                ack_code=ack_code,
                sender=sender,
                received_at=at,
                is_merge=is_merge,
            )
            if is_merge:
                self._mark_merges()
        self._listeners.tell()

    def merges(self) -> tuple[int, ...]:
        """The numbers of the refused merges that wait for a person, the oldest first."""
        return self._letters.merges()

    def settle_merge(self, number: int) -> None:
        """A person dealt with a refused merge: it marks nobody any more. StoreError."""
        self._letters.settle(number)
        self.refresh()

    def refresh(self) -> bool:
        """Takes in what another process stored since; True where there was something."""
        if self._adt is None:
            return False
        with self._writing:
            is_new = self._catch_up()
            if self._letters.merges() != self._merges:
                self._mark_merges()
                is_new = True
        if is_new:
            self._listeners.tell()
        return is_new

    def forget_long_gone(self) -> int:
        """Deletes patients without an open visit of whom nothing was said for KEPT_DAYS, and what
        could not be used in that time, but for merges of who is still here. How many patients went.
        """
        before = self._clock.now() - timedelta(days=KEPT_DAYS)

        def is_known(number: PatientId) -> bool:
            with self._lock:
                key = self._folding.names.named(number).key
                listed = () if number.issuer else self._list.lookup(number.value, None)
                return bool(listed) or self._list.person(key) is not None

        with self._writing:
            with self._lock:
                gone = self._list.silent_since(before)
            self._journal.forget(gone)
            with self._lock:
                for number in gone:
                    self._list.remove(number.key)
            self._letters.forget(before, self.reader.persons_of_merge, is_known)
            self._mark_merges()
            self._intake.forget(self._clock.now())
        if gone:  # and who brings messages waits for this no longer
            self._listeners.tell()
            self._journal.give_back()
        return len(gone)

    def put_worklist(self, answer: WorklistAnswer) -> None:
        """Puts the answer of one worklist in place of the one before."""
        with self._lock:
            self._list.put_worklist(answer)
        self._listeners.tell()

    def watch(self, feed: str, link: Callable[[], Link] | None) -> None:
        """Says how to learn of the connection of a feed; None when this process let go of it."""
        if link is None:
            self._links.pop(feed, None)
        else:
            self._links[feed] = link

    def find(
        self, text: str, *, tab: Tab = Tab.ALL, limit: int = 200
    ) -> tuple[PatientListEntry, ...]:
        """The first entries of a tab that have every word of the text, in the order of the list.

        Names are found by the beginning of their words, without case and accents, in any script;
        numbers by their beginning, or three or more characters; dates of birth; wards, rooms, beds.
        """
        with self._lock:
            return self._list.find(text, tab, limit)

    def count(self, tab: Tab) -> int:
        """How many entries a tab has."""
        with self._lock:
            return self._list.count(tab)

    def lookup(self, patient_id: str, issuer: str | None = None) -> tuple[PatientListEntry, ...]:
        """Every entry of the patients who have exactly this identifier, of that issuer if given;
        () for an unknown one. Entries of more than one patient: nobody may be chosen by it.
        """
        with self._lock:
            return self._list.lookup(patient_id, issuer)

    def by_record_number(self, number: ScannedNumber) -> tuple[PatientListEntry, ...]:
        """Every entry of the patient whose record number this is; of more than one as `lookup`.

        Other identifiers of a patient, and numbers that are no longer in use, open nobody: they
        may be an earlier holder's, or a mother's in her baby's message.
        """
        with self._lock:
            return self._list.by_record_number(number)

    def by_code(self, code: str) -> tuple[PatientListEntry, ...]:
        """The same for a whole code, as the site's patterns read it; () where they do not."""
        number = self._scan_rules.read(ScannedCode(code))
        return () if isinstance(number, Unread) else self.by_record_number(number)

    def alike(
        self, entries: Iterable[PatientListEntry], tab: Tab
    ) -> Mapping[PatientKey, LookAlike]:
        """Which of these patients may be taken for another one of the tab, filtered or not."""
        with self._lock:
            return self._list.alike(entries, tab)

    def look_alikes(self, patient: Patient) -> tuple[Patient, ...]:
        """Everybody listed who may be taken for this patient."""
        with self._lock:
            return self._list.look_alikes(patient)

    def person(self, number: PatientId) -> PersonNow | None:
        """What the feeds say now of the patient with this record number, listed or not."""
        with self._lock:
            return self._list.person(self._folding.names.named(number).key)

    def orders_of_others(self, number: PatientId) -> frozenset[str]:
        """The keys (`key`, `accession_key`) of orders that worklists give to anybody else."""
        with self._lock:
            return self._list.orders_of_others(self._folding.names.named(number).key)

    def places(self) -> frozenset[Location]:
        """Ward, and room where it is told, of every open visit; without bed and facility."""
        with self._lock:
            return self._list.places()

    def note_opened(self, number: PatientId) -> None:
        """Puts a patient at the head of the recent ones."""
        with self._lock:
            self._list.note_opened(self._folding.names.named(number).key)

    def feed_status(self) -> tuple[FeedStatus, ...]:
        """How every feed is: the admissions feed, then the worklists."""
        now = self._clock.now()
        found = [] if self._adt is None else [self._adt_status(now)]
        with self._lock:
            answers = [self._list.compared(answer) for answer in self._orders.answers()]
        found.extend(worklist_status(each, self._orders.assumed(each), now) for each in answers)
        return tuple(found)

    def dead_letters(self, limit: int = 100) -> tuple[DeadLetter, ...]:
        """Messages that could not be used, the newest first."""
        return self._letters.newest(limit)

    def noted_messages(
        self, limit: int = 100, *, codes: frozenset[NoteCode] = WITHOUT_EFFECT
    ) -> tuple[NotedMessage, ...]:
        """Messages that were accepted and had no effect, or others with a note, newest first."""
        return noted_messages(self._journal, codes, limit)

    def feed_messages(self, limit: int = 100) -> tuple[FeedMessage, ...]:
        """Messages for IT to look at, refused or without effect: first the merges that wait for a
        person, each the newest first.
        """
        persons_of = self.reader.persons_of_merge
        return feed_messages(self._journal, self._letters, limit, persons_of)

    def rebuild(self) -> int:
        """Makes every state anew from the stored messages. How many patients there are."""
        with self._writing:
            self._folding.again()
            self._load()
        self._listeners.tell()
        return len(self._list)

    def on_change(self, callback: Callable[[], None]) -> Callable[[], None]:
        """Calls back after every change, on the thread that made it; gives the way to end that."""
        return self._listeners.subscribe(callback)

    def close(self) -> None:
        """Closes the database; feeds and readers must have ended."""
        self._db.close()

    def _load(self) -> None:
        """Reads the state of every patient, made anew where it is damaged or of old rules."""
        self._folding.learn(self._journal.authorities())
        self._folding.again_where_due()
        self._read_states()
        if self._folding.again_where_due():  # a message stood under a key that is nobody's
            self._read_states()

    def _read_states(self) -> None:
        self._last_event = self._journal.last_event_id()
        states: dict[PatientKey, CensusPatient] = {}
        # Those of another reading last: they take in what stands under our key of the patient.
        for stored in sorted(self._journal.states(), key=lambda s: s.reading != self._reading):
            found = self._by_our_reading(stored)
            if stored.known is None and (folded := self._folding.of_patient(stored.patient_key)):
                self._journal.put_state(stored, folded)
                found = (folded.known,)
            states.update((known.patient.patient_id.key, known) for known in found)
        with self._lock:
            self._list.use_names(self._folding.names)
            self._list.fill(states)
        self._mark_merges()

    def _catch_up(self) -> bool:
        """Takes in the states that another process wrote; True where there were some."""
        last = self._journal.last_event_id()
        if last == self._last_event:
            return False
        if self._folding.learn(self._journal.authorities()):
            self._read_states()  # numbers may have other names now
            return True
        # Read after `last`: a state that is newer still is put in its place once more next time.
        for stored in list(self._journal.states_after(self._last_event)):
            for known in self._by_our_reading(stored):
                self._take(known)
        self._last_event = last
        return True

    def _by_our_reading(self, stored: StoredState) -> Iterable[CensusPatient]:
        """Whom a state is about, by our settings and rules: another process may have others."""
        if stored.known is not None and stored.reading == self._reading:
            return (stored.known,)
        return self._folding.of_other_reading(stored.patient_key)

    def _learn_names(self, event: AdtEvent) -> None:
        """Takes in under which names a message knows its authorities."""
        with self._lock:
            numbers = tuple(self._list.numbers()) if self._folding.has_news(event) else ()
        before = self._folding.names
        if self._folding.learn_from(event, numbers):
            self._read_states()
        elif self._folding.names is not before:
            with self._lock:
                self._list.use_names(self._folding.names)

    def _take(self, known: CensusPatient) -> None:
        """Puts a state in its place; numbers that were retired lose theirs."""
        with self._lock:
            for retired in known.retired:
                number = retired.number
                if self._list.known(number.key) and not self._journal.has_messages_of(number):
                    self._list.remove(number.key)
            self._list.put(known.patient.patient_id.key, known)

    def _mark_merges(self) -> None:
        """Marks all whom a refused merge names."""
        said = self._letters.named_by_merges(self.reader.persons_of_merge)
        named = frozenset(self._folding.names.named(person).key for person in said)
        self._merges = self._letters.merges()
        with self._lock:
            self._list.mark_merges(named)

    def _adt_status(self, now: datetime) -> FeedStatus:
        with self._lock:
            count, doubts = len(self._list), self._list.count_doubts()
        stored = stored_status(self._journal, self._letters, self._folding, self._intake, now)
        status = replace(stored, count=count, doubts=doubts, incomplete_since=self._created_at)
        if (ask := self._links.get(ADT)) is None:
            return status
        link = ask()
        return replace(status, connected=link.connected, problem=link.problem or status.problem)


def open_census(
    data_dir: Path, cipher: Cipher, clock: Clock, settings: Settings, *, check: bool = True
) -> Census:
    """The census of a data folder. Raises StoreError, and SealBrokenError for another key."""
    database = Database.open(data_dir / DATABASE, migrations("patients"), check=check)
    return Census(database, cipher, clock, settings)
