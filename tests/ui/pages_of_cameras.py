"""The page of the cameras, on a computer that has some, and while one is looked through."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from unittest.mock import patch

from PySide6.QtWidgets import QWidget

from capture_app.devices.survey import Survey
from capture_app.devices.trouble import DeviceTroubleError, Trouble
from capture_app.model.camera import AttachedCamera, CameraControl, CameraMode
from capture_app.model.device import DeviceKind
from capture_app.settings.schema import Device
from capture_app.ui.shell.app_bar import Place
from capture_app.ui.shell.content import Content
from capture_app.ui.shell.main_window import MainWindow
from tests.ui.stage import Stage

WEBCAM = Survey(
    AttachedCamera("usb:046d:085c:A1B2C3D4", "Logitech StreamCam", "/dev/video0"),
    (
        CameraMode("MJPG", 1920, 1080, 60.0),
        CameraMode("MJPG", 1280, 720, 60.0),
        CameraMode("MJPG", 640, 480, 60.0),
        CameraMode("YUYV", 1280, 720, 10.0),
        CameraMode("YUYV", 640, 480, 30.0),
    ),
    (
        CameraControl("exposure", 3, 2047, 250, is_automatic=True),
        CameraControl("white_balance", 2000, 6500, 4600, is_automatic=False),
        CameraControl("power_line", 0, 60, 50, is_automatic=False),
    ),
)
GRABBER = Survey(
    AttachedCamera("usb:07ca:0553@1-4.2", "AVerMedia Live Gamer ULTRA S", "/dev/video2"),
    (CameraMode("NV12", 1920, 1080, 60.0),),
    trouble=DeviceTroubleError(Trouble.NO_SIGNAL),
)
IN_USE = Survey(
    AttachedCamera("pci:0000:03:00.0", "Endoscopy tower", "/dev/video4"),
    trouble=DeviceTroubleError(Trouble.NOT_ALLOWED),
)


@contextmanager
def plugged_in(*found: Survey) -> Iterator[None]:
    """These cameras are plugged into this computer, the first one is the one in use."""

    def surveys(_clock: object) -> Sequence[Survey]:
        return found

    name = "capture_app.ui.cameras.viewmodel"
    attached = tuple(one.camera for one in found)
    by_place = {
        found[0].camera.place: Device(
            "skin",
            "Wound camera",
            DeviceKind.CAMERA,
            found[0].camera.identity,
            locked=("white_balance=4600",),
        )
    }
    with (
        patch(f"{name}.attached_cameras", lambda: attached),
        patch(f"{name}.surveys", surveys),
        patch(f"{name}._by_place", lambda _devices: by_place),
    ):
        yield


def camera_pages(
    window: MainWindow, content: Content, stage: Stage, wait: Callable[[Callable[[], bool]], None]
) -> Iterator[tuple[str, QWidget]]:
    """Two: what is plugged in, and a look through it."""
    viewmodel, page = content.late.cameras
    with plugged_in(WEBCAM, GRABBER, IN_USE):
        content.go(Place.CAMERAS)
        wait(lambda: len(viewmodel.state.rows) == 3)
        viewmodel.choose(GRABBER.camera.identity)
        yield "cameras", window
        viewmodel.choose(WEBCAM.camera.identity)
        viewmodel._seen.clear()
        viewmodel._show(replace(viewmodel.state, is_looking=True, measured=_MEASURED))
        page.picture.show_pixels(None)
        yield "cameras-look", window
        viewmodel.stop_looking()


_MEASURED = (
    "First picture after 412 ms.",
    "Asked for 1920x1080 MJPG at 30/s, got 1920x1080 MJPG at 30/s.",
    "29.9 pictures a second.",
)
