import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from capture_app.errors import NewerDatabaseError, StoreError
from capture_app.store.database import BUSY_TIMEOUT_MS, Database, read_migrations, statements

FIRST = """
-- a comment; with a semicolon
CREATE TABLE note (
    note_id INTEGER PRIMARY KEY,
    text TEXT NOT NULL
) STRICT;
CREATE TABLE word (word TEXT PRIMARY KEY, note_id INTEGER NOT NULL REFERENCES note) STRICT;
"""
SECOND = "ALTER TABLE note ADD COLUMN at TEXT NOT NULL DEFAULT '';"


def folder_of(path: Path, *scripts: str) -> Path:
    path.mkdir(exist_ok=True)
    for number, script in enumerate(scripts, start=1):
        (path / f"{number:04}_step.sql").write_text(script)
    return path


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    return folder_of(tmp_path / "migrations", FIRST)


@pytest.fixture
def db(tmp_path: Path, migrations: Path) -> Iterator[Database]:
    database = Database.open(tmp_path / "data" / "x.db", migrations)
    yield database
    database.close()


def count(db: Database) -> int:
    (found,) = db.read().execute("SELECT count(*) FROM note").fetchone()
    return int(found)


def add(db: Database, text: str = "x") -> None:
    with db.transaction() as connection:
        connection.execute("INSERT INTO note (text) VALUES (?)", (text,))


def pragma(db: Database, name: str) -> object:
    (value,) = db.read().execute(f"PRAGMA {name}").fetchone()
    return value


def test_pragmas_that_the_promise_rests_on(db: Database) -> None:
    assert pragma(db, "journal_mode") == "wal"
    assert pragma(db, "synchronous") == 2  # FULL
    assert pragma(db, "foreign_keys") == 1
    assert pragma(db, "busy_timeout") == 5000
    assert pragma(db, "user_version") == 1


def test_file_and_folder_are_closed_to_others(db: Database) -> None:
    assert db.path.stat().st_mode & 0o077 == 0
    assert db.path.parent.stat().st_mode & 0o077 == 0
    add(db)
    assert db.path.with_name("x.db-wal").stat().st_mode & 0o077 == 0


def test_transaction_is_all_or_nothing(db: Database) -> None:
    add(db, "kept")

    def fail_half_way() -> None:
        with db.transaction() as connection:
            connection.execute("INSERT INTO note (text) VALUES ('lost')")
            raise KeyError

    with pytest.raises(KeyError):
        fail_half_way()
    assert [row[0] for row in db.read().execute("SELECT text FROM note")] == ["kept"]
    add(db, "and on")
    assert count(db) == 2


def test_nested_transaction_is_a_fault_and_undoes_the_outer_one(db: Database) -> None:
    def nest() -> None:
        with db.transaction() as connection:
            connection.execute("INSERT INTO note (text) VALUES ('x')")
            add(db)

    with pytest.raises(RuntimeError, match="under way"):
        nest()
    assert count(db) == 0


def test_broken_rules_of_the_schema_are_raised_as_they_are(db: Database) -> None:
    with pytest.raises(sqlite3.IntegrityError), db.transaction() as connection:
        connection.execute("INSERT INTO word VALUES ('x', 99)")
    with pytest.raises(sqlite3.IntegrityError), db.transaction() as connection:
        connection.execute("INSERT INTO note (text) VALUES (x'00')")  # STRICT
    missing = pytest.raises(sqlite3.OperationalError, match="no such table")
    with missing, db.transaction() as connection:
        connection.execute("INSERT INTO nowhere VALUES (1)")


def test_each_thread_has_a_connection_and_close_ends_them_all(db: Database) -> None:
    connections = [db.read()]
    assert db.read() is connections[0]
    ready, go = threading.Barrier(3), threading.Event()

    def work() -> None:
        connections.append(db.read())
        add(db)
        ready.wait(60)
        go.wait(60)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    ready.wait(60)
    assert len({id(connection) for connection in connections}) == 3
    assert count(db) == 2
    db.close()
    for connection in connections:
        with pytest.raises(StoreError, match="closed"):
            connection.execute("SELECT 1")
    with pytest.raises(StoreError, match="closed"):
        add_in_new_thread(db)
    go.set()
    for thread in threads:
        thread.join()


