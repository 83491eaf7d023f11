"""Pages that few may see, made when they are first looked at: the list need not wait for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Qt
from PySide6.QtWidgets import QWidget

from capture_app.model.operator import Act, Operator, may
from capture_app.ui.services import Services
from capture_app.ui.shell.app_bar import Place
from capture_app.ui.tasks import Tasks
from capture_app.ui.words.marks import Message

if TYPE_CHECKING:
    from capture_app.ui.cameras.page import CamerasPage
    from capture_app.ui.cameras.viewmodel import CamerasViewModel
    from capture_app.ui.card.page import CardPage
    from capture_app.ui.card.viewmodel import CardViewModel
    from capture_app.ui.trail.page import TrailPage
    from capture_app.ui.trail.viewmodel import TrailViewModel


class LatePages:
    """`add` puts a page among the others; `leave` is what Esc does there; `tell` says something
    over the page.
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
    ) -> None:
        self._services = services
        self._tasks = tasks
        self._operator = operator
        self._owner = owner
        self._add = add
        self._leave = leave
        self._tell = tell
        self._trail: tuple[TrailViewModel, TrailPage] | None = None
        self._cameras: tuple[CamerasViewModel, CamerasPage] | None = None
        self._card: tuple[CardViewModel, CardPage] | None = None

    def may_see(self, place: Place) -> bool:
        """Whether who is signed in may go there, and it is there at all."""
        if place is Place.CARD:
            has_cards = bool(self._services.settings.cards)
            return has_cards and may(self._operator, Act.TAKE_PICTURES)
        acts = {Place.TRAIL: Act.READ_TRAIL, Place.CAMERAS: Act.SET_UP_CAMERAS}
        return place in acts and may(self._operator, acts[place])

    def at(self, place: Place) -> tuple[QWidget, Callable[[], None]]:
        """The page of a place, and what gives it the focus when it is shown."""
        if place is Place.CARD:
            return self.card[1], self.card[1].take_focus
        page = self.trail[1] if place is Place.TRAIL else self.cameras[1]
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

    def close(self) -> None:
        """The user has gone."""
        for made in (self._trail, self._cameras, self._card):
            if made is not None:
                made[0].close()
