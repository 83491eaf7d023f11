"""The window goes on while the archive hangs: a timer of 10 ms sees no gap over 100 ms, beyond what
the machine puts any thread aside for.
"""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from capture_app.archive.connect import connect
from capture_app.archive.held_copy import read_held_copy
from capture_app.clock import FixedClock, SystemClock
from capture_app.model.delivery import ImageState
from capture_app.outbox.delivery.engine import Engine
from capture_app.outbox.status import StatusFilter
from capture_app.settings.schema import ArchiveDestination, Station
from capture_app.store.role import EngineRole
from tests import outboxes
from tests.peers import HOST, Orthanc
from tests.ui.conftest import Desk
from tests.ui.hands import Hands, at_work, clinic
from tests.ui.stage import Stage

REAL = SystemClock()
LONGEST_GAP_S = 0.1
WATCHED_S = 2.0
TRIES = 3
"""A busy machine may put the window alone aside for a while; one that hangs does so each time."""


@pytest.fixture
def stage(tmp_path: Path, clock: FixedClock) -> Iterator[Stage]:
    with clinic(tmp_path / "station", clock) as opened:
        yield opened


@pytest.fixture
def hands(desk: Desk, stage: Stage, qtbot: QtBot, clock: FixedClock) -> Iterator[Hands]:
    desk.sign_in()
    with at_work(desk.window, stage, qtbot, clock) as hands:
        yield hands


class Heartbeat:
    """The longest time for which the event loop did not come round."""

    def __init__(self) -> None:
        self.longest = 0.0
        self.beats = 0
        self._last = REAL.monotonic()
        self._timer = QTimer()
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.setInterval(10)
        self._timer.timeout.connect(self._beat)
        self._timer.start()

    def _beat(self) -> None:
        now = REAL.monotonic()
        self.longest = max(self.longest, now - self._last)
        self._last = now
        self.beats += 1

    def begin(self) -> None:
        self.longest, self.beats, self._last = 0.0, 0, REAL.monotonic()

    def stop(self) -> None:
        self._timer.stop()


class Pace:
    """The longest time for which the machine put a thread aside that has nothing to do."""

    def __init__(self) -> None:
        self.longest = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pace")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        last = REAL.monotonic()
        while not self._ended.wait(0.01):
            now = REAL.monotonic()
            self.longest, last = max(self.longest, now - last), now


def test_the_window_goes_on_while_the_archive_hangs(
    hands: Hands, stage: Stage, fresh_orthanc: Orthanc, qtbot: QtBot
) -> None:
    destination = ArchiveDestination(
        name=outboxes.PACS,
        host=HOST,
        port=fresh_orthanc.dicom_port,
        ae_title=fresh_orthanc.aet,
        url=fresh_orthanc.dicomweb,
        user="rig",
        password_key="rig",
        deadline_seconds=120.0,
    )
    archive = connect(
        destination,
        Station(),
        listener=None,
        clock=REAL,
        password=lambda _name: "rigpass",
        read_copy=read_held_copy,
    )
    role = EngineRole(stage.folder / "engine.lock")
    engine = Engine(stage.outbox, [archive], REAL, role=role)
    hands.scan("0012345678")
    hands.key(Qt.Key.Key_2)
    hands.tap("front.shin.L")
    hands.pedal()
    hands.send()
    qtbot.waitUntil(lambda: stage.outbox.counts().held == 1)
    fresh_orthanc.program.freeze()
    heart = Heartbeat()
    try:
        engine.start()
        held = stage.outbox.statuses(StatusFilter(states=frozenset({ImageState.HELD})))
        stage.outbox.release(
            [status.sop_instance_uid for status in held], hands.page.viewmodel.exam.operator
        )
        qtbot.waitUntil(lambda: stage.outbox.counts().sending == 1)
        gaps = []
        for _ in range(TRIES):
            with Pace() as pace:
                heart.begin()
                work_for(WATCHED_S, hands)
            gaps.append(heart.longest - pace.longest)
            assert heart.beats > 1  # it was looked at; how often is the machine's affair
            if gaps[-1] <= LONGEST_GAP_S:
                break
        print(
            f"\nlongest gaps beyond the machine's: {', '.join(f'{g * 1000:.0f} ms' for g in gaps)}"
        )
        assert min(gaps) <= LONGEST_GAP_S
        assert stage.outbox.counts().sending == 1  # it hung all the while
        fresh_orthanc.program.thaw()
        qtbot.waitUntil(lambda: stage.outbox.counts().confirmed_today == 1)
    finally:
        heart.stop()
        fresh_orthanc.program.thaw()
        engine.stop()


def work_for(seconds: float, hands: Hands) -> None:
    """Pictures, choices and the live image, as on any day."""
    until = REAL.monotonic() + seconds
    digits = [Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_3]
    turn = 0
    while REAL.monotonic() < until:
        hands.key(digits[turn % 3])
        hands.shot(Qt.Key.Key_F13)
        turn += 1
        QApplication.processEvents()
