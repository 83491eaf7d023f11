"""The way from a camera of the network to the child that decodes what it sends.

The child and FFmpeg in it see an address of this computer alone. Here, outside the child, the real
one is called: certificate and host name are checked (FFmpeg can check no host name), the password
is given, redirects are refused. Nothing is decoded here.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import structlog

from capture_app.clock import Clock
from capture_app.devices.network_camera import (
    CameraNotReachedError,
    NetworkCamera,
    Password,
    SignIn,
    device_error,
)
from capture_app.devices.relay_http import HttpRelay
from capture_app.devices.relay_rtsp import RtspRelay
from capture_app.devices.trouble import DeviceTroubleError, Trouble
from capture_app.errors import DeviceError, TransientDeliveryError
from capture_app.net.listener import Caller, Listener
from capture_app.settings.schema import Device

_HOST: Final = "127.0.0.1"
_MOST_CALLERS: Final = 4

_log = structlog.get_logger(__name__)


class CameraRelay:
    """A port of this computer behind which one camera is. Only who knows `address` is served."""

    def __init__(self, device: Device, clock: Clock, password: Password, *, port: int = 0) -> None:
        """`port`: where it listens, if that is to be had; 0 for any."""
        camera = NetworkCamera.of(device)
        sign_in = SignIn(camera, device, password)
        self._device_id = device.id
        self._token = secrets.token_hex(16)
        kind = HttpRelay if camera.scheme.startswith("http") else RtspRelay
        self._scheme = "http" if kind is HttpRelay else "rtsp"
        self._line = kind(camera, sign_in, clock)
        self._listener = Listener(
            _HOST, port, self._serve, name="camera-relay", clock=clock, most_callers=_MOST_CALLERS
        )
        self._trouble: DeviceError | None = None

    @property
    def address(self) -> str:
        """What the child opens. It changes with every opening, and is a secret of both."""
        return f"{self._scheme}://{_HOST}:{self._listener.port}/{self._token}"

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._listener.port

    @property
    def trouble(self) -> DeviceError | None:
        """Why the camera could not be opened when it was last tried; None where it could."""
        return self._trouble

    @contextmanager
    def listening(self) -> Iterator[None]:
        """Takes the child's calls within the block. Raises DeviceTroubleError where no port can be
        had.
        """
        try:
            self._listener.start(or_elsewhere=True)
        except OSError as error:
            raise DeviceTroubleError(Trouble.UNEXPECTED) from error
        try:
            yield
        finally:
            self._line.close()
            self._listener.stop()

    def _serve(self, caller: Caller) -> None:
        try:
            self._line.serve(caller, self.address, self._note)
        except TransientDeliveryError as error:
            if not caller.is_ending:
                self._note(device_error(error))
        except DeviceError as error:
            self._note(error)

    def _note(self, trouble: DeviceError | None) -> None:
        self._trouble = trouble
        if isinstance(trouble, DeviceTroubleError):
            _log.info("camera-not-had", device_id=self._device_id, reason=trouble.trouble.value)
        elif isinstance(trouble, CameraNotReachedError):
            _log.info("camera-not-had", device_id=self._device_id, reason=trouble.code)
