"""Every read goes through one door, which says SQLite's refusals in our own words."""

import re
import sqlite3
from pathlib import Path

import pytest

from capture_app.audit.trail import read_trail
from capture_app.clock import FixedClock
from capture_app.errors import StoreError
from capture_app.store.database import Database
from tests.outboxes import begin, keep, open_database, open_outbox

PACKAGE = Path(__file__).parents[3] / "capture_app"


def spoil(path: Path) -> None:
    """Writes over every page but the first, as a bad disk does."""
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xa5" * (len(whole) - 4096))


def test_a_read_from_a_damaged_file_is_said_in_words(tmp_path: Path, clock: FixedClock) -> None:
    outbox = open_outbox(tmp_path, clock)
    keep(outbox, begin(outbox, clock))
    outbox.spool.database.close()
    spoil(tmp_path / "outbox.db")
    database = Database(tmp_path / "outbox.db")
    with pytest.raises(StoreError, match=r"outbox\.db is damaged"):
        database.read().execute("SELECT * FROM capture").fetchall()
    with pytest.raises(StoreError, match=r"outbox\.db is damaged"):
        [*read_trail(database.read())]
    database.close()


def test_a_database_that_cannot_be_opened_is_said_in_words(tmp_path: Path) -> None:
    database = Database(tmp_path / "nowhere" / "outbox.db")
    with pytest.raises(StoreError, match=r"outbox\.db could not be used"):
        database.read()


def test_a_text_that_is_no_utf_8_takes_no_other_row_away(tmp_path: Path, clock: FixedClock) -> None:
    outbox = open_outbox(tmp_path, clock)
    reader = outbox.spool.database.read()
    rows = reader.execute("SELECT CAST(x'41ff' AS TEXT) UNION ALL SELECT 'B'").fetchall()
    assert rows == [("A\N{REPLACEMENT CHARACTER}",), ("B",)]
    outbox.spool.database.close()


def test_reading_after_the_end_is_an_answer_and_no_bug(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    reader, rows = database.read(), database.read().execute("SELECT 1 UNION SELECT 2")
    database.close()
    for ask in (lambda: reader.execute("SELECT 1"), rows.fetchone, rows.fetchall, lambda: [*rows]):
        with pytest.raises(StoreError, match="closed"):
            ask()


def test_a_wrong_statement_stays_a_fault_of_ours(tmp_path: Path) -> None:
    database = open_database(tmp_path)
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        database.read().execute("SELECT 1 FROM nowhere")
    database.close()


def test_no_error_of_sqlite_is_caught_elsewhere() -> None:
    for path in PACKAGE.rglob("*.py"):
        if path.name != "database.py":
            errors = re.findall(r"sqlite3\.\w*(?:Error|Warning)", path.read_text("utf-8"))
            assert not errors, path
