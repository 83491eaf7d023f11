"""The acts of a story: of two people at their windows, of a hospital's feed and of an archive."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path
from threading import Event

import structlog

from capture_app.audit.verify import verify_chain
from capture_app.clock import FixedClock
from capture_app.exam.second_identifier import Answer
from capture_app.model.delivery import ImageState
from capture_app.model.procedure import Side
from capture_app.outbox.delivery.batch import Delivery
from capture_app.outbox.delivery.schedule import Schedule
from capture_app.outbox.status import StatusFilter
from capture_app.outbox.steps.tasks import open_tasks, release_held
from capture_app.patients.finding.tabs import Tab
from capture_app.security.users import FIRST_ROLES
from capture_app.ui.identity.viewmodel import IdentityCheck
from capture_app.ui.patients.rows import key_of
from capture_app.ui.workspace.state import SendStop
from capture_app.ui.workspace.viewmodel import WorkspaceViewModel
from tests.story.hospital import BIRTHS, NAMES, Hospital, Person
from tests.story.steps import rule
from tests.story.truth import Truth, agrees
from tests.story.windows import Window, opened, settle, until_live
from tests.ui.hands import clinic
from tests.ui.stage import Stage

AT = datetime(2024, 7, 2, 9, 30, tzinfo=timezone(timedelta(hours=2)))
SHIN, HEEL, SACRUM = "25763004", "84607009", "51027004"
WORK = ((1, HEEL), (1, SACRUM), (2, SHIN), (3, HEEL))
"""Keys of procedures, and sites that fit."""

_QUIET = frozenset({"info", "debug"})

window = (0, 1)
person = (0, 1, 2, 3)
concerned = (0, 1, 2, 3, "here", "there", "here", "there")
"""Whom the feed speaks of: a person, or whoever is open in a window."""
answers = ("none", "none", "change", "keep", "right", "scan")
hurried = (False, True)
"""The next act comes before this one is done."""


class Story:
    """The acts of two people, of a hospital and of an archive."""

    def __init__(self) -> None:
        self.logs = structlog.testing.capture_logs()
        self.entries = self.logs.__enter__()
        self.stack = ExitStack()
        self.folder = Path(tempfile.mkdtemp(prefix="story-"))
        self.clock = FixedClock(AT)
        self.stage: Stage = self.stack.enter_context(clinic(self.folder / "station", self.clock))
        self.users = (
            self.stage.add_user("aokafor", "A. Okafor", *FIRST_ROLES),
            self.stage.add_user("bweber", "B. Weber"),
        )
        self.windows = self.stack.enter_context(opened(self.stage, self.users))
        self.hospital = Hospital()
        self.truth = Truth(self.stage, self.hospital, self.windows)
        schedule = Schedule(self.clock, hold_seconds=10)
        self.delivery = Delivery(
            self.stage.outbox.spool, self.stage.archive, schedule, Event(), lambda: None
        )
        for one in self.hospital.people:
            self.says("A01", one)

    def end(self) -> None:
        self.settle()
        spool = self.stage.outbox.spool
        assert verify_chain(spool.database.read(), cipher=spool.cipher).whole
        loud = [entry for entry in self.entries if entry["log_level"] not in _QUIET]
        assert {entry["event"] for entry in loud} <= {"order-doubted"}, loud

    def close(self) -> None:
        self.stack.close()
        shutil.rmtree(self.folder)
        self.logs.__exit__(None, None, None)

    def settle(self) -> None:
        settle(*self.windows)
        self.truth.look()

    # ------------------------------------------------------------------------------- the hospital

    def says(self, event: str, one: Person, *, prior: str = "", accepted: bool = True) -> None:
        self.clock.advance(60)
        message = self.hospital.message(event, one, self.clock.now(), prior=prior)
        answer = self.stage.receiver.handle(message)
        assert (b"MSA|AA" in answer) is accepted, answer

    def gives_order(self, who: int | None) -> None:
        """The worklist, which each process asks, has one order, and for this person; None: none."""
        self.truth.ordered = None if who is None else self.hospital.people[who]
        for here in self.windows:
            here.services.census.put_worklist(
                self.hospital.worklist(self.truth.ordered, self.clock.now())
            )

    def someone(self, who: int | str) -> Person:
        if isinstance(who, int):
            return self.hospital.people[who]
        number = self.windows[who == "there"].number
        return self.hospital.whose(number) if number else self.hospital.people[0]

    def is_sent_by(self, one: Person, answer: str) -> None:
        """Where it was about an open patient, the next act is mostly Send."""
        for at, here in enumerate(self.windows):
            if here.number in one.numbers:
                self.sends(at, answer, soon=False)

    @rule(
        3,
        who=concerned,
        then=answers,
        event=("A01", "A02", "A03", "A08", "A11", "A12", "A13", "A40", "A47"),
        bed=("12", "14"),
        other=person,
    )
    def moves(self, who: int | str, then: str, event: str, bed: str, other: int) -> None:
        self.settle()
        one, prior = self.someone(who), self.hospital.people[other]
        if event == "A47":
            self.says(event, one, prior=self.hospital.renumber(one))
        elif event == "A40":
            if prior is not one:  # merges are a person's work: refused, both rows are marked
                self.says(event, one, prior=prior.number, accepted=False)
        else:
            one.bed = bed if event == "A02" else one.bed  # another may lie in it
            one.is_cancelled = event == "A11" or (one.is_cancelled and event != "A01")
            self.says(event, one)
        self.is_sent_by(one, then)

    @rule(
        4,
        who=concerned,
        then=answers,
        name=(None, None, None, *NAMES),
        born=(None, None, None, *BIRTHS),
        sex=(None, None, "F", "M"),
    )
    def is_corrected(
        self, who: int | str, then: str, name: str | None, born: str | None, sex: str | None
    ) -> None:
        self.settle()
        one = self.someone(who)
        one.name, one.born, one.sex = name or one.name, born or one.born, sex or one.sex
        self.says("A08", one)
        self.is_sent_by(one, then)

    # --------------------------------------------------------------------------------- two people

    @rule(2, at=window, who=person, retired=(False, True), soon=hurried)
    def scans(self, at: int, who: int, retired: bool, soon: bool) -> None:
        here, one = self.windows[at], self.hospital.people[who]
        self.settle()
        here.window.watch.begin()
        before = here.number
        number = min(one.retired, default=one.number) if retired else one.number
        here.scan(number)
        if soon:
            self.shutter(here)  # the screen may still show whoever was there before
        self.settle()
        if here.window.is_locked:  # nobody touched it for minutes
            return
        assert here.number in {before, one.number}, "a scan opened another patient"
        if number in one.retired:
            assert here.number == before, "a retired number opened somebody"
        elif here.number == number:
            here.identified = one.wording

    @rule(2, at=window, who=person, row=(False, True), draft=(False, True))
    def opens_from_the_list(self, at: int, who: int, row: bool, draft: bool) -> None:
        here, one = self.windows[at], self.hospital.people[who]
        self.settle()
        content = here.window.content
        if content is None or here.window.is_locked:
            return
        content.go_to_patients()
        vm = content.patients_vm
        vm.show_tab(Tab.ALL)
        vm.filter(one.number)
        self.settle()
        rows = [e for e in vm._found.entries if e.patient.patient_id.value == one.number]
        if row and rows:
            vm.choose(key_of(rows[0]))
        cards = [c for c in vm.state.drafts if c.patient.patient_id.value in one.numbers]
        if draft and not row and cards:
            vm.reopen(cards[0])
        self.answers(vm.check, one)
        self.settle()
        if here.number:
            assert self.hospital.whose(here.number) is one
            here.identified = one.wording

    def answers(self, check: IdentityCheck | None, one: Person) -> None:
        """What the person in front of them says."""
        if check is None:
            return
        family, _, given = one.name.partition("^")
        asked = check.state.question
        check.answer(Answer(given[:1] + family[:1], one.born[:4], one.number[-asked.last :]))

    @rule(
        5,
        at=window,
        who=person,
        what=WORK,
        side=(Side.LEFT, Side.RIGHT),
        times=range(1, 4),
        then=("send", "stay", "go on"),
    )
    def photographs(
        self, at: int, who: int, what: tuple[int, str], side: Side, times: int, then: str
    ) -> None:
        """What most of a morning is: a wristband, an act, a site, some pictures."""
        here, (digit, site) = self.windows[at], what
        self.sits_down(here)
        here.hear()
        self.scans(at, who, retired=False, soon=False)
        if (vm := here.workspace) is not None:
            vm.describing.press_digit(digit)
            vm.describing.choose_region("SCT", site, Side.MIDLINE if site == SACRUM else side)
            for _ in range(times):
                self.shutter(here)
        if then == "send":
            self.sends(at, "scan", soon=False)
        elif then == "stay":
            self.settle()

    def sits_down(self, here: Window) -> None:
        """Somebody is at the window: it is not locked, and will not be for some minutes."""
        if here.window.is_locked:
            here.window._signed_in(here.user)
        here.window.watch.begin()

    def shutter(self, here: Window) -> None:
        if until_live(here) and (vm := here.workspace) is not None:
            if not here.opens_another:
                self.truth.pressed.append(self.hospital.whose(here.number).visit)
            vm.shutter.shoot()

    @rule(
        5,
        at=window,
        act=("shoot", "procedure", "site", "side", "select", "toggle", "delete", "undo", "undo"),
        number=range(1, 4),
        site=(SHIN, HEEL),
        side=(Side.LEFT, Side.RIGHT, Side.MIDLINE),
        soon=hurried,
    )
    def does(self, at: int, act: str, number: int, site: str, side: Side, soon: bool) -> None:
        """One act in an open exam; Ctrl+Z on whatever page."""
        here = self.windows[at]
        content, vm = here.window.content, here.workspace
        if act == "undo" and content is not None and not here.window.is_locked:
            content.undo()
        if vm is None:
            return
        if act == "shoot":
            self.shutter(here)
        elif act == "procedure":
            vm.describing.press_digit(number)
        elif act == "site":
            vm.describing.choose_region("SCT", site, "" if side is Side.MIDLINE else side)
        elif act == "side":
            vm.describing.choose_side(side)
        elif act in {"select", "toggle"} and number <= len(vm.state.thumbs):
            vm.describing.click(vm.state.thumbs[-number].capture_id, act.removeprefix("select"))
        elif act == "delete":
            vm.sending.delete()
        if not soon:
            self.settle()

    @rule(3, at=window, answer=("none", "change", "keep", "right", "scan"), soon=hurried)
    def sends(self, at: int, answer: str, soon: bool) -> None:
        here = self.windows[at]
        vm = here.workspace
        if vm is None:
            return
        one = self.hospital.whose(here.number)
        staying = vm._board.known.staying
        newest, panels = vm._board.known.drafts[-1:], vm._board.known.panels.description
        here.window.watch.begin()
        vm.sending.send()
        for _ in range(3):  # what is missing is chosen for the pictures to which Send leads
            if vm._board.known.stop is SendStop.MISSING and answer != "none":
                vm.describing.press_digit(1)
                vm.describing.choose_region("SCT", HEEL, Side.LEFT)
                vm.sending.send()
        if here.asks_which():
            assert staying
            self.answers_which(vm, answer)
        elif newest and vm._board.known.sending and not vm._board.known.selected:
            agrees(newest[0].description, panels, vm._board.known.touched)
        if answer in {"right", "scan"} and vm.whose.check is not None:
            if answer == "right":
                self.answers(vm.whose.check, one)
            else:
                here.scan(one.number)
            if vm.whose.check is None:
                here.identified = one.wording
        if not soon:
            self.settle()

    def answers_which(self, vm: WorkspaceViewModel, answer: str) -> None:
        """Whether the pictures hold, or the panels: then all that stayed says what they say."""
        known = vm._board.known
        if answer == "keep":
            vm.other_act_on_message()
        elif answer == "change":
            vm.act_on_message()
            changed = {shot.capture_id for shot in known.staying}
            for shot in vm._board.known.shots:
                if shot.capture_id in changed:
                    agrees(shot.description, known.panels.description, known.open_parts)
            assert vm._board.known.stop is not SendStop.DIFFERS, "asked what was answered"

    @rule(
        2,
        at=window,
        act=("lock", "other user", "nobody", "leave", "hear", "hear", "hear", "call back"),
        which=range(5),
    )
    def goes_about(self, at: int, act: str, which: int) -> None:
        here = self.windows[at]
        if act in {"lock", "other user", "nobody"}:
            here.window.lock()
            self.settle()
            if act == "other user":
                here.user = next(user for user in self.users if user != here.user)
            if act != "nobody":
                here.window._signed_in(here.user)
        elif act == "leave" and here.window.content is not None and not here.window.is_locked:
            here.window.content.go_to_patients()
        elif act == "hear":
            here.hear()
        elif act == "call back":
            self.calls_back(here, which)
        self.settle()

    def calls_back(self, here: Window, which: int) -> None:
        self.settle()
        waiting = frozenset({ImageState.HELD, ImageState.QUEUED})
        going = here.services.outbox.statuses(StatusFilter(states=waiting))
        if which < len(going):
            here.services.outbox.call_back([going[which].sop_instance_uid], here.user)

    # ---------------------------------------------------------------------------------- the engine

    @rule(2, seconds=(4, 12))
    def time_passes_and_it_delivers(self, seconds: int) -> None:
        self.settle()
        self.clock.advance(seconds)
        spool, schedule = self.stage.outbox.spool, self.delivery.schedule
        for _ in range(2):
            if released := schedule.see(open_tasks(spool)):
                release_held(spool, released)
                schedule.see(open_tasks(spool))
            if batch := schedule.take(self.stage.archive.name, 20):
                self.delivery.deliver(batch)
