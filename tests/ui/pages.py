"""Every page of the window in turn, in a believable state: for layout tests and screenshots."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtWidgets import QApplication, QWidget

from capture_app.errors import KeyUnavailableError, RefusedDeliveryError
from capture_app.exam.initials import example_of
from capture_app.exam.second_identifier import Answer
from capture_app.model.delivery import ImageState
from capture_app.model.operator import Operator
from capture_app.model.order import Order
from capture_app.model.procedure import Side
from capture_app.model.reason import Reason
from capture_app.outbox.status import StatusFilter
from capture_app.patients.finding.scan import ScannedCode
from capture_app.patients.finding.tabs import Tab
from capture_app.security.users import FIRST_ROLES
from capture_app.ui.first_run.page import FirstRunPage
from capture_app.ui.first_run.viewmodel import FirstRunViewModel
from capture_app.ui.outbox.rows import OutboxAct, Section
from capture_app.ui.problem.page import ProblemPage
from capture_app.ui.shell.app_bar import Place
from capture_app.ui.shell.content import Content
from capture_app.ui.shell.main_window import MainWindow
from capture_app.ui.words.marks import Tone
from capture_app.ui.workspace.page import WorkspacePage
from capture_app.ui.workspace.viewmodel import WorkspaceViewModel
from tests import filming
from tests.ui.pages_of_cameras import camera_pages
from tests.ui.pages_of_cards import card_pages
from tests.ui.pages_of_doubt import (
    differing_pages,
    feed_pages,
    scanning_pages,
    twin_pages,
    visible_page,
    whose_pages,
)
from tests.ui.pages_of_scanners import received_pages
from tests.ui.stage import Stage

Wait = Callable[[Callable[[], bool]], None]
COLLEAGUES = (
    ("jlindqvist", "J. Lindqvist"),
    ("rmehta", "R. Mehta"),
    ("sbarros", "S. Barros"),
    ("tkowalski", "T. Kowalski"),
    ("yaydin", "Y. Aydın"),
)

PAGES = 52
"""How many there are, with those that come before any services."""
_HELD = 4
_ORDER = Order(
    study_instance_uid="1.2.276.0.7230010.3.1.2.417",
    accession_number="A-2026-0417",
    requested_procedure_id="R0417",
    requested_procedure_description="Wound photograph",
    requested_procedure_code=None,
    scheduled_procedure_step_id="S0417",
    scheduled_procedure_step_description="Wound photograph",
    scheduled_protocol_codes=(),
    modality="XC",
    scheduled_station_ae_title="CAPTURE",
    scheduled_at=datetime(2026, 10, 12, 10, 20, tzinfo=UTC),
)
ORDERS = (
    _ORDER,
    replace(
        _ORDER,
        accession_number="A-2026-0418",
        scheduled_procedure_step_description="Pressure sores of sacrum, heels and left hip, again",
    ),
    replace(
        _ORDER,
        accession_number="A-2026-0433",
        scheduled_procedure_step_description="Ultrasound of knee",
        modality="US",
    ),
)


def furnish(stage: Stage, wait: Wait) -> Operator:
    """Users, drafts, and pictures in every state of delivery."""
    ada = stage.add_user("aokafor", "A. Okafor", *FIRST_ROLES)
    for user_id, name in COLLEAGUES:
        stage.add_user(user_id, name)
    outbox = stage.outbox
    engine = stage.engine()
    engine.start()
    try:
        for number, count in (("0012001735", 3), ("0010440921", 2)):
            outbox.seal(stage.pictures(number, count, ada), ada, release_now=True)
        wait(lambda: outbox.counts().confirmed_today == 5)
        refused = outbox.seal(stage.pictures("0009812204", 1, ada), ada)
        (uid,) = uids_of(stage, refused.capture_ids)
        stage.archive.refuses[uid] = RefusedDeliveryError(Reason.of("status-A900", name="PACS"))
        outbox.release([uid], ada)
        wait(lambda: outbox.counts().it_asked == 1)
        stage.archive.is_down = True
        outbox.seal(stage.pictures("0011902114", 2, ada), ada, release_now=True)
        waiting = StatusFilter(states=frozenset({ImageState.QUEUED}))
        wait(lambda: any(status.failures for status in outbox.statuses(waiting)))
    finally:
        engine.stop()
    outbox.seal(stage.pictures("0012345678", _HELD, ada), ada)
    held = outbox.seal(stage.pictures("0008664310", 1, ada), ada)
    outbox.hold(uids_of(stage, held.capture_ids), ada)
    stage.pictures("0009812204", 3, ada)
    return ada


def uids_of(stage: Stage, capture_ids: tuple[str, ...]) -> list[str]:
    """The SOP Instance UIDs that these pictures were sealed under."""
    statuses = stage.outbox.statuses()
    return [one.sop_instance_uid for one in statuses if one.capture_id in capture_ids]


def all_pages(
    window: MainWindow, stage: Stage, operator: Operator, wait: Wait
) -> Iterator[tuple[str, QWidget]]:
    """Goes through the pages; each is on screen, settled, while it is the current one."""
    wait(lambda: bool(window.sign_in_vm.state.unsent))
    window.sign_in_vm.choose(operator.user_id)
    for digit in "248":
        window.sign_in_vm.type(digit)
    yield "lock", window
    window.sign_in_vm.clear()
    window.sign_in_vm.signed_in.emit(operator)
    content = window.content
    assert content is not None
    patients, outbox = content.patients_vm, content.outbox_vm
    wait(lambda: bool(patients.state.rows) and bool(patients.state.drafts))
    yield "patients", window
    patients.move(1)
    patients.move(3)
    patients.open_marked()
    wait(lambda: patients.check is not None)
    assert patients.check is not None
    patients.check.answer(Answer("XX", "1900"))
    yield "patients-check", window
    patients.check.cancel()
    patients.filter("zzz")
    wait(lambda: bool(patients.state.empty))
    yield "patients-empty", window
    patients.filter("")
    content.go(Place.OUTBOX)
    wait(lambda: len(outbox.state.section(Section.WAITING)) >= 3)
    yield "outbox", window
    outbox.act(outbox.state.section(Section.CONFIRMED)[0], OutboxAct.SHOW_PROOF)
    wait(lambda: outbox.state.proof is not None)
    yield "outbox-proof", window
    outbox.close_proof()
    content.go(Place.TRAIL)
    wait(
        lambda: bool(content.late.trail[0].state.rows) and bool(content.late.trail[0].state.verdict)
    )
    yield "trail", window
    yield from camera_pages(window, content, stage, wait)
    yield from card_pages(window, content, stage, operator, wait)
    yield from received_pages(window, content, stage, wait)
    content.go(Place.PATIENTS)
    yield from twin_pages(window, content, stage, wait)
    yield from feed_pages(window, content, stage, wait)
    yield from scanning_pages(window, content, wait)
    window.show_keys()
    yield "keys", window
    window.close_keys()
    patients.scanned(ScannedCode("0012345678"))
    wait(lambda: content.exam is not None)
    wait(lambda: stage.services.devices.latest() is not None)
    yield "workspace", window
    yield from workspace_pages(window, wait)
    for name in clip_pages(visible_page(window), stage, wait):
        yield name, window
    shoot(visible_page(window).viewmodel, wait)
    yield from whose_pages(window, visible_page(window), stage, wait)
    window.lock()
    window.sign_in_vm.signed_in.emit(operator)
    wait(lambda: visible_page(window).viewmodel.state.banner.identified.tone is Tone.WARN)
    yield "asked-again", window
    content.go(Place.PATIENTS)
    yield from order_pages(window, content, stage, wait)
    wait(lambda: window.status.state.unsent > 0)
    window.close()
    yield "leaving", window
    window.cleaning.begin()
    yield "clean-screen", window
    window.cleaning.end()


def order_pages(
    window: MainWindow, content: Content, stage: Stage, wait: Wait
) -> Iterator[tuple[str, QWidget]]:
    """Orders: asked for a row of the worklist, offered in the banner, listed, in use."""
    patients, number = content.patients_vm, "0012354687"
    stage.order(number, *ORDERS)
    patients.show_tab(Tab.WORKLIST)
    wait(lambda: patients.shows_what_was_asked and len(patients.state.rows) == 1)
    patients.choose(patients.state.rows[0].key)
    wait(lambda: patients.check is not None)
    assert patients.check is not None
    patient = patients.check.patient
    assert patient.birth_date is not None
    patients.check.answer(Answer(example_of(patient.name), f"{patient.birth_date.year}"))
    wait(lambda: patients.order_question is not None)
    yield "patients-order", window
    patients.scanned(ScannedCode(number))
    wait(lambda: content.exam is not None)
    page = visible_page(window)
    wait(lambda: page.viewmodel.live.frame() is not None)
    yield "workspace-order-offered", window
    page.press_order()
    yield "workspace-orders", window
    page.close_popover()
    page.viewmodel.ordering.choose(page.viewmodel.ordering.rows()[0].row_id)
    wait(lambda: content.exam is not None and content.exam.order is not None)
    yield "workspace-order-in-use", window
    content.go(Place.OUTBOX)
    yield "outbox-from-exam", window
    content.go(Place.PATIENTS)


def clip_pages(page: WorkspacePage, stage: Stage, wait: Wait) -> Iterator[str]:
    """A clip that is looked at, and one that is being recorded. Both are deleted after that."""
    vm = page.viewmodel
    filming.record(stage.outbox, vm.exam, 90).finish()
    wait(lambda: any(thumb.clip for thumb in vm.state.thumbs))
    vm.player.open_one()
    wait(lambda: vm.player.state.frames == 90 and page.clip.frame.has_picture)
    yield "workspace-clip"
    vm.player.leave()
    before = len(vm.state.thumbs)
    vm.clips.toggle()
    wait(lambda: bool(vm.clips.capture_id))
    yield "workspace-recording"
    vm.clips.toggle()
    wait(lambda: len(vm.state.thumbs) == before + 1)
    vm.describing.select(thumb.capture_id for thumb in vm.state.thumbs if thumb.clip)
    vm.sending.delete()
    wait(lambda: not any(thumb.clip for thumb in vm.state.thumbs))


def workspace_pages(window: MainWindow, wait: Wait) -> Iterator[tuple[str, QWidget]]:
    """The workspace with much in it: stopped, described, its map large, its lists, a send."""
    page = window.findChild(WorkspacePage)
    assert page is not None
    vm = page.viewmodel
    wait(lambda: vm.live.frame() is not None)  # one of this exam: older ones are refused
    wait(lambda: len(vm.state.thumbs) == _HELD)  # what was sent before and is not on its way yet
    count = len(vm.state.thumbs)
    for _ in range(3):
        shoot(vm, wait)
    wait(lambda: len(vm.state.thumbs) == count + 3)
    vm.describing.choose_region("SCT", "25763004")
    vm.sending.send()
    yield "workspace-stopped", window
    vm.describing.press_digit(2)
    vm.describing.choose_side(Side.LEFT)
    wait(lambda: not page.toast.isVisible())
    for _ in range(7):
        shoot(vm, wait)
    wait(lambda: len(vm.state.thumbs) == count + 10)
    wait(lambda: all(button.has_image for button in page.filmstrip.buttons))
    vm.describing.click(vm.state.thumbs[-1].capture_id, "one")
    yield "workspace-described", window
    page.open_map()
    yield "workspace-map", window
    page.close_popover()
    page.open_sites()
    yield "workspace-sites", window
    page.close_popover()
    vm.describing.click(vm.state.thumbs[-1].capture_id, "one")
    yield from differing_pages(window, page, wait)
    vm.sending.send()
    wait(lambda: vm.state.sendable == 0 and vm.state.message is not None)
    yield "workspace-sent", window


def shoot(vm: WorkspaceViewModel, wait: Wait) -> None:
    """One picture: on a busy machine the camera may just have none that is young enough."""
    taken: list[bool] = []
    connection = vm.shutter.flashed.connect(lambda: taken.append(True))

    def is_taken() -> bool:
        vm.shutter.shoot()
        return bool(taken)

    wait(is_taken)
    vm.shutter.flashed.disconnect(connection)


def pages_without_services(folder: Path, stage: Stage) -> Iterator[tuple[str, QWidget]]:
    """The pages that come before there are any services."""
    bare = type(stage.services.settings)(data_dir=folder)
    viewmodel = FirstRunViewModel(bare, Path("/etc/capture-app/settings.toml"))
    for name, page in (
        ("first-run", FirstRunPage(viewmodel)),
        (
            "problem",
            ProblemPage(
                "Capture cannot open",
                str(KeyUnavailableError("The key store of this computer is locked.")),
            ),
        ),
    ):
        page.resize(1366, 768)
        page.show()
        QApplication.processEvents()
        yield name, page
        page.close()
        page.deleteLater()
