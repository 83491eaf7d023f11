"""Whose the pictures of a card are: by the slates among them, and nobody's wherever that is not
sure. Pure functions over values; the words are the caller's.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import groupby
from typing import Final

from capture_app.devices.card import CardFile, FileSort
from capture_app.model.slate import Slate, SlateCode

LONGEST_GAP: Final = timedelta(minutes=3)
_BACK: Final = timedelta(seconds=-2)
"""Burst shots are numbered and stamped by two parts of a camera."""
_ANOTHER_DAY: Final = timedelta(hours=12)
_CLOCK_OFF: Final = timedelta(hours=2)
"""A wrong clock, or a wrong summer time, of a camera that is believed without further proof."""
_FORGIVEN_FOR: Final = timedelta(days=1)
_AHEAD: Final = timedelta(minutes=2)
_LAST_NUMBER: Final = 9999


class Why(StrEnum):
    """Why pictures are nobody's."""

    NO_SLATE = "no-slate"
    """They come before the first slate."""
    GAP = "gap"
    """The picture before them is more than three minutes older."""
    RESTART = "restart"
    """The camera numbered them anew, or files before them are missing: a slate may be."""
    DATE_JUMP = "date-jump"
    """The clock of the camera went back, or on to another day."""
    NO_TIME = "no-time"
    """When they were taken is not said: whether there was a gap is not known."""
    CLOSED = "closed"
    """They come after a closing slate."""
    UNREADABLE = "unreadable"
    """A picture before them cannot be read: it may be a slate."""
    TWO_SLATES = "two-slates"
    """The picture before them shows two slates."""
    UNKNOWN_SLATE = "unknown-slate"
    """The slate before them is not of this station, or was forgotten."""
    STALE_SLATE = "stale-slate"
    """The slate before them is of another time than the camera says."""
    OTHER_CAMERA = "other-camera"
    """Another camera took them than those before."""
    CONTRADICTED = "contradicted"
    """The slate before them is of one patient, the closing slate behind them of another."""


_BRACKETED: Final = frozenset({Why.GAP, Why.NO_TIME})
"""What a closing slate of the same patient answers: that nobody came between."""
_SOMEBODYS: Final = frozenset(
    {Why.TWO_SLATES, Why.UNKNOWN_SLATE, Why.STALE_SLATE, Why.UNREADABLE, Why.CONTRADICTED}
)
"""Before them was, or may be, a slate that names another."""


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A file of a card that was read. Films are not: they hold no slate."""

    file: CardFile
    digest: str = ""
    camera_time: datetime | None = None
    """What the clock of the camera showed, without a zone."""
    camera: str = ""
    codes: tuple[SlateCode, ...] = ()
    fault: str = ""
    """Why it is no picture that can be kept; empty where it can."""


@dataclass(frozen=True, slots=True)
class Group:
    """Pictures that follow each other. `slate` says whose they are; without one, `why` not."""

    files: tuple[SeenFile, ...]
    slate: Slate | None = None
    why: Why | None = None
    offered: Slate | None = None
    """Of pictures that are nobody's: whose they may be; only a person can say so."""
    clock_off: timedelta | None = None
    """How much later the clock of the camera was than the slate; None where that is not known."""
    is_closed: bool = False
    """A closing slate follows them."""


def sort_card(
    files: Sequence[SeenFile], slates: Mapping[str, Slate], now: datetime
) -> tuple[Group, ...]:
    """The pictures of a card by whose they are, in the order in which they were taken.

    Within DCIM the numbers that the camera gave order them, elsewhere the times of each camera.
    There a picture that cannot be read has no place: it may be a slate before any of the others.
    `slates`: those that this station knows, by token.
    """
    found: list[Group] = []
    for (root, _), of_one in groupby(sorted(files, key=_order), key=_stream):
        listed = tuple(of_one)
        groups = _Sorting(slates, now).sort(listed)
        found += groups if root else _unless_in_doubt(groups, files)
    return tuple(found)


def _stream(seen: SeenFile) -> tuple[str, str]:
    return seen.file.root, "" if seen.file.root else seen.camera


def _order(seen: SeenFile) -> tuple[object, ...]:
    file = seen.file
    if file.root and file.number is not None:
        return *_stream(seen), file.folder_number, file.number, "", file.path.name
    at = "" if seen.camera_time is None else seen.camera_time.isoformat()
    return *_stream(seen), 0, 0, at, str(file.path)


def _unless_in_doubt(groups: Sequence[Group], files: Sequence[SeenFile]) -> list[Group]:
    if not any(seen.fault and not seen.file.root for seen in files):
        return list(groups)
    return [
        group
        if group.slate is None
        else replace(group, slate=None, why=Why.UNREADABLE, offered=group.slate)
        for group in groups
    ]


@dataclass(eq=False, slots=True)
class _Run:
    slate: Slate | None
    why: Why | None
    offered: Slate | None
    clock_off: timedelta | None
    files: list[SeenFile] = field(default_factory=list)
    is_closed: bool = False

    @property
    def possible(self) -> Slate | None:
        """Whose the next pictures may be if something comes between."""
        return self.slate or self.offered


