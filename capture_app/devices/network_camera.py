"""A camera of the network as the settings name it, and how we get in: address, trust, password."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final
from urllib.parse import urlsplit

from capture_app.devices.trouble import DeviceTroubleError, Trouble
from capture_app.errors import DeviceError, KeyUnavailableError, TransientDeliveryError
from capture_app.net.http_auth import Authorisation, strongest_challenge
from capture_app.net.tls import Tls, client_tls
from capture_app.net.wire import Address
from capture_app.settings.schema import Device

OPENED_WITHIN_S: Final = 4.5
"""A camera that has not answered by then does not answer. A little less than its child waits."""
STALLS_FOR_S: Final = 1.5

Password = Callable[[str], str | None]
"""The secret under a name of the key store; None, or KeyUnavailableError, where there is none."""


def no_password(_name: str) -> None:
    """The key store of who has none."""


_PORTS: Final = {"http": 80, "https": 443, "rtsp": 554, "rtsps": 322}
_TOLD_BY_ITS_REASON: Final = ("tls", "unknown-host", "protocol")


@dataclass(frozen=True, slots=True)
class NetworkCamera:
    """Where it is. `target` is path and query; no user and no password stand in it."""

    name: str
    scheme: str
    host: str
    port: int
    target: str
    ca_file: str

    @classmethod
    def of(cls, device: Device) -> NetworkCamera:
        """Raises DeviceTroubleError for an address that is none of a network camera."""
        try:
            parts = urlsplit(device.address)
            port = parts.port
        except ValueError:
            raise DeviceTroubleError(Trouble.NO_ANSWER) from None
        if parts.scheme not in _PORTS or not parts.hostname:
            raise DeviceTroubleError(Trouble.NO_ANSWER)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        port = port or _PORTS[parts.scheme]
        return cls(device.name, parts.scheme, parts.hostname, port, target, device.ca_file)

    @property
    def is_secure(self) -> bool:
        """Whether it is spoken to by TLS."""
        return self.scheme.endswith("s")

    @property
    def url(self) -> str:
        """As a request to it names it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == _PORTS[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.target}"

    @property
    def address(self) -> Address:
        """Raises DeviceError, in words, where its authorities cannot be read."""
        return Address(self.name, self.host, self.port, self.tls())

    def tls(self) -> Tls | None:
        """What it must prove: chain and host name. None where it is spoken to in clear.

        Raises DeviceTroubleError where the authorities cannot be read.
        """
        if not self.is_secure:
            return None
        try:
            return client_tls(self.name, ca_file=self.ca_file)
        except OSError as error:
            raise DeviceTroubleError(Trouble.AUTHORITIES_UNREADABLE) from error


class SignIn:
    """User and password of one camera, given as it asks. Never in clear over the network."""

    def __init__(self, camera: NetworkCamera, device: Device, password: Password) -> None:
        self._camera = camera
        self._user = device.user
        self._password_key = device.password_key
        self._password = password
        self._lock = threading.Lock()
        self._authorisation: Authorisation | None = None

    def field(self, method: str, uri: str) -> bytes | None:
        """The value of Authorization for a request; None until the camera has asked for it."""
        with self._lock:
            known = self._authorisation
            return None if known is None else known.field(method, uri).encode()

    def learn(self, challenges: Iterable[str], *, is_second: bool) -> None:
        """It answered 401. `is_second`: also to what its last challenge asked for.

        Raises DeviceTroubleError where there is nothing more that we could answer.
        """
        with self._lock:
            self._authorisation = None
            if not self._user:
                raise DeviceTroubleError(Trouble.NOT_SIGNED_IN)
            challenge = strongest_challenge(challenges)
            if challenge is None or is_second:
                raise DeviceTroubleError(Trouble.SIGN_IN_REFUSED)
            is_here = self._camera.host in {"127.0.0.1", "::1", "localhost"}
            if challenge.is_basic and not self._camera.is_secure and not is_here:
                raise DeviceTroubleError(Trouble.PASSWORD_IN_CLEAR)
            try:
                password = self._password(self._password_key)
            except KeyUnavailableError:
                password = None
            if password is None:
                raise DeviceTroubleError(Trouble.PASSWORD_NOT_HAD)
            self._authorisation = Authorisation(challenge, self._user, password)


def raise_for_status(status: int) -> None:
    """Raises DeviceTroubleError for every status but 200 (HTTP and RTSP say the same by them)."""
    if 300 <= status < 400:
        raise DeviceTroubleError(Trouble.REDIRECTED)
    if status == HTTPStatus.FORBIDDEN:
        raise DeviceTroubleError(Trouble.FORBIDDEN)
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        raise DeviceTroubleError(Trouble.NO_SUCH_ADDRESS)
    if status != HTTPStatus.OK:
        raise DeviceTroubleError(Trouble.ANSWERS_ERROR)


class CameraNotReachedError(DeviceError):
    """The way to a camera failed, for a reason with words of its own: `code` is that reason's."""

    def __init__(self, error: TransientDeliveryError) -> None:
        self.code = error.code
        super().__init__(str(error))


def device_error(error: TransientDeliveryError) -> DeviceError:
    """What people are told where the way to the camera fails: distrust in its own words."""
    if error.code.startswith(_TOLD_BY_ITS_REASON):
        return CameraNotReachedError(error)
    return DeviceTroubleError(Trouble.NO_ANSWER)
