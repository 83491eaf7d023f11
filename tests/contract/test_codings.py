"""Pixels that came as no JPEG: sealed as JPEG-LS, and decoded for who takes no other coding."""

import dataclasses
import json
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import pytest
from pydicom import dcmread

from capture_app.dicom.coding import in_transfer_syntax
from capture_app.dicom.conformance import verify
from capture_app.dicom.part10 import pixel_sha256, read
from capture_app.settings.schema import ArchiveDestination, ArchiveProtocol
from tests.archive_samples import Sample, photo
from tests.archives import SECONDS, archive_for, prove, said, store
from tests.peers import HOST, Orthanc, run_storescp
from tests.sealing import lossless

JPEG_LS, EXPLICIT, IMPLICIT = "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.1", "1.2.840.10008.1.2"


def sample() -> Sample:
    content, instance = lossless()
    return Sample(instance, content)


def dimse(aet: str, port: int, **more: object) -> ArchiveDestination:
    values = {"deadline_seconds": SECONDS, "host": HOST, "port": port, "ae_title": aet}
    return ArchiveDestination("pacs", **(values | more))  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------- dimse


@pytest.mark.parametrize(
    ("takes", "syntax"), [("+xa", JPEG_LS), ("+xt", JPEG_LS), ("+xe", EXPLICIT), ("+xi", IMPLICIT)]
)
def test_a_peer_gets_the_sealed_bytes_or_the_same_instance_decoded(takes: str, syntax: str) -> None:
    one = sample()
    expected = in_transfer_syntax(one.part10, one.instance, syntax)
    for _ in range(2):  # the same bytes again
        with run_storescp(accept=(takes,)) as peer:
            archive = archive_for(dimse(peer.aet, peer.dicom_port))
            assert [said(o) for o in store(archive, [one])] == ["stored"]
            (path,) = peer.files()
            received = path.read_bytes()
        assert Sample(one.instance, received).dataset == Sample(one.instance, expected).dataset
        ds = dcmread(BytesIO(received))
        assert ds.SOPInstanceUID == one.uid
        assert ds.file_meta.TransferSyntaxUID == syntax
        verify(ds)


def test_a_lossy_jpeg_is_not_decoded_for_a_peer_that_takes_implicit_alone() -> None:
    one, jpeg = sample(), photo()
    with run_storescp(accept=("+xi",)) as peer:
        archive = archive_for(dimse(peer.aet, peer.dicom_port))
        outcomes = store(archive, [jpeg, one])
        assert [said(o) for o in outcomes] == ["refused no-context", "stored"]
        assert "not decoded to fit" in str(outcomes[0])
        assert [said(o) for o in store(archive, [jpeg])] == ["refused no-context"]


def test_a_file_that_does_not_decode_to_what_was_sealed_is_told_and_no_neighbour_waits() -> None:
    one = sample()
    wrong = Sample(dataclasses.replace(one.instance, decoded_sha256="0" * 64), one.part10)
    with run_storescp(accept=("+xi",)) as peer:
        archive = archive_for(dimse(peer.aet, peer.dicom_port))
        assert [said(o) for o in store(archive, [wrong])] == ["refused seal-broken"]
        assert [said(o) for o in store(archive, [photo(jpeg=False)])] == ["stored"]


@pytest.mark.parametrize("syntax", [JPEG_LS, IMPLICIT])
def test_it_is_proven_by_its_pixels_whether_the_archive_keeps_them_coded_or_not(
    orthanc: Orthanc, syntax: str
) -> None:
    one = sample()
    sent = Sample(one.instance, in_transfer_syntax(one.part10, one.instance, syntax))
    orthanc._ask("POST", "/instances", sent.part10)
    archive = archive_for(
        dimse(
            orthanc.aet,
            orthanc.dicom_port,
            url=orthanc.dicomweb,
            user="rig",
            password_key="pacs-password",
        )
    )
    assert [said(o) for o in prove(archive, [one.instance])] == ["pixel-hash"]
    other = dataclasses.replace(one.instance, pixel_sha256="0" * 64, decoded_sha256="0" * 64)
    (outcome,) = prove(archive, [other])
    assert said(outcome) in {"refused content-mismatch", "refused recoded"}
    layout = one.instance.pixel_layout
    assert layout is not None
    turned = dataclasses.replace(layout, rows=layout.columns, columns=layout.rows)
    (outcome,) = prove(archive, [dataclasses.replace(one.instance, pixel_layout=turned)])
    assert said(outcome) in {"refused content-mismatch", "refused recoded"}


