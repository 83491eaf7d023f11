"""RTSP and RTSPS: one connection to the camera for one of the child, message by message.

RFC 2326 with its interleaved frames (section 10.12): all goes through this one connection. The
child names an address of this computer; in its requests the camera's own is put in its place.
"""

from __future__ import annotations

import re
import selectors
import socket
from collections.abc import Callable, Iterator
from http import HTTPStatus
from math import inf
from typing import Final

from capture_app.clock import Clock
from capture_app.devices.network_camera import (
    OPENED_WITHIN_S,
    NetworkCamera,
    SignIn,
    raise_for_status,
)
from capture_app.devices.trouble import DeviceTroubleError, Trouble
from capture_app.errors import DeviceError
from capture_app.net.deadline import Deadline
from capture_app.net.listener import Caller
from capture_app.net.wire import Wire, connect

_INTERLEAVED: Final = ord("$")
_HEAD_END: Final = b"\r\n\r\n"
_LONGEST_HEAD: Final = 16_384
_LONGEST_BODY: Final = 262_144
_TAKEN_AT_ONCE: Final = 65_536
_CHILD_TAKES_WITHIN_S: Final = 20.0
_STATUS: Final = re.compile(rb"RTSP/1\.[0-9] ([0-9]{3})\b")
_ASKED: Final = {
    *(b"OPTIONS", b"DESCRIBE", b"SETUP", b"PLAY", b"PAUSE", b"TEARDOWN", b"GET_PARAMETER"),
}
"""What a player asks. A child that was taken over sets or records nothing at a camera by our
password."""
_OPENS: Final = {b"DESCRIBE", b"SETUP", b"PLAY"}
_FIELD: Final = re.IGNORECASE | re.MULTILINE
_LENGTH: Final = re.compile(rb"^content-length[ \t]*:[ \t]*([0-9]{1,9})[ \t]*\r?$", _FIELD)
_CHALLENGE: Final = re.compile(rb"^www-authenticate[ \t]*:[ \t]*([^\r\n]*)", _FIELD)
_SIGN_IN: Final = re.compile(rb"^authorization[ \t]*:[^\r\n]*\r\n", _FIELD)


class RtspRelay:
    """Hands RTSP on between a child and its camera."""

    def __init__(self, camera: NetworkCamera, sign_in: SignIn, clock: Clock) -> None:
        self._camera = camera
        self._sign_in = sign_in
        self._clock = clock

    def serve(
        self, caller: Caller, address: str, note: Callable[[DeviceError | None], None]
    ) -> None:
        """One connection of the child, until either side ends it.

        Raises DeviceTroubleError, TransientDeliveryError for what the camera is to blame for, and
        OSError where the child has gone.
        """
        caller.sock.settimeout(_CHILD_TAKES_WITHIN_S)
        requests = _Messages()
        asked: list[bytes] = []
        while not asked:
            if not (data := caller.sock.recv(_TAKEN_AT_ONCE)):
                return
            asked = list(requests.taken(data))
        if not _names(asked[0], address):
            return
        caller.begin_work()
        deadline = Deadline.after(self._clock, OPENED_WITHIN_S)
        with connect(self._camera.address, deadline, caller.interruption) as wire:
            wire.deadline = Deadline(self._clock, inf)
            talk = _Talk(self._camera, self._sign_in, wire, address, note)
            for message in asked:
                talk.ask(message)
            _run(talk, caller.sock, wire, requests)

    def close(self) -> None:
        """Nothing is kept between two connections."""


def _run(talk: _Talk, child: socket.socket, wire: Wire, requests: _Messages) -> None:
    answers = _Messages()
    with selectors.DefaultSelector() as selector:
        selector.register(child, selectors.EVENT_READ)
        selector.register(wire, selectors.EVENT_READ)
        while True:
            ready = selector.select(0 if wire.has_more else None)
            if any(key.fileobj is child for key, _ in ready):
                if not (data := child.recv(_TAKEN_AT_ONCE)):
                    return
                for message in requests.taken(data):
                    talk.ask(message)
            data_of_camera = wire.take()
            if data_of_camera is None:
                return
            if data_of_camera:
                child.sendall(
                    b"".join(
                        kept
                        for message in answers.taken(data_of_camera)
                        if (kept := talk.answered(message))
                    )
                )


