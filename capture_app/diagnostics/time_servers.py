"""Who keeps the clock of this computer right, as far as they say so."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Final

from capture_app.clock import Clock, is_kept_by_the_system
from capture_app.diagnostics.finding import Finding, Grade
from capture_app.model.words import tr

_FIRST_YEAR: Final = 2025
_TIMESYNCD: Final = Path("/run/systemd/timesync/synchronized")
"""systemd-timesyncd touches it with each answer of its server, half an hour apart at most."""
_TIMESYNCD_FOR: Final = timedelta(days=1)
_CHRONY_WITHIN_S: Final = 3.0
_NOT_BY_CHRONY: Final = "Not synchronised"


def look_at_clock(clock: Clock, *, timesyncd: Path = _TIMESYNCD) -> Iterator[Finding]:
    """Whether somebody keeps this computer's clock right, and the system knows of it."""
    if clock.now().year < _FIRST_YEAR:
        yield Finding(
            "clock",
            "system",
            "clock-wrong",
            Grade.FAULT,
            tr("The clock of this computer is years behind."),
            tr("Set the clock, and let the system keep it (chrony, systemd-timesyncd)."),
        )
        return
    is_kept = is_kept_by_the_system()
    keeper = _keeper(clock, timesyncd)
    if is_kept:
        words = tr("{name} keeps the clock.", name=keeper) if keeper else tr("The clock is kept.")
        yield Finding("clock", keeper or "system", "clock-good", Grade.GOOD, words)
    elif keeper:
        yield Finding(
            "clock",
            keeper,
            "clock-kept-silently",
            Grade.ADVICE,
            tr(
                "{name} keeps the clock, but the system does not know: days of keeping are "
                "counted only while this computer is on.",
                name=keeper,
            ),
            tr("With chrony: the directive rtcsync."),
        )
    elif is_kept is None:
        words = tr("The system does not say whether it keeps the clock.")
        yield Finding("clock", "system", "clock-unknown", Grade.GOOD, words)
    else:
        yield Finding(
            "clock",
            "system",
            "clock-not-kept",
            Grade.ADVICE,
            tr("The system does not keep the clock: times of pictures drift."),
            tr("Let chrony or systemd-timesyncd keep the clock."),
        )


def _keeper(clock: Clock, timesyncd: Path) -> str:
    """The name of a time client that says that the clock is right; empty where none does."""
    if _is_kept_by_chrony():
        return "chrony"
    try:
        said = timesyncd.stat().st_mtime
    except OSError:
        return ""
    is_fresh = abs(clock.now().timestamp() - said) <= _TIMESYNCD_FOR.total_seconds()
    return "systemd-timesyncd" if is_fresh else ""


def _is_kept_by_chrony() -> bool:
    """What `chronyc tracking` says of the clock; False where it is not had, or does not answer."""
    program = shutil.which("chronyc")
    if program is None:
        return False
    try:
        asked = subprocess.run(
            [program, "-c", "-n", "tracking"],
            check=False,
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=_CHRONY_WITHIN_S,
        )
    except (OSError, subprocess.SubprocessError):
        return False
    said = asked.stdout.decode("ascii", errors="replace").strip().split(",")
    return asked.returncode == 0 and len(said) > 1 and said[-1] not in ("", _NOT_BY_CHRONY)
