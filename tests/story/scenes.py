"""What happens seldom by chance and must never go wrong: a story begins with some of these.

Each is told whole, so that no draw decides whether a stop, a question or a refusal was tried; whom
it befalls, at which window and with which words is drawn.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

import pytest

from capture_app.errors import RuleError
from capture_app.exam.standing import Caution
from capture_app.exam.standing import Stop as FeedStop
from capture_app.model.procedure import Side
from capture_app.ui.words.order_words import order_id
from capture_app.ui.workspace.state import Shot
from capture_app.ui.workspace.viewmodel import WorkspaceViewModel
from tests.story.acts import HEEL, SHIN, Story
from tests.story.hospital import ORDER, Person
from tests.story.windows import Window, until_live

_KNOWN: Final = (0, 1, 2)
"""Patients whose name is known: of the fourth any name may become known without a question."""
_OTHER_WORDS: Final = ("Roe^Rick", "19560714"), ("Doe^Janet", "19610203")


class _Scene:
    """A window at which somebody took pictures of a patient and has not sent them yet."""

    def __init__(self, story: Story, chance: Random, times: int = 2) -> None:
        self.story, self.chance, self.times = story, chance, times
        self.at = chance.choice((0, 1))
        self.who = chance.choice(_KNOWN)
        self.begins()

    def begins(self) -> None:
        """A wristband, an act, a site with its side, pictures: all that Send wants."""
        for at in (0, 1):  # nobody else has this patient open
            self.clears(at)
        self.takes()

    def takes(self) -> None:
        """The pictures, of whoever is open or will be."""
        side = self.chance.choice((Side.LEFT, Side.RIGHT))
        self.story.photographs(self.at, self.who, (1, HEEL), side, self.times, "stay")
        assert len(self.drafts) == self.times

    @property
    def here(self) -> Window:
        return self.story.windows[self.at]

    @property
    def one(self) -> Person:
        return self.story.hospital.people[self.who]

    @property
    def vm(self) -> WorkspaceViewModel:
        vm = self.here.workspace
        assert vm is not None
        return vm

    @property
    def drafts(self) -> tuple[Shot, ...]:
        return self.vm._board.known.drafts

    def sends(self, answer: str = "none", *, soon: bool = False) -> int:
        """How many objects were sealed by it. `soon`: what the feed said was not heard yet."""
        before = len(self.story.truth.sealed)
        if not soon:
            self.here.hear()
            self.story.settle()
        self.story.sends(self.at, answer, soon=False)
        return len(self.story.truth.sealed) - before

    def clears(self, at: int) -> None:
        """All drafts of whoever is open at a window are deleted, and the patient is left."""
        here = self.story.windows[at]
        self.story.sits_down(here)
        self.story.settle()
        if (vm := here.workspace) is not None:
            vm.describing.select_all()
            if vm._board.known.chosen:
                vm.sending.delete()
            self.story.settle()
            self.story.goes_about(at, "leave", 0)

    def ends(self) -> None:
        self.clears(self.at)


def the_feed_makes_it_somebody_else(story: Story, chance: Random) -> None:
    """Two of name, birth date and sex change: nothing goes until somebody was asked."""
    scene = _Scene(story, chance)
    other = [words for words in _OTHER_WORDS if words[0] != scene.one.name]
    scene.one.name, scene.one.born = chance.choice(other)
    story.says("A08", scene.one)
    assert scene.sends(soon=True) == 0
    assert scene.sends() == 0
    assert scene.vm.whose.check is not None, "Send asked nobody"
    exams, exam, shown = (
        scene.here.services.exams,
        scene.vm.exam,
        scene.vm._board.known.standing.patient,
    )
    with pytest.raises(RuleError):  # nor is it taken from a window that forgets to ask
        exams.send(exam, {shot.capture_id: shot.description for shot in scene.drafts}, shown=shown)
    assert scene.sends("scan") == scene.times


def the_visit_is_cancelled(story: Story, chance: Random) -> None:
    """A11: nothing goes, before the window heard of it and after."""
    scene = _Scene(story, chance)
    scene.one.is_cancelled = True
    story.says("A11", scene.one)
    assert scene.sends("scan", soon=True) == 0
    assert scene.sends("scan") == 0
    assert scene.vm._board.known.standing.stop is FeedStop.VISIT_CANCELLED
    assert scene.vm.state.message is not None
    scene.ends()
    scene.one.is_cancelled = False
    story.says("A01", scene.one)


def the_number_is_retired(story: Story, chance: Random) -> None:
    """A47, which merges two numbers into one: nothing goes under the old one, nor does it open."""
    scene = _Scene(story, chance)
    retired = story.hospital.renumber(scene.one)
    story.says("A47", scene.one, prior=retired)
    assert scene.sends("scan", soon=True) == 0
    assert scene.sends("scan") == 0
    assert scene.vm._board.known.standing.stop is FeedStop.NUMBER_RETIRED
    assert scene.vm.state.message is not None
    scene.ends()
    story.scans(scene.at, scene.who, retired=True, soon=False)
    assert not scene.here.number, "a retired number opened somebody"
    story.scans(scene.at, scene.who, retired=False, soon=False)
    assert scene.here.number == scene.one.number


def a_merge_is_refused(story: Story, chance: Random) -> None:
    """A40: a person's work, so the feed is refused; whoever has the patient open is warned."""
    scene = _Scene(story, chance)
    prior = story.hospital.people[(scene.who + 1) % len(_KNOWN)]
    story.says("A40", scene.one, prior=prior.number, accepted=False)
    scene.here.hear()
    story.settle()
    assert scene.vm._board.known.standing.caution is Caution.MERGE_REFUSED
    assert scene.sends("scan") == scene.times


