"""A camera on 127.0.0.1 that speaks HTTP or HTTPS, and does right or wrong by its path."""

import hashlib
import re
import ssl
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from tests.peers import HOST

USER, PASSWORD = "nurse", "geheim77ä"
NONCE = "dcd98b7102dd2f0e8b11d0f600bfb0c0"


class HttpCamera:
    """`asked`: method, path and Authorization of every request that reached it."""

    def __init__(self, pictures: Sequence[bytes], certificate: Path | None) -> None:
        self.pictures = pictures
        self.asked: list[tuple[str, str, str]] = []
        self.ended = threading.Event()
        self.elsewhere = ""
        handler = type("Handler", (_Handler,), {"camera": self})
        self.server = _Server((HOST, 0), handler)
        scheme = "http"
        if certificate is not None:
            scheme = "https"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, certificate.with_suffix(".key"))
            self.server.socket = context.wrap_socket(
                self.server.socket, server_side=True, do_handshake_on_connect=False
            )
        self.root = f"{scheme}://{HOST}:{self.server.server_address[1]}"

    def paths(self) -> list[str]:
        return [path for _, path, _ in self.asked]


@contextmanager
def run_http_camera(
    pictures: Sequence[bytes], certificate: Path | None = None
) -> Iterator[HttpCamera]:
    """Speaks TLS where a certificate is given, whose key lies beside it."""
    camera = HttpCamera(pictures, certificate)
    thread = threading.Thread(target=camera.server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield camera
    finally:
        camera.ended.set()
        camera.server.shutdown()
        thread.join()
        camera.server.server_close()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Who distrusts it hangs up: nothing to tell."""


class _Handler(BaseHTTPRequestHandler):
    camera: HttpCamera
    timeout: ClassVar[float | None] = 10.0

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Says nothing."""

    def do_GET(self) -> None:  # noqa: C901 - one case for each thing that a camera may do
        camera = self.camera
        asked = self.headers.get("Authorization", "")
        camera.asked.append((self.command, self.path, asked))
        with suppress(OSError):
            match self.path.partition("?")[0][1:]:
                case "live" | "live.ts":
                    self._live()
                case "picture" | "slow-picture":
                    camera.ended.wait(1.0 if self.path == "/slow-picture" else 0)
                    turn = len(camera.asked)
                    self._answer(200, "image/jpeg", camera.pictures[turn % len(camera.pictures)])
                case "digest" | "digest-old":
                    self._digest(asked)
                case "basic":
                    self._challenge('Basic realm="Camera"')
                case "basic-live":
                    if asked:
                        self._live()
                    else:
                        self._challenge('Basic realm="Camera"')
                case "moved":
                    self.send_response(302)
                    self.send_header("Location", f"{camera.elsewhere}/live")
                    self.end_headers()
                case "page":
                    self._answer(200, "text/html; charset=utf-8", b"<html>Sign in</html>")
                case "page-in-disguise":
                    page = b"\r\n<!DOCTYPE html><p>Sign in</p>"
                    self._answer(200, "application/octet-stream", page)
                case "list" | "list.m3u8":
                    self._answer(200, "application/vnd.apple.mpegurl", self._list())
                case "list-in-disguise":
                    self._answer(200, "application/octet-stream", self._list())
                case "no-boundary":
                    self._answer(200, "multipart/x-mixed-replace; boundary=f", b"\xff\xd8" * 40_000)
                case "error" | "forbidden" | "gone":
                    codes = {"error": 500, "forbidden": 403, "gone": 404}
                    self._answer(codes[self.path[1:]], "text/html", b"<html>no</html>")
                case unknown:
                    raise AssertionError(unknown)

    def _list(self) -> bytes:
        begin = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n"
        return f"{begin}{self.camera.elsewhere}/live.ts\n#EXT-X-ENDLIST\n".encode()

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _challenge(self, challenge: str) -> None:
        self.send_response(401)
        self.send_header("WWW-Authenticate", challenge)
        self.end_headers()

    def _digest(self, asked: str) -> None:
        """RFC 7616 section 3.4.1 as a server computes it."""
        said = dict(re.findall(r'(\w+)="?([^",]+)', asked))
        qop = "" if self.path.startswith("/digest-old") else 'qop="auth,auth-int", '

        def md5(text: str) -> str:
            return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

        mine, request = md5(f"{USER}:Camera, 2:{PASSWORD}"), md5(f"GET:{self.path}")
        middle = f"{said.get('nc')}:{said.get('cnonce')}:auth:" if qop else ""
        if said.get("response") == md5(f"{mine}:{NONCE}:{middle}{request}"):
            self._live()
        else:
            self._challenge(f'Basic realm="Camera", Digest realm="Camera, 2", {qop}nonce="{NONCE}"')

    def _live(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=--f")
        self.end_headers()
        turn = 0
        while not self.camera.ended.wait(0.08):
            picture = self.camera.pictures[turn % len(self.camera.pictures)]
            head = f"--f\r\nContent-Type: image/jpeg\r\nContent-Length: {len(picture)}\r\n\r\n"
            self.wfile.write(head.encode() + picture + b"\r\n")
            turn += 1