class _Sorting:
    """One pass over the files of one camera."""

    def __init__(self, slates: Mapping[str, Slate], now: datetime) -> None:
        self._slates = slates
        self._now = now
        self._runs: list[_Run] = []
        self._run = self._begin(None, Why.NO_SLATE)
        self._since = 0
        """The first run after the last slate, of whomever."""
        self._last: Slate | None = None
        self._may_be_lost = False
        """Whether another slate may have been before the camera since the last one that is here."""

    def sort(self, files: Sequence[SeenFile]) -> list[Group]:
        before: SeenFile | None = None
        pictured: SeenFile | None = None
        for seen in files:
            cut = _cut(before, pictured, seen)
            if seen.fault or cut not in (None, *_BRACKETED):
                self._may_be_lost = True
            if seen.codes:
                self._slate(seen, cut)
            elif seen.fault:
                self._run = self._begin(None, Why.UNREADABLE, self._run.possible)
            elif seen.file.sort is FileSort.PICTURE:
                if cut is not None:
                    why = self._run.why if self._run.why in _SOMEBODYS else cut
                    self._run = self._begin(None, why, self._run.possible)
                self._run.files.append(seen)
            before = seen
            if not seen.fault and seen.file.sort is FileSort.PICTURE:
                pictured = seen
        return [
            Group(tuple(r.files), r.slate, r.why, r.offered, r.clock_off, r.is_closed)
            for r in self._runs
            if r.files
        ]

    def _begin(
        self,
        slate: Slate | None,
        why: Why | None,
        offered: Slate | None = None,
        clock_off: timedelta | None = None,
    ) -> _Run:
        if offered is not None and why is not Why.DATE_JUMP:
            clock_off = self._run.clock_off
        run = _Run(slate, why, offered, clock_off)
        self._runs.append(run)
        return run

    def _slate(self, seen: SeenFile, cut: Why | None) -> None:
        found, off = self._read(seen)
        code, slate = seen.codes[0], found if isinstance(found, Slate) else None
        if slate is not None and code.closes:
            self._close(slate, off, cut)
            self._run = self._begin(None, Why.CLOSED)
        elif isinstance(found, Why):
            self._run = self._begin(None, found)
        else:
            self._run = self._begin(found, None, clock_off=off)
        self._last, self._may_be_lost = slate, False
        self._since = len(self._runs) - 1

    def _close(self, slate: Slate, off: timedelta | None, cut: Why | None) -> None:
        runs = self._runs[self._since :]
        if self._last is not None and self._last.token == slate.token:
            for run in runs:
                if run.why in _BRACKETED and not self._may_be_lost:
                    run.slate, run.why, run.offered = slate, None, None
                run.is_closed = run.slate is not None
            return
        for run in runs:
            if run.slate is not None:
                run.slate, run.why = None, Why.CONTRADICTED
            run.offered = None
        last = runs[-1]
        if cut is None and last.why not in _SOMEBODYS:  # shown once, at the end
            last.offered, last.clock_off = slate, off

    def _read(self, seen: SeenFile) -> tuple[Slate | Why, timedelta | None]:
        """Whose slate is in a picture, and how far off the clock of its camera was."""
        if len(seen.codes) > 1:
            return Why.TWO_SLATES, None
        code = seen.codes[0]
        slate = self._slates.get(code.token)
        if slate is None or slate.is_printed != (code.shown_at is None):
            return Why.UNKNOWN_SLATE, None
        at = code.shown_at
        if at is None:
            return slate if self._is_of_its_day(slate, seen) else Why.STALE_SLATE, None
        if not slate.made_at - _AHEAD <= at <= min(slate.ends_at, self._now + _AHEAD):
            return Why.UNKNOWN_SLATE, None
        is_new = self._now - at <= _FORGIVEN_FOR
        if seen.camera_time is None:
            return slate if is_new else Why.STALE_SLATE, None
        off = seen.camera_time - at.astimezone(self._now.tzinfo).replace(tzinfo=None)
        is_wrong_for_sure = off < timedelta() or self._local(seen.camera_time) > self._now + _AHEAD
        if abs(off) <= _CLOCK_OFF or (is_new and is_wrong_for_sure):
            return slate, off
        return Why.STALE_SLATE, None

    def _is_of_its_day(self, slate: Slate, seen: SeenFile) -> bool:
        """Whether a printed slate cannot have been photographed after its day."""
        if self._now <= slate.ends_at:
            return True
        if seen.camera_time is None:
            return False
        return slate.made_at - _CLOCK_OFF <= self._local(seen.camera_time) <= slate.ends_at

    def _local(self, camera_time: datetime) -> datetime:
        return camera_time.replace(tzinfo=self._now.tzinfo)


def _cut(before: SeenFile | None, pictured: SeenFile | None, seen: SeenFile) -> Why | None:
    """What lies between a file and the one before it, the last picture before it, so that it may be
    of another patient.
    """
    if before is not None and not _is_next(before.file, seen.file):
        return Why.RESTART
    if pictured is None:
        return None
    if pictured.camera and seen.camera and pictured.camera != seen.camera:
        return Why.OTHER_CAMERA
    if seen.camera_time is None or pictured.camera_time is None:
        return Why.NO_TIME
    apart = seen.camera_time - pictured.camera_time
    is_other_day = seen.camera_time.date() != pictured.camera_time.date()
    if apart < _BACK or (apart > _ANOTHER_DAY and is_other_day):
        return Why.DATE_JUMP
    return Why.GAP if apart > LONGEST_GAP else None


def _is_next(before: CardFile, file: CardFile) -> bool:
    if before.number is None or file.number is None:
        return True
    if before.folder_number == file.folder_number:
        return file.number - before.number in (0, 1)
    is_next_folder = file.folder_number == before.folder_number + 1
    return is_next_folder and (
        file.number == before.number + 1 or (before.number == _LAST_NUMBER and file.number <= 1)
    )
