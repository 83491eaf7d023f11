"""The child of a camera is killed, stopped, blocked and late: the window's side stays as it was."""

import os
import signal
import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path

import pytest

from capture_app.clock import SystemClock
from capture_app.devices.capture import CaptureThread, Live
from capture_app.devices.child_source import ChildSource
from capture_app.devices.opening import device_info, open_here
from capture_app.errors import DeviceError
from capture_app.model.device import DeviceKind
from capture_app.sandbox.child import Child
from capture_app.sandbox.task import Block, ChildAnswer
from capture_app.settings.schema import Device
from tests import sealing
from tests.faults.test_sandbox import HOSTILE, has_gone
from tests.peers import run_mjpeg_server
from tests.waiting import Eventually

CLOCK = SystemClock()


def source_of(address: str, kind: DeviceKind = DeviceKind.STREAM) -> ChildSource:
    device = Device("net", "Network camera", kind, address)
    return ChildSource(device_info(device), device, CLOCK)


@contextmanager
def reading(source: ChildSource) -> Iterator[CaptureThread]:
    capture = CaptureThread(source, CLOCK)
    capture.start()
    try:
        yield capture
    finally:
        assert capture.stop(within=3.0)


def pid_of(source: ChildSource) -> int:
    process = source._child._process
    assert process is not None
    return process.pid


@pytest.mark.expects_log("child-ended")
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP])
def test_a_child_that_dies_is_told_within_a_second_and_begun_anew(
    how: signal.Signals, eventually: Eventually
) -> None:
    with run_mjpeg_server([sealing.jpeg(480, 640)]) as camera:
        source = source_of(camera.url)
        with reading(source) as capture:
            eventually(capture.latest)
            before = capture.take()
            pid = pid_of(source)
            os.kill(pid, how)
            began = CLOCK.monotonic()
            eventually(lambda: capture.state.live is Live.LOST)
            assert CLOCK.monotonic() - began < 2.0
            assert capture.latest() is None
            camera.program.kill()  # it serves one connection in its life
            camera.program.start()
            eventually(lambda: capture.state.live is Live.LIVE)
            assert capture.take().sequence > before.sequence, "the numbers go on"
        assert has_gone(pid)


def test_one_that_is_blocked_by_its_device_does_not_keep_us(eventually: Eventually) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        source = source_of(f"http://127.0.0.1:{silent.getsockname()[1]}/live")
        capture = CaptureThread(source, CLOCK)
        capture.start()
        silent.settimeout(60)
        peer, _ = silent.accept()  # it waits for an answer now, for up to five seconds
        with peer:
            pid = pid_of(source)
            began = CLOCK.monotonic()
            assert capture.stop(within=3.0)
            assert CLOCK.monotonic() - began < 2.0
            assert has_gone(pid)


def test_one_that_is_closed_as_it_starts_is_ended_at_once(eventually: Eventually) -> None:
    source = source_of("http://127.0.0.1:9/")
    capture = CaptureThread(source, CLOCK)
    capture.start()
    eventually(lambda: source._child._process is not None)
    pid = pid_of(source)
    began = CLOCK.monotonic()
    assert capture.stop(within=3.0)
    assert CLOCK.monotonic() - began < 1.5
    assert has_gone(pid)


def test_a_closed_source_leaves_no_child_and_gives_no_more_frames() -> None:
    with run_mjpeg_server([sealing.jpeg(480, 640)]) as camera:
        source = source_of(camera.url)
        assert len(list(islice(source.frames(), 2))) == 2
        pid = pid_of(source)
        source.close()
        assert has_gone(pid)
        assert list(source.frames()) == []


def test_a_camera_of_the_network_reads_no_file(tmp_path: Path) -> None:
    film = tmp_path / "0.jpg"
    film.write_bytes(sealing.jpeg(480, 640))
    with closing(source_of(str(film))) as source, pytest.raises(DeviceError, match="not answer"):
        next(source.frames())
    with closing(source_of(str(film), DeviceKind.FILE)) as source:
        assert next(source.frames()).jpeg == film.read_bytes()


@pytest.mark.expects_log("child-ended")
def test_a_child_that_fails_is_told_in_words() -> None:
    source = source_of("http://127.0.0.1:9/")
    source._child = Child(source._child.task, CLOCK, command=HOSTILE)  # it knows no such task
    with closing(source), pytest.raises(DeviceError, match="does not start"):
        next(source.frames())


# --------------------------------------------------------------------------- what it may say


def answer(**said: object) -> ChildAnswer:
    now = CLOCK.monotonic()
    times = {"exposed_at": now, "not_before": now, "late": 0.0, "sent_at": now, "pace": None}
    return ChildAnswer(
        {**times, "pixel_aspect": [1, 1], **said}, (Block("pixels", bytes(12), (2, 2, 3)),)
    )


def test_its_times_are_of_the_reading_and_what_the_way_took_is_lateness() -> None:
    with closing(source_of("http://127.0.0.1:9/")) as source:
        now = CLOCK.monotonic()
        frame = source._frame(
            answer(exposed_at=now - 5, not_before=now - 6, late=0.5, sent_at=now - 2)
        )
        age = (CLOCK.now() - frame.taken_at).total_seconds()
    assert age == pytest.approx(5, abs=0.5)
    assert frame.not_before == now - 6
    assert frame.late == pytest.approx(2.5, abs=0.5)
    assert not frame.pixels.flags.writeable


def test_what_was_learnt_of_a_device_is_told_to_a_new_child() -> None:
    with closing(source_of("http://127.0.0.1:9/")) as source:
        assert source._question("http://127.0.0.1:9/")["pace"] is None
        source._frame(answer(pace=0.04))
        assert source._question("http://127.0.0.1:9/")["pace"] == 0.04
    device = Device("net", "Network camera", DeviceKind.STREAM, "http://127.0.0.1:9/")
    assert open_here(device, CLOCK, pace=0.04).pace == 0.04


@pytest.mark.parametrize(
    "said",
    [
        *({name: 1e12} for name in ("exposed_at", "not_before", "sent_at")),
        *({name: None} for name in ("exposed_at", "not_before", "late", "sent_at", "pixel_aspect")),
        *({"pixel_aspect": said} for said in ([0, 1], [1, -1], [1], "1:1", [1, 1 << 20], [1, 0.5])),
        *({"late": value} for value in (-1, "0", True, [0])),
        {"pace": "fast"},
    ],
    ids=str,
)
def test_times_that_cannot_be_are_no_frame(said: dict[str, object]) -> None:
    with (
        closing(source_of("http://127.0.0.1:9/")) as source,
        pytest.raises(DeviceError, match="not expected"),
    ):
        source._frame(answer(**said))
