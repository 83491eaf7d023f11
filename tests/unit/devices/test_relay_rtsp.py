"""RTSP in pieces of any size: whole messages alone are handed on, and none that is too long."""

import socket

import pytest

from capture_app.clock import FixedClock
from capture_app.devices.network_camera import NetworkCamera, SignIn, no_password
from capture_app.devices.relay_rtsp import _Messages, _Talk
from capture_app.devices.trouble import DeviceTroubleError, Trouble
from capture_app.model.device import DeviceKind
from capture_app.net.deadline import Deadline, Interruption
from capture_app.net.wire import Wire
from capture_app.settings.schema import Device

ANSWER = b"RTSP/1.0 200 OK\r\nCSeq: 2\r\ncontent-length : 4\r\n\r\nv=0\n"
FRAME = b"$\x01\x00\x06\r\n\r\n$$"
SHORT = b"RTSP/1.0 200 OK\r\n\r\n"


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 1000])
def test_messages_and_frames_come_out_whole(size: int) -> None:
    sent = [ANSWER, FRAME, FRAME, SHORT, FRAME, ANSWER]
    data = b"".join(sent)
    messages = _Messages()
    taken: list[bytes] = []
    for begin in range(0, len(data), size):
        taken += messages.taken(data[begin : begin + size])
    assert taken == sent


@pytest.mark.parametrize(
    "endless", [b"x" * 20_000, b"RTSP/1.0 200 OK\r\nContent-Length: 999999\r\n\r\n"]
)
def test_what_has_no_end_is_not_kept(endless: bytes) -> None:
    with pytest.raises(DeviceTroubleError) as told:
        list(_Messages().taken(endless))
    assert told.value.trouble is Trouble.NO_PICTURES


@pytest.mark.parametrize("method", ["SET_PARAMETER", "RECORD", "ANNOUNCE", "GET", "PLAYED", ""])
def test_a_child_asks_no_camera_for_more_than_its_pictures(method: str, clock: FixedClock) -> None:
    ours, theirs = socket.socketpair()
    device = Device("net", "Camera", DeviceKind.STREAM, "rtsp://camera.example/live")
    camera = NetworkCamera.of(device)
    address = "rtsp://127.0.0.1:5000/secret"
    with ours, theirs:
        theirs.settimeout(20)
        wire = Wire(ours, "Camera", Deadline.after(clock, 20), Interruption())
        sign_in = SignIn(camera, device, no_password)
        talk = _Talk(camera, sign_in, wire, address, lambda _trouble: None)
        talk.ask(f"PLAY {address} RTSP/1.0\r\n\r\n".encode())
        assert theirs.recv(100) == b"PLAY rtsp://camera.example/live RTSP/1.0\r\n\r\n"
        with pytest.raises(DeviceTroubleError):
            talk.ask(f"{method} {address} RTSP/1.0\r\n\r\n".encode())
        ours.close()
        assert theirs.recv(100) == b"", "nothing of it reached the camera"


def test_each_trouble_has_words_of_its_own() -> None:
    assert len({str(DeviceTroubleError(trouble)) for trouble in Trouble}) == len(Trouble)
