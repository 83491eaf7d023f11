"""C-STORE, C-FIND and C-ECHO against Orthanc, DCMTK and the simulated hospital."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from typing import Any, Self

import pydicom
import pytest
from pydicom.dataset import Dataset
from pynetdicom import AE, evt

from capture_app.archive.connect import echo
from capture_app.archive.echo import Way
from capture_app.archive.query import STUDY_ROOT_FIND
from capture_app.demo.dimse_archive import PracticeArchive
from capture_app.demo.shelf import Shelf
from capture_app.net.deadline import Deadline
from capture_app.net.dicom.association import UNCOMPRESSED, Peer, open_association
from capture_app.net.dicom.upper_layer import Context
from capture_app.net.wire import Address
from capture_app.settings.schema import ArchiveDestination
from tests.archive_samples import Sample, photo
from tests.archives import CLOCK, SECONDS, STATION, archive_for, prove, said, store
from tests.peers import HOST, Orthanc, Storescp, free_port, new_folder, run_program, run_storescp


def destination(aet: str, port: int, **more: object) -> ArchiveDestination:
    values = {"deadline_seconds": SECONDS, **more}
    return ArchiveDestination("pacs", host=HOST, port=port, ae_title=aet, **values)  # type: ignore[arg-type]


@contextmanager
def run_dcmqrscp() -> Iterator[ArchiveDestination]:
    """DCMTK's archive: C-STORE, and C-FIND as strict as the standard has it."""
    folder, port = new_folder("dcmqrscp"), free_port()
    (folder / "store").mkdir()
    configuration = f"""
        NetworkTCPPort = {port}
        MaxPDUSize = 16384
        MaxAssociations = 16
        HostTable BEGIN
        HostTable END
        VendorTable BEGIN
        VendorTable END
        AETable BEGIN
        QRARCH {folder / "store"} RW (100, 1024mb) ANY
        AETable END
    """
    (folder / "qr.cfg").write_text(dedent(configuration), encoding="utf-8")
    argv = ["dcmqrscp", "-v", "-c", str(folder / "qr.cfg"), "+xy"]
    with run_program(argv, (port,), folder, {"TCP_NODELAY": "1"}):
        yield destination("QRARCH", port)


@contextmanager
def run_practice(folder: Path) -> Iterator[ArchiveDestination]:
    practice = PracticeArchive(Shelf(folder), ae_title="PRACTICE")
    try:
        yield destination("PRACTICE", practice.port)
    finally:
        practice.stop()


