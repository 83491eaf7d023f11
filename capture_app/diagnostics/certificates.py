"""How long the certificates of the settings still hold, and the word when one is about to end."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import structlog

from capture_app.clock import Clock
from capture_app.model.words import tr, trn
from capture_app.settings.keys import keys_of
from capture_app.settings.schema import Settings

WARN_DAYS: Final = (30, 14, 7, 1)
"""At how many days left it is told, and told again."""

_TRUST: Final = frozenset({"ca_file", "certificate_file", "certificate_key_file"})
_LOOK_EVERY_S: Final = 3600.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CertificateLife:
    """One certificate file of the settings. `key` is as `archives[0].certificate_file`."""

    key: str
    owner: str
    """Whom it is for: the name of the archive or the feed."""
    begins: datetime
    ends: datetime
    now: datetime

    @property
    def days(self) -> int:
        """Whole days left; negative where it has expired."""
        return (self.ends - self.now) // timedelta(days=1)

    @property
    def is_valid(self) -> bool:
        """Whether it holds now."""
        return self.begins <= self.now < self.ends

    @property
    def stage(self) -> int | None:
        """The least of WARN_DAYS that is not yet past, 0 where it does not hold, else None."""
        if not self.is_valid:
            return 0
        left = self.ends - self.now
        return min((days for days in WARN_DAYS if left <= timedelta(days)), default=None)

    @property
    def problem(self) -> str:
        """What is the matter, as a sentence without its subject; empty where nothing is."""
        if self.now < self.begins:
            return tr("It holds only from {day} on.", day=f"{self.begins:%Y-%m-%d}")
        if not self.is_valid:
            return tr("It expired on {day}.", day=f"{self.ends:%Y-%m-%d}")
        if self.stage is None:
            return ""
        if not self.days:
            return tr("It expires within a day.")
        return trn("It expires in {n} day.", "It expires in {n} days.", self.days)


def certificate_lives(settings: Settings, now: datetime) -> tuple[CertificateLife, ...]:
    """Every certificate file that the settings name and that can be read, the first to end first.

    Of our own certificate the whole chain has to hold; of a file of authorities the longest counts,
    for it may hold old ones beside those in use.
    """
    lives = []
    for key, owner, path in _files(settings, "", ""):
        if key.endswith("key_file"):
            continue
        if spans := _spans_of(path):
            ours = not key.endswith("ca_file")
            begins, ends = (
                (max(b for b, _ in spans), min(e for _, e in spans))
                if ours
                else max(spans, key=lambda span: span[1])
            )
            lives.append(CertificateLife(key, owner, begins, ends, now))
    return tuple(sorted(lives, key=lambda life: (life.ends, life.key)))


def trust_files(settings: Settings) -> Mapping[str, bytes]:
    """What stands in each file of certificates, and of their keys, as a hash, by the key of the
    settings that names it: a port that is open goes on with what it was opened with.
    """
    return {key: _hash_of(path) for key, _owner, path in _files(settings, "", "")}


class CertificateWatch:
    """Logs each certificate that is about to end: at the start, and at each of WARN_DAYS."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._told: dict[str, int | None] = {}
        self._look_at = float("-inf")

    def look(self) -> None:
        """To be called often: it looks once an hour. One that does not hold is told each day."""
        if (at := self._clock.monotonic()) < self._look_at:
            return
        self._look_at = at + _LOOK_EVERY_S
        for life in certificate_lives(self._settings, self._clock.now()):
            stage = min(life.days, 0) if life.stage == 0 else life.stage
            if self._told.get(life.key) == stage:
                continue
            self._told[life.key] = stage
            if life.stage == 0:
                _log.error("certificate-not-valid", source=life.key, days=life.days)
            elif stage is not None:
                _log.warning("certificate-ends", source=life.key, days=life.days)


def _files(table: Any, path: str, owner: str) -> Iterator[tuple[str, str, Path]]:
    """Key, owner and path of every file of _TRUST, wherever the schema has one."""
    owner = getattr(table, "name", owner)
    kind: Callable[..., object] = type(table)
    for key in keys_of(kind):
        value, where = getattr(table, key.name), f"{path}.{key.name}" if path else key.name
        if key.is_table and key.is_list:
            for number, item in enumerate(value):
                yield from _files(item, f"{where}[{number}]", key.name)
        elif key.is_table:
            if value is not None:
                yield from _files(value, where, key.name)
        elif key.name in _TRUST and value:
            yield where, owner, Path(value)


def _hash_of(path: Path) -> bytes:
    try:
        return hashlib.sha256(path.read_bytes()).digest()
    except OSError:
        return b""  # the check of the settings says it


def _spans_of(path: Path) -> tuple[tuple[datetime, datetime], ...]:
    """From when and until when each certificate of a PEM file holds; none where it is unreadable,
    which the check of the settings and the connection say in their own words.
    """
    try:
        found = path.stat()
        return _read_spans(path, found.st_mtime_ns, found.st_size)
    except (OSError, ValueError):
        return ()


@lru_cache(maxsize=64)
def _read_spans(path: Path, _mtime: int, _size: int) -> tuple[tuple[datetime, datetime], ...]:
    from cryptography import x509  # noqa: PLC0415 - few settings name a certificate

    try:
        certificates = x509.load_pem_x509_certificates(path.read_bytes())
    except x509.InvalidVersion as error:  # of another tree than the rest of what it raises
        raise ValueError from error
    return tuple((c.not_valid_before_utc, c.not_valid_after_utc) for c in certificates)