def add_in_new_thread(db: Database) -> None:
    raised: list[Exception] = []

    def work() -> None:
        try:
            add(db)
        except StoreError as error:
            raised.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    for error in raised:
        raise error


def test_connections_of_ended_threads_are_closed(db: Database) -> None:
    for _ in range(20):
        add_in_new_thread(db)
    assert count(db) == 20
    assert len(db._all) <= 2


def test_data_version_tells_of_others_and_not_of_oneself(db: Database, migrations: Path) -> None:
    other = Database.open(db.path, migrations)
    before = db.data_version()
    add(db)
    assert db.data_version() == before
    add(other)
    assert db.data_version() != before
    other.close()


def test_busy_database_is_said_in_words(
    db: Database, migrations: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("capture_app.store.database.BUSY_TIMEOUT_MS", 20)
    other = Database.open(db.path, migrations)
    with db.transaction(), pytest.raises(StoreError, match=r"x\.db is busy"):
        add(other)
    add(other)
    other.close()


def test_reopening_keeps_what_is_there_and_migrates_once(tmp_path: Path, migrations: Path) -> None:
    path = tmp_path / "x.db"
    first = Database.open(path, migrations)
    add(first)
    first.close()
    again = Database.open(path, migrations)
    assert count(again) == 1
    again.close()
    folder_of(migrations, FIRST, SECOND)
    newer = Database.open(path, migrations)
    assert [row[0] for row in newer.read().execute("SELECT at FROM note")] == [""]
    assert pragma(newer, "user_version") == 2
    newer.close()


def test_failing_migration_is_rolled_back_whole(tmp_path: Path, migrations: Path) -> None:
    path = tmp_path / "x.db"
    folder_of(
        migrations,
        FIRST,
        "CREATE TABLE half (x INTEGER) STRICT; INSERT INTO note (text) VALUES ('half');\n"
        "INSERT INTO nowhere VALUES (1);",
    )
    with pytest.raises(sqlite3.OperationalError, match="nowhere"):
        Database.open(path, migrations)
    folder_of(migrations, FIRST, SECOND)  # the repaired step runs where the bad one did not
    database = Database.open(path, migrations)
    tables = {row[0] for row in database.read().execute("SELECT name FROM sqlite_master")}
    assert "half" not in tables
    assert count(database) == 0
    assert pragma(database, "user_version") == 2
    database.close()


def test_newer_database_is_refused_and_left_alone(tmp_path: Path, migrations: Path) -> None:
    path = tmp_path / "x.db"
    folder_of(migrations, FIRST, SECOND)
    database = Database.open(path, migrations)
    add(database)
    database.close()
    (migrations / "0002_step.sql").unlink()
    before = path.read_bytes()
    with pytest.raises(NewerDatabaseError, match="later version"):
        Database.open(path, migrations)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"this is no database at all, only text" * 200, b"SQLite format 3\0" + bytes(9000)]
)
def test_what_is_no_database_is_refused_and_left_alone(
    tmp_path: Path, migrations: Path, content: bytes
) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(content)
    with pytest.raises(StoreError, match="left as it is") as raised:
        Database.open(path, migrations)
    assert "x.db" in str(raised.value)
    assert path.read_bytes() == content


