"""The window over the rooms: opened alike for patients and for practice."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from capture_app.cli.start import CLOCK

if TYPE_CHECKING:
    from capture_app.bootstrap import Rooms
    from capture_app.settings.schema import Settings
    from capture_app.ui.services import Services


def open_window(settings: Settings) -> int:
    """The window on one data folder, until it is closed. Raises CaptureAppError before it opens."""
    from capture_app.bootstrap import Background, open_rooms  # noqa: PLC0415
    from capture_app.ui.shell.app import run as run_window  # noqa: PLC0415

    with open_rooms(settings, CLOCK, check=True) as rooms, ExitStack() as behind:
        services = window_services(rooms)

        def begin() -> None:
            try:
                behind.enter_context(Background(rooms, program="desktop"))
            finally:
                start_camera(rooms, services)

        return run_window(services, begin)


def start_camera(rooms: Rooms, services: Services) -> None:
    """The camera, and whatever the first patient and the first shutter will need."""
    from capture_app.bootstrap import read_ahead  # noqa: PLC0415
    from capture_app.ui.outbox import page as outbox  # noqa: F401, PLC0415
    from capture_app.ui.workspace import page as workspace  # noqa: F401, PLC0415

    services.devices.start()
    read_ahead(rooms)


def window_services(rooms: Rooms) -> Services:
    """What the window is given of the opened rooms, and the camera."""
    from capture_app.bootstrap import passwords  # noqa: PLC0415
    from capture_app.catalog.body_map import load_body_map  # noqa: PLC0415
    from capture_app.devices.chosen import ChosenDevice  # noqa: PLC0415
    from capture_app.devices.replay import Replay  # noqa: PLC0415
    from capture_app.exam.filming import FilmService  # noqa: PLC0415
    from capture_app.ui.services import Services  # noqa: PLC0415

    settings = rooms.settings
    replay = Replay(rooms.clock, settings.capture.clip_memory_bytes)
    return Services(
        census=rooms.census,
        merges=rooms.merges,
        exams=rooms.exams,
        cards=rooms.cards,
        films=FilmService(rooms.exams, rooms.outbox, replay, rooms.clock),
        received=rooms.received,
        outbox=rooms.outbox,
        devices=ChosenDevice(settings.devices, rooms.clock, passwords(settings), replay.see),
        users=rooms.users,
        auditing=rooms.auditing,
        catalog=rooms.catalog,
        body_map=load_body_map(),
        settings=settings,
        clock=rooms.clock,
    )
