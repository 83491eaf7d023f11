"""An attempt counts unless it is certain that the archive has nothing of the image by it."""

import pytest

from capture_app.errors import DeliveryError
from tests.archive_samples import photo
from tests.archives import Archive, store
from tests.faults import bad_servers
from tests.faults.bad_archives import IMPATIENT, PATIENT, stow
from tests.faults.bad_servers import Behaviour, serving
from tests.faults.test_bad_archives import dimse
from tests.peers import free_port, run_storescp

REJECTS = bad_servers.saying(b"\x03\x00\x00\x00\x00\x04\x00\x02\x03\x01")


def reached_nobody(archive: Archive) -> list[bool]:
    outcomes = store(archive, [photo(), photo()])
    assert all(isinstance(outcome, DeliveryError) for outcome in outcomes)
    return [outcome.reached_nobody for outcome in outcomes if isinstance(outcome, DeliveryError)]


@pytest.mark.parametrize("protocol", ["dimse", "stow"])
def test_where_nobody_listens(protocol: str) -> None:
    archive = dimse(free_port()) if protocol == "dimse" else stow(free_port())
    assert reached_nobody(archive) == [True, True]


@pytest.mark.parametrize(
    ("behaviour", "seconds"), [(REJECTS, PATIENT), (bad_servers.silent, IMPATIENT)]
)
def test_where_no_association_came_about(behaviour: Behaviour, seconds: float) -> None:
    with serving(behaviour) as server:
        assert reached_nobody(dimse(server.port, seconds=seconds)) == [True, True]


def test_where_the_archive_does_not_take_such_images() -> None:
    with run_storescp(aet="PACS", accept=()) as peer:
        assert reached_nobody(dimse(peer.dicom_port)) == [True, True]


@pytest.mark.parametrize("option", ["--abort-during", "--abort-after"])
def test_not_where_it_broke_off_at_an_image(option: str) -> None:
    with run_storescp(aet="PACS", options=(option,)) as peer:
        assert reached_nobody(dimse(peer.dicom_port)) == [False, False]


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("503 Service Unavailable", True),
        ("429 Too Many Requests", True),
        ("401 Unauthorized", True),
        ("500 Internal Server Error", False),
        ("502 Bad Gateway", False),
        ("504 Gateway Timeout", False),
    ],
)
def test_by_the_status_of_a_web_archive(status: str, *, expected: bool) -> None:
    with serving(bad_servers.web(status)) as server:
        assert reached_nobody(stow(server.port)) == [expected, expected]


@pytest.mark.parametrize("behaviour", [bad_servers.silent, bad_servers.resetting])
def test_not_where_a_web_archive_gives_no_answer(behaviour: Behaviour) -> None:
    with serving(behaviour) as server:
        assert reached_nobody(stow(server.port, seconds=IMPATIENT)) == [False, False]
