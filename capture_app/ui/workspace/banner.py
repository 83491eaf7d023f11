"""The patient banner: whose pictures these are, always on screen and never cut."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from capture_app.model.exam import Exam
from capture_app.model.words import isolated, tr
from capture_app.model.worklist import IdentifiedBy
from capture_app.ui.looks.fonts import BOLD, MEDIUM, REGULAR, SEMIBOLD, font
from capture_app.ui.looks.theme import Metric, current
from capture_app.ui.widgets.buttons import Button, IconButton
from capture_app.ui.widgets.card import Hairline
from capture_app.ui.widgets.chips import Chip
from capture_app.ui.widgets.labels import Label
from capture_app.ui.words import wording
from capture_app.ui.words.marks import ChipText, Tone
from capture_app.ui.words.shown import OrderShown
from capture_app.ui.workspace.order_button import OrderButton

_AFTER_FACT = 20


@dataclass(frozen=True, slots=True)
class BannerFact:
    """One fact of the banner: its label over its value."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class BannerState:
    """What the banner shows. The facts that may go into the "more" line come in `droppable`."""

    name: str
    native: str
    facts: tuple[BannerFact, ...]
    droppable: tuple[BannerFact, ...]
    """In the order in which they are shown; the last goes first."""
    identified: ChipText


def banner_of(exam: Exam, today: date) -> BannerState:
    """The banner of an exam: read from the exam as it was opened, never from the list."""
    patient = exam.patient
    age = wording.age(patient, today)
    born = wording.day(patient.birth_date)
    facts = (
        BannerFact(tr("Born"), f"{born} ({age})" if age else born),
        BannerFact(tr("Sex"), wording.sex(patient.sex)),
        BannerFact(
            wording.record_label(patient.patient_id), wording.record_number(patient.patient_id)
        ),
    )
    droppable = []
    if exam.encounter is not None:
        if where := wording.place(exam.encounter.location):
            droppable.append(BannerFact(tr("Place"), where))
        if exam.encounter.visit_number:
            droppable.append(BannerFact(tr("Visit"), isolated(exam.encounter.visit_number)))
    return BannerState(
        patient.name.shown, wording.native(patient.name), facts, tuple(droppable), _identified(exam)
    )


def _identified(exam: Exam) -> ChipText:
    time = wording.clock_time(exam.started_at)
    how = {
        IdentifiedBy.SCAN: tr("Wristband scanned {time}", time=time),
        IdentifiedBy.LIST_AND_SECOND_IDENTIFIER: tr("Initials and year checked {time}", time=time),
        IdentifiedBy.COMMAND_AND_SECOND_IDENTIFIER: tr("Named by a command {time}", time=time),
        IdentifiedBy.DRAFT_REOPENED: tr("Draft reopened {time}", time=time),
    }
    return ChipText(how[exam.identified_by], "check-circle", Tone.OK)


class _Fact(QWidget):
    def __init__(self, fact: BannerFact) -> None:
        super().__init__()
        column = QVBoxLayout()
        column.setSpacing(4)
        column.addStretch(1)
        column.addWidget(Label(fact.label, 12, MEDIUM, tone=Tone.TEXT_2))
        column.addWidget(Label(fact.value, 15, SEMIBOLD))
        column.addStretch(1)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addLayout(column)
        row.addSpacing(_AFTER_FACT)  # goes with the fact where that is hidden
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)


