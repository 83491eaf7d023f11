"""The worklist client against DCMTK's wlmscpfs and Orthanc, on good and on bad days."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import UID
from pynetdicom import AE, evt
from pynetdicom.events import Event

from capture_app.clock import SystemClock
from capture_app.demo.worklist import WorklistPeer
from capture_app.errors import DeliveryError
from capture_app.model.feed_note import FeedNote, NoteCode
from capture_app.model.worklist import FeedSource
from capture_app.net.deadline import Interruption
from capture_app.patients.census.census import Census, open_census
from capture_app.patients.census.orders import WorklistAnswer
from capture_app.patients.finding.tabs import Tab
from capture_app.patients.sources.worklist.poller import WorklistPoller
from capture_app.patients.sources.worklist.query import MODALITY_WORKLIST_FIND, ask
from capture_app.settings.feeds import AdtFeed, Worklist
from capture_app.settings.schema import Settings, Station
from capture_app.store.cipher import Cipher
from tests.peers import HOST, Orthanc, Wlmscpfs, free_port, run_orthanc, run_wlmscpfs
from tests.waiting import Eventually
from tests.worklists import (
    SAMPLE_NAMES,
    an_item,
    write_dcmtk_examples,
    write_item,
    write_samples,
)

CLOCK = SystemClock()
TODAY = CLOCK.now().date()


@pytest.fixture(scope="module")
def wlmscpfs() -> Iterator[Wlmscpfs]:
    with run_wlmscpfs() as peer:
        yield peer


@pytest.fixture(scope="module")
def worklists_of_orthanc() -> Iterator[Orthanc]:
    with run_orthanc() as peer:
        yield peer


@pytest.fixture(autouse=True)
def _empty(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    for name in ("wlmscpfs", "worklists_of_orthanc"):
        if name in request.fixturenames:
            for path in folder_of(request.getfixturevalue(name)).glob("*.wl"):
                path.unlink()


def settings_of(peer: Wlmscpfs | Orthanc, **changed: object) -> Worklist:
    return _worklist(peer.aet, peer.dicom_port, **changed)


def folder_of(peer: Wlmscpfs | Orthanc) -> Path:
    return peer.folder if isinstance(peer, Wlmscpfs) else peer.worklists


def _worklist(ae_title: str, port: int, **changed: object) -> Worklist:
    values: dict[str, object] = {"poll_seconds": 3600.0, "deadline_seconds": 60.0, **changed}
    return Worklist("ris", HOST, port, ae_title, **values)  # type: ignore[arg-type]  # by name


def asked(worklist: Worklist) -> WorklistAnswer:
    return ask(worklist, "CAPTURE", CLOCK, Interruption())


def names(answer: WorklistAnswer) -> dict[str, str]:
    return {item.patient.patient_id.value: item.patient.name.pn for item in answer.items}


# ----------------------------------------------------------------------------------- good days


def test_wlmscpfs_gives_every_character_set(wlmscpfs: Wlmscpfs) -> None:
    write_samples(wlmscpfs.folder, TODAY)
    answer = asked(settings_of(wlmscpfs))
    assert names(answer) == SAMPLE_NAMES
    assert (answer.skipped, answer.is_truncated, answer.problem) == (0, False, "")


def test_a_provider_that_calls_every_set_latin_1_is_refused_doubted_or_corrected() -> None:
    """`-cs1` labels all text ISO_IR 100, whatever the item's file says."""
    with run_wlmscpfs(options=("-cs1",)) as peer:
        write_samples(peer.folder, TODAY)
        answer = asked(settings_of(peer))
        corrected = asked(settings_of(peer, charsets=("ISO_IR 100=ISO_IR 144",)))
    right = {number for number, name in names(answer).items() if name == SAMPLE_NAMES[number]}
    doubted = {
        item.patient.patient_id.value
        for item in answer.items
        if FeedNote("PatientName", NoteCode.DOUBTED) in item.notes
    }
    assert right == {"chrFren", "chrGerm"}
    assert set(names(answer)) == right | doubted
    assert doubted >= {"chrGreek", "chrRuss"}
    assert answer.skipped == len(SAMPLE_NAMES) - len(answer.items)
    assert names(corrected)["chrRuss"] == SAMPLE_NAMES["chrRuss"]


