"""STOW-RS and the proof by WADO-RS, against Orthanc and the simulated hospital."""

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from capture_app.archive.connect import echo
from capture_app.archive.echo import Way
from capture_app.demo.shelf import Shelf
from capture_app.demo.web_archive import WebArchive
from capture_app.settings.schema import ArchiveDestination, ArchiveProtocol, ProofChoice
from tests.archive_samples import photo
from tests.archives import (
    CLOCK,
    SECONDS,
    STATION,
    archive_for,
    listening_archive,
    prove,
    said,
    store,
)
from tests.faults import bad_servers
from tests.peers import HOST, Orthanc, free_port


def destination(url: str, **more: object) -> ArchiveDestination:
    values: dict[str, object] = {
        "user": "rig",
        "password_key": "pacs-password",
        "deadline_seconds": SECONDS,
        "protocol": ArchiveProtocol.STOW,
    }
    return ArchiveDestination("pacs", url=url, **(values | more))  # type: ignore[arg-type]


@pytest.fixture(params=["orthanc", "practice"])
def web(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ArchiveDestination]:
    """An archive that is reached by DICOMweb alone."""
    if request.param == "orthanc":
        peer: Orthanc = request.getfixturevalue("orthanc")
        yield destination(peer.dicomweb)
        return
    practice = WebArchive(Shelf(tmp_path / "shelf"))
    yield destination(practice.url)
    practice.stop()


def test_what_is_sent_is_proven_by_its_pixels(web: ArchiveDestination) -> None:
    samples = [photo(seed=1, size=(300, 400)), photo(seed=2, jpeg=False), photo(seed=3, issuer="")]
    archive = archive_for(web)
    assert [said(o) for o in store(archive, samples)] == ["stored"] * 3
    outcomes = prove(archive, [sample.instance for sample in samples])
    assert [said(o) for o in outcomes] == ["pixel-hash"] * 3


def test_other_pixels_another_patient_or_nothing_is_told(web: ArchiveDestination) -> None:
    held = photo(seed=1)
    other_pixels = photo(seed=2).instance.pixel_sha256
    archive = archive_for(web)
    store(archive, [held])
    for wrong, told in (
        (held.seen_as(pixel_sha256=other_pixels), "refused content-mismatch"),
        (held.seen_as(patient_id="900002"), "refused identity-mismatch"),
        (held.seen_as(issuer_of_patient_id="CLINIC"), "refused identity-mismatch"),
        (held.seen_as(issuer_of_patient_id=""), "pixel-hash"),
        (photo().instance, "transient not-in-archive"),
    ):
        assert [said(o) for o in prove(archive, [wrong])] == [told]


def test_an_archive_that_keeps_the_first_of_two_under_one_uid_is_found_out(
    orthanc: Orthanc,
) -> None:
    first = photo(seed=1)
    same = first.instance
    second = photo(
        seed=2,
        study_uid=same.study_instance_uid,
        series_uid=same.series_instance_uid,
        sop_instance_uid=same.sop_instance_uid,
    )
    archive = archive_for(destination(orthanc.dicomweb))
    # Orthanc answers well to both, and keeps the first.
    assert [said(o) for o in store(archive, [first])] == ["stored"]
    assert [said(o) for o in store(archive, [second])] == ["stored"]
    assert [said(o) for o in prove(archive, [first.instance])] == ["pixel-hash"]
    assert [said(o) for o in prove(archive, [second.instance])] == ["refused content-mismatch"]


def test_images_sent_by_dimse_are_proven_by_the_web_where_a_url_is_given(orthanc: Orthanc) -> None:
    sample = photo(size=(300, 400))
    archive = archive_for(
        destination(
            orthanc.dicomweb,
            protocol=ArchiveProtocol.DIMSE,
            host=HOST,
            port=orthanc.dicom_port,
            ae_title=orthanc.aet,
        )
    )
    assert [said(o) for o in store(archive, [sample])] == ["stored"]
    assert [said(o) for o in prove(archive, [sample.instance])] == ["pixel-hash"]


def test_images_sent_by_the_web_may_be_committed_by_dimse(orthanc: Orthanc) -> None:
    port = free_port()
    orthanc.know("CAPTURE", port)
    sample = photo()
    settings = destination(
        orthanc.dicomweb,
        proof=ProofChoice.STORAGE_COMMITMENT,
        host=HOST,
        port=orthanc.dicom_port,
        ae_title=orthanc.aet,
        commitment_port=port,
    )
    with listening_archive(settings) as archive:
        assert [said(o) for o in store(archive, [sample])] == ["stored"]
        assert [said(o) for o in prove(archive, [sample.instance])] == ["storage-commitment"]


def test_what_is_no_image_is_refused_beside_one_that_is(web: ArchiveDestination) -> None:
    good = photo()
    broken = dataclasses.replace(photo(), part10=b"\0" * 128 + b"DICM" + b"junk" * 100)
    outcomes = [said(o) for o in store(archive_for(web), [broken, good])]
    assert outcomes[0] in {"refused http-400", "stored 0111"}
    assert outcomes[1] == "stored"
    assert [said(o) for o in prove(archive_for(web), [broken.instance, good.instance])] == [
        "transient not-in-archive",
        "pixel-hash",
    ]


def test_a_wrong_password_is_the_archives_trouble_not_the_images(orthanc: Orthanc) -> None:
    archive = archive_for(destination(orthanc.dicomweb), password=lambda _name: "wrong")
    sample = photo()
    assert [said(o) for o in store(archive, [sample, photo()])] == ["transient auth"] * 2
    assert [said(o) for o in prove(archive, [sample.instance])] == ["transient auth"]


def test_echo_asks_for_nobody(web: ArchiveDestination) -> None:
    result = echo(web, STATION, Way.WEB, clock=CLOCK, password={"pacs-password": "rigpass"}.get)
    assert result.ok
    wrong = dataclasses.replace(web, url=f"http://{HOST}:{free_port()}/dicom-web")
    refused = echo(wrong, STATION, Way.WEB, clock=CLOCK, password=lambda _name: None)
    assert refused.reason == "pacs does not listen. Nothing answers at its address."


@pytest.mark.parametrize(
    ("status", "body", "is_right"),
    [
        ("200 OK", b"[]", True),
        ("200 OK", b"", True),
        ("204 No Content", b"", True),
        ("200 OK", b"<html>Sign in</html>", False),
        ("200 OK", b"{}", False),
        ("200 OK", b'[{"00080018": {"vr": "UI", "Value": ["1.2.3"]}}]', False),
        ("404 Not Found", b"", False),
    ],
)
def test_an_echo_wants_the_answer_to_its_question(
    status: str, body: bytes, *, is_right: bool
) -> None:
    with bad_servers.serving(bad_servers.web(status, body)) as server:
        settings = destination(f"http://{HOST}:{server.port}/dicom-web")
        result = echo(settings, STATION, Way.WEB, clock=CLOCK, password=lambda _name: None)
    assert result.ok is is_right
    assert bool(result.reason) is not is_right
