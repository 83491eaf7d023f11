"""Runs the tests of attached devices where such devices are: in an emulated machine.

`python -m tests.devices [--short] [--within MINUTES] [PYTEST ARGUMENTS]`. The machine is made once
(see `machine/build.sh`) and lives as long as the run; its files are this computer's, read-only.
Without QEMU nothing is proven, and that is a failure.
"""

from __future__ import annotations

import argparse
import re
import shlex
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Final

_CHECKOUT: Final = Path(__file__).resolve().parents[2]
_MACHINE: Final = _CHECKOUT / ".cache/devices-machine"
_QEMU: Final = "qemu-system-x86_64"
_WHOLE_WITHIN: Final = 40.0
_SHORT_WITHIN: Final = 14.0
"""Minutes, on a busy computer. With two cores for itself it takes a third of that."""
_EXIT: Final = re.compile(r"^machine: exit (\d+)", re.MULTILINE)


def main() -> int:
    """Exit 0 where every test has passed, 2 where there is no machine to run them in."""
    parser = argparse.ArgumentParser(prog="python -m tests.devices", allow_abbrev=False)
    parser.add_argument("--short", action="store_true", help="only what is marked as short")
    parser.add_argument(
        "--within", type=float, metavar="MINUTES", help="at most (40; 14 where short)"
    )
    options, rest = parser.parse_known_args()
    within = options.within or (_SHORT_WITHIN if options.short else _WHOLE_WITHIN)
    qemu = shutil.which(_QEMU)
    if qemu is None:
        sys.stderr.write(f"devices: {_QEMU} is missing: see tools/system-packages-devices.txt\n")
        return 2
    if subprocess.run(
        [Path(__file__).parent / "machine/build.sh", _MACHINE], check=False
    ).returncode:
        return 2
    _write_command(["-m", "short", *rest] if options.short else rest)
    code = _run(qemu, within * 60)
    if code is None:
        sys.stderr.write("devices: the machine did not come to an end in time\n")
        return 1
    return code


def _write_command(arguments: list[str]) -> None:
    pytest = [
        *(".venv/bin/python", "-m", "pytest", "-c", "tests/devices/machine/pytest.ini"),
        *("--rootdir", str(_CHECKOUT), "--confcutdir", str(_CHECKOUT)),
    ]
    if not any(one.startswith("tests/") for one in arguments):
        arguments = ["tests/devices", *arguments]
    lines = (
        f"cd {shlex.quote(str(_CHECKOUT))}",
        # What pytest finds by itself takes longer to read there than a camera to open.
        "export CAPTURE_TEST_MACHINE=/job PYTEST_DISABLE_PLUGIN_AUTOLOAD=1",
        "export TERM=dumb COLUMNS=110 PYTHONDONTWRITEBYTECODE=1",
        shlex.join([*pytest, *arguments]),
    )
    (_MACHINE / "command").write_text("\n".join(lines) + "\n", "utf-8")
    (_MACHINE / "checkout").write_text(f"{_CHECKOUT}\n", "utf-8")


def _run(qemu: str, within: float) -> int | None:
    """What the command in the machine answered; None where it did not, in so many seconds."""
    shares = []
    for tag, folder in (("host", Path("/")), ("job", _MACHINE)):
        share = f"local,path={folder},mount_tag={tag},security_model=none,readonly=on"
        shares += ["-virtfs", f"{share},multidevs=remap"]
    machine = [
        *(qemu, "-nographic", "-no-reboot", "-m", "3072", "-smp", "2", "-cpu", "max"),
        *("-kernel", str(_MACHINE / "vmlinuz"), "-initrd", str(_MACHINE / "initrd.gz")),
        *("-append", "console=ttyS0 quiet panic=-1", "-nic", "none"),
        *shares,
    ]
    heard = []
    with subprocess.Popen(
        machine, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as running:
        watchdog = threading.Timer(within, running.kill)
        watchdog.start()
        assert running.stdout is not None
        for line in running.stdout:
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            heard.append(text)
            sys.stdout.write(text + "\n")
            sys.stdout.flush()
        watchdog.cancel()
    found = _EXIT.search("\n".join(heard))
    return int(found[1]) if found else None


if __name__ == "__main__":
    sys.exit(main())
