"""Pedals and scanners as input devices of the kernel, through libinput and an X server."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.devices.rig import CHECKOUT, PATIENCE_S, call
from tests.devices.uinput import DIGITS, ENTER, F13, PAGE_DOWN, Keyboard
from tests.waiting import eventually

SCREEN = ":7"
MAI, MINH = "0012345678", "0012354687"
SERVER = """
Section "Device"
    Identifier "none"
    Driver "dummy"
    VideoRam 32768
EndSection
Section "Screen"
    Identifier "screen"
    Device "none"
    DefaultDepth 24
    SubSection "Display"
        Depth 24
        Modes "1024x768"
    EndSubSection
EndSection
"""


class Shown:
    """What the window said last."""

    def __init__(self, program: subprocess.Popen[str], log: Path) -> None:
        self._log = log
        self.now: dict[str, object] = {}
        self._program = program
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._program.stdout is not None
        for line in self._program.stdout:
            self.now = json.loads(line)

    def wait_for(self, **what: object) -> None:
        try:
            eventually(
                lambda: all(self.now.get(name) == value for name, value in what.items()),
                timeout=PATIENCE_S,
            )
        except AssertionError as error:
            message = f"{what} did not come: {self.now}, exit {self._program.poll()}"
            raise AssertionError(message) from error

    def wait_for_devices(self, *names: str) -> None:
        """Until the X server listens to them: keys from before are lost."""
        call("udevadm", "settle")
        for name in names:
            words = f'XINPUT: Adding extended input device "{name}"'
            eventually(partial(self._has_said, words), timeout=PATIENCE_S)

    def _has_said(self, words: str) -> bool:
        return words in self._log.read_text("utf-8", "replace")

    def end(self) -> None:
        self._program.kill()
        self._program.wait()
        self._reader.join()


@pytest.fixture(scope="module")
def screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An X server that takes every input device as it is plugged in, and says so in this log."""
    folder = tmp_path_factory.mktemp("x")
    config = folder / "xorg.conf"
    config.write_text(SERVER)
    call("/lib/systemd/systemd-udevd", "--daemon")
    call("udevadm", "trigger")
    call("udevadm", "settle")
    command = ["Xorg", SCREEN, "-config", str(config), "-noreset", "-nolisten", "tcp"]
    with (folder / "said").open("w") as said:
        server = subprocess.Popen(
            [*command, "-logfile", str(folder / "log"), "-novtswitch", "vt7"],
            stdout=said,
            stderr=said,
        )
        try:
            eventually(Path("/tmp/.X11-unix/X7").exists, timeout=PATIENCE_S)  # noqa: S108 - X's own
            yield folder / "log"
        finally:
            server.terminate()
            server.wait()
            call("udevadm", "control", "--exit")


@pytest.fixture
def shown(screen: Path) -> Iterator[Shown]:
    """The window on it, with a live picture."""
    environment = {**os.environ, "DISPLAY": SCREEN, "QT_QPA_PLATFORM": "xcb"}
    program = subprocess.Popen(
        [sys.executable, "-m", "tests.devices.window"],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=CHECKOUT,
    )
    shown = Shown(program, screen)
    try:
        shown.wait_for(is_active=True, is_live=True)
        yield shown
    finally:
        shown.end()


@pytest.mark.parametrize("key", [F13, PAGE_DOWN], ids=["F13", "Page Down"])
def test_a_scanner_opens_the_patient_and_a_pedal_takes_the_picture(shown: Shown, key: int) -> None:
    with (
        Keyboard.plugged_in(f"Scanner {key}", *DIGITS.values(), ENTER) as scanner,
        Keyboard.plugged_in(f"Pedal {key}", key) as pedal,
    ):
        shown.wait_for_devices(f"Scanner {key}", f"Pedal {key}")
        scanner.press(*(DIGITS[digit] for digit in MAI), ENTER)
        shown.wait_for(patient=MAI, is_live=True)
        for pictures in (1, 2):
            pedal.press(key)
            shown.wait_for(pictures=pictures)
        scanner.press(*(DIGITS[digit] for digit in MINH), ENTER)
        shown.wait_for(patient=MINH, pictures=0)


def test_a_pedal_that_is_plugged_in_during_the_exam_works_at_once(shown: Shown) -> None:
    with Keyboard.plugged_in("Later scanner", *DIGITS.values(), ENTER) as scanner:
        shown.wait_for_devices("Later scanner")
        scanner.press(*(DIGITS[digit] for digit in MAI), ENTER)
        shown.wait_for(patient=MAI, is_live=True)
    for pictures in (1, 2):
        name = f"Pedal of picture {pictures}"
        with Keyboard.plugged_in(name, F13) as pedal:
            shown.wait_for_devices(name)
            pedal.press(F13)
            shown.wait_for(pictures=pictures)
