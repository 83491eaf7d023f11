"""Streams that nobody should send: each ends in pictures or in words, in the child alone."""

import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from itertools import islice
from random import Random
from threading import Thread

import pytest

from capture_app.clock import SystemClock
from capture_app.devices.child_source import ChildSource
from capture_app.devices.opening import device_info
from capture_app.errors import DeviceError
from capture_app.model.device import DeviceKind
from capture_app.net.listener import Caller, Listener
from capture_app.settings.schema import Device
from tests.draws import PATIENCE_S, drawn
from tests.fuzz.spoiling import MAY_GROW_BY, Growth, only_children_end, spoilt
from tests.fuzz.test_hostile_pictures import JPEGS
from tests.sealing import jpeg

HOST = "127.0.0.1"
CLOCK = SystemClock()
STREAMS = drawn(10, whole=100)
ENDS_WITHIN_S = 90
PICTURES = 6
FILMS = {
    "video/mp2t": ("mpeg2video", "mpegts"),
    "video/x-flv": ("flv1", "flv"),
    "video/x-matroska": ("mpeg4", "matroska"),
    "video/webm": ("libvpx", "webm"),
    "video/h264": ("libx264", "h264"),
}


@cache
def film(codec: str, container: str) -> bytes:
    """A good film of two seconds, by FFmpeg itself."""
    source = ["-f", "lavfi", "-i", "testsrc=size=160x120:rate=10:duration=2"]
    command = ["ffmpeg", "-v", "error", *source, "-c:v", codec, "-f", container, "-"]
    return subprocess.run(command, check=True, capture_output=True, timeout=60).stdout


def parts(pictures: list[bytes]) -> bytes:
    head = b"--f\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n"
    return b"".join(head % len(one) + one + b"\r\n" for one in pictures)


def multipart(chance: Random) -> tuple[str, bytes]:
    """Good pictures and hostile ones, their frame now and then spoilt as well."""
    pictures = [chance.choice(JPEGS)(chance) for _ in range(2)] + [jpeg()] * 4
    chance.shuffle(pictures)
    body = parts(pictures)
    return "multipart/x-mixed-replace; boundary=f", (
        spoilt(chance, body) if chance.random() < 0.3 else body
    )


def spoilt_film(chance: Random) -> tuple[str, bytes]:
    kind = chance.choice(list(FILMS))
    content = film(*FILMS[kind])
    for _ in range(chance.randrange(1, 20)):
        content = spoilt(chance, content)
    return chance.choice((kind, "application/octet-stream")), content


def noise(chance: Random) -> tuple[str, bytes]:
    kind = chance.choice((*FILMS, "multipart/x-mixed-replace; boundary=f", ""))
    return kind, b"--f\r\n" * chance.randrange(2) + chance.randbytes(200_000)


class Stage:
    """A camera that plays what it is given, and hangs up."""

    def __init__(self) -> None:
        self.plays: tuple[str, bytes] = ("", b"")
        self.listener = Listener(HOST, 0, self._serve, name="hostile-camera", clock=CLOCK)

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self.listener.port}/live"

    def _serve(self, caller: Caller) -> None:
        caller.sock.settimeout(ENDS_WITHIN_S)
        caller.sock.recv(65_536)
        kind, body = self.plays
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nConnection: close\r\n\r\n"
        caller.sock.sendall(head.encode() + body)


@contextmanager
def stage() -> Iterator[Stage]:
    playing = Stage()
    playing.listener.start()
    try:
        yield playing
    finally:
        playing.listener.stop()


def watched(source: ChildSource) -> int:
    """How many pictures came of the stream until it ended; whatever it is, it ends."""
    came: list[int] = []
    said: list[str] = []

    def watch() -> None:
        try:
            with closing(source.frames()) as frames:  # type: ignore[type-var]
                for frame in islice(frames, PICTURES):
                    assert frame.pixels.shape[2] == 3
                    came.append(frame.sequence)
        except DeviceError as error:
            said.append(str(error))

    watching = Thread(target=watch, daemon=True)
    watching.start()
    watching.join(ENDS_WITHIN_S)
    assert not watching.is_alive(), "it never ends"
    assert all(said)
    return len(came)


@pytest.mark.timeout(PATIENCE_S)
@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_each_ends_in_pictures_or_in_words() -> None:
    chance, growth, shown = Random(20_261_128), Growth(), 0
    with only_children_end(), stage() as camera:
        device = Device("net", "Network camera", DeviceKind.STREAM, camera.address)
        source = ChildSource(device_info(device), device, CLOCK)
        with closing(source):
            for number in range(STREAMS):
                kind = (multipart, spoilt_film, multipart, spoilt_film, noise)[number % 5]
                camera.plays = kind(chance)
                shown += watched(source)
                growth.look()
            camera.plays = ("multipart/x-mixed-replace; boundary=f", parts([jpeg()] * 9))
            assert watched(source) >= 1, "a good one is shown as if nothing had been"
    assert growth.most <= MAY_GROW_BY, f"grew by {growth.most >> 20} MiB"
    assert shown > 0
    print(f"{STREAMS} streams, {shown} pictures, +{growth.most >> 20} MiB")
