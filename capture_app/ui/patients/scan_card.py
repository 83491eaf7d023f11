"""How to scan: the card beside the list, with the camera's picture while it reads codes."""

from __future__ import annotations

from PySide6.QtGui import QHideEvent, QShowEvent

from capture_app.model.words import tr
from capture_app.ui.looks.fonts import REGULAR, SEMIBOLD
from capture_app.ui.patients.barcode_picture import BarcodePicture
from capture_app.ui.patients.camera_scan import CameraScan
from capture_app.ui.widgets.buttons import Button, ButtonKind
from capture_app.ui.widgets.card import Card
from capture_app.ui.widgets.labels import Label
from capture_app.ui.widgets.picture_view import PictureView
from capture_app.ui.words.marks import Tone

_PREVIEW_HEIGHT = 158


class ScanCard(Card):
    """Renders a CameraScanState. The camera reads codes only while this is on screen."""

    def __init__(self, viewmodel: CameraScan) -> None:
        super().__init__(tr("Scan the wristband"), padding=20, title_size=18)
        self._vm = viewmodel
        self._has_room = True
        safest = tr("Safest and fastest: opens the patient from any screen.")
        self._drawing = BarcodePicture()
        self._preview = PictureView(tr("Picture of the camera that reads codes"), _PREVIEW_HEIGHT)
        self._words = Label(size=13, weight=SEMIBOLD, tone=Tone.TEXT_2, wrap=True)
        self.set_up = Button(tr("Set up the scanner"), ButtonKind.GHOST, icon="barcode")
        self.set_up.hide()  # but for administrators
        self.turn = Button("", icon="camera")
        for button in (self.turn, self.set_up):
            button.let_yield()
        self.turn.clicked.connect(lambda: viewmodel.turn(on=not viewmodel.state.is_on))
        self.body.addWidget(Label(safest, 14, REGULAR, tone=Tone.TEXT_2, wrap=True))
        for widget in (self._drawing, self._preview, self._words, self.turn, self.set_up):
            self.body.addWidget(widget)
        viewmodel.changed.connect(self.render_state)
        self.render_state()

    def render_state(self) -> None:
        """Shows the state."""
        state = self._vm.state
        pixels = state.preview
        self._drawing.setVisible(pixels is None and self._has_room)
        self._preview.setVisible(pixels is not None)
        if pixels is not None:
            self._preview.show_pixels(pixels)
        self._words.setText(state.words)
        self._words.setVisible(bool(state.words))
        self.turn.setText(tr("Stop reading") if state.is_on else tr("Read by camera"))

    def show_drawing(self, has_room: bool) -> None:  # noqa: FBT001 - as a Qt setter
        """The drawing of a code only where the window has room for it."""
        self._has_room = has_room
        self.render_state()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._vm.begin()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._vm.end()
