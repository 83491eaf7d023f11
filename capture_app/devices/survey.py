"""What the cameras of this computer can deliver: for lists, and for who sets one up."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from math import isfinite
from typing import Final

from capture_app.clock import Clock
from capture_app.devices.attached import attached_cameras
from capture_app.devices.controls import LOCKABLE
from capture_app.devices.trouble import DeviceTroubleError, Trouble, trouble_of
from capture_app.errors import ChildEndedError, DeviceError, TaskRefusedError
from capture_app.model.camera import AttachedCamera, CameraControl, CameraMode
from capture_app.sandbox.child import Child
from capture_app.sandbox.task import ChildAnswer, ChildTask

MOST_MODES: Final = 500
_MOST_PIXELS_A_SIDE: Final = 65_535
_WITHIN_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Survey:
    """A camera that is plugged in, and its modes: each coding and size with its highest rate.

    `trouble`: why it cannot be looked at, or has no picture now; None where it can be used.
    """

    camera: AttachedCamera
    modes: tuple[CameraMode, ...] = ()
    controls: tuple[CameraControl, ...] = ()
    trouble: DeviceError | None = None


def survey_task(place: str) -> ChildTask:
    """What the child may have that looks at the camera there."""
    return ChildTask("survey-camera", memory=1 << 28, most_in=0, cpu_seconds=60, devices=(place,))


def surveys(clock: Clock) -> Iterator[Survey]:
    """Looks at every camera that is plugged in, one after another, each in a child of its own.

    What gives no pictures by its nature (a camera's other data) is left out.
    """
    for camera in attached_cameras():
        found = survey(camera, clock)
        if not (
            isinstance(found.trouble, DeviceTroubleError)
            and found.trouble.trouble is Trouble.NOT_A_CAMERA
        ):
            yield found


def survey(camera: AttachedCamera, clock: Clock) -> Survey:
    """Looks at one camera. Never raises: what went wrong is its trouble.

    Elsewhere than on Linux nobody can say what a camera can deliver before it is opened.
    """
    if sys.platform != "linux":
        return Survey(camera)
    try:
        with closing(Child(survey_task(camera.place), clock)) as child:
            child.warm()
            answer = child.ask({"address": camera.place}, within=_WITHIN_S)
    except TaskRefusedError as refusal:
        return Survey(camera, trouble=DeviceTroubleError(trouble_of(refusal.code)))
    except ChildEndedError as error:
        return Survey(camera, trouble=DeviceError(str(error)))
    signal = answer.facts.get("signal")
    trouble = DeviceTroubleError(trouble_of(signal)) if isinstance(signal, str) and signal else None
    return Survey(camera, tuple(_modes(answer)), tuple(_controls(answer)), trouble)


def _modes(answer: ChildAnswer) -> Iterator[CameraMode]:
    """What a child says of modes, as far as it can be so."""
    said = answer.facts.get("modes")
    for one in said[:MOST_MODES] if isinstance(said, list) else ():
        match one:
            case [str(code), int(columns), int(rows), float(rate)] if (
                0 < len(code) <= 4
                and code.isprintable()
                and 0 < columns <= _MOST_PIXELS_A_SIDE
                and 0 < rows <= _MOST_PIXELS_A_SIDE
                and isfinite(rate)
                and rate >= 0
            ):
                yield CameraMode(code, columns, rows, rate)
            case _:
                continue


def _controls(answer: ChildAnswer) -> Iterator[CameraControl]:
    """What a child says of controls, as far as it can be so."""
    said = answer.facts.get("controls")
    for one in said[: len(LOCKABLE)] if isinstance(said, list) else ():
        match one:
            case {
                "name": str(name),
                "least": int(least),
                "most": int(most),
                "value": int(value),
                "is_automatic": bool() | None as is_automatic,
            } if name in LOCKABLE:
                yield CameraControl(name, least, most, value, is_automatic)
            case _:
                continue
