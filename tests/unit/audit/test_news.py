"""What everybody should know of the trail at once."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from capture_app.audit.chain import TrailFault
from capture_app.audit.news import CLOCK_SET_BY, TrailReader
from capture_app.audit.trail import begin, mark_broken, record
from capture_app.audit.verify import BREAK_ROW
from capture_app.audit.watch import prove_trail
from capture_app.clock import FixedClock
from capture_app.model.audit_event import AuditAction, AuditEvent, EventOutcome
from capture_app.store.cipher import Cipher
from capture_app.store.database import Database

CIPHER = Cipher(bytes(range(32)))


@pytest.fixture
def db(tmp_path: Path, clock: FixedClock) -> Iterator[Database]:
    database = Database.open(tmp_path / "outbox.db", files("capture_app.outbox") / "migrations")
    with database.transaction() as connection:
        begin(connection, clock, cipher=CIPHER, is_first=True)
    act(database, clock, AuditAction.SIGNED_IN)
    yield database
    database.close()


def act(db: Database, clock: FixedClock, action: AuditAction, **details: str) -> None:
    with db.transaction() as connection:
        event = AuditEvent(action, "anna", EventOutcome.SUCCESS, details=details)
        record(connection, clock, event, cipher=CIPHER)


def last_row(db: Database) -> int:
    (seq,) = db.read().execute("SELECT max(seq) FROM audit").fetchone()
    return int(seq)


def test_a_whole_trail_is_no_news(db: Database) -> None:
    news = TrailReader(CIPHER).news(db.read())
    assert (news.holds, news.open_breaks, news.clock_set) == (True, 0, None)


@pytest.mark.expects_log("trail-broken")
def test_a_break_is_news_until_an_auditor_has_looked(db: Database, clock: FixedClock) -> None:
    reader = TrailReader(CIPHER)
    assert reader.news(db.read()).open_breaks == 0
    with db.transaction() as connection:
        mark_broken(connection, clock, TrailFault.PUT_BACK, cipher=CIPHER)
    assert reader.news(db.read()).open_breaks == 1
    act(db, clock, AuditAction.TRAIL_BREAK_SEEN, **{BREAK_ROW: str(last_row(db))})
    assert reader.news(db.read()).open_breaks == 0
    with db.transaction() as connection:
        mark_broken(connection, clock, TrailFault.PUT_BACK, cipher=CIPHER)
    assert (
        reader.news(db.read()).open_breaks == TrailReader(CIPHER).news(db.read()).open_breaks == 1
    )


@pytest.mark.expects_log("trail-broken")
def test_a_cut_tail_and_a_changed_row_are_news(db: Database, clock: FixedClock) -> None:
    for _ in range(3):
        act(db, clock, AuditAction.LOCKED)
    reader = TrailReader(CIPHER)
    assert reader.news(db.read()).holds
    with db.transaction() as connection:
        connection.execute("DROP TRIGGER audit_is_never_changed")
        connection.execute("DROP TRIGGER audit_is_never_deleted")
        connection.execute("UPDATE audit SET at = '2001-01-01' WHERE seq = 2")
    assert reader.news(db.read()).holds  # in the midst of it: the hourly proof finds that
    assert not prove_trail(db, clock, CIPHER)
    assert reader.news(db.read()).open_breaks == 1
    with db.transaction() as connection:
        connection.execute("DELETE FROM audit WHERE seq > 3")
    assert not reader.news(db.read()).holds


def test_a_row_that_says_so_without_the_key_says_nothing(db: Database, clock: FixedClock) -> None:
    act(db, clock, AuditAction.CLOCK_JUMPED, **{CLOCK_SET_BY: "+90"})
    with db.transaction() as connection:
        connection.execute("DROP TRIGGER audit_is_never_changed")
        connection.execute("UPDATE audit SET event = replace(event, '+90', '+9')")
    assert TrailReader(CIPHER).news(db.read()).clock_set is None


def test_the_last_time_that_the_clock_was_set_is_news(db: Database, clock: FixedClock) -> None:
    reader = TrailReader(CIPHER)
    for seconds in ("+86400", "-90"):
        act(db, clock, AuditAction.CLOCK_JUMPED, **{CLOCK_SET_BY: seconds})
        told = reader.news(db.read()).clock_set
        assert told is not None
        assert (told.at, told.seconds) == (clock.now(), float(seconds))
