"""Opens an SQLite database so that what it promised survives: migrations, pragmas, transactions."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from errno import EDQUOT, ENOSPC
from functools import partial
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, Final, Self

import structlog

from capture_app.errors import DiskFullError, NewerDatabaseError, StoreError
from capture_app.model.words import tr
from capture_app.settings.write_once import fsync_folder, make_folder

_log = structlog.get_logger(__name__)

BUSY_TIMEOUT_MS: Final = 5000
_FULL: Final = 2  # PRAGMA synchronous
_PAGES_AT_ONCE: Final = 256
_MOST_STEPS: Final = 100
_LET_OTHERS_WRITE_S: Final = 0.02
_MOST_CELLS: Final = 100
_OF_A_CELL: Final = re.compile(r"CHECK constraint failed in |NULL value in |non-[A-Z]+ value in ")
"""How SQLite begins to say that a value, and not the file, is wrong."""
_MIGRATION_NAME: Final = re.compile(r"(\d{4})_[a-z0-9_]+\.sql")


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema: its number (1 is the first) and its statements."""

    version: int
    name: str
    sql: str


def read_migrations(folder: Traversable) -> tuple[Migration, ...]:
    """The numbered files NNNN_name.sql of a folder, in order, without a gap.

    Raises ValueError where numbers are missing or double: that is a fault of the build.
    """
    found = []
    for entry in folder.iterdir():
        matched = _MIGRATION_NAME.fullmatch(entry.name)
        if matched:
            sql = entry.read_text(encoding="utf-8")
            found.append(Migration(int(matched[1]), entry.name, sql))
    found.sort(key=lambda migration: migration.version)
    if not found or [step.version for step in found] != list(range(1, len(found) + 1)):
        message = f"migrations must be numbered 0001, 0002, ...: {[step.name for step in found]}"
        raise ValueError(message)
    return tuple(found)


Values = Sequence[object] | Mapping[str, object]


class Rows:
    """What a question found, fetched as it is asked for; every step fails as `Reader` does."""

    def __init__(self, cursor: sqlite3.Cursor, database: Database) -> None:
        self._cursor = cursor
        self._database = database

    def __iter__(self) -> Iterator[Any]:
        with _translated(self._database):
            yield from self._cursor

    def fetchone(self) -> Any:
        """The next row; None after the last."""
        with _translated(self._database):
            return self._cursor.fetchone()

    def fetchall(self) -> list[Any]:
        """All rows that are left."""
        with _translated(self._database):
            return self._cursor.fetchall()


class Reader:
    """Asks questions over one thread's connection. The one door by which anything is read.

    Raises StoreError where the disk or the file refuses, DiskFullError; a wrong statement is a
    fault of ours and stays what it is.
    """

    def __init__(self, connection: sqlite3.Connection, database: Database) -> None:
        self._connection = connection
        self._database = database

    def execute(self, sql: str, values: Values = ()) -> Rows:
        """Asks one question."""
        with _translated(self._database):
            return Rows(self._connection.execute(sql, values), self._database)

    @contextmanager
    def at_one_moment(self) -> Iterator[None]:
        """All that is asked within the block is answered as of one moment, whoever writes."""
        self.execute("BEGIN")
        try:
            yield
        finally:
            self.execute("COMMIT")


@contextmanager
def looking_into(path: Path) -> Iterator[Reader]:
    """A database as it stands, whatever its version: nothing is made, migrated or checked.

    Raises StoreError for a file that is no database.
    """
    database = Database(path)
    address = f"{path.as_uri()}?mode=ro"
    with _translated(database), closing(sqlite3.connect(address, uri=True)) as connection:
        yield Reader(connection, database)


