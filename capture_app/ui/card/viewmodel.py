"""What lies on the cards, whose it is, and the touch that keeps it. Reads while it is on screen."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal

from capture_app.devices.card import CardFile, FileSort, card_files
from capture_app.errors import CaptureAppError, DeviceError
from capture_app.exam.card_sorting import Group, SeenFile, sort_card
from capture_app.exam.cards import Cards, card_device
from capture_app.model.encoded_image import EncodedImage
from capture_app.model.encounter import EncounterState
from capture_app.model.operator import Operator
from capture_app.model.patient import Patient
from capture_app.model.slate import Slate
from capture_app.model.words import tr
from capture_app.outbox.keeping.slates import KeptFile
from capture_app.settings.cards import CardFolder
from capture_app.ui.card import words
from capture_app.ui.reading import Reading
from capture_app.ui.services import Services
from capture_app.ui.tasks import Tasks
from capture_app.ui.words.marks import Message, Tone

_ASK_AGAIN_MS: Final = 1500
_AT_ONCE: Final = 4
"""Files that are read before it is told how far it is."""


@dataclass(frozen=True, slots=True)
class GroupShown:
    """A group as the page shows it. `act` is empty where no touch can keep it."""

    key: str
    title: str
    facts: str
    why: str
    clock: str
    kept: str
    act: str
    first: str
    last: str
    """Digests of the pictures that are shown."""
    is_nobodys: bool


@dataclass(frozen=True, slots=True)
class CardState:
    """The page. `progress` while files are read; `faults` of cards, `left_out` of files."""

    groups: tuple[GroupShown, ...] = ()
    is_read: bool = False
    progress: str = ""
    faults: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    removable: int = 0
    busy: str = ""
    """The key of the group that is being kept."""


@dataclass(frozen=True, slots=True)
class _Sorted:
    """A group, and the card that it lies on."""

    card: CardFolder
    group: Group
    whose: Patient | None
    """The patient of its slate, or of the one that is offered, as the feeds word them now."""

    @property
    def slate(self) -> Slate | None:
        return self.group.slate or self.group.offered

    @property
    def key(self) -> str:
        return f"{self.card.id} {self.group.files[0].file.path}"


@dataclass(frozen=True, slots=True)
class _Found:
    """What was read this time; `groups` are only there once every file has been."""

    seen: Mapping[CardFile, SeenFile]
    listed: int
    faults: tuple[str, ...]
    groups: tuple[_Sorted, ...] | None = None
    kept: Mapping[str, KeptFile] = field(default_factory=dict)


class CardViewModel(QObject):
    """Nothing is kept but by `keep`, and nothing removed but by `remove`."""

    changed = Signal()
    thumb_made = Signal(str, object)
    """The digest of a picture, and what `small` made of it."""
    told = Signal(object)
    """A Message."""

    def __init__(
        self,
        services: Services,
        tasks: Tasks,
        operator: Operator,
        small: Callable[[EncodedImage], object],
        parent: QObject | None = None,
    ) -> None:
        """`small` makes a picture small, in the pool."""
        super().__init__(parent)
        self._small = small
        self._services = services
        self._tasks = tasks
        self._operator = operator
        self._found = _Found({}, 0, ())
        self._thumbs: set[str] = set()
        self._wanted: deque[_Sorted] = deque()
        self._is_shown = False
        self.state = CardState()
        self._reading: Reading[_Found] = Reading(
            tasks, self._question, told=self._told, failed=self._failed, parent=self
        )
        self._again = QTimer(self)
        self._again.setInterval(_ASK_AGAIN_MS)
        self._again.timeout.connect(self._ask)
        self._leave = services.outbox.on_change(lambda _id: self._reading.ask_soon())

    def appear(self) -> None:
        """The page is on screen."""
        self._is_shown = True
        self._again.start()
        self._reading.ask()

    def vanish(self) -> None:
        """Another page is: no card is read any more. What was touched is still kept."""
        self._is_shown = False
        self._again.stop()

    def close(self) -> None:
        """The user has gone."""
        self.vanish()
        self._wanted.clear()
        self._leave()
        self._reading.close()

    # ------------------------------------------------------------------------------------- acts

    def keep(self, key: str) -> None:
        """A person looked at first and last picture and the name, and touched the group."""
        found = next((one for one in self._found.groups or () if one.key == key), None)
        if found is None or found in self._wanted:
            return
        self._wanted.append(found)
        if not self.state.busy:
            self._keep_next()

    def _keep_next(self) -> None:
        if not self._wanted:
            self._show(replace(self.state, busy=""))
            return
        one = self._wanted.popleft()
        slate, whose, cards = one.slate, one.whose, self._services.cards
        if slate is None or whose is None:
            self._keep_next()
            return
        self._show(replace(self.state, busy=one.key))
        operator, device = self._operator, card_device(one.card)
        self._tasks.run(
            lambda: cards.keep(one.group, slate, shown=whose, operator=operator, device=device),
            owner=self,
            done=lambda ids: self.told.emit(
                Message(words.kept_now(len(ids), whose), "", "check-circle", Tone.OK)
            ),
            failed=lambda error: self.told.emit(_trouble(str(error))),
            ended=self._kept,
        )

    def _kept(self) -> None:
        self._keep_next()
        self._reading.ask()

    def remove(self) -> None:
        """Removes from the cards every file whose picture is confirmed."""
        kept = self._found.kept
        gone = [
            seen
            for one in self._found.groups or ()
            for seen in one.group.files
            if seen.digest in kept and kept[seen.digest].may_be_removed
        ]
        if not gone:
            return
        cards, operator = self._services.cards, self._operator
        self._tasks.run(
            lambda: cards.remove(gone, operator),
            owner=self,
            done=lambda done: self.told.emit(
                Message(words.removed_words(done[0], len(done[1])), "", "check-circle", Tone.OK)
            ),
            failed=lambda error: self.told.emit(_trouble(str(error))),
            ended=self._reading.ask,
        )

    def print(self, ward: str, then: Callable[[tuple[Slate, ...]], None]) -> None:
        """Makes a slate for every patient of a ward, by bed; `then` draws them."""
        cards, census, operator = self._services.cards, self._services.census, self._operator

        def work() -> tuple[Slate, ...]:
            listed = [
                entry
                for entry in census.find("", limit=_MOST_LISTED)
                if entry.encounter is not None
                and entry.encounter.state is EncounterState.OPEN
                and entry.encounter.location.ward == ward
            ]
            listed.sort(key=lambda one: one.encounter.location.bed if one.encounter else "")
            return cards.print(listed, operator)

        failed: Callable[[CaptureAppError], None] = lambda e: self.told.emit(_trouble(str(e)))  # noqa: E731
        self._tasks.run(work, owner=self, done=then, failed=failed)

    def now(self) -> datetime:
        """The present."""
        return self._services.clock.now()

    def wards(self) -> tuple[str, ...]:
        """The wards of the open visits."""
        return tuple(sorted({place.ward for place in self._services.census.places() if place.ward}))

    # ---------------------------------------------------------------------------------- reading

    def _ask(self) -> None:
        if not self._reading.is_asking:
            self._reading.ask()

    def _question(self) -> Callable[[], _Found] | None:
        if not self._is_shown:
            return None
        services, known = self._services, self._found.seen
        return lambda: _read(services, known)

    def _told(self, found: _Found) -> None:
        self._found = found
        if found.groups is None:
            done = len(found.seen)
            said = tr("{done} of {n} files are read", done=done, n=found.listed)
            self._show(replace(self.state, progress=said, faults=found.faults))
            self._reading.ask()
            return
        seen = found.seen.values()
        removable = sum(
            found.kept[s.digest].may_be_removed
            for one in found.groups
            for s in one.group.files
            if s.digest in found.kept
        )
        self._show(
            CardState(
                groups=tuple(self._shown(one, found.kept) for one in found.groups),
                is_read=True,
                faults=found.faults,
                left_out=words.left_out(
                    sum(s.file.sort is FileSort.FILM for s in seen),
                    [s.fault for s in seen if s.fault],
                ),
                removable=removable,
                busy=self.state.busy,
            )
        )
        for one in found.groups:
            for file in (one.group.files[0], one.group.files[-1]):
                self._make_thumb(file)

    def _failed(self, error: CaptureAppError) -> None:
        self._show(CardState(faults=(str(error),), busy=self.state.busy))

    def _shown(self, one: _Sorted, kept: Mapping[str, KeptFile]) -> GroupShown:
        group, whose = one.group, one.whose
        new = sum(seen.digest not in kept for seen in group.files)
        is_nobodys = group.slate is None and new > 0
        title = tr("Nobody's yet") if is_nobodys or whose is None else words.name_of(whose)
        return GroupShown(
            key=one.key,
            title=title,
            facts=words.facts(group),
            why=words.why_nobodys(group) if is_nobodys else "",
            clock=words.clock_words(group),
            kept=words.kept_words(group, kept),
            act=words.act_words(group, new, whose) if whose is not None and new else "",
            first=group.files[0].digest,
            last=group.files[-1].digest,
            is_nobodys=is_nobodys,
        )

    def _make_thumb(self, seen: SeenFile) -> None:
        if seen.digest in self._thumbs:
            return
        self._thumbs.add(seen.digest)
        cards, small = self._services.cards, self._small
        self._tasks.run(
            lambda: small(cards.look_at(seen)),
            owner=self,
            done=lambda image: self.thumb_made.emit(seen.digest, image),
            failed=lambda _error: self._thumbs.discard(seen.digest),  # the card went: made later
        )

    def _show(self, state: CardState) -> None:
        if state != self.state:
            self.state = state
            self.changed.emit()


_MOST_LISTED: Final = 100_000


def _read(services: Services, known: Mapping[CardFile, SeenFile]) -> _Found:
    """Lists the cards, and reads some files that were not read yet."""
    cards, faults, of_card = services.cards, [], {}
    for card in services.settings.cards:
        try:
            of_card[card] = card_files(Path(card.folder))
        except DeviceError as error:
            of_card[card] = ()
            faults.append(f"{card.name}: {error}")
    listed = [file for files in of_card.values() for file in files]
    seen = {file: known[file] for file in listed if file in known}
    new = [file for file in listed if file not in seen]
    for file in new[:_AT_ONCE]:
        try:
            seen[file] = cards.read(file)
        except DeviceError:  # pulled out: at the next look it is not listed
            break
    if len(new) > _AT_ONCE or len(seen) < len(listed):
        return _Found(seen, len(listed), tuple(faults))
    slates = cards.slates_of(tuple(seen.values()))
    groups = tuple(
        _sorted(cards, card, group)
        for card, files in of_card.items()
        for group in sort_card([seen[file] for file in files], slates, services.clock.now())
    )
    return _Found(seen, len(listed), tuple(faults), groups, cards.kept(tuple(seen.values())))


def _sorted(cards: Cards, card: CardFolder, group: Group) -> _Sorted:
    slate = group.slate or group.offered
    return _Sorted(card, group, None if slate is None else cards.patient_of(slate))


def _trouble(what: str) -> Message:
    return Message(what, "", "warning-circle", Tone.BAD)
