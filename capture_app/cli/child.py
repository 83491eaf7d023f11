"""capture-app _child: the child that reads bytes from outside, and every task that it can do.

It is started by the application alone (see `sandbox.child`); nobody types it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from capture_app.clock import SystemClock
from capture_app.sandbox.inside import serve
from capture_app.sandbox.task import Work


def _camera() -> Work:
    from capture_app.devices.child_work import show_device  # noqa: PLC0415 - as WORKS says

    return show_device(SystemClock())


def _decode_file() -> Work:
    from capture_app.imaging.decoding_work import decode_file  # noqa: PLC0415 - as WORKS says

    return decode_file()


def _parse_dicom() -> Work:
    from capture_app.archive.held_copy import parse_dicom  # noqa: PLC0415 - as WORKS says

    return parse_dicom


def _read_console() -> Work:
    from capture_app.devices.console_text_work import read_console  # noqa: PLC0415 - as WORKS says

    return read_console()


def _read_received() -> Work:
    from capture_app.outbox.receiving.reading_work import read_received  # noqa: PLC0415 - as WORKS says

    return read_received


def _look_at_received() -> Work:
    from capture_app.outbox.receiving.look_work import look_at_received  # noqa: PLC0415 - as WORKS says

    return look_at_received


def _survey_camera() -> Work:
    from capture_app.devices.survey_work import survey_camera  # noqa: PLC0415 - as WORKS says

    return survey_camera()


WORKS: Final[dict[str, Callable[[], Work]]] = {
    "camera": _camera,
    "decode-file": _decode_file,
    "look-at-received": _look_at_received,
    "parse-dicom": _parse_dicom,
    "read-console": _read_console,
    "read-received": _read_received,
    "survey-camera": _survey_camera,
}
"""Each work by its task's name. A child reads the libraries of its own task alone."""


def run() -> int:
    """Works until the parent closes the pipe."""
    return serve(WORKS, SystemClock())