class Database:
    """One database file. Each thread has a connection of its own; `close` closes them all.

    Waiting for another writer is bounded by the busy timeout; then the act fails with StoreError.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._all: list[tuple[threading.Thread, sqlite3.Connection]] = []
        self._lock = threading.Lock()
        self._closing = threading.Event()

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called."""
        return self._closing.is_set()

    @classmethod
    def open(cls, path: Path, migrations: Traversable, *, check: bool = True) -> Self:
        """Opens or creates the database and brings it to the newest of the migrations.

        `check` reads all of its pages: for who stays, and not for each command.
        `migrations` is a folder of NNNN_name.sql, such as files("capture_app.outbox") /
        "migrations". Raises NewerDatabaseError for a database of a later version, StoreError for
        a file that is no database or is damaged (it is left as it is), DiskFullError.
        """
        steps = read_migrations(migrations)
        make_folder(path.parent)
        database = cls(path)
        try:
            with _translated(database):
                if not path.exists():
                    path.touch(mode=0o600)  # before SQLite makes it with the umask of the day
                    fsync_folder(path.parent)
                connection = database._connection()
                if check:
                    _check(connection, path)
                _migrate(connection, steps, path)
        except BaseException:
            database.close()
            raise
        return database

    def read(self) -> Reader:
        """Questions from this thread. Writing goes through `transaction`. Raises StoreError."""
        connection = self._connection()
        reader: Reader | None = getattr(self._local, "reader", None)
        if reader is None:
            reader = self._local.reader = Reader(connection, self)
        return reader

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            with self._lock:
                if self.is_closed:
                    raise StoreError(tr("The database is closed."))
                self._close_those_of_ended_threads()
                with _translated(self):
                    connection = _connect(self.path)
                self._all.append((threading.current_thread(), connection))
            self._local.connection = connection
        return connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing: BEGIN IMMEDIATE, then COMMIT, or ROLLBACK where the block raises.

        On return the change is on disk (synchronous=FULL). Nesting is a RuntimeError.
        """
        connection = self._connection()
        if connection.in_transaction:
            message = "a transaction is under way in this thread"
            raise RuntimeError(message)
        with _translated(self):
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                # SQLite has rolled back by itself after a full disk or an I/O error.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def shrink(self) -> None:
        """Gives pages that hold nothing any more back to the disk, and empties the write-ahead log.

        A few at a time, and others write in between: what is left goes the next time. The log is
        emptied only where nobody reads or writes. Of a database of before it does the latter alone.
        Raises StoreError.
        """
        connection = self._connection()
        with _translated(self):
            for _ in range(_MOST_STEPS):
                (free,) = connection.execute("PRAGMA freelist_count").fetchone()
                if not free:
                    break
                # As a script: `execute` ends after one step, which frees one page.
                connection.executescript(f"PRAGMA incremental_vacuum({_PAGES_AT_ONCE})")
                (left,) = connection.execute("PRAGMA freelist_count").fetchone()
                if left == free or self._closing.wait(_LET_OTHERS_WRITE_S):
                    break
            # It would wait for readers with the write lock in its hand.
            connection.execute("PRAGMA busy_timeout = 0")
            try:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")

    def data_version(self) -> int:
        """A number that differs from the last one when another connection has changed the data."""
        (version,) = self.read().execute("PRAGMA data_version").fetchone()
        return int(version)

    def close(self) -> None:
        """Closes the connections of all threads. They must have ended their work."""
        with self._lock:
            self._closing.set()
            connections, self._all = self._all, []
        for _thread, connection in connections:
            connection.close()

    def _close_those_of_ended_threads(self) -> None:
        for thread, connection in self._all:
            if not thread.is_alive():
                connection.close()
        self._all = [pair for pair in self._all if pair[0].is_alive()]


@contextmanager
def _translated(database: Database) -> Iterator[None]:
    """Says SQLite's refusals in our own words. Its own texts may quote values, so they stay out."""
    try:
        yield
    except sqlite3.Error as error:
        said = _in_our_words(error, database)
        if said is error:
            raise
        raise said from error
    except OSError as error:
        if error.errno in (ENOSPC, EDQUOT):
            raise DiskFullError(tr("The disk is full: nothing was changed.")) from error
        raise


