"""The simulated archive's DICOMweb side: STOW-RS, WADO-RS and QIDO-RS (PS3.18 10.4 to 10.6)."""

from __future__ import annotations

import json
import re
import threading
from email.message import Message
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from pydicom import Dataset
from pydicom.errors import InvalidDicomError

from capture_app.demo.shelf import DuplicateDiffersError

if TYPE_CHECKING:
    from capture_app.demo.shelf import Shelf, ShelvedInstance

_BOUNDARY = "practice-archive-part"
_INSTANCE = re.compile(r"^/dicom-web/studies/([\d.]+)/series/([\d.]+)/instances/([\d.]+)$")
_STOW = re.compile(r"^/dicom-web/studies(?:/([\d.]+))?$")
_QIDO = re.compile(r"^/dicom-web/instances$")
_LONGEST_BODY = 512 * 1024 * 1024
_DUPLICATE = 0x0111
_CANNOT_UNDERSTAND = 0xC000


class WebArchive:
    """A DICOMweb origin server on 127.0.0.1 over a shelf."""

    def __init__(self, shelf: Shelf, *, port: int = 0) -> None:
        handler = type("Handler", (_Handler,), {"shelf": shelf})
        self._server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        self._server.daemon_threads = False
        self.port: int = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/dicom-web"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, name="practice-web"
        )
        self._thread.start()

    def stop(self) -> None:
        """Ends the server and its threads."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    shelf: Shelf
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout: ClassVar[float | None] = 5.0

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Says nothing: a request line holds UIDs and queries."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        if found := _INSTANCE.match(parts.path):
            self._retrieve(*found.groups())
        elif _QIDO.match(parts.path):
            wanted = {key: values[0] for key, values in parse_qs(parts.query).items()}
            matches = self.shelf.matching(
                study_instance_uid=wanted.get("StudyInstanceUID", ""),
                sop_instance_uid=wanted.get("SOPInstanceUID", ""),
                patient_id=wanted.get("PatientID", ""),
            )
            self._json(HTTPStatus.OK, [_found(instance) for instance in matches])
        else:
            self._json(HTTPStatus.NOT_FOUND, {})

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or -1)
        if not _STOW.match(urlsplit(self.path).path):
            self.close_connection = True
            self._json(HTTPStatus.NOT_FOUND, {})
            return
        if not 0 <= length <= _LONGEST_BODY:
            self.close_connection = True
            self._json(HTTPStatus.LENGTH_REQUIRED, {})
            return
        content_type = self.headers.get("Content-Type", "")
        body = self.rfile.read(length)
        self._store(_parts(content_type, body))

    def _retrieve(self, study: str, series: str, uid: str) -> None:
        instance = self.shelf.get(uid)
        held = instance and (instance.study_instance_uid, instance.series_instance_uid)
        if instance is None or held != (study, series):
            self._json(HTTPStatus.NOT_FOUND, {})
            return
        head = f"--{_BOUNDARY}\r\nContent-Type: application/dicom\r\n\r\n".encode()
        body = head + instance.read() + f"\r\n--{_BOUNDARY}--\r\n".encode()
        content_type = f'multipart/related; type="application/dicom"; boundary={_BOUNDARY}'
        self._answer(HTTPStatus.OK, content_type, body)

    def _store(self, parts: list[bytes]) -> None:
        stored, failed = [], []
        for part10 in parts:
            try:
                instance = self.shelf.add(part10)
            except DuplicateDiffersError:
                failed.append(_DUPLICATE)
            except (InvalidDicomError, AttributeError):
                failed.append(_CANNOT_UNDERSTAND)
            else:
                stored.append(instance)
        answer = Dataset()
        answer.ReferencedSOPSequence = [_reference(instance) for instance in stored]
        if failed:
            answer.FailedSOPSequence = [_failure(reason) for reason in failed]
        status = HTTPStatus.OK
        if failed or not parts:
            status = HTTPStatus.ACCEPTED if stored else HTTPStatus.CONFLICT
        self._json(status, answer.to_json_dict())

    def _json(self, status: HTTPStatus, content: object) -> None:
        self._answer(status, "application/dicom+json", json.dumps(content).encode())

    def _answer(self, status: HTTPStatus, content_type: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _parts(content_type: str, body: bytes) -> list[bytes]:
    """The bodies of a multipart/related message. (The email package would alter binary ones.)"""
    header = Message()
    header["Content-Type"] = content_type
    boundary = header.get_boundary()
    if boundary is None:
        return []
    delimiter = b"\r\n--" + boundary.encode("latin-1")
    sections = (b"\r\n" + body).split(delimiter)[1:]
    # Each section: CRLF, header lines, an empty line, the part. The last one is the closing "--".
    return [
        section.split(b"\r\n\r\n", 1)[1]
        for section in sections
        if section.startswith(b"\r\n") and b"\r\n\r\n" in section
    ]


def _reference(instance: ShelvedInstance) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = instance.sop_class_uid
    item.ReferencedSOPInstanceUID = instance.sop_instance_uid
    return item


def _failure(reason: int) -> Dataset:
    item = Dataset()
    item.FailureReason = reason
    return item


def _found(instance: ShelvedInstance) -> object:
    header = instance.header()
    answer = Dataset()
    answer.SpecificCharacterSet = "ISO_IR 192"
    for keyword in (
        "SOPClassUID",
        "SOPInstanceUID",
        "StudyInstanceUID",
        "SeriesInstanceUID",
        "PatientID",
        "IssuerOfPatientID",
    ):
        setattr(answer, keyword, header.get(keyword, ""))
    return answer.to_json_dict()
