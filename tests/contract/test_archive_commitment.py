"""Storage commitment with Orthanc and the simulated hospital, over real listening ports."""

import dataclasses
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE, evt

from capture_app.archive.commitment import STORAGE_COMMITMENT, CommitmentListener
from capture_app.archive.query import STUDY_ROOT_FIND
from capture_app.clock import FixedClock
from capture_app.demo.dimse_archive import PracticeArchive
from capture_app.demo.shelf import Shelf
from capture_app.model.delivery import ProofReceipt
from capture_app.net.callers import ANYBODY
from capture_app.net.deadline import Deadline
from capture_app.net.dicom.association import UNCOMPRESSED, Association, Peer, open_association
from capture_app.net.dicom.dimse_messages import N_EVENT_REPORT_RQ
from capture_app.net.dicom.upper_layer import Context
from capture_app.net.wire import Address
from capture_app.settings.schema import ArchiveDestination, ProofChoice
from tests.archive_samples import new_uid, photo
from tests.archives import (
    CLOCK,
    SECONDS,
    Archive,
    archive_for,
    listening_archive,
    prove,
    said,
    store,
)
from tests.peers import HOST, Orthanc, free_port
from tests.waiting import eventually

COMMITMENT_INSTANCE = "1.2.840.10008.1.20.1.1"


def destination(aet: str, port: int, commitment_port: int | None) -> ArchiveDestination:
    return ArchiveDestination(
        "pacs",
        host=HOST,
        port=port,
        ae_title=aet,
        commitment_port=commitment_port,
        deadline_seconds=SECONDS,
    )


@pytest.fixture(params=["orthanc", "practice"])
def archive(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Archive]:
    """An archive that reports to a listener of ours."""
    port = free_port()
    with ExitStack() as stack:
        if request.param == "orthanc":
            peer: Orthanc = request.getfixturevalue("orthanc")
            peer.know("CAPTURE", port)
            place = (peer.aet, peer.dicom_port)
        else:
            practice = PracticeArchive(
                Shelf(tmp_path / "shelf"),
                ae_title="PRACTICE",
                commitment_peers={"CAPTURE": (HOST, port)},
            )
            stack.callback(practice.stop)
            place = ("PRACTICE", practice.port)
        yield stack.enter_context(listening_archive(destination(*place, port)))


def test_what_is_held_is_committed_with_its_transaction(archive: Archive) -> None:
    samples = [photo(seed=n) for n in range(3)]
    store(archive, samples)
    outcomes = prove(archive, [sample.instance for sample in samples])
    assert [said(o) for o in outcomes] == ["storage-commitment"] * 3
    transactions = {o.transaction_uid for o in outcomes if isinstance(o, ProofReceipt)}
    (transaction,) = transactions
    assert transaction.startswith("2.25.")
    (again,) = prove(archive, [samples[0].instance])
    assert isinstance(again, ProofReceipt)
    assert again.transaction_uid not in transactions  # never used twice


def test_what_is_missing_or_another_patients_is_told_beside_what_is_held(archive: Archive) -> None:
    held, missing = photo(), photo()
    store(archive, [held])
    assert [said(o) for o in prove(archive, [missing.instance, held.instance])] == [
        "transient not-in-archive",
        "storage-commitment",
    ]
    misfiled = held.seen_as(patient_id="900002")
    assert [said(o) for o in prove(archive, [misfiled])] == ["refused identity-mismatch"]


def test_more_than_one_request_can_hold_is_asked_in_parts(archive: Archive) -> None:
    held = photo()
    store(archive, [held])
    ghosts = [held.seen_as(sop_instance_uid=new_uid()) for _ in range(104)]
    outcomes = [said(o) for o in prove(archive, [*ghosts, held.instance])]
    assert outcomes == ["transient not-in-archive"] * 104 + ["storage-commitment"]


