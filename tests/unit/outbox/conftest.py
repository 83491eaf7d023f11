from collections.abc import Iterator
from pathlib import Path

import pytest

from capture_app.clock import FixedClock
from capture_app.outbox.outbox import Outbox
from tests import outboxes


@pytest.fixture
def outbox(tmp_path: Path, clock: FixedClock) -> Iterator[Outbox]:
    """An outbox on an empty data folder, towards one archive named "pacs"."""
    outbox = outboxes.open_outbox(tmp_path, clock)
    yield outbox
    outboxes.close(outbox)
