"""A child process that seals one file, then writes a row, and says what came of it."""

import os
import sys
from pathlib import Path

from capture_app.errors import CaptureAppError
from capture_app.settings import log
from capture_app.store.cipher import Cipher
from capture_app.store.database import Database
from capture_app.store.sealed import write_sealed

log.configure(None, console_level="critical")
folder, migrations = Path(sys.argv[1]), Path(sys.argv[2])
database = Database.open(folder / "x.db", migrations)
os.write(1, b"BEGIN\n")
try:
    path = write_sealed(
        folder,
        uid="2.25.1",
        identity=b"identity",
        content=bytes(3_000_000),
        cipher=Cipher(bytes(32)),
        kind="capture",
    )
    with database.transaction() as connection:
        connection.execute("INSERT INTO note (text) VALUES (?)", (path.name,))
    os.write(1, b"SAFE\n")
except CaptureAppError as error:
    os.write(1, f"{type(error).__name__}\n".encode())
database.close()
