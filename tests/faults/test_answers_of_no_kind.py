"""Archives whose answers are well-formed and mean nothing: no proof, and no other image waits."""

import struct
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from threading import Thread
from typing import Any, ClassVar, Self

import pydicom
import pytest
from pydicom.datadict import tag_for_keyword
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pynetdicom import AE, evt

from capture_app.archive.held_copy import read_held_copy
from capture_app.archive.one_by_one import one_by_one, request_by_request
from capture_app.archive.query import STUDY_ROOT_FIND
from capture_app.model.delivery import Instance
from capture_app.settings.schema import ArchiveDestination
from tests.archive_samples import Sample, photo
from tests.archives import SECONDS, archive_for, prove, said, store
from tests.faults import bad_servers
from tests.faults.bad_archives import stow, timed
from tests.faults.bad_servers import serving
from tests.peers import HOST
from tests.unit.archive.test_transactions import begun, report
from tests.waiting import eventually

EXPLICIT = "1.2.840.10008.1.2.1"

# ---------------------------------------------------------------------------------------- STOW-RS


@pytest.mark.parametrize(
    "reason",
    ["Infinity", "1e999", "NaN", "-5", "65536", "9" * 400, '"A700"', "[1]", "{}", "null"],
)
@pytest.mark.parametrize("sequence", ["00081198", "00081199"])
def test_a_reason_that_is_none_names_nothing(sequence: str, reason: str) -> None:
    samples = [photo(seed=1), photo(seed=2)]
    item = '{{"00081155": {{"Value": ["{}"]}}, "0008119{}": {{"Value": [{}]}}}}'
    number = 7 if sequence == "00081198" else 6
    items = ", ".join(item.format(sample.uid, number, reason) for sample in samples)
    body = f'{{"{sequence}": {{"Value": [{items}]}}}}'
    with serving(bad_servers.web("200 OK", body.encode())) as server:
        assert timed(lambda: store(stow(server.port), samples)) == ["transient not-named"] * 2


class RefusesOne(BaseHTTPRequestHandler):
    """Answers what names `uid` with `answer`; stores all else, and has nothing of it."""

    uid: ClassVar[str]
    answer: ClassVar[tuple[int, bytes]]

    def do_POST(self) -> None:
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        ds = pydicom.dcmread(BytesIO(asked.partition(b"\r\n\r\n")[2]), stop_before_pixels=True)
        named = (
            f'{{"00081199": {{"Value": [{{"00081155": {{"Value": ["{ds.SOPInstanceUID}"]}}}}]}}}}'
        )
        self._say((200, named.encode()) if ds.SOPInstanceUID != self.uid else self.answer)

    def do_GET(self) -> None:
        self._say(self.answer if self.uid in self.path else (404, b""))

    def _say(self, answer: tuple[int, bytes]) -> None:
        status, body = answer
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass


@pytest.mark.parametrize(
    ("answer", "told", "proved"),
    [
        ((403, b""), "transient forbidden", "transient forbidden"),
        ((302, b""), "transient redirected", "transient redirected"),
        ((200, b"x" * (2 << 20)), "transient too-long", "refused recoded"),
    ],
)
def test_what_one_image_is_refused_takes_no_other_with_it(
    answer: tuple[int, bytes], told: str, proved: str
) -> None:
    samples = [photo(seed=n) for n in range(3)]
    members = {"uid": samples[0].uid, "answer": answer}
    with ThreadingHTTPServer((HOST, 0), type("Handler", (RefusesOne,), members)) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            archive = stow(server.server_address[1])
            assert timed(lambda: store(archive, samples)) == [told, "stored", "stored"]
            instances = [sample.instance for sample in samples]
            missing = ["transient not-in-archive"] * 2
            assert timed(lambda: prove(archive, instances)) == [proved, *missing]
        finally:
            server.shutdown()
            thread.join()


