import sqlite3
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from capture_app.audit.chain import TrailFault
from capture_app.audit.trail import begin, mark_broken, read_trail, record
from capture_app.audit.verify import BREAK_ROW, WHICH_ROWS, verify_chain
from capture_app.clock import FixedClock
from capture_app.model.audit_event import AuditAction, AuditEvent, EventOutcome
from capture_app.store.cipher import Cipher
from capture_app.store.database import Database

CIPHER = Cipher(bytes(range(32)))
EVENTS = (
    AuditEvent(AuditAction.SIGNED_IN, "anna"),
    AuditEvent(
        AuditAction.CAPTURED,
        "anna",
        exam_id="e1",
        sop_instance_uid="2.25.1",
        study_instance_uid="2.25.2",
        patient_key="ab" * 32,
        details={"b": "2", "a": "é"},
    ),
    AuditEvent(AuditAction.SIGN_IN_FAILED, "bob", outcome=EventOutcome.MINOR_FAILURE),
    AuditEvent(AuditAction.PURGED, "engine"),
    AuditEvent(AuditAction.LOCKED, "anna"),
)


@pytest.fixture
def db(tmp_path: Path, clock: FixedClock) -> Iterator[Database]:
    database = Database.open(tmp_path / "outbox.db", files("capture_app.outbox") / "migrations")
    with database.transaction() as connection:
        begin(connection, clock, cipher=CIPHER, is_first=True)
    yield database
    database.close()


@pytest.fixture
def trail(db: Database, clock: FixedClock) -> Database:
    """A database with five acts."""
    for event in EVENTS:
        clock.advance(61.5)
        with db.transaction() as connection:
            record(connection, clock, event, cipher=CIPHER)
    return db


def tamper(db: Database, *statements: str) -> None:
    """What somebody with the file and an SQLite shell would do: the triggers do not stop them."""
    with db.transaction() as connection:
        connection.execute("DROP TRIGGER IF EXISTS audit_is_never_changed")
        connection.execute("DROP TRIGGER IF EXISTS audit_is_never_deleted")
        for statement in statements:
            connection.execute(statement)


def test_an_act_that_is_recorded_meanwhile_is_no_gap(trail: Database, clock: FixedClock) -> None:
    reading = trail.read()
    with trail.transaction() as connection:
        pass
    another = sqlite3.connect(trail.path, isolation_level=None)

    def append(statement: str) -> None:
        if "audit_head" in statement and not another.in_transaction:
            connection.set_trace_callback(None)
            another.execute("BEGIN IMMEDIATE")
            record(another, clock, EVENTS[0], cipher=CIPHER)
            another.execute("COMMIT")

    connection.set_trace_callback(append)  # between the rows and the head
    report = verify_chain(reading, cipher=CIPHER)
    assert (report.rows, report.whole) == (len(EVENTS), True)
    report = verify_chain(reading, cipher=CIPHER)
    assert (report.rows, report.whole) == (len(EVENTS) + 1, True)
    another.close()


def test_empty_trail_holds(db: Database) -> None:
    report = verify_chain(db.read(), cipher=CIPHER)
    assert (report.rows, report.first_broken, report.head_holds) == (0, None, True)
    assert report.whole


def test_what_was_recorded_is_read_back_in_order(trail: Database) -> None:
    rows = list(read_trail(trail.read()))
    assert tuple(row.event for row in rows) == EVENTS
    assert [row.seq for row in rows] == [1, 2, 3, 4, 5]
    assert rows[0].at.isoformat() == "2024-07-02T09:31:01.500000+02:00"
    assert [row.seq for row in read_trail(trail.read(), after=3)] == [4, 5]
    assert verify_chain(trail.read(), cipher=CIPHER).whole


def test_act_stands_there_if_and_only_if_its_transaction_does(
    trail: Database, clock: FixedClock
) -> None:
    def fail_after_recording() -> None:
        with trail.transaction() as connection:
            record(connection, clock, EVENTS[0], cipher=CIPHER)
            raise KeyError

    with pytest.raises(KeyError):
        fail_after_recording()
    assert verify_chain(trail.read(), cipher=CIPHER).rows == 5
    with trail.transaction() as connection:
        record(connection, clock, EVENTS[0], cipher=CIPHER)
    report = verify_chain(trail.read(), cipher=CIPHER)
    assert report.rows == 6
    assert report.whole


def test_recording_outside_a_transaction_is_a_fault(db: Database, clock: FixedClock) -> None:
    with db.transaction() as connection:
        pass
    with pytest.raises(RuntimeError, match="transaction"):
        record(connection, clock, EVENTS[0], cipher=CIPHER)


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE audit SET event = replace(event, 'anna', 'bob') WHERE seq = 2", 2),
        ("UPDATE audit SET at = '2020-01-01T00:00:00+00:00' WHERE seq = 4", 4),
        ("UPDATE audit SET event = replace(event, '}', ' }') WHERE seq = 1", 1),
        ("DELETE FROM audit WHERE seq = 1", 2),
        ("DELETE FROM audit WHERE seq = 3", 4),
        ("UPDATE audit SET hash = hex(randomblob(32)) WHERE seq = 5", 5),
        ("UPDATE audit SET previous_hash = hex(randomblob(32)) WHERE seq = 3", 3),
    ],
)
def test_changed_and_removed_rows_are_found(trail: Database, statement: str, broken: int) -> None:
    tamper(trail, statement)
    report = verify_chain(trail.read(), cipher=CIPHER)
    assert report.first_broken == broken
    assert not report.whole


