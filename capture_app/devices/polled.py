"""A camera that gives one JPEG for each request, asked again and again through its relay."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from typing import Final
from urllib.parse import urlsplit

from capture_app.clock import Clock
from capture_app.devices.trouble import DeviceTroubleError, Trouble

_SHORTEST_INTERVAL_S: Final = 0.1
"""Cameras make single pictures slowly; a faster one has a stream."""


@dataclass(frozen=True, slots=True)
class PolledPicture:
    """One answer; moments of the monotonic clock, in seconds."""

    jpeg: bytes
    asked_at: float
    arrived_at: float


def content_type_at(address: str, within: float) -> str:
    """What is sent from an address of the relay. Raises DeviceTroubleError where nothing is."""
    parts = urlsplit(address)
    with closing(HTTPConnection(parts.hostname or "", parts.port, timeout=within)) as connection:
        try:
            connection.request("HEAD", parts.path)
            answer = connection.getresponse()
        except (OSError, HTTPException) as error:
            raise DeviceTroubleError(Trouble.NO_ANSWER) from error
        if answer.status != HTTPStatus.OK:
            raise DeviceTroubleError(Trouble.NO_ANSWER)
        return answer.headers.get("Content-Type", "")


def pictures_at(
    address: str, within: float, closed: threading.Event, clock: Clock
) -> Iterator[PolledPicture]:
    """One picture after another, until `closed`; none may take longer than `within` seconds.

    Raises DeviceTroubleError where one does not come.
    """
    parts = urlsplit(address)
    with closing(HTTPConnection(parts.hostname or "", parts.port, timeout=within)) as connection:
        while not closed.is_set():
            asked_at = clock.monotonic()
            try:
                connection.request("GET", parts.path)
                answer = connection.getresponse()
                jpeg = answer.read()
            except (OSError, HTTPException) as error:
                raise DeviceTroubleError(Trouble.STOPPED) from error
            if answer.status != HTTPStatus.OK:
                raise DeviceTroubleError(Trouble.STOPPED)
            yield PolledPicture(jpeg, asked_at, clock.monotonic())
            closed.wait(max(0.0, _SHORTEST_INTERVAL_S - (clock.monotonic() - asked_at)))
