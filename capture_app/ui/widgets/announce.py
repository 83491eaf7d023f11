"""Saying something to a screen reader that is not where its user is: a message, a stop, a fault."""

from __future__ import annotations

from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QAccessibleEvent
from PySide6.QtWidgets import QWidget


def announce(widget: QWidget, words: str, *, urgent: bool = False) -> None:
    """Has these words read aloud. `urgent`: at once, in the place of what is being read, as for
    what stops an act. Nothing is said for no words, or where no screen reader runs.
    """
    if not words or not QAccessible.isActive():
        return
    said = QAccessibleAnnouncementEvent(widget, words)
    polite = QAccessible.AnnouncementPoliteness
    said.setPoliteness(polite.Assertive if urgent else polite.Polite)
    QAccessible.updateAccessibility(said)
    if urgent:
        QAccessible.updateAccessibility(QAccessibleEvent(widget, QAccessible.Event.Alert))