def test_orthanc_converts_what_it_can_and_the_rest_is_counted(
    worklists_of_orthanc: Orthanc,
) -> None:
    write_samples(worklists_of_orthanc.worklists, TODAY)
    answer = asked(settings_of(worklists_of_orthanc))
    read = names(answer)
    assert read == {number: SAMPLE_NAMES[number] for number in read}
    # It leaves the escape sequences of these inside text that it calls UTF-8.
    assert set(SAMPLE_NAMES) - set(read) == {"chrH32", "chrI2"}
    assert answer.skipped == 2


PROVIDERS = pytest.mark.parametrize("provider", ["wlmscpfs", "worklists_of_orthanc", "practice"])
"""The simulated hospital is held to what is asked of the real ones."""


@contextmanager
def offering(
    request: pytest.FixtureRequest, provider: str, items: Sequence[Dataset]
) -> Iterator[Worklist]:
    """The settings to reach a provider that has these items."""
    if provider == "practice":
        practice = WorklistPeer(items, ae_title="PRACTICE")
        try:
            yield _worklist("PRACTICE", practice.port)
        finally:
            practice.stop()
        return
    peer: Wlmscpfs | Orthanc = request.getfixturevalue(provider)
    for number, item in enumerate(items):
        write_item(folder_of(peer), f"{number}", item)
    yield settings_of(peer)


@PROVIDERS
def test_an_order_comes_whole(request: pytest.FixtureRequest, provider: str) -> None:
    item = an_item("7", "Nguyễn^Thị Mai", day=TODAY)
    with offering(request, provider, [item]) as worklist:
        (read,) = asked(worklist).items
    assert read.patient.name.pn == "Nguyễn^Thị Mai"
    assert read.patient.patient_id.key == ("7", "HOSP")
    assert read.encounter is not None
    assert read.encounter.visit_number == "V7"
    assert read.encounter.location.ward == "4B"
    # Neither of these comes back from wlmscpfs, whatever its file holds.
    from_file = ("", "") if provider == "wlmscpfs" else ("HOSP", "Surgery")
    assert (read.encounter.issuer, read.encounter.department) == from_file
    order = read.order
    assert order is not None
    assert order.study_instance_uid == item.StudyInstanceUID
    assert (order.accession_number, order.modality) == ("A1", "XC")
    assert order.requested_procedure_code is not None
    assert order.requested_procedure_code.key == ("99TEST", "WNDPHOTO")
    assert [code.key for code in order.scheduled_protocol_codes] == [("99TEST", "P1")]
    assert order.scheduled_at is not None
    assert order.scheduled_at.date() == TODAY


@PROVIDERS
def test_only_three_days_of_our_station_and_modality(
    request: pytest.FixtureRequest, provider: str
) -> None:
    items = [
        an_item(f"day{days}", day=TODAY + timedelta(days=days), accession=f"day{days}")
        for days in (-2, -1, 0, 1, 2)
    ]
    items += [
        an_item("us", day=TODAY, modality="US", accession="us"),
        an_item("ct", day=TODAY, station="CT1", accession="ct"),
    ]
    with offering(request, provider, items) as worklist:
        everything = names(asked(worklist))
        ours = names(asked(replace(worklist, station_ae_title="CAPTURE", modality="XC")))
    assert set(everything) == {"day-1", "day0", "day1", "us", "ct"}
    assert set(ours) == {"day-1", "day0", "day1"}


def test_dcmtks_own_examples_are_read(wlmscpfs: Wlmscpfs) -> None:
    write_dcmtk_examples(wlmscpfs.folder, TODAY)
    answer = asked(settings_of(wlmscpfs))
    assert (len(answer.items), answer.skipped) == (10, 0)
    assert names(answer)["AV35674"] == "VIVALDI^ANTONIO"


