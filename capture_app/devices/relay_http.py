"""Pictures over HTTP and HTTPS, asked for by our own client and handed on as they come."""

from __future__ import annotations

import hmac
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from typing import BinaryIO, Final
from urllib.parse import urlsplit

from capture_app.clock import Clock
from capture_app.devices.network_camera import (
    OPENED_WITHIN_S,
    STALLS_FOR_S,
    NetworkCamera,
    SignIn,
    device_error,
    raise_for_status,
)
from capture_app.devices.trouble import DeviceTroubleError, Trouble
from capture_app.errors import DeviceError, TransientDeliveryError
from capture_app.net.deadline import Deadline, Interruption
from capture_app.net.http import HttpClient, HttpStream
from capture_app.net.listener import Caller

Note = Callable[[DeviceError | None], None]
"""Hears why the camera could not be opened, or None once it could."""

PICTURE: Final = "image/jpeg"
"""The content type under which the child learns that there is one picture for each request."""
MOST_PICTURE_BYTES: Final = 60_000_000
_BOUNDARY_WITHIN: Final = 1 << 16
_BOUNDARY: Final = re.compile(rb"(?:\A|\n)--[^\r\n]")
_CHILD_TAKES_WITHIN_S: Final = 20.0
_LONGEST_LINE: Final = 8192
_MOST_LINES: Final = 64
_PAGES: Final = {"text/html", "application/xhtml+xml"}
_PAGE_BEGINS: Final = (b"<!doctype html", b"<html")
_LISTS_BEGIN: Final = (b"#extm3u", b"<?xml", b"<mpd", b"v=0", b"[playlist]", b"ffconcat")


class _Answer:
    """What the camera sends: its content type, as said to the child, and what was read of it."""

    def __init__(
        self,
        content_type: str,
        begin: bytes,
        stream: HttpStream,
        interruption: Interruption,
        stack: ExitStack,
    ) -> None:
        self.content_type = content_type
        self._begin = begin
        self._stream = stream
        self._interruption = interruption
        self._stack = stack

    @property
    def is_picture(self) -> bool:
        return self.content_type == PICTURE

    def pieces(self) -> Iterator[bytes]:
        """All of the body, from its beginning, as it comes. Raises TransientDeliveryError."""
        yield self._begin
        while piece := self._stream.read():
            yield piece

    def close(self) -> None:
        self._stack.close()

    def interrupt(self) -> None:
        """Frees whoever reads it. Any thread may call it."""
        self._interruption.interrupt()


