"""The page of the cameras: a list, what one of them can, and a look through it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QKeyEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from capture_app.model.words import tr
from capture_app.ui.cameras.viewmodel import CamerasViewModel
from capture_app.ui.looks.fonts import MEDIUM, REGULAR, SEMIBOLD
from capture_app.ui.widgets.buttons import Button, ButtonKind
from capture_app.ui.widgets.card import Backdrop, Card
from capture_app.ui.widgets.labels import FaultLabel, Label
from capture_app.ui.widgets.listbox import ListBox
from capture_app.ui.widgets.picture_view import PictureView
from capture_app.ui.widgets.scrolling import ScrollColumn
from capture_app.ui.words.marks import Tone

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PICTURE_HEIGHT = 270
_LIST_WIDTH = 300


class CamerasPage(Backdrop):
    """Renders a CamerasState. Cameras are looked at only while it is on screen."""

    left = Signal()
    """Esc: back to the patients."""

    def __init__(self, viewmodel: CamerasViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._vm = viewmodel
        self.list = ListBox(name=tr("Cameras that are plugged in"))
        self.list.picked.connect(viewmodel.choose)
        plugged = Card(tr("Plugged in"))
        plugged.setFixedWidth(_LIST_WIDTH)
        plugged.body.addWidget(self.list, 1)
        self._what = Card(tr("Camera"))
        self._about = Label(size=14, weight=REGULAR, wrap=True)
        self._modes = Label(size=13, weight=MEDIUM, tone=Tone.TEXT_2, wrap=True)
        self._what.body.addWidget(self._about)
        self._what.body.addWidget(self._modes)
        self._controls = Label(size=13, weight=MEDIUM, tone=Tone.TEXT_2, wrap=True)
        self._what.body.addWidget(self._controls)
        self.look = Button(tr("Look through it"), ButtonKind.PRIMARY, icon="eye")
        self.look.clicked.connect(self._turn)
        self._fault = FaultLabel(size=14, weight=SEMIBOLD, tone=Tone.BAD, wrap=True)
        self.picture = PictureView(tr("What the camera sees; it is not kept"), _PICTURE_HEIGHT)
        self._measured = Label(size=14, weight=SEMIBOLD, wrap=True)
        self._seen = Card(tr("Look"), tr("Not kept"))
        for widget in (self._fault, self.picture, self._measured):
            self._seen.body.addWidget(widget)
        self._seen.body.addWidget(self.look, 0, Qt.AlignmentFlag.AlignLeading)
        scroll = ScrollColumn()
        scroll.column.setSpacing(8)
        scroll.column.addWidget(self._what)
        scroll.column.addWidget(self._seen)
        scroll.column.addStretch(1)
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(plugged)
        row.addWidget(scroll, 1)
        page = QVBoxLayout(self)
        page.setContentsMargins(16, 8, 16, 4)
        page.addLayout(row, 1)
        viewmodel.changed.connect(self.render_state)
        viewmodel.pictured.connect(self._show_picture)
        self.render_state()

    def render_state(self) -> None:
        """Shows the state."""
        state = self._vm.state
        empty = tr("No camera is plugged in.") if state.is_read else tr("Looking for cameras")
        self.list.show_rows(state.rows, state.chosen, empty)
        self._what.setVisible(bool(state.chosen))
        self._seen.setVisible(bool(state.chosen) or bool(state.fault))
        self._what.title.setText(state.name)
        for label, lines in (
            (self._about, state.about),
            (self._modes, state.modes),
            (self._controls, state.controls),
            (self._measured, state.measured),
        ):
            label.setText("\n".join(lines))
            label.setVisible(bool(lines))
        self._fault.say(state.fault)
        self.picture.setVisible(state.is_looking)
        self.look.setVisible(bool(state.chosen))
        self.look.setText(tr("Stop looking") if state.is_looking else tr("Look through it"))

    def _turn(self) -> None:
        if self._vm.state.is_looking:
            self._vm.stop_looking()
        else:
            self._vm.look()

    def _show_picture(self, pixels: NDArray[np.uint8] | None) -> None:
        self.picture.show_pixels(pixels)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._vm.appear()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._vm.vanish()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
        else:
            super().keyPressEvent(event)
