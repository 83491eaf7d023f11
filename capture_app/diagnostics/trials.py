"""Connection trials: does every peer of the settings answer, by each way that it is used?"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Final

from capture_app.archive.connect import echo, ways
from capture_app.archive.echo import EchoResult, Way, echo_dimse, find_dimse
from capture_app.clock import Clock
from capture_app.errors import CaptureAppError
from capture_app.model.words import tr
from capture_app.patients.sources.worklist.items import identifier_for
from capture_app.patients.sources.worklist.query import MODALITY_WORKLIST_FIND, peer_of
from capture_app.security.keys import read_secret
from capture_app.settings.feeds import Worklist
from capture_app.settings.schema import ArchiveDestination, Settings

TRY_WITHIN_S: Final = 10.0
_BEFORE_WORKLISTS: Final = datetime(1900, 1, 2, tzinfo=UTC)
"""No step is scheduled for that day: the question finds nobody."""


@dataclass(frozen=True, slots=True)
class Tried:
    """How one way to one peer of the settings went. `reason` is a sentence, empty for `answers`.
    `code` is that of a connection that failed.
    """

    kind: str
    name: str
    way: str
    answers: bool
    milliseconds: int
    reason: str
    code: str = ""


def try_peers(settings: Settings, clock: Clock) -> tuple[Tried, ...]:
    """Tries every archive, by each way that it is used, and every worklist, all at the same time.

    No patient's data moves, and nothing is opened or written here. Takes at most TRY_WITHIN_S.
    """
    station = settings.station

    def of_archive(archive: ArchiveDestination, way: Way) -> EchoResult:
        short = replace(archive, deadline_seconds=min(archive.deadline_seconds, TRY_WITHIN_S))
        password = partial(read_secret, settings.security)
        return echo(short, station, way, clock=clock, password=password)

    def of_worklist(worklist: Worklist, way: Way) -> EchoResult:
        seconds = min(worklist.deadline_seconds, TRY_WITHIN_S)
        peer = peer_of(worklist, station.ae_title)
        if way is Way.DIMSE:
            return echo_dimse(peer, clock, seconds)
        nothing = identifier_for(worklist, _BEFORE_WORKLISTS)
        return find_dimse(peer, MODALITY_WORKLIST_FIND, nothing, clock, seconds)

    def tried(kind: str, name: str, way: Way, act: Callable[[], EchoResult]) -> Tried:
        try:
            result = act()
        except CaptureAppError as error:  # no password, for instance
            result = EchoResult(ok=False, milliseconds=0, reason=str(error))
        except OSError as error:
            reason = tr("A certificate file cannot be used: {why}.", why=error.strerror or error)
            result = EchoResult(ok=False, milliseconds=0, reason=reason)
        return Tried(
            *(kind, name, str(way), result.ok, result.milliseconds, result.reason, result.code)
        )

    tries = [
        partial(tried, "archive", archive.name, way, partial(of_archive, archive, way))
        for archive in settings.archives
        for way in ways(archive)
    ]
    tries += [
        partial(tried, "worklist", worklist.name, way, partial(of_worklist, worklist, way))
        for worklist in settings.worklists
        for way in (Way.DIMSE, Way.FIND)
    ]
    with ThreadPoolExecutor(max(1, len(tries)), "try") as pool:
        return tuple(pool.map(lambda each: each(), tries))
