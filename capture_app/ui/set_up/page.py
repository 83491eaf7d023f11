"""The set-up step of a new computer: who administers it. Shown once, before anyone can sign in."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from capture_app.model.words import tr
from capture_app.security.pins import PIN_LONGEST, PIN_SHORTEST
from capture_app.ui.looks.fonts import BOLD, REGULAR, SEMIBOLD
from capture_app.ui.looks.theme import Metric
from capture_app.ui.set_up.viewmodel import SetUpViewModel
from capture_app.ui.widgets.buttons import Button, ButtonKind
from capture_app.ui.widgets.card import Backdrop, Panel
from capture_app.ui.widgets.fields import ShortField
from capture_app.ui.widgets.labels import FaultLabel, Icon, Label
from capture_app.ui.widgets.scrolling import ScrollColumn
from capture_app.ui.words.marks import Tone


class SetUpPage(Backdrop):
    """Renders a SetUpState."""

    def __init__(self, viewmodel: SetUpViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._vm = viewmodel
        brand = QHBoxLayout()
        brand.setSpacing(16)
        brand.addWidget(Icon("aperture", Metric.ICON_BRAND, tone=Tone.ACCENT))
        brand.addWidget(Label(tr("Capture"), 20, BOLD))
        brand.addStretch(1)
        explained = tr(
            "You are the first user of this computer and become its administrator. Your name goes "
            "into the pictures you take; no patient data is asked here."
        )
        self._given = ShortField(tr("Given name"), length=32)
        self._family = ShortField(tr("Family name"), length=32)
        caption = tr("PIN, at least {n} digits", n=PIN_SHORTEST)
        self._pin = ShortField(caption, length=PIN_LONGEST, secret=True)
        self._again = ShortField(tr("The same PIN again"), length=PIN_LONGEST, secret=True)
        fields = QGridLayout()
        fields.setHorizontalSpacing(16)
        fields.setVerticalSpacing(20)
        for i, field in enumerate((self._given, self._family, self._pin, self._again)):
            field.submitted.connect(self._next)
            fields.addWidget(field, i // 2, i % 2)
        self._fault = FaultLabel(size=14, weight=SEMIBOLD, tone=Tone.BAD, wrap=True)
        self._create = Button(
            tr("Create administrator"), ButtonKind.PRIMARY, icon="user-plus", key=tr("Enter")
        )
        self._create.clicked.connect(self._submit)
        card = Panel(radius=Metric.RADIUS_PIN)
        card.setFixedWidth(640)
        inside = QVBoxLayout(card)
        inside.setContentsMargins(32, 32, 32, 32)
        inside.setSpacing(20)
        inside.addLayout(fields)
        inside.addWidget(self._fault)
        inside.addWidget(self._create, 0, Qt.AlignmentFlag.AlignTrailing)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        scroll = ScrollColumn()
        whole.addWidget(scroll)
        page = scroll.column
        page.setContentsMargins(64, 40, 64, 16)
        page.addLayout(brand)
        page.addSpacing(42)
        page.addWidget(Label(tr("Set up this computer"), 28, BOLD))
        page.addSpacing(14)
        text = Label(explained, 15, REGULAR, tone=Tone.TEXT_2, wrap=True)
        text.setMaximumWidth(640)
        page.addWidget(text)
        page.addSpacing(24)
        page.addWidget(card)
        page.addStretch(1)
        viewmodel.changed.connect(self.render_state)
        self.render_state()

    @property
    def fault(self) -> str:
        """What it says is wrong."""
        return self._fault.text()

    def render_state(self) -> None:
        """Shows the state."""
        state = self._vm.state
        self._fault.say(tr("Making the account") if state.busy else state.fault)
        self._fault.set_tone(Tone.TEXT_2 if state.busy else Tone.BAD)
        self._create.setEnabled(not state.busy)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._given.setFocus(Qt.FocusReason.OtherFocusReason)

    def _next(self) -> None:
        """Enter: the first field that is empty, else create."""
        for field in (self._given, self._family, self._pin, self._again):
            if not field.text:
                field.setFocus(Qt.FocusReason.TabFocusReason)
                return
        self._submit()

    def _submit(self) -> None:
        self._vm.create(self._given.text, self._family.text, self._pin.text, self._again.text)
