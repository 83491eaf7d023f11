"""What of a page cannot be read or reached as it stands: words cut, parts outside, or covered."""

from itertools import combinations

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QAbstractItemView, QLineEdit, QScrollArea, QWidget

from capture_app.ui.identity.keypad import Keypad
from capture_app.ui.widgets.buttons import Pressable
from capture_app.ui.widgets.chips import Chip
from capture_app.ui.widgets.labels import ElidedLabel, Label
from capture_app.ui.widgets.popover import Popover
from capture_app.ui.widgets.scrolling import ScrollColumn
from capture_app.ui.widgets.tabs import TabRow

TARGET = 44
_VIEWPORT = "qt_scrollarea_viewport"
Part = Label | ElidedLabel | Pressable | Chip | TabRow | QLineEdit


def where(widget: QWidget) -> str:
    """What it is, and what it says."""
    words = widget.accessibleName() or getattr(widget, "text", str)()
    return f"{type(widget).__name__} {words!r}"


def place(widget: QWidget, page: QWidget) -> QRect:
    """Its rectangle, in the page's coordinates."""
    return QRect(widget.mapTo(page, QPoint(0, 0)), widget.size())


def visible(page: QWidget) -> list[QWidget]:
    """What can be seen of the page; only the uppermost popover's parts count while it is open."""
    return [w for w in page.findChildren(QWidget) if w.isVisible() and w.width() and w.height()]


def scrolls(widget: QWidget) -> bool:
    """Whether it stands in a column that can be scrolled up and down."""
    return viewport_of(widget) is not None


def viewport_of(widget: QWidget) -> QWidget | None:
    """Through what its column is seen, if it stands in one that scrolls."""
    above = widget.parentWidget()
    while above is not None:
        if above.objectName() == _VIEWPORT and isinstance(above.parentWidget(), QScrollArea):
            return above
        above = above.parentWidget()
    return None


def unfit(page: QWidget) -> list[str]:
    """All of it."""
    parts = [widget for widget in visible(page) if isinstance(widget, Part)]
    found = [fault for part in parts for fault in (*cut(part), *outside(part, page))]
    by_parent: dict[QWidget | None, list[QWidget]] = {}
    for part in parts:
        by_parent.setdefault(part.parentWidget(), []).append(part)
    for siblings in by_parent.values():
        for one, other in combinations(siblings, 2):
            if one.geometry().intersects(other.geometry()):
                found.append(f"over each other: {where(one)} and {where(other)}")
    return found


def cut(part: QWidget) -> list[str]:
    """Words that do not fit where they stand, and that no tooltip says whole."""
    if isinstance(part, ElidedLabel | QLineEdit) or part.toolTip():
        return []
    if isinstance(part, Label) and part.wordWrap():
        is_cut = bool(part.text()) and part.heightForWidth(part.width()) > part.height()
    else:
        is_cut = part.minimumSizeHint().width() > part.width()
    return [f"cut: {where(part)} {part.size()} needs {part.sizeHint()}"] if is_cut else []


def outside(part: QWidget, page: QWidget) -> list[str]:
    """Whether it lies outside the page, or beside the column in which it scrolls."""
    seen_through = viewport_of(part)
    if seen_through is None:
        inside = QRect(QPoint(0, 0), page.size()).contains(place(part, page))
        return [] if inside else [f"outside: {where(part)} at {place(part, page)}"]
    at = place(part, seen_through)
    beside = at.left() < 0 or at.right() >= seen_through.width()
    return [f"beside its column: {where(part)} at {at}"] if beside else []


def scrolled(page: QWidget) -> list[str]:
    """Popovers whose card could show all that it has, and does not."""
    found = []
    for popover in page.findChildren(Popover):
        only = Qt.FindChildOption.FindDirectChildrenOnly  # a list in it may scroll
        columns = popover.card.findChildren(ScrollColumn, options=only)
        is_cut = popover.isVisible() and any(
            column.verticalScrollBar().maximum() for column in columns
        )
        if is_cut and popover.card.height() < popover.height() - 16:
            found.append(f"scrolls: {popover.accessibleName()!r} {popover.card.size()}")
    return found


def unreachable(page: QWidget) -> list[str]:
    """Controls without a name, under 44 px, or out of reach of Tab."""
    found = []
    for widget in visible(page):
        if not isinstance(widget, Pressable | QLineEdit | QAbstractItemView):
            continue
        name = widget.accessibleName() or (widget.text() if isinstance(widget, Pressable) else "")
        if not name.strip("&"):
            found.append(f"nameless: {widget}")
        if isinstance(widget, Pressable) and min(widget.width(), widget.height()) < TARGET:
            found.append(f"small: {where(widget)} {widget.size()}")
        is_reached = bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
        if not is_reached and not has_other_way(widget):
            found.append(f"no Tab: {where(widget)}")
    return found


def has_other_way(widget: QWidget) -> bool:
    """The cross in a filter (Esc does the same), pictures of the strip (arrows), and the keypad."""
    above = widget.parentWidget()
    is_typed = above is not None and isinstance(above.parentWidget(), Keypad)
    return isinstance(above, QLineEdit) or is_typed or widget.property("by_arrows") is True