class HttpRelay:
    """Answers the child's requests by what the camera answers to ours.

    HEAD opens the camera, and says what kind of pictures it has; the GET after it is given them. A
    camera that has one picture for each request is asked anew by each GET.
    """

    def __init__(self, camera: NetworkCamera, sign_in: SignIn, clock: Clock) -> None:
        self._camera = camera
        self._sign_in = sign_in
        self._clock = clock
        self._lock = threading.Lock()
        self._client: HttpClient | None = None
        self._waiting: _Answer | None = None
        self._going_on: _Answer | None = None

    def serve(self, caller: Caller, address: str, note: Note) -> None:
        """One connection of the child. Raises OSError where that breaks."""
        caller.sock.settimeout(_CHILD_TAKES_WITHIN_S)
        path = urlsplit(address).path
        with caller.sock.makefile("rb") as reader:
            while (method := _request(reader, path)) is not None:
                caller.begin_work()
                if not self._answered(method, caller, note):
                    return
                caller.end_work()

    def close(self) -> None:
        """Ends what is under way, and the connections that were kept."""
        with self._lock:
            waiting, self._waiting = self._waiting, None
            going_on, client = self._going_on, self._client
        if waiting is not None:
            waiting.close()
        if going_on is not None:
            going_on.interrupt()
        if client is not None:
            client.close()

    def _answered(self, method: str, caller: Caller, note: Note) -> bool:
        """Answers one request, and says whether another may follow on the same connection."""
        sock = caller.sock
        try:
            answer = self._taken(method) or self._opened(caller)
            note(None)
        except TransientDeliveryError as error:
            if not caller.is_ending:
                note(device_error(error))
            sock.sendall(_head(HTTPStatus.BAD_GATEWAY, length=0))
            return True
        except DeviceError as error:
            note(error)
            sock.sendall(_head(HTTPStatus.BAD_GATEWAY, length=0))
            return True
        if method == "HEAD":
            self._keep(answer)
            sock.sendall(_head(HTTPStatus.OK, answer.content_type))
            return True
        if not answer.is_picture:
            with self._going(answer):
                sock.sendall(_head(HTTPStatus.OK, answer.content_type))
                for piece in answer.pieces():
                    sock.sendall(piece)
            return False
        try:
            picture = self._picture(answer)
        except (TransientDeliveryError, DeviceTroubleError):
            picture = b""
        finally:
            answer.close()
        status = HTTPStatus.OK if picture else HTTPStatus.BAD_GATEWAY
        sock.sendall(_head(status, PICTURE, len(picture)) + picture)
        return True

    def _picture(self, answer: _Answer) -> bytes:
        deadline = Deadline.after(self._clock, STALLS_FOR_S)
        picture = bytearray()
        for piece in answer.pieces():
            picture += piece
            if len(picture) > MOST_PICTURE_BYTES or deadline.remaining <= 0:
                raise DeviceTroubleError(Trouble.UNREADABLE_PICTURE)
        return bytes(picture)

    def _opened(self, caller: Caller) -> _Answer:
        """Asks the camera. Raises DeviceError, TransientDeliveryError."""
        with self._lock:
            if self._client is None:
                self._client = HttpClient(self._camera.name, tls=self._camera.tls())
            client = self._client
        deadline = Deadline.after(self._clock, OPENED_WITHIN_S)
        for is_second in (False, True):
            if (answer := self._asked(client, caller, deadline, is_second=is_second)) is not None:
                return answer
        raise DeviceTroubleError(Trouble.SIGN_IN_REFUSED)

    def _asked(
        self, client: HttpClient, caller: Caller, deadline: Deadline, *, is_second: bool
    ) -> _Answer | None:
        """None where the camera wants to know who asks, and we can say it now."""
        interruption = Interruption()
        with ExitStack() as stack, caller.interruption.ended_by(interruption.interrupt):
            stream = stack.enter_context(
                client.stream(
                    self._camera.url,
                    headers=self._headers(),
                    deadline=deadline,
                    stall_seconds=STALLS_FOR_S,
                    interruption=interruption,
                )
            )
            if stream.status == HTTPStatus.UNAUTHORIZED:
                self._sign_in.learn(stream.challenges, is_second=is_second)
                return None
            raise_for_status(stream.status)
            content_type, begin = _judged(stream, deadline)
            return _Answer(content_type, begin, stream, interruption, stack.pop_all())

    def _headers(self) -> dict[str, str | bytes]:
        headers: dict[str, str | bytes] = {"Cache-Control": "no-cache"}
        if (field := self._sign_in.field("GET", self._camera.target)) is not None:
            headers["Authorization"] = field
        return headers

    def _keep(self, answer: _Answer) -> None:
        """For the GET that follows. A single picture would be an old one by then."""
        with self._lock:
            before, self._waiting = self._waiting, None if answer.is_picture else answer
        if before is not None:
            before.close()
        if answer.is_picture:
            answer.close()

    def _taken(self, method: str) -> _Answer | None:
        """What HEAD has opened, once."""
        with self._lock:
            if method == "HEAD":
                return None
            waiting, self._waiting = self._waiting, None
            return waiting

    @contextmanager
    def _going(self, answer: _Answer) -> Iterator[None]:
        """The child has one stream at a time: one that it left is ended by the next."""
        with self._lock:
            before, self._going_on = self._going_on, answer
        if before is not None:
            before.interrupt()
        try:
            yield
        finally:
            with self._lock:
                if self._going_on is answer:
                    self._going_on = None
            answer.close()


def _judged(stream: HttpStream, deadline: Deadline) -> tuple[str, bytes]:
    """Content type and beginning of what can be pictures.

    Raises DeviceTroubleError for what cannot be, TransientDeliveryError.
    """
    kind = stream.content_type.partition(";")[0].strip().lower()
    if kind in _PAGES:
        raise DeviceTroubleError(Trouble.WEB_PAGE)
    if stream.is_encoded:
        raise DeviceTroubleError(Trouble.NO_PICTURES)
    begin = stream.read()
    if kind.startswith("multipart/"):
        while not _BOUNDARY.search(begin):
            is_too_late = len(begin) > _BOUNDARY_WITHIN or deadline.remaining <= 0
            if is_too_late or not (piece := stream.read()):
                raise DeviceTroubleError(Trouble.NO_BOUNDARY)
            begin += piece
        return _printable(stream.content_type), begin
    text = begin[:64].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if text.startswith(_PAGE_BEGINS):
        raise DeviceTroubleError(Trouble.WEB_PAGE)
    is_jpeg = begin.startswith(b"\xff\xd8")
    if is_jpeg and (kind in {PICTURE, "image/jpg"} or stream.length):
        return PICTURE, begin
    is_film = kind.startswith("video/") or kind in {"", "application/octet-stream"}
    if not begin or not is_film or text.startswith(_LISTS_BEGIN):
        raise DeviceTroubleError(Trouble.NO_PICTURES)
    return _printable(stream.content_type), begin


def _printable(content_type: str) -> str:
    """As one line of ASCII: it comes from outside and goes into a head of ours."""
    return re.sub(r"[^\x20-\x7e]", "", content_type)[:200]


def _request(reader: BinaryIO, path: str) -> str | None:
    """The method of the next request; None at the end, and for who does not know the path."""
    first = reader.readline(_LONGEST_LINE)
    for _ in range(_MOST_LINES):
        if reader.readline(_LONGEST_LINE).strip() == b"":
            break
    words = first.split()
    is_known = len(words) == 3 and hmac.compare_digest(words[1], path.encode())
    return words[0].decode("ascii", "replace") if is_known else None


def _head(status: HTTPStatus, content_type: str = "", length: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status.value} {status.phrase}"]
    if content_type:
        lines.append(f"Content-Type: {content_type}")
    lines.append("Connection: close" if length is None else f"Content-Length: {length}")
    return "\r\n".join([*lines, "", ""]).encode("ascii")
