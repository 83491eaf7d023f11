"""The page of what scanners sent: a correction among it, and while somebody is asked."""

from collections.abc import Callable, Iterator

from PySide6.QtWidgets import QWidget

from capture_app.ui.shell.app_bar import Place
from capture_app.ui.shell.content import Content
from capture_app.ui.shell.main_window import MainWindow
from tests.receiving import keep_one
from tests.ui.stage import Stage


def received_pages(
    window: MainWindow, content: Content, stage: Stage, wait: Callable[[Callable[[], bool]], None]
) -> Iterator[tuple[str, QWidget]]:
    """Two: both identities with what differs, and the second identifier asked."""
    keep_one(stage.outbox)
    keep_one(stage.outbox, patient_id="0012354687")
    keep_one(stage.outbox, "2.25.10", patient_id="0012354687")
    viewmodel, page = content.late.received
    content.go(Place.RECEIVED)
    wait(lambda: len(viewmodel.state.rows) == 3)
    viewmodel.filter("nguyen")
    wait(lambda: len(viewmodel.state.people) > 1)
    viewmodel.choose_person(viewmodel.state.people[-1].row_id)
    yield "received", window
    page.file.click()
    wait(lambda: viewmodel.state.is_asking)
    yield "received-check", window
    assert viewmodel.check is not None
    viewmodel.check.cancel()
