"""Real peers on 127.0.0.1: Debian's own programs, started on free ports, stopped exactly.

Nothing here speaks a protocol for us. Each `run_*` is a context manager that starts a program in a
folder of its own, waits until it listens, and kills it at the end (the data is throw-away). Each
peer has `.program` with `freeze`, `thaw`, `kill` and `restart` for the bad days.
"""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.waiting import eventually

HOST = "127.0.0.1"
_PORTS = range(12_000, 32_000)
_STARTS_WITHIN_S = 60.0
_ANSWERS_WITHIN_S = 30.0
_AUTH = ("rig", "rigpass")
_ORTHANC_PLUGINS = Path("/usr/share/orthanc/plugins")


def free_port() -> int:
    """A TCP port that nobody listened on a moment ago, and that the system gives to nobody: below
    those which it hands out, by chance, so that tests side by side do not take the same.
    """
    while True:
        port = secrets.choice(_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind((HOST, port))
            return port


_ESTABLISHED, _LISTENING = "01", "0A"  # as Linux writes them


def is_listening(port: int) -> bool:
    """Looks, without connecting: some peers serve one connection only, others log each probe."""
    return _LISTENING in _states_of(port)


def _is_up(port: int) -> bool:
    """Listening; or in a conversation already, for who serves one caller listens no more then."""
    return not _states_of(port).isdisjoint({_LISTENING, _ESTABLISHED})


def _states_of(port: int) -> set[str]:
    """Of all the sockets on this side that have the port."""
    wanted, states = f":{port:04X}", set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            if local.endswith(wanted):
                states.add(state)
    return states


@dataclass(slots=True)
class Program:
    """A running program with its own folder and log; `argv` starts it again on the same data."""

    argv: Sequence[str]
    ports: Sequence[int]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def name(self) -> str:
        return Path(self.argv[0]).name

    @property
    def log(self) -> str:
        """Everything it has said so far, on either stream."""
        path = self.folder / "log.txt"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.name} was not started"
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        with (self.folder / "log.txt").open("ab") as log:
            self._process = subprocess.Popen(
                self.argv,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env={**os.environ, **self.environment},
                start_new_session=True,
            )
        eventually(self._listens_or_ended, _STARTS_WITHIN_S, f"{self.name} to listen")
        if not self.is_alive:
            raise RuntimeError(f"{self.name} ended at once:\n{self.log[-2000:]}")

    def _listens_or_ended(self) -> bool:
        return not self.is_alive or all(_is_up(port) for port in self.ports)

    def freeze(self) -> None:
        """From now on it takes connections and answers nothing."""
        os.killpg(self.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self.pid, os.WSTOPPED | os.WNOWAIT)  # it may answer until it stands

    def thaw(self) -> None:
        os.killpg(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """Ends it as a power cut would; harmless when it has ended."""
        if self._process is None:
            return
        if self.is_alive:
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait(_ANSWERS_WITHIN_S)

    def restart(self) -> None:
        """Killed and started again: same ports, same data."""
        self.kill()
        self.start()


@contextmanager
def run_program(
    argv: Sequence[str],
    ports: Sequence[int] = (),
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Program]:
    """Any program, until the end of the block; `folder` is removed with it."""
    folder = folder or new_folder(Path(argv[0]).name)
    program = Program(argv, ports, folder, environment or {})
    try:
        program.start()
        yield program
    finally:
        program.kill()
        shutil.rmtree(folder, ignore_errors=True)


def new_folder(name: str) -> Path:
    """A folder for one peer that any user's process may enter (DCMTK changes its user)."""
    folder = Path(tempfile.mkdtemp(prefix=f"peer-{name}-"))
    folder.chmod(0o755)
    return folder


def _on_a_small_disk(argv: Sequence[str], mount_point: Path, megabytes: int) -> list[str]:
    """The same program with a full-able disk of its own: a tmpfs in a private mount namespace."""
    script = f'mount -t tmpfs -o size={megabytes}m peer "$0" && exec "$@"'
    return ["unshare", "--map-root-user", "--mount", "sh", "-c", script, str(mount_point), *argv]


# ------------------------------------------------------------------------------------------ Orthanc


@dataclass(frozen=True, slots=True)
class Orthanc:
    """An archive: C-STORE, C-FIND, worklist and storage commitment provider, DICOMweb and REST.

    It answers a storage commitment or a C-MOVE only to callers known by `know`.
    """

    program: Program
    aet: str
    dicom_port: int
    http_port: int
    worklists: Path
    auth: tuple[str, str] = _AUTH

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.http_port}"

    @property
    def dicomweb(self) -> str:
        return f"{self.url}/dicom-web"

    def know(self, aet: str, port: int) -> None:
        """Tells it where the application entity `aet` listens, and grants it everything."""
        allowed = ("Echo", "Find", "FindWorklist", "Get", "Move", "Store", "StorageCommitment")
        entry = {"AET": aet, "Host": HOST, "Port": port, **{f"Allow{act}": True for act in allowed}}
        self._ask("PUT", f"/modalities/{aet}", json.dumps(entry).encode())

    def sop_instance_uids(self) -> list[str]:
        """Every SOP Instance UID it holds, sorted; a UID twice would be there twice."""
        instances = self.get("/instances?expand")
        return sorted(i["MainDicomTags"]["SOPInstanceUID"] for i in instances)

    def file(self, sop_instance_uid: str) -> bytes:
        """The stored file (Part 10) of one instance, byte for byte."""
        found = self._ask("POST", "/tools/lookup", sop_instance_uid.encode()).json()
        ids = [hit["ID"] for hit in found if hit["Type"] == "Instance"]
        assert len(ids) == 1, f"{sop_instance_uid}: {len(ids)} in the archive"
        return self._ask("GET", f"/instances/{ids[0]}/file").content

    def wipe(self) -> None:
        """Forgets every patient, worklist item and known modality."""
        for patient in self.get("/patients"):
            self._ask("DELETE", f"/patients/{patient}")
        for modality in self.get("/modalities"):
            self._ask("DELETE", f"/modalities/{modality}")
        for item in self.worklists.glob("*"):
            item.unlink()

    def get(self, path: str) -> Any:
        """The JSON at `path` of its REST API."""
        return self._ask("GET", path).json()

    def _ask(self, method: str, path: str, body: bytes | None = None) -> requests.Response:
        answer = requests.request(
            method, self.url + path, data=body, auth=self.auth, timeout=_ANSWERS_WITHIN_S
        )
        answer.raise_for_status()
        return answer


