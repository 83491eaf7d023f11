"""The simulated camera on the network: an MJPEG stream over HTTP."""

from __future__ import annotations

import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

_BOUNDARY = "frame"
FRAMES_PER_SECOND = 12.0


class MjpegCamera:
    """Serves JPEG pictures in turn, for ever, to as many clients as ask, on 127.0.0.1."""

    def __init__(self, pictures: Sequence[bytes], *, port: int = 0) -> None:
        if not pictures:
            raise ValueError("a camera needs at least one picture")
        self._unplugged = threading.Event()
        handler = type(
            "Handler", (_Handler,), {"pictures": tuple(pictures), "unplugged": self._unplugged}
        )
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = False
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/camera.mjpg"
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            kwargs={"poll_interval": 0.05},
            name="practice-camera",
        )
        self._thread.start()

    def stop(self) -> None:
        """Pulls the plug: every stream ends, and no new one is answered."""
        self._unplugged.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    pictures: tuple[bytes, ...]
    unplugged: threading.Event
    timeout: ClassVar[float | None] = 5.0

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Says nothing."""

    def do_GET(self) -> None:
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
        self.end_headers()
        turn = 0
        try:
            while not self.unplugged.wait(1 / FRAMES_PER_SECOND):
                picture = self.pictures[turn % len(self.pictures)]
                head = (
                    f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\n"
                    f"Content-Length: {len(picture)}\r\n\r\n"
                )
                self.wfile.write(head.encode() + picture + b"\r\n")
                turn += 1
        except (ConnectionError, TimeoutError):
            self.close_connection = True  # the client went away: nothing to tell anyone
