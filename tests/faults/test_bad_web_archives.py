"""Web archives that hang, lie or give back something else: no image is confirmed by it."""

import base64
import dataclasses
import gzip
import json
import threading
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any, ClassVar

import pydicom
import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import DeflatedExplicitVRLittleEndian

from capture_app.settings.schema import ArchiveDestination, ArchiveProtocol
from tests.archive_samples import photo
from tests.archives import archive_for, prove, said, store
from tests.faults import bad_servers
from tests.faults.bad_archives import (
    IMPATIENT,
    JPEG_CONTEXT,
    PATIENT,
    big,
    patience_for,
    stow,
    timed,
)
from tests.faults.bad_servers import Behaviour, serving
from tests.peers import HOST

OTHER_CLASS = "1.2.840.10008.5.1.4.1.1.7"  # Secondary Capture

FLOOD = 64 << 20
"""Bytes that less than a hundred kilobytes unpack to."""

# --------------------------------------------------------------------------------------------- HTTP


OK = b"HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n"


@pytest.mark.parametrize(
    ("behaviour", "told"),
    [
        (bad_servers.silent, "transient timeout"),
        (bad_servers.deaf, "transient timeout"),
        (bad_servers.saying(b"HTT"), "transient timeout"),
        (bad_servers.saying(OK), "transient timeout"),
        (bad_servers.trickling(OK + b"x" * 90), "transient timeout"),
        (bad_servers.trickling(OK, every=0.5), "transient timeout"),
        (bad_servers.resetting, "transient aborted"),
        (lambda _server, _sock: None, "transient aborted"),
        (bad_servers.saying(b"\x02\x00 what?\r\n\r\n", lambda *_: None), "transient aborted"),
        (bad_servers.pouring(b"HTTP/1.1 200 OK\r\n\r\n"), "transient too-long"),
        (bad_servers.pouring(b"HTTP/1.1 200 OK\r\nX: "), "transient aborted"),
    ],
)  # fmt: skip
def test_a_web_archive_that_gives_no_answer(behaviour: Behaviour, told: str) -> None:
    samples = [photo(), photo()]
    with serving(behaviour) as server:
        archive = stow(server.port, seconds=patience_for(told))
        assert timed(lambda: store(archive, samples)) == [told, told]
    with serving(behaviour) as server:
        archive = stow(server.port, seconds=patience_for(told))
        proof = "refused recoded" if told == "transient too-long" else told
        assert timed(lambda: prove(archive, [samples[0].instance])) == [proof]


class HangsAtByWeb(BaseHTTPRequestHandler):
    """Never answers what names `uid`; else knows nothing of anything."""

    uid: ClassVar[str]
    over: ClassVar[threading.Event]
    authorizations: ClassVar[list[str]]

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])))

    def do_GET(self) -> None:
        self._answer(self.path.encode())

    def _answer(self, asked: bytes) -> None:
        self.authorizations.append(self.headers["Authorization"])
        if self.uid.encode() in asked:
            self.over.wait()
        else:
            self.send_error(503 if self.command == "POST" else 404)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@contextmanager
def hanging_by_web(uid: str) -> Iterator[tuple[int, list[str]]]:
    over, authorizations = threading.Event(), list[str]()
    members = {"uid": uid, "over": over, "authorizations": authorizations}
    with ThreadingHTTPServer((HOST, 0), type("Handler", (HangsAtByWeb,), members)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server.server_address[1], authorizations
        finally:
            over.set()
            server.shutdown()
            thread.join()


def test_an_image_at_which_a_web_archive_hangs_takes_no_other_with_it() -> None:
    samples = [photo(seed=n) for n in range(3)]
    with hanging_by_web(samples[0].uid) as (port, _):
        archive = stow(port, seconds=IMPATIENT)
        rest = ["transient http-503"] * 2
        assert timed(lambda: store(archive, samples)) == ["transient timeout", *rest]
        assert timed(lambda: prove(archive, [sample.instance for sample in samples])) == [
            "transient timeout",
            *["transient not-in-archive"] * 2,
        ]


def test_a_password_of_any_letters_is_sent_in_utf_8() -> None:
    settings = ArchiveDestination(
        "pacs",
        protocol=ArchiveProtocol.STOW,
        user="zoë",
        password_key="key",
        deadline_seconds=PATIENT,
    )
    with hanging_by_web("none") as (port, authorizations):
        by_web = dataclasses.replace(settings, url=f"http://{HOST}:{port}/dicom-web")
        archive = archive_for(by_web, password={"key": "пароль"}.get)
        assert timed(lambda: store(archive, [photo()])) == ["transient http-503"]
    assert [base64.b64decode(each.split()[1]).decode() for each in authorizations] == ["zoë:пароль"]


def test_a_web_archive_that_stops_reading_in_the_middle() -> None:
    sample = big()
    with serving(bad_servers.deaf) as server:
        assert timed(lambda: store(stow(server.port, seconds=IMPATIENT), [sample])) == [
            "transient timeout"
        ]


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("200 OK", "transient not-named"),
        ("202 Accepted", "transient not-named"),
        ("204 No Content", "transient not-named"),
        ("302 Found", "transient redirected"),
        ("400 Bad Request", "refused http-400"),
        ("401 Unauthorized", "transient auth"),
        ("403 Forbidden", "transient forbidden"),
        ("404 Not Found", "refused http-404"),
        ("409 Conflict", "stored 0111"),
        ("413 Content Too Large", "refused too-large"),
        ("415 Unsupported Media Type", "refused http-415"),
        ("429 Too Many Requests", "transient http-429"),
        ("500 Internal Server Error", "transient http-500"),
        ("503 Service Unavailable", "transient http-503"),
    ],
)
def test_a_web_answer_that_names_nothing_is_no_success(status: str, told: str) -> None:
    headers = ("Location: http://127.0.0.1:9/elsewhere",)
    with serving(bad_servers.web(status, headers=headers)) as server:
        assert timed(lambda: store(stow(server.port), [photo()])) == [told]