@contextmanager
def run_orthanc(
    *,
    aet: str = "ORTHANC",
    modalities: Mapping[str, int] | None = None,
    strict: bool = False,
    disk_megabytes: int | None = None,
    nagle: bool = False,
    settings: Mapping[str, object] | None = None,
) -> Iterator[Orthanc]:
    """Debian's Orthanc with DICOMweb and worklists.

    `modalities` maps AE title to port. `strict` takes nothing from unknown callers. With
    `disk_megabytes` it stores on a disk of that size. `nagle` leaves it as shipped: 40 ms are then
    lost per object on the loopback interface. `settings` go into its configuration as they are.
    """
    folder = new_folder("orthanc")
    dicom_port, http_port = free_port(), free_port()
    database, worklists = folder / "database", folder / "worklists"
    database.mkdir()
    worklists.mkdir()
    configuration = {
        "Name": "PEER",
        "StorageDirectory": str(database),
        "IndexDirectory": str(database),
        "HttpPort": http_port,
        "HttpBindAddresses": [HOST],
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": True,
        "RegisteredUsers": dict([_AUTH]),
        "DicomAet": aet,
        "DicomPort": dicom_port,
        "DicomCheckCalledAet": True,
        "DicomAlwaysAllowEcho": True,
        "DicomAlwaysAllowStore": not strict,
        "DicomAlwaysAllowFind": not strict,
        "DicomAlwaysAllowFindWorklist": not strict,
        "DefaultEncoding": "Utf8",
        "OverwriteInstances": False,
        # Not OrthancGdcm: it crashes on frames that are asked for as JPEG.
        "Plugins": [
            str(_ORTHANC_PLUGINS / f"lib{name}.so")
            for name in ("ModalityWorklists", "OrthancDicomWeb")
        ],
        "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        "Worklists": {"Enable": True, "Database": str(worklists)},
        **(settings or {}),
    }
    (folder / "orthanc.json").write_text(json.dumps(configuration, indent=1), encoding="utf-8")
    argv = ["Orthanc", str(folder / "orthanc.json")]
    if disk_megabytes is not None:
        argv = _on_a_small_disk(argv, database, disk_megabytes)
    with run_program(argv, (dicom_port, http_port), folder, _tcp(nagle=nagle)) as program:
        peer = Orthanc(program, aet, dicom_port, http_port, worklists)
        for known, port in (modalities or {}).items():
            peer.know(known, port)
        yield peer


def _tcp(*, nagle: bool) -> dict[str, str]:
    # DCMTK, and so Orthanc, leaves Nagle's algorithm on unless this variable says otherwise.
    return {} if nagle else {"TCP_NODELAY": "1"}


# -------------------------------------------------------------------------------------------- DCMTK


@dataclass(frozen=True, slots=True)
class Storescp:
    """DCMTK's plain storage provider; the received files lie in `folder`."""

    program: Program
    aet: str
    dicom_port: int
    folder: Path

    def files(self) -> list[Path]:
        """The files it has received in full, by name."""
        return sorted(self.folder.iterdir())