def _in_our_words(error: sqlite3.Error, database: Database) -> Exception:
    """The error of our tree for what SQLite says; the same error where the fault is ours."""
    path = database.path
    if isinstance(error, sqlite3.ProgrammingError) and database.is_closed:
        return StoreError(tr("The database is closed."))  # asked while the application ends
    name = getattr(error, "sqlite_errorname", "")
    if not isinstance(error, sqlite3.DatabaseError) or name == "SQLITE_ERROR":
        return error  # a wrong statement, or a wrong use of the module
    if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError):
        return error  # a fault of ours, not of the disk
    if not isinstance(error, sqlite3.OperationalError):
        return _damaged(path, name)
    if name == "SQLITE_FULL":
        return DiskFullError(tr("The disk is full: nothing was changed."))
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return StoreError(tr("The database {file} is busy: nothing was changed.", file=path.name))
    return StoreError(
        tr("The database {file} could not be used ({code}).", file=path.name, code=name)
    )


def _damaged(path: Path, reason: str) -> StoreError:
    return StoreError(
        tr(
            "{file} is damaged or is not a database ({reason}). It was left as it is: "
            "keep it, and put back a copy or ask for help.",
            file=path.name,
            reason=reason,
        )
    )


def _connect(path: Path) -> sqlite3.Connection:
    # Closed by another thread at the end, hence check_same_thread; used only by its own.
    connection = sqlite3.connect(
        path, isolation_level=None, check_same_thread=False, timeout=BUSY_TIMEOUT_MS / 1000
    )
    # A damaged text is shown with marks for what cannot be read: else it would end a whole listing.
    connection.text_factory = partial(str, encoding="utf-8", errors="replace")
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        if connection.execute("PRAGMA page_count").fetchone() == (0,):  # made just now
            connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA trusted_schema = OFF")
        (synchronous,) = connection.execute("PRAGMA synchronous").fetchone()
        (foreign_keys,) = connection.execute("PRAGMA foreign_keys").fetchone()
    except BaseException:
        connection.close()
        raise
    if (mode, synchronous, foreign_keys) != ("wal", _FULL, 1):
        connection.close()
        raise StoreError(
            tr("The database cannot be used safely in this folder: is it a network drive?")
        )
    return connection


def _check(connection: sqlite3.Connection, path: Path) -> None:
    """Refuses a damaged file. A cell with a value that its column does not allow is no reason: the
    row is set apart where it is read, and everything else goes on.
    """
    with closing(connection.execute(f"PRAGMA quick_check({_MOST_CELLS})")) as rows:
        answers = [answer for (answer,) in rows if answer != "ok"]
    if not all(_OF_A_CELL.match(answer) for answer in answers):
        raise _damaged(path, "quick_check")
    if answers:
        _log.error("database-cells-damaged", database=path.name, count=len(answers))


def _migrate(connection: sqlite3.Connection, steps: Sequence[Migration], path: Path) -> None:
    """Runs what is missing, each step in one transaction with its number."""
    if _version(connection, len(steps), path) == len(steps):
        return
    for step in steps:
        connection.execute("BEGIN IMMEDIATE")
        try:
            # Read again under the write lock: another process may be migrating too.
            if step.version == _version(connection, len(steps), path) + 1:
                for statement in statements(step.sql):
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {step.version}")
                _log.info("database-migrated", database=path.name, version=step.version)
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise


def _version(connection: sqlite3.Connection, newest: int, path: Path) -> int:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version > newest:
        raise NewerDatabaseError(
            tr(
                "{file} was written by a later version of Capture App "
                "(schema {theirs}, this version knows {ours}). Start that version.",
                file=path.name,
                theirs=version,
                ours=newest,
            )
        )
    return int(version)


def statements(sql: str) -> Iterator[str]:
    """The single statements of a script: `executescript` would commit on its way."""
    pending = ""
    *pieces, rest = sql.split(";")
    for piece in pieces:
        pending += piece + ";"
        if sqlite3.complete_statement(pending):
            yield pending
            pending = ""
    if re.sub(r"--[^\n]*", "", pending + rest).strip():
        message = "a migration ends in the middle of a statement"
        raise ValueError(message)
