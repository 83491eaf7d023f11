"""Archives on their bad days: always an end, the right word for it, no thread left behind."""

import dataclasses
import threading
from typing import Any, Self

import pytest
from pynetdicom import AE, evt

from capture_app.errors import RefusedDeliveryError
from capture_app.model.delivery import Instance
from capture_app.model.reason import Reason
from capture_app.settings.schema import ArchiveDestination, ArchiveProtocol
from tests.archive_samples import photo
from tests.archives import Archive, archive_for, prove, said, store
from tests.faults import bad_servers
from tests.faults.bad_archives import (
    AT_MOST_SECONDS,
    IMPATIENT,
    JPEG_CONTEXT,
    PATIENT,
    big,
    patience_for,
    stow,
    timed,
)
from tests.faults.bad_servers import Behaviour, serving
from tests.peers import HOST, Orthanc, free_port, run_orthanc, run_storescp
from tests.waiting import Eventually


def dimse(port: int, *, aet: str = "PACS", seconds: float = PATIENT, **more: Any) -> Archive:
    settings = ArchiveDestination(
        "pacs", host=HOST, port=port, ae_title=aet, deadline_seconds=seconds, **more
    )
    return archive_for(settings)


# ------------------------------------------------------------------------------------ DIMSE, silent


@pytest.mark.parametrize(
    ("behaviour", "told"),
    [
        (bad_servers.silent, "transient timeout"),
        (bad_servers.deaf, "transient timeout"),
        (bad_servers.saying(b"\x02\x00\x00"), "transient timeout"),
        (bad_servers.trickling(b"\x02\x00\x00\x00\x40\x00" + b"\x00" * 200), "transient timeout"),
        (bad_servers.saying(b"\x02\x00\x7f\xff\xff\xff"), "transient protocol"),
        (bad_servers.pouring(b"\x02\x00\x00\x0f\xff\xff"), "transient protocol"),
        (bad_servers.saying(b"HTTP/1.1 400 Bad Request\r\n\r\n"), "transient protocol"),
        (bad_servers.saying(b"\x02\x00\x00\x00\x00\x04\x00\x01\x00\x00"), "transient protocol"),
        (bad_servers.saying(b"\x07\x00\x00\x00\x00\x04\x00\x00\x00\x00"), "transient aborted"),
        (bad_servers.saying(b"\x03\x00\x00\x00\x00\x04\x00\x02\x03\x01"),
         "transient rejected-busy"),
        (bad_servers.saying(b"\x03\x00\x00\x00\x00\x04\x00\x01\x01\x01"), "transient rejected"),
        (bad_servers.saying(b"\x03\x00\x00\x00\x00\x04\x00\x01\x01\x03"),
         "transient rejected-calling-ae-title"),
        (bad_servers.resetting, "transient aborted"),
        (lambda _server, _sock: None, "transient aborted"),
    ],
)  # fmt: skip
def test_an_archive_that_never_becomes_an_association(behaviour: Behaviour, told: str) -> None:
    samples = [photo(), photo()]
    with serving(behaviour) as server:
        archive = dimse(server.port, seconds=patience_for(told))
        assert timed(lambda: store(archive, samples)) == [told, told]
        assert timed(lambda: prove(archive, [samples[0].instance])) == [told]


def test_nobody_listens() -> None:
    sample = photo()
    assert timed(lambda: store(dimse(free_port()), [sample])) == ["transient refused"]
    assert timed(lambda: store(stow(free_port()), [sample])) == ["transient refused"]
    assert timed(lambda: prove(stow(free_port()), [sample.instance])) == ["transient refused"]


def test_a_host_without_an_address() -> None:
    sample = photo()
    nowhere = ArchiveDestination(
        "pacs", host="archive.invalid", port=104, ae_title="PACS", deadline_seconds=PATIENT
    )
    (outcome,) = store(archive_for(nowhere), [sample])
    assert said(outcome) == "transient unknown-host"
    web = dataclasses.replace(
        nowhere, protocol=ArchiveProtocol.STOW, url="http://archive.invalid/dicom-web"
    )
    (outcome,) = store(archive_for(web), [sample])
    assert said(outcome) == "transient unknown-host"


# --------------------------------------------------------------------------- DIMSE, in the middle


def test_an_archive_that_stops_reading_in_the_middle() -> None:
    first, second, third = photo(), big(), photo()
    with run_storescp(aet="PACS") as peer:

        def freeze_at_second(instance: Instance) -> None:
            if instance.sop_instance_uid == second.uid:
                peer.program.freeze()

        def outcomes() -> list[Any]:
            archive = dimse(peer.dicom_port, seconds=3)
            return store(archive, [first, second, third], freeze_at_second)

        assert timed(outcomes) == ["stored", "transient timeout", "transient timeout"]
        peer.program.thaw()