def a_word_is_corrected(story: Story, chance: Random) -> None:
    """One of name, birth date and sex changes: the pictures go with it, once it was shown."""
    scene = _Scene(story, chance)
    scene.one.sex = "F" if scene.one.sex == "M" else "M"
    story.says("A08", scene.one)
    assert scene.sends(soon=True) == 0
    assert scene.sends("scan") == scene.times


def the_panels_speak_of_all(story: Story, chance: Random) -> None:
    """A side goes to every picture that it was chosen for: which lack it, are selected, or stay."""
    scene = _Scene(story, chance, times=1)
    scene.clears(scene.at)
    times, (one, other) = 3, chance.sample((Side.LEFT, Side.RIGHT), 2)

    for chosen in ("before", "lacking", "selected", "changed"):
        story.scans(scene.at, scene.who, retired=False, soon=False)
        scene.vm.describing.press_digit(2)
        scene.vm.describing.choose_region("SCT", SHIN, "" if chosen == "lacking" else one)
        for _ in range(times):
            story.shutter(scene.here)
        story.settle()
        meant = one if chosen == "before" else other
        if chosen == "lacking":
            assert all(shot.description.side is None for shot in scene.drafts)
            scene.vm.describing.choose_side(meant)
        elif chosen == "selected":
            scene.vm.describing.select_all()
            scene.vm.describing.choose_side(meant)
            scene.vm.describing.select([])
        elif chosen == "changed":
            scene.vm.describing.choose_region("SCT", SHIN, meant)
        if chosen != "changed":  # those stay as they are until Send was answered
            assert [shot.description.side for shot in scene.drafts] == [meant] * times
        ids = [shot.capture_id for shot in scene.drafts]
        assert scene.sends("change") == times
        assert {story.truth.descriptions[capture_id].side for capture_id in ids} == {meant}
        story.goes_about(scene.at, "leave", 0)


def two_windows_describe_the_same(story: Story, chance: Random) -> None:
    """What one window says of a picture is not what the other showed: its act is refused."""
    scene = _Scene(story, chance)
    ids = [shot.capture_id for shot in scene.drafts]
    there = story.windows[1 - scene.at]
    story.settle()
    there.hear()
    now = {capture_id: story.stage.outbox.description_of(capture_id) for capture_id in ids}
    said = now[ids[0]]
    meant = Side.LEFT if said.side is Side.RIGHT else Side.RIGHT
    story.scans(1 - scene.at, scene.who, retired=False, soon=False)
    vm = there.workspace
    assert vm is not None
    vm.describing.select(ids)
    vm.describing.choose_side(meant)
    story.settle()
    assert {story.stage.outbox.description_of(one).side for one in ids} == {meant}
    assert scene.sends("scan", soon=True) == 0, "sent what another window had changed"
    for shot in scene.drafts:  # drawn anew, and only then
        assert shot.description.side is meant
    assert scene.sends("scan") == scene.times
    assert {story.truth.descriptions[one].side for one in ids} == {meant}


def a_frame_comes_late(story: Story, chance: Random) -> None:
    """What the camera saw of the patient before is not kept for the next one."""
    scene = _Scene(story, chance)
    frame, device = scene.vm.live.take()
    assert scene.sends("scan") == scene.times
    story.clock.advance(1)
    other = (scene.who + 1) % len(_KNOWN)
    story.scans(scene.at, other, retired=False, soon=False)
    assert until_live(scene.here)
    assert scene.here.number == story.hospital.people[other].number
    exams, exam = scene.here.services.exams, scene.vm.exam
    with pytest.raises(RuleError):
        exams.take(exam, frame, device=device)


class _Ordered(_Scene):
    """The pictures are taken for an order, which is this patient's as yet."""

    def begins(self) -> None:
        for at in (0, 1):
            self.clears(at)
        self.story.gives_order(self.who)
        self.here.hear()
        self.story.scans(self.at, self.who, retired=False, soon=False)
        self.story.settle()
        self.vm.ordering.choose(order_id(ORDER))
        self.story.settle()
        self.takes()
        assert self.vm.exam.order == ORDER


def an_order_becomes_another_patients(story: Story, chance: Random) -> None:
    """Nothing goes under it, before the window heard of it and after, nor once the worklist drops
    it; what one act lets go without it goes.
    """
    scene = _Ordered(story, chance)
    story.gives_order((scene.who + 1) % len(_KNOWN))
    assert scene.sends("scan", soon=True) == 0
    assert scene.sends("scan") == 0
    if chance.choice((False, True)):
        story.gives_order(None)
    assert scene.sends("scan") == 0
    assert scene.vm._board.known.standing.stop is FeedStop.ORDER_DOUBTED
    scene.vm.act_on_message()
    story.settle()
    assert scene.vm.exam.order is None
    assert scene.sends("scan") == scene.times
    story.gives_order(None)


SCENES: Final[tuple[Callable[[Story, Random], None], ...]] = (
    the_feed_makes_it_somebody_else,
    the_panels_speak_of_all,
    the_visit_is_cancelled,
    two_windows_describe_the_same,
    the_number_is_retired,
    a_frame_comes_late,
    a_word_is_corrected,
    a_merge_is_refused,
    an_order_becomes_another_patients,
)
