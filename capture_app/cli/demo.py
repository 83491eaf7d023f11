"""capture-app demo: practice with a simulated hospital, in a window or walked through by itself."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Final

from capture_app.bootstrap import Background, Rooms, open_rooms
from capture_app.cli.display import has_display, use_offscreen
from capture_app.cli.main import EXIT_DONE, EXIT_FAILED
from capture_app.cli.start import CLOCK, start_log
from capture_app.cli.window import start_camera, window_services
from capture_app.demo.hospital import Hospital
from capture_app.errors import SettingsError, SettingsFault
from capture_app.model.operator import Act, may
from capture_app.model.patient import NameGroup, PersonName
from capture_app.model.words import tr
from capture_app.security.users import FIRST_ROLES, Users
from capture_app.settings.load import data_folder
from capture_app.settings.practice import PRACTICE_PIN, PRACTICE_USER

_PRACTICE_NAME: Final = PersonName(NameGroup("Okafor", "Ada"))


def arguments(parser: argparse.ArgumentParser) -> None:
    """The options of this command."""
    parser.add_argument(
        "--headless",
        action="store_true",
        help="walk the main job through the windows without a screen, and leave a report",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="walk as --headless, and leave screenshots, DICOM files and the report there "
        "(a new folder practice-report-<time> here)",
    )


def run(args: argparse.Namespace) -> int:
    """Exit 0 when the window was closed, or when every image of the walk is Confirmed."""
    if args.headless or args.out is not None or not has_display():
        return _walk(args)
    return open_practice(args)


def open_practice(args: argparse.Namespace) -> int:
    """The window, with the simulated hospital behind it."""
    from capture_app.ui.shell.app import run as run_window  # noqa: PLC0415 - Qt, only now

    with (
        _practice(args, practice_folder(args)) as (rooms, _hospital),
        Background(rooms, program="demo"),
    ):
        services = window_services(rooms)
        return run_window(services, partial(start_camera, rooms, services))


def _walk(args: argparse.Namespace) -> int:
    """Leaves everything in --out; without --data each walk begins with a hospital of its own."""
    use_offscreen()
    from capture_app.cli.walk import walk  # noqa: PLC0415 - Qt, only after the platform is chosen

    out: Path = (args.out or Path(f"practice-report-{CLOCK.now():%Y%m%d-%H%M%S}")).absolute()
    if out.exists() and any(out.iterdir()):
        fault = SettingsFault("--out", "DIR", tr("It is not empty."), tr("a new or empty folder"))
        raise SettingsError((fault,))
    data = Path(args.data).absolute() if args.data is not None else out / "data"
    with _practice(args, data) as (rooms, hospital), Background(rooms, program="demo"):
        confirmed = walk(window_services(rooms), hospital, out, pin=PRACTICE_PIN)
    sys.stderr.write(
        tr("Screenshots, DICOM files and the report are in {folder}.", folder=out) + "\n"
    )
    return EXIT_DONE if confirmed else EXIT_FAILED


def practice_folder(args: argparse.Namespace) -> Path:
    """The data folder of practice: never the one of patients."""
    if args.data is not None:
        return Path(args.data).absolute()
    return data_folder(data_dir=None, environ=os.environ).with_name("capture-app-practice")


@contextmanager
def _practice(args: argparse.Namespace, folder: Path) -> Iterator[tuple[Rooms, Hospital]]:
    """The hospital, and the rooms opened on practice settings. Raises SettingsError, StoreError."""
    if args.settings is not None:
        fault = SettingsFault(
            "--settings",
            str(args.settings),
            tr("Practice has settings of its own."),
            tr("nothing: leave it out"),
        )
        raise SettingsError((fault,))
    shelf = folder.with_name(f"{folder.name}-archive")
    with Hospital(shelf, CLOCK, practice_data=folder) as hospital:
        start_log(args, "demo", hospital.settings)
        with open_rooms(hospital.settings, CLOCK) as rooms:
            _make_practice_user(rooms.users)
            sys.stderr.write(
                tr(
                    "Practice: sign in as {user} with PIN {pin}.",
                    user=PRACTICE_USER,
                    pin=PRACTICE_PIN,
                )
                + "\n"
            )
            yield rooms, hospital


def _make_practice_user(users: Users) -> None:
    """The lock of practice says its PIN: so that is the PIN, whatever was done to it before."""
    if users.has_any():
        known = next((one for one in users.list() if one.user_id == PRACTICE_USER), None)
        if known is not None and may(known, Act.KEEP_USERS):
            users.reset_pin(PRACTICE_USER, PRACTICE_PIN, known)
        return
    users.add(
        PRACTICE_USER,
        tr("Practice user"),
        FIRST_ROLES,
        PRACTICE_PIN,
        None,
        name=_PRACTICE_NAME,
    )