def test_an_archive_that_does_not_know_us_says_so(orthanc: Orthanc) -> None:
    sample = photo()
    with listening_archive(destination(orthanc.aet, orthanc.dicom_port, free_port())) as archive:
        store(archive, [sample])
        (outcome,) = prove(archive, [sample.instance])
    assert said(outcome).startswith("transient ")


@pytest.fixture
def listener() -> Iterator[CommitmentListener]:
    """A listener that knows the archive PACS, on a free port."""
    listener = CommitmentListener(
        host=HOST, port=0, ae_title="CAPTURE", archive_ae_titles={"PACS": [ANYBODY]}, clock=CLOCK
    )
    listener.start()
    yield listener
    listener.stop()


@contextmanager
def caller(listener: CommitmentListener) -> Iterator[Association]:
    """An association that an archive, played by our own client, opens to the listener."""
    peer = Peer(Address("listener", HOST, listener.port), "CAPTURE", "PACS")
    contexts = [Context(STORAGE_COMMITMENT, UNCOMPRESSED)]
    with open_association(peer, contexts, Deadline.after(CLOCK, SECONDS)) as assoc:
        yield assoc


def report(assoc: Association, transaction_uid: str, *kept: str) -> int:
    information = Dataset()
    if transaction_uid:
        information.TransactionUID = transaction_uid
    information.ReferencedSOPSequence = [Dataset() for _ in kept]
    for item, uid in zip(information.ReferencedSOPSequence, kept, strict=True):
        item.ReferencedSOPClassUID = photo().instance.sop_class_uid
        item.ReferencedSOPInstanceUID = uid
    context = assoc._context(STORAGE_COMMITMENT)
    asked = assoc._request(
        context,
        N_EVENT_REPORT_RQ,
        STORAGE_COMMITMENT,
        COMMITMENT_INSTANCE,
        assoc._conversation.encoded(information, context),
        EventTypeID=1,
    )
    return assoc._status(assoc._response(asked))


def echoscu(listener: CommitmentListener, *options: str) -> subprocess.CompletedProcess[bytes]:
    argv = ["echoscu", "-v", "-to", "5", *options, HOST, str(listener.port)]
    return subprocess.run(argv, capture_output=True, timeout=60, check=False)


def test_an_archive_can_try_the_port_with_an_echo(listener: CommitmentListener) -> None:
    done = echoscu(listener, "-aet", "PACS", "-aec", "CAPTURE", "--repeat", "3")
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(b"Received Echo Response (Success)") == 3


@pytest.mark.parametrize(
    ("titles", "reason"),
    [
        (("-aet", "STRANGER", "-aec", "CAPTURE"), b"Calling AE Title Not Recognized"),
        (("-aet", "PACS", "-aec", "OTHER"), b"Called AE Title Not Recognized"),
    ],
)
def test_only_known_archives_may_call(
    listener: CommitmentListener, titles: tuple[str, ...], reason: bytes
) -> None:
    done = echoscu(listener, *titles)
    assert done.returncode != 0
    assert reason in done.stderr


@pytest.mark.expects_log("commitment-report-unknown")
def test_a_report_nobody_waits_for_is_answered_with_a_failure(listener: CommitmentListener) -> None:
    with caller(listener) as assoc:
        assert report(assoc, new_uid(), new_uid()) == 0x0110


@pytest.mark.expects_log("commitment-report-unreadable")
def test_a_report_without_a_transaction_is_answered_with_a_failure(
    listener: CommitmentListener,
) -> None:
    with caller(listener) as assoc:
        assert report(assoc, "", new_uid()) == 0x0110


def test_idle_connections_do_not_lock_an_archive_out(listener: CommitmentListener) -> None:
    with ExitStack() as stack:
        for _ in range(40):
            sock = stack.enter_context(socket.create_connection((HOST, listener.port)))
            sock.sendall(b"\x01\x00")
        assert echoscu(listener, "-aet", "PACS", "-aec", "CAPTURE").returncode == 0


