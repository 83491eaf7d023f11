"""RTSP in pieces of any size: whole messages alone are handed on, and none that is too long."""

import pytest

from capture_app.devices.relay_rtsp import _Messages
from capture_app.devices.trouble import DeviceTroubleError, Trouble

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


def test_each_trouble_has_words_of_its_own() -> None:
    assert len({str(DeviceTroubleError(trouble)) for trouble in Trouble}) == len(Trouble)
