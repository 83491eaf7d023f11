"""The first user of a computer: its administrator. Staff, not patients."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal

from capture_app.model.operator import Operator
from capture_app.model.patient import NameGroup, PersonName
from capture_app.model.words import tr
from capture_app.security.users import FIRST_ROLES
from capture_app.ui.services import Services
from capture_app.ui.tasks import Tasks


@dataclass(frozen=True, slots=True)
class SetUpState:
    """The page."""

    busy: bool = False
    fault: str = ""


class SetUpViewModel(QObject):
    """Adds the administrator and signs them in."""

    changed = Signal()
    signed_in = Signal(object)
    """The Operator."""

    def __init__(self, services: Services, tasks: Tasks, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._services = services
        self._tasks = tasks
        self.state = SetUpState()

    def create(self, given: str, family: str, pin: str, again: str) -> None:
        """Adds the first user. The name goes into images as the operator's."""
        if self.state.busy:
            return
        given, family = given.strip(), family.strip()
        if not given or not family:
            self._show(replace(self.state, fault=tr("Both names are needed.")))
            return
        if not pin.isdecimal() or not pin.isascii():
            self._show(replace(self.state, fault=tr("A PIN here is digits, for the PIN pad.")))
            return
        if pin != again:
            self._show(replace(self.state, fault=tr("The two PINs are not the same.")))
            return
        self._show(SetUpState(busy=True))
        users = self._services.users
        name = PersonName(NameGroup(family, given))

        def add() -> Operator:
            user_id = user_id_of(given, family)
            if not users.has_any():  # else a try before this one ended between the two
                users.add(user_id, f"{given} {family}", FIRST_ROLES, pin, None, name=name)
            return users.sign_in(user_id, pin)

        self._tasks.run(
            add,
            owner=self,
            done=self.signed_in.emit,
            failed=lambda error: self._show(SetUpState(busy=True, fault=str(error))),
            ended=lambda: self._show(replace(self.state, busy=False)),
        )

    def _show(self, state: SetUpState) -> None:
        if state != self.state:
            self.state = state
            self.changed.emit()


def user_id_of(given: str, family: str) -> str:
    """a.okafor: the first letter and the family name, plain; admin where nothing of it is Latin."""
    apart = unicodedata.normalize("NFKD", f"{given[:1]}.{family}".casefold())
    plain = "".join(c for c in apart if c.isascii() and (c.isalnum() or c in "._-"))
    return plain.strip("._-")[:32] or "admin"
