"""How this station is at this moment, in figures: for a monitoring system. No identifiers."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from capture_app import __version__
from capture_app.clock import Clock
from capture_app.diagnostics.certificates import certificate_lives
from capture_app.errors import StoreError
from capture_app.model.worklist import FeedSource
from capture_app.outbox.outbox import Outbox
from capture_app.outbox.receiving.keeping import count_waiting, oldest_waiting
from capture_app.outbox.status import Counts
from capture_app.outbox.waiting import Backlog, waiting_by_destination
from capture_app.patients.census.status import FeedStatus
from capture_app.settings.schema import Settings

SILENT_AFTER_S: Final = 60.0
"""An engine that has ended no round for so long is told as silent."""
_MEGABYTE: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class DestinationHealth:
    """What one archive of the settings, or of before, has not confirmed."""

    destination: str
    waiting: int
    oldest_waiting_s: float
    stopped: int


@dataclass(frozen=True, slots=True)
class FeedHealth:
    """One feed. Times are seconds, None where nothing has come yet."""

    feed: str
    kind: str
    last_message_s: float | None
    dead_letters: int
    without_effect: int
    is_well: bool


@dataclass(frozen=True, slots=True)
class CertificateHealth:
    """Whole days that a certificate file still holds; negative: it has ended."""

    owner: str
    key: str
    days: int
    is_valid: bool
    """False also of one that holds only from a later day on."""


@dataclass(frozen=True, slots=True)
class HealthReport:
    """All of it. `problems` are stable codes; none: the station does its work."""

    version: str
    delivers: bool
    round_s: float | None
    """Since the engine ended a round; None before the first."""
    drafts: int
    needs_you: int
    it_asked: int
    received: int
    """Images that scanners sent and that are nobody's yet."""
    oldest_received_s: float
    """How long the oldest of them has waited; 0 where there is none."""
    destinations: tuple[DestinationHealth, ...]
    feeds: tuple[FeedHealth, ...]
    disk_free_bytes: int | None
    """None where the disk cannot be asked."""
    disk_needed_bytes: int
    certificates: tuple[CertificateHealth, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EngineProbe:
    """What of delivery is asked."""

    leads: Callable[[], bool]
    round_at: Callable[[], float | None]


def health(
    settings: Settings,
    outbox: Outbox,
    feeds: Callable[[], tuple[FeedStatus, ...]],
    engine: EngineProbe,
    clock: Clock,
) -> HealthReport:
    """Looks now. A database or a disk that cannot be read is a problem among others, and takes no
    figure of the rest away.
    """
    store_problems = []
    counts, waiting, told = Counts(), tuple[Backlog, ...](), tuple[FeedStatus, ...]()
    received, oldest = 0, None
    try:
        counts, waiting, told = outbox.counts(), waiting_by_destination(outbox.spool), feeds()
        received, oldest = count_waiting(outbox.spool), oldest_waiting(outbox.spool)
    except StoreError:
        store_problems = ["store-unreadable"]
    try:
        free = shutil.disk_usage(settings.data_dir).free
    except OSError:
        free = None
    at = engine.round_at()
    found = HealthReport(
        version=__version__,
        delivers=engine.leads(),
        round_s=None if at is None else max(0.0, clock.monotonic() - at),
        drafts=counts.drafts,
        needs_you=counts.needs_you,
        it_asked=counts.it_asked,
        received=received,
        oldest_received_s=_age(oldest, clock),
        destinations=tuple(_destinations(settings, waiting, clock)),
        feeds=tuple(_feed(status) for status in told),
        disk_free_bytes=free,
        disk_needed_bytes=settings.capture.min_free_mb * _MEGABYTE,
        certificates=tuple(
            CertificateHealth(life.owner, life.key, life.days, life.is_valid)
            for life in certificate_lives(settings, clock.now())
        ),
        problems=(),
    )
    return replace(found, problems=(*store_problems, *_problems(found)))


def _problems(found: HealthReport) -> Iterator[str]:
    if found.round_s is None or found.round_s > SILENT_AFTER_S:
        yield "engine-silent"
    if found.disk_free_bytes is None:
        yield "disk-unreadable"
    elif found.disk_free_bytes < found.disk_needed_bytes:
        yield "disk-low"
    if any(not feed.is_well for feed in found.feeds):
        yield "feed-trouble"
    if any(one.days < 0 for one in found.certificates):
        yield "certificate-expired"
    if any(one.days >= 0 and not one.is_valid for one in found.certificates):
        yield "certificate-not-yet-valid"


def _destinations(
    settings: Settings, waiting: tuple[Backlog, ...], clock: Clock
) -> Iterator[DestinationHealth]:
    """Those of the settings, also where nothing waits; then those that are not named any more."""
    found = {one.destination: one for one in waiting}
    names = [archive.name for archive in settings.archives]
    for name in [*names, *(name for name in found if name not in names)]:
        one = found.get(name) or Backlog(name, 0, 0, None)
        yield DestinationHealth(name, one.going, _age(one.oldest_sent_at, clock), one.stopped)


def _age(since: datetime | None, clock: Clock) -> float:
    return 0.0 if since is None else max(0.0, (clock.now() - since).total_seconds())


def _feed(status: FeedStatus) -> FeedHealth:
    kind = "adt" if status.source is FeedSource.ADT else "worklist"
    return FeedHealth(
        status.name,
        kind,
        status.age_seconds,
        status.dead_letters,
        status.without_effect,
        not status.problem,
    )