@pytest.mark.parametrize(
    "junk",
    [
        b"\x01\x00\x7f\xff\xff\xff" + b"x" * 4096,  # a request of 2 GiB
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"\x01\x00\x00\x00\x00\x10" + b"\xff" * 16,
        b"\x04\x00\x00\x00\x00\x00",  # data before an association
    ],
)
def test_junk_is_hung_up_on(listener: CommitmentListener, junk: bytes) -> None:
    with socket.create_connection((HOST, listener.port), 5) as sock:
        sock.sendall(junk)
        with suppress(ConnectionResetError):
            assert sock.recv(100) == b""
    with caller(listener):
        pass


class ReportsLate:
    """An archive, made of pynetdicom, that reports when and where the test says."""

    def __init__(self, *, can_be_queried: bool = True, finds: bool = True) -> None:
        self.asked: list[tuple[str, list[str]]] = []
        self._finds = finds
        ae = AE("PACS")
        ae.add_supported_context(STORAGE_COMMITMENT, scu_role=True, scp_role=True)
        if can_be_queried:
            ae.add_supported_context(STUDY_ROOT_FIND)
        server: Any = ae.start_server(
            (HOST, 0),
            block=False,
            evt_handlers=[(evt.EVT_N_ACTION, self._on_action), (evt.EVT_C_FIND, self._on_find)],
        )
        self._server = server
        self.port: int = server.server_address[1]

    def _on_action(self, event: Any) -> tuple[int, None]:
        information = event.action_information
        uids = [str(i.ReferencedSOPInstanceUID) for i in information.ReferencedSOPSequence]
        self.asked.append((str(information.TransactionUID), uids))
        return 0x0000, None

    def _on_find(self, event: Any) -> Iterator[tuple[int, Dataset]]:
        if not self._finds:
            return
        match = event.identifier
        if match.QueryRetrieveLevel == "STUDY":
            match.PatientID, match.IssuerOfPatientID = "900001", "HOSPITAL"
        yield 0xFF00, match

    def stop(self) -> None:
        self._server.shutdown()


@pytest.fixture
def late() -> Iterator[ReportsLate]:
    peer = ReportsLate()
    yield peer
    peer.stop()


