from collections.abc import Iterator
from pathlib import Path

import pytest

from capture_app.clock import FixedClock
from capture_app.patients.census.census import Census, open_census
from capture_app.settings.feeds import AdtFeed
from capture_app.settings.schema import Settings
from capture_app.store.cipher import Cipher
from tests.unit.patients.feeding import CIPHER, FEED, Opener


@pytest.fixture
def opened(tmp_path: Path, clock: FixedClock) -> Iterator[Opener]:
    """Opens the census of one data folder as another process would."""
    made: list[Census] = []

    def open_one(feed: AdtFeed | None = FEED, cipher: Cipher = CIPHER) -> Census:
        settings = Settings(data_dir=tmp_path, adt=feed)
        made.append(open_census(tmp_path, cipher, clock, settings))
        return made[-1]

    yield open_one
    for census in made:
        census.close()