def test_a_peer_that_drops_the_character_set_is_read_as_the_site_says() -> None:
    with run_wlmscpfs(options=("-cs0",)) as peer:
        write_item(peer.folder, "a", an_item("7", "王^小明", day=TODAY))
        write_item(peer.folder, "b", an_item("8", "Doe^Jane", day=TODAY, accession="A2"))
        refused = asked(settings_of(peer))
        assert (names(refused), refused.skipped) == ({"8": "Doe^Jane"}, 1)
        right = asked(settings_of(peer, charset_when_absent="ISO_IR 192"))
        assert (names(right), right.skipped) == ({"7": "王^小明", "8": "Doe^Jane"}, 0)


def test_a_peer_that_calls_everything_latin_1_is_not_believed() -> None:
    with run_wlmscpfs(options=("-cs1",)) as peer:
        write_item(peer.folder, "a", an_item("7", "王^小明", day=TODAY))
        answer = asked(settings_of(peer, charset_when_absent="ISO_IR 192"))
        assert (answer.items, answer.skipped) == ((), 1)


@PROVIDERS
def test_a_long_list_is_cut_off_and_that_is_told(
    request: pytest.FixtureRequest, provider: str
) -> None:
    items = [an_item(f"{number}", day=TODAY, accession=f"A{number}") for number in range(30)]
    with offering(request, provider, items) as worklist:
        cut = asked(replace(worklist, max_items=10))
        whole = asked(replace(worklist, max_items=30))
    assert (len(cut.items), cut.is_truncated) == (10, True)
    assert (len(whole.items), whole.is_truncated) == (30, False)


# ----------------------------------------------------------------------------------- bad days


def test_a_peer_that_is_not_there() -> None:
    with pytest.raises(DeliveryError) as error:
        asked(_worklist("RIS", free_port()))
    assert error.value.code == "refused"


def test_a_peer_that_does_not_know_the_ae_title(wlmscpfs: Wlmscpfs) -> None:
    with pytest.raises(DeliveryError) as error:
        asked(_worklist("NOBODY", wlmscpfs.dicom_port))
    assert error.value.code.startswith("rejected")


def test_a_peer_that_hangs_is_given_up_by_the_deadline() -> None:
    with run_wlmscpfs() as peer:
        peer.program.freeze()
        with pytest.raises(DeliveryError) as error:
            asked(settings_of(peer, deadline_seconds=0.5))
        assert error.value.code == "timeout"
        peer.program.thaw()


class BadPeer:
    """A worklist provider of pynetdicom that answers as told: endless, failing, or odd items.

    An endless one takes a breath after each answer: it shares this process, and must leave the
    other side the time to cancel.
    """

    def __init__(self, answers: list[tuple[int, Dataset | None]], *, endless: bool = False) -> None:
        self.cancelled = threading.Event()
        self._answers = answers
        self._endless = endless
        ae = AE("BAD")
        ae.add_supported_context(UID(MODALITY_WORKLIST_FIND))
        server = ae.start_server(
            (HOST, 0), block=False, evt_handlers=[(evt.EVT_C_FIND, self._on_find)]
        )
        assert server is not None
        self._server = server
        self.port: int = server.server_address[1]

    def _on_find(self, event: Event) -> Iterator[tuple[int, Dataset | None]]:
        assert event.identifier.ScheduledProcedureStepSequence
        breath = threading.Event()
        while True:
            for answer in self._answers:
                if self._endless:
                    breath.wait(0.005)
                if event.is_cancelled:
                    self.cancelled.set()
                    yield 0xFE00, None
                    return
                yield answer
            if not self._endless:
                return

    def stop(self) -> None:
        self._server.shutdown()


@pytest.fixture
def peer_of(request: pytest.FixtureRequest) -> Iterator[list[BadPeer]]:
    peers: list[BadPeer] = []
    yield peers
    for peer in peers:
        peer.stop()


