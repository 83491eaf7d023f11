"""The head of the trail that is noted elsewhere: what only it can tell."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path
from typing import NoReturn

import pytest

from capture_app.audit.anchor import AnchorPlace, hold_to_anchor
from capture_app.audit.chain import TrailFault
from capture_app.audit.trail import begin, read_trail, record
from capture_app.audit.verify import verify_chain
from capture_app.audit.watch import TrailWatch, prove_trail
from capture_app.clock import FixedClock
from capture_app.errors import KeyUnavailableError
from capture_app.model.audit_event import AuditAction, AuditEvent
from capture_app.security.keys import trail_anchor
from capture_app.settings.schema import KeyStore, Security
from capture_app.store.cipher import Cipher
from capture_app.store.database import Database

CIPHER = Cipher(bytes(range(32)))


@dataclass
class Station:
    """A trail in a folder, and the folder of its key file beside it."""

    folder: Path
    clock: FixedClock
    opened: list[Database] = field(default_factory=list)

    @property
    def place(self) -> AnchorPlace:
        key_file = self.folder.parent / "keys" / "station.key"
        security = Security(key_store=KeyStore.FILE, key_file=str(key_file))
        return trail_anchor(security, self.folder)

    def open(self) -> Database:
        path = self.folder / "outbox.db"
        database = Database.open(path, files("capture_app.outbox") / "migrations")
        self.opened.append(database)
        with database.transaction() as connection:
            begin(connection, self.clock, cipher=CIPHER, is_first=True)
        return database

    def act(self, database: Database, user: str, times: int = 3) -> None:
        for _ in range(times):
            with database.transaction() as connection:
                record(
                    connection,
                    self.clock,
                    AuditEvent(AuditAction.SIGNED_IN, user),
                    cipher=CIPHER,
                )

    def hold(self, database: Database) -> TrailFault | None:
        return hold_to_anchor(database, self.clock, CIPHER, self.place)

    def copy(self, database: Database, to: Path) -> None:
        database.close()
        shutil.copytree(self.folder, to)

    def put_back(self, copy: Path) -> Database:
        for database in self.opened:
            database.close()
        shutil.rmtree(self.folder)
        shutil.copytree(copy, self.folder)
        return self.open()


@pytest.fixture
def station(tmp_path: Path, clock: FixedClock) -> Iterator[Station]:
    (tmp_path / "keys").mkdir(mode=0o700)
    found = Station(tmp_path / "data", clock)
    yield found
    for database in found.opened:
        database.close()


def test_a_trail_that_goes_on_is_noted_and_holds(station: Station) -> None:
    database = station.open()
    assert station.hold(database) is None
    station.act(database, "anna")
    assert station.hold(database) is None
    noted = station.place.read()
    assert noted is not None
    assert '"row": 3' in noted
    assert station.hold(database) is None
    assert station.place.read() == noted
    assert verify_chain(database.read(), cipher=CIPHER).whole


@pytest.mark.expects_log("trail-broken")
def test_yesterdays_database_is_not_whole(station: Station, tmp_path: Path) -> None:
    database = station.open()
    station.act(database, "anna")
    station.hold(database)
    station.copy(database, tmp_path / "yesterday")
    database = station.open()
    station.act(database, "bob")
    station.hold(database)
    database = station.put_back(tmp_path / "yesterday")
    assert verify_chain(database.read(), cipher=CIPHER).whole  # by itself it cannot know
    assert station.hold(database) is TrailFault.PUT_BACK
    (*_, told) = read_trail(database.read())
    assert told.event.details == {"reason": "put-back", "last_row": "3", "noted_row": "6"}
    assert verify_chain(database.read(), cipher=CIPHER).needs_attention
    assert station.hold(database) is None  # it was told, and goes on from here


@pytest.mark.expects_log("trail-broken")
def test_yesterdays_database_with_new_acts_is_not_whole(station: Station, tmp_path: Path) -> None:
    database = station.open()
    station.hold(database)
    station.copy(database, tmp_path / "yesterday")
    database = station.open()
    station.act(database, "bob")
    station.hold(database)
    database = station.put_back(tmp_path / "yesterday")
    station.act(database, "mallory", 5)
    assert station.hold(database) is TrailFault.OTHER_HISTORY


@pytest.mark.expects_log("trail-broken")
def test_an_emptied_trail_is_not_whole(station: Station, tmp_path: Path) -> None:
    database = station.open()
    station.act(database, "anna")
    station.hold(database)
    database.close()
    (tmp_path / "empty").mkdir()
    database = station.put_back(tmp_path / "empty")
    assert station.hold(database) is TrailFault.PUT_BACK


@pytest.mark.expects_log("trail-broken")
@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (None, TrailFault.ANCHOR_MISSING),
        ("", TrailFault.ANCHOR_CHANGED),
        ('{"row": 1, "hash": "00", "mac": "00"}', TrailFault.ANCHOR_CHANGED),
        ("[1]", TrailFault.ANCHOR_CHANGED),
    ],
)
def test_a_note_that_is_gone_or_changed_is_a_fault(
    station: Station, content: str | None, fault: TrailFault
) -> None:
    database = station.open()
    station.act(database, "anna")
    station.hold(database)
    (note,) = (station.folder.parent / "keys").iterdir()
    if content is None:
        note.unlink()
    else:
        note.write_text(content)
    assert station.hold(database) is fault
    assert station.hold(database) is None


@pytest.mark.expects_log("trail-anchor-not-had")
def test_a_place_that_cannot_be_reached_is_no_fault_and_stops_nothing(station: Station) -> None:
    def refuse(*_: object) -> NoReturn:
        raise KeyUnavailableError("The key store is locked.")

    database = station.open()
    station.act(database, "anna")
    station.hold(database)
    refusing = AnchorPlace(refuse, refuse)
    assert hold_to_anchor(database, station.clock, CIPHER, refusing) is None
    assert verify_chain(database.read(), cipher=CIPHER).whole


class Killed(BaseException):
    """The end of the process, at once."""


@pytest.mark.parametrize("is_written", [False, True])
@pytest.mark.parametrize("is_first", [False, True])
def test_who_is_killed_at_the_note_has_not_touched_the_trail(
    station: Station, *, is_written: bool, is_first: bool
) -> None:
    def die(text: str) -> None:
        if is_written:
            station.place.write(text)
        raise Killed

    database = station.open()
    station.act(database, "anna")
    if not is_first:
        station.hold(database)
        station.act(database, "anna")
    with pytest.raises(Killed):
        hold_to_anchor(database, station.clock, CIPHER, AnchorPlace(station.place.read, die))
    station.act(database, "bob")
    assert station.hold(database) is None
    assert station.hold(database) is None
    assert verify_chain(database.read(), cipher=CIPHER).whole


@pytest.mark.expects_log("trail-anchor-not-had")
def test_a_place_that_never_takes_a_note_is_missed_by_nobody(station: Station) -> None:
    """A key file in a folder that is not the application's to write."""

    def refuse(_text: str) -> NoReturn:
        raise KeyUnavailableError("The folder cannot be written.")

    database = station.open()
    station.act(database, "anna")
    for _ in range(3):
        place = AnchorPlace(station.place.read, refuse)
        assert hold_to_anchor(database, station.clock, CIPHER, place) is None
    assert verify_chain(database.read(), cipher=CIPHER).whole


