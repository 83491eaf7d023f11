"""The workspace: the live picture, what it will be filed as, the pictures taken, Send."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import QPoint, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QHideEvent,
    QImage,
    QKeyEvent,
    QResizeEvent,
    QShowEvent,
)
from PySide6.QtWidgets import QWidget

from capture_app.exam.rules import MissingPart
from capture_app.model.procedure import Side, Turn
from capture_app.model.words import tr
from capture_app.ui.widgets.card import Backdrop
from capture_app.ui.widgets.choices import KEEP, ORDERS_WIDTH, ChoiceRow, ListPopover
from capture_app.ui.widgets.popover import Popover
from capture_app.ui.widgets.toast import Toast
from capture_app.ui.words.marks import Tone
from capture_app.ui.workspace.arrangement import SMALLEST, Arrangement
from capture_app.ui.workspace.banner import PatientBanner
from capture_app.ui.workspace.camera_picker import CameraPicker
from capture_app.ui.workspace.clip_page import ClipPage
from capture_app.ui.workspace.contact_sheet import ContactSheet
from capture_app.ui.workspace.filmstrip import Filmstrip
from capture_app.ui.workspace.keys import bind, coding_keys
from capture_app.ui.workspace.live_stage import LiveStage
from capture_app.ui.workspace.live_view import LiveView
from capture_app.ui.workspace.place_picker import PlacePicker
from capture_app.ui.workspace.procedure_picker import ProcedurePicker
from capture_app.ui.workspace.question import WhoseQuestion
from capture_app.ui.workspace.region_picker import LargeBodyMap, RegionPicker
from capture_app.ui.workspace.send_bar import SendBar
from capture_app.ui.workspace.shutter_row import ShutterRow
from capture_app.ui.workspace.site_and_side import SitePanel
from capture_app.ui.workspace.slate_popover import SlateAct
from capture_app.ui.workspace.stage import Stage
from capture_app.ui.workspace.state import WorkspaceState
from capture_app.ui.workspace.tool_column import ToolButton, ToolColumn
from capture_app.ui.workspace.viewmodel import WorkspaceViewModel

_TOAST_WIDTH = 758
_TOAST_INSET = 18
_INFO_MS = 5000


class WorkspacePage(Backdrop):
    """Renders a WorkspaceState. The focus rests on the live picture between acts.

    Letters and digits act only while no text field has the focus: a field takes them first. The
    pedal's keys (F13, Page Down) act always.
    """

    left = Signal()
    """Back to the patients is asked for."""

    def __init__(self, viewmodel: WorkspaceViewModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._vm = viewmodel
        self._popover: Popover | None = None
        self._question = WhoseQuestion(self, viewmodel.whose)
        self._places = PlacePicker(self, viewmodel.placing)
        self._cameras = CameraPicker(self, viewmodel.live)
        self._slates = SlateAct(self, viewmodel.slating)
        self._said = -1
        self.banner = PatientBanner(viewmodel.state.banner)
        self.banner.change_asked.connect(self.left)
        self.banner.offer_slate(offered=viewmodel.slating.is_offered)
        self.banner.slate.clicked.connect(self._slates.ask)
        self.view = LiveView()
        self.view.choose_asked.connect(self._cameras.ask)
        self.grid = ToolButton(tr("Grid"), "grid-four", checkable=True)
        self.grid.setChecked(True)
        self.grid.toggled.connect(self.view.set_grid)
        self.camera = ToolButton(tr("Camera"), "camera-rotate")
        self.camera.clicked.connect(self._cameras.ask)
        self.all = ToolButton(tr("All"), "image")
        self.all.setAccessibleName(tr("All pictures at once"))
        self.all.setToolTip(tr("All pictures at once (F2)"))
        self.turn = ToolButton(tr("Turn"), "arrow-clockwise")
        self.turn.setAccessibleName(tr("Turn the selected pictures, else the newest"))
        self.turn.setToolTip(tr("Turn the selected pictures, else the newest (T, Shift+T)"))
        self.look = ToolButton(tr("Clip"), "play")
        self.look.setAccessibleName(tr("Look at the selected clip, else the newest"))
        self.look.setToolTip(tr("Look at the selected clip, else the newest (V)"))
        self.tools = ToolColumn((self.grid, self.camera, self.all, self.turn, self.look))
        self.shutter = ShutterRow()
        self.procedures = ProcedurePicker()
        self.site = SitePanel(viewmodel.body_map)
        self.site.set_compact(viewmodel.is_practice)
        self.choices = ChoiceRow(self)
        self.filmstrip = Filmstrip()
        self.send_bar = SendBar()
        self.contacts = ContactSheet()
        self.clip = ClipPage(viewmodel.player)
        self.stage = Stage(self.tools, self.view, self.shutter, self.contacts, self.clip)
        self.toast = Toast(self)
        right = (self.procedures, self.site, self.choices)
        self._arrangement = Arrangement(
            self, self.banner, self.stage, right, self.filmstrip, self.send_bar
        )
        self._connect()
        bind(self, self._keys())
        self._live = LiveStage(viewmodel, self.view, self.shutter)
        self._render()
        self._live.render()

    @property
    def viewmodel(self) -> WorkspaceViewModel:
        """What it renders."""
        return self._vm

    def _connect(self) -> None:
        vm = self._vm
        # First of all: a button that turns itself off by what it does would hand the focus on to
        # whatever comes next, and an Enter that is on its way would press that.
        for pressed in (
            self.shutter.pressed,
            self.shutter.clip_asked,
            self.shutter.last_asked,
            self.site.side_chosen,
            self.choices.chosen,
            self.send_bar.delete_asked,
            self.send_bar.send_asked,
            self.toast.acted,
            self.toast.other_acted,
            self.banner.order.clicked,
            self.banner.place.clicked,
        ):
            pressed.connect(self._rest)
        self.banner.order.clicked.connect(self.press_order)
        self.banner.place.clicked.connect(self._places.ask)
        vm.changed.connect(self._render)
        vm.player.changed.connect(self._look_or_not)
        for opened in (self.filmstrip.opened, self.contacts.opened):
            opened.connect(vm.player.open)
        self.look.clicked.connect(vm.player.open_one)
        self.clip.close_asked.connect(vm.player.leave)
        vm.shutter.thumb_made.connect(self._show_thumb)
        vm.sending.needed.connect(self._lead_to)
        vm.sending.asked.connect(self.toast.focus_act)

        self.procedures.filtered.connect(vm.describing.filter)
        self.procedures.picked.connect(vm.describing.choose_procedure)
        self.procedures.left.connect(self._rest)
        self.site.region_touched.connect(self._touch)
        self.site.list_asked.connect(self.open_sites)
        self.site.enlarge_asked.connect(self.open_map)
        self.site.side_chosen.connect(lambda side: vm.describing.choose_side(Side(side)))
        self.choices.chosen.connect(vm.describing.choose)
        self.filmstrip.selected.connect(vm.describing.click)
        self.send_bar.delete_asked.connect(vm.sending.delete)
        self.send_bar.send_asked.connect(vm.sending.send)
        self.all.clicked.connect(self._toggle_contacts)
        for asked in (self.turn.clicked, self.contacts.turn_asked):
            asked.connect(lambda: vm.describing.turn(Turn.RIGHT))
        self.contacts.selected.connect(vm.describing.click)
        self.contacts.group_selected.connect(vm.describing.select)
        self.contacts.all_asked.connect(vm.describing.select_all)
        self.contacts.close_asked.connect(self.close_contacts)
        self.toast.acted.connect(vm.act_on_message)
        self.toast.other_acted.connect(vm.other_act_on_message)
        self.toast.left.connect(vm.message_left)

    # ---------------------------------------------------------------------------------- keys

    def _keys(self) -> Mapping[str | Qt.Key, Callable[[], object]]:
        """What each key does, beside the digits and the sides."""
        return {
            Qt.Key.Key_Space: self._shoot,
            # X11 and Wayland name the F13 of the usual keyboard map "Tools".
            Qt.Key.Key_F13: self._pedal,
            Qt.Key.Key_Tools: self._pedal,
            Qt.Key.Key_PageDown: self._pedal,
            Qt.Key.Key_R: self._record,
            Qt.Key.Key_L: self._keep_last,
            Qt.Key.Key_Slash: self.procedures.start_filter,
            Qt.Key.Key_B: self._toggle_map,
            Qt.Key.Key_V: self._vm.player.open_one,
            Qt.Key.Key_F2: self._toggle_contacts,
            "Alt+O": self.press_order,
            "Alt+P": self._places.ask,
            "Alt+S": self._slates.ask,
            Qt.Key.Key_Delete: self._vm.sending.delete,
            "Ctrl+Return": self._vm.sending.send,
            "Ctrl+Enter": self._vm.sending.send,
            **coding_keys(self._vm.describing),
        }

    def _pedal(self) -> None:
        self.shutter.show_pedal(seen=True)
        self._shoot()

    def _shoot(self) -> None:
        """Never a picture that nobody saw: from the contact sheet the live picture comes first. Of
        a clip that is looked at a still is taken.
        """
        if self.stage.shows_clip:
            self.clip.take_still()
        elif self.stage.shows_contacts:
            self.close_contacts()
        else:
            self._vm.shutter.shoot()

    def _record(self) -> None:
        """Never a clip that nobody sees: as `_shoot`. What is recorded ends from anywhere."""
        if not self.stage.shows_live and self._vm.clips.state.recorded_s is None:
            self._go_live()
        else:
            self._vm.clips.toggle()

    def _keep_last(self) -> None:
        if self.stage.shows_live:
            self._vm.clips.keep_last()
        else:
            self._go_live()

    def _look_or_not(self) -> None:
        """A clip is looked at, in the place of the live picture, or is no more."""
        is_open = bool(self._vm.player.state.capture_id)
        if is_open and not self.stage.shows_clip:
            self.close_popover()
            self.stage.show_clip()
        elif not is_open and self.stage.shows_clip:
            self.close_contacts()

    def _go_live(self) -> None:
        self._vm.player.leave()
        self.close_contacts()

    def _toggle_contacts(self) -> None:
        if self.stage.shows_contacts:
            self.close_contacts()
        elif self._vm.state.thumbs:
            self.close_popover()
            self.stage.show_contacts()
            self._vm.player.leave()

    def close_contacts(self) -> None:
        """The live picture again."""
        self.stage.show_live()
        self._rest()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            if self.stage.shows_live:
                self.left.emit()
            else:
                self._go_live()
            return
        super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._rest()

    def _rest(self) -> None:
        """The focus goes back to the live picture, or to the pictures in its place."""
        self.stage.rest()

    # -------------------------------------------------------------------------------- popovers

    def open_popover(self, popover: Popover, beside: QWidget | None) -> None:
        """Shows it beside a widget, else in the middle, and closes the one that is open."""
        self.close_popover()
        self._popover = popover
        popover.keep_clear = self.banner.height()  # whose pictures these are stays in sight
        popover.close_asked.connect(self.close_popover)
        row = QRect()
        if beside is not None:
            row = QRect(beside.mapTo(self, QPoint(0, 0)), beside.size())
        popover.show_at(row)

    def close_popover(self) -> None:
        """The map or list that is open goes; the focus rests on the picture again."""
        popover, self._popover = self._popover, None
        if popover is not None:
            popover.dismiss()
            self._rest()

    def _touch(self, scheme: str, code: str, side: str) -> None:
        self.close_popover()
        self._vm.describing.choose_region(scheme, code, side)
        self._rest()

    def _pick_site(self, row_id: str) -> None:
        scheme, _, code = row_id.partition(":")
        self._touch(scheme, code, "")

    def open_sites(self) -> None:
        """All sites as a list."""
        picker = RegionPicker(self, self._vm.describing.region_rows(), self._vm.state.region_key)
        picker.picked.connect(self._pick_site)
        self.open_popover(picker, None)  # in the middle: the banner stays in sight

    def _toggle_map(self) -> None:
        if isinstance(self._popover, LargeBodyMap):
            self.close_popover()
        else:
            self.open_map()

    def open_map(self) -> None:
        """The body map, large."""
        large = LargeBodyMap(self, self._vm.body_map, self._vm.state.selection)
        large.touched.connect(self._touch)
        self.open_popover(large, None)

    def press_order(self) -> None:
        """Uses the one order on offer if all its words could be read; else lists what there is."""
        shown = self._vm.state.order
        if shown is None or not shown.usable:
            return
        if shown.at_once and self.banner.order.is_whole:
            self._vm.ordering.choose(shown.at_once)
            return
        ordering = self._vm.ordering
        title = tr("Which order are the pictures for?")
        popover = ListPopover(self, title, ordering.rows(), ordering.chosen, width=ORDERS_WIDTH)
        popover.picked.connect(self._use_order)
        self.open_popover(popover, self.banner.order)

    def _use_order(self, row_id: str) -> None:
        self.close_popover()
        self._vm.ordering.choose(row_id)

    # ------------------------------------------------------------------------------- rendering

    def _render(self) -> None:
        state = self._vm.state
        self.banner.show_state(state.banner)
        self.banner.show_order(state.order)
        self.procedures.show_rows(
            state.rows, state.chosen_row, total=state.procedures, empty=state.found_nothing
        )
        self.procedures.show_needed(state.procedure_needed)
        self._render_site(state)
        self.choices.show_choices(state.choices, state.values)
        self.filmstrip.show_thumbs(
            state.thumbs, tr("No pictures yet. Press Space, the pedal, or Capture.")
        )
        self.send_bar.show_state(
            sendable=state.sendable,
            deletable=state.deletable,
            delete_refusal=state.delete_refusal,
            family=state.family,
            digits=state.digits,
            keeping=state.keeping,
        )
        self.contacts.show_groups(state.groups)
        self.all.setEnabled(bool(state.thumbs))
        self.tools.offer(self.look, offered=any(thumb.clip for thumb in state.thumbs))
        self.turn.setEnabled(bool(state.sendable))
        self.contacts.show_turnable(bool(state.sendable))
        if self.stage.shows_contacts and not state.thumbs:
            self.close_contacts()
        self._render_message(state)
        self._live.render_shutter()

    def _render_site(self, state: WorkspaceState) -> None:
        self.site.show_choice(state.region, state.side, state.sides)
        self.site.show_selection(state.selection)
        self.site.show_hint(state.hint, state.hint_tone)
        self.site.show_needed(state.site_needed)
        if state.site_needed:
            self.site.note.say(state.site_needed, "warning-circle", Tone.BAD)
        elif state.from_order and state.region:
            self.site.note.say(tr("From the order"), "file-text", Tone.TEXT_2)
        elif state.site_proposed:
            self.site.note.say(tr("Proposed"), "info", Tone.TEXT_2)
        else:
            done = tr("Done") if state.site_done else ""
            self.site.note.say(done, "check-circle", Tone.OK)

    def _render_message(self, state: WorkspaceState) -> None:
        message = state.message
        if message is None:
            self.toast.clear()
            self._said = -1
            return
        if message == self.toast.message and state.message_number == self._said:
            return
        self._said = state.message_number
        if message.act_key or message.tone is Tone.BAD:
            self.toast.say(message)
        else:
            self.toast.say(message, for_ms=_INFO_MS)
        self.place_toast(self.toast)

    def _show_thumb(self, capture_id: str, image: object) -> None:
        if isinstance(image, QImage):
            self.filmstrip.show_image(capture_id, image)
            self.contacts.show_image(capture_id, image)

    def _lead_to(self, part: str) -> None:
        """The first control that holds up sending takes the focus."""
        control: QWidget = {
            MissingPart.PROCEDURE: self.procedures.list,
            MissingPart.REGION: self.site.region,
            MissingPart.SIDE: self.site.sides.buttons[Side.RIGHT],
            MissingPart.KEEP: self.choices.buttons[KEEP],
        }.get(MissingPart(part), self.view)
        self.lead_to(control)

    def lead_to(self, control: QWidget) -> None:
        """Gives a control the focus, and brings it into sight."""
        control.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._arrangement.bring_into_sight(control)

    # --------------------------------------------------------------------------- where and when

    def place_toast(self, toast: Toast) -> None:
        """Over the lower edge of the picture, where it covers neither shutter nor Send: a message
        of this page, or one of the window around it.
        """
        above = toast.parentWidget() or self
        shown = self.view if self.stage.shows_live else self.stage
        picture = QRect(shown.mapTo(above, QPoint(0, 0)), shown.size())
        width = min(_TOAST_WIDTH, picture.width() - 2 * _TOAST_INSET)
        toast.fit(width)
        x = picture.x() + (picture.width() - width) // 2
        toast.move(x, picture.bottom() + 1 - _TOAST_INSET - toast.height())

    def minimumSizeHint(self) -> QSize:
        return SMALLEST

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._arrangement.fold(event.size())
        super().resizeEvent(event)
        self.place_toast(self.toast)
        if self._popover is not None:
            self._popover.setGeometry(self.rect())
            self._popover.place()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._live.run(True)  # noqa: FBT003 - as a Qt setter
        QTimer.singleShot(0, self, lambda: self.place_toast(self.toast))

    def hideEvent(self, event: QHideEvent) -> None:
        self._live.run(False)  # noqa: FBT003 - as a Qt setter
        super().hideEvent(event)
