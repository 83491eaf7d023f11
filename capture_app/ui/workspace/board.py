"""What the parts of the workspace share: what is known, the state made of it, and its messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from PySide6.QtCore import QObject, Signal

from capture_app.catalog.catalog import Catalog
from capture_app.exam.describing import Coding, coding
from capture_app.exam.orders import obvious, ours, prefilled
from capture_app.exam.standing import Standing
from capture_app.model.exam import Exam
from capture_app.model.operator import Operator
from capture_app.model.procedure import Description
from capture_app.ui.services import Services
from capture_app.ui.tasks import Tasks
from capture_app.ui.words.marks import Message, Tone
from capture_app.ui.words.order_words import listed_orders
from capture_app.ui.workspace.state import Known, Shot, WorkspaceState, state_of
from capture_app.ui.workspace.whose_words import Identified


@dataclass(frozen=True, slots=True)
class Undoable:
    """An act of a person that can be taken back."""

    what: str
    """In words."""
    take_back: Callable[[], None]
    send_id: str = ""
    """Of a Send: it may have been taken back from elsewhere meanwhile."""


class Board(QObject):
    """The one place where the workspace's knowledge changes. For the GUI thread only."""

    changed = Signal()
    reload_needed = Signal()
    """An act on pictures failed: what is known of them must be read anew."""

    def __init__(
        self,
        services: Services,
        tasks: Tasks,
        acts: Tasks,
        exam: Exam,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.services = services
        self.tasks = tasks
        self.acts = acts
        self.favourites = services.catalog.favourites(
            services.settings.station.department, services.settings.capture.favourites
        )
        self.acts_begun = 0
        """Counts the acts on pictures: what was read before the last of them is of yesterday."""
        self.known = _known_at_first(services, exam)
        self.state = self._made()
        self._message_acts: tuple[Callable[[], object] | None, ...] = (None, None)
        self.undoables: list[Undoable] = []
        """What can be taken back, the last act last."""
        self.taken = 0
        """How many pictures were taken."""

    @property
    def exam(self) -> Exam:
        """The exam whose pictures these are."""
        return self.known.exam

    @property
    def operator(self) -> Operator:
        """Who acts."""
        return self.known.exam.operator

    def show(self, **changes: Any) -> None:
        """Replaces parts of what is known; tells of it where the page looks different."""
        self.known = replace(self.known, **changes)
        state = self._made()
        if state != self.state:
            self.state = state
            self.changed.emit()

    def change(self, capture_ids: Iterable[str], change: Callable[[Shot], Shot]) -> None:
        """Replaces some pictures."""
        ids = frozenset(capture_ids)
        shots = (change(s) if s.capture_id in ids else s for s in self.known.shots)
        self.show(shots=tuple(shots))

    def do(self, work: Callable[[], object], done: Callable[[], None] | None = None) -> None:
        """An act on pictures, in its turn. Where it fails it is said, and all is read anew."""
        self.acts_begun += 1

        def failed(error: Exception) -> None:
            self.say(trouble(str(error)))
            self.reload_needed.emit()

        self.acts.run(work, owner=self, done=lambda _: done() if done else None, failed=failed)

    # ------------------------------------------------------------------------------- messages

    def say(
        self,
        message: Message,
        act: Callable[[], object] | None = None,
        other: Callable[[], object] | None = None,
    ) -> None:
        """A message over the picture, and what its act does, and its other act."""
        self._message_acts = (act, other)
        self.show(message=message, message_number=self.known.message_number + 1)

    def act_on_message(self, *, other: bool = False) -> bool:
        """Does the act of the message; False where there is no message but a stop."""
        if self.known.message is None:
            return False
        act = self._message_acts[other]
        self._message_acts = (None, None)
        self.show(message=None)
        if act is not None:
            act()
        return True

    def message_left(self) -> None:
        """The message went by itself."""
        self._message_acts = (None, None)
        self.show(message=None)

    # ------------------------------------------------------------------------------ taking back

    def undo(self) -> bool:
        """Takes back the last act; False where there is none."""
        if not self.undoables:
            return False
        self.undoables.pop().take_back()
        return True

    def _made(self) -> WorkspaceState:
        return state_of(self.known, self.services.catalog, self.favourites)


def _known_at_first(services: Services, exam: Exam) -> Known:
    """With the panels as the order in use says, else as the one does that is obviously meant."""
    orders, device = listed_orders(services.census, exam), services.devices.chosen
    here = ours(services.settings)
    meant = exam.order or obvious(orders, device, here)
    said = prefilled(meant, device, services.catalog)
    panels = panels_of(said, services.catalog)
    standing = Standing(exam.patient, exam.encounter)
    identified = Identified(exam.identified_by, exam.known_since)
    today = services.clock.now().date()
    return Known(
        exam,
        standing,
        identified,
        today,
        panels,
        said,
        here,
        device=device,
        orders=orders,
        picks_place=services.settings.station.goes_to_patients,
    )


def panels_of(said: Description, catalog: Catalog) -> Coding:
    """What the panels show where nobody chose anything yet."""
    return coding(Description(), said, catalog, usual_site=True)


def trouble(what: str) -> Message:
    """Something did not happen, and why."""
    return Message(what, "", "warning-circle", Tone.BAD)
