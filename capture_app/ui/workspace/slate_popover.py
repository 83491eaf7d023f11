"""A slate of the open patient on the screen, to be photographed by a camera with a card."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QWidget

from capture_app.model.slate import Slate
from capture_app.model.words import tr
from capture_app.ui.looks.fonts import BOLD, REGULAR
from capture_app.ui.widgets.buttons import Button, ToggleButton
from capture_app.ui.widgets.code_picture import CodePicture
from capture_app.ui.widgets.labels import Label
from capture_app.ui.widgets.popover import Popover
from capture_app.ui.words.marks import Tone
from capture_app.ui.words.slate_words import where_slate, whose_slate
from capture_app.ui.workspace.slating import Slating

if TYPE_CHECKING:
    from capture_app.ui.workspace.page import WorkspacePage

_LARGE, _SMALL = 380, 200
_ANEW_MS: Final = 1000
"""The code says when it is shown: to the second, by which the camera's clock is measured."""


class SlatePopover(Popover):
    """The code, whose it is without a name, and whether it closes."""

    def __init__(self, host: QWidget, slate: Slate, slating: Slating) -> None:
        super().__init__(host, tr("Photograph this first, then the patient"))
        self._slate, self._slating = slate, slating
        self.code = CodePicture(tr("Slate of {whose}", whose=whose_slate(slate.patient)), _LARGE)
        self.closes = ToggleButton(tr("Closing slate: photograph it last"))
        self.closes.toggled.connect(self._turn)
        done = Button(tr("Close"), key=tr("Esc"))
        done.clicked.connect(self.close_asked)
        words = Label(whose_slate(slate.patient), 20, BOLD)
        words.setAlignment(Qt.AlignmentFlag.AlignCenter)
        where = Label(where_slate(slate), 14, REGULAR, tone=Tone.TEXT_2)
        where.setAlignment(Qt.AlignmentFlag.AlignCenter)
        acts = QHBoxLayout()
        acts.addWidget(self.closes)
        acts.addStretch(1)
        acts.addWidget(done)
        self.body.addWidget(self.code)
        self.body.addWidget(words)
        self.body.addWidget(where)
        self.body.addLayout(acts)
        self.gives_way(self.code, least=_SMALL, most=_LARGE)
        self._anew = QTimer(self)
        self._anew.setInterval(_ANEW_MS)
        self._anew.timeout.connect(self._draw)
        self._anew.start()
        self._draw()
        self._done = done

    def take_focus(self) -> None:
        """To Close: Space and Enter put it away."""
        self._done.setFocus(Qt.FocusReason.PopupFocusReason)

    def _turn(self) -> None:
        last = tr("Photograph this last: the pictures since the slate are this patient's")
        first = tr("Photograph this first, then the patient")
        self.title.setText(last if self.closes.isChecked() else first)
        self.setAccessibleName(self.title.text())
        self._draw()

    def _draw(self) -> None:
        self.code.show_code(self._slating.code(self._slate, closes=self.closes.isChecked()))


class SlateAct(QObject):
    """Shows a slate of the open patient over the workspace."""

    def __init__(self, page: WorkspacePage, slating: Slating) -> None:
        super().__init__(page)
        self._page, self._slating = page, slating

    def ask(self) -> None:
        """Nothing where no card is set up."""
        self._slating.make(self._show)

    def _show(self, slate: Slate) -> None:
        if not self._page.isVisible():  # left or locked meanwhile
            return
        popover = SlatePopover(self._page, slate, self._slating)
        self._page.open_popover(popover, None)
        popover.take_focus()