@pytest.fixture(params=["orthanc", "dcmqrscp", "practice"])
def archive_destination(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[ArchiveDestination]:
    """An archive that stores and can be queried."""
    if request.param == "orthanc":
        peer: Orthanc = request.getfixturevalue("orthanc")
        yield destination(peer.aet, peer.dicom_port)
    elif request.param == "dcmqrscp":
        with run_dcmqrscp() as found:
            yield found
    else:
        with run_practice(tmp_path / "shelf") as found:
            yield found


@pytest.mark.parametrize("jpeg", [True, False])
def test_storescp_receives_our_bytes_unchanged(storescp: Storescp, *, jpeg: bool) -> None:
    samples = [photo(jpeg=jpeg, seed=n, size=(48 + n, 640)) for n in range(3)]
    archive = archive_for(destination(storescp.aet, storescp.dicom_port))
    assert [said(o) for o in store(archive, samples)] == ["stored"] * 3
    received = {_dataset_bytes(path) for path in storescp.files()}
    assert received == {sample.dataset for sample in samples}


def _dataset_bytes(path: Path) -> bytes:
    return Sample(photo().instance, path.read_bytes()).dataset


def test_orthanc_holds_every_element_and_pixel_that_was_sent(orthanc: Orthanc) -> None:
    sample = photo(size=(600, 800))
    archive = archive_for(destination(orthanc.aet, orthanc.dicom_port))
    assert [said(o) for o in store(archive, [sample])] == ["stored"]
    held = pydicom.dcmread(_as_file(orthanc.file(sample.uid)))
    sent = pydicom.dcmread(_as_file(sample.part10))
    assert held == sent
    assert held.PixelData == sent.PixelData
    assert held.file_meta.TransferSyntaxUID == sent.file_meta.TransferSyntaxUID


def _as_file(content: bytes) -> pydicom.filebase.DicomBytesIO:
    return pydicom.filebase.DicomBytesIO(content)


def test_many_images_of_both_codings_go_over_one_association(storescp: Storescp) -> None:
    samples = [photo(jpeg=n % 2 == 0, seed=n) for n in range(20)]
    archive = archive_for(destination(storescp.aet, storescp.dicom_port))
    assert [said(o) for o in store(archive, samples)] == ["stored"] * 20
    assert storescp.program.log.count("Association Received") == 1


def test_an_archive_without_jpeg_gets_what_it_takes_and_the_rest_is_told() -> None:
    jpeg, plain = photo(jpeg=True), photo(jpeg=False)
    with run_storescp(accept=()) as peer:
        archive = archive_for(destination(peer.aet, peer.dicom_port))
        assert [said(o) for o in store(archive, [jpeg, plain])] == ["refused no-context", "stored"]
        assert [said(o) for o in store(archive, [jpeg])] == ["refused no-context"]
        assert [_dataset_bytes(path) for path in peer.files()] == [plain.dataset]


def test_a_wrong_ae_title_is_told_as_such(orthanc: Orthanc) -> None:
    archive = archive_for(destination("NOBODY", orthanc.dicom_port))
    (outcome,) = store(archive, [photo()])
    assert said(outcome) == "transient rejected-called-ae-title"
    assert "pacs" in str(outcome)


def test_the_same_image_again_is_no_second_one(orthanc: Orthanc) -> None:
    sample = photo()
    archive = archive_for(destination(orthanc.aet, orthanc.dicom_port))
    for _ in range(3):
        assert [said(o) for o in store(archive, [sample])] == ["stored"]
    assert orthanc.sop_instance_uids() == [sample.uid]


def test_a_query_alone_says_listed_or_what_is_wrong(
    archive_destination: ArchiveDestination,
) -> None:
    study = photo().instance.study_instance_uid
    held = [photo(study_uid=study, seed=1), photo(study_uid=study, seed=2)]
    archive = archive_for(archive_destination)
    assert [said(o) for o in store(archive, held)] == ["stored", "stored"]
    asked = [
        held[0].instance,
        photo().instance,
        held[1].seen_as(patient_id="900002"),
        held[0].seen_as(sop_instance_uid=photo().uid),
    ]
    assert [said(o) for o in prove(archive, asked)] == [
        "listed",
        "transient not-in-archive",
        "refused identity-mismatch",
        "transient not-in-archive",
    ]


def test_another_issuer_is_another_patient_but_a_missing_one_says_nothing(
    archive_destination: ArchiveDestination,
) -> None:
    with_issuer, without = photo(issuer="HOSPITAL"), photo(patient_id="900002", issuer="")
    archive = archive_for(archive_destination)
    store(archive, [with_issuer, without])
    assert [said(o) for o in prove(archive, [with_issuer.instance])] == ["listed"]
    (of_another,) = prove(archive, [with_issuer.seen_as(issuer_of_patient_id="CLINIC")])
    assert said(of_another) == "refused identity-mismatch"
    of_no_issuer = without.seen_as(issuer_of_patient_id="HOSPITAL")
    assert [said(o) for o in prove(archive, [of_no_issuer])] == ["listed"]


def test_an_image_that_was_moved_to_another_study_is_found_and_told(orthanc: Orthanc) -> None:
    sample = photo()
    archive = archive_for(destination(orthanc.aet, orthanc.dicom_port))
    store(archive, [sample])
    moved = sample.seen_as(study_instance_uid=photo().instance.study_instance_uid)
    assert [said(o) for o in prove(archive, [moved])] == ["refused study-mismatch"]


def test_an_archive_without_any_proof_is_told_once_for_all(storescp: Storescp) -> None:
    sample = photo()
    archive = archive_for(destination(storescp.aet, storescp.dicom_port))
    assert [said(o) for o in store(archive, [sample])] == ["stored"]
    assert [said(o) for o in prove(archive, [sample.instance])] == ["refused no-proof"]


def test_a_query_is_cut_at_its_cap_and_the_association_goes_on(
    archive_destination: ArchiveDestination,
) -> None:
    samples = [photo(seed=n) for n in range(12)]
    store(archive_for(archive_destination), samples)
    port = archive_destination.port
    assert port is not None
    peer = Peer(Address("pacs", HOST, port), archive_destination.ae_title, "CAPTURE")
    identifier = Dataset()
    identifier.QueryRetrieveLevel = "STUDY"
    identifier.StudyInstanceUID = ""
    contexts = [Context(STUDY_ROOT_FIND, UNCOMPRESSED)]
    cuts: list[str] = []
    with open_association(peer, contexts, Deadline.after(CLOCK, SECONDS)) as assoc:
        few = list(
            assoc.find(STUDY_ROOT_FIND, identifier, most=5, on_cut=lambda: cuts.append("few"))
        )
        everything = list(
            assoc.find(STUDY_ROOT_FIND, identifier, most=100, on_cut=lambda: cuts.append("all"))
        )
    assert len(few) == 5
    assert cuts == ["few"]
    wanted = {sample.instance.study_instance_uid for sample in samples}
    assert {str(match.StudyInstanceUID) for match in everything} == wanted


def test_a_query_that_is_left_early_ends_its_association(orthanc: Orthanc) -> None:
    store(archive_for(destination(orthanc.aet, orthanc.dicom_port)), [photo(), photo()])
    peer = Peer(Address("pacs", HOST, orthanc.dicom_port), orthanc.aet, "CAPTURE")
    identifier = Dataset()
    identifier.QueryRetrieveLevel = "STUDY"
    identifier.StudyInstanceUID = ""
    contexts = [Context(STUDY_ROOT_FIND, UNCOMPRESSED)]
    with open_association(peer, contexts, Deadline.after(CLOCK, SECONDS)) as assoc:
        matches = assoc.find(STUDY_ROOT_FIND, identifier, most=10)
        assert next(matches).StudyInstanceUID
    assert said(store(archive_for(destination(orthanc.aet, orthanc.dicom_port)), [photo()])[0])


def test_echo_tells_how_fast_or_why_not(archive_destination: ArchiveDestination) -> None:
    good = echo(archive_destination, STATION, Way.DIMSE, clock=CLOCK, password=lambda _name: None)
    assert good.ok
    assert good.reason == ""
    nobody = destination("ANYONE", free_port())
    bad = echo(nobody, STATION, Way.DIMSE, clock=CLOCK, password=lambda _name: None)
    assert not bad.ok
    assert bad.reason == "pacs does not listen. Nothing answers at its address."


class Filing:
    """An archive, made of pynetdicom, that answers questions of images and studies as it is told.

    `images` are the matches of a question of an image, `moved` those of one that names no study
    (None: it takes no such question), `patients` the Patient IDs of each study.
    """

    def __init__(
        self,
        images: list[dict[str, str]],
        patients: dict[str, list[str]],
        moved: list[dict[str, str]] | None = None,
    ) -> None:
        self._images, self._patients, self._moved = images, patients, moved
        ae = AE("PACS")
        ae.add_supported_context(STUDY_ROOT_FIND)
        server: Any = ae.start_server(
            (HOST, 0), block=False, evt_handlers=[(evt.EVT_C_FIND, self._on_find)]
        )
        self._server = server
        self.port: int = server.server_address[1]

    def _on_find(self, event: Any) -> Iterator[tuple[int, Dataset | None]]:
        asked = event.identifier
        study = str(asked.get("StudyInstanceUID") or "")
        if asked.QueryRetrieveLevel == "STUDY":
            found = [
                {"StudyInstanceUID": study, "PatientID": patient}
                for patient in self._patients.get(study, [])
            ]
        elif study:
            found = self._images
        elif self._moved is not None:
            found = self._moved
        else:
            yield 0xA900, None
            return
        for values in found:
            match = Dataset()
            match.QueryRetrieveLevel = asked.QueryRetrieveLevel
            for keyword, value in values.items():
                setattr(match, keyword, value)
            yield 0xFF00, match

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()


SAMPLE = photo()
OURS, UID_OF_IT = SAMPLE.instance.study_instance_uid, SAMPLE.uid
HERE = {"SOPInstanceUID": UID_OF_IT, "StudyInstanceUID": OURS}
ELSEWHERE = {"SOPInstanceUID": UID_OF_IT, "StudyInstanceUID": "1.2.3.4"}
ANOTHER = {"SOPInstanceUID": "1.2.3.5", "StudyInstanceUID": OURS}
OF_US, OF_BOTH = {OURS: ["900001"]}, {OURS: ["900001"], "1.2.3.4": ["900002"]}


@pytest.mark.parametrize(
    ("images", "patients", "moved", "told"),
    [
        ([HERE], OF_US, [], "listed"),
        ([HERE | {"SOPClassUID": SAMPLE.instance.sop_class_uid}], OF_US, [], "listed"),
        # It answers the question for our study with where the image is now.
        ([ELSEWHERE], OF_BOTH, [], "refused identity-mismatch"),
        ([ELSEWHERE], OF_BOTH | {"1.2.3.4": ["900001"]}, [], "refused study-mismatch"),
        ([ELSEWHERE], OF_US, [], "transient not-in-archive"),
        # It has it twice: right once is not right.
        ([HERE, ELSEWHERE], OF_BOTH, [], "refused identity-mismatch"),
        ([ELSEWHERE, HERE], OF_BOTH, [], "refused identity-mismatch"),
        ([], OF_BOTH, [HERE, ELSEWHERE], "refused identity-mismatch"),
        ([], OF_BOTH, [ELSEWHERE], "refused identity-mismatch"),
        ([HERE], {OURS: ["900001", "900002"]}, [], "refused identity-mismatch"),
        ([HERE], {OURS: ["900002", "900001"]}, [], "refused identity-mismatch"),
        # Another image of the study, another class, another level, no study at all.
        ([ANOTHER], OF_US, [], "transient not-in-archive"),
        ([HERE | {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7"}], OF_US, [],
         "refused class-mismatch"),
        ([HERE | {"QueryRetrieveLevel": "SERIES"}], OF_US, [], "transient protocol"),
        ([{"SOPInstanceUID": UID_OF_IT}], OF_US, [], "transient protocol"),
        # It takes no question that names no study: it does not hold it, and is not asked for ever.
        ([], OF_US, None, "transient not-in-archive"),
    ],
)  # fmt: skip
def test_where_an_image_is_filed_is_what_the_matches_say(
    images: list[dict[str, str]],
    patients: dict[str, list[str]],
    moved: list[dict[str, str]] | None,
    told: str,
) -> None:
    with Filing(images, patients, moved) as peer:
        archive = archive_for(destination("PACS", peer.port))
        assert [said(o) for o in prove(archive, [SAMPLE.instance])] == [told]
