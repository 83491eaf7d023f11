"""What the disk can do to a sealed file and to the database, and the order in which they write."""

import errno
import os
import re
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest

from capture_app.errors import DiskFullError, StoreError
from capture_app.store.cipher import Cipher
from capture_app.store.database import Database
from capture_app.store.sealed import open_sealed, write_sealed
from tests.faults.small_disk import KINDS, small_disk

CIPHER = Cipher(bytes(32))
SCHEMA = "CREATE TABLE note (note_id INTEGER PRIMARY KEY, text TEXT NOT NULL) STRICT;"
CALLS = "openat,open,write,fsync,fdatasync,rename,renameat,renameat2,unlink,pwrite64,close"


def seal(folder: Path, size: int) -> Path:
    return write_sealed(
        folder,
        uid="2.25.1",
        identity=b"identity",
        content=bytes(size),
        cipher=CIPHER,
        kind="capture",
    )


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    folder = tmp_path / "migrations"
    folder.mkdir()
    (folder / "0001_note.sql").write_text(SCHEMA)
    return folder


@pytest.mark.parametrize("kind", KINDS)
def test_full_disk_is_said_and_leaves_nothing_half_written(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "disk"
    with small_disk(kind, folder, 2_400_000):
        kept = seal(folder, 1_500_000)
        with pytest.raises(DiskFullError, match="no room"):
            seal(folder, 3_000_000)
        assert list(folder.iterdir()) == [kept]
        assert len(open_sealed(kept, CIPHER).content) == 1_500_000
        seal(folder, 500_000)  # what was half written has given its room back


@pytest.mark.parametrize("kind", KINDS)
def test_full_disk_changes_nothing_in_the_database(
    tmp_path: Path, migrations: Path, kind: str
) -> None:
    folder = tmp_path / "disk"
    with small_disk(kind, folder, 1_500_000):
        database = Database.open(folder / "x.db", migrations)
        with database.transaction() as connection:
            connection.execute("INSERT INTO note (text) VALUES ('kept')")

        def write_too_much() -> None:
            with database.transaction() as connection:
                rows = (("x" * 50_000,) for _ in range(100))
                connection.executemany("INSERT INTO note (text) VALUES (?)", rows)

        # SQLite tells a full disk (ENOSPC) from other refusals, but not a limit of this user.
        with pytest.raises(StoreError, match="full" if kind == "tmpfs" else "could not be used"):
            write_too_much()
        (count,) = database.read().execute("SELECT count(*) FROM note").fetchone()
        assert count == 1
        with database.transaction() as connection:
            connection.execute("INSERT INTO note (text) VALUES ('and on')")
        database.close()
        again = Database.open(folder / "x.db", migrations)
        found = [row[0] for row in again.read().execute("SELECT text FROM note")]
        again.close()
    assert found == ["kept", "and on"]


def run_traced(folder: Path, migrations: Path, *options: str) -> tuple[str, list[str]]:
    """What the child said, and all its system calls."""
    log = migrations / "trace"
    child = [sys.executable, "-m", "tests.faults.seal_one", str(folder), str(migrations)]
    traced = ["strace", "-f", "-y", "-o", str(log), "-e", f"trace={CALLS}", *options, *child]
    # A first run would also write compiled modules, and so count other calls than the next one.
    environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        traced, check=False, capture_output=True, text=True, timeout=60, env=environ
    )
    return done.stdout, log.read_text(errors="replace").splitlines()


def said_at(calls: list[str], word: str) -> int:
    return next(n for n, call in enumerate(calls) if "write(1<" in call and word in call)


@pytest.fixture(scope="module")
def calls_before_begin(tmp_path_factory: pytest.TempPathFactory) -> Counter[str]:
    """How often the child makes each call before its BEGIN: the same in every run."""
    base = tmp_path_factory.mktemp("counted")
    (base / "0001_note.sql").write_text(SCHEMA)
    _said, calls = run_traced(base / "data", base)
    return Counter(
        found[1]
        for call in calls[: said_at(calls, "BEGIN") + 1]
        if (found := re.search(r" (\w+)\(", call))
    )


