"""Whether a window can be opened, found out on real and on dead displays."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from capture_app.cli import display
from tests.peers import Xvfb, run_xvfb


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[Xvfb]:
    """An X server, and an environment that names it."""
    monkeypatch.delenv("QT_QPA_PLATFORM")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    with run_xvfb() as screen:
        monkeypatch.setenv("DISPLAY", screen.display)
        yield screen


def test_a_screen_that_answers(screen: Xvfb) -> None:
    assert display.has_display()


def test_a_display_that_is_dead_or_not_named(screen: Xvfb, monkeypatch: pytest.MonkeyPatch) -> None:
    screen.program.kill()
    assert not display.has_display()
    monkeypatch.delenv("DISPLAY")
    assert not display.has_display()


def test_a_display_that_hangs_is_given_up(screen: Xvfb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display, "_PROBE_SECONDS", 0.5)
    screen.program.freeze()
    assert not display.has_display()
    screen.program.thaw()


def test_a_library_that_qt_would_end_the_process_for(
    screen: Xvfb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = tmp_path / "libqxcb.so"
    broken.write_bytes(b"no library")
    monkeypatch.setattr(display, "_X11_PLUGIN", broken)
    assert not display.has_display()


def test_where_the_plugin_is_not_found_qt_itself_tries(
    screen: Xvfb, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(display, "_X11_PLUGIN", tmp_path / "missing.so")
    assert display.has_display()
    screen.program.kill()
    assert not display.has_display()
