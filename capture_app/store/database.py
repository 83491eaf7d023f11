"""Opens an SQLite database so that what it promised survives: migrations, pragmas, transactions."""

from __future__ import annotations

import re
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from errno import EDQUOT, ENOSPC
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final, Self

import structlog

from capture_app.errors import DiskFullError, NewerDatabaseError, StoreError
from capture_app.model.words import tr
from capture_app.settings.write_once import fsync_folder, make_folder

_log = structlog.get_logger(__name__)

BUSY_TIMEOUT_MS: Final = 5000
_FULL: Final = 2  # PRAGMA synchronous
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


class Database:
    """One database file. Each thread has a connection of its own; `close` closes them all.

    Waiting for another writer is bounded by the busy timeout; then the act fails with StoreError.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()
        self._all: list[tuple[threading.Thread, sqlite3.Connection]] = []
        self._lock = threading.Lock()
        self._closed = False

    @classmethod
    def open(cls, path: Path, migrations: Traversable) -> Self:
        """Opens or creates the database and brings it to the newest of the migrations.

        `migrations` is a folder of NNNN_name.sql, such as files("capture_app.outbox") /
        "migrations". Raises NewerDatabaseError for a database of a later version, StoreError for
        a file that is no database or is damaged (it is left as it is), DiskFullError.
        """
        steps = read_migrations(migrations)
        make_folder(path.parent)
        database = cls(path)
        try:
            with _translated(path):
                if not path.exists():
                    path.touch(mode=0o600)  # before SQLite makes it with the umask of the day
                    fsync_folder(path.parent)
                connection = database.read()
                _check(connection, path)
                _migrate(connection, steps, path)
        except BaseException:
            database.close()
            raise
        return database

    def read(self) -> sqlite3.Connection:
        """The connection of this thread, for reading. Writing goes through `transaction`."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            with self._lock:
                if self._closed:
                    raise StoreError(tr("The database is closed."))
                self._close_those_of_ended_threads()
                connection = _connect(self.path)
                self._all.append((threading.current_thread(), connection))
            self._local.connection = connection
        return connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing: BEGIN IMMEDIATE, then COMMIT, or ROLLBACK where the block raises.

        On return the change is on disk (synchronous=FULL). Nesting is a RuntimeError.
        """
        connection = self.read()
        if connection.in_transaction:
            message = "a transaction is under way in this thread"
            raise RuntimeError(message)
        with _translated(self.path):
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                # SQLite has rolled back by itself after a full disk or an I/O error.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def data_version(self) -> int:
        """A number that differs from the last one when another connection has changed the data."""
        (version,) = self.read().execute("PRAGMA data_version").fetchone()
        return int(version)

    def close(self) -> None:
        """Closes the connections of all threads. They must have ended their work."""
        with self._lock:
            self._closed = True
            connections, self._all = self._all, []
        for _thread, connection in connections:
            connection.close()

    def _close_those_of_ended_threads(self) -> None:
        for thread, connection in self._all:
            if not thread.is_alive():
                connection.close()
        self._all = [pair for pair in self._all if pair[0].is_alive()]


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """Says SQLite's refusals in our own words. Its own texts may quote values, so they stay out."""
    try:
        yield
    except sqlite3.OperationalError as error:
        name = error.sqlite_errorname
        if name == "SQLITE_ERROR":
            raise  # a wrong statement: a fault of ours
        if name == "SQLITE_FULL":
            raise DiskFullError(tr("The disk is full: nothing was changed.")) from error
        if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            raise StoreError(
                tr("The database {file} is busy: nothing was changed.", file=path.name)
            ) from error
        raise StoreError(
            tr("The database {file} could not be used ({code}).", file=path.name, code=name)
        ) from error
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError):
            raise  # a fault of ours, not of the disk
        name = getattr(error, "sqlite_errorname", "")
        raise _damaged(path, name) from error
    except OSError as error:
        if error.errno in (ENOSPC, EDQUOT):
            raise DiskFullError(tr("The disk is full: nothing was changed.")) from error
        raise


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
    try:
        connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
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
    with closing(connection.execute("PRAGMA quick_check(1)")) as rows:
        (answer,) = rows.fetchone()
    if answer != "ok":
        raise _damaged(path, "quick_check")


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
