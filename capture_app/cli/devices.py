"""capture-app devices list|test: the cameras of this computer, what they can, whether they do."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from functools import partial
from typing import Any

from capture_app.cli.main import EXIT_DONE, EXIT_FAILED
from capture_app.cli.start import CLOCK, json_option, print_json, print_table, read_settings
from capture_app.devices.attached import is_identity
from capture_app.devices.survey import Survey, surveys
from capture_app.devices.trial import DeviceTrial, try_device
from capture_app.errors import DeviceError, SettingsError, SettingsFault
from capture_app.model.camera import CameraControl, CameraMode
from capture_app.model.device import DeviceKind
from capture_app.model.words import tr
from capture_app.security.keys import read_secret
from capture_app.settings.log import configure
from capture_app.settings.schema import Device, Settings


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument(
        "act",
        choices=["list", "test"],
        help="list: the cameras of this computer, with formats, sizes and rates; test: open "
        "devices, and measure them",
    )
    parser.add_argument(
        "device",
        nargs="*",
        help="test: the id of a device of the settings, or the identity of a camera as list shows "
        "it; none: every device of the settings",
    )
    json_option(parser)


def run(args: argparse.Namespace) -> int:
    """Exit 0 where all that was looked at works, else 1."""
    # To standard error alone: whoever looks may be another user than the one who serves.
    configure(None, console_level=args.log_level)
    settings = read_settings(args).settings
    return (_list if args.act == "list" else _test)(args, settings)


# ------------------------------------------------------------------------------------------- list


def _list(args: argparse.Namespace, settings: Settings) -> int:
    used = {device.address.strip(): device.id for device in settings.devices}
    found = list(surveys(CLOCK))
    if args.json:
        print_json({"cameras": [_as_json(one, used) for one in found]})
    elif not found:
        sys.stdout.write(tr("No camera is plugged in.") + "\n")
    else:
        for one in found:
            _print(one, used)
    return EXIT_FAILED if any(one.trouble and not one.modes for one in found) else EXIT_DONE


def _print(one: Survey, used: dict[str, str]) -> None:
    camera = one.camera
    device = used.get(camera.identity) or used.get(camera.place)
    settings = tr("device {id} of the settings", id=device) if device else tr("not in the settings")
    sys.stdout.write(f"{camera.identity}\n    {camera.name} ({camera.place}), {settings}\n")
    if one.trouble is not None:
        sys.stdout.write(f"    {one.trouble}\n")
    for control in one.controls:
        sys.stdout.write(f"    {_control(control)}\n")
    by_format: dict[str, list[str]] = {}
    for mode in one.modes:
        by_format.setdefault(mode.format, []).append(_size_and_rate(mode))
    for code, sizes in by_format.items():
        sys.stdout.write(f"    {code:4}  {', '.join(sizes)}\n")


def _control(control: CameraControl) -> str:
    now = f"{control.name}={control.value}"
    limits = tr("{least} to {most}", least=control.least, most=control.most)
    return f"{now} ({limits})" + (f", {tr('automatic')}" if control.is_automatic else "")


def _size_and_rate(mode: CameraMode) -> str:
    return f"{mode.columns}x{mode.rows}" + (f" {mode.rate:g}/s" if mode.rate else "")


def _as_json(one: Survey, used: dict[str, str]) -> dict[str, Any]:
    camera = one.camera
    return {
        **asdict(camera),
        "device": used.get(camera.identity) or used.get(camera.place),
        "trouble": None if one.trouble is None else str(one.trouble),
        "modes": [asdict(mode) for mode in one.modes],
        "controls": [asdict(control) for control in one.controls],
    }


# ------------------------------------------------------------------------------------------- test


def _test(args: argparse.Namespace, settings: Settings) -> int:
    rows: list[dict[str, Any]] = []
    for device in _asked_for(args.device, settings):
        try:
            seen = try_device(device, CLOCK, partial(read_secret, settings.security))
        except DeviceError as error:
            rows.append({"device": device.id, "works": False, "reason": str(error)})
        else:
            rows.append({"device": device.id, "works": True, **_measured(seen)})
    if args.json:
        print_json({"devices": rows})
    elif not rows:
        sys.stdout.write(tr("No device is set up.") + "\n")
    else:
        print_table(
            (tr("device"), tr("open"), tr("asked for"), tr("pictures"), tr("result")),
            [_row(row) for row in rows],
        )
    return EXIT_DONE if all(row["works"] for row in rows) else EXIT_FAILED


def _asked_for(names: list[str], settings: Settings) -> list[Device]:
    """The devices of those names. Raises SettingsError for one that there is not."""
    if not names:
        return list(settings.devices)
    by_name = {device.id: device for device in settings.devices}
    by_name |= {device.address.strip(): device for device in settings.devices}
    asked, faults = [], []
    for name in names:
        if name in by_name:
            asked.append(by_name[name])
        elif is_identity(name) or name.isdigit() or name.startswith("/dev/"):
            asked.append(Device("camera", name, DeviceKind.CAMERA, name))
        else:
            problem = tr("There is no such device.")
            allowed = tr("an id of the settings, or an identity that devices list shows")
            faults.append(SettingsFault("devices test", name, problem, allowed))
    if faults:
        raise SettingsError(tuple(faults))
    return asked


def _measured(seen: DeviceTrial) -> dict[str, Any]:
    return {
        "milliseconds": round(seen.opened_after * 1000),
        "asked": None if seen.mode is None else str(seen.mode.wanted),
        "got": None if seen.mode is None else str(seen.mode.got),
        "not_locked": [] if seen.mode is None else list(seen.mode.not_locked),
        "width": seen.width,
        "height": seen.height,
        "rate": seen.rate,
    }


def _row(row: dict[str, Any]) -> tuple[str, ...]:
    if not row["works"]:
        return row["device"], "", "", "", row["reason"]
    size = f"{row['width']}x{row['height']}"
    pictures = tr("{size}, {rate} a second", size=size, rate=row["rate"])
    return (
        row["device"],
        tr("{n} ms", n=row["milliseconds"]),
        row["asked"] or "",
        f"{row['got']}: {pictures}" if row["got"] else pictures,
        tr("It works."),
    )
