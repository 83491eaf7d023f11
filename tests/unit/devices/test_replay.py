"""The ring holds the device's own frames, of this exam alone, and little else."""

import sys
import tracemalloc
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from itertools import pairwise
from threading import Event

import pytest
from PIL import Image

from capture_app.clock import FixedClock
from capture_app.devices.replay import SEALED_AT_MOST_S, FilmFrame, Replay
from tests import sealing
from tests.filming import frame, jpeg
from tests.waiting import Eventually

MB = 1_000_000


def replay(clock: FixedClock, most_bytes: int = 256 * MB) -> Replay:
    ring = Replay(clock, most_bytes)
    ring.begin(clock.monotonic())
    return ring


def show(ring: Replay, clock: FixedClock, count: int, *, first: int = 0, data: int = 0) -> None:
    """That many frames at 30 a second."""
    for number in range(first, first + count):
        clock.advance(1 / 30)
        ring.see(frame(clock, number, data=jpeg(number, data) if data else b""))


def test_it_holds_ten_seconds_of_the_devices_own_bytes(clock: FixedClock) -> None:
    ring = replay(clock)
    show(ring, clock, 450)
    film = ring.film()
    assert ring.seconds == pytest.approx(10.0, abs=0.05)
    assert [one.jpeg for one in film] == [jpeg(n) for n in range(450 - len(film), 450)]
    assert not film[0].shape.is_coded_here


def test_at_its_cap_it_holds_less_and_says_how_much(clock: FixedClock) -> None:
    ring = replay(clock, 10 * MB)
    show(ring, clock, 300, data=50_000)
    assert ring.bytes_held <= 10 * MB
    assert ring.seconds == pytest.approx(199 / 30, abs=0.05)


def test_it_takes_the_bytes_of_its_frames_and_hardly_more(clock: FixedClock) -> None:
    ring = replay(clock)
    frames = [frame(clock, n, data=bytes(30_000)) for n in range(300)]
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    for one in frames:
        ring.see(one)
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    held = sum(sys.getsizeof(one.jpeg) for one in ring.film())
    assert after - before < 0.05 * held  # the bytes themselves were there: none is copied


def test_another_patient_finds_it_empty(clock: FixedClock) -> None:
    ring = replay(clock)
    show(ring, clock, 60)
    ring.begin(clock.monotonic())
    assert (ring.film(), ring.bytes_held) == ((), 0)
    show(ring, clock, 5, first=100)
    assert [one.jpeg for one in ring.film()] == [jpeg(n) for n in range(100, 105)]


def test_no_frame_that_may_be_from_before_the_exam_is_taken(clock: FixedClock) -> None:
    """Also one that comes late, long after the exam began."""
    ring = replay(clock)
    clock.advance(1.0)
    heard: list[FilmFrame] = []
    ring.follow(heard.append)
    ring.see(frame(clock, 1, before_s=1.2))
    ring.see(frame(clock, 2, before_s=0.9))
    assert [one.jpeg for one in ring.film()] == [jpeg(2)]
    assert [one.jpeg for one in heard] == [jpeg(2)]


def test_while_nobodys_exam_is_open_it_takes_nothing(clock: FixedClock) -> None:
    ring = Replay(clock, MB)
    ring.see(frame(clock, 1))
    ring.begin(clock.monotonic())
    show(ring, clock, 3)
    ring.end()
    show(ring, clock, 3)
    assert ring.film() == ()


def test_a_lock_seals_it(clock: FixedClock) -> None:
    ring = replay(clock)
    show(ring, clock, 30)
    ring.seal()
    show(ring, clock, 30, first=50)  # what is before the camera now is nobody's
    assert (ring.film(), ring.seconds) == ((), 0.0)
    ring.unseal(clock.monotonic())
    assert [one.jpeg for one in ring.film()] == [jpeg(n) for n in range(30)]
    show(ring, clock, 1, first=90)
    assert ring.film()[-1].jpeg == jpeg(90)


