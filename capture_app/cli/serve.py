"""capture-app serve: feeds and delivery without a window, until it is told to stop.

SIGHUP reads the settings again. To its service manager it says when it is ready, that delivery
lives (from the engine's own rounds), how it stands, and that it ends.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from enum import StrEnum
from functools import partial
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Final

import structlog

from capture_app.bootstrap import Background, Rooms, open_rooms
from capture_app.cli.main import EXIT_DONE, EXIT_FAILED
from capture_app.cli.start import CLOCK, read_settings, start
from capture_app.diagnostics.certificates import trust_files
from capture_app.diagnostics.health import EngineProbe, health
from capture_app.diagnostics.health_pages import page_of
from capture_app.errors import CaptureAppError, SettingsError, SettingsFault, StoreError
from capture_app.model.words import tr
from capture_app.net.http_listener import HttpListener
from capture_app.net.service_manager import ServiceManager
from capture_app.settings.practice import refuse_real_destinations
from capture_app.settings.schema import Settings

_log = structlog.get_logger(__name__)

_STATUS_EVERY_S: Final = 10.0


class _Word(StrEnum):
    """What the serving thread is woken by."""

    STOP = "stop"
    RELOAD = "reload"
    ROUND = "round"
    """The engine's first round of this running is over."""


# Unlike an Event its put may interrupt its own get, as a signal does.
_Words = SimpleQueue[_Word]


def arguments(parser: argparse.ArgumentParser) -> None:
    """This command has only the common options."""
    parser.epilog = (
        "Ends on SIGTERM or Ctrl+C, after what is under way was put back safely. Reads the "
        "settings again on SIGHUP."
    )


def run(args: argparse.Namespace) -> int:
    """Exit 0 when it was told to stop; 1 where delivery did not end and only a new process can go
    on.
    """
    settings = start(args, "serve")
    manager = ServiceManager.of(os.environ, CLOCK)
    words = _Words()
    _listen_to_signals(words)
    before: Settings | None = None
    refusal = ""
    while True:
        with ExitStack() as stack:
            trusted = trust_files(settings)
            try:
                rooms, background = stack.enter_context(_running(settings, manager, words))
            except (CaptureAppError, OSError) as error:
                if before is None:
                    raise
                refusal = _refused(error)
                settings, before = before, None
                continue
            if before is None and not refusal:
                sys.stdout.write(tr("Serving. Stop with Ctrl+C or SIGTERM.") + "\n")
                sys.stdout.flush()
            new = _until_told(args, rooms, background, manager, words, refusal, trusted)
            if new is None:
                _log.info("stopping")
                manager.stopping()
            else:
                _log.info("settings-change")
        if new is None:
            return EXIT_DONE
        if not background.ended_whole:  # it keeps the engine role: nobody else could deliver
            return EXIT_FAILED
        settings, before, refusal = new, settings, ""


def _listen_to_signals(words: _Words) -> None:
    def told(number: int, _frame: FrameType | None) -> None:
        words.put(_Word.STOP if number in _ENDS else _Word.RELOAD)

    for number in _ENDS:
        signal.signal(number, told)
    if sys.platform != "win32":
        signal.signal(signal.SIGHUP, told)


_ENDS: Final = frozenset({signal.SIGTERM, signal.SIGINT})


@contextmanager
def _running(
    settings: Settings, manager: ServiceManager, words: _Words
) -> Iterator[tuple[Rooms, Background]]:
    is_first = True

    def on_round() -> None:
        nonlocal is_first
        manager.alive()
        if is_first:
            is_first = False
            words.put(_Word.ROUND)

    with (
        open_rooms(settings, CLOCK, check=True) as rooms,
        Background(rooms, program="serve", on_round=on_round) as background,
        _health_port(rooms, background),
    ):
        _log.info("serving")
        yield rooms, background


@contextmanager
def _health_port(rooms: Rooms, background: Background) -> Iterator[None]:
    """Answers a monitoring system, where the settings name a port. One that cannot be had keeps
    nobody from delivering: it is told.
    """
    settings = rooms.settings
    if settings.health.port is None:
        yield
        return
    engine = EngineProbe(lambda: background.engine.leads, lambda: background.round_at)
    look = partial(health, settings, rooms.outbox, rooms.census.feed_status, engine, CLOCK)
    listener = HttpListener(settings.health.port, page_of(look), name="health", clock=CLOCK)
    with suppress(OSError):  # the port logs it
        listener.start()
    try:
        yield
    finally:
        listener.stop()


def _until_told(
    args: argparse.Namespace,
    rooms: Rooms,
    background: Background,
    manager: ServiceManager,
    words: _Words,
    refusal: str,
    trusted: Mapping[str, bytes],
) -> Settings | None:
    """Tells how it stands until it is to stop (None) or to go on with other settings, or with the
    same and other certificates.

    `refusal` is why settings that were read are not used, in words; it stays in what is told.
    `trusted` are the `trust_files` that are in force.
    """
    while True:
        try:
            word = words.get(timeout=_STATUS_EVERY_S)
        except Empty:
            manager.status(_how_it_stands(rooms, background, refusal))
            continue
        if word is _Word.STOP:
            return None
        if word is _Word.RELOAD:
            manager.reloading()
            try:
                new = _settings_anew(args, rooms.settings)
            except SettingsError as error:
                refusal = _refused(error)
            else:
                refusal = ""
                if new != rooms.settings or trust_files(new) != trusted:
                    return new
                _log.info("settings-unchanged")
        manager.status(_how_it_stands(rooms, background, refusal))
        manager.ready()


def _settings_anew(args: argparse.Namespace, now: Settings) -> Settings:
    """The settings as they stand now. Raises SettingsError where they are wrong, or where they
    change what a process has for its life.
    """
    loaded = read_settings(args)
    new = loaded.settings
    refuse_real_destinations(new)
    for_life = (
        ("data_dir", new.data_dir, now.data_dir),
        ("practice", new.practice, now.practice),
        ("security.key_store", new.security.key_store, now.security.key_store),
        ("security.key_file", new.security.key_file, now.security.key_file),
    )
    problem, allowed = tr("It was changed."), tr("what it was, until the service is started anew")
    faults = tuple(
        SettingsFault(loaded.origins.get(key, tr("defaults")), key, problem, allowed)
        for key, value, was in for_life
        if value != was
    )
    if faults:
        raise SettingsError(faults)
    return new


def _refused(error: CaptureAppError | OSError) -> str:
    """Tells that it goes on with the settings of before, and why. What the manager is told."""
    sys.stderr.write(tr("The settings are not used. Those of before stay in force.") + "\n")
    if isinstance(error, SettingsError):
        sys.stderr.write(f"{error}\n")
        keys = ", ".join(sorted({fault.key for fault in error.faults}))
        _log.error("settings-refused", count=len(error.faults), reason=keys)
        return tr("The settings are not used: wrong is {keys}.", keys=keys)
    reason = str(error) if isinstance(error, CaptureAppError) else error.strerror or ""
    sys.stderr.write(f"{reason}\n")
    _log.error("settings-refused", reason=reason)
    return tr("The settings are not used: {reason}", reason=reason)


def _how_it_stands(rooms: Rooms, background: Background, refusal: str) -> str:
    """One sentence or two for the service manager. No identifiers."""
    try:
        counts = rooms.outbox.counts()
    except StoreError as error:
        return str(error)
    stands = (
        tr(
            "Delivering: {n} on their way, {stopped} stopped.",
            n=counts.waiting,
            stopped=counts.stopped,
        )
        if background.engine.leads
        else tr("Standing by: another process delivers.")
    )
    return f"{stands} {refusal}".strip()
