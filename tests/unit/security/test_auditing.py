"""Who reads the trail, and what is written down of that."""

import csv
import io
import json
from datetime import timedelta

import pytest

from capture_app.audit.reading import TrailFilter, find_rows, to_csv
from capture_app.audit.trail import AuditRow, read_trail, record
from capture_app.clock import FixedClock
from capture_app.errors import RuleError, SignInError
from capture_app.model.audit_event import AuditAction, AuditEvent
from capture_app.model.operator import Operator
from capture_app.security.auditing import Auditing, ExportKind
from capture_app.security.users import Users
from capture_app.store.database import Database
from tests.unit.security.station import CAPTURE, CIPHER, PIN, acts

ANY = TrailFilter()


@pytest.fixture
def auditing(db: Database, users: Users, clock: FixedClock) -> Auditing:
    users.add("bo", "Bo", CAPTURE, PIN, users.list()[0])
    for user in ("anna", "bo", "bo"):
        clock.advance(3600)
        with db.transaction() as connection:
            record(connection, clock, AuditEvent(AuditAction.LOCKED, user), cipher=CIPHER)
    return Auditing(db, CIPHER, clock)


def test_what_is_wanted_comes_newest_first(
    auditing: Auditing, anna: Operator, clock: FixedClock
) -> None:
    page = auditing.find(anna, TrailFilter(user_id="bo"), limit=10)
    assert [row.event.action for row in page.rows] == [AuditAction.LOCKED] * 2
    assert page.rows[0].seq > page.rows[1].seq
    assert (page.unreadable, page.has_more) == (0, False)
    since = clock.now() - timedelta(minutes=90)
    locked = frozenset({AuditAction.LOCKED})
    assert len(auditing.find(anna, TrailFilter(since=since, actions=locked), limit=10).rows) == 2
    assert len(auditing.find(anna, TrailFilter(until=since, actions=locked), limit=10).rows) == 1
    assert auditing.find(anna, ANY, limit=2).has_more


def test_reading_is_an_act(auditing: Auditing, anna: Operator, db: Database) -> None:
    auditing.find(anna, TrailFilter(user_id="bo"), limit=10)
    auditing.export(anna, ANY, ExportKind.JSON)
    *_, read, exported = acts(db)
    assert (read.action, read.user_id, read.details) == (
        AuditAction.TRAIL_READ,
        "anna",
        {"user": "bo"},
    )
    assert (exported.action, exported.details) == (AuditAction.TRAIL_EXPORTED, {"kind": "json"})


def test_who_has_another_role_reads_nothing(auditing: Auditing, users: Users, db: Database) -> None:
    (bo,) = [one for one in users.list() if one.user_id == "bo"]
    before = acts(db)
    with pytest.raises(SignInError, match="role audit"):
        auditing.find(bo, ANY, limit=10)
    with pytest.raises(SignInError, match="role audit"):
        auditing.export(bo, ANY, ExportKind.CSV)
    assert acts(db) == before
    assert auditing.verify().whole  # names nobody


def test_a_role_that_was_claimed_is_not_taken(auditing: Auditing, anna: Operator) -> None:
    claimed = Operator("bo", "Bo", anna.roles)
    with pytest.raises(SignInError, match="role audit"):
        auditing.find(claimed, ANY, limit=10)


def test_both_forms_have_all_rows(auditing: Auditing, anna: Operator, db: Database) -> None:
    count = len(acts(db))
    found = json.loads(auditing.export(anna, ANY, ExportKind.JSON))
    assert [row["row"] for row in found] == list(range(count + 1, 0, -1))
    table = list(csv.DictReader(io.StringIO(auditing.export(anna, ANY, ExportKind.CSV))))
    assert len(table) == count + 2
    assert table[-1]["act"] == "user-added"


def test_no_cell_is_a_formula(clock: FixedClock) -> None:
    event = AuditEvent(AuditAction.LOCKED, "=cmd()", details={"a": "b"})
    (_, row) = csv.reader(io.StringIO(to_csv([AuditRow(1, clock.now(), event)])))
    assert row[3] == "'=cmd()"


def test_a_row_that_cannot_be_read_hides_no_other(auditing: Auditing, db: Database) -> None:
    with db.transaction() as connection:
        connection.execute("DROP TRIGGER audit_is_never_changed")
        connection.execute("UPDATE audit SET event = '{' WHERE seq = 2")
        connection.execute("UPDATE audit SET at = 'soon' WHERE seq = 3")
    page = find_rows(db.read(), ANY, limit=100)
    assert (len(page.rows), page.unreadable) == (len(list(page.rows)), 2)
    assert page.rows


@pytest.mark.expects_log("trail-broken")
def test_a_break_is_seen_once(auditing: Auditing, anna: Operator, db: Database) -> None:
    with pytest.raises(RuleError, match="no break"):
        auditing.see_breaks(anna)
    with db.transaction() as connection:
        connection.execute("DELETE FROM audit_head")
    auditing.find(anna, ANY, limit=1)  # an act, and so it is told
    assert auditing.verify().needs_attention
    assert auditing.see_breaks(anna) == 1
    assert not auditing.verify().needs_attention
    assert not auditing.verify().whole
    assert list(read_trail(db.read()))[-1].event.user_id == "anna"