def test_a_seal_that_another_patients_exam_follows_opens_nothing(clock: FixedClock) -> None:
    ring = replay(clock)
    show(ring, clock, 30)
    ring.seal()
    ring.begin(clock.monotonic())
    assert ring.film() == ()
    ring.end()
    ring.unseal(clock.monotonic())
    show(ring, clock, 3)
    assert ring.film() == ()


def test_a_film_is_of_one_device_and_one_size(clock: FixedClock) -> None:
    ring = replay(clock)
    show(ring, clock, 10)
    clock.advance(0.03)
    ring.see(frame(clock, 20, rows=96))
    assert len(ring.film()) == 1
    ring.see(frame(clock, 21, rows=96, device=replace(sealing.CAMERA, device_id="other")))
    assert [one.device_id for one in ring.film()] == ["other"]


def test_a_clock_that_is_set_moves_no_frame(clock: FixedClock) -> None:
    ring = replay(clock)
    show(ring, clock, 3)
    clock.at -= timedelta(hours=1)
    show(ring, clock, 3, first=3)
    at = [one.exposed_at for one in ring.film()]
    assert [round(b - a, 3) for a, b in pairwise(at)] == [0.033] * 5


def test_pixels_are_coded_once_with_their_chroma_kept_wide(
    clock: FixedClock, eventually: Eventually
) -> None:
    ring = replay(clock)
    come = Event()
    ring.follow(lambda _frame: come.set())
    ring.see(frame(clock, 7, data=None))
    assert come.wait(10)
    (one,) = eventually(ring.film)
    assert one.shape.is_coded_here
    with Image.open(BytesIO(one.jpeg)) as made:
        assert made.format == "JPEG"
        assert one.jpeg[(at := one.jpeg.index(b"\xff\xc0")) + 11] == 0x21, at  # 4:2:2
        assert made.getpixel((3, 3)) == (7, 7, 7)


def test_who_follows_hears_each_frame_until_they_leave(clock: FixedClock) -> None:
    ring = replay(clock)
    heard: list[bytes] = []
    leave = ring.follow(lambda one: heard.append(one.jpeg))
    show(ring, clock, 3)
    leave()
    show(ring, clock, 3, first=3)
    assert heard == [jpeg(0), jpeg(1), jpeg(2)]


def test_a_seal_ends_after_ten_minutes_whether_the_camera_goes_on_or_not(
    clock: FixedClock,
) -> None:
    for goes_on in (True, False):
        ring = replay(clock)
        show(ring, clock, 30)
        ring.seal()
        clock.advance(SEALED_AT_MOST_S - 2.0)
        ring.seal()  # of a screen that is locked already: its time does not begin anew
        clock.advance(2.0)
        if goes_on:
            show(ring, clock, 1)
            assert ring.bytes_held == 0
        ring.unseal(clock.monotonic())
        assert ring.film() == ()


def test_it_says_whether_its_memory_ends_it(clock: FixedClock) -> None:
    ring = replay(clock, 10 * MB)
    show(ring, clock, 100, data=50_000)
    assert not ring.is_capped
    show(ring, clock, 150, data=50_000)
    assert ring.is_capped
    clock.advance(9.0)
    show(ring, clock, 300)
    assert not ring.is_capped


@pytest.mark.expects_log("film-frame-not-held")
def test_who_hears_of_it_and_fails_stops_no_live_image(clock: FixedClock) -> None:
    ring = replay(clock)

    def fail(_frame: FilmFrame) -> None:
        raise RuntimeError("a fault of ours")

    ring.follow(fail)
    show(ring, clock, 2)
    assert len(ring.film()) == 2


def test_it_can_begin_anew_within_an_exam_and_stays_sealed_meanwhile(clock: FixedClock) -> None:
    ring = replay(clock)
    show(ring, clock, 30)
    ring.restart(clock.monotonic())
    assert ring.film() == ()
    ring.see(frame(clock, 1, before_s=0.1))
    show(ring, clock, 2, first=50)
    assert [one.jpeg for one in ring.film()] == [jpeg(50), jpeg(51)]
    ring.seal()
    ring.restart(clock.monotonic())
    show(ring, clock, 2)
    ring.unseal(clock.monotonic())
    assert ring.film() == ()
    show(ring, clock, 1, first=60)
    assert len(ring.film()) == 1