@pytest.mark.parametrize("option", ["--abort-during", "--abort-after"])
def test_an_archive_that_aborts_each_image(option: str) -> None:
    samples = [photo(seed=n) for n in range(4)]
    with run_storescp(aet="PACS", options=(option,)) as peer:
        archive = dimse(peer.dicom_port)
        assert timed(lambda: store(archive, samples)) == [
            *["transient aborted"] * 2,
            *["transient untried"] * 2,
        ]
        assert peer.program.log.count("Association Received") == 2  # then it is hopeless


class HangsAt:
    """An archive, made of pynetdicom, that never answers the C-STORE of one instance."""

    def __init__(self, uid: str) -> None:
        self._uid = uid
        self._over = threading.Event()
        ae = AE("PACS")
        ae.add_supported_context(photo().instance.sop_class_uid, JPEG_CONTEXT)
        server: Any = ae.start_server(
            (HOST, 0), block=False, evt_handlers=[(evt.EVT_C_STORE, self._answer)]
        )
        self._server = server
        self.port: int = server.server_address[1]

    def _answer(self, event: Any) -> int:
        if event.request.AffectedSOPInstanceUID == self._uid:
            self._over.wait()
        return 0x0000

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._over.set()
        self._server.shutdown()


def test_an_image_at_which_an_archive_hangs_takes_no_other_with_it() -> None:
    samples = [photo(seed=n) for n in range(4)]
    with HangsAt(samples[1].uid) as peer:
        archive = dimse(peer.port, seconds=IMPATIENT)
        assert timed(lambda: store(archive, samples)) == [
            "stored",
            "transient timeout",
            "stored",
            "stored",
        ]


def test_an_archive_that_takes_no_association() -> None:
    with run_storescp(aet="PACS", options=("--refuse",)) as peer:
        archive = dimse(peer.dicom_port)
        assert timed(lambda: store(archive, [photo()])) == ["transient rejected"]


def test_an_archive_that_throws_away_what_it_says_it_stored() -> None:
    sample = photo()
    with run_storescp(aet="PACS", options=("--ignore",)) as peer:
        archive = dimse(peer.dicom_port)
        assert timed(lambda: store(archive, [sample])) == ["stored"]
        assert timed(lambda: prove(archive, [sample.instance])) == ["refused no-proof"]
        assert peer.files() == []


@pytest.mark.parametrize("share", [0.0, 0.001, 0.02, 0.3, 0.6, 0.99])
def test_a_line_that_breaks_on_the_way_up(orthanc: Orthanc, share: float) -> None:
    sample = photo(jpeg=False, size=(400, 600))
    offset = max(1, int(share * len(sample.part10)))
    with serving(bad_servers.between(orthanc.dicom_port, up=offset)) as line:
        archive = dimse(line.port, aet=orthanc.aet)
        assert timed(lambda: store(archive, [sample])) == ["transient aborted"]
    good = dimse(orthanc.dicom_port, aet=orthanc.aet)
    assert timed(lambda: store(good, [sample])) == ["stored"]
    assert orthanc.sop_instance_uids() == [sample.uid]


def test_an_answer_that_is_lost_after_the_archive_stored(
    orthanc: Orthanc, eventually: Eventually
) -> None:
    sample = photo()
    # The acceptance of the association comes through; the answer to the image breaks off in it.
    with serving(bad_servers.between(orthanc.dicom_port, down=260)) as line:
        archive = dimse(line.port, aet=orthanc.aet)
        assert timed(lambda: store(archive, [sample])) == ["transient aborted"]
    eventually(lambda: orthanc.sop_instance_uids() == [sample.uid])
    good = dimse(orthanc.dicom_port, aet=orthanc.aet)
    assert timed(lambda: store(good, [sample])) == ["stored"]
    assert orthanc.sop_instance_uids() == [sample.uid]