def test_a_report_that_comes_late_is_kept_for_the_next_attempt(
    late: ReportsLate, listener: CommitmentListener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("capture_app.archive.commitment._WAIT_SECONDS", 0.1)
    monkeypatch.setattr("capture_app.archive.commitment._LINGER_SECONDS", 0.1)
    sample = photo()
    archive = archive_for(destination("PACS", late.port, listener.port), listener)
    assert [said(o) for o in prove(archive, [sample.instance])] == ["transient commitment-pending"]
    assert [said(o) for o in prove(archive, [sample.instance])] == ["transient commitment-pending"]
    ((transaction, uids),) = late.asked  # not asked twice while the answer may still come
    assert uids == [sample.uid]
    with caller(listener) as assoc:
        assert report(assoc, transaction, sample.uid) == 0x0000
    (outcome,) = prove(archive, [sample.instance])
    assert isinstance(outcome, ProofReceipt)
    assert outcome.transaction_uid == transaction


def test_an_archive_that_forgot_the_request_is_asked_again_after_ten_minutes(
    late: ReportsLate,
    listener: CommitmentListener,
    clock: FixedClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("capture_app.archive.commitment._WAIT_SECONDS", 0.1)
    monkeypatch.setattr("capture_app.archive.commitment._LINGER_SECONDS", 0.1)
    sample = photo()
    archive = archive_for(destination("PACS", late.port, listener.port), listener, clock=clock)
    for seconds, requests in ((0, 1), (300, 1), (299, 1), (2, 2), (599, 2), (2, 3)):
        clock.advance(seconds)
        outcomes = prove(archive, [sample.instance])
        assert [said(o) for o in outcomes] == ["transient commitment-pending"]
        assert len(late.asked) == requests
    assert len({transaction for transaction, _ in late.asked}) == 3
    with caller(listener) as assoc:
        assert report(assoc, late.asked[-1][0], sample.uid) == 0x0000
    assert [said(o) for o in prove(archive, [sample.instance])] == ["storage-commitment"]


@pytest.mark.expects_log("commitment-report-unknown")
def test_a_report_counts_once(
    late: ReportsLate, listener: CommitmentListener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("capture_app.archive.commitment._WAIT_SECONDS", 0.1)
    monkeypatch.setattr("capture_app.archive.commitment._LINGER_SECONDS", 0.1)
    sample = photo()
    archive = archive_for(destination("PACS", late.port, listener.port), listener)
    prove(archive, [sample.instance])
    with caller(listener) as assoc:
        report(assoc, late.asked[0][0], sample.uid)
        assert [said(o) for o in prove(archive, [sample.instance])] == ["storage-commitment"]
        assert report(assoc, late.asked[0][0], sample.uid) == 0x0110


def test_a_report_that_does_not_name_the_image_proves_nothing(
    late: ReportsLate, listener: CommitmentListener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("capture_app.archive.commitment._WAIT_SECONDS", 0.1)
    monkeypatch.setattr("capture_app.archive.commitment._LINGER_SECONDS", 0.1)
    sample = photo()
    archive = archive_for(destination("PACS", late.port, listener.port), listener)
    prove(archive, [sample.instance])
    with caller(listener) as assoc:
        report(assoc, late.asked[0][0], new_uid())
    assert [said(o) for o in prove(archive, [sample.instance])] == [
        "transient commitment-not-named"
    ]
    prove(archive, [sample.instance])
    assert len(late.asked) == 2
    assert late.asked[0][0] != late.asked[1][0]


def test_an_image_at_which_the_archive_never_commits_takes_no_other_with_it(
    late: ReportsLate, listener: CommitmentListener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("capture_app.archive.commitment._WAIT_SECONDS", 0.1)
    monkeypatch.setattr("capture_app.archive.commitment._LINGER_SECONDS", 0.1)
    samples = [photo(seed=n) for n in range(3)]
    instances = [sample.instance for sample in samples]
    archive = archive_for(destination("PACS", late.port, listener.port), listener)
    prove(archive, instances)
    ((_, together),) = late.asked
    assert together == [sample.uid for sample in samples]
    monkeypatch.setattr("capture_app.archive.commitment._ASK_ANEW_AFTER_SECONDS", 0.0)
    prove(archive, instances)
    monkeypatch.setattr("capture_app.archive.commitment._ASK_ANEW_AFTER_SECONDS", 600.0)
    alone = late.asked[1:]
    assert [uids for _, uids in alone] == [[uid] for uid in together]
    with caller(listener) as assoc:
        for transaction, (uid,) in alone[1:]:
            assert report(assoc, transaction, uid) == 0x0000
    assert [said(o) for o in prove(archive, instances)] == [
        "transient commitment-pending",
        "storage-commitment",
        "storage-commitment",
    ]


class NeverTakesOne(ReportsLate):
    """One that hangs at every request in which a certain image is."""

    def __init__(self, uid: str) -> None:
        self._uid = uid
        self._over = threading.Event()
        super().__init__()

    def _on_action(self, event: Any) -> tuple[int, None]:
        answer = super()._on_action(event)
        if self._uid in self.asked[-1][1]:
            self._over.wait()
        return answer

    def stop(self) -> None:
        self._over.set()
        super().stop()


def test_an_image_at_which_the_request_hangs_is_asked_for_alone(
    listener: CommitmentListener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("capture_app.archive.commitment._WAIT_SECONDS", 0.1)
    monkeypatch.setattr("capture_app.archive.commitment._LINGER_SECONDS", 0.1)
    samples = [photo(seed=n) for n in range(3)]
    instances = [sample.instance for sample in samples]
    peer = NeverTakesOne(samples[0].uid)
    try:
        settings = destination("PACS", peer.port, listener.port)
        archive = archive_for(dataclasses.replace(settings, deadline_seconds=1.5), listener)
        assert [said(o) for o in prove(archive, instances)] == ["transient timeout"] * 3
        assert [said(o) for o in prove(archive, instances)] == [
            "transient timeout",
            *["transient commitment-pending"] * 2,
        ]
        assert [uids for _, uids in peer.asked[1:]] == [[sample.uid] for sample in samples]
    finally:
        peer.stop()


class RefusesOne(ReportsLate):
    """One that takes no request in which a certain image is."""

    def __init__(self, uid: str) -> None:
        self._uid = uid
        super().__init__()

    def _on_action(self, event: Any) -> tuple[int, None]:
        status, _ = super()._on_action(event)
        return (0x0110 if self._uid in self.asked[-1][1] else status), None


def test_an_image_for_which_a_request_is_refused_takes_no_other_with_it(
    listener: CommitmentListener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("capture_app.archive.commitment._WAIT_SECONDS", 0.1)
    monkeypatch.setattr("capture_app.archive.commitment._LINGER_SECONDS", 0.1)
    samples = [photo(seed=n) for n in range(3)]
    instances = [sample.instance for sample in samples]
    peer = RefusesOne(samples[0].uid)
    try:
        archive = archive_for(destination("PACS", peer.port, listener.port), listener)
        refused = "transient commitment-request-0110"
        assert [said(o) for o in prove(archive, instances)] == [refused] * 3
        prove(archive, instances)
        assert [uids for _, uids in peer.asked[1:]] == [[sample.uid] for sample in samples]
        with caller(listener) as assoc:
            for transaction, (uid,) in peer.asked[2:]:
                assert report(assoc, transaction, uid) == 0x0000
        outcomes = [said(o) for o in prove(archive, instances)]
        assert outcomes == [refused, *["storage-commitment"] * 2]
    finally:
        peer.stop()


class ReportsAtOnce(ReportsLate):
    """One that reports on the association of the request, as soon as it has answered that."""

    def __init__(self, **more: bool) -> None:
        self._reporters: list[threading.Thread] = []
        super().__init__(**more)

    def _on_action(self, event: Any) -> tuple[int, None]:
        answer = super()._on_action(event)
        answered = threading.Event()
        event.assoc.bind(evt.EVT_DIMSE_SENT, lambda _event: answered.set())
        self._reporters.append(threading.Thread(target=self._report, args=(event.assoc, answered)))
        self._reporters[-1].start()
        return answer

    def _report(self, assoc: Any, answered: threading.Event) -> None:
        assert answered.wait(60)
        # pynetdicom's reactor may take the answer to a request that is sent while it wakes up.
        assoc._reactor_checkpoint.clear()
        pause = threading.Event()
        eventually(lambda: all(assoc._is_paused and not pause.wait(0.01) for _ in range(10)))
        transaction, uids = self.asked[-1]
        information = Dataset()
        information.TransactionUID = transaction
        information.ReferencedSOPSequence = [Dataset() for _ in uids]
        for item, uid in zip(information.ReferencedSOPSequence, uids, strict=True):
            item.ReferencedSOPClassUID = photo().instance.sop_class_uid
            item.ReferencedSOPInstanceUID = uid
        answer, _ = assoc.send_n_event_report(
            information, 1, STORAGE_COMMITMENT, COMMITMENT_INSTANCE
        )
        assert answer.Status == 0x0000

    def stop(self) -> None:
        for reporter in self._reporters:
            reporter.join()
        super().stop()


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({}, "storage-commitment"),
        ({"can_be_queried": False}, "listed"),  # for whom it keeps it cannot be asked
        ({"finds": False}, "transient not-in-archive"),  # a promise that its own index denies
    ],
)
def test_a_report_on_the_association_of_the_request_needs_no_port(
    more: dict[str, bool], told: str
) -> None:
    peer = ReportsAtOnce(**more)
    try:
        sample = photo()
        settings = destination("PACS", peer.port, None)
        archive = archive_for(dataclasses.replace(settings, proof=ProofChoice.STORAGE_COMMITMENT))
        assert [said(o) for o in prove(archive, [sample.instance])] == [told]
    finally:
        peer.stop()
