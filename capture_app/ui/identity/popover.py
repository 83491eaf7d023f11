"""The second identifier's popover: initials and year, under its row or in the middle."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget

from capture_app.exam.second_identifier import LAST_DIGITS, Question
from capture_app.model.words import tr
from capture_app.ui.identity.viewmodel import IdentityCheck
from capture_app.ui.looks.fonts import MEDIUM, SEMIBOLD
from capture_app.ui.widgets.buttons import Button, ButtonKind
from capture_app.ui.widgets.fields import ShortField
from capture_app.ui.widgets.labels import Icon, Label
from capture_app.ui.widgets.popover import Popover
from capture_app.ui.words.marks import Tone


class IdentityPopover(Popover):
    """Renders an IdentityCheck and hands its answers on; the check closes it."""

    def __init__(self, host: QWidget, check: IdentityCheck) -> None:
        super().__init__(host, tr("Is this the right patient?"))
        self._check = check
        self._said = ""
        hint = tr("Ask the patient, or read the wristband. Do not copy the row.")
        self._hint = Label(hint, 13, MEDIUM, tone=Tone.TEXT_2, wrap=True)
        self._initials = ShortField(tr("Initials, family name first"), length=12, capitals=True)
        asks_year = check.state.question is Question.BIRTH_YEAR
        caption = tr("Year of birth") if asks_year else tr("Last {n} of the MRN", n=LAST_DIGITS)
        self._second = ShortField(caption, length=4, capitals=not asks_year)
        if asks_year:
            self._second.edit.setInputMethodHints(Qt.InputMethodHint.ImhDigitsOnly)
        fields = QHBoxLayout()
        fields.setSpacing(16)
        fields.addWidget(self._initials)
        fields.addWidget(self._second)
        fields.addStretch(1)
        self._fault = Label(size=13, weight=SEMIBOLD, tone=Tone.BAD, wrap=True)
        self._fault.hide()
        words = tr("A wristband scan skips this check")
        skips = Label(words, 13, MEDIUM, tone=Tone.TEXT_2, wrap=True)
        cancel = Button(tr("Cancel"), ButtonKind.GHOST, key=tr("Esc"))
        cancel.clicked.connect(self.close_asked)
        self._open = Button(tr("Open"), ButtonKind.PRIMARY, key=tr("Enter"))
        self._open.set_tall(44)
        self._open.clicked.connect(self._submit)
        acts = QHBoxLayout()
        acts.setSpacing(8)
        acts.addWidget(Icon("barcode", tone=Tone.TEXT_2))
        acts.addWidget(skips, 1)
        acts.addWidget(cancel)
        acts.addWidget(self._open)
        self.body.addWidget(self._hint)
        self.body.addLayout(fields)
        self.body.addWidget(self._fault)
        self.body.addLayout(acts)
        self._initials.submitted.connect(self._initials_done)
        self._second.submitted.connect(self._submit)
        self.close_asked.connect(check.cancel)
        check.changed.connect(self.render_state)

    def show_at(self, row: QRect) -> None:
        super().show_at(row)
        self._initials.setFocus(Qt.FocusReason.PopupFocusReason)

    def _initials_done(self) -> None:
        """Enter in the first field goes on to the second; with both there it opens."""
        if self._second.text:
            self._submit()
        else:
            self._second.setFocus(Qt.FocusReason.TabFocusReason)

    def _submit(self) -> None:
        self._check.answer(self._initials.text, self._second.text)

    def render_state(self) -> None:
        """Shows what was wrong, and asks anew."""
        state = self._check.state
        self._fault.setText(state.fault)
        self._fault.setVisible(bool(state.fault))
        for field in (self._initials, self._second):
            field.mark_wrong(bool(state.fault))
        tried_again = state.fault != self._said and self._initials.text and self._second.text
        self._said = state.fault
        if tried_again:
            self._initials.clear()
            self._second.clear()
            self._initials.setFocus(Qt.FocusReason.OtherFocusReason)
        self.place()