class Answering:
    """An archive, made of pynetdicom, that answers each C-STORE with the next of some statuses."""

    def __init__(self, statuses: list[int]) -> None:
        self._statuses = iter(statuses)
        ae = AE("PACS")
        ae.add_supported_context(photo().instance.sop_class_uid, JPEG_CONTEXT)
        server: Any = ae.start_server(
            (HOST, 0),
            block=False,
            evt_handlers=[(evt.EVT_C_STORE, lambda _event: next(self._statuses))],
        )
        self._server = server
        self.port: int = server.server_address[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()


STATUSES = {
    0x0000: "stored",
    0xA700: "transient status-A700",
    0xA900: "refused status-A900",
    0xB000: "stored B000",
    0xB006: "stored B006",
    0xB007: "stored B007",
    0xC000: "refused status-C000",
    0x0110: "transient status-0110",
    0x0111: "stored 0111",
    0x0117: "refused status-0117",
    0x0122: "refused status-0122",
    0x0124: "refused status-0124",
}


def test_each_image_gets_the_archives_own_word_for_it() -> None:
    samples = [photo(seed=n) for n in range(len(STATUSES) + 1)]
    with Answering([*STATUSES, 0x0000]) as peer:
        outcomes = timed(lambda: store(dimse(peer.port), samples))
    assert outcomes == [*STATUSES.values(), "stored"]


def test_an_orthanc_that_stands_still(fresh_orthanc: Orthanc) -> None:
    sample = photo()
    dicom = dimse(fresh_orthanc.dicom_port, aet=fresh_orthanc.aet, seconds=IMPATIENT)
    web = stow(fresh_orthanc.http_port, seconds=IMPATIENT)
    fresh_orthanc.program.freeze()
    for archive in (dicom, web):
        assert timed(lambda a=archive: store(a, [sample, photo()])) == ["transient timeout"] * 2  # type: ignore[misc]
        assert timed(lambda a=archive: prove(a, [sample.instance])) == ["transient timeout"]  # type: ignore[misc]
    fresh_orthanc.program.thaw()
    patient = dimse(fresh_orthanc.dicom_port, aet=fresh_orthanc.aet)
    assert timed(lambda: store(patient, [sample])) == ["stored"]


@pytest.mark.parametrize("protocol", ["dimse", "stow"])
def test_a_stop_ends_a_transfer_that_stands_still(fresh_orthanc: Orthanc, protocol: str) -> None:
    if protocol == "dimse":
        archive = dimse(fresh_orthanc.dicom_port, aet=fresh_orthanc.aet, seconds=PATIENT)
    else:
        archive = stow(fresh_orthanc.http_port, seconds=PATIENT)
    stands_still = threading.Event()
    outcomes: list[str] = []

    def freeze(_instance: Instance) -> None:
        fresh_orthanc.program.freeze()
        stands_still.set()

    def send() -> None:
        outcomes.extend(said(outcome) for outcome in store(archive, [photo(), photo()], freeze))

    worker = threading.Thread(target=send)
    worker.start()
    assert stands_still.wait(AT_MOST_SECONDS)
    archive.interrupt()
    worker.join(AT_MOST_SECONDS)
    fresh_orthanc.program.thaw()
    assert outcomes == ["transient interrupted"] * 2
    assert [said(o) for o in store(archive, [photo()])] == ["stored"]  # it may be used again


def test_a_full_disk_is_no_success_whatever_the_archive_answers() -> None:
    with run_orthanc(disk_megabytes=6) as peer:
        dicom, web = (
            dimse(peer.dicom_port, aet=peer.aet),
            stow(peer.http_port),
        )
        fits, too_big = photo(seed=1), photo(jpeg=False, seed=2, size=(2000, 3000))
        assert timed(lambda: store(dicom, [fits, too_big])) == ["stored", "transient status-A700"]
        assert timed(lambda: store(web, [too_big])) == ["transient not-named"]
        assert timed(lambda: prove(web, [too_big.instance, fits.instance])) == [
            "transient not-in-archive",
            "pixel-hash",
        ]


def test_a_damaged_file_is_not_sent_and_the_others_are(orthanc: Orthanc) -> None:
    good, damaged = photo(), dataclasses.replace(photo(), part10=b"not a DICOM file")
    archive = dimse(orthanc.dicom_port, aet=orthanc.aet)
    assert [said(o) for o in store(archive, [damaged, good])] == ["refused seal-broken", "stored"]
    assert orthanc.sop_instance_uids() == [good.uid]


def test_what_read_refuses_is_the_outcome_of_that_image_alone(orthanc: Orthanc) -> None:
    good, broken = photo(), photo()

    def refuse(instance: Instance) -> None:
        if instance.sop_instance_uid == broken.uid:
            raise RefusedDeliveryError(Reason("seal-broken"))

    for archive in (
        dimse(orthanc.dicom_port, aet=orthanc.aet),
        stow(orthanc.http_port),
    ):
        outcomes = [said(o) for o in store(archive, [broken, good], refuse)]
        assert outcomes == ["refused seal-broken", "stored"]