def test_where_each_image_is_refused_the_rest_is_not_even_sent() -> None:
    samples = [photo(seed=n) for n in range(5)]
    with serving(bad_servers.web("403 Forbidden")) as server:
        assert timed(lambda: store(stow(server.port), samples)) == [
            *["transient forbidden"] * 2,
            *["transient untried"] * 3,
        ]
        sent = 2 * len(samples[0].part10)
        assert server.received < sent + len(samples[0].part10)
    with serving(bad_servers.web("401 Unauthorized")) as server:
        assert timed(lambda: store(stow(server.port), samples)) == ["transient auth"] * 5
        assert server.received < sent, "a wrong password is the station's fault, not the image's"


@pytest.mark.expects_log("outcome-not-had")
def test_a_fault_of_ours_at_one_image_stops_that_one_alone() -> None:
    samples = [photo(seed=n) for n in range(3)]

    def ask(instance: Instance) -> str:
        return f"{1 // (instance.sop_instance_uid != samples[1].uid)}"

    outcomes = list(request_by_request([sample.instance for sample in samples], ask))
    assert [str(getattr(outcome, "code", outcome)) for _, outcome in outcomes] == [
        "1",
        "unexpected",
        "1",
    ]


def test_a_fault_before_anything_was_asked_is_of_no_image() -> None:
    def establish(_waiting: object) -> Any:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        list(one_by_one([photo().instance], establish, lambda _line, _instance: ""))


# ------------------------------------------------------------------------------------------ C-FIND


class Odd:
    """An archive, made of pynetdicom, that answers with values of any kind.

    `change` replaces elements, by keyword, of the matches at one level; before its own match come
    so many of other images of the study.
    """

    def __init__(
        self, sample: Sample, level: str, change: dict[str, tuple[str, object]], *, others: int = 0
    ) -> None:
        self._sample, self._level, self._change, self._others = sample, level, change, others
        ae = AE("PACS")
        ae.add_supported_context(STUDY_ROOT_FIND, EXPLICIT)
        server: Any = ae.start_server(
            (HOST, 0), block=False, evt_handlers=[(evt.EVT_C_FIND, self._on_find)]
        )
        self._server = server
        self.port: int = server.server_address[1]

    def _on_find(self, event: Any) -> Iterator[tuple[int, Dataset]]:
        level = event.identifier.QueryRetrieveLevel
        if event.identifier.get("SOPInstanceUID") == "1.2.3":
            return
        uids = [f"1.2.{n}" for n in range(self._others)] if level == self._level else []
        for uid in [*uids, self._sample.uid if level == "IMAGE" else ""]:
            match = Dataset()
            match.QueryRetrieveLevel = level
            match.StudyInstanceUID = self._sample.instance.study_instance_uid
            if level == "IMAGE":
                match.SOPInstanceUID = uid
            else:
                match.PatientID = "900001"
                match.StudyInstanceUID = uid or match.StudyInstanceUID
            if level == self._level:
                for keyword, (vr, value) in self._change.items():
                    tag = tag_for_keyword(keyword)
                    assert tag is not None
                    match[tag] = DataElement(tag, vr, value)
            yield 0xFF00, match

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        eventually(lambda: not self._server.active_associations)
        self._server.shutdown()


def dimse(port: int) -> ArchiveDestination:
    return ArchiveDestination(
        "pacs", host=HOST, port=port, ae_title="PACS", deadline_seconds=SECONDS
    )


