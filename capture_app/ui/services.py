"""What the window is given: running services, from `bootstrap`. Nothing here is optional."""

from __future__ import annotations

from dataclasses import dataclass

from capture_app.catalog.body_map import BodyMap
from capture_app.catalog.catalog import Catalog
from capture_app.clock import Clock
from capture_app.devices.chosen import ChosenDevice
from capture_app.exam.cards import Cards
from capture_app.exam.filming import FilmService
from capture_app.exam.received import ReceivedService
from capture_app.exam.session import ExamService
from capture_app.outbox.outbox import Outbox
from capture_app.patients.census.census import Census
from capture_app.patients.census.merges import Merges
from capture_app.security.auditing import Auditing
from capture_app.security.users import Users
from capture_app.settings.schema import Settings


@dataclass(frozen=True, slots=True)
class Services:
    """The rooms that the window speaks to."""

    census: Census
    merges: Merges
    """Those of the feed that were refused and wait for a person."""
    exams: ExamService
    films: FilmService
    """Clips of the open exam; it hears every frame of `devices`."""
    cards: Cards
    """Slates, and pictures of cameras that no cable ties."""
    received: ReceivedService
    """What scanners sent by themselves."""
    outbox: Outbox
    devices: ChosenDevice
    """The camera in use: warm over patients and locks; started and stopped with the window."""
    users: Users
    auditing: Auditing
    catalog: Catalog
    body_map: BodyMap
    settings: Settings
    clock: Clock