class PatientBanner(QWidget):
    """Back, NAME, Given, native script, facts, order, how identified, Change Esc. 64 px, never
    scrolls.

    Where there is no room first Visit, then Place, then the words of the chip go into the tooltip
    of a "more" mark. The name is never cut: a very long one takes a second line.
    """

    change_asked = Signal()

    def __init__(self, state: BannerState, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(Metric.BAR)
        self._state = state
        self._back = IconButton("arrow-left", tr("Back to the patients"))
        self._back.clicked.connect(self.change_asked)
        self._name = Label(wording.own_direction(state.name), 20, BOLD)
        self._native = Label(state.native, 18, REGULAR, tone=Tone.TEXT_2)
        if not state.native:
            self._native.hide()
        self._rule = Hairline(vertical=True)
        self._rule.setFixedHeight(48)
        self._facts = [_Fact(fact) for fact in state.facts]
        self._droppable = [_Fact(fact) for fact in state.droppable]
        self._more = Label(tr("more"), 12, MEDIUM, tone=Tone.TEXT_2)
        self._more.hide()
        chip = state.identified
        self._chip = Chip(chip.words, chip.icon, chip.tone)
        self.order = OrderButton()
        self._change = Button(tr("Change"), icon="users", key=tr("Esc"))
        self._change.clicked.connect(self.change_asked)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 16, 0)
        row.setSpacing(0)
        row.addWidget(self._back)
        row.addSpacing(4)
        row.addWidget(self._name)
        row.addSpacing(10)
        row.addWidget(self._native)
        row.addSpacing(16)
        row.addWidget(self._rule)
        row.addSpacing(16)
        for fact in (*self._facts, *self._droppable):
            row.addWidget(fact)
        row.addWidget(self._more)
        row.addStretch(1)
        row.addWidget(self.order)
        row.addSpacing(8)
        row.addWidget(self._chip)
        row.addSpacing(8)
        row.addWidget(self._change)
        self.setAccessibleName(
            ", ".join((state.name, *(f"{f.label} {f.value}" for f in state.facts)))
        )

    def show_order(self, shown: OrderShown | None) -> None:
        """Which order is in use or offered; the facts make room for it."""
        if shown != self.order.shown:
            self.order.show_order(shown)
            self._fit()

    def sizeHint(self) -> QSize:
        return QSize(1366, Metric.BAR)

    def minimumSizeHint(self) -> QSize:
        return QSize(640, Metric.BAR)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _needs(self) -> int:
        facts = [fact for fact in (*self._facts, *self._droppable) if not fact.isHidden()]
        widths = sum(fact.sizeHint().width() for fact in facts)
        # a label that wraps has another size hint, so the name is measured as one line
        name = QFontMetrics(self._name.font()).horizontalAdvance(self._name.text()) + 1
        native = 0 if self._native.isHidden() else self._native.sizeHint().width()
        more = 0 if self._more.isHidden() else self._more.sizeHint().width()
        chip = 0 if self._chip.isHidden() else self._chip.sizeHint().width()
        order = 0 if self.order.isHidden() else self.order.sizeHint().width()
        change = self._change.sizeHint().width()
        fixed = 32 + Metric.TARGET + 4 + 10 + 16 + 1 + 16 + 8 + 8 + 8
        return fixed + name + native + widths + more + order + chip + change

    def _fit(self) -> None:
        for widget in (*self._droppable, self._chip):
            widget.setHidden(False)
        self._native.setHidden(not self._state.native)
        self._more.hide()
        self._name.setWordWrap(False)
        self._name.setFont(font(20, BOLD))
        self._name.setFixedHeight(24)
        self._name.setMinimumWidth(
            QFontMetrics(self._name.font()).horizontalAdvance(self._name.text()) + 1
        )
        gone: list[str] = []
        for i in reversed(range(len(self._droppable))):
            if self._needs() <= self.width():
                break
            self._droppable[i].hide()
            fact = self._state.droppable[i]
            gone.insert(0, f"{fact.label}: {fact.value}")
            self._more.show()
        if self._needs() > self.width():
            self._chip.hide()
            gone.append(self._state.identified.words)
            self._more.show()
        if self._needs() > self.width():
            self._native.hide()
            gone.insert(0, self._state.native)
        if (over := self._needs() - self.width()) > 0:
            self._name.setFont(font(15, BOLD))
            self._name.setWordWrap(True)
            self._name.setMinimumWidth(max(160, self._name.minimumWidth() - over))
            self._name.setFixedHeight(Metric.BAR - 8)
        self._more.setToolTip("\n".join(part for part in gone if part))
        self._more.setAccessibleName(", ".join(part for part in gone if part))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = current()
        painter.fillRect(self.rect(), theme.surface)
        painter.fillRect(0, self.height() - 1, self.width(), 1, theme.hairline)
