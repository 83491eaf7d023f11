"""The lock: user tiles, a PIN pad for fingers and for keys, and what is not sent yet."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontMetrics, QKeyEvent, QPainter, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from capture_app.model.words import isolated, tr, trn
from capture_app.security.pins import PIN_SHORTEST
from capture_app.ui.looks.drawing import Mark, Words, box, draw_line, draw_run
from capture_app.ui.looks.fonts import BOLD, MEDIUM, REGULAR, SEMIBOLD, font
from capture_app.ui.looks.theme import Metric, current
from capture_app.ui.sign_in.viewmodel import Asks, SignInState, SignInViewModel, UserTile
from capture_app.ui.widgets.avatar import Avatar, draw_avatar, initials_of
from capture_app.ui.widgets.buttons import (
    Button,
    ButtonKind,
    DigitButton,
    IconButton,
    Pressable,
)
from capture_app.ui.widgets.card import Backdrop, Panel
from capture_app.ui.widgets.fields import TAKES_PIN, PinDots
from capture_app.ui.widgets.labels import FaultLabel, Icon, Label
from capture_app.ui.widgets.scrolling import ScrollColumn
from capture_app.ui.words.marks import Tone

_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)
_DIGIT = 64
_DIGIT_FOLDED = Metric.TARGET
_FOLDED = QSize(864, 432)
_LOWEST_ROW = 40
"""This page is higher than others by a row."""
_ARROWS = (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Right)


class _Tile(Pressable):
    """One user: avatar, name, role, what of theirs is not sent."""

    def __init__(self, tile: UserTile, *, chosen: bool) -> None:
        super().__init__()
        self.tile = tile
        self.chosen = chosen
        self.focus_radius = Metric.RADIUS_PANEL
        self.setFixedHeight(88)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.show_tile(tile, chosen=chosen)

    def show_tile(self, tile: UserTile, *, chosen: bool) -> None:
        """Another state of the same user."""
        self.tile, self.chosen = tile, chosen
        said = (tile.name, tile.role, tile.unsent, tr("chosen") if chosen else "")
        self.setAccessibleName(", ".join(part for part in said if part))
        self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (*_ENTER, *_ARROWS):
            event.ignore()  # Enter is for the PIN, arrows go from user to user: the page decides
        else:
            super().keyPressEvent(event)

    def sizeHint(self) -> QSize:
        return QSize(300, 88)

    def minimumSizeHint(self) -> QSize:
        return QSize(190, 88)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        theme = current()
        radius = Metric.RADIUS_PANEL
        if self.chosen:
            box(painter, self.rect(), radius, fill=theme.surface)
            fill = theme.selected
            box(painter, self.rect(), radius, fill=fill, outline=theme.accent, width=2)
        else:
            box(painter, self.rect(), radius, fill=theme.surface, outline=theme.outline)
        if (veil := self._veil()) is not None:
            box(painter, self.rect(), radius, fill=veil)
        rtl = self.rtl
        avatar = self.rect().adjusted(0, 0, 0, 0)
        avatar.setRect(self.width() - 56 if rtl else 16, 24, 40, 40)
        draw_avatar(painter, avatar, initials_of(self.tile.name), chosen=self.chosen)
        text = self.rect().adjusted(12 if rtl else 72, 0, -72 if rtl else -12, 0)
        side = Qt.AlignmentFlag.AlignRight if rtl else Qt.AlignmentFlag.AlignLeft
        cut: list[str] = []
        lines = 3 if self.tile.unsent else 2
        top = (self.height() - 20 * lines) // 2 - 1
        for size, weight, tone, words in (
            (15, SEMIBOLD, theme.text, self.tile.name),
            (13, MEDIUM, theme.text_2, self.tile.role),
        ):
            painter.setFont(font(size, weight))
            painter.setPen(tone)
            line = text.adjusted(0, 0, 0, 0)
            line.setTop(top)
            line.setHeight(20)
            elide = Qt.TextElideMode.ElideRight
            shown = QFontMetrics(font(size, weight)).elidedText(words, elide, line.width())
            draw_line(painter, line, shown, side)
            cut += [words] if shown != words else []
            top += 20
        if self.tile.unsent:
            line = text.adjusted(0, 0, 0, 0)
            line.setTop(top)
            line.setHeight(20)
            face = font(12, SEMIBOLD)
            elide, room = Qt.TextElideMode.ElideRight, line.width() - Metric.ICON_SMALL - 6
            words = QFontMetrics(face).elidedText(self.tile.unsent, elide, room)
            cut += [self.tile.unsent] if words != self.tile.unsent else []
            pieces = (Mark("tray", Metric.ICON_SMALL), Words(words, face))
            leading = Qt.AlignmentFlag.AlignLeft
            draw_run(painter, line, pieces, theme.warn, rtl=rtl, align=leading, gap=6)
        self.setToolTip("\n".join(cut))


class _PadDigit(DigitButton):
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _ENTER:
            event.ignore()  # Enter is for the PIN
        else:
            super().keyPressEvent(event)


class _InfoCard(Panel):
    def __init__(self, icon: str, tone: Tone) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 12, 16, 12)
        row.setSpacing(16)
        row.addWidget(Icon(icon, Metric.ICON, tone=tone))
        self.what = Label(size=15, weight=SEMIBOLD, wrap=True)
        self.note = Label(size=13, weight=REGULAR, tone=Tone.TEXT_2, wrap=True)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.what)
        words.addWidget(self.note)
        row.addLayout(words, 1)

    def say(self, what: str, note: str) -> None:
        """Shows it with words, or hides it without."""
        self.setVisible(bool(what))
        self.what.setText(what)
        self.note.setText(note)


class SignInPage(Backdrop):
    """Renders a SignInState. Digits may be typed wherever the focus is; Enter signs in."""

    def __init__(self, viewmodel: SignInViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty(TAKES_PIN, True)  # noqa: FBT003 - Qt's own
        self._vm = viewmodel
        self._tiles: list[_Tile] = []
        self._digits: list[_PadDigit] = []
        self._page = QHBoxLayout(self)
        self._page.addLayout(self._left(), 1)
        self._page.addLayout(self._right())
        self._fold(short=False, narrow=False)
        viewmodel.changed.connect(self.render_state)
        self.render_state()

    def _left(self) -> QVBoxLayout:
        self._brand = QWidget()
        brand = QHBoxLayout(self._brand)
        brand.setContentsMargins(0, 0, 0, 42)
        brand.setSpacing(16)
        brand.addWidget(Icon("aperture", Metric.ICON_BRAND, tone=Tone.ACCENT))
        brand.addWidget(Label(tr("Capture"), 20, BOLD))
        brand.addStretch(1)
        self._where = Label(size=15, weight=REGULAR, tone=Tone.TEXT_2, wrap=True)
        self._grid = QGridLayout()
        self._grid.setContentsMargins(4, 4, 4, 4)
        self._grid.setSpacing(16)
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnStretch(1, 1)
        scroll = ScrollColumn()
        scroll.column.addLayout(self._grid)
        scroll.column.addStretch(1)
        self._unsent = _InfoCard("tray", Tone.WARN)
        self._camera = _InfoCard("eye-slash", Tone.TEXT_2)
        column = QVBoxLayout()
        column.setSpacing(0)
        column.addWidget(self._brand)
        self._title = Label(tr("Who is taking pictures?"), 28, BOLD)
        column.addWidget(self._title)
        column.addSpacing(12)
        column.addWidget(self._where)
        column.addSpacing(16)
        column.addWidget(scroll, 1)
        column.addSpacing(8)
        column.addWidget(self._unsent)
        column.addSpacing(8)
        column.addWidget(self._camera)
        return column

    def _right(self) -> QVBoxLayout:
        card = Panel(radius=Metric.RADIUS_PIN)
        card.setFixedWidth(392)
        self._card = inside = QVBoxLayout(card)
        inside.setSpacing(0)
        self._avatar = Avatar(size=48)
        self._name = Label(size=20, weight=BOLD)
        self._role = Label(size=14, weight=MEDIUM, tone=Tone.TEXT_2)
        who = QVBoxLayout()
        who.setSpacing(4)
        who.addStretch(1)
        who.addWidget(self._name)
        who.addWidget(self._role)
        who.addStretch(1)
        self._head = QWidget()
        head = QHBoxLayout(self._head)
        head.setContentsMargins(0, 0, 0, 24)
        head.setSpacing(16)
        head.addWidget(self._avatar)
        head.addLayout(who, 1)
        inside.addWidget(self._head)
        self._count = Label(size=12, weight=MEDIUM, tone=Tone.TEXT_2)
        caption = QHBoxLayout()
        self._caption = Label(tr("PIN"), 14, SEMIBOLD)
        caption.addWidget(self._caption)
        caption.addStretch(1)
        caption.addWidget(self._count)
        inside.addLayout(caption)
        inside.addSpacing(8)
        self._dots = PinDots()
        inside.addWidget(self._dots)
        inside.addSpacing(16)
        inside.addLayout(self._pad())
        inside.addSpacing(12)
        self._fault = FaultLabel(size=13, weight=SEMIBOLD, tone=Tone.BAD, wrap=True, centred=True)
        self._fault.setFixedHeight(40)
        inside.addWidget(self._fault)
        inside.addSpacing(8)
        self.unlock = Button(tr("Unlock"), ButtonKind.PRIMARY, key=tr("Enter"))
        self.unlock.clicked.connect(self._vm.submit)
        inside.addWidget(self.unlock)
        self._card_column = column = QVBoxLayout()
        column.addWidget(card)
        column.addStretch(1)
        return column

    def _pad(self) -> QGridLayout:
        pad = QGridLayout()
        pad.setSpacing(8)
        for i, digit in enumerate("123456789"):
            pad.addWidget(self._digit(digit), i // 3, i % 3)
        self._clear = clear = Button(tr("Clear"), ButtonKind.GHOST)
        clear.clicked.connect(self._vm.clear)
        self._delete = delete = IconButton("backspace", tr("Delete the last digit"))
        delete.clicked.connect(self._vm.delete)
        pad.addWidget(clear, 3, 0)
        pad.addWidget(self._digit("0"), 3, 1)
        pad.addWidget(delete, 3, 2, Qt.AlignmentFlag.AlignCenter)
        return pad

    def _fold(self, *, short: bool, narrow: bool) -> None:
        """Less air and lower keys where the screen is small: all of it stays in sight."""
        self._is_short = short
        edge = 32 if narrow else 64
        self._page.setContentsMargins(edge, 12 if short else 40, edge, 8 if short else 16)
        self._page.setSpacing(edge)
        self._brand.setVisible(not short)
        self._title.set_font(20 if short else 28, BOLD)
        self._head.setVisible(not short)  # the chosen tile says it too
        self._card_column.setContentsMargins(0, 0 if short else 56, 0, 0)
        inset = 12 if short else 32
        self._card.setContentsMargins(32, inset, 32, inset)
        tall = _DIGIT_FOLDED if short else _DIGIT
        for digit in self._digits:
            digit.setFixedHeight(tall)
        self._clear.set_tall(tall)
        self._delete.setFixedSize(_DIGIT, tall)

    def minimumSizeHint(self) -> QSize:
        return _FOLDED  # else it could never be made so small as to fold

    def resizeEvent(self, event: QResizeEvent) -> None:
        size = event.size()
        self._fold(
            short=size.height() < Metric.FOLDS_BELOW + _LOWEST_ROW,
            narrow=size.width() < Metric.NARROW_BELOW,
        )
        super().resizeEvent(event)

    def _digit(self, digit: str) -> DigitButton:
        button = _PadDigit(digit)
        self._digits.append(button)
        button.clicked.connect(lambda: self._vm.type(digit))
        return button

    def render_state(self) -> None:
        """Shows the state."""
        state = self._vm.state
        no_names = bool(state.fault) and not state.tiles
        self._where.set_tone(Tone.BAD if no_names else Tone.TEXT_2)
        self._where.setText(state.fault if no_names else _what_to_do(state.station))
        self._render_tiles(state)
        chosen = state.chosen
        self._avatar.setVisible(chosen is not None)
        self._avatar.show_initials(initials_of(chosen.name) if chosen else "")
        self._name.setText(chosen.name if chosen else tr("No one chosen"))
        self._role.setText(chosen.role if chosen else "")
        self._dots.show_digits(state.digits, PIN_SHORTEST)
        self._count.setText(trn("{n} digit", "{n} digits", state.digits) if state.digits else "")
        self._caption.setText(tr("PIN") if state.asks is Asks.PIN else tr("New PIN"))
        fault = "" if no_names else state.fault or state.hint
        self._fault.say(tr("Checking the PIN") if state.busy else fault)
        self._fault.show()  # its room is kept: the pad below does not move
        self._fault.set_tone(Tone.BAD if state.fault and not state.busy else Tone.TEXT_2)
        self.unlock.setEnabled(not state.busy)
        self._unsent.say(state.unsent, state.unsent_note)
        warm = tr("Camera is warm, picture hidden") if state.camera_warm else ""
        self._camera.say(warm, tr("Live again within 1 s of unlocking."))
        self._camera.setVisible(bool(warm) and not self._is_short)

    def _render_tiles(self, state: SignInState) -> None:
        ids = [tile.user_id for tile in state.tiles]
        if ids != [button.tile.user_id for button in self._tiles]:
            for button in self._tiles:
                self._grid.removeWidget(button)
                button.deleteLater()
            self._tiles = [_Tile(tile, chosen=False) for tile in state.tiles]
            for i, button in enumerate(self._tiles):
                self._grid.addWidget(button, i // 2, i % 2)
                button.clicked.connect(
                    lambda _checked=False, user_id=button.tile.user_id: self._vm.choose(user_id)
                )
        for button, tile in zip(self._tiles, state.tiles, strict=True):
            button.show_tile(tile, chosen=tile == state.chosen)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        chosen = next((tile for tile in self._tiles if tile.chosen), None)
        target = chosen or (self._tiles[0] if self._tiles else None)
        if target is not None:
            target.setFocus(Qt.FocusReason.OtherFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        steps = {
            Qt.Key.Key_Up: -2,
            Qt.Key.Key_Down: 2,
            Qt.Key.Key_Left: 1 if self._rtl else -1,
            Qt.Key.Key_Right: -1 if self._rtl else 1,
        }
        if key in _ENTER:
            focused = self.focusWidget()
            if isinstance(focused, _Tile) and not focused.chosen:
                self._vm.choose(focused.tile.user_id)
            elif not event.isAutoRepeat():
                self._vm.submit()
        elif key == Qt.Key.Key_Backspace:
            self._vm.delete()
        elif key == Qt.Key.Key_Escape:
            self._vm.clear()
        elif key in steps:
            self._vm.step(steps[Qt.Key(key)])
            chosen = next((tile for tile in self._tiles if tile.chosen), None)
            if chosen is not None:
                chosen.setFocus(Qt.FocusReason.OtherFocusReason)
        elif len(event.text()) == 1 and event.text().isprintable() and event.text() != " ":
            focused = self.focusWidget()
            if self._vm.state.chosen is None and isinstance(focused, _Tile):
                self._vm.choose(focused.tile.user_id)  # who types a PIN on a name means that name
            self._vm.type(event.text())
        else:
            super().keyPressEvent(event)

    @property
    def _rtl(self) -> bool:
        return self.layoutDirection() is Qt.LayoutDirection.RightToLeft


def _what_to_do(station: str) -> str:
    if not station:
        return tr("Choose your name, then enter your PIN.")
    name = isolated(station)
    return tr("Station {name}. Choose your name, then enter your PIN.", name=name)
