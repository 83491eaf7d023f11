"""The simulated hospital ends when it is told to, whoever is still connected."""

import socket
from pathlib import Path

from capture_app.demo.dimse_archive import PracticeArchive
from capture_app.demo.shelf import Shelf
from capture_app.demo.worklist import WorklistPeer


def test_callers_that_say_nothing_keep_no_thread(tmp_path: Path) -> None:
    archive = PracticeArchive(Shelf(tmp_path))
    worklist = WorklistPeer(())
    silent = [
        socket.create_connection(("127.0.0.1", port)) for port in (archive.port, worklist.port)
    ]
    gone = socket.create_connection(("127.0.0.1", archive.port))
    gone.close()
    archive.stop()
    worklist.stop()
    for connection in silent:
        connection.close()