@pytest.mark.parametrize(
    "body",
    [
        b"{}",
        b"[]",
        b"<html>",
        b"[" * 20_000,
        b'{"00081199": 5}',
        b'{"00081199": {"Value": [{}]}}',
        b'{"00081199": {"Value": [{"00081155": {"Value": []}}]}}',
        b"\xff\xfe",
    ],
)
def test_a_web_answer_that_is_no_answer_is_no_success(body: bytes) -> None:
    with serving(bad_servers.web("200 OK", body)) as server:
        archive = stow(server.port)
        assert timed(lambda: store(archive, [photo()])) == ["transient not-named"]


def naming(
    *,
    stored: dict[str, int] | None = None,
    failed: dict[str, int] | None = None,
    of_class: str = "",
) -> bytes:
    """A STOW-RS answer (PS3.18 10.5.3.2), in DICOM JSON."""

    def item(uid: str, tag: str, reason: int) -> dict[str, Any]:
        entry: dict[str, Any] = {"00081155": {"vr": "UI", "Value": [uid]}}
        if of_class:
            entry["00081150"] = {"vr": "UI", "Value": [of_class]}
        return entry | ({tag: {"vr": "US", "Value": [reason]}} if reason else {})

    answer: dict[str, Any] = {"00081190": {"vr": "UR"}}
    if stored is not None:
        items = [item(uid, "00081196", reason) for uid, reason in stored.items()]
        answer["00081199"] = {"vr": "SQ", "Value": items}
    if failed is not None:
        items = [item(uid, "00081197", reason) for uid, reason in failed.items()]
        answer["00081198"] = {"vr": "SQ", "Value": items}
    return json.dumps(answer).encode()


def test_what_counts_is_what_a_web_answer_names() -> None:
    sample, other = photo(), photo()
    uid = sample.uid
    for status, body, told in (
        ("200 OK", naming(stored={uid: 0}), "stored"),
        ("400 Bad Request", naming(stored={uid: 0, other.uid: 0}), "stored"),
        ("202 Accepted", naming(stored={uid: 0xB000}), "stored B000"),
        ("200 OK", naming(stored={uid: 0}, failed={uid: 0xA700}), "transient status-A700"),
        ("200 OK", naming(stored={uid: 0}, of_class=OTHER_CLASS), "transient not-named"),
        ("200 OK", naming(stored={uid: 0}, of_class=sample.instance.sop_class_uid), "stored"),
        ("200 OK", naming(stored={other.uid: 0}), "transient not-named"),
        ("200 OK", naming(stored={}, failed={}), "transient not-named"),
        ("200 OK", naming(failed={uid: 0xA700}), "transient status-A700"),
        ("202 Accepted", naming(failed={uid: 0x0110}), "transient status-0110"),
        ("409 Conflict", naming(failed={uid: 0xA900}), "refused status-A900"),
        ("409 Conflict", naming(failed={uid: 0xC122}), "refused status-C122"),
        ("409 Conflict", naming(failed={uid: 0}), "refused status-C000"),
        ("409 Conflict", naming(failed={uid: 45070}), "stored 0111"),
        ("409 Conflict", naming(failed={uid: 45071}), "transient status-B00F"),
        ("503 Service Unavailable", naming(stored={uid: 0}), "transient http-503"),
    ):
        with serving(bad_servers.web(status, body)) as server:
            outcomes = [said(o) for o in store(stow(server.port), [sample])]
            assert outcomes == [told], status


