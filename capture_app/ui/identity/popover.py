"""The second identifier's popover: what is asked, under its row or in the middle."""

from __future__ import annotations

from PySide6.QtCore import QObject, QRect, Qt
from PySide6.QtWidgets import QApplication, QHBoxLayout, QVBoxLayout, QWidget

from capture_app.exam.second_identifier import Answer
from capture_app.model.words import tr
from capture_app.ui.identity.keypad import BACK, KEY, Keypad
from capture_app.ui.identity.viewmodel import IdentityCheck
from capture_app.ui.looks.fonts import MEDIUM, SEMIBOLD
from capture_app.ui.widgets.buttons import Button, ButtonKind
from capture_app.ui.widgets.fields import ShortField
from capture_app.ui.widgets.labels import FaultLabel, Icon, Label
from capture_app.ui.widgets.popover import WIDTH, Popover
from capture_app.ui.words.marks import Tone

_WITH_KEYPAD = 9 * KEY + 8 * 8 + 2 * 24


class IdentityPopover(Popover):
    """Renders an IdentityCheck and hands its answers on; the check closes it."""

    def __init__(
        self, host: QWidget, check: IdentityCheck, *, title: str = "", why: str = "", act: str = ""
    ) -> None:
        """`why`: what makes it necessary to ask; `act`: what the right answer does."""
        super().__init__(host, title or tr("Is this the right patient?"))
        self._check = check
        self._said = ""
        question = check.state.question
        hint = tr("Ask the patient, or read the wristband. Do not copy the row.")
        self._initials = ShortField(tr("Initials"), length=12, capitals=True)
        self._year = ShortField(tr("Year of birth"), length=4)
        self._year.edit.setInputMethodHints(Qt.InputMethodHint.ImhDigitsOnly)
        self._last = ShortField(
            tr("Last {n} of the MRN", n=question.last), length=max(4, question.last), capitals=True
        )
        asked = (
            (self._initials, question.initials),
            (self._year, question.year),
            (self._last, bool(question.last)),
        )
        self._fields = tuple(field for field, is_asked in asked if is_asked)
        fields = QHBoxLayout()
        fields.setSpacing(16)
        for field, is_asked in asked:
            fields.addWidget(field)
            if not is_asked:
                field.hide()
            field.submitted.connect(self._next)
        fields.addStretch(1)
        self._fault = FaultLabel(size=13, weight=SEMIBOLD, tone=Tone.BAD, wrap=True)
        self._fault.hide()
        self._has_letters = not check.patient.patient_id.value[-question.last :].isdecimal()
        self.keypad = Keypad(mixed=bool(question.last) and self._has_letters)
        self.keypad.hide()
        self.keypad.touched.connect(self._touched)
        if why:
            self.body.addWidget(Label(why, 14, SEMIBOLD, tone=Tone.WARN, wrap=True))
        self.body.addWidget(Label(hint, 13, MEDIUM, tone=Tone.TEXT_2, wrap=True))
        if question.initials:
            how = tr("Initials in any usual order, in Latin letters or those of the name.")
            self.body.addWidget(Label(how, 13, MEDIUM, tone=Tone.TEXT_2, wrap=True))
        self.body.addLayout(fields)
        self.body.addWidget(self._fault)
        self.body.addWidget(self.keypad)
        self.body.addLayout(self._acts(act or tr("Open")))
        self.close_asked.connect(check.cancel)
        check.changed.connect(self.render_state)
        app = QApplication.instance()
        if isinstance(app, QApplication):
            app.focusChanged.connect(self._focus_moved)

    def _acts(self, words: str) -> QVBoxLayout:
        skips = tr("A wristband scan skips this check")
        self.keypad_button = Button(tr("Keypad"), ButtonKind.GHOST)
        self.keypad_button.clicked.connect(self._toggle_keypad)
        cancel = Button(tr("Cancel"), ButtonKind.GHOST, key=tr("Esc"))
        cancel.clicked.connect(self.close_asked)
        self._open = Button(words, ButtonKind.PRIMARY, key=tr("Enter"))
        self._open.set_tall(44)
        self._open.clicked.connect(self._submit)
        scan = QHBoxLayout()
        scan.setSpacing(8)
        scan.addWidget(Icon("barcode", tone=Tone.TEXT_2))
        scan.addWidget(Label(skips, 13, MEDIUM, tone=Tone.TEXT_2, wrap=True), 1)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.keypad_button)
        buttons.addStretch(1)
        buttons.addWidget(cancel)
        buttons.addWidget(self._open)
        acts = QVBoxLayout()
        acts.setSpacing(12)
        acts.addLayout(scan)
        acts.addLayout(buttons)
        return acts

    def show_at(self, row: QRect) -> None:
        super().show_at(row)
        self._fields[0].setFocus(Qt.FocusReason.PopupFocusReason)

    # ------------------------------------------------------------------------------- answering

    def _next(self) -> None:
        """Enter goes on to the first field that is empty; with all there it opens."""
        empty = next((field for field in self._fields if not field.text), None)
        if empty is None:
            self._submit()
        else:
            empty.setFocus(Qt.FocusReason.TabFocusReason)

    def _submit(self) -> None:
        self._check.answer(Answer(self._initials.text, self._year.text, self._last.text))

    def render_state(self) -> None:
        """Shows what was wrong, and asks anew."""
        state = self._check.state
        self._fault.say(state.fault)
        for field in self._fields:
            field.mark_wrong(bool(state.fault))
        tried_again = state.fault != self._said and all(field.text for field in self._fields)
        self._said = state.fault
        if tried_again:
            for field in self._fields:
                field.clear()
            self._fields[0].setFocus(Qt.FocusReason.OtherFocusReason)
        self.place()

    # ---------------------------------------------------------------------------------- keypad

    def _toggle_keypad(self) -> None:
        show = self.keypad.isHidden()
        self.keypad.setVisible(show)
        self.set_width(_WITH_KEYPAD if show else WIDTH)
        self._fields[0 if not self._fields[0].text else -1].setFocus()
        if show:  # a card so large has no room beside its row
            self.show_in_the_middle()
        self.place()

    def _focus_moved(self, _before: QObject | None, now: QObject | None) -> None:
        if now in (self._initials.edit, self._year.edit, self._last.edit):
            is_number = now is self._last.edit and not self._has_letters
            self.keypad.show_for(digits=is_number or now is self._year.edit)

    def _touched(self, character: str) -> None:
        """A key of the keypad writes where a key of the keyboard would; a full field goes on."""
        field = next((f for f in self._fields if f.edit.hasFocus()), self._fields[0])
        if character == BACK:
            field.edit.backspace()
            return
        field.edit.insert(character)
        if field is not self._initials and len(field.text) == field.edit.maxLength():
            empty = next((f for f in self._fields if not f.text), None)
            if empty is not None:
                empty.setFocus(Qt.FocusReason.TabFocusReason)
