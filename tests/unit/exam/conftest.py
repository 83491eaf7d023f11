from collections.abc import Iterator
from pathlib import Path

import pytest

from capture_app.clock import FixedClock
from capture_app.exam.session import ExamService
from capture_app.imaging import surgery
from capture_app.outbox.outbox import Outbox
from tests import outboxes, sealing
from tests.unit.exam.examining import FEED


@pytest.fixture
def outbox(tmp_path: Path, clock: FixedClock) -> Iterator[Outbox]:
    outbox = outboxes.open_outbox(tmp_path, clock)
    yield outbox
    outboxes.close(outbox)


@pytest.fixture
def exams(outbox: Outbox, clock: FixedClock) -> ExamService:
    return ExamService(
        outbox, sealing.catalog(), clock, sealing.STATION, FEED.get_now, FEED.get_orders, surgery
    )


@pytest.fixture(autouse=True)
def _new_feed() -> Iterator[None]:
    yield
    FEED.people.clear()
    FEED.orders_of_others = frozenset()
