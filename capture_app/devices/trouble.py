"""What goes wrong with a device: a code that a child may tell, and our own words for it."""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never

from capture_app.errors import DeviceError
from capture_app.model.words import tr


class Trouble(StrEnum):
    """Why a device gives no pictures."""

    NOT_FOUND = "not-found"
    IN_USE = "in-use"
    NOT_FOUND_OR_IN_USE = "not-found-or-in-use"
    NO_ANSWER = "no-answer"
    STOPPED = "stopped"
    UNREADABLE_PICTURE = "unreadable-picture"
    FILE_NOT_FOUND = "file-not-found"
    NO_FILM = "no-film"
    UNEXPECTED = "unexpected"


class DeviceTroubleError(DeviceError):
    """A DeviceError whose reason another process can tell by its code."""

    def __init__(self, trouble: Trouble) -> None:
        self.trouble = trouble
        super().__init__(_words(trouble))


def _words(trouble: Trouble) -> str:
    match trouble:
        case Trouble.NOT_FOUND:
            return tr("Camera not found. Check the cable.")
        case Trouble.IN_USE:
            return tr("The camera is in use by another program. Close that one.")
        case Trouble.NOT_FOUND_OR_IN_USE:
            return tr("Camera not found, or in use by another program. Check the cable.")
        case Trouble.NO_ANSWER:
            return tr("The camera does not answer. Check its cable and its power.")
        case Trouble.STOPPED:
            return tr("The camera stopped sending pictures.")
        case Trouble.UNREADABLE_PICTURE:
            return tr("The camera sent a picture that cannot be read.")
        case Trouble.FILE_NOT_FOUND:
            return tr("The file to be shown was not found.")
        case Trouble.NO_FILM:
            return tr("The file to be shown cannot be read as a film.")
        case Trouble.UNEXPECTED:
            return tr("The camera failed in a way that was not expected.")
        case _:
            assert_never(trouble)
