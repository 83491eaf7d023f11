"""The page of the cards with each kind of group."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

from PySide6.QtWidgets import QWidget

from capture_app.exam.cards import code_of
from capture_app.model.operator import Operator
from capture_app.model.worklist import IdentifiedBy
from capture_app.settings.cards import CardFolder
from capture_app.ui.shell.app_bar import Place
from capture_app.ui.shell.content import Content
from capture_app.ui.shell.main_window import MainWindow
from tests.cards import CameraCard
from tests.ui.stage import Stage


def card_pages(
    window: MainWindow,
    content: Content,
    stage: Stage,
    operator: Operator,
    wait: Callable[[Callable[[], bool]], None],
) -> Iterator[tuple[str, QWidget]]:
    """Two: nobody's, somebody's, kept and offered pictures; and a card that is not there."""
    now = stage.services.clock.now()
    camera = CameraCard(stage.folder / "card", now - timedelta(minutes=30), timedelta(hours=1))
    (entry,) = stage.census.lookup("0012345678")
    exams, cards = stage.services.exams, stage.services.cards
    slate = cards.show(exams.open(entry, operator, IdentifiedBy.SCAN), operator)
    exams.close()
    camera.now = now
    camera.shoot(after=1)
    camera.shoot(code_of(slate, now))
    camera.shoot()
    camera.shoot(after=300)
    camera.shoot().write_bytes(b"\xff\xd8 half")
    settings = replace(
        stage.services.settings, cards=(CardFolder("dslr", "DSLR of ward 4B", str(camera.folder)),)
    )
    content.late._services = replace(content.late._services, settings=settings)
    content._offer(0)
    content.go(Place.CARD)
    viewmodel, page = content.late.card
    wait(lambda: len(viewmodel.state.groups) == 3)
    panels = list(page.panels.values())
    wait(lambda: all(panel.first.has_picture for panel in panels))
    yield "card", window
    camera.folder.rename(stage.folder / "pocket")
    wait(lambda: bool(viewmodel.state.faults))
    yield "card-gone", window
    content.go(Place.PATIENTS)
    content._bar.offer(content.late.offered(0) - {Place.CARD})
