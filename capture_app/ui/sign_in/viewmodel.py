"""Signing in and unlocking: who is taking pictures, and their PIN. No patient is shown here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from PySide6.QtCore import QObject, Signal

from capture_app.errors import CaptureAppError, PinTooShortError, SignInError
from capture_app.model.operator import Act, Operator, Role, may
from capture_app.model.words import isolated, tr, trn
from capture_app.outbox.keeping.drafts import Draft
from capture_app.outbox.status import Counts
from capture_app.security.pins import (
    PIN_LONGEST,
    PIN_SHORTEST,
    PIN_SHORTEST_EVER,
    require_new_pin,
)
from capture_app.settings.practice import PRACTICE_PIN, PRACTICE_USER
from capture_app.ui.reading import Reading
from capture_app.ui.services import Services
from capture_app.ui.tasks import Tasks, unexpected

_Counted = tuple[Counts, tuple[Draft, ...]]


@dataclass(frozen=True, slots=True)
class UserTile:
    """A user to be chosen."""

    user_id: str
    name: str
    role: str
    unsent: str
    """What of theirs is not sent yet, in words; empty where nothing is."""


class Asks(StrEnum):
    """What the digits are for."""

    PIN = "pin"
    NEW_PIN = "new-pin"
    """The old one was right, and is too short by now."""
    NEW_PIN_AGAIN = "new-pin-again"


@dataclass(frozen=True, slots=True)
class SignInState:
    """The page. The PIN itself is not in it: only how long it is."""

    station: str
    asks: Asks = Asks.PIN
    tiles: tuple[UserTile, ...] = ()
    chosen: UserTile | None = None
    digits: int = 0
    busy: bool = False
    fault: str = ""
    unsent: str = ""
    """What of the whole station is not sent yet, in words; empty where all is."""
    unsent_note: str = ""
    camera_warm: bool = False
    practice: bool = False

    @property
    def hint(self) -> str:
        """What to type: a new PIN, or in practice the PIN of the one user that it made."""
        if self.asks is Asks.NEW_PIN:
            return tr("New PIN: at least {n} digits.", n=PIN_SHORTEST)
        if self.asks is Asks.NEW_PIN_AGAIN:
            return tr("Once more, the same new PIN.")
        if not self.practice or self.chosen is None or self.chosen.user_id != PRACTICE_USER:
            return ""
        return tr("Practice: the PIN is {pin}.", pin=isolated(PRACTICE_PIN))

    @property
    def shortest(self) -> int:
        """How many characters there must be at least."""
        return PIN_SHORTEST_EVER if self.asks is Asks.PIN else PIN_SHORTEST

    @property
    def can_submit(self) -> bool:
        """Whether there is a user and enough of a PIN."""
        return self.chosen is not None and self.digits >= self.shortest and not self.busy


class SignInViewModel(QObject):
    """Chooses a user, takes a PIN digit by digit, signs in outside the GUI thread."""

    changed = Signal()
    signed_in = Signal(object)
    """The Operator."""

    def __init__(self, services: Services, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._services = services
        self._tasks = tasks
        self._pin = ""
        self._old_pin = ""
        self._new_pin = ""
        settings = services.settings
        self.state = SignInState(settings.station.name, practice=settings.practice)
        self._is_shown = False
        self._counting = Reading(tasks, self._question, told=self._counted, parent=self)
        self._leave = services.outbox.on_change(lambda _id: self._counting.ask_soon())

    def appear(self, last_user_id: str = "", *, camera_warm: bool = False, fault: str = "") -> None:
        """Shows the users anew; `last_user_id` is chosen already, as whoever locked it. `fault`:
        why the lock came, where that must be said.
        """
        self._forget()
        self._is_shown = True
        tiles, problem = self._read_tiles()
        chosen = next((tile for tile in tiles if tile.user_id == last_user_id), None)
        if chosen is None and len(tiles) == 1:
            chosen = tiles[0]
        self._show(
            replace(
                self.state,
                tiles=tiles,
                chosen=chosen,
                asks=Asks.PIN,
                digits=0,
                busy=False,
                fault=problem or fault,
                camera_warm=camera_warm,
            )
        )
        self._counting.ask()

    def vanish(self) -> None:
        """The page is not on screen any more: nothing is counted."""
        self._is_shown = False

    def close(self) -> None:
        """Ends the listening."""
        self._leave()
        self._counting.close()

    def _read_tiles(self) -> tuple[tuple[UserTile, ...], str]:
        """The users, and a fault in words where they cannot be read: those known so far stay, for
        a window that is to be locked is locked.
        """
        try:
            users = self._services.users.list()
        except CaptureAppError as error:
            return self.state.tiles, str(error)
        except Exception as error:  # noqa: BLE001 - logged and told, never dropped
            return self.state.tiles, str(unexpected(error))
        return tuple(
            UserTile(user.user_id, user.display_name, _role_words(user.roles), "") for user in users
        ), ""

    def _question(self) -> Callable[[], _Counted] | None:
        """What is not sent yet, of this station and of each user."""
        outbox = self._services.outbox
        return (lambda: (outbox.counts(), outbox.drafts())) if self._is_shown else None

    def choose(self, user_id: str) -> None:
        """Another user: the digits of the one before are forgotten."""
        tile = next((tile for tile in self.state.tiles if tile.user_id == user_id), None)
        if tile is not None and not self.state.busy:
            self._forget()
            self._show(replace(self.state, chosen=tile, asks=Asks.PIN, digits=0, fault=""))

    def step(self, by: int) -> None:
        """Another user, for the arrow keys; they stop at the ends."""
        tiles = self.state.tiles
        if not tiles:
            return
        chosen = self.state.chosen
        at = min(len(tiles) - 1, max(0, tiles.index(chosen) + by)) if chosen in tiles else 0
        self.choose(tiles[at].user_id)

    def type(self, character: str) -> None:
        """One more character of the PIN."""
        if self.state.busy or not character.isprintable() or len(self._pin) >= PIN_LONGEST:
            return
        self._pin += character
        self._show(replace(self.state, digits=len(self._pin), fault=""))

    def refuse_scan(self) -> None:
        """A scanner was used before the lock: said, for whoever did looks at the patient."""
        if not self.state.busy:
            words = tr("Nobody was opened by the scan. Sign in first.")
            self._show(replace(self.state, fault=words))

    def delete(self) -> None:
        """The last character goes."""
        if not self.state.busy:
            self._pin = self._pin[:-1]
            self._show(replace(self.state, digits=len(self._pin)))

    def clear(self) -> None:
        """All of the PIN goes; of a new one, too: it is begun again with the old one."""
        if not self.state.busy:
            self._forget()
            self._show(replace(self.state, asks=Asks.PIN, digits=0, fault=""))

    def submit(self) -> None:
        """Signs in. A wrong PIN is forgotten and said; the wait after many of them is, too."""
        chosen = self.state.chosen
        if chosen is None:
            self._show(replace(self.state, fault=tr("Choose your name first.")))
            return
        if not self.state.can_submit:
            if not self.state.busy:
                words = tr("That is too short for a PIN.")
                if self.state.asks is not Asks.PIN:
                    words = tr("A PIN has at least {n} characters.", n=self.state.shortest)
                self._show(replace(self.state, fault=words))
            return
        pin, self._pin = self._pin, ""
        users, user_id = self._services.users, chosen.user_id
        match self.state.asks:
            case Asks.PIN:
                self._old_pin = pin
                self._run(lambda: users.sign_in(user_id, pin))
            case Asks.NEW_PIN:
                self._take_new_pin(pin)
            case Asks.NEW_PIN_AGAIN if pin != self._new_pin:
                fault = tr("The two PINs are not the same. Choose a new one again.")
                self._show(replace(self.state, asks=Asks.NEW_PIN, digits=0, fault=fault))
            case Asks.NEW_PIN_AGAIN:
                old = self._old_pin
                self._run(lambda: users.change_pin(user_id, old, pin))

    def _take_new_pin(self, pin: str) -> None:
        try:
            require_new_pin(self._old_pin, pin)
        except SignInError as error:
            self._show(replace(self.state, digits=0, fault=str(error)))
            return
        self._new_pin = pin
        self._show(replace(self.state, asks=Asks.NEW_PIN_AGAIN, digits=0, fault=""))

    def _run(self, work: Callable[[], Operator]) -> None:
        self._show(replace(self.state, busy=True, fault=""))
        self._tasks.run(
            work,
            owner=self,
            done=self._signed_in,
            failed=self._refused,
            ended=lambda: self._show(replace(self.state, busy=False)),
        )

    def _forget(self) -> None:
        self._pin = self._old_pin = self._new_pin = ""

    def _counted(self, counted: _Counted) -> None:
        counts, drafts = counted
        of_user = Counter(draft.user_id for draft in drafts)
        tiles = tuple(
            replace(tile, unsent=_drafts_words(of_user[tile.user_id])) for tile in self.state.tiles
        )
        chosen = next((tile for tile in tiles if _same(tile, self.state.chosen)), None)
        unsent, note = _unsent_words(counts)
        self._show(replace(self.state, tiles=tiles, chosen=chosen, unsent=unsent, unsent_note=note))

    def _signed_in(self, operator: Operator) -> None:
        if not may(operator, Act.READ_PATIENTS):
            self._refused(SignInError(tr("Your roles open nothing in this window.")))
            return
        self._forget()
        self._show(replace(self.state, asks=Asks.PIN, digits=0, fault=""))
        self.signed_in.emit(operator)

    def _refused(self, error: CaptureAppError) -> None:
        """Where the PIN was right and too short a new one is asked for; all else begins anew."""
        if isinstance(error, PinTooShortError):
            asks = Asks.NEW_PIN
        else:
            asks = Asks.PIN
            self._forget()
        self._show(replace(self.state, asks=asks, digits=0, fault=str(error)))

    def _show(self, state: SignInState) -> None:
        if state != self.state:
            self.state = state
            self.changed.emit()


def _role_words(roles: tuple[Role, ...]) -> str:
    """The role that says most of a user, for the tile."""
    if Role.ADMINISTER in roles:
        return tr("Administrator")
    words = {
        Role.CAPTURE: tr("Takes pictures"),
        Role.CORRECT: tr("Corrects pictures"),
        Role.AUDIT: tr("Reads the trail"),
    }
    return ", ".join(words[role] for role in roles if role in words)


def _drafts_words(drafts: int) -> str:
    return trn("{n} draft not sent", "{n} drafts not sent", drafts) if drafts else ""


def _same(tile: UserTile, chosen: UserTile | None) -> bool:
    return chosen is not None and tile.user_id == chosen.user_id


def _unsent_words(counts: Counts) -> tuple[str, str]:
    waiting, drafts, needing = counts.waiting, counts.drafts, counts.needs_you
    total = waiting + drafts + counts.stopped
    if not total:
        return "", ""
    words = trn(
        "{n} picture on this station is not sent yet",
        "{n} pictures on this station are not sent yet",
        total,
    )
    notes = []
    if waiting:
        notes.append(tr("They are encrypted here and go on sending while locked."))
    else:
        notes.append(tr("They are encrypted here."))
    if drafts:
        notes.append(trn("{n} is a draft.", "{n} are drafts.", drafts))
    if needing:
        notes.append(trn("{n} needs a person.", "{n} need a person.", needing))
    if counts.it_asked:
        notes.append(trn("IT is asked about {n}.", "IT is asked about {n}.", counts.it_asked))
    return words, " ".join(notes)
