"""Which orders are offered, which one is obvious, and what a row of the worklist stands for."""

from dataclasses import replace
from pathlib import Path

import pytest

from capture_app.exam.orders import (
    StationIdentity,
    contradicts,
    is_offered,
    obvious,
    of_row,
    offered,
    ours,
    prefilled,
)
from capture_app.model.coding import Code
from capture_app.model.device import DeviceInfo
from capture_app.model.order import Order
from capture_app.model.procedure import Description, ImageKind
from capture_app.model.worklist import FeedSource, PatientListEntry
from capture_app.settings.feeds import Worklist
from capture_app.settings.schema import Institution, Settings, Station
from tests import sealing

HERE = StationIdentity(frozenset({"CAPTURE"}), frozenset({"wound care"}))
ELSEWHERE = StationIdentity(frozenset(), frozenset())
PLAIN = replace(sealing.ORDER, modality="", scheduled_station_ae_title="", department="")
PHOTO = replace(PLAIN, accession_number="P", modality="XC")
ULTRASOUND = replace(PLAIN, accession_number="U", modality="US")


def device(kind: ImageKind) -> DeviceInfo:
    return replace(sealing.CAMERA, image_kind=kind)


CAMERA = device(ImageKind.PHOTO)


@pytest.mark.parametrize(
    ("modality", "kind", "contradiction"),
    [
        ("XC", ImageKind.PHOTO, False),
        ("US", ImageKind.PHOTO, True),
        ("CT", ImageKind.PHOTO, True),
        ("XC", ImageKind.ULTRASOUND, True),
        ("US", ImageKind.ULTRASOUND, False),
        ("DMS", ImageKind.DERMOSCOPY, False),
        ("XC", ImageKind.DERMOSCOPY, False),
        ("DMS", ImageKind.PHOTO, True),
        ("ES", ImageKind.ENDOSCOPY, False),
        ("GM", ImageKind.ENDOSCOPY, True),
        ("", ImageKind.ULTRASOUND, False),
        ("OT", ImageKind.PHOTO, False),
    ],
)
def test_an_order_contradicts_a_device_that_makes_another_kind(
    modality: str, kind: ImageKind, contradiction: bool
) -> None:
    assert contradicts(replace(PLAIN, modality=modality), device(kind)) is contradiction


def test_without_a_device_nothing_contradicts_and_no_kind_matches() -> None:
    assert not contradicts(ULTRASOUND, None)
    assert not is_offered(PHOTO, None, HERE)


@pytest.mark.parametrize(
    ("order", "is_there"),
    [
        (PHOTO, True),
        (ULTRASOUND, False),
        (PLAIN, False),
        (replace(PLAIN, modality="OT"), False),
        (replace(PLAIN, scheduled_station_ae_title="CAPTURE"), True),
        (replace(PLAIN, scheduled_station_ae_title="US_ROOM_2"), False),
        (replace(PLAIN, department="Wound Care"), True),
        (replace(PLAIN, department="Radiology"), False),
        (replace(ULTRASOUND, scheduled_station_ae_title="CAPTURE"), True),
    ],
)
def test_an_order_is_offered_by_kind_station_or_department(order: Order, is_there: bool) -> None:
    assert is_offered(order, CAMERA, HERE) is is_there


def test_an_order_without_station_and_department_matches_no_station_without_any() -> None:
    assert not is_offered(PLAIN, CAMERA, ELSEWHERE)


def test_each_is_offered_once_and_what_contradicts_comes_last() -> None:
    scan = replace(ULTRASOUND, scheduled_station_ae_title="CAPTURE")
    second = replace(PHOTO, accession_number="Q")
    elsewhere = replace(ULTRASOUND, accession_number="V")
    orders = (scan, PHOTO, elsewhere, second, PHOTO)
    assert offered(orders, CAMERA, HERE) == (PHOTO, second, scan)
    assert offered(orders, device(ImageKind.ULTRASOUND), HERE) == (scan, elsewhere)


def test_obvious_is_only_what_is_alone() -> None:
    scan = replace(ULTRASOUND, scheduled_station_ae_title="CAPTURE")
    assert obvious((), CAMERA, HERE) is None
    assert obvious((PHOTO, scan), CAMERA, HERE) == PHOTO
    assert obvious((PHOTO, PHOTO), CAMERA, HERE) == PHOTO
    assert obvious((PHOTO, replace(PHOTO, accession_number="Q")), CAMERA, HERE) is None
    assert obvious((scan,), CAMERA, HERE) is None


def row(*orders: Order) -> PatientListEntry:
    return PatientListEntry(
        sealing.MAI, sealing.VISIT, orders, FeedSource.WORKLIST, sealing.STARTED_AT
    )


def test_a_row_of_the_worklist_is_its_only_order_unless_that_contradicts() -> None:
    assert of_row(row(PHOTO), CAMERA) == PHOTO
    assert of_row(row(PLAIN), CAMERA) == PLAIN
    assert of_row(row(ULTRASOUND), CAMERA) is None
    assert of_row(row(ULTRASOUND), None) == ULTRASOUND
    assert of_row(row(PHOTO, ULTRASOUND), CAMERA) is None
    assert of_row(row(), CAMERA) is None


def test_a_row_whose_order_has_another_patients_study_asks() -> None:
    shared = frozenset({PHOTO.study_instance_uid})
    assert of_row(replace(row(PHOTO), shared_studies=shared), CAMERA) is None


def test_what_is_ours_comes_from_the_settings(tmp_path: Path) -> None:
    settings = Settings(
        data_dir=tmp_path,
        station=Station(ae_title="CAPTURE_4B", department="Wound care"),
        institution=Institution(department="Surgery"),
        worklists=(
            Worklist("ris", "127.0.0.1", 104, "RIS", station_ae_title="PHOTO"),
            Worklist("vna", "127.0.0.1", 105, "VNA"),
        ),
    )
    assert ours(settings) == StationIdentity(
        frozenset({"CAPTURE_4B", "PHOTO"}), frozenset({"wound care", "surgery"})
    )
    nothing = ours(replace(settings, station=Station(), institution=Institution(), worklists=()))
    assert nothing == StationIdentity(frozenset({"CAPTURE"}), frozenset())


def test_codes_fill_in_only_what_the_device_can_take() -> None:
    catalog = sealing.catalog()
    ulcer = replace(
        PHOTO, scheduled_protocol_codes=(Code("WND-LEG-ULCER", "99CAPTURE", "Leg ulcer"),)
    )
    said = prefilled(ulcer, CAMERA, catalog)
    assert said.procedure is not None
    assert said.procedure.entry_id == "WND-LEG-ULCER"
    assert prefilled(ulcer, device(ImageKind.ULTRASOUND), catalog) == Description()
    assert prefilled(None, CAMERA, catalog) == Description()