def changed(part10: bytes, **values: object) -> bytes:
    """The instance as an archive keeps it that changes attributes."""
    ds = pydicom.dcmread(BytesIO(part10))
    for keyword, value in values.items():
        setattr(ds, keyword, value)
    return written(ds)


def deflated(part10: bytes, *, more: int = 0) -> bytes:
    """The instance in the Deflated transfer syntax, with so many zeros after its pixels."""
    ds = pydicom.dcmread(BytesIO(part10))
    if ds.file_meta.TransferSyntaxUID.is_encapsulated:
        ds.decompress(generate_instance_uid=False)
    ds.PixelData += b"\0" * more
    ds.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    return written(ds)


def crowded(part10: bytes) -> bytes:
    """The instance with more items in a sequence than any image has, in less than a megabyte."""
    ds = pydicom.dcmread(BytesIO(part10))
    ds.ReferencedImageSequence = [Dataset() for _ in range(20_000)]
    ds["ReferencedImageSequence"].is_undefined_length = True
    return written(ds)


def written(ds: Dataset) -> bytes:
    file = BytesIO()
    pydicom.dcmwrite(file, ds, enforce_file_format=True)
    return file.getvalue()


@pytest.mark.parametrize("status", ["200 OK", "202 Accepted", "204 No Content"])
def test_an_archive_that_names_nothing_is_asked_before_the_image_is_sent_again(
    status: str,
) -> None:
    sample, other = photo(seed=1), photo(seed=2)
    misfiled = changed(sample.part10, PatientID="900002")
    for held, then, proof in (
        (sample.part10, "stored", "pixel-hash"),
        (other.part10, "transient not-named", "transient protocol"),
        # Something else is there under this UID: sending it again would change nothing.
        (misfiled, "stored", "refused identity-mismatch"),
    ):
        behaviour = bad_servers.web(status, get=held)
        with serving(behaviour) as server:
            archive = stow(server.port)
            assert timed(lambda a=archive: store(a, [sample])) == [then]  # type: ignore[misc]
            assert timed(lambda a=archive: prove(a, [sample.instance])) == [proof]  # type: ignore[misc]


DICOM = "application/dicom"

RELATED = 'multipart/related; type="application/dicom"; boundary=XX'


@pytest.mark.expects_log("NoBoundaryInMultipartDefect", "End of file reached before delimiter")
def test_an_archive_that_gives_back_something_else_proves_nothing() -> None:
    sample, other = photo(seed=1), photo(seed=2)
    whole = sample.part10
    multipart = b"--XX\r\nContent-Type: application/dicom\r\n\r\n%b\r\n--XX--\r\n"
    two = b"--XX\r\n\r\n%b\r\n--XX\r\n\r\n%b\r\n--XX--" % (whole, whole)
    for status, content_type, body, told in (
        ("200 OK", DICOM, whole, "pixel-hash"),
        ("200 OK", RELATED, multipart % whole, "pixel-hash"),
        ("200 OK", RELATED, two, "transient protocol"),
        ("200 OK", RELATED, b"", "transient protocol"),
        ("200 OK", "multipart/related", multipart % whole, "transient protocol"),
        ("200 OK", "text/html", b"<html>", "transient protocol"),
        ("200 OK", DICOM, whole[: len(whole) // 2], "transient protocol"),
        ("200 OK", DICOM, whole[:300], "transient protocol"),
        ("200 OK", DICOM, b"\0" * 128 + b"DICM" + b"\xff" * 500, "transient protocol"),
        ("200 OK", DICOM, other.part10, "transient protocol"),
        ("200 OK", DICOM, deflated(sample.part10), "refused recoded"),
        ("200 OK", DICOM, changed(whole, Rows=64, Columns=48), "refused content-mismatch"),
        (
            "200 OK",
            DICOM,
            changed(whole, PhotometricInterpretation="RGB"),
            "refused content-mismatch",
        ),
        ("200 OK", DICOM, changed(whole, SOPClassUID=OTHER_CLASS), "refused class-mismatch"),
        ("200 OK", DICOM, changed(whole, StudyInstanceUID="1.2.3"), "refused study-mismatch"),
        ("200 OK", DICOM, changed(whole, PatientID="900002"), "refused identity-mismatch"),
        ("200 OK", DICOM, crowded(whole), "transient protocol"),
        ("200 OK", DICOM, whole + b"\0" * (2 << 20), "refused recoded"),
        ("404 Not Found", DICOM, b"", "transient not-in-archive"),
        ("410 Gone", DICOM, b"", "transient not-in-archive"),
        ("406 Not Acceptable", DICOM, b"", "refused http-406"),
        ("500 Internal Server Error", DICOM, b"", "transient http-500"),
    ):
        with serving(bad_servers.web(status, body, content_type)) as server:
            archive = stow(server.port, seconds=patience_for(told))
            assert [said(o) for o in prove(archive, [sample.instance])] == [told], (status, told)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({}, "pixel-hash"),
        ({"Rows": 64, "Columns": 48}, "refused content-mismatch"),
        ({"PlanarConfiguration": 1}, "refused content-mismatch"),
        ({"PhotometricInterpretation": "YBR_FULL"}, "refused content-mismatch"),
        ({"BitsStored": 7, "HighBit": 6}, "refused content-mismatch"),
        ({"PixelRepresentation": 1}, "refused content-mismatch"),
        ({"NumberOfFrames": 2}, "refused content-mismatch"),
    ],
)
def test_the_same_pixels_to_be_read_otherwise_are_another_picture(
    values: dict[str, object], told: str
) -> None:
    sample = photo(jpeg=False)
    body = changed(sample.part10, **values)
    with serving(bad_servers.web("200 OK", body, DICOM)) as server:
        assert [said(o) for o in prove(stow(server.port), [sample.instance])] == [told]