def test_an_endless_answer_is_cancelled(peer_of: list[BadPeer]) -> None:
    peer_of.append(BadPeer([(0xFF00, an_item("7", day=TODAY))], endless=True))
    answer = asked(_worklist("BAD", peer_of[0].port, max_items=25))
    assert (len(answer.items), answer.is_truncated) == (25, True)
    assert peer_of[0].cancelled.wait(30)


@pytest.mark.parametrize("status", [0xA700, 0xA900, 0xC001])
def test_a_failure_is_no_empty_list(peer_of: list[BadPeer], status: int) -> None:
    peer_of.append(BadPeer([(0xFF00, an_item("7", day=TODAY)), (status, None)]))
    with pytest.raises(DeliveryError) as error:
        asked(_worklist("BAD", peer_of[0].port))
    assert error.value.code == f"question-{status:04X}"


def test_items_that_cannot_be_used_cost_nobody_else_the_order(peer_of: list[BadPeer]) -> None:
    peer_of.append(
        BadPeer(
            [
                (0xFF00, an_item("1", day=TODAY, PatientID="")),
                (0xFF01, an_item("2", day=TODAY)),
                (0xFF00, an_item("3", day=TODAY, StudyInstanceUID="")),
                (0xFF00, an_item("4", day=TODAY, PatientName="Doe\\Roe")),
            ]
        )
    )
    answer = asked(_worklist("BAD", peer_of[0].port))
    assert (list(names(answer)), answer.skipped) == (["2", "3"], 2)
    assert [item.order is None for item in answer.items] == [False, True]


# ----------------------------------------------------------------------------------- polling


@pytest.fixture
def census(tmp_path: Path) -> Iterator[Census]:
    settings = Settings(data_dir=tmp_path, adt=AdtFeed(assigning_authority="HOSP"))
    census = open_census(tmp_path, Cipher(b"k" * 32), CLOCK, settings)
    yield census
    census.close()


def test_rows_join_the_list_and_stay_with_their_age_when_the_peer_is_gone(
    census: Census, eventually: Eventually
) -> None:
    with run_wlmscpfs() as peer:
        write_item(peer.folder, "a", an_item("7", "Doe^Jane", day=TODAY))
        worklist = settings_of(peer, poll_seconds=0.1)
        poller = WorklistPoller(census, worklist, Station(ae_title="CAPTURE"), CLOCK)
        poller.start()
        try:
            eventually(lambda: census.find("", tab=Tab.WORKLIST))
            (entry,) = census.find("", tab=Tab.WORKLIST)
            assert entry.source is FeedSource.WORKLIST
            assert [order.accession_number for order in entry.orders] == ["A1"]
            status = census.feed_status()[1]
            assert (status.connected, status.count, status.problem) == (True, 1, "")
            peer.program.kill()
            eventually(lambda: census.feed_status()[1].problem)
            status = census.feed_status()[1]
            assert status.connected is False
            assert status.last_message_at == entry.as_of
            assert census.find("", tab=Tab.WORKLIST) == (entry,)
            peer.program.restart()
            write_item(peer.folder, "b", an_item("8", "Roe^Rita", day=TODAY, accession="A2"))
            eventually(lambda: len(census.find("", tab=Tab.WORKLIST)) == 2)
            assert census.feed_status()[1].problem == ""
        finally:
            poller.stop()


def test_stopping_ends_a_question_under_way(census: Census) -> None:
    with run_wlmscpfs() as peer:
        peer.program.freeze()
        worklist = settings_of(peer, deadline_seconds=600.0)
        poller = WorklistPoller(census, worklist, Station(), CLOCK)
        poller.start()
        assert census.feed_status()[1].connected is None
        (asking,) = [t for t in threading.enumerate() if t.name == "worklist-ris"]
        poller.stop()
        assert not asking.is_alive()  # and was not given up
        assert census.feed_status()[1].problem == ""
        peer.program.thaw()
