"""Pages on which the window asks, warns or stops: for layout tests and screenshots, too."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date

from PySide6.QtWidgets import QWidget

from capture_app.demo.people import ADMISSIONS, Admission
from capture_app.exam.standing import Stop
from capture_app.model.patient import NameGroup, PatientId, PersonName
from capture_app.model.procedure import Side
from capture_app.patients.finding.scan import ScannedCode
from capture_app.settings.scanning import Suffix
from capture_app.ui.identity.popover import IdentityPopover
from capture_app.ui.patients.feed_popover import FeedPopover
from capture_app.ui.scanner.page import ScannerPage
from capture_app.ui.shell.content import Content
from capture_app.ui.shell.main_window import MainWindow
from capture_app.ui.words.key_stroke import KeyStroke
from capture_app.ui.workspace.page import WorkspacePage
from capture_app.ui.workspace.whose_words import stop_message
from tests.ui.stage import Stage

Wait = Callable[[Callable[[], bool]], None]
Pages = Iterator[tuple[str, QWidget]]
MAI = ADMISSIONS[0]
_TWIN = Admission(
    replace(
        MAI.patient,
        patient_id=PatientId("TR-20417-B", "ST ANNE", type_code="MR"),
        name=PersonName(NameGroup("Nguyễn", "Thị My")),
        birth_date=date(1956, 2, 29),
    ),
    replace(MAI.encounter, visit_number="V9955"),
)
_REFUSED = (
    b"MSH|^~\\&|ADT|HOSP|||20240702080000||ADT^%s|%s|P|2.5\r"
    b"EVN|%s|20240702080000\rPID|1||4711^^^ST ANNE^MR||Canary^Carla"
)
_SCANS = ("P0009812204", "P0012345678", "P0012354687")


def visible_page(window: MainWindow) -> WorkspacePage:
    """The workspace on screen."""
    return next(page for page in window.findChildren(WorkspacePage) if page.isVisible())


def question(window: MainWindow) -> IdentityPopover | None:
    """The second identifier's popover that is open."""
    found = window.findChildren(IdentityPopover)
    return next((popover for popover in found if popover.isVisible()), None)


def twin_pages(window: MainWindow, content: Content, stage: Stage, wait: Wait) -> Pages:
    """A keypad; and one more question where two people would answer the first alike."""
    patients = content.patients_vm
    patients.move(1)
    patients.open_marked()
    wait(lambda: question(window) is not None)
    popover = question(window)
    assert popover is not None
    popover.keypad_button.click()
    yield "patients-keypad", window
    popover.close_asked.emit()
    stage.admit(_TWIN)
    number = _TWIN.patient.patient_id.value

    def is_listed() -> bool:
        patients.apply_changes()  # wherever the pointer of another test was left
        return any(row.key.number == number for row in patients.state.rows)

    wait(is_listed)
    patients.choose(next(row.key for row in patients.state.rows if row.key.number == number))
    wait(lambda: question(window) is not None)
    popover = question(window)
    assert popover is not None
    popover.keypad_button.click()
    yield "patients-last-digits", window
    popover.close_asked.emit()


def feed_pages(window: MainWindow, content: Content, stage: Stage, wait: Wait) -> Pages:
    """What the feed sent in vain: the chip and the list behind it; a code that names nobody."""
    patients = content.patients
    for n, event in enumerate((b"A03", b"A40")):
        stage.receiver.handle(_REFUSED % (event, b"X%d" % n, event))
    wait(lambda: len(content.patients_vm.state.feed_lines) == 2)
    yield "patients-feed-amber", window
    patients.feed_messages.click()
    yield "patients-feed-notes", window
    popover = window.findChild(FeedPopover)
    assert popover is not None
    popover.settle_asked.emit(content.patients_vm.state.feed_lines[0])
    yield "patients-merge-question", window
    content.patients_vm.scanned(ScannedCode("9999999999"))
    wait(lambda: content.said.is_loud)
    yield "patients-nobody", window


def scanning_pages(window: MainWindow, content: Content, wait: Wait) -> Pages:
    """The camera as a scanner, and the page that learns a scanner."""
    camera = content.camera_scan
    camera.turn(on=True)
    wait(lambda: camera.state.preview is not None)
    yield "patients-camera-scan", window
    camera.turn(on=False)
    content.show_scanner()
    page = window.findChild(ScannerPage)
    assert page is not None
    yield "scanner", window
    viewmodel = page.viewmodel
    viewmodel.start()
    viewmodel._silence.setInterval(1)
    for n, code in enumerate(_SCANS, 1):
        for at, character in enumerate(code):
            viewmodel.stroke(KeyStroke(character, Suffix.NONE, 0.01 * at))
        viewmodel.stroke(KeyStroke("", Suffix.ENTER, 0.01 * len(code)))
        wait(lambda: len(viewmodel.state.heard) == n)  # noqa: B023 - waited for here
    yield "scanner-learnt", window
    content.go_to_patients()


def differing_pages(window: MainWindow, page: WorkspacePage, wait: Wait) -> Pages:
    """All pictures at once; and the panels say otherwise than the newest picture."""
    vm = page.viewmodel
    page.all.click()
    yield "workspace-contacts", window
    page.close_contacts()
    page.banner.place.click()
    yield "workspace-places", window
    page.close_popover()
    vm.describing.choose_side(Side.RIGHT)
    vm.sending.send()
    wait(lambda: vm.state.message is not None and bool(vm.state.message.other_act))
    yield "workspace-differs", window
    vm.describing.choose_side(Side.LEFT)
    wait(lambda: vm.state.message is None)


def whose_pages(window: MainWindow, page: WorkspacePage, stage: Stage, wait: Wait) -> Pages:
    """The feed changes the open patient: the note, the question at Send, and what stops it."""
    vm = page.viewmodel
    name, born = PersonName(NameGroup("Trần", "Linh Chi")), date(1960, 2, 3)
    changed = replace(MAI.patient, name=name, birth_date=born)
    stage.admit(Admission(changed, MAI.encounter), event="A08")
    wait(lambda: vm.state.banner.note is not None)
    yield "workspace-changed", window
    vm.sending.send()
    wait(lambda: question(window) is not None)
    yield "workspace-identity", window
    popover = question(window)
    assert popover is not None
    popover.keypad_button.click()
    yield "workspace-identity-keypad", window
    popover.close_asked.emit()
    board = vm.whose._board
    standing = board.known.standing
    for stop in Stop:
        board.show(standing=replace(standing, stops=(stop,)))
        vm.say(stop_message(stop, drafts=3, held=10))
        yield f"workspace-{stop}", window
    board.show(standing=standing, message=None)
