"""The first-run page: what is missing and in which file, beside the whole task in five steps."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPainter, QPaintEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from capture_app.model.words import tr, trn
from capture_app.ui.first_run.viewmodel import FirstRunViewModel, SetUpStep
from capture_app.ui.looks.drawing import box, draw_icon, draw_line
from capture_app.ui.looks.fonts import BOLD, REGULAR, SEMIBOLD, font
from capture_app.ui.looks.theme import Metric, current
from capture_app.ui.widgets.buttons import Button, ButtonKind
from capture_app.ui.widgets.card import Backdrop, Hairline, Panel
from capture_app.ui.widgets.labels import Icon, Label
from capture_app.ui.widgets.reader_roles import Role
from capture_app.ui.widgets.scrolling import ScrollColumn
from capture_app.ui.words.marks import Tone


class _StepMark(QWidget):
    """A tick, or the number of the step in a ring."""

    reader_role = Role.Graphic

    def __init__(self, number: int, *, done: bool) -> None:
        super().__init__()
        self._number = number
        self._done = done
        self.setFixedSize(32, 32)
        self.setAccessibleName(tr("done") if done else tr("to do"))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = current()
        if self._done:
            draw_icon(painter, self.rect(), "check-circle", theme.ok, 28)
            return
        box(painter, self.rect(), 16, outline=theme.outline, width=2)
        painter.setFont(font(14, SEMIBOLD))
        painter.setPen(theme.text_2)
        draw_line(painter, self.rect(), f"{self._number}", Qt.AlignmentFlag.AlignHCenter)


class _StepCard(Panel):
    def __init__(self, number: int, step: SetUpStep) -> None:
        super().__init__()
        words = QVBoxLayout()
        words.setSpacing(6)
        words.addWidget(Label(step.title, 16, BOLD))
        words.addWidget(Label(step.words, 14, REGULAR, tone=Tone.TEXT_2, wrap=True))
        row = QHBoxLayout(self)
        row.setContentsMargins(20, 16, 20, 16)
        row.setSpacing(16)
        row.addWidget(_StepMark(number, done=step.done), 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)


class _IconTile(QWidget):
    def __init__(self, icon: str) -> None:
        super().__init__()
        self._icon = icon
        self.setFixedSize(48, 48)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = current()
        box(painter, self.rect(), Metric.RADIUS_CONTROL, fill=theme.control)
        draw_icon(painter, self.rect(), self._icon, theme.accent, Metric.ICON, rtl=_rtl(self))


def _rtl(widget: QWidget) -> bool:
    return widget.layoutDirection() is Qt.LayoutDirection.RightToLeft


class FirstRunPage(Backdrop):
    """Renders a FirstRunState. One primary act: Practice, which needs nothing."""

    def __init__(self, viewmodel: FirstRunViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._vm = viewmodel
        page = QHBoxLayout(self)
        page.setContentsMargins(32, 32, 32, 16)
        page.setSpacing(32)
        page.addLayout(self._left(), 1)
        page.addWidget(self._right())

    def _left(self) -> QVBoxLayout:
        state = self._vm.state
        column = QVBoxLayout()
        column.setSpacing(0)
        column.addWidget(Label(tr("This station is not connected yet"), 28, BOLD, wrap=True))
        column.addSpacing(12)
        n = state.missing
        text = trn(
            "{n} thing is missing. An administrator writes it into the settings file:",
            "{n} things are missing. An administrator writes them into the settings file:",
            n,
        )
        column.addWidget(Label(text, 15, REGULAR, tone=Tone.TEXT_2, wrap=True))
        column.addSpacing(6)
        self._file = Label(state.settings_file, 15, SEMIBOLD, wrap=True)
        column.addWidget(self._file)
        column.addSpacing(20)
        scroll = ScrollColumn()
        scroll.column.setSpacing(8)
        for i, step in enumerate(state.steps):
            scroll.column.addWidget(_StepCard(i + 1, step))
        scroll.column.addStretch(1)
        column.addWidget(scroll, 1)
        column.addSpacing(16)
        acts = QHBoxLayout()
        acts.setSpacing(8)
        leave = Button(tr("Close"))
        leave.clicked.connect(self._vm.quit)
        anyway = Button(tr("Open as it is"))
        anyway.clicked.connect(self._vm.open_anyway)
        self._practise = Button(tr("Start practice"), ButtonKind.PRIMARY, icon="arrow-right")
        self._practise.clicked.connect(self._vm.practise)
        acts.addWidget(leave)
        acts.addWidget(anyway)
        acts.addStretch(1)
        acts.addWidget(self._practise)
        column.addLayout(acts)
        return column

    def _right(self) -> QWidget:
        card = Panel()
        card.setFixedWidth(400)
        column = QVBoxLayout(card)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(0)
        column.addWidget(Label(tr("The whole task"), 16, BOLD))
        column.addSpacing(20)
        for icon, title, words in (
            ("barcode", tr("Scan"), tr("the wristband names the patient")),
            ("camera", tr("Shoot"), tr("Space, pedal or click, as often as you like")),
            ("person", tr("Say what and where"), tr("one key, one tap on the body")),
            ("paper-plane-right", tr("Send"), tr("the button names the patient")),
            ("check-circle", tr("Confirmed"), tr("the archive has proven that it has it")),
        ):
            texts = QVBoxLayout()
            texts.setSpacing(4)
            texts.addStretch(1)
            texts.addWidget(Label(title, 15, SEMIBOLD))
            texts.addWidget(Label(words, 14, REGULAR, tone=Tone.TEXT_2, wrap=True))
            texts.addStretch(1)
            row = QHBoxLayout()
            row.setSpacing(16)
            row.addWidget(_IconTile(icon))
            row.addLayout(texts, 1)
            column.addLayout(row)
            column.addSpacing(20)
        column.addStretch(1)
        column.addWidget(Hairline())
        column.addSpacing(16)
        foot = QHBoxLayout()
        foot.setSpacing(10)
        foot.addWidget(Icon("lock-simple"))
        practice = tr("Practice is a simulated hospital on this computer. No camera is needed.")
        foot.addWidget(Label(practice, 14, REGULAR, tone=Tone.TEXT_2, wrap=True), 1)
        column.addLayout(foot)
        scroll = ScrollColumn()
        scroll.setFixedWidth(card.width())
        scroll.column.addWidget(card)
        return scroll

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._practise.setFocus(Qt.FocusReason.OtherFocusReason)
