"""Memory does not grow with a clip: sealed, sent by C-STORE and STOW-RS, given back and proved."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.draws import PATIENCE_S, drawn
from tests.peers import HOST, run_storescp

ROOT = Path(__file__).parents[2]
MEGABYTES = drawn(500, whole=2_000)
MOST_MB = 120
"""More than the process had when it began. Held once, either clip would be far above."""


@contextmanager
def an_archive_on_disk(folder: Path) -> Iterator[str]:
    """Takes one instance by STOW-RS into a file, and gives it back by WADO-RS."""
    kept = folder / "kept"

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            rest = int(self.headers["Content-Length"])
            with kept.open("wb") as file:
                while rest:
                    rest -= file.write(self.rfile.read(min(rest, 1 << 20)))
            self._head("application/dicom+json", 2)
            self.wfile.write(b"{}")

        def do_GET(self) -> None:
            with kept.open("rb") as file:
                boundary = file.readline().strip().removeprefix(b"--").decode()
                file.seek(0)
                content_type = f'multipart/related; type="application/dicom"; boundary={boundary}'
                self._head(content_type, kept.stat().st_size)
                while piece := file.read(1 << 20):
                    self.wfile.write(piece)

        def _head(self, content_type: str, length: int) -> None:
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(length))
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Nothing is said."""

    server = ThreadingHTTPServer((HOST, 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        kept.unlink(missing_ok=True)


@pytest.mark.timeout(PATIENCE_S)
def test_memory_is_the_same_for_a_clip_of_any_size(tmp_path: Path) -> None:
    with an_archive_on_disk(tmp_path) as url, run_storescp(options=("--ignore",)) as scp:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "tests.faults.big_clip", str(tmp_path)),
                *(str(MEGABYTES), str(scp.dicom_port), url),
            ],
            cwd=ROOT,
            check=False,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    for path in tmp_path.glob("*.sealed"):
        path.unlink()
    assert told["size"] > MEGABYTES * 1_000_000
    assert told["outcomes"] == ["stored", "stored", "pixel-hash"]
    assert told["mb"] < MOST_MB