@pytest.mark.parametrize(
    ("level", "keyword", "vr", "value", "told"),
    [
        ("STUDY", "IssuerOfPatientIDQualifiersSequence", "LO", "x", "transient protocol"),
        ("STUDY", "IssuerOfPatientIDQualifiersSequence", "FD", 1.0, "transient protocol"),
        ("STUDY", "PatientID", "SQ", [Dataset()], "refused identity-mismatch"),
        ("STUDY", "PatientID", "LO", ["900001", "900002"], "refused identity-mismatch"),
        ("STUDY", "PatientID", "OB", b"900001", "refused identity-mismatch"),
        ("STUDY", "IssuerOfPatientID", "UT", "CLINIC", "refused identity-mismatch"),
        ("STUDY", "StudyInstanceUID", "SQ", [Dataset()], "transient not-in-archive"),
        ("IMAGE", "StudyInstanceUID", "SQ", [Dataset()], "transient protocol"),
        ("IMAGE", "StudyInstanceUID", "LO", "Doe^Jane", "transient protocol"),
        ("IMAGE", "SOPInstanceUID", "FD", 1.0, "transient not-in-archive"),
        ("IMAGE", "SOPClassUID", "SQ", [Dataset()], "refused class-mismatch"),
        ("IMAGE", "QueryRetrieveLevel", "FD", 1.0, "transient protocol"),
    ],
)
def test_a_match_of_another_kind_proves_nothing_and_stops_no_other(
    level: str, keyword: str, vr: str, value: object, told: str
) -> None:
    sample = photo()
    ghost = sample.seen_as(sop_instance_uid="1.2.3")
    with Odd(sample, level, {keyword: (vr, value)}) as peer:
        outcomes = prove(archive_for(dimse(peer.port)), [sample.instance, ghost])
    assert said(outcomes[0]) == told
    assert said(outcomes[1]) == "transient not-in-archive"


@pytest.mark.parametrize("level", ["IMAGE", "STUDY"])
@pytest.mark.parametrize(("most", "told"), [(500, "listed"), (20, "transient protocol")])
def test_an_archive_that_heeds_no_key_is_read_to_its_end_or_not_believed(
    monkeypatch: pytest.MonkeyPatch, level: str, most: int, told: str
) -> None:
    monkeypatch.setattr("capture_app.archive.query._MOST_MATCHES", most)
    sample = photo()
    with Odd(sample, level, {}, others=30) as peer:
        outcomes = prove(archive_for(dimse(peer.port)), [sample.instance])
    assert [said(outcome) for outcome in outcomes] == [told]


# --------------------------------------------------------------------------------- the commitment


@pytest.mark.expects_log("commitment-report-unreadable")
@pytest.mark.parametrize(
    ("vr", "value"),
    [("FD", float("inf")), ("DS", "1e999"), ("FD", float("nan")), ("LO", "x"), ("US", [1, 2])],
)
def test_a_reason_of_another_kind_is_no_report(vr: str, value: object) -> None:
    transactions, transaction = begun("1.1", "1.2")
    odd = report("1.2.3", kept=("1.1",), failed=("1.2",))
    item = odd.information.FailedSOPSequence[0]
    item["FailureReason"] = DataElement(item["FailureReason"].tag, vr, value)
    assert transactions.report(odd) == 0x0110
    assert transaction.reasons is None


# ---------------------------------------------------------------------------------------- WADO-RS


def test_the_transfer_syntax_that_was_looked_at_is_the_one_that_is_read() -> None:
    """A second one, behind the meta information, would have its deflated dataset inflated."""
    sample = photo(jpeg=False)
    part10 = sample.part10
    ends = 144 + struct.unpack_from("<L", part10, 140)[0]
    deflated = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    packed = deflated.compress(part10[ends:]) + deflated.flush()
    second = b"\x02\x00\x10\x00UI" + struct.pack("<H", 22) + b"1.2.840.10008.1.2.1.99"
    with pytest.raises(Exception, match="SOPClassUID"):
        read_held_copy(part10[:ends] + second + packed, None)
    assert read_held_copy(part10, None) != read_held_copy(photo(jpeg=False).part10, None)


@pytest.mark.parametrize("charset", ["ISO_IR 100", "ISO_IR 192"])
def test_a_number_of_other_letters_is_read_as_it_is(charset: str) -> None:
    ds = pydicom.dcmread(BytesIO(photo().part10))
    ds.SpecificCharacterSet, ds.PatientName, ds.PatientID = charset, "Doe^Zoë", "Zoë-1"
    out = BytesIO()
    pydicom.dcmwrite(out, ds, enforce_file_format=True)
    held = read_held_copy(out.getvalue(), None)
    assert not isinstance(held, str)
    assert held.identity.patient_id == "Zoë-1"
