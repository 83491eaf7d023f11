"""Real services on a real disk for the window: a ward from real ADT messages, a user, an outbox."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Final

from capture_app.catalog.body_map import load_body_map
from capture_app.catalog.load import load_catalog
from capture_app.clock import Clock
from capture_app.demo.people import ADMISSIONS, Admission
from capture_app.devices.chosen import ChosenDevice
from capture_app.devices.replay import Replay
from capture_app.exam.cards import Cards
from capture_app.exam.encoding import Picture
from capture_app.exam.filming import FilmService
from capture_app.exam.received import ReceivedService
from capture_app.exam.session import ExamService
from capture_app.hl7.build import Sender, build_adt
from capture_app.imaging import surgery
from capture_app.model.device import DeviceKind
from capture_app.model.operator import Act, Operator, Role, may
from capture_app.model.order import Order
from capture_app.model.patient import NameGroup, PersonName
from capture_app.model.worklist import IdentifiedBy
from capture_app.outbox.delivery.engine import Engine
from capture_app.outbox.outbox import Outbox
from capture_app.patients.census.census import Census, open_census
from capture_app.patients.census.merges import Merges
from capture_app.patients.census.orders import WorklistAnswer, WorklistItem
from capture_app.patients.sources.adt.receiver import AdtReceiver
from capture_app.security.auditing import Auditing
from capture_app.security.pins import PinCost
from capture_app.security.users import Users
from capture_app.settings.feeds import AdtFeed
from capture_app.settings.scanning import Scanner
from capture_app.settings.schema import (
    ArchiveDestination,
    Capture,
    Device,
    Security,
    Settings,
    Station,
)
from capture_app.store.cipher import Cipher
from capture_app.ui.services import Services
from tests import outboxes, sealing

PIN: Final = "248613"
CHEAP: Final = PinCost(memory_kib=64, passes=1)
NURSE: Final = PersonName(NameGroup("Okafor", "Ada"))
_SENDER: Final = Sender(application="ADT", facility="ST ANNE", processing_id="P")


_catalog = cache(load_catalog)
_body_map = cache(load_body_map)


@dataclass(slots=True)
class Stage:
    """Running services, and what a test does to them from outside."""

    services: Services
    folder: Path
    census: Census
    receiver: AdtReceiver
    archive: outboxes.DirectoryArchive
    _sent: int = 0

    @property
    def outbox(self) -> Outbox:
        return self.services.outbox

    def admit(self, *admissions: Admission, event: str = "A01") -> None:
        """The feed speaks of these patients."""
        for admission in admissions:
            self._sent += 1
            message = build_adt(
                event,
                admission.patient,
                admission.encounter,
                control_id=f"T{self._sent:06}",
                at=self.services.clock.now(),
                sender=_SENDER,
            )
            answer = self.receiver.handle(message)
            assert b"|AA|" in answer or b"MSA|AA" in answer, answer

    def order(self, number: str, *orders: Order) -> None:
        """A worklist answers: these orders, for the visit of this patient, and no others."""
        (entry,) = self.census.lookup(number)
        items = tuple(WorklistItem(entry.patient, entry.encounter, order) for order in orders)
        self.census.put_worklist(WorklistAnswer("mwl", items, self.services.clock.now()))

    def give_order(self, order: Order | None, *numbers: str) -> None:
        """The worklist answers: this order, for each of these patients; nothing else."""
        now = self.services.clock.now()
        found = [entry for number in numbers for entry in self.census.lookup(number)]
        items = tuple(WorklistItem(entry.patient, entry.encounter, order) for entry in found)
        self.census.put_worklist(WorklistAnswer("mwl", items, now))

    def add_user(self, user_id: str, name: str, *roles: Role) -> Operator:
        by = next((u for u in self.services.users.list() if may(u, Act.KEEP_USERS)), None)
        return self.services.users.add(user_id, name, roles or (Role.CAPTURE,), PIN, by, name=NURSE)

    def pictures(self, number: str, count: int, operator: Operator) -> tuple[str, ...]:
        """Drafts of a patient, complete, taken by an operator."""
        (entry,) = self.census.lookup(number)
        exam = self.services.exams.open(entry, operator, IdentifiedBy.SCAN)
        taken = tuple(
            self.services.exams.keep(
                exam,
                Picture(sealing.photo(), self.services.clock.now()),
                device=sealing.CAMERA,
                description=sealing.description(),
            )
            for _ in range(count)
        )
        self.services.exams.close()
        return taken

    def engine(self) -> Engine:
        """Delivery to the archive of this stage; the test starts and stops it."""
        return outboxes.open_engine(
            *(self.outbox, self.folder, self.services.clock, self.archive),
            hindrances=self.services.exams.hindrances,
        )


def with_devices(
    services: Services, devices: Sequence[Device], clock: Clock, exams: ExamService | None = None
) -> Services:
    """The same with other cameras, whose every frame the clips hear of."""
    exams = exams or services.exams
    replay = Replay(clock, services.settings.capture.clip_memory_bytes)
    return replace(
        services,
        exams=exams,
        films=FilmService(exams, services.outbox, replay, clock),
        devices=ChosenDevice(devices, clock, sees=replay.see),
    )


@contextmanager
def open_stage(
    folder: Path,
    clock: Clock,
    *,
    admissions: Sequence[Admission] = ADMISSIONS,
    security: Security = Security(),  # noqa: B008 - frozen
    practice: bool = False,
) -> Iterator[Stage]:
    """Opens everything on an empty folder, and closes it at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = Settings(
        data_dir=folder,
        station=Station(name="4B-2", department="Dermatology"),
        adt=AdtFeed(assigning_authority="ST ANNE"),
        archives=(
            ArchiveDestination(name=outboxes.PACS, host="127.0.0.1", port=104, ae_title="A"),
        ),
        devices=(Device(id="skin", name="Synthetic skin", kind=DeviceKind.SYNTHETIC),),
        security=security,
        practice=practice,
        capture=Capture(min_free_mb=1),
        scanner=Scanner(camera=False),  # a camera that looks for codes is on in its own tests
    )
    cipher = Cipher(outboxes.KEY)
    outbox = outboxes.open_outbox(folder, clock, capture=settings.capture)
    catalog = _catalog()
    census = open_census(folder, cipher, clock, settings)
    replay = Replay(clock, settings.capture.clip_memory_bytes)
    devices = ChosenDevice(settings.devices, clock, sees=replay.see)
    exams = ExamService(
        *(outbox, catalog, clock, settings.station),
        *(census.person, census.orders_of_others, surgery),
    )
    assert settings.adt is not None
    services = Services(
        census=census,
        merges=Merges(census, outbox.spool.database, cipher, clock),
        exams=exams,
        films=FilmService(exams, outbox, replay, clock),
        cards=Cards(outbox, catalog, clock, settings.station, census.person, surgery),
        received=ReceivedService(outbox, census.person),
        outbox=outbox,
        users=Users(outbox.spool.database, cipher, clock, cost=CHEAP),
        auditing=Auditing(outbox.spool.database, cipher, clock),
        catalog=catalog,
        body_map=_body_map(),
        devices=devices,
        settings=settings,
        clock=clock,
    )
    archive = outboxes.DirectoryArchive(folder / "archive")
    stage = Stage(services, folder, census, AdtReceiver(census, settings.adt, clock), archive)
    try:
        stage.admit(*admissions)
        yield stage
    finally:
        devices.stop()
        services.received.close()
        census.close()
        outboxes.close(outbox)
