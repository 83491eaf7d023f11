"""What is said of a camera that is plugged in. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby

from capture_app.devices.capture import Live, LiveState
from capture_app.devices.controls import locks_of
from capture_app.devices.modes import READABLE
from capture_app.devices.survey import Survey
from capture_app.model.camera import CameraMode
from capture_app.model.words import tr
from capture_app.settings.schema import Device

_MOST_SIZES = 8


def note_of(found: Survey, device: Device | None) -> str:
    """The quiet words at the end of its row."""
    if found.trouble is not None and not found.modes:
        return tr("cannot be used")
    return tr("in the settings") if device is not None else ""


def about(found: Survey, device: Device | None) -> tuple[str, ...]:
    """What it is, where it is, and who uses it: a line each."""
    camera = found.camera
    if device is not None:
        used = tr("Device {id} of the settings: {name}.", id=device.id, name=device.name)
    else:
        used = tr("Not in the settings. IT adds it there with this identity as its address.")
    identity, place = camera.identity, camera.place
    where = tr("Identity {identity}, today at {place}.", identity=identity, place=place)
    return where, used


def controls_lines(found: Survey, device: Device | None) -> tuple[str, ...]:
    """What of it can be locked, as it stands, and what the settings lock."""
    locked = {} if device is None else locks_of(device.locked)
    names = control_words()
    lines = []
    for control in found.controls:
        limits = tr("{least} to {most}", least=control.least, most=control.most)
        if control.name in locked:
            how = tr("locked at {value}", value=locked[control.name])
        else:
            how = tr("automatic") if control.is_automatic else tr("not locked")
        lines.append(f"{names[control.name]}: {control.value} ({limits}), {how}")
    return tuple(lines)


def control_words() -> Mapping[str, str]:
    """The controls in words."""
    return {
        "exposure": tr("Exposure"),
        "focus": tr("Focus"),
        "white_balance": tr("White balance"),
        "gain": tr("Gain"),
        "zoom": tr("Zoom"),
        "brightness": tr("Brightness"),
        "power_line": tr("Power-line frequency"),
    }


def modes_lines(modes: Iterable[CameraMode]) -> tuple[str, ...]:
    """A line for each coding that can be kept: its sizes, the largest first, with their rates."""
    usable = [mode for mode in modes if mode.format in READABLE]
    lines = []
    for code, group in groupby(usable, lambda mode: mode.format):
        sizes = [_size(mode) for mode in group]
        more = tr("and {n} more", n=len(sizes) - _MOST_SIZES) if len(sizes) > _MOST_SIZES else ""
        lines.append(f"{code}:  " + ",  ".join([*sizes[:_MOST_SIZES], *filter(None, [more])]))
    return tuple(lines)


def _size(mode: CameraMode) -> str:
    size = f"{mode.columns} x {mode.rows}"
    return tr("{size} at {rate}/s", size=size, rate=f"{mode.rate:g}") if mode.rate else size


def measured(state: LiveState, rate: float | None) -> tuple[str, ...]:
    """How the camera does that is looked at: a line each."""
    if state.live is not Live.LIVE:
        return ()
    lines = []
    if state.opened_after is not None:
        lines.append(tr("First picture after {n} ms.", n=round(state.opened_after * 1000)))
    if state.mode is not None:
        wanted, got = state.mode.wanted, state.mode.got
        lines.append(tr("Asked for {wanted}, got {got}.", wanted=wanted, got=got))
        if state.mode.not_locked:
            names = control_words()
            said = ", ".join(names[name] for name in state.mode.not_locked)
            lines.append(tr("Could not be locked: {names}.", names=said))
    if rate is not None:
        lines.append(tr("{rate} pictures a second.", rate=f"{rate:.1f}"))
    return tuple(lines)
