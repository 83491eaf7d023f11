"""When a second source agrees with the clock of this computer, and when it does no longer."""

import subprocess
import sys
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from capture_app import clock as clock_module
from capture_app.clock import AGREES_WITHIN_S, SystemClock


@dataclass(frozen=True, slots=True)
class Turned(SystemClock):
    """The clock of this computer, turned by hand."""

    by: dict[str, float] = field(default_factory=lambda: {"wall": 0.0, "own": 0.0})

    def now(self) -> datetime:
        return super(Turned, self).now() + timedelta(seconds=self.by["wall"])

    def monotonic(self) -> float:
        return super(Turned, self).monotonic() + self.by["own"]


@pytest.fixture
def turned(monkeypatch: pytest.MonkeyPatch) -> Turned:
    """On a computer without a time server."""
    monkeypatch.setattr(clock_module, "is_kept_by_the_system", lambda: False)
    return Turned()


def test_nobody_confirmed_it_yet(turned: Turned) -> None:
    assert not turned.is_confirmed()


@pytest.mark.parametrize("off", [0.0, AGREES_WITHIN_S / 2, -AGREES_WITHIN_S / 2])
def test_an_archive_that_says_the_same_time_confirms_it(turned: Turned, off: float) -> None:
    turned.heard(SystemClock().now() + timedelta(seconds=off))
    assert turned.is_confirmed()


@pytest.mark.parametrize("off", [AGREES_WITHIN_S * 2, -3600.0, 365 * 86_400.0])
def test_one_that_says_another_time_confirms_nothing(turned: Turned, off: float) -> None:
    turned.heard(SystemClock().now() + timedelta(seconds=off))
    assert not turned.is_confirmed()


def test_what_was_heard_is_worth_nothing_after_the_clock_was_set(turned: Turned) -> None:
    turned.heard(SystemClock().now())
    turned.by["wall"] += 86_400
    assert not turned.is_confirmed()


def test_what_was_heard_is_worth_nothing_after_an_hour(turned: Turned) -> None:
    turned.heard(SystemClock().now())
    turned.by["wall"] += 3000
    turned.by["own"] += 3000
    assert turned.is_confirmed()
    turned.by["wall"] += 1000
    turned.by["own"] += 1000
    assert not turned.is_confirmed()


def test_a_time_server_confirms_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock_module, "is_kept_by_the_system", lambda: True)
    assert SystemClock().is_confirmed()


def test_the_kernel_can_be_asked() -> None:
    assert clock_module.is_kept_by_the_system() in {True, False, None}


def test_every_process_knows_the_same_start_of_the_computer() -> None:
    asked = "from capture_app.clock import SystemClock; print(SystemClock().start())"
    other = subprocess.run(
        [sys.executable, "-c", asked], check=True, capture_output=True, text=True
    ).stdout
    assert other.strip() == SystemClock().start()
    assert SystemClock().start()
