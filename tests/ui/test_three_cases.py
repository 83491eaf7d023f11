"""Three cases of a day, by real keys through the real window, with their acts counted
by the events that reach the window.

The numbers are the targets from the chosen patient to the safe queue. Each picture is checked where
it matters: sealed under the right patient, procedure, site and side.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import pydicom
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from capture_app.clock import FixedClock
from capture_app.model.coding import Code
from capture_app.model.order import Order
from capture_app.outbox.delivery.engine import Engine
from tests.ui.conftest import Desk
from tests.ui.event_spy import spying
from tests.ui.hands import Hands, at_work, clinic
from tests.ui.stage import Stage

ORDER_STUDY = "1.2.276.0.7230010.3.1.2.99"
SHIN = Code("25763004", "SCT", "Skin of anterior surface of lower leg")


@pytest.fixture
def stage(tmp_path: Path, clock: FixedClock, department: str) -> Iterator[Stage]:
    with clinic(tmp_path / "station", clock, department) as opened:
        yield opened


@pytest.fixture
def hands(desk: Desk, stage: Stage, qtbot: QtBot, clock: FixedClock) -> Iterator[Hands]:
    desk.sign_in()
    with at_work(desk.window, stage, qtbot, clock) as hands:
        yield hands


def an_order(*codes: Code) -> Order:
    return Order(
        study_instance_uid=ORDER_STUDY,
        accession_number="A4711",
        requested_procedure_id="RP4711",
        requested_procedure_description="Wound photographs",
        requested_procedure_code=None,
        scheduled_procedure_step_id="SPS4711",
        scheduled_procedure_step_description="Leg ulcer, follow-up",
        scheduled_protocol_codes=codes,
        modality="XC",
        scheduled_station_ae_title="CAPTURE",
        scheduled_at=None,
    )


def follow_up_wound(hands: Hands) -> tuple[int, dict[str, str]]:
    """The wound clinic's order names act, site and side: scan, three pictures, send.

    The order itself is only offered: its codes fill in the panels, and nothing else of it is taken.
    """
    order = an_order(
        Code("WND-LEG-ULCER", "99CAPTURE", "Leg ulcer"),
        SHIN,
        Code("7771000", "SCT", "Left"),
    )
    hands.stage.order("0012345678", order)
    hands.scan("0012345678")
    assert hands.state.next_picture.words.startswith("From the order: Left lower leg")
    for _ in range(3):
        hands.pedal()
    hands.send()
    return 3, {"region": SHIN.value, "side": "L"}


def new_wound(hands: Hands) -> tuple[int, dict[str, str]]:
    """Scan, procedure key, tap on the site, three pictures, send."""
    hands.scan("0012345678")
    hands.key(Qt.Key.Key_2)
    hands.tap("front.shin.R")
    for _ in range(3):
        hands.pedal()
    hands.send()
    return 3, {"region": SHIN.value, "side": "R"}


def biopsy_site(hands: Hands) -> tuple[int, dict[str, str]]:
    """Scan, procedure key, tap on the site, picture, send."""
    hands.scan("0012345678")
    hands.key(Qt.Key.Key_4)
    hands.tap("front.forearm.L")
    hands.shot(Qt.Key.Key_Space)
    hands.send()
    return 1, {"region": "70559009", "side": "L"}


@pytest.mark.parametrize(
    ("case", "department", "most"),
    [
        (follow_up_wound, "Wound care", 5),
        (new_wound, "Wound care", 7),
        (biopsy_site, "Dermatology", 5),
    ],
)
def test_a_case_takes_no_more_acts_than_it_should(
    case: Callable[[Hands], tuple[int, dict[str, str]]],
    department: str,
    most: int,
    hands: Hands,
    clock: FixedClock,
) -> None:
    with spying() as spy:
        count, expected = case(hands)
    outbox = hands.stage.outbox
    # The answer, and not the rows alone: they are there a moment before the ten seconds begin.
    hands.qtbot.waitUntil(lambda: not any(t.is_draft for t in hands.state.thumbs))
    assert outbox.counts().held == count
    print(f"\n{case.__name__}: {len(hands.acts)} acts of at most {most}: {', '.join(hands.acts)}")
    assert spy.acts == len(hands.acts) <= most
    clock.advance(11)  # the ten seconds in which it could be undone
    delivered = deliver(hands.stage.engine(), hands)
    assert len(delivered) == count
    for ds in delivered:
        assert ds.PatientID == "0012345678"
        assert ds.AnatomicRegionSequence[0].CodeValue == expected["region"]
        assert ds.ImageLaterality == expected["side"]
        assert ds.AccessionNumber == ""
        assert "RequestAttributesSequence" not in ds
        assert ds.StudyInstanceUID != ORDER_STUDY


def deliver(engine: Engine, hands: Hands) -> list[pydicom.Dataset]:
    engine.start()
    try:
        hands.qtbot.waitUntil(lambda: not hands.stage.outbox.counts().waiting)
    finally:
        engine.stop()
    return [pydicom.dcmread(path) for path in hands.stage.archive.folder.iterdir()]
