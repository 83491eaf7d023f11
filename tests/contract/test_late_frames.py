"""A network camera stalls and catches up while another patient's exam begins: real sockets."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import cv2
import numpy as np

from capture_app.clock import SystemClock
from capture_app.devices.capture import CaptureThread
from capture_app.devices.opening import open_source
from capture_app.errors import DeviceError
from capture_app.model.device import DeviceKind
from capture_app.settings.schema import Device

CLOCK = SystemClock()
INTERVAL_S = 0.04
STALL_FROM, STALL_TO, LAST = 60, 90, 190
Until = Callable[..., object]


def picture(number: int) -> bytes:
    """Its number is its grey value, in steps that JPEG keeps apart."""
    grey = np.full((240, 320, 3), number, np.uint8)
    return bytes(cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, 100])[1].tobytes())


class StallingCamera:
    """Multipart JPEG; from STALL_FROM to STALL_TO its buffer fills, and then all comes at once."""

    def __init__(self) -> None:
        self.exposed: dict[int, float] = {}
        self.stalled = threading.Event()
        self._ended = threading.Event()
        self._server = socket.create_server(("127.0.0.1", 0))
        self._server.settimeout(60)
        self._thread = threading.Thread(target=self._serve, name="stalling-camera")
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}/"

    @contextmanager
    def running(self) -> Iterator["StallingCamera"]:
        self._thread.start()
        try:
            yield self
        finally:
            self._ended.set()
            self._thread.join()
            self._server.close()

    def _serve(self) -> None:
        number = 0
        while number < LAST and not self._ended.is_set():
            try:
                peer, _ = self._server.accept()
            except TimeoutError:
                return
            with peer:
                number = self._send(peer, number)

    def _send(self, peer: socket.socket, number: int) -> int:
        peer.recv(4096)
        peer.sendall(
            b"HTTP/1.0 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=f\r\n\r\n"
        )
        held: list[bytes] = []
        while number < LAST and not self._ended.wait(INTERVAL_S):
            number += 1
            self.exposed[number] = CLOCK.monotonic()
            data = picture(number)
            head = b"--f\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(data)
            held.append(head + data + b"\r\n")
            if STALL_FROM <= number < STALL_TO:
                if number == (STALL_FROM + STALL_TO) // 2:
                    self.stalled.set()
                continue
            try:
                peer.sendall(b"".join(held))
            except OSError:
                return number
            held = []
        return number


def test_what_was_exposed_before_the_exam_is_never_taken_for_its_own(eventually: Until) -> None:
    with StallingCamera().running() as camera:
        device = Device("net", "Network camera", DeviceKind.STREAM, camera.url)
        capture = CaptureThread(open_source(device, CLOCK), CLOCK)
        capture.start()
        try:
            assert camera.stalled.wait(60)
            began = CLOCK.monotonic()  # the exam of another patient
            accepted: list[int] = []

            def look() -> bool:
                try:
                    frame = capture.take()
                except DeviceError:
                    return False
                if frame.not_before >= began:
                    accepted.append(round(float(frame.pixels[120, 160, 0])))
                return len(set(accepted)) >= 5

            eventually(look)
        finally:
            assert capture.stop(within=5.0)
    assert all(camera.exposed[number] >= began for number in accepted)


def test_an_exam_that_begins_before_the_pace_is_known_gets_pictures_of_its_own_at_once(
    eventually: Until,
) -> None:
    with StallingCamera().running() as camera:
        device = Device("net", "Network camera", DeviceKind.STREAM, camera.url)
        capture = CaptureThread(open_source(device, CLOCK), CLOCK)
        capture.start()
        try:
            eventually(capture.latest)
            began = CLOCK.monotonic()
            capture.renew()
            eventually(lambda: (frame := capture.latest()) and frame.not_before >= began)
            assert not camera.stalled.is_set()  # so it was not the pace that told
        finally:
            assert capture.stop(within=5.0)
