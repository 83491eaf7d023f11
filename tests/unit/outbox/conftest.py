from collections.abc import Iterator
from pathlib import Path

import pytest

from capture_app.clock import FixedClock
from capture_app.outbox.outbox import Outbox
from tests import outboxes
from tests.outboxes import DirectoryArchive
from tests.unit.outbox.rig import Rig
from tests.waiting import Eventually


@pytest.fixture
def outbox(tmp_path: Path, clock: FixedClock) -> Iterator[Outbox]:
    """An outbox on an empty data folder, towards one archive named "pacs"."""
    outbox = outboxes.open_outbox(tmp_path, clock)
    yield outbox
    outboxes.close(outbox)


@pytest.fixture
def rig(outbox: Outbox, tmp_path: Path, clock: FixedClock, eventually: Eventually) -> Iterator[Rig]:
    rig = Rig(tmp_path, clock, eventually, outbox, DirectoryArchive(tmp_path / "archive"))
    yield rig
    for engine in rig.engines:
        assert engine.stop()
