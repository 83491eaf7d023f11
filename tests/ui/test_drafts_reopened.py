"""Drafts of earlier, read from the disk: they say of themselves what they said when taken."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from capture_app.clock import FixedClock
from capture_app.exam.encoding import Picture
from capture_app.imaging.jpeg import prepare_jpeg
from capture_app.imaging.rgb import encode_rgb
from capture_app.model.encoded_image import EncodedImage
from capture_app.model.operator import Operator
from capture_app.model.worklist import IdentifiedBy
from capture_app.ui.widgets.buttons import Button
from tests import sealing
from tests.ui.conftest import Desk
from tests.ui.hands import Hands, at_work, clinic
from tests.ui.stage import Stage

MAI = "0012345678"


@pytest.fixture
def stage(tmp_path: Path, clock: FixedClock) -> Iterator[Stage]:
    with clinic(tmp_path / "station", clock) as opened:
        yield opened


@pytest.fixture
def hands(desk: Desk, stage: Stage, qtbot: QtBot, clock: FixedClock) -> Iterator[Hands]:
    desk.sign_in()
    with at_work(desk.window, stage, qtbot, clock) as hands:
        yield hands


def picture(*, sharp: bool) -> Image.Image:
    """Fine detail, or the same out of focus."""
    noise = np.random.default_rng(7).integers(60, 200, (1080 // 4, 1920 // 4, 3), np.uint8)
    detailed = Image.fromarray(noise).resize((1920, 1080))
    return detailed if sharp else detailed.filter(ImageFilter.GaussianBlur(20))


def as_jpeg(image: Image.Image) -> EncodedImage:
    out = BytesIO()
    image.save(out, "JPEG", quality=90)
    return prepare_jpeg(out.getvalue())


def as_pixels(image: Image.Image) -> EncodedImage:
    return encode_rgb(np.asarray(image, np.uint8), came_from_lossy=False)


def test_a_blurred_draft_says_so_when_its_patient_is_opened_again(
    hands: Hands, ada: Operator
) -> None:
    services = hands.stage.services
    (entry,) = hands.stage.census.lookup(MAI)
    exam = services.exams.open(entry, ada, IdentifiedBy.SCAN)
    for image in (
        as_jpeg(picture(sharp=True)),
        as_jpeg(picture(sharp=False)),
        as_pixels(picture(sharp=False)),
    ):
        services.exams.keep(
            exam,
            Picture(image, services.clock.now()),
            device=sealing.CAMERA,
            description=sealing.description(),
        )
    services.exams.close()
    hands.scan(MAI)
    wanted = ["Draft", "Blurred", "Blurred"]
    hands.qtbot.waitUntil(lambda: [t.badge.words for t in hands.state.thumbs] == wanted)
    hands.qtbot.waitUntil(lambda: all(b.has_image for b in hands.page.filmstrip.buttons))


def test_the_focus_stays_on_a_patients_drafts_while_they_grow_older(
    hands: Hands, clock: FixedClock
) -> None:
    hands.scan(MAI)
    hands.shot(Qt.Key.Key_Space)
    hands.key(Qt.Key.Key_Escape)
    assert hands.window.content is not None
    page, viewmodel = hands.window.content.patients, hands.window.content.patients_vm

    def opening() -> list[Button]:
        buttons = (button for button in page.findChildren(Button) if button.isVisible())
        return [b for b in buttons if b.accessibleName().startswith("Open the drafts")]

    hands.qtbot.waitUntil(lambda: len(opening()) == 1)
    (before,) = opening()
    note = viewmodel.state.drafts[0].note
    before.setFocus()
    clock.advance(120)
    hands.qtbot.waitUntil(lambda: viewmodel.state.drafts[0].note != note)
    assert opening() == [before]
    assert before.hasFocus()
    QTest.keyClick(hands.handle, Qt.Key.Key_Return)
    hands.qtbot.waitUntil(lambda: viewmodel.check is not None)  # drafts ask who it is