def test_moved_rows_are_found(trail: Database) -> None:
    tamper(
        trail,
        "UPDATE audit SET seq = 100 WHERE seq = 2",
        "UPDATE audit SET seq = 2 WHERE seq = 3",
        "UPDATE audit SET seq = 3 WHERE seq = 100",
    )
    assert verify_chain(trail.read(), cipher=CIPHER).first_broken == 2


def test_contents_that_changed_places_are_found(trail: Database) -> None:
    tamper(
        trail,
        "CREATE TABLE kept AS SELECT * FROM audit WHERE seq IN (2, 3)",
        "UPDATE audit SET event = (SELECT event FROM kept WHERE seq = 3) WHERE seq = 2",
        "UPDATE audit SET event = (SELECT event FROM kept WHERE seq = 2) WHERE seq = 3",
    )
    assert verify_chain(trail.read(), cipher=CIPHER).first_broken == 2


def test_removed_row_is_found_when_the_others_close_up(trail: Database) -> None:
    tamper(
        trail,
        "DELETE FROM audit WHERE seq = 3",
        "UPDATE audit SET seq = seq - 1 WHERE seq = 4",
        "UPDATE audit SET seq = seq - 1 WHERE seq = 5",
        "UPDATE audit SET previous_hash = (SELECT hash FROM audit WHERE seq = 2) WHERE seq = 3",
    )
    report = verify_chain(trail.read(), cipher=CIPHER)
    assert report.first_broken == 3
    assert not report.head_holds


def test_inserted_row_is_found(trail: Database) -> None:
    tamper(
        trail,
        "UPDATE audit SET seq = seq + 1 WHERE seq = 5",
        "INSERT INTO audit SELECT 5, at, event, previous_hash, 'f' FROM audit WHERE seq = 4",
    )
    report = verify_chain(trail.read(), cipher=CIPHER)
    assert report.first_broken == 5
    assert not report.head_holds


def test_true_row_of_another_history_is_found(trail: Database, clock: FixedClock) -> None:
    """A row 4 that was once true, from a copy that went another way: only the chain shows it."""
    tamper(trail, "CREATE TABLE kept AS SELECT * FROM audit WHERE seq = 4")
    branch = EVENTS[2]
    with trail.transaction() as connection:
        connection.execute("DELETE FROM audit WHERE seq > 3")
        (third,) = connection.execute("SELECT hash FROM audit WHERE seq = 3").fetchone()
        connection.execute(  # the head as it was at the third row, kept from then
            "UPDATE audit_head SET rows_count = 3, last_hash = ?, mac = ?",
            (third, CIPHER.keyed_hash("audit head", "3", third)),
        )
        record(connection, clock, branch, cipher=CIPHER)
        record(connection, clock, branch, cipher=CIPHER)
    assert verify_chain(trail.read(), cipher=CIPHER).whole
    tamper(
        trail,
        "DELETE FROM audit WHERE seq = 4",
        "INSERT INTO audit SELECT * FROM kept",
        "UPDATE audit SET previous_hash = (SELECT hash FROM kept) WHERE seq = 5",
    )
    report = verify_chain(trail.read(), cipher=CIPHER)
    assert (report.first_broken, report.head_holds) == (5, False)


HEAD_AT_3 = (
    "UPDATE audit_head SET rows_count = 3, last_hash = (SELECT hash FROM audit WHERE seq = 3)"
)


@pytest.mark.expects_log("trail-broken")
@pytest.mark.parametrize(
    ("statements", "reason", "last_row"),
    [
        (["DELETE FROM audit WHERE seq > 3"], "rows-missing", 3),
        (["DELETE FROM audit WHERE seq > 3", "DELETE FROM audit_head"], "head-missing", 3),
        (["DELETE FROM audit WHERE seq > 3", HEAD_AT_3], "head-changed", 3),
        ([HEAD_AT_3], "head-changed", 5),
        (["DELETE FROM audit"], "rows-missing", 0),
        (["DELETE FROM audit", "DELETE FROM audit_head"], "head-missing", 0),
        (["DELETE FROM audit_head"], "head-missing", 5),
        (["UPDATE audit_head SET anchored = 1"], "head-changed", 5),
        (["UPDATE audit SET at = '2020-01-01T00:00:00+00:00' WHERE seq = 5"], "rows-changed", 5),
        (
            ["INSERT INTO audit SELECT 6, at, event, hash, 'f' FROM audit WHERE seq = 5"],
            "rows-changed",
            6,
        ),
    ],
)
def test_an_act_stops_at_no_damage_and_heals_none(
    trail: Database, clock: FixedClock, statements: list[str], reason: str, last_row: int
) -> None:
    tamper(trail, *statements)
    assert verify_chain(trail.read(), cipher=CIPHER).has_untold
    for _ in range(2):
        with trail.transaction() as connection:
            record(connection, clock, EVENTS[0], cipher=CIPHER)
    *_, told, first, second = read_trail(trail.read())
    assert (first.event, second.event) == (EVENTS[0], EVENTS[0])
    assert told.event.action is AuditAction.TRAIL_BROKEN
    assert told.event.details == {"reason": reason, "last_row": str(last_row)}
    report = verify_chain(trail.read(), cipher=CIPHER)
    assert [found.reason for found in report.breaks] == [reason]
    assert report.head_holds
    assert not report.whole
    assert report.needs_attention


