"""The peers themselves: each starts, answers an independent client, and has its bad days."""

import os
import socket
import subprocess
import threading
from pathlib import Path

import pydicom
import pytest
import requests
from pydicom.data import get_testdata_file

from tests.peers import (
    HOST,
    Orthanc,
    Storescp,
    is_listening,
    run_mjpeg_server,
    run_orthanc,
    run_wlmscpfs,
    run_xvfb,
    send_by_medplum,
)
from tests.waiting import Eventually

EXAMPLE = Path(str(get_testdata_file("CT_small.dcm", download=False)))
EXAMPLE_UID = "1.3.6.1.4.1.5962.1.1.1.1.1.20040119072730.12322"


def store(aet: str, port: int, *options: str, file: Path = EXAMPLE) -> int:
    argv = ["storescu", *options, "-aec", aet, HOST, str(port), str(file)]
    return subprocess.run(argv, capture_output=True, timeout=60, check=False).returncode


def test_orthanc_keeps_what_dcmtk_sends_and_is_empty_again_after_wipe(orthanc: Orthanc) -> None:
    assert orthanc.sop_instance_uids() == []
    assert store("ORTHANC", orthanc.dicom_port) == 0
    assert orthanc.sop_instance_uids() == [EXAMPLE_UID]
    assert orthanc.file(EXAMPLE_UID)[128:132] == b"DICM"
    orthanc.know("CAPTURE", 11112)
    orthanc.wipe()
    assert orthanc.sop_instance_uids() == []
    assert orthanc.get("/modalities") == []


def test_orthanc_restarts_with_its_data_and_answers_nothing_while_frozen(
    fresh_orthanc: Orthanc,
) -> None:
    assert store("ORTHANC", fresh_orthanc.dicom_port) == 0
    fresh_orthanc.program.restart()
    assert fresh_orthanc.sop_instance_uids() == [EXAMPLE_UID]
    fresh_orthanc.program.freeze()
    with pytest.raises(requests.exceptions.ReadTimeout):
        requests.get(fresh_orthanc.url + "/system", auth=fresh_orthanc.auth, timeout=0.3)
    fresh_orthanc.program.thaw()
    assert fresh_orthanc.sop_instance_uids() == [EXAMPLE_UID]


def test_orthanc_on_a_full_disk_refuses_and_stores_nothing(tmp_path: Path) -> None:
    ds = pydicom.dcmread(EXAMPLE)
    ds.Rows *= 64
    ds.PixelData *= 64
    ds.save_as(tmp_path / "two_megabytes.dcm")
    with run_orthanc(disk_megabytes=1) as orthanc:
        assert store("ORTHANC", orthanc.dicom_port, file=tmp_path / "two_megabytes.dcm") != 0
        assert orthanc.sop_instance_uids() == []


def test_strict_orthanc_takes_from_known_callers_only() -> None:
    with run_orthanc(strict=True, modalities={"KNOWN": 11112}) as orthanc:
        assert store("ORTHANC", orthanc.dicom_port, "-aet", "STRANGER") != 0
        assert store("ORTHANC", orthanc.dicom_port, "-aet", "KNOWN") == 0
        assert orthanc.sop_instance_uids() == [EXAMPLE_UID]


def test_storescp_keeps_what_dcmtk_sends(storescp: Storescp, eventually: Eventually) -> None:
    assert store("STORESCP", storescp.dicom_port) == 0
    assert [f.suffix for f in eventually(storescp.files)] != []


def test_wlmscpfs_answers_a_worklist_query() -> None:
    with run_wlmscpfs() as worklist:
        argv = ["findscu", "-W", "-aec", worklist.aet, "-k", "PatientName"]
        argv += [HOST, str(worklist.dicom_port)]
        assert subprocess.run(argv, capture_output=True, timeout=60, check=False).returncode == 0


def test_mjpeg_server_sends_the_very_bytes_and_can_be_plugged_in_again() -> None:
    pictures = [jpeg(colour) for colour in ("red", "green", "blue")]
    with run_mjpeg_server(pictures, per_second=50) as camera:
        for _ in range(2):
            with requests.get(camera.url, stream=True, timeout=5) as stream:
                head = b"".join(
                    chunk for chunk, _ in zip(stream.iter_content(512), range(6), strict=False)
                )
            assert pictures[0] in head
            camera.program.restart()
    port = int(camera.url.split(":")[2].split("/")[0])
    assert not is_listening(port)


def jpeg(colour: str) -> bytes:
    argv = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", f"color={colour}:size=64x64"]
    argv += ["-frames:v", "1", "-f", "mjpeg", "-"]
    return subprocess.run(argv, capture_output=True, timeout=60, check=True).stdout


def test_xvfb_shows_a_screen_that_a_client_can_open() -> None:
    with run_xvfb() as screen:
        environment = {**os.environ, "DISPLAY": screen.display}
        shot = subprocess.run(
            ["import", "-window", "root", "png:-"],
            env=environment,
            capture_output=True,
            timeout=60,
            check=True,
        )
        assert shot.stdout.startswith(b"\x89PNG")


@pytest.mark.parametrize("encoding", ["utf-8", "iso-8859-1"])
def test_medplum_sends_the_very_bytes_and_hands_back_the_answer(encoding: str) -> None:
    message = "MSH|^~\\&|HIS|H|CAP|C|20240702||ADT^A01|M1|P|2.5\rPID|||1^^^H||Müller^Jürg\r"
    answer = b"MSH|^~\\&|CAP|C|HIS|H|20240702||ACK^A01|A1|P|2.5\rMSA|AA|M1\r"
    received: list[bytes] = []

    def answer_one(server: socket.socket) -> None:
        connection, _ = server.accept()
        with connection:
            frame = b""
            while not frame.endswith(b"\x1c\r"):
                frame += connection.recv(4096)
            received.append(frame)
            connection.sendall(b"\x0b" + answer + b"\x1c\r")

    with socket.create_server((HOST, 0)) as server:
        server.settimeout(60)
        listener = threading.Thread(target=answer_one, args=(server,))
        listener.start()
        sent = message.encode(encoding)
        said = send_by_medplum(sent, server.getsockname()[1], encoding=encoding)
        listener.join(60)
    assert received == [b"\x0b" + sent + b"\x1c\r"]
    assert "MSA|AA|M1" in said.splitlines()


def test_a_port_is_seen_to_listen_only_while_it_does() -> None:
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        assert is_listening(port)
    assert not is_listening(port)