@contextmanager
def run_storescp(
    *,
    aet: str = "STORESCP",
    accept: Sequence[str] = ("+xa",),
    options: Sequence[str] = (),
    nagle: bool = False,
) -> Iterator[Storescp]:
    """Bit-preserving; `accept=()` takes uncompressed only. Bad days: `options=("--refuse",)`,
    `("--abort-during",)`, `("--sleep-after", "2")`.
    """
    folder, port = new_folder("storescp"), free_port()
    received = folder / "received"
    received.mkdir()
    argv = ["storescp", "-v", "--fork", "-aet", aet, "-od", str(received), "-uf", "+B"]
    argv += [*accept, *options, str(port)]
    with run_program(argv, (port,), folder, _tcp(nagle=nagle)) as program:
        yield Storescp(program, aet, port, received)


@dataclass(frozen=True, slots=True)
class Wlmscpfs:
    """DCMTK's worklist provider; write the items as `*.wl` into `folder`."""

    program: Program
    aet: str
    dicom_port: int
    folder: Path


@contextmanager
def run_wlmscpfs(
    *, aet: str = "WORKLIST", options: Sequence[str] = ("-csk",)
) -> Iterator[Wlmscpfs]:
    """`-csk` keeps Specific Character Set; DCMTK's own default strips it and sends raw bytes."""
    folder, port = new_folder("wlmscpfs"), free_port()
    items = folder / aet
    items.mkdir()
    (items / "lockfile").touch()
    argv = ["wlmscpfs", "-v", "-dfp", str(folder), *options, str(port)]
    with run_program(argv, (port,), folder, _tcp(nagle=False)) as program:
        yield Wlmscpfs(program, aet, port, items)


# ------------------------------------------------------------------------------------------- others


@dataclass(frozen=True, slots=True)
class MjpegServer:
    """ffmpeg serving JPEG files over HTTP, each as it is. It serves one client, then ends: that is
    the pulled plug; `program.restart()` puts it in again.
    """

    program: Program
    url: str


@contextmanager
def run_mjpeg_server(pictures: Sequence[bytes], *, per_second: int = 10) -> Iterator[MjpegServer]:
    """Serves the pictures in a loop, `per_second` of them; all need the same size."""
    folder, port = new_folder("mjpeg"), free_port()
    for number, picture in enumerate(pictures):
        (folder / f"{number:04d}.jpg").write_bytes(picture)
    url = f"http://{HOST}:{port}/live.mjpg"
    source = ["-re", "-stream_loop", "-1", "-f", "image2", "-framerate", str(per_second)]
    source += ["-start_number", "0", "-i", str(folder / "%04d.jpg")]
    argv = ["ffmpeg", "-nostdin", "-v", "error", *source]
    argv += ["-c", "copy", "-f", "mpjpeg", "-listen", "1", url]
    with run_program(argv, (port,), folder) as program:
        yield MjpegServer(program, url)


@dataclass(frozen=True, slots=True)
class Xvfb:
    """A screen in memory, for windows that are shot and clicked like real ones."""

    program: Program
    display: str


@contextmanager
def run_xvfb(size: str = "1280x800x24") -> Iterator[Xvfb]:
    """Starts on the first free display number; pass `display` as DISPLAY to a child."""
    folder = new_folder("xvfb")
    number = folder / "display"
    script = 'exec Xvfb -displayfd 3 -screen 0 "$1" -nolisten tcp -dpi 96 3>"$0"'
    with run_program(["sh", "-c", script, str(number), size], folder=folder) as program:
        digits = eventually(
            lambda: number.exists() and number.read_text(encoding="ascii").strip(), what="Xvfb"
        )
        yield Xvfb(program, f":{digits}")


_SEND_HL7 = Path(__file__).parent / "node" / "send_hl7.mjs"


def send_by_medplum(message: bytes, port: int, *, encoding: str = "utf-8") -> str:
    """Sends one HL7 message by Medplum's client and gives the acknowledgement, a segment a line.

    `encoding` is utf-8 or iso-8859-1. RuntimeError if no acknowledgement came within 10 seconds.
    """
    with tempfile.NamedTemporaryFile(suffix=".hl7") as file:
        file.write(message)
        file.flush()
        run = subprocess.run(
            ["node", _SEND_HL7, file.name, HOST, str(port), encoding],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
    if run.returncode != 0:
        raise RuntimeError(f"Medplum's client: {run.stderr.strip()}")
    return run.stdout


# ----------------------------------------------------------------------------------------- fixtures


@pytest.fixture(scope="session")
def _shared_orthanc() -> Iterator[Orthanc]:
    with run_orthanc() as peer:
        yield peer


@pytest.fixture
def orthanc(_shared_orthanc: Orthanc) -> Orthanc:
    """One Orthanc for the whole run, empty at the start of each test; leave it thawed."""
    _shared_orthanc.wipe()
    return _shared_orthanc


@pytest.fixture
def fresh_orthanc() -> Iterator[Orthanc]:
    """An Orthanc of this test alone, to freeze, kill and restart."""
    with run_orthanc() as peer:
        yield peer


@pytest.fixture
def storescp() -> Iterator[Storescp]:
    """A DCMTK storescp of this test alone."""
    with run_storescp() as peer:
        yield peer