@pytest.mark.expects_log("trail-broken")
def test_rows_before_a_break_are_still_held_by_the_chain(
    trail: Database, clock: FixedClock
) -> None:
    tamper(trail, "DELETE FROM audit WHERE seq > 3")
    with trail.transaction() as connection:
        record(connection, clock, EVENTS[0], cipher=CIPHER)
    assert not verify_chain(trail.read(), cipher=CIPHER).has_untold
    tamper(trail, "DELETE FROM audit WHERE seq = 3")
    report = verify_chain(trail.read(), cipher=CIPHER)
    assert report.broken == (6,)  # it told of a break behind the third row
    assert report.has_untold


@pytest.mark.expects_log("trail-broken")
def test_a_break_that_an_auditor_has_seen_asks_for_nobody(
    trail: Database, clock: FixedClock
) -> None:
    tamper(trail, "DELETE FROM audit WHERE seq = 2")
    with trail.transaction() as connection:
        details = {WHICH_ROWS: "3"}
        mark_broken(connection, clock, TrailFault.ROWS_CHANGED, details, cipher=CIPHER)
    report = verify_chain(trail.read(), cipher=CIPHER)
    assert (report.broken, report.has_untold, report.needs_attention) == ((3,), False, True)
    seen = AuditEvent(AuditAction.TRAIL_BREAK_SEEN, "eve", details={BREAK_ROW: "6"})
    with trail.transaction() as connection:
        record(connection, clock, seen, cipher=CIPHER)
    report = verify_chain(trail.read(), cipher=CIPHER)
    assert (report.whole, report.needs_attention) == (False, False)
    tamper(trail, "DELETE FROM audit WHERE seq = 4")
    assert verify_chain(trail.read(), cipher=CIPHER).needs_attention


@pytest.mark.parametrize("is_first", [True, False])
def test_a_trail_that_is_there_is_not_begun_anew(
    trail: Database, clock: FixedClock, *, is_first: bool
) -> None:
    with trail.transaction() as connection:
        assert begin(connection, clock, cipher=CIPHER, is_first=is_first) is None
    assert verify_chain(trail.read(), cipher=CIPHER).whole


@pytest.mark.expects_log("trail-broken")
def test_row_that_was_made_with_another_key_is_found(trail: Database, clock: FixedClock) -> None:
    with trail.transaction() as connection:
        record(connection, clock, EVENTS[0], cipher=Cipher(bytes(32)))
    report = verify_chain(trail.read(), cipher=CIPHER)
    assert report.first_broken == 6
    assert not report.head_holds


@pytest.mark.parametrize("kept", [0, 1, 4])
def test_cut_tail_is_told_by_the_head(trail: Database, kept: int) -> None:
    tamper(trail)
    with trail.transaction() as connection:
        connection.execute("DELETE FROM audit WHERE seq > ?", (kept,))
    report = verify_chain(trail.read(), cipher=CIPHER)
    assert report.first_broken is None
    assert not report.head_holds
    assert not report.whole


def test_head_that_was_set_back_with_the_tail_cut_is_found(trail: Database) -> None:
    """Without the key nobody can make the head fit a shorter trail."""
    tamper(
        trail,
        "DELETE FROM audit WHERE seq > 3",
        "UPDATE audit_head SET rows_count = 3, last_hash = (SELECT hash FROM audit WHERE seq = 3)",
    )
    assert not verify_chain(trail.read(), cipher=CIPHER).head_holds


def test_removed_head_is_found(trail: Database) -> None:
    tamper(trail, "DELETE FROM audit_head")
    assert not verify_chain(trail.read(), cipher=CIPHER).head_holds


@pytest.mark.parametrize("statement", ["UPDATE audit SET at = ''", "DELETE FROM audit"])
def test_slips_of_our_own_are_refused_by_the_database(trail: Database, statement: str) -> None:
    refused = pytest.raises(sqlite3.IntegrityError, match="never changed")
    with refused, trail.transaction() as connection:
        connection.execute(statement)
