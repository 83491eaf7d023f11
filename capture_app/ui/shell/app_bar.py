"""The bar along the upper edge: where one is, where one can go, who is signed in, Lock."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from capture_app.model.words import tr
from capture_app.ui.looks.drawing import Mark, Words, draw_run
from capture_app.ui.looks.fonts import BOLD, SEMIBOLD, font
from capture_app.ui.looks.theme import Metric, current
from capture_app.ui.widgets.avatar import Avatar, initials_of
from capture_app.ui.widgets.buttons import Button, IconButton
from capture_app.ui.widgets.labels import Icon, Label
from capture_app.ui.widgets.reader_roles import Role
from capture_app.ui.widgets.tabs import TabRow
from capture_app.ui.words.marks import Tone


class Place(StrEnum):
    """The places of the navigation. What is not built is not here."""

    PATIENTS = "patients"
    OUTBOX = "outbox"
    CARD = "card"
    """Where a memory card or watched folder is set up."""
    RECEIVED = "received"
    """What scanners sent and is nobody's yet."""
    TRAIL = "trail"
    """For auditors."""
    CAMERAS = "cameras"
    """For administrators."""


_BRAND_FROM = 1100
"""Pixels of width: in a narrower bar the places need the room of our name."""


class AppBar(QWidget):
    """Brand, places, user, Lock. The workspace has the patient banner in its stead."""

    went = Signal(object)
    """The Place that was asked for."""
    lock_asked = Signal()
    clean_asked = Signal()

    def __init__(self, user: str, parent: QWidget | None = None) -> None:
        """`user`: the name of who is signed in."""
        super().__init__(parent)
        self.setFixedHeight(Metric.BAR)
        self._places = TabRow(
            {
                Place.PATIENTS: tr("Patients"),
                Place.OUTBOX: tr("Outbox"),
                Place.CARD: tr("Card"),
                Place.RECEIVED: tr("Received"),
                Place.TRAIL: tr("Trail"),
                Place.CAMERAS: tr("Cameras"),
            },
            icons={
                Place.PATIENTS: "users",
                Place.OUTBOX: "paper-plane-right",
                Place.CARD: "image",
                Place.RECEIVED: "tray",
                Place.TRAIL: "list-bullets",
                Place.CAMERAS: "camera",
            },
        )
        self._places.asked.connect(self.went)
        self._avatar = Avatar(size=36)
        self._avatar.show_initials(initials_of(user))
        self._name = Label(user, size=14, weight=SEMIBOLD)
        self.offer(())
        self._lock = Button(tr("Lock"), icon="lock", key="F12")
        self._lock.clicked.connect(self.lock_asked)
        clean = IconButton("drop-simple", tr("Clean screen"))
        clean.setToolTip(tr("Clean screen: a minute to wipe it (F8)"))
        clean.clicked.connect(self.clean_asked)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 16, 0)
        row.setSpacing(8)
        row.addWidget(Icon("aperture", Metric.ICON_BRAND, tone=Tone.ACCENT))
        self._brand = Label(tr("Capture"), 18, BOLD)
        row.addWidget(self._brand)
        row.addSpacing(12)
        row.addWidget(self._places)
        row.addStretch(1)
        row.addWidget(self._avatar)
        row.addWidget(self._name)
        row.addWidget(clean)
        row.addWidget(self._lock)

    def show_place(self, place: Place) -> None:
        """Where one is."""
        self._places.show_chosen(place)

    def offer(self, places: Collection[Place]) -> None:
        """Which of the places that not everybody needs are shown."""
        for place in (Place.CARD, Place.RECEIVED, Place.TRAIL, Place.CAMERAS):
            self._places.show_tab(place, shown=place in places)

    def show_waiting(self, count: int) -> None:
        """How many pictures wait or need a person."""
        self._places.set_count(Place.OUTBOX, count or None)

    def show_received(self, count: int) -> None:
        """How many images of scanners are nobody's."""
        self._places.set_count(Place.RECEIVED, count or None)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._brand.setVisible(self.width() >= _BRAND_FROM)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = current()
        painter.fillRect(self.rect(), theme.surface)
        painter.fillRect(0, self.height() - 1, self.width(), 1, theme.hairline)


class PracticeBand(QWidget):
    """The orange band: this is the simulated hospital. 40 px, 24 in the workspace."""

    reader_role = Role.StaticText

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = tr("Simulated hospital, invented patients. Nothing leaves this computer.")
        self.setAccessibleName(f"{tr('PRACTICE')}. {self._words}")
        self.set_compact(compact=False)

    def set_compact(self, *, compact: bool) -> None:
        """24 px instead of 40."""
        self.setFixedHeight(24 if compact else 40)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = current()
        painter.fillRect(self.rect(), theme.practice)
        size = 13 if self.height() < 40 else 14
        pieces = (
            Mark("graduation-cap", Metric.ICON),
            Words(tr("PRACTICE"), font(size, BOLD)),
            Words(self._words, font(size, SEMIBOLD)),
        )
        rtl = self.layoutDirection() is Qt.LayoutDirection.RightToLeft
        slot = self.rect().adjusted(16, 0, -16, 0)
        leading = Qt.AlignmentFlag.AlignLeft
        draw_run(painter, slot, pieces, theme.on_practice, rtl=rtl, align=leading, gap=10)