def test_everything_is_synced_before_it_is_called_safe(tmp_path: Path, migrations: Path) -> None:
    folder = tmp_path / "data"
    said, calls = run_traced(folder, migrations)
    assert said == "BEGIN\nSAFE\n"
    calls = calls[said_at(calls, "BEGIN") + 1 : said_at(calls, "SAFE") + 1]
    name = next(folder.glob("*.sealed")).stem
    expected = [
        rf"openat\(.*{name}\.tmp.*O_CREAT\|O_EXCL.*0600",
        rf"write\(\d+<.*{name}\.tmp>",
        rf"fsync\(\d+<.*{name}\.tmp>\) = 0",
        rf"rename\(.*{name}\.tmp.*{name}\.sealed.*= 0",
        rf"fsync\(\d+<{re.escape(str(folder))}>\) = 0",
        r"pwrite64\(\d+<.*x\.db-wal>",
        r"f(data)?sync\(\d+<.*x\.db-wal>\) = 0",
        r'write\(1<.*"SAFE',
    ]
    at = -1
    for pattern in expected:
        found = [n for n, call in enumerate(calls) if re.search(pattern, call)]
        assert found, f"never: {pattern}"
        assert found[0] > at, f"too early: {pattern}"
        # The last write must come before the sync that makes it durable.
        at = found[-1]


@pytest.mark.parametrize(
    ("call", "code", "when", "said"),
    [
        ("write", "ENOSPC", 3, "DiskFullError"),
        ("write", "EDQUOT", 2, "DiskFullError"),
        ("write", "EIO", 3, "StoreError"),
        ("fsync", "EIO", 1, "StoreError"),
        ("fsync", "EIO", 2, "StoreError"),  # of the folder, after the rename
        ("rename", "EACCES", 1, "StoreError"),
    ],
)
def test_refusing_disk_is_said_and_leaves_no_file(
    tmp_path: Path,
    migrations: Path,
    calls_before_begin: Counter[str],
    call: str,
    code: str,
    when: int,
    said: str,
) -> None:
    folder = tmp_path / "data"
    options = ["-e", f"inject={call}:error={code}:when={calls_before_begin[call] + when}"]
    out, _calls = run_traced(folder, migrations, *options)
    assert out == f"BEGIN\n{said}\n"
    assert not [path.name for path in folder.iterdir() if path.suffix in (".tmp", ".sealed")]


def test_kill_in_a_transaction_loses_it_whole_and_nothing_else(
    tmp_path: Path, migrations: Path
) -> None:
    script = (
        "import sys, os, signal\nfrom pathlib import Path\n"
        "from capture_app.store.database import Database\n"
        "db = Database.open(Path(sys.argv[1]), Path(sys.argv[2]))\n"
        "with db.transaction() as c: c.execute(\"INSERT INTO note (text) VALUES ('kept')\")\n"
        "with db.transaction() as c:\n"
        "    c.execute(\"INSERT INTO note (text) VALUES ('lost')\")\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    path = tmp_path / "x.db"
    done = subprocess.run(
        [sys.executable, "-c", script, str(path), str(migrations)], check=False, timeout=60
    )
    assert done.returncode == -signal.SIGKILL
    database = Database.open(path, migrations)
    assert [row[0] for row in database.read().execute("SELECT text FROM note")] == ["kept"]
    database.close()


def test_torn_log_of_the_database_loses_no_committed_row(tmp_path: Path, migrations: Path) -> None:
    """A power cut leaves the write-ahead log with a torn tail: SQLite's checksums cut it off."""
    path = tmp_path / "x.db"
    database = Database.open(path, migrations)
    with database.transaction() as connection:
        connection.execute("INSERT INTO note (text) VALUES ('kept')")
    with suppress(sqlite3.OperationalError):
        database.read().execute("PRAGMA wal_checkpoint(PASSIVE)")
    with database.transaction() as connection:
        connection.execute("INSERT INTO note (text) VALUES ('torn')")
    copy = tmp_path / "after the cut"
    copy.mkdir()
    wal = path.with_name("x.db-wal").read_bytes()
    (copy / "x.db").write_bytes(path.read_bytes())
    (copy / "x.db-wal").write_bytes(wal[:-700] + os.urandom(700))
    database.close()
    again = Database.open(copy / "x.db", migrations)
    assert "kept" in [row[0] for row in again.read().execute("SELECT text FROM note")]
    again.close()


def test_codes_of_a_full_disk_are_those_of_this_system() -> None:
    assert {errno.ENOSPC, errno.EDQUOT, errno.EFBIG} == {28, 122, 27}
