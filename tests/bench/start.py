"""From the start of the application to a list that can be used, against a bare window of Qt."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean

from capture_app.bootstrap import open_rooms
from capture_app.model.device import DeviceKind
from capture_app.patients.sources.adt.receiver import AdtReceiver
from capture_app.security.pins import PinCost, PinHasher
from capture_app.security.users import FIRST_ROLES
from capture_app.settings.describe import settings_toml
from capture_app.settings.feeds import AdtFeed
from capture_app.settings.schema import ArchiveDestination, Device, KeyStore, Security, Settings
from capture_app.store.cipher import Cipher
from tests import sealing
from tests.bench.feed import admission
from tests.bench.measures import Measure, seconds, slower_than
from tests.bench.watched_window import PIN
from tests.bench.workshop import Workshop
from tests.peers import HOST, free_port, run_xvfb

_PATIENTS = 500
_TIMES = 3  # a round is the mean of so many
_LONGEST_S = 60.0


def measure(shop: Workshop) -> Iterator[Measure]:
    """Both on the same X server. Ours is the whole command: feeds, delivery, camera, the lock."""
    settings_file = _station(shop)
    locks, lists, bares, others = [], [], [], []
    with run_xvfb() as screen:
        environment = _environment(shop.room("home"), screen.display)
        bare = ["tests.bench.bare_window"]
        ours = ["tests.bench.watched_desktop", "--settings", str(settings_file)]
        _opened(bare, environment)
        _opened(ours, environment)
        for _ in range(shop.rounds):
            pairs = [
                (_opened(bare, environment), _opened(ours, environment)) for _ in range(_TIMES)
            ]
            bares.append(fmean(theirs["painted"] for theirs, _ in pairs))
            locks.append(fmean(moments["lock"] for _, moments in pairs))
            lists.append(fmean(moments["painted"] for _, moments in pairs))
            others.append(lists[-1] - fmean(seconds(_guess) for _ in range(_TIMES)))
    peer = "a bare PySide6 window"
    usable = f"Start to a usable list of {_PATIENTS} patients"
    yield slower_than(f"{usable}, without the hash of the PIN", others, peer, bares, at_most=6)
    yield slower_than(f"{usable}, PIN included", lists, peer, bares)
    yield slower_than("Start to the lock, ready for the PIN", locks, peer, bares)


def _station(shop: Workshop) -> Path:
    """A data folder with a user and a census, and the settings for it."""
    room = shop.room("start")
    picture = room / "live.jpg"
    picture.write_bytes(sealing.jpeg(720, 1280))
    settings = Settings(
        room / "data",
        station=sealing.STATION,
        institution=sealing.INSTITUTION,
        adt=AdtFeed(host=HOST, port=free_port(), assigning_authority="HOSP"),
        archives=(
            ArchiveDestination(name="nowhere", host=HOST, port=free_port(), ae_title="NOWHERE"),
        ),
        devices=(Device("camera", "Camera", DeviceKind.FILE, str(picture)),),
        security=Security(key_store=KeyStore.FILE, key_file=str(room / "key")),
    )
    with open_rooms(settings, shop.clock) as rooms:
        rooms.users.add("aokafor", "A. Okafor", FIRST_ROLES, PIN, None)
        assert settings.adt is not None
        receiver = AdtReceiver(rooms.census, settings.adt, shop.clock)
        for number in range(_PATIENTS):
            assert b"MSA|AA" in receiver.handle(admission(100_001 + number))
    path = room / "settings.toml"
    path.write_text(settings_toml(settings), encoding="utf-8")
    return path


def _guess() -> None:
    """What checking one PIN costs on purpose."""
    PinHasher(Cipher(bytes(32)), PinCost()).make("aokafor", PIN)


def _environment(home: Path, display: str) -> dict[str, str]:
    """No settings of the person who measures, and a real window."""
    folders = {f"XDG_{kind}_HOME": str(home / kind) for kind in ("CONFIG", "DATA", "STATE")}
    dropped = ("CAPTURE_APP", "PYTHONDONTWRITEBYTECODE")  # an installed program is compiled
    kept = {name: value for name, value in os.environ.items() if not name.startswith(dropped)}
    return kept | folders | {"HOME": str(home), "DISPLAY": display, "QT_QPA_PLATFORM": "xcb"}


def _opened(argv: list[str], environment: dict[str, str]) -> dict[str, float]:
    """Seconds from the start of the process to each of its moments."""
    begun = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", *argv],
        check=False,
        capture_output=True,
        text=True,
        env=environment,
        timeout=_LONGEST_S,
    )
    assert done.returncode == 0, done.stderr
    pairs = (line.split() for line in done.stdout.splitlines())
    return {name: float(moment) - begun for name, moment in pairs}
