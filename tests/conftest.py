"""The rules every test lives by: no real screen, home, key store or clock; no unexpected log
entry; no thread left behind.
"""

import logging
import os
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from itertools import count
from pathlib import Path

# Qt reads this when the application object is made; a missing or dead DISPLAY would abort Python.
if not os.environ.get("CAPTURE_TEST_XCB"):
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
# Child processes inherit it: no test ever meets the key store of the person who runs it.
os.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.null.Keyring"

import pytest
import structlog
from hypothesis import HealthCheck, settings
from structlog.typing import EventDict, WrappedLogger

from capture_app.clock import FixedClock
from capture_app.settings.log import ALLOWED_KEYS
from tests import waiting

# The machine of tests/devices has none of the peers, and is slow at reading about them.
pytest_plugins = [] if os.environ.get("CAPTURE_TEST_MACHINE") else ["tests.peers"]

# How fast an example runs says something of the machine alone.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

_THREADS_END_WITHIN_S = 15.0
_KEYS_OF_STRUCTLOG = {"exc_info", "stack_info", "positional_args"}
_LOUD = {"warning", "warn", "error", "critical", "exception", "fatal"}


class _LoudRecords(logging.Handler):
    """Notes down what the standard library's loggers say at WARNING and above."""

    def __init__(self, entries: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._entries = entries

    def emit(self, record: logging.LogRecord) -> None:
        self._entries.append(f"{record.levelname} {record.name}: {record.getMessage()}")


def _note_and_drop(entries: list[str]) -> Callable[[WrappedLogger, str, EventDict], EventDict]:
    def note(_logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
        if dropped := set(event) - ALLOWED_KEYS - _KEYS_OF_STRUCTLOG:
            entries.append(f"the log would drop {sorted(dropped)} of {event['event']!r}")
        if method in _LOUD:
            entries.append(f"{method.upper()} {event}")
        raise structlog.DropEvent

    return note


@pytest.fixture(scope="session")
def _homes(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Names a home folder per test; it is made by whoever writes there."""
    base = tmp_path_factory.mktemp("homes")
    runtime = base / "runtime"
    runtime.mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    numbers = count(1)
    return lambda: base / f"{next(numbers)}"


@pytest.fixture(autouse=True)
def home(_homes: Callable[[], Path], monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home for this test: neither settings nor data of the person who runs it are seen."""
    home = _homes()
    monkeypatch.setenv("HOME", str(home))
    for variable, folder in (
        ("XDG_CONFIG_HOME", ".config"),
        ("XDG_DATA_HOME", ".local/share"),
        ("XDG_STATE_HOME", ".local/state"),
        ("XDG_CACHE_HOME", ".cache"),
    ):
        monkeypatch.setenv(variable, str(home / folder))
    for variable in [name for name in os.environ if name.startswith("CAPTURE_APP_")]:
        monkeypatch.delenv(variable)
    return home


@pytest.fixture(autouse=True)
def _nothing_unexpected(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test that leaves a thread running or logs a warning it did not announce."""
    before = set(threading.enumerate())
    entries: list[str] = []
    root = logging.getLogger()
    handlers, level, raising = root.handlers[:], root.level, logging.raiseExceptions
    root.addHandler(_LoudRecords(entries))
    structlog.configure(processors=[_note_and_drop(entries)], cache_logger_on_first_use=False)
    yield
    left = [t for t in threading.enumerate() if t not in before and not _is_a_stranger(t)]
    for thread in left:
        thread.join(_THREADS_END_WITHIN_S)
    running = [t.name for t in left if t.is_alive()]
    # whatever the test put in place, by running a command for example
    for handler in set(root.handlers) - set(handlers):
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)
    logging.raiseExceptions = raising
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    expected = [
        str(text) for mark in request.node.iter_markers("expects_log") for text in mark.args
    ]
    unexpected = [e for e in entries if not any(text in e for text in expected)]
    missing = [text for text in expected if not any(text in e for e in entries)]
    assert not running, f"threads left running: {running}"
    assert not unexpected, "logged but not expected:\n" + "\n".join(unexpected)
    assert not missing, f"expected in the log but not there: {missing}"


def _is_a_stranger(thread: threading.Thread) -> bool:
    # A thread of Qt or of a C library, seen by Python when it called back: it has no end here.
    return isinstance(thread, threading._DummyThread)


@pytest.fixture
def clock() -> FixedClock:
    """A clock at a Tuesday morning in the summer time of Berlin; it moves by `advance` only."""
    return FixedClock(datetime(2024, 7, 2, 9, 30, tzinfo=timezone(timedelta(hours=2))))


@pytest.fixture
def eventually() -> waiting.Eventually:
    """`eventually(predicate, timeout=30)`: waits for what no event announces."""
    return waiting.eventually
