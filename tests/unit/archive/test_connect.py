import dataclasses

import pytest

from capture_app.archive.commitment import StorageCommitment
from capture_app.archive.connect import commitment_listeners, connect, ways
from capture_app.archive.dimse import DimseArchive
from capture_app.archive.echo import Way
from capture_app.archive.held_copy import read_held_copy
from capture_app.archive.proof import PixelHash
from capture_app.archive.query import ListedOnly
from capture_app.archive.stow import StowArchive
from capture_app.clock import FixedClock
from capture_app.settings.schema import ArchiveDestination, ArchiveProtocol, ProofChoice, Station

PACS = ArchiveDestination("pacs", host="192.0.2.1", port=104, ae_title="PACS")
URL = "https://192.0.2.1/dicom-web"


@pytest.mark.parametrize(
    ("more", "kind", "proof"),
    [
        ({}, DimseArchive, ListedOnly),
        ({"commitment_port": 1}, DimseArchive, StorageCommitment),
        ({"url": URL}, DimseArchive, PixelHash),
        ({"url": URL, "commitment_port": 1}, DimseArchive, PixelHash),
        (
            {"url": URL, "commitment_port": 1, "proof": ProofChoice.STORAGE_COMMITMENT},
            DimseArchive,
            StorageCommitment,
        ),
        ({"url": URL, "protocol": ArchiveProtocol.STOW}, StowArchive, PixelHash),
    ],
)
def test_the_settings_choose_the_protocol_and_the_best_proof(
    clock: FixedClock, more: dict[str, object], kind: type, proof: type
) -> None:
    destination = dataclasses.replace(PACS, **more)  # type: ignore[arg-type]
    archive = connect(
        destination,
        Station(),
        listener=None,
        clock=clock,
        password=lambda _name: None,
        read_copy=read_held_copy,
    )
    assert type(archive) is kind
    assert type(archive._proof) is proof
    assert archive.name == "pacs"


def test_destinations_that_report_to_one_port_share_its_listener(clock: FixedClock) -> None:
    destinations = [
        dataclasses.replace(PACS, name="one", commitment_port=5001),
        dataclasses.replace(PACS, name="two", commitment_port=5001, ae_title="TWO"),
        dataclasses.replace(PACS, name="three", commitment_port=5002),
        dataclasses.replace(PACS, name="hash", commitment_port=5003, url=URL),
        dataclasses.replace(PACS, name="none"),
    ]
    listeners = commitment_listeners(destinations, Station(), clock)
    assert set(listeners) == {"one", "two", "three"}
    assert listeners["one"] is listeners["two"]
    assert listeners["three"] is not listeners["one"]


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, [Way.DIMSE, Way.FIND]),
        ({"commitment_port": 1}, [Way.DIMSE, Way.FIND]),
        ({"url": URL}, [Way.DIMSE, Way.WEB]),
        ({"url": URL, "protocol": ArchiveProtocol.STOW}, [Way.WEB]),
        (
            {
                "url": URL,
                "protocol": ArchiveProtocol.STOW,
                "commitment_port": 1,
                "proof": ProofChoice.STORAGE_COMMITMENT,
            },
            [Way.WEB, Way.DIMSE, Way.FIND],
        ),
    ],
)
def test_a_destination_is_tried_by_each_way_that_it_is_used(
    more: dict[str, object], expected: list[Way]
) -> None:
    assert list(ways(dataclasses.replace(PACS, **more))) == expected  # type: ignore[arg-type]
