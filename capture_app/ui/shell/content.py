"""What a signed-in user sees: bar, pages, strip; and the exam that is open, if one is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QVBoxLayout, QWidget

from capture_app.model.exam import Exam
from capture_app.model.operator import Act, Operator, may
from capture_app.model.worklist import PatientListEntry
from capture_app.ui.held_sends import HeldSend, HeldSends
from capture_app.ui.patients.camera_scan import CameraScan
from capture_app.ui.patients.page import PatientsPage
from capture_app.ui.patients.viewmodel import PatientsViewModel
from capture_app.ui.services import Services
from capture_app.ui.shell.app_bar import AppBar, Place
from capture_app.ui.shell.late_pages import LatePages
from capture_app.ui.shell.page_stack import Pages
from capture_app.ui.shell.received_watch import ReceivedWatch
from capture_app.ui.shell.scanner_page import scanner_page
from capture_app.ui.shell.status import StatusViewModel
from capture_app.ui.shell.status_strip import StatusStrip
from capture_app.ui.tasks import Tasks
from capture_app.ui.thumbnails import small
from capture_app.ui.widgets.card import Backdrop
from capture_app.ui.widgets.popover import HOST
from capture_app.ui.widgets.toast import Toast
from capture_app.ui.words.marks import Message, Tone
from capture_app.ui.words.send_words import (
    drafts_again_message,
    not_sent_message,
    received_message,
    sent_message,
    still_open,
    too_late_message,
    whose,
)

if TYPE_CHECKING:
    from capture_app.patients.finding.scan import ScannedCode, ScanRules
    from capture_app.ui.outbox.page import OutboxPage
    from capture_app.ui.outbox.viewmodel import OutboxViewModel
    from capture_app.ui.scanner.page import ScannerPage
    from capture_app.ui.workspace.page import WorkspacePage
    from capture_app.ui.workspace.viewmodel import WorkspaceViewModel


class Content(Backdrop):
    """One signed-in user's pages. Another user gets another Content."""

    lock_asked = Signal()
    clean_asked = Signal()
    learns = Signal(object)
    """Who gets the keys of the scanner instead of opening patients; None: nobody."""
    scanner_learnt = Signal(object)
    """The Learnt that holds from now on."""
    in_workspace = Signal(bool)
    """Whether the workspace is on screen: then the practice band is thin."""

    def __init__(
        self,
        services: Services,
        tasks: Tasks,
        acts: Tasks,
        operator: Operator,
        status: StatusViewModel,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName(HOST)
        self.operator = operator
        self._services = services
        self._tasks = tasks
        self._acts = acts
        self._workspace: WorkspacePage | None = None
        self._workspace_vm: WorkspaceViewModel | None = None
        self._held = HeldSends(services, acts, operator, self)
        self._held.sent_unseen.connect(self._sent_unseen)
        self._held.not_sent_unseen.connect(lambda why: self.tell(not_sent_message(why)))
        self._held.taken_back_unseen.connect(self._taken_back)
        self._held.not_taken_back_unseen.connect(self._not_taken_back)
        undo = QShortcut(QKeySequence("Ctrl+Z"), self)
        undo.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        undo.setAutoRepeat(False)
        undo.activated.connect(self.undo)
        self.patients_vm = PatientsViewModel(
            services, tasks, operator, self._when_free, self._confirms, self
        )
        self.patients_vm.opened.connect(self._open)
        self.patients_vm.changed.connect(self._shut_while_opening)
        self.patients_vm.told.connect(self.tell)
        self._outbox: tuple[OutboxViewModel, OutboxPage] | None = None
        self._is_locked = False
        self._received = ReceivedWatch(
            services, tasks, operator, lambda: None if self._is_locked else self.exam, self
        )
        self._received.filed.connect(lambda exam, n: self._say(received_message(n, exam)))
        self._bar = AppBar(operator.display_name)
        self._bar.went.connect(self.go)
        self._bar.lock_asked.connect(self.lock_asked)
        self._bar.clean_asked.connect(self.clean_asked)
        self.camera_scan = CameraScan(services, tasks, self.patients_vm.scan_rules, self)
        self.camera_scan.scanned.connect(self.patients_vm.scanned)
        self.patients = PatientsPage(self.patients_vm, self.camera_scan)
        self._scanner: ScannerPage | None = None
        set_up = self.patients.scan_card.set_up
        set_up.setVisible(may(operator, Act.SET_UP_SCANNER))
        set_up.clicked.connect(self.show_scanner)
        self._pages = Pages()
        self._pages.addWidget(self.patients)
        self.late = LatePages(
            *(services, tasks, operator),
            owner=self,
            add=self._pages.addWidget,
            leave=self.go_to_patients,
            tell=self.tell,
            scan_rules=lambda: self.patients_vm.scan_rules,
        )
        self._received.waiting.connect(self._offer)
        self._offer(0)
        self.strip = StatusStrip(status)
        self._status = status
        status.changed.connect(self._count)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._bar)
        column.addWidget(self._pages, 1)
        column.addWidget(self.strip)
        self._toast = Toast(self)
        self._toast.acted.connect(self.undo)  # the one act of what is told here
        self._count()
        self.go(Place.PATIENTS)

    def _offer(self, received: int) -> None:
        self._bar.offer(self.late.offered(received))
        self._bar.show_received(received)

    def scanned(self, code: ScannedCode) -> None:
        """A wristband: it opens its patient, or says whose the image on the screen is."""
        if not self.late.takes_scan(self._pages.currentWidget(), code):
            self.patients_vm.scanned(code)

    def _count(self) -> None:
        self._bar.show_waiting(self._status.state.waiting)

    def close_all(self) -> None:
        """The user has gone: nothing listens any more, and no exam takes pictures."""
        self._leave_workspace()
        self._received.close()
        self.camera_scan.close()
        self.patients_vm.close()
        self.late.close()
        if self._outbox is not None:
            self._outbox[0].close()

    # ---------------------------------------------------------------------- going about

    def go_to_patients(self) -> None:
        """Back to the list."""
        self.go(Place.PATIENTS)

    def go(self, place: Place) -> None:
        """A place of the navigation. An open exam is left for all but the outbox; drafts stay."""
        self.patients_vm.stay_known()
        if place is Place.OUTBOX and self._workspace_vm is not None:
            self._show_outbox(self._workspace_vm.exam)
        else:
            self._when_free(lambda: self._go(place))

    def _go(self, place: Place) -> None:
        self._leave_workspace()
        if place is Place.OUTBOX:
            self._show_outbox(None)
            return
        if place is not Place.PATIENTS:
            if self.late.may_see(place):
                page, take_focus = self.late.at(place)
                self._show_place(place, page)
                take_focus()
            return
        self._show_place(place, self.patients)
        self.patients_vm.read()
        self.patients.focus_list()

    def _show_place(self, place: Place, page: QWidget) -> None:
        self._pages.setCurrentWidget(page)  # first: the workspace leaves no room for the bar
        self._bar.show()
        self._bar.show_place(place)
        self._place_toast()
        self.in_workspace.emit(False)  # noqa: FBT003 - a signal has no keywords

    def _show_outbox(self, exam: Exam | None) -> None:
        """`exam`: the open one, to which Esc goes back."""
        self.outbox.show_way_back(whose(exam) if exam is not None else "")
        self._show_place(Place.OUTBOX, self.outbox)
        self.outbox.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_scanner(self) -> None:
        """The set-up page of the scanner, for administrators."""
        if not may(self.operator, Act.SET_UP_SCANNER):
            return
        if self._scanner is None:
            given = (self._services, self._tasks, self.operator, self)
            self._scanner = scanner_page(*given, self.learns, self.scanner_learnt)
            self._scanner.back_asked.connect(self.go_to_patients)
            self._pages.addWidget(self._scanner)
        self._show_place(Place.PATIENTS, self._scanner)
        self._scanner.start.setFocus(Qt.FocusReason.OtherFocusReason)

    def use_patterns(self, rules: ScanRules) -> None:
        """Other patterns from now on."""
        self.patients_vm.scan_rules = rules
        self.camera_scan.use(rules)

    def _back_to_workspace(self) -> None:
        if self._workspace is not None:
            self.patients_vm.stay_known()
            self._show_workspace(self._workspace)

    def _show_workspace(self, page: WorkspacePage) -> None:
        self._bar.hide()
        self.in_workspace.emit(True)  # noqa: FBT003 - a signal has no keywords
        self._pages.setCurrentWidget(page)
        page.setFocus(Qt.FocusReason.OtherFocusReason)
        self._place_toast()

    @property
    def place(self) -> Place | None:
        """Where in the navigation one is; None in the workspace."""
        current = self._pages.currentWidget()
        if current is self.patients:
            return Place.PATIENTS
        is_outbox = self._outbox is not None and current is self._outbox[1]
        return Place.OUTBOX if is_outbox else None

    @property
    def outbox_vm(self) -> OutboxViewModel:
        """What the outbox shows."""
        return self._looked_at()[0]

    @property
    def outbox(self) -> OutboxPage:
        """The outbox's page."""
        return self._looked_at()[1]

    def _looked_at(self) -> tuple[OutboxViewModel, OutboxPage]:
        """The outbox, made when it is first looked at: the list need not wait for it."""
        if self._outbox is None:
            from capture_app.ui.outbox.page import OutboxPage  # noqa: PLC0415
            from capture_app.ui.outbox.viewmodel import OutboxViewModel  # noqa: PLC0415

            viewmodel = OutboxViewModel(self._services, self._tasks, self.operator, self)
            page = OutboxPage(viewmodel, self._tasks)
            page.back_asked.connect(self._back_to_workspace)
            viewmodel.told.connect(self.tell)
            self._pages.addWidget(page)
            self._outbox = viewmodel, page
        return self._outbox

    @property
    def exam(self) -> Exam | None:
        """The exam that is open, if any."""
        return self._workspace_vm.exam if self._workspace_vm is not None else None

    @property
    def films_for(self) -> float:
        """Seconds since a clip began that is being recorded; 0 where none is."""
        return self._workspace_vm.clips.recorded_for if self._workspace_vm is not None else 0.0

    def _when_free(self, act: Callable[[], None]) -> None:
        if self._workspace_vm is not None:
            self._workspace_vm.when_kept(act)
        else:
            act()

    def _open(self, exam: Exam) -> None:
        # Only here: the list of patients need not wait for what the workspace shows.
        from capture_app.ui.workspace.page import WorkspacePage  # noqa: PLC0415
        from capture_app.ui.workspace.viewmodel import WorkspaceViewModel  # noqa: PLC0415

        self._leave_workspace(close_exam=False)
        self._toast.clear()
        try:
            viewmodel = WorkspaceViewModel(
                self._services, self._tasks, self._acts, exam, self._held, small, self
            )
            page = WorkspacePage(viewmodel)
        except Exception:
            # An exam that is not on the screen takes no pictures. The error is told as any other.
            self._services.exams.close()
            self._services.films.end()
            self._go(Place.PATIENTS)
            raise
        page.left.connect(self.go_to_patients)
        self._workspace_vm, self._workspace = viewmodel, page
        self._pages.addWidget(page)
        self._show_workspace(page)
        self._received.look()

    def _shut_while_opening(self) -> None:
        """Who scanned a wristband stands before another patient than the screen still shows."""
        if self._workspace_vm is not None:
            self._workspace_vm.shutter.shut(on=self.patients_vm.state.opening)

    def _leave_workspace(self, *, close_exam: bool = True) -> None:
        viewmodel, page = self._workspace_vm, self._workspace
        self._workspace_vm = self._workspace = None
        if viewmodel is None or page is None:
            return
        viewmodel.close()
        self._pages.removeWidget(page)
        page.hide()
        page.deleteLater()
        viewmodel.deleteLater()
        if close_exam:
            self._services.exams.close()

    # ---------------------------------------------------------------------- asked again

    def lock(self) -> None:
        """Nobody is there: no exam takes pictures, and whoever is open is asked for again at Send.

        The pages stay as they are behind the lock, for the same user.
        """
        self._is_locked = True
        if self._workspace_vm is not None:  # first: no picture is taken, whatever else fails
            self._workspace_vm.lock()
        self.identity_is_due()
        if self._outbox is not None:
            self._outbox[0].close_proof()
        if self._workspace is not None:
            self._workspace.close_popover()

    def unlock(self) -> None:
        """The same user is back: the open exam goes on."""
        self._is_locked = False
        self._received.look()
        if (viewmodel := self._workspace_vm) is not None:
            # After the lock has closed the exam, which waits for a picture on its way to the disk.
            viewmodel.when_kept(lambda: self._resume(viewmodel))
        page = self._pages.currentWidget()
        if page is self.patients:
            self.patients.focus_list()
        elif page is not None:
            page.setFocus(Qt.FocusReason.OtherFocusReason)

    def _resume(self, viewmodel: WorkspaceViewModel) -> None:
        if viewmodel is self._workspace_vm:  # else it was left meanwhile
            viewmodel.resume()

    def identity_is_due(self) -> None:
        """Idle, or locked: the open patient is asked for again at Send, whoever else at once."""
        self.patients_vm.forget()
        self.late.forget()
        if self._workspace_vm is not None:
            self._workspace_vm.whose.become_due()

    def _confirms(self, entry: PatientListEntry) -> bool:
        """Whether a scanned patient is the open one: it says who is there, and the exam goes on."""
        viewmodel = self._workspace_vm
        if viewmodel is None or self._workspace is None:
            return False
        if viewmodel.exam.patient.patient_id.key != entry.patient.patient_id.key:
            return False
        viewmodel.whose.scanned()
        self._show_workspace(self._workspace)
        return True

    # ---------------------------------------------------------------------- taking back

    def undo(self) -> None:
        """Takes back the last act on screen, else the last Send, wherever the user went since."""
        shown = self._shown_workspace
        is_done = shown is not None and not shown.is_sending and shown.undo()
        if not is_done and not self.late.takes_undo(self._pages.currentWidget()):
            self._held.take_back_last()

    def take_back_digits(self, digits: int) -> None:
        """So many digits that coded just now were the beginning of a scan."""
        if (shown := self._shown_workspace) is not None:
            shown.describing.take_back_digits(digits)

    def _taken_back(self, send: HeldSend, undone: bool) -> None:  # noqa: FBT001 - a signal's slot
        message = drafts_again_message(len(send.capture_ids), send.exam)
        self._say(message if undone else too_late_message())

    def _not_taken_back(self, why: str) -> None:
        self._say(Message(why, "", "warning-circle", Tone.BAD))

    @property
    def _shown_workspace(self) -> WorkspaceViewModel | None:
        return self._workspace_vm if self._pages.currentWidget() is self._workspace else None

    def _sent_unseen(self, send: HeldSend) -> None:
        self._say(sent_message(len(send.capture_ids), send.exam))

    def _say(self, message: Message) -> None:
        """Over the live picture where there is one, else over the page."""
        if (shown := self._shown_workspace) is not None:
            shown.say(message)
        else:
            self.tell(message)

    # ---------------------------------------------------------------------- telling

    def tell(self, message: Message) -> None:
        """Says something over the page on screen; a loud one, of a scan, says who is still open."""
        if message.is_loud and self._workspace_vm is not None:
            still = still_open(self._workspace_vm.exam)
            message = replace(message, todo=f"{still} {message.todo}")
        self._toast.say(message)
        self._place_toast()

    @property
    def said(self) -> Message:
        """The last thing that was said."""
        return self._toast.message

    def _place_toast(self) -> None:
        if self._workspace is not None and self._shown_workspace is not None:
            self._workspace.place_toast(self._toast)
            return
        self._toast.fit(width := min(760, self.width() - 64))
        above = self.height() - self.strip.height() - self._toast.height() - 16
        self._toast.move((self.width() - width) // 2, above)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place_toast()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        command = event.modifiers() & (
            Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier
        )
        if event.key() == Qt.Key.Key_Escape and self.place is Place.OUTBOX:
            if self._workspace is not None:
                self._back_to_workspace()
            else:
                self.go(Place.PATIENTS)
        elif event.text().lower() == "o" and not command and self._shown_workspace is not None:
            self.go(Place.OUTBOX)
        else:
            super().keyPressEvent(event)