def test_damaged_page_is_found_on_opening(tmp_path: Path, migrations: Path) -> None:
    path = tmp_path / "x.db"
    database = Database.open(path, migrations)
    with database.transaction() as connection:
        connection.executemany(
            "INSERT INTO note (text) VALUES (?)", [(f"{n}" * 100,) for n in range(500)]
        )
    database.read().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()
    raw = bytearray(path.read_bytes())
    for page in range(3, len(raw) // 4096):
        raw[page * 4096 : page * 4096 + 12] = b"\xff" * 12
    path.write_bytes(raw)
    with pytest.raises(StoreError, match="damaged"):
        Database.open(path, migrations)
    assert path.read_bytes() == raw


def test_a_folder_in_the_place_of_the_database_is_said_in_words(
    tmp_path: Path, migrations: Path
) -> None:
    (tmp_path / "x.db").mkdir()
    with pytest.raises(StoreError, match=r"x\.db could not be used"):
        Database.open(tmp_path / "x.db", migrations)


@pytest.mark.parametrize("names", [[], ["0002_a.sql"], ["0001_a.sql", "0003_b.sql"]])
def test_migrations_with_gaps_are_a_fault_of_the_build(tmp_path: Path, names: list[str]) -> None:
    for name in names:
        (tmp_path / name).write_text("SELECT 1;")
    with pytest.raises(ValueError, match="numbered"):
        read_migrations(tmp_path)


def test_two_migrations_of_one_number_are_a_fault_of_the_build(tmp_path: Path) -> None:
    for name in ("0001_a.sql", "0001_b.sql"):
        (tmp_path / name).write_text("SELECT 1;")
    with pytest.raises(ValueError, match="numbered"):
        read_migrations(tmp_path)


def test_statements_are_told_apart_by_sqlite_itself() -> None:
    script = (
        "CREATE TABLE a (x TEXT DEFAULT ';'); -- ; \n"
        "CREATE TRIGGER t BEFORE UPDATE ON a\nBEGIN\n  SELECT RAISE(ABORT, 'no');\nEND;\n"
    )
    assert len(list(statements(script))) == 2
    assert len(list(statements("SELECT 1; SELECT 2; -- and no more"))) == 2
    with pytest.raises(ValueError, match="middle"):
        list(statements("CREATE TABLE a (x"))


def test_pages_that_hold_nothing_go_back_to_the_disk(db: Database) -> None:
    for _ in range(200):
        add(db, "x" * 10_000)
    db.shrink()
    before = db.path.stat().st_size
    with db.transaction() as connection:
        connection.execute("DELETE FROM note WHERE rowid % 10 <> 0")
    db.shrink()
    assert db.path.stat().st_size < before / 5
    assert db.path.with_name("x.db-wal").stat().st_size == 0
    assert count(db) == 20


def test_pages_are_given_back_a_few_at_a_time(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("capture_app.store.database._PAGES_AT_ONCE", 10)
    monkeypatch.setattr("capture_app.store.database._MOST_STEPS", 3)
    add(db, "x" * 400_000)
    with db.transaction() as connection:
        connection.execute("DELETE FROM note")
    free = pragma(db, "freelist_count")
    assert isinstance(free, int)
    db.shrink()
    assert pragma(db, "freelist_count") == free - 30
    while pragma(db, "freelist_count"):  # the rest goes the next times
        db.shrink()
    assert db.path.stat().st_size < 100_000


def test_who_reads_keeps_nobody_from_writing_while_pages_are_given_back(db: Database) -> None:
    """Waiting for readers would keep the write lock for the whole busy timeout."""
    add(db)
    with db.read().at_one_moment():
        assert count(db) == 1
        shrinking = threading.Thread(target=db.shrink)
        writing = threading.Thread(target=add, args=(db, "y"))
        for thread in (shrinking, writing):
            thread.start()
        for thread in (shrinking, writing):
            thread.join(BUSY_TIMEOUT_MS / 2000)
            assert not thread.is_alive()
    assert count(db) == 2
    assert pragma(db, "busy_timeout") == BUSY_TIMEOUT_MS


def test_not_every_opening_reads_the_whole_database(tmp_path: Path, migrations: Path) -> None:
    path = tmp_path / "x.db"
    database = Database.open(path, migrations)
    for _ in range(200):
        add(database, "x" * 10_000)
    database.close()
    content = bytearray(path.read_bytes())
    content[-4096:] = b"\xff" * 4096
    path.write_bytes(content)
    with pytest.raises(StoreError, match="damaged"):
        Database.open(path, migrations)
    Database.open(path, migrations, check=False).close()