@pytest.mark.parametrize("interleave", ["+in", "+il", "+is"])
def test_it_is_proven_where_the_archive_coded_the_same_pixels_itself(
    orthanc: Orthanc, tmp_path: Path, interleave: str
) -> None:
    one = sample()
    plain, theirs = tmp_path / "plain.dcm", tmp_path / "theirs.dcm"
    plain.write_bytes(in_transfer_syntax(one.part10, one.instance, EXPLICIT))
    subprocess.run(["dcmcjpls", interleave, plain, theirs], check=True)
    ds = read(theirs.read_bytes())
    assert ds.file_meta.TransferSyntaxUID == JPEG_LS
    orthanc._ask("POST", "/instances", theirs.read_bytes())
    archive = archive_for(
        dimse(
            orthanc.aet,
            orthanc.dicom_port,
            url=orthanc.dicomweb,
            user="rig",
            password_key="pacs-password",
        )
    )
    (outcome,) = prove(archive, [one.instance])
    assert said(outcome) == "pixel-hash"
    other = dataclasses.replace(one.instance, pixel_sha256="0" * 64, decoded_sha256="1" * 64)
    (outcome,) = prove(archive, [other])
    assert said(outcome) == "refused content-mismatch"


def test_orthanc_takes_it_as_it_is(orthanc: Orthanc) -> None:
    one = sample()
    archive = archive_for(dimse(orthanc.aet, orthanc.dicom_port))
    assert [said(o) for o in store(archive, [one])] == ["stored"]
    kept = read(orthanc.file(one.uid))
    assert kept.file_meta.TransferSyntaxUID == JPEG_LS
    assert pixel_sha256(kept, one.instance.stream_length) == one.instance.pixel_sha256


# --------------------------------------------------------------------------------------------- web


@contextmanager
def web_archive(takes: Sequence[str], refusal: str) -> Iterator[tuple[str, list[bytes]]]:
    """A STOW-RS server that takes some transfer syntaxes; its url, and what it was sent."""
    sent: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            begin = body.index(b"DICM") - 128
            part10 = body[begin : body.rindex(b"\r\n--")]
            sent.append(part10)
            ds = dcmread(BytesIO(part10))
            item: dict[str, object] = {
                "00081150": {"vr": "UI", "Value": [str(ds.SOPClassUID)]},
                "00081155": {"vr": "UI", "Value": [str(ds.SOPInstanceUID)]},
            }
            if ds.file_meta.TransferSyntaxUID in takes:
                self._answer(HTTPStatus.OK, {"00081199": {"vr": "SQ", "Value": [item]}})
            elif refusal == "C122":
                item["00081197"] = {"vr": "US", "Value": [0xC122]}
                self._answer(HTTPStatus.CONFLICT, {"00081198": {"vr": "SQ", "Value": [item]}})
            else:
                self._answer(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, {})

        def _answer(self, status: HTTPStatus, said: object) -> None:
            content = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/dicom+json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Nothing on the screen."""

    server = ThreadingHTTPServer((HOST, 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_port}", sent
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("refusal", ["415", "C122"])
@pytest.mark.parametrize("takes", [JPEG_LS, EXPLICIT, IMPLICIT])
def test_a_web_archive_gets_it_as_it_is_else_decoded(takes: str, refusal: str) -> None:
    one = sample()
    with web_archive([takes], refusal) as (url, sent):
        archive = archive_for(
            ArchiveDestination(
                "pacs", url=url, protocol=ArchiveProtocol.STOW, deadline_seconds=SECONDS
            )
        )
        assert [said(o) for o in store(archive, [one])] == ["stored"]
        assert sent[0] == one.part10
        assert sent[-1] == in_transfer_syntax(one.part10, one.instance, takes)
        jpeg = photo()
        (outcome,) = store(archive, [jpeg])
    assert said(outcome) == ("refused http-415" if refusal == "415" else "refused status-C122")
    assert sent[-1] == jpeg.part10


def test_a_web_archive_that_takes_no_coding_is_told_as_it_says(tmp_path: Path) -> None:
    with web_archive([], "415") as (url, sent):
        archive = archive_for(
            ArchiveDestination(
                "pacs", url=url, protocol=ArchiveProtocol.STOW, deadline_seconds=SECONDS
            )
        )
        assert [said(o) for o in store(archive, [sample()])] == ["refused http-415"]
    assert len(sent) == 3