@pytest.mark.parametrize(("jpeg", "knows_length"), [(True, True), (True, False), (False, False)])
def test_an_image_with_something_behind_its_pixels_is_another_one(
    *, jpeg: bool, knows_length: bool
) -> None:
    sample = photo(jpeg=jpeg)
    fragments = sample.instance.fragments if knows_length else ()
    asked = dataclasses.replace(sample.instance, fragments=fragments)
    assert (asked.stream_length is not None) is knows_length
    ds = pydicom.dcmread(BytesIO(sample.part10))
    more = encapsulate([b"more"], has_bot=False)[8:] if jpeg else b"more"  # one more fragment
    ds.PixelData += more
    with serving(bad_servers.web("200 OK", written(ds), DICOM)) as server:
        outcomes = prove(stow(server.port), [asked])
    assert [said(o) for o in outcomes] == ["refused content-mismatch"]


def test_a_row_of_before_is_proven_without_the_layout_it_does_not_have() -> None:
    sample = photo(jpeg=False)
    of_before = dataclasses.replace(sample.instance, pixel_layout=None)
    with serving(bad_servers.web("200 OK", sample.part10, DICOM)) as server:
        assert [said(o) for o in prove(stow(server.port), [of_before])] == ["pixel-hash"]


def test_what_would_unpack_to_a_flood_is_refused_before_it_is_unpacked() -> None:
    sample = photo(jpeg=False)
    packed = gzip.compress(sample.part10 + b"\0" * FLOOD)
    inflates = deflated(sample.part10, more=FLOOD)
    tracemalloc.start()
    try:
        with serving(bad_servers.web("200 OK", inflates, DICOM)) as server:
            outcomes = prove(stow(server.port), [sample.instance])
        assert [said(o) for o in outcomes] == ["refused recoded"]
        headers = ("Content-Encoding: gzip",)
        with serving(bad_servers.web("200 OK", packed, DICOM, headers)) as server:
            outcomes = prove(stow(server.port), [sample.instance])
            assert [said(o) for o in outcomes] == ["transient protocol"]
            assert [said(o) for o in store(stow(server.port), [sample])] == ["transient protocol"]
        assert tracemalloc.get_traced_memory()[1] < FLOOD / 4
    finally:
        tracemalloc.stop()


def test_an_archive_that_gives_back_half_of_the_pixels_proves_nothing() -> None:
    sample = photo(jpeg=False)
    half = sample.part10[: len(sample.part10) // 2]
    with serving(bad_servers.web("200 OK", half, DICOM)) as server:
        archive = stow(server.port)
        assert [said(o) for o in prove(archive, [sample.instance])] == ["refused content-mismatch"]


def test_an_archive_that_decompresses_is_told_from_one_that_lies() -> None:
    as_jpeg, plain = photo(seed=1), photo(seed=1, jpeg=False)
    asked = dataclasses.replace(plain.instance, transfer_syntax_uid=JPEG_CONTEXT, pixel_sha256="0")
    assert as_jpeg.instance.transfer_syntax_uid == JPEG_CONTEXT
    with serving(bad_servers.web("200 OK", plain.part10, DICOM)) as server:
        archive = stow(server.port)
        assert [said(o) for o in prove(archive, [asked])] == ["refused recoded"]