@pytest.mark.expects_log("trail-broken", "trail-anchor-not-had")
def test_what_is_found_each_minute_is_told_once(station: Station, tmp_path: Path) -> None:
    def refuse(_text: str) -> NoReturn:
        raise KeyUnavailableError("The folder cannot be written.")

    database = station.open()
    station.copy(database, tmp_path / "yesterday")
    database = station.open()
    station.act(database, "anna")
    station.hold(database)
    database = station.put_back(tmp_path / "yesterday")
    place = AnchorPlace(station.place.read, refuse)
    for _ in range(3):
        fault = hold_to_anchor(database, station.clock, CIPHER, place)
        assert fault is TrailFault.PUT_BACK
    assert len(verify_chain(database.read(), cipher=CIPHER).breaks) == 1


@pytest.mark.expects_log("trail-broken")
def test_what_is_broken_in_the_middle_is_found_by_the_watch_and_told_once(
    station: Station,
) -> None:
    database = station.open()
    station.act(database, "anna", 4)
    watch = TrailWatch(database, station.clock, CIPHER, station.place)
    watch.look()
    with database.transaction() as connection:
        connection.execute("DROP TRIGGER audit_is_never_changed")
        connection.execute("UPDATE audit SET event = replace(event, 'anna', 'bob') WHERE seq = 2")
    watch.look()
    assert verify_chain(database.read(), cipher=CIPHER).breaks == ()  # each hour
    station.clock.advance(3600)
    watch.look()
    (found,) = verify_chain(database.read(), cipher=CIPHER).breaks
    assert found.reason == "rows-changed"
    assert prove_trail(database, station.clock, CIPHER)


@pytest.mark.expects_log("trail-broken", "trail-row-unreadable")
def test_other_rows_than_those_that_were_told_are_told_too(station: Station) -> None:
    database = station.open()
    station.act(database, "anna", 9)
    rows = "SELECT event FROM audit WHERE seq = ?"
    texts = {seq: database.read().execute(rows, (seq,)).fetchone()[0] for seq in (2, 3, 6, 7)}

    def put(seq: int, text: str) -> None:
        with database.transaction() as connection:
            connection.execute("UPDATE audit SET event = ? WHERE seq = ?", (text, seq))

    with database.transaction() as connection:
        connection.execute("DROP TRIGGER audit_is_never_changed")
    for seq in (2, 3, 6):
        put(seq, "{}")
    assert not prove_trail(database, station.clock, CIPHER)
    assert prove_trail(database, station.clock, CIPHER)
    put(2, texts[2])  # what was told is mended, and another row is broken for it
    assert prove_trail(database, station.clock, CIPHER)
    put(7, "{}")
    assert not prove_trail(database, station.clock, CIPHER)
    assert prove_trail(database, station.clock, CIPHER)
    *_, first, second = read_trail(database.read())
    assert (first.event.details["broken_rows"], first.event.details["which_rows"]) == ("3", "2-3,6")
    assert (second.event.details["broken_rows"], second.event.details["which_rows"]) == ("3", "7")


@pytest.mark.expects_log("trail-not-looked-after")
def test_the_watch_goes_on_after_what_nobody_foresaw(station: Station) -> None:
    def fail() -> None:
        raise RuntimeError

    database = station.open()
    watch = TrailWatch(database, station.clock, CIPHER, station.place, also=fail)
    watch.start()
    watch.stop()
    noted = station.place.read()
    assert noted is not None