class _Talk:
    """What was asked last, and what becomes of the answer."""

    def __init__(
        self,
        camera: NetworkCamera,
        sign_in: SignIn,
        wire: Wire,
        address: str,
        note: Callable[[DeviceError | None], None],
    ) -> None:
        self._camera = camera
        self._sign_in = sign_in
        self._wire = wire
        self._address = address
        self._note = note
        self._request = b""
        self._is_second = False

    def ask(self, message: bytes) -> None:
        """Sends a request of the child, or a frame of its (RTCP), to the camera.

        Raises DeviceTroubleError for a request that no player makes.
        """
        if message[0] == _INTERLEAVED:
            self._wire.send(message)
            return
        line, _, rest = message.partition(b"\r\n")
        if line.partition(b" ")[0] not in _ASKED:
            raise DeviceTroubleError(Trouble.UNEXPECTED)
        ours, theirs = self._address.encode(), self._camera.url.encode()
        self._request = line.replace(ours, theirs, 1) + b"\r\n" + _SIGN_IN.sub(b"", rest)
        self._is_second = False
        self._send()

    def answered(self, message: bytes) -> bytes:
        """What the child is to see of what the camera sent. Raises DeviceTroubleError."""
        if message[0] == _INTERLEAVED:
            return message
        status_line = _STATUS.match(message)
        if status_line is None:
            if message.startswith(b"REDIRECT "):
                raise DeviceTroubleError(Trouble.REDIRECTED)
            return b""  # a request of the camera, which nobody here could answer
        status = int(status_line[1])
        if status == HTTPStatus.UNAUTHORIZED:
            fields = (field.decode("latin-1") for field in _CHALLENGE.findall(message))
            self._sign_in.learn(fields, is_second=self._is_second)
            self._is_second = True
            self._send()
            return b""
        method = self._request.partition(b" ")[0]
        if 300 <= status < 400 or method in _OPENS:
            raise_for_status(status)
        if method == b"PLAY":
            self._note(None)
        return message

    def _send(self) -> None:
        line, _, rest = self._request.partition(b"\r\n")
        method, uri = [*line.split(b" "), b""][:2]
        field = self._sign_in.field(method.decode("latin-1"), uri.decode("latin-1"))
        mine = b"" if field is None else b"Authorization: " + field + b"\r\n"
        self._wire.send(line + b"\r\n" + mine + rest)


class _Messages:
    """Whole messages and interleaved frames of what comes in pieces."""

    def __init__(self) -> None:
        self._rest = bytearray()

    def taken(self, data: bytes) -> Iterator[bytes]:
        """Those that are whole now. Raises DeviceTroubleError for what is none, or too long."""
        self._rest += data
        begin = 0
        try:
            while (end := self._end(begin)) > begin:
                yield bytes(self._rest[begin:end])
                begin = end
        finally:
            del self._rest[:begin]

    def _end(self, begin: int) -> int:
        """Where the message that begins there ends; its beginning where that is not there yet."""
        rest = self._rest
        if len(rest) - begin < 4:
            return begin
        if rest[begin] == _INTERLEAVED:
            end = begin + 4 + int.from_bytes(rest[begin + 2 : begin + 4], "big")
            return end if end <= len(rest) else begin
        head_end = rest.find(_HEAD_END, begin, begin + _LONGEST_HEAD)
        if head_end < 0:
            if len(rest) - begin >= _LONGEST_HEAD:
                raise DeviceTroubleError(Trouble.NO_PICTURES)
            return begin
        length = _LENGTH.search(rest[begin:head_end])
        size = 0 if length is None else int(length[1])
        if size > _LONGEST_BODY:
            raise DeviceTroubleError(Trouble.NO_PICTURES)
        end = head_end + len(_HEAD_END) + size
        return end if end <= len(rest) else begin


def _names(request: bytes, address: str) -> bool:
    """Whether the child asks for the address that only it was told."""
    words = request.partition(b"\r\n")[0].split(b" ")
    return len(words) == 3 and words[1].startswith(address.encode())
