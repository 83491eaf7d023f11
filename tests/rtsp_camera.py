"""A real RTSP camera on 127.0.0.1: GStreamer's own server, run by the system's Python.

Its bindings come with Debian and are on no package index: our interpreter does not have them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.peers import HOST, Program, free_port, new_folder, run_program

_PYTHON: Final = "/usr/bin/python3"
_SERVER: Final = """
import sys
import gi
gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer
Gst.init(None)
server = GstRtspServer.RTSPServer()
server.set_address(sys.argv[1])
server.set_service(sys.argv[2])
factory = GstRtspServer.RTSPMediaFactory()
factory.set_launch(sys.argv[3])
certificate, user, password = sys.argv[4:]
if certificate or user:
    auth = GstRtspServer.RTSPAuth()
    role = GstRtspServer.RTSPPermissions()
    role.add_permission_for_role("nurse", "media.factory.access", True)
    role.add_permission_for_role("nurse", "media.factory.construct", True)
    factory.set_permissions(role)
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "nurse")
    if user:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(user, password, token)
    else:
        auth.set_default_token(token)
    if certificate:
        key = certificate.removesuffix(".crt") + ".key"
        auth.set_tls_certificate(Gio.TlsCertificate.new_from_files(certificate, key))
    server.set_auth(auth)
server.get_mount_points().add_factory("/live", factory)
server.attach(None)
GLib.MainLoop().run()
"""
VIDEO: Final = (
    "videotestsrc is-live=true pattern=ball ! "
    "video/x-raw,format=I420,width=320,height=240,framerate=20/1 ! "
    "openh264enc gop-size=10 ! h264parse ! rtph264pay config-interval=1 name=pay0 pt=96"
)
"""A ball that moves, as H.264 over RTP (RFC 6184)."""


@dataclass(frozen=True, slots=True)
class RtspCamera:
    """Freeze, kill and restart it by its `program`; any number of clients may come."""

    program: Program
    url: str


@contextmanager
def run_rtsp_camera(
    pictures: Sequence[bytes] = (),
    *,
    per_second: int = 20,
    launch: str = VIDEO,
    certificate: Path | None = None,
    sign_in: tuple[str, str] = ("", ""),
) -> Iterator[RtspCamera]:
    """Serves the pictures in a loop as JPEG over RTP (RFC 2435), else what `launch` says.

    RFC 2435 carries neither Huffman tables nor comments: the pictures must use the tables of
    ITU-T T.81 Annex K, and arrive with headers that the receiver made. `certificate`: it speaks TLS
    alone; its key lies beside it. `sign_in`: the user and password that it asks for (Digest).
    """
    folder, port = new_folder("rtsp"), free_port()
    for number, picture in enumerate(pictures):
        (folder / f"{number}.jpg").write_bytes(picture)
    if pictures:
        source = f"multifilesrc location={folder}/%d.jpg start-index=0 loop=true"
        source += f' stop-index={len(pictures) - 1} caps="image/jpeg,framerate={per_second}/1"'
        launch = f"{source} ! jpegparse ! identity sync=true ! rtpjpegpay name=pay0"
    argv = [_PYTHON, "-c", _SERVER, HOST, str(port), f"( {launch} )"]
    argv += [str(certificate or ""), *sign_in]
    with run_program(argv, (port,), folder) as program:
        scheme = "rtsps" if certificate else "rtsp"
        yield RtspCamera(program, f"{scheme}://{HOST}:{port}/live")
