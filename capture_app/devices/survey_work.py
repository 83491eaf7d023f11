"""What the child does that is asked what a camera can deliver. It takes no picture."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict

from capture_app.devices.modes import READABLE
from capture_app.devices.survey import MOST_MODES
from capture_app.devices.trouble import DeviceTroubleError, Trouble
from capture_app.devices.v4l2 import V4l2Camera
from capture_app.errors import TaskRefusedError
from capture_app.model.camera import CameraMode
from capture_app.sandbox.task import Call, ChildAnswer, Work


def survey_camera() -> Work:
    """The work of the child. Refuses with a code of `trouble.Trouble`."""

    def work(call: Call) -> Iterator[ChildAnswer]:
        try:
            with closing(V4l2Camera(call.question["address"])) as camera:
                signal = _signal(camera)
                modes = _sorted(camera.modes())
                controls = camera.controls()
        except DeviceTroubleError as error:
            raise TaskRefusedError(error.trouble) from error
        told = [[mode.format, mode.columns, mode.rows, mode.rate] for mode in modes]
        yield ChildAnswer(
            {
                "modes": told[:MOST_MODES],
                "controls": [asdict(control) for control in controls],
                "signal": signal,
            }
        )

    return work


def _signal(camera: V4l2Camera) -> str:
    """Why a grabber has no picture; empty where it has one."""
    try:
        camera.follow_signal()
    except DeviceTroubleError as error:
        if error.trouble not in (Trouble.NO_SIGNAL, Trouble.SIGNAL_NOT_SUPPORTED, Trouble.IN_USE):
            raise
        return "" if error.trouble is Trouble.IN_USE else error.trouble
    return ""


def _sorted(modes: tuple[CameraMode, ...]) -> list[CameraMode]:
    """Those that we can use first, the largest first."""
    return sorted(
        modes,
        key=lambda mode: (mode.format not in READABLE, mode.format, -mode.columns * mode.rows),
    )
