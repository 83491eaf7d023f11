"""The live picture and what stands under it, as the camera and the clips go."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QObject, QTimer

from capture_app.devices.capture import Live
from capture_app.model.frame import Frame
from capture_app.model.words import tr
from capture_app.ui.thumbnails import image_over
from capture_app.ui.words.marks import Tone
from capture_app.ui.workspace.live_view import LiveView
from capture_app.ui.workspace.live_words import live_marks
from capture_app.ui.workspace.shutter_row import ShutterRow
from capture_app.ui.workspace.viewmodel import WorkspaceViewModel

_FRAME_MS: Final = 33


class LiveStage(QObject):
    """Renders the camera's state and the clips' on a view and a row, and pulls frames."""

    def __init__(self, vm: WorkspaceViewModel, view: LiveView, row: ShutterRow) -> None:
        super().__init__(view)
        self._vm = vm
        self._view = view
        self._row = row
        self._frame: Frame | None = None
        self._frames = QTimer(self)
        self._frames.setInterval(_FRAME_MS)
        self._frames.timeout.connect(self._show_frame)
        row.pressed.connect(vm.shutter.shoot)
        row.clip_asked.connect(vm.clips.toggle)
        row.last_asked.connect(vm.clips.keep_last)
        vm.live.changed.connect(self.render)
        vm.guard.changed.connect(self.render)
        vm.clips.changed.connect(self.render)
        vm.shutter.flashed.connect(view.flash)

    def run(self, on: bool) -> None:  # noqa: FBT001 - as a Qt setter
        """Whether frames are pulled: while the page is on screen."""
        if on:
            self._frames.start()
        else:
            self._frames.stop()

    def render(self) -> None:
        """Chips, words and buttons."""
        live, clips = self._vm.live, self._vm.clips.state
        marks = live_marks(
            live.state,
            live.device,
            live.quality,
            safe=self._vm.safe_count,
            others=bool(live.others),
            size=live.size,
            stillness=live.stillness,
            console=self._vm.guard.says,
            clips=clips,
        )
        self._view.show_marks(marks)
        if not live.is_live:
            self._frame = None
            self._view.show_picture(None)
        self._row.show_clips(clips)
        self.render_shutter()

    def render_shutter(self) -> None:
        """What the next picture will be, or why there is none."""
        live = self._vm.live.state.live
        if live is Live.LIVE:
            self._row.show_next(self._vm.state.next_picture)
        elif live is Live.OPENING:
            self._row.show_off(tr("Opening the camera"), "camera", Tone.TEXT_2)
        else:
            self._row.show_off(tr("No live image"), "camera-slash", Tone.WARN)

    def _show_frame(self) -> None:
        frame = self._vm.live.frame()
        if frame is not None and frame is not self._frame:
            self._frame = frame  # the image does not own the pixels
            kept = self._vm.live.as_kept(frame)
            banner = self._vm.live.banner_in(frame)
            self._view.show_picture(
                image_over(kept.pixels), None if banner is None else image_over(banner)
            )
