"""What goes on by itself in one process: ports and delivery, in their order."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import structlog
from structlog.typing import EventDict, WrappedLogger

from capture_app import __version__
from capture_app.audit.trail import read_trail
from capture_app.audit.verify import verify_chain
from capture_app.bootstrap import ENGINE_LOCK, Background, open_rooms
from capture_app.clock import SystemClock
from capture_app.demo.hospital import Hospital
from capture_app.model.audit_event import AuditAction
from capture_app.patients.census.census import DATABASE
from capture_app.settings.schema import ProofChoice
from capture_app.store.role import EngineRole
from tests.certificates import certificate_between
from tests.faults.small_disk import small_disk
from tests.peers import is_listening
from tests.waiting import eventually


def test_ports_listen_before_anything_is_delivered(hospital: Hospital) -> None:
    """An archive may report at once on what it is asked, and a report that finds no port is lost
    until the archive is asked anew.
    """
    archive = replace(hospital.settings.archives[0], url="", proof=ProofChoice.STORAGE_COMMITMENT)
    settings = replace(hospital.settings, archives=(archive,))
    port = settings.archives[0].commitment_port
    assert port is not None
    with (
        open_rooms(settings, SystemClock()) as rooms,
        Background(rooms, program="test") as background,
    ):
        eventually(lambda: background.engine.leads, what="this process to deliver")
        assert is_listening(port)


def test_without_ports_delivery_begins_at_once(
    hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("capture_app.bootstrap._PORTS_TRIED_WITHIN_S", 1_000.0)
    settings = replace(hospital.settings, adt=None)
    with (
        open_rooms(settings, SystemClock()) as rooms,
        Background(rooms, program="test") as background,
    ):
        eventually(lambda: background.engine.leads, what="this process to deliver")


@pytest.mark.expects_log("certificate-not-valid")
def test_a_certificate_that_has_expired_is_told_in_the_log(
    hospital: Hospital, tmp_path: Path
) -> None:
    now = SystemClock().now()
    authority = tmp_path / "ca.pem"
    authority.write_bytes(certificate_between(now - timedelta(days=9), now - timedelta(days=1)))
    archive = replace(hospital.settings.archives[0], ca_file=str(authority))
    told = _log_entry("certificate-not-valid")
    settings = replace(hospital.settings, archives=(archive,))
    with open_rooms(settings, SystemClock()) as rooms, Background(rooms, program="test"):
        assert told.wait(30)


@pytest.mark.expects_log("feeds-look-failed")
def test_a_fault_of_one_look_does_not_end_the_feeds(
    hospital: Hospital, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("capture_app.bootstrap._RETRY_LISTENING_S", 0.1)
    settings, feed = hospital.settings, hospital.settings.adt
    assert feed is not None
    failed = _log_entry("feeds-look-failed")
    another = EngineRole(settings.data_dir / ENGINE_LOCK)
    with open_rooms(settings, SystemClock()) as rooms:
        assert another.try_acquire()
        with Background(rooms, program="test"):
            _rename(settings.data_dir / DATABASE, "events", "not_there")
            assert failed.wait(30)
            _rename(settings.data_dir / DATABASE, "not_there", "events")
            another.release()
            eventually(lambda: is_listening(feed.port), what="the feed to listen")


def _log_entry(name: str) -> threading.Event:
    """Set when the log gets an entry of that name."""
    seen = threading.Event()

    def look(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        if event["event"] == name:
            seen.set()
        return event

    structlog.configure(processors=[look, *structlog.get_config()["processors"]])
    return seen


def _rename(database: Path, table: str, new: str) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(f"ALTER TABLE {table} RENAME TO {new}")


def test_begin_and_end_of_a_program_are_in_the_trail(hospital: Hospital) -> None:
    settings = replace(hospital.settings, adt=None, worklists=())
    with open_rooms(settings, SystemClock()) as rooms:
        with Background(rooms, program="serve"):
            (begun,) = read_trail(rooms.database.read())
        *_, ended = read_trail(rooms.database.read())
        assert verify_chain(rooms.database.read(), cipher=rooms.cipher).whole
    assert begun.event.action is AuditAction.APPLICATION_STARTED
    assert ended.event.action is AuditAction.APPLICATION_STOPPED
    for event in (begun.event, ended.event):
        assert (event.user_id, event.patient_key) == ("capture-app", "")
        assert event.details == {"program": "serve", "version": __version__}


@pytest.mark.expects_log("not-in-the-trail")
def test_a_full_disk_does_not_keep_a_program_from_its_work(
    hospital: Hospital, tmp_path: Path
) -> None:
    settings = replace(hospital.settings, adt=None, worklists=())
    with open_rooms(settings, SystemClock()) as rooms:
        background = Background(rooms, program="serve")
        size = rooms.database.path.stat().st_size
        with small_disk("file-size-limit", tmp_path / "disk", size // 2):
            background._record(AuditAction.APPLICATION_STARTED)
        assert not list(read_trail(rooms.database.read()))
