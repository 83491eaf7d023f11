"""Pages that few may see, made when they are first looked at: the list need not wait for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget

from capture_app.model.operator import Act, Operator, may
from capture_app.patients.finding.scan import ScannedCode, ScanRules
from capture_app.ui.patients.scanning import entry_of
from capture_app.ui.services import Services
from capture_app.ui.shell.app_bar import Place
from capture_app.ui.tasks import Tasks
from capture_app.ui.words.marks import Message

if TYPE_CHECKING:
    from capture_app.ui.cameras.page import CamerasPage
    from capture_app.ui.cameras.viewmodel import CamerasViewModel
    from capture_app.ui.card.page import CardPage
    from capture_app.ui.card.viewmodel import CardViewModel
    from capture_app.ui.received.page import ReceivedPage
    from capture_app.ui.received.viewmodel import ReceivedViewModel
    from capture_app.ui.trail.page import TrailPage
    from capture_app.ui.trail.viewmodel import TrailViewModel


_ACTS: Final[Mapping[Place, tuple[Act, ...]]] = {
    Place.RECEIVED: (Act.TAKE_PICTURES, Act.DISCARD_RECEIVED),
    Place.TRAIL: (Act.READ_TRAIL,),
    Place.CAMERAS: (Act.SET_UP_CAMERAS,),
}
"""Who may do one of them has a reason to go there."""


class LatePages:
    """`add` puts a page among the others; `leave` is what Esc does there, `tell` says
    something over the page; `scan_rules`: what a code must be now to name anybody.
    """

    def __init__(
        self,
        services: Services,
        tasks: Tasks,
        operator: Operator,
        *,
        owner: QObject,
        add: Callable[[QWidget], object],
        leave: Callable[[], None],
        tell: Callable[[Message], None],
        scan_rules: Callable[[], ScanRules],
    ) -> None:
        self._services = services
        self._tasks = tasks
        self._operator = operator
        self._owner = owner
        self._add = add
        self._leave = leave
        self._tell = tell
        self._scan_rules = scan_rules
        self._trail: tuple[TrailViewModel, TrailPage] | None = None
        self._cameras: tuple[CamerasViewModel, CamerasPage] | None = None
        self._card: tuple[CardViewModel, CardPage] | None = None
        self._received: tuple[ReceivedViewModel, ReceivedPage] | None = None

    def may_see(self, place: Place) -> bool:
        """Whether who is signed in may do anything there, and it is there at all."""
        if place is Place.CARD:
            has_cards = bool(self._services.settings.cards)
            return has_cards and may(self._operator, Act.TAKE_PICTURES)
        return any(may(self._operator, act) for act in _ACTS.get(place, ()))

    def offered(self, received: int) -> frozenset[Place]:
        """Those that the bar shows. `received`: how many images of scanners are nobody's: they are
        shown also where the port for scanners was taken away since.
        """
        places = {place for place in (Place.CARD, *_ACTS) if self.may_see(place)}
        is_needed = received > 0 or self._services.settings.receiver is not None
        return frozenset(places if is_needed else places - {Place.RECEIVED})

    def at(self, place: Place) -> tuple[QWidget, Callable[[], None]]:
        """The page of a place, and what gives it the focus when it is shown."""
        if place is Place.CARD:
            return self.card[1], self.card[1].take_focus
        page: TrailPage | ReceivedPage | CamerasPage
        if place is Place.TRAIL:
            page = self.trail[1]
        else:
            page = self.received[1] if place is Place.RECEIVED else self.cameras[1]
        return page, lambda: page.list.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def card(self) -> tuple[CardViewModel, CardPage]:
        """What the page of the cards shows, and the page."""
        if self._card is None:
            from capture_app.ui.card.page import CardPage, small  # noqa: PLC0415 - as above
            from capture_app.ui.card.viewmodel import CardViewModel  # noqa: PLC0415 - as above

            viewmodel = CardViewModel(
                self._services, self._tasks, self._operator, small, self._owner
            )
            viewmodel.told.connect(self._tell)
            self._card = viewmodel, CardPage(viewmodel)
            self._card[1].left.connect(self._leave)
            self._add(self._card[1])
        return self._card

    @property
    def trail(self) -> tuple[TrailViewModel, TrailPage]:
        """What the page of the trail shows, and the page."""
        if self._trail is None:
            from capture_app.ui.trail.page import TrailPage  # noqa: PLC0415 - as above
            from capture_app.ui.trail.viewmodel import TrailViewModel  # noqa: PLC0415 - as above

            viewmodel = TrailViewModel(self._services, self._tasks, self._operator, self._owner)
            self._trail = viewmodel, TrailPage(viewmodel)
            self._trail[1].left.connect(self._leave)
            self._add(self._trail[1])
        return self._trail

    @property
    def cameras(self) -> tuple[CamerasViewModel, CamerasPage]:
        """What the page of the cameras shows, and the page."""
        if self._cameras is None:
            from capture_app.ui.cameras.page import CamerasPage  # noqa: PLC0415 - as above
            from capture_app.ui.cameras.viewmodel import (  # noqa: PLC0415 - as above
                CamerasViewModel,
            )

            viewmodel = CamerasViewModel(self._services, self._tasks, self._owner)
            self._cameras = viewmodel, CamerasPage(viewmodel)
            self._cameras[1].left.connect(self._leave)
            self._add(self._cameras[1])
        return self._cameras

    @property
    def received(self) -> tuple[ReceivedViewModel, ReceivedPage]:
        """What the page of received images shows, and the page."""
        if self._received is None:
            from capture_app.ui.received.page import ReceivedPage  # noqa: PLC0415 - as above
            from capture_app.ui.received.viewmodel import (  # noqa: PLC0415 - as above
                ReceivedViewModel,
            )

            viewmodel = ReceivedViewModel(self._services, self._tasks, self._operator, self._owner)
            viewmodel.told.connect(self._tell)
            self._received = viewmodel, ReceivedPage(viewmodel, self._tasks)
            self._received[1].left.connect(self._leave)
            self._add(self._received[1])
        return self._received

    def takes_scan(self, shown: QWidget | None, code: ScannedCode) -> bool:
        """Whether the page that is shown says whose an image is: then this wristband said it."""
        if self._received is None or shown is not self._received[1]:
            return False
        rules, census = self._scan_rules(), self._services.census
        self._received[0].scanned(entry_of(code, rules, census))
        return True

    def takes_undo(self, shown: QWidget | None) -> bool:
        """Whether something was discarded on the page that is shown: it is brought back."""
        received = self._received
        return received is not None and shown is received[1] and received[0].bring_back()

    def forget(self) -> None:
        """Idle or locked: who was identified is asked for again."""
        if self._received is not None:
            self._received[0].forget()

    def close(self) -> None:
        """The user has gone."""
        for made in (self._trail, self._cameras, self._card, self._received):
            if made is not None:
                made[0].close()
