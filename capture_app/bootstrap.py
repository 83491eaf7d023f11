"""The composition root: settings in, running services out.

The only place that names concrete adapters. `open_rooms` opens what every command needs;
`Background` runs what goes on by itself: delivery, feeds and listening ports.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol, Self

import structlog

from capture_app import __version__
from capture_app.audit.anchor import AnchorPlace, hold_to_anchor
from capture_app.audit.trail import record
from capture_app.audit.watch import TrailWatch
from capture_app.catalog.catalog import Catalog
from capture_app.catalog.load import load_catalog
from capture_app.clock import Clock
from capture_app.diagnostics.certificates import CertificateWatch
from capture_app.errors import CaptureAppError, ChildEndedError, KeyUnavailableError, StoreError
from capture_app.exam.cards import Cards
from capture_app.exam.received import ReceivedService
from capture_app.exam.session import ExamService
from capture_app.imaging.decoding import PictureDecoder
from capture_app.model.audit_event import AuditAction, AuditEvent
from capture_app.model.patient import PatientId
from capture_app.model.worklist import PersonNow
from capture_app.outbox.clock_watch import ClockWatch
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.rules import OutboxRules
from capture_app.patients.census.census import Census, open_census
from capture_app.patients.census.merges import Merges
from capture_app.security.auditing import Auditing
from capture_app.security.keys import load_or_create_key, read_secret, trail_anchor
from capture_app.security.users import Users
from capture_app.settings.practice import claim_data_folder, refuse_real_destinations
from capture_app.settings.resources import migrations
from capture_app.settings.schema import Settings
from capture_app.store.cipher import Cipher
from capture_app.store.database import Database
from capture_app.store.role import EngineRole

if TYPE_CHECKING:
    from capture_app.outbox.delivery.engine import Engine

_log = structlog.get_logger(__name__)

OUTBOX_DATABASE: Final = "outbox.db"
PICTURES: Final = "pictures"
ENGINE_LOCK: Final = "engine.lock"
_LOOK_EVERY_S: Final = 0.2
_RETRY_LISTENING_S: Final = 5.0
_PORTS_TRIED_WITHIN_S: Final = 2.0
_WORKLISTS_ASKED_WITHIN_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Rooms:
    """The rooms, opened on one data folder. Nothing here is optional."""

    settings: Settings
    clock: Clock
    cipher: Cipher
    database: Database
    anchor: AnchorPlace | None
    """Where the head of the trail is noted outside the data folder; None in practice."""
    outbox: Outbox
    exams: ExamService
    cards: Cards
    received: ReceivedService
    """Its child is started when it is needed."""
    census: Census
    merges: Merges
    users: Users
    auditing: Auditing
    catalog: Catalog
    decoder: PictureDecoder
    """Its child is started when it is needed."""


@dataclass(frozen=True, slots=True)
class DataFolder:
    """The rooms without the patients: a census of a large hospital takes long to read."""

    cipher: Cipher
    database: Database
    anchor: AnchorPlace | None
    outbox: Outbox
    users: Users
    auditing: Auditing
    decoder: PictureDecoder
    """Its child is started when it is needed."""


@contextmanager
def open_data_folder(
    settings: Settings, clock: Clock, *, check: bool = False
) -> Iterator[DataFolder]:
    """Opens the data folder of the settings, and closes it at the end.

    `check` reads the whole database first: for who stays, and not for each command.
    Raises SettingsError where practice and patients would meet, KeyUnavailableError, StoreError.
    """
    refuse_real_destinations(settings)
    claim_data_folder(settings)
    folder = settings.data_dir
    cipher = Cipher(load_or_create_key(settings.security, folder, practice=settings.practice))
    rules = OutboxRules(
        destinations=tuple(archive.name for archive in settings.archives),
        institution=settings.institution,
        station=settings.station,
        capture=settings.capture,
    )
    database = Database.open(folder / OUTBOX_DATABASE, migrations("outbox"), check=check)
    anchor = None if settings.practice else trail_anchor(settings.security, folder)
    with (
        closing(PictureDecoder(clock)) as decoder,
        closing(Outbox(database, folder / PICTURES, cipher, clock, rules, decoder)) as outbox,
    ):
        if anchor is not None:  # before any act: else that would sign a folder that was put back
            hold_to_anchor(database, clock, cipher, anchor)
        yield DataFolder(
            cipher,
            database,
            anchor,
            outbox,
            Users(database, cipher, clock),
            Auditing(database, cipher, clock),
            decoder,
        )
        if anchor is not None:
            with suppress(StoreError):  # what was done here is noted at the next opening
                hold_to_anchor(database, clock, cipher, anchor)


@contextmanager
def open_rooms(settings: Settings, clock: Clock, *, check: bool = False) -> Iterator[Rooms]:
    """Opens every room on the data folder of the settings. As `open_data_folder`."""
    with (
        open_data_folder(settings, clock, check=check) as folder,
        closing(
            open_census(settings.data_dir, folder.cipher, clock, settings, check=check)
        ) as census,
        ExitStack() as enclosing,
    ):
        catalog = load_catalog()
        people = partial(_newest, census)
        received = ReceivedService(folder.outbox, people)
        enclosing.callback(received.close)
        yield Rooms(
            settings=settings,
            clock=clock,
            cipher=folder.cipher,
            database=folder.database,
            anchor=folder.anchor,
            outbox=folder.outbox,
            exams=ExamService(
                folder.outbox,
                catalog,
                clock,
                settings.station,
                people,
                census.orders_of_others,
                folder.decoder,
            ),
            cards=Cards(folder.outbox, catalog, clock, settings.station, people, folder.decoder),
            received=received,
            census=census,
            merges=Merges(census, folder.database, folder.cipher, clock),
            users=folder.users,
            auditing=folder.auditing,
            catalog=catalog,
            decoder=folder.decoder,
        )


def _newest(census: Census, number: PatientId) -> PersonNow | None:
    """What the feeds say now of a patient, with what another process has just taken in."""
    try:
        census.refresh()
    except StoreError as error:  # what is in memory is a second old; nobody is kept from work
        _log.warning("census-not-refreshed", reason=str(error))
    return census.person(number)


def ask_worklists(rooms: Rooms) -> None:
    """Asks every worklist once, at the same time, for a command that does not stay."""
    from capture_app.patients.sources.worklist.poller import WorklistPoller  # noqa: PLC0415 - as in Background

    settings = rooms.settings
    if not settings.worklists:
        return
    with ThreadPoolExecutor(len(settings.worklists), "worklist") as pool:
        for worklist in settings.worklists:
            poller = WorklistPoller(rooms.census, worklist, settings.station, rooms.clock)
            pool.submit(poller.ask_once)


def read_ahead(rooms: Rooms) -> None:
    """Reads the libraries that the first shutter and the first Send need, and starts the child that
    decodes, so that neither waits.
    """
    with suppress(ChildEndedError):  # logged; it is tried again with the first picture
        rooms.decoder.warm()
    from capture_app.dicom import build, conformance, part10  # noqa: F401, PLC0415
    from capture_app.imaging import judge, quality, rgb  # noqa: F401, PLC0415


class _Listening(Protocol):
    """Something that holds a port while this process has the engine role."""

    def start(self) -> None: ...
    def stop(self) -> None: ...


class Background:
    """Delivery, feeds and listening ports of one process; a context manager.

    Delivery and ports go with the engine role: the process that holds it has them, the others
    follow and stand ready. Worklists are asked by every process: their answers stay in memory.
    Its begin and its end are in the trail, under the name of the program.
    """

    def __init__(
        self, rooms: Rooms, *, program: str, on_round: Callable[[], None] | None = None
    ) -> None:
        """`on_round` is called while delivery and feeds live, a few seconds apart at most."""
        # Only here: reading what delivers and listens takes as long as opening the window.
        from capture_app.archive.connect import commitment_listeners, connect  # noqa: PLC0415
        from capture_app.archive.held_copy import SandboxedReader  # noqa: PLC0415
        from capture_app.outbox.delivery.engine import Engine  # noqa: PLC0415
        from capture_app.outbox.receiving.receiver import ObjectReceiver  # noqa: PLC0415
        from capture_app.patients.sources.adt.receiver import AdtReceiver  # noqa: PLC0415
        from capture_app.patients.sources.worklist.poller import WorklistPoller  # noqa: PLC0415

        settings, clock = rooms.settings, rooms.clock
        self._rooms = rooms
        self._program = program
        self._census = rooms.census
        self._clock = clock
        listeners = commitment_listeners(settings.archives, settings.station, clock)
        self._ports: list[_Listening] = [*{id(port): port for port in listeners.values()}.values()]
        if settings.adt is not None:
            self._ports.append(AdtReceiver(rooms.census, settings.adt, clock, record=self._record))
        self._receiver = (
            ObjectReceiver(rooms.outbox, settings.receiver, record=self._record)
            if settings.receiver is not None
            else None
        )
        if self._receiver is not None:
            self._ports.append(self._receiver)
        self._pollers = tuple(
            WorklistPoller(rooms.census, worklist, settings.station, clock)
            for worklist in settings.worklists
        )
        self._reader = SandboxedReader(clock)
        self._engine = Engine(
            rooms.outbox,
            [
                connect(
                    archive,
                    settings.station,
                    listener=listeners.get(archive.name),
                    clock=clock,
                    password=passwords(settings),
                    read_copy=self._reader,
                )
                for archive in settings.archives
            ],
            clock,
            role=EngineRole(settings.data_dir / ENGINE_LOCK),
            workers={archive.name: archive.workers for archive in settings.archives},
            on_role=self._on_role,
            on_round=self._on_engine_round,
            hindrances=rooms.exams.hindrances,
        )
        watch = ClockWatch(rooms.outbox.spool)
        self._trail = TrailWatch(rooms.database, clock, rooms.cipher, rooms.anchor, also=watch.look)
        self._certificates = CertificateWatch(settings, clock)
        self._stopping = threading.Event()
        self._leads = threading.Event()
        self._tried = threading.Event()
        if not self._ports:
            self._tried.set()
        self._said = threading.Event()
        """The feeds said something since the orders of what waits were looked at."""
        self._said.set()
        self._leave = rooms.census.on_change(self._said.set)
        self._thread = threading.Thread(target=self._run, name="feeds")
        self._on_round = on_round
        self._round_at: float | None = None
        self._ended_whole = False

    @property
    def engine(self) -> Engine:
        """Delivery."""
        return self._engine

    @property
    def round_at(self) -> float | None:
        """When (monotonic) delivery and feeds were last seen alive; None before the first time."""
        return self._round_at

    @property
    def ended_whole(self) -> bool:
        """Whether its end ended every thread of delivery: else the engine role is kept until the
        process ends.
        """
        return self._ended_whole

    def __enter__(self) -> Self:
        self._record(AuditAction.APPLICATION_STARTED)
        self._trail.start()
        self._engine.start()
        for poller in self._pollers:
            poller.start()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._leave()
        self._stopping.set()
        self._thread.join()
        for poller in self._pollers:
            poller.stop()
        self._ended_whole = self._engine.stop()
        self._reader.close()
        if self._receiver is not None:
            self._receiver.close()
        self._record(AuditAction.APPLICATION_STOPPED)
        self._trail.stop()

    def _record(self, action: AuditAction, details: Mapping[str, str] | None = None) -> None:
        """Application Activity (PS3.15 A.5.3.1), or Node Authentication (A.5.3.9) of `details`. A
        disk that takes no row keeps nobody from work: what is on its way must still be delivered.
        """
        from capture_app.outbox.steps.tasks import ENGINE_USER  # noqa: PLC0415 - as in __init__

        if details is None:
            details = {"program": self._program, "version": __version__}
        event = AuditEvent(action, ENGINE_USER, details=details)
        rooms = self._rooms
        try:
            with rooms.database.transaction() as connection:
                record(connection, rooms.clock, event, cipher=rooms.cipher)
        except StoreError as error:
            _log.error("not-in-the-trail", action=str(action), reason=str(error))

    def _on_engine_round(self) -> None:
        if not self._thread.is_alive():
            return
        self._round_at = self._clock.monotonic()
        if self._on_round is not None:
            self._on_round()

    def _on_role(self, leads: bool) -> None:  # noqa: FBT001 - the engine's callback
        if leads:
            self._leads.set()
            # Delivery begins after this call, and an archive may report at once on what it is
            # asked: a report that finds no port is lost.
            self._tried.wait(_PORTS_TRIED_WITHIN_S)
            self._await_worklists()
        else:
            self._leads.clear()

    def _await_worklists(self) -> None:
        """What waited for delivery may be under an order that is another patient's by now."""
        for _ in range(round(_WORKLISTS_ASKED_WITHIN_S / _LOOK_EVERY_S)):
            if all(poller.asked.is_set() for poller in self._pollers):
                return
            if self._stopping.wait(_LOOK_EVERY_S):
                return

    def _run(self) -> None:
        """Holds the ports while this process leads, and follows the census while another does.

        Meanwhile it looks after the certificates.
        """
        open_ports: list[_Listening] = []
        retry_at = 0.0
        while not self._stopping.wait(_LOOK_EVERY_S):
            try:
                self._certificates.look()
                self._look_at_orders()
                if not self._leads.is_set():
                    _stop_all(open_ports)
                    self._follow()
                elif len(open_ports) < len(self._ports) and self._clock.monotonic() >= retry_at:
                    retry_at = self._clock.monotonic() + _RETRY_LISTENING_S
                    self._follow()
                    open_ports.extend(
                        port for port in self._ports if port not in open_ports and _started(port)
                    )
                    self._tried.set()
            except Exception:  # noqa: BLE001 - logged; the feeds go on
                _log.exception("feeds-look-failed")
                self._stopping.wait(_RETRY_LISTENING_S)
        _stop_all(open_ports)

    def _look_at_orders(self) -> None:
        if not self._said.is_set():
            return
        self._said.clear()
        try:
            self._rooms.exams.look_at_orders()
        except CaptureAppError as error:  # what is sent is asked about once more before it goes
            self._said.set()
            _log.warning("orders-not-looked-at", reason=str(error))

    def _follow(self) -> None:
        try:
            self._census.refresh()
        except CaptureAppError as error:
            _log.warning("census-not-refreshed", reason=str(error))


def _started(port: _Listening) -> bool:
    """True where it listens now. Where it cannot, the port logs why, and it is tried again."""
    try:
        port.start()
    except (CaptureAppError, OSError):
        return False
    return True


def _stop_all(ports: list[_Listening]) -> None:
    while ports:
        ports.pop().stop()


def passwords(settings: Settings) -> Callable[[str], str | None]:
    """Gives the secret under a name of the key store of the settings; None where it is not had."""

    def password(name: str) -> str | None:
        try:
            return read_secret(settings.security, name)
        except KeyUnavailableError as error:
            _log.warning("password-not-had", reason=str(error))
            return None

    return password
