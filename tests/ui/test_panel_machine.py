"""Any order of acts at the panels: what is sealed is what the thumbnails said at Send, nothing that
was said of a picture changes without its selection or an offer, and taking back is exact.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pydicom
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from pytestqt.qtbot import QtBot

from capture_app.clock import FixedClock
from capture_app.exam.rules import Ready, gate
from capture_app.model.delivery import ImageState
from capture_app.model.operator import Operator
from capture_app.model.procedure import Description, Side
from capture_app.model.worklist import IdentifiedBy
from capture_app.outbox.status import StatusFilter
from capture_app.ui.held_sends import HeldSends
from capture_app.ui.tasks import Tasks
from capture_app.ui.thumbnails import small
from capture_app.ui.workspace.state import Known, SendStop, Shot
from capture_app.ui.workspace.viewmodel import WorkspaceViewModel
from tests.ui.hands import clinic
from tests.ui.stage import Stage

PATIENTS: Final = ("0012345678", "0012354687", "0009812204")
SITES: Final = ("51027004", "25763004", "84607009", "70559009", "66643007")
"""Sacrum, shin, heel, forearm, back: with and without a midline, and not done at by every act."""
OTHERS: Final = (
    ("purpose", "teaching"),
    ("purpose", "treatment"),
    ("keep", "record-30"),
    ("consent", "verbal"),
)


@pytest.fixture
def stage(tmp_path: Path, clock: FixedClock) -> Iterator[Stage]:
    with clinic(tmp_path / "station", clock) as opened:
        opened.services.devices.start()
        yield opened


@pytest.fixture
def acts(qapp: object) -> Iterator[Tasks]:
    errors: list[Exception] = []
    pool = Tasks(errors.append, in_order=True)
    yield pool
    pool.stop()
    assert not errors, errors


class Panel(RuleBasedStateMachine):
    """A person at one workspace after the other. What there is around it is set on the class."""

    stage: Stage
    ada: Operator
    tasks: Tasks
    acts: Tasks
    qtbot: QtBot
    clock: FixedClock
    exams: int = 0
    arrived_at_all: int = 0

    def __init__(self) -> None:
        super().__init__()
        self.snapshots: list[tuple[Description, dict[int, Description]] | None] = []
        """What an undo must bring back, act by act; None for a Send."""
        self.shown: dict[str, Description] = {}
        self.vm: WorkspaceViewModel

    # ------------------------------------------------------------------------------ a workspace

    @initialize()
    def opens(self) -> None:
        kind = type(self)
        kind.exams += 1
        services = kind.stage.services
        (entry,) = kind.stage.census.lookup(PATIENTS[kind.exams % len(PATIENTS)])
        exam = services.exams.open(entry, kind.ada, IdentifiedBy.SCAN)
        self.held = HeldSends(services, kind.acts, kind.ada)
        self.vm = WorkspaceViewModel(services, kind.tasks, kind.acts, exam, self.held, small)
        self.settle()
        kind.qtbot.waitUntil(lambda: self.vm.live.frame() is not None, timeout=20_000)

    def teardown(self) -> None:
        kind = type(self)
        if not hasattr(self, "vm"):
            return
        self.settle()
        left = {shot.capture_id: shot.description for shot in self.known.drafts}
        if left:
            kind.stage.services.exams.delete(left, kind.ada)
        self.vm.close()
        kind.stage.services.exams.close()
        self.arrived()

    def arrived(self) -> None:
        """What the archive has of every picture is what its thumbnail said at Send."""
        kind, outbox = type(self), type(self).stage.outbox
        folder = kind.stage.archive.folder
        kind.clock.advance(11)
        engine = kind.stage.engine()
        engine.start()
        try:
            kind.qtbot.waitUntil(lambda: not outbox.counts().waiting, timeout=10_000)
        finally:
            engine.stop()
        statuses = outbox.statuses(StatusFilter(capture_ids=tuple(self.shown)))
        assert {status.capture_id for status in statuses} == self.shown.keys()
        kind.arrived_at_all += len(statuses)
        for status in statuses:
            ds = pydicom.dcmread(folder / f"{status.sop_instance_uid}.dcm")
            said = self.shown[status.capture_id]
            assert said.procedure is not None
            assert said.region is not None
            (protocol,) = ds.PerformedProtocolCodeSequence
            assert protocol.CodeValue == said.procedure.entry_id
            assert ds.AnatomicRegionSequence[0].CodeValue == said.region.code.value
            assert ds.get("ImageLaterality", "U") == {None: "U", Side.MIDLINE: "U"}.get(
                said.side, said.side
            ), (said.side, ds.get("ImageLaterality"))

    @property
    def known(self) -> Known:
        return self.vm._board.known

    def settle(self) -> None:
        """Until everything that was asked is done and told."""
        done: list[bool] = []
        type(self).acts.run(lambda: True, owner=type(self).acts, done=done.append)
        type(self).qtbot.waitUntil(lambda: bool(done) and not self.vm.shutter.is_busy)

    # ------------------------------------------------------------------------------------ acts

    def says(self) -> dict[int, Description]:
        return {shot.number: shot.description for shot in self.known.shots}

    def choose(self, act: Callable[[], None]) -> None:
        """A choice: what is complete and not selected says the same afterwards."""
        before, panels = self.known, self.known.panels
        count = len(self.vm._board.undoables)
        chosen = {shot.number for shot in before.chosen}
        snapshot = (panels.chosen, self.says())
        act()
        for shot in before.shots:
            is_complete = isinstance(gate(shot.description), Ready)
            if shot.number not in chosen and (is_complete or not shot.is_draft):
                assert self.says()[shot.number] == shot.description
        if chosen and before.stop is not SendStop.MISSING:
            assert self.known.panels == panels
        if len(self.vm._board.undoables) > count:
            self.snapshots.append(snapshot)

    @rule(
        digit=st.integers(1, 2),
        site=st.sampled_from(["25763004", "84607009"]),
        side=st.sampled_from(["R", "L"]),
    )
    def wound(self, digit: int, site: str, side: str) -> None:
        """All that is needed, as most do it."""
        self.digit(digit)
        self.site(site, side)

    @rule(digit=st.integers(1, 3))
    def digit(self, digit: int) -> None:
        region, side = self.known.panels.chosen.region, self.known.panels.chosen.side
        self.choose(lambda: self.vm.describing.press_digit(digit))
        assert (self.known.panels.chosen.region, self.known.panels.chosen.side) == (region, side)

    @rule(site=st.sampled_from(SITES), side=st.sampled_from(["", "R", "L"]))
    def site(self, site: str, side: str) -> None:
        self.choose(lambda: self.vm.describing.choose_region("SCT", site, side))

    @rule(side=st.sampled_from(Side))
    def side(self, side: Side) -> None:
        self.choose(lambda: self.vm.describing.choose_side(side))

    @rule(other=st.sampled_from(OTHERS))
    def other(self, other: tuple[str, str]) -> None:
        self.choose(lambda: self.vm.describing.choose(*other))

    @rule(taken=st.integers(1, 3))
    def shoot(self, taken: int) -> None:
        for _ in range(taken):
            said, n = self.known.choice, len(self.known.shots)
            self.vm.shutter.shoot()
            self.settle()
            assert len(self.known.shots) == n + 1
            shot: Shot = self.known.shots[-1]
            complete = type(self).stage.services.exams.completed
            assert shot.description == complete(said) == self.known.choice

    @precondition(lambda self: self.known.drafts)
    @rule(at=st.integers(0, 30), how=st.sampled_from(["one", "toggle", "range"]))
    def select(self, at: int, how: str) -> None:
        drafts = self.known.drafts
        panels, says = self.known.panels, self.says()
        self.vm.describing.click(drafts[at % len(drafts)].capture_id, how)
        assert (self.known.panels, self.says()) == (panels, says)

    @rule()
    def select_none(self) -> None:
        self.vm.describing.select([])

    @precondition(lambda self: self.snapshots)
    @rule()
    def undo(self) -> None:
        snapshot = self.snapshots.pop()
        drafts = {shot.number for shot in self.known.drafts}
        assert self.vm.undo()
        self.settle()
        if snapshot is None:
            back = {s.capture_id for s in self.known.drafts}
            self.shown = {i: d for i, d in self.shown.items() if i not in back}
            return
        panels, says = snapshot
        assert self.known.panels.chosen == panels
        now = self.says()
        assert all(now[number] == said for number, said in says.items() if number in drafts)

    @precondition(lambda self: self.known.drafts)
    @rule(side=st.sampled_from(["R", "L"]))
    def finish(self, side: str) -> None:
        """Picture after picture is said what it lacks; then all are sent."""
        for shot in self.known.drafts:
            if not isinstance(gate(shot.description), Ready):
                self.vm.describing.select([shot.capture_id])
                self.wound(1, "25763004", side)
                self.other(("keep", "record-30"))
        self.vm.describing.select([])
        self.send("keep")

    @precondition(lambda self: self.known.drafts)
    @rule(answer=st.sampled_from(["change", "keep", "again", "leave"]))
    def send(self, answer: str) -> None:
        held = self.vm._board.undoables
        self.vm.sending.send()
        if self.known.stop is SendStop.DIFFERS:
            if answer == "leave":
                return
            said, n = self.says(), len(held)
            act = {
                "change": self.vm.sending.change_staying,
                "keep": self.vm.sending.keep,
                "again": self.vm.sending.send,
            }
            snapshot = (self.known.panels.chosen, said)
            staying = {shot.number for shot in self.known.staying}
            type(self).clock.advance(1)  # it was read
            act[answer]()
            changed = {n for n, d in self.says().items() if d != said[n]}
            assert changed <= (staying if answer == "change" else set())
            if len(held) > n:
                self.snapshots.append(snapshot)
        if self.known.stop is SendStop.MISSING:
            assert not all(isinstance(gate(s.description), Ready) for s in self.known.drafts)
            return
        shown = {
            shot.capture_id: shot.description
            for shot in self.known.shots
            if shot.capture_id in self.known.sending
        }
        assert shown
        self.settle()
        assert not self.known.sending
        assert {s.capture_id for s in self.known.drafts}.isdisjoint(shown)
        self.shown |= shown
        self.snapshots.append(None)

    # ------------------------------------------------------------------------------- always

    @invariant()
    def the_store_has_what_the_thumbnails_say(self) -> None:
        if not hasattr(self, "vm"):
            return
        self.settle()
        outbox = type(self).stage.outbox
        for shot in self.known.shots:
            assert outbox.description_of(shot.capture_id) == shot.description
        for capture_id, said in self.shown.items():
            assert outbox.description_of(capture_id) == said
        states = {one.capture_id: one.state for one in outbox.statuses()}
        assert all(states[shot.capture_id] is ImageState.DRAFT for shot in self.known.drafts)

    @invariant()
    def the_panel_says_what_stays(self) -> None:
        if hasattr(self, "vm") and self.known.staying and not self.known.chosen:
            n = len(self.known.staying)
            assert f"; {n} kept: " in self.vm.state.next_picture.words


def test_no_order_of_acts_makes_panel_and_pictures_disagree(
    stage: Stage, ada: Operator, tasks: Tasks, acts: Tasks, qtbot: QtBot, clock: FixedClock
) -> None:
    around = {
        "stage": stage,
        "ada": ada,
        "tasks": tasks,
        "acts": acts,
        "qtbot": qtbot,
        "clock": clock,
    }
    machine: type[Panel] = type("PanelHere", (Panel,), around)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=14,
            stateful_step_count=22,
            deadline=None,
            phases=[
                Phase.generate
            ],  # an example takes a second: looking for a smaller one, minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
    assert machine.arrived_at_all > 0
