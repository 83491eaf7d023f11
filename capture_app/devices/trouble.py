"""What goes wrong with a device: a code that a child may tell, and our own words for it."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final

from capture_app.errors import DeviceError
from capture_app.model.words import tr


class Trouble(StrEnum):
    """Why a device gives no pictures."""

    NOT_FOUND = "not-found"
    IN_USE = "in-use"
    NOT_FOUND_OR_IN_USE = "not-found-or-in-use"
    NO_ANSWER = "no-answer"
    STOPPED = "stopped"
    UNPLUGGED = "unplugged"
    NOT_ALLOWED = "not-allowed"
    NOT_A_CAMERA = "not-a-camera"
    ALIKE = "alike"
    UNKNOWN_FORMAT = "unknown-format"
    NO_SIGNAL = "no-signal"
    SIGNAL_CHANGED = "signal-changed"
    SIGNAL_NOT_SUPPORTED = "signal-not-supported"
    DRIVER_ERROR = "driver-error"
    UNREADABLE_PICTURE = "unreadable-picture"
    FILE_NOT_FOUND = "file-not-found"
    NO_FILM = "no-film"
    NOT_SIGNED_IN = "not-signed-in"
    SIGN_IN_REFUSED = "sign-in-refused"
    PASSWORD_IN_CLEAR = "password-in-clear"  # noqa: S105 - a code, no password
    PASSWORD_NOT_HAD = "password-not-had"  # noqa: S105 - a code, no password
    AUTHORITIES_UNREADABLE = "authorities-unreadable"
    FORBIDDEN = "forbidden"
    NO_SUCH_ADDRESS = "no-such-address"
    ANSWERS_ERROR = "answers-error"
    REDIRECTED = "redirected"
    WEB_PAGE = "web-page"
    NO_PICTURES = "no-pictures"
    NO_BOUNDARY = "no-boundary"
    UNEXPECTED = "unexpected"


class DeviceTroubleError(DeviceError):
    """A DeviceError whose reason another process can tell by its code."""

    def __init__(self, trouble: Trouble) -> None:
        self.trouble = trouble
        super().__init__(_WORDS[trouble]())


def trouble_of(code: str) -> Trouble:
    """What a child means by a code."""
    try:
        return Trouble(code)
    except ValueError:
        return Trouble.UNEXPECTED


_WORDS: Final[dict[Trouble, Callable[[], str]]] = {
    Trouble.NOT_FOUND: lambda: tr("Camera not found. Check the cable."),
    Trouble.IN_USE: lambda: tr("The camera is in use by another program. Close that one."),
    Trouble.NOT_FOUND_OR_IN_USE: lambda: tr(
        "Camera not found, or in use by another program. Check the cable."
    ),
    Trouble.NO_ANSWER: lambda: tr("The camera does not answer. Check its cable and its power."),
    Trouble.STOPPED: lambda: tr("The camera stopped sending pictures."),
    Trouble.UNPLUGGED: lambda: tr("The camera was unplugged. Plug it in again."),
    Trouble.NOT_ALLOWED: lambda: tr(
        "This computer does not let the application use the camera. IT gives its user the right "
        "(on Linux: the group video)."
    ),
    Trouble.NOT_A_CAMERA: lambda: tr(
        "What is at the camera's address gives no pictures. IT chooses another from those that "
        "capture-app devices list shows."
    ),
    Trouble.ALIKE: lambda: tr(
        "Several cameras answer to this one's identity. Unplug the others, or IT adds the port "
        "that capture-app devices list shows."
    ),
    Trouble.UNKNOWN_FORMAT: lambda: tr(
        "The camera has no picture format that can be kept. IT chooses another camera."
    ),
    Trouble.NO_SIGNAL: lambda: tr(
        "No signal: the camera is connected, but nothing sends it a picture. Switch the scanner "
        "or tower on and check the cable between the two."
    ),
    Trouble.SIGNAL_CHANGED: lambda: tr("The signal changed. Wait a moment."),
    Trouble.SIGNAL_NOT_SUPPORTED: lambda: tr(
        "The scanner or tower sends a picture that this grabber does not take. Choose another "
        "output size there."
    ),
    Trouble.DRIVER_ERROR: lambda: tr(
        "The camera's driver reports an error. Unplug the camera and plug it in again; if it "
        "stays, tell IT."
    ),
    Trouble.UNREADABLE_PICTURE: lambda: tr("The camera sent a picture that cannot be read."),
    Trouble.FILE_NOT_FOUND: lambda: tr("The file to be shown was not found."),
    Trouble.NO_FILM: lambda: tr("The file to be shown cannot be read as a film."),
    Trouble.NOT_SIGNED_IN: lambda: tr(
        "The camera asks for a user and a password. IT enters them in the settings: user "
        "and password_key of the device."
    ),
    Trouble.SIGN_IN_REFUSED: lambda: tr(
        "The camera does not accept this station's user or password. IT checks user and "
        "password_key of the device."
    ),
    Trouble.PASSWORD_IN_CLEAR: lambda: tr(
        "The camera wants its password in clear over the network, which is not done. IT "
        "sets an https or rtsps address, or digest authentication in the camera."
    ),
    Trouble.PASSWORD_NOT_HAD: lambda: tr(
        "The password of the camera is not in the key store. IT enters it there, under the "
        "name that password_key of the device gives."
    ),
    Trouble.AUTHORITIES_UNREADABLE: lambda: tr(
        "The camera's ca_file cannot be read. IT checks the file and its rights."
    ),
    Trouble.FORBIDDEN: lambda: tr(
        "The camera does not let this station's user see its pictures. IT gives that user "
        "the right, in the camera."
    ),
    Trouble.NO_SUCH_ADDRESS: lambda: tr(
        "The camera has no pictures at its address. IT checks the path in the settings."
    ),
    Trouble.ANSWERS_ERROR: lambda: tr(
        "The camera answers with an error. Restart it; if it stays, tell IT."
    ),
    Trouble.REDIRECTED: lambda: tr(
        "The camera points to another address, which is not followed. IT enters the final "
        "address in the settings."
    ),
    Trouble.WEB_PAGE: lambda: tr(
        "The camera shows a web page, perhaps its sign-in page, not pictures. IT checks "
        "address and user in the settings."
    ),
    Trouble.NO_PICTURES: lambda: tr(
        "What the camera sends is neither pictures nor a film. IT checks the address in "
        "the settings."
    ),
    Trouble.NO_BOUNDARY: lambda: tr(
        "The camera's stream does not begin as one of pictures does: its first boundary "
        "is missing. Restart the camera; if it stays, tell IT."
    ),
    Trouble.UNEXPECTED: lambda: tr("The camera failed in a way that was not expected."),
}
