"""Saying what pictures show: before the shot or after it, for one or for all that lack it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

from PySide6.QtCore import QObject

from capture_app.dicom.kinds import KindMismatch, object_kind
from capture_app.exam.describing import (
    Coding,
    DescriptionPart,
    coding,
    common,
    differing,
    only_fills,
    sides_of,
    taken_with,
    with_choice,
    with_procedure,
    with_region,
    with_side,
    with_turn,
)
from capture_app.exam.rules import MissingPart, is_about
from capture_app.model.delivery import ImageState
from capture_app.model.procedure import Choice, Description, ProcedureEntry, Region, Side, Turn
from capture_app.model.words import tr
from capture_app.ui.words import wording
from capture_app.ui.words.shown import ListRow
from capture_app.ui.workspace import words
from capture_app.ui.workspace.board import Board, Undoable, trouble
from capture_app.ui.workspace.state import Known, SendStop, Shot, missing_parts, region_rows

Change = Callable[[Coding], Coding]


@dataclass(frozen=True, slots=True)
class _Act:
    """One act of coding: what it changed, so that it can be taken back exactly."""

    panels: Coding
    """As they were before."""
    touched: frozenset[DescriptionPart]
    changed: frozenset[DescriptionPart]
    """What of the panels it changed."""
    shots: tuple[tuple[int, Coding, Coding], ...]
    """The number of each picture that it changed, and what was said of it before and after."""
    taken: int
    """How many pictures had been taken by then."""


_MOST_DIGITS: Final = 32


class Describing(QObject):
    """The panels show the choice: it is what the next picture gets.

    A choice goes to the selected drafts, and to them alone. Without a selection it holds for the
    next picture, and fills in what drafts still lack; it never replaces what one already says.
    """

    def __init__(self, board: Board) -> None:
        super().__init__(board)
        self._board = board
        self._catalog = board.services.catalog
        self._by_digits: list[Undoable | None] = []

    # ------------------------------------------------------------------------------- choosing

    def filter(self, text: str) -> None:
        """Finds procedures as the text is typed."""
        self._board.show(filter_text=text)

    def press_digit(self, digit: int) -> None:
        """A key 1 to 9: the favourite on it."""
        favourites = self._board.favourites
        if 1 <= digit <= len(favourites):
            before = len(self._board.undoables)
            self.choose_procedure(favourites[digit - 1].entry_id)
            coded = self._board.undoables[before:]
            self._by_digits = [*self._by_digits[-_MOST_DIGITS:], coded[-1] if coded else None]

    def take_back_digits(self, digits: int) -> None:
        """The last digits were a scanner's: what they coded is as before, unless a person has
        coded something since.
        """
        acts, self._by_digits = self._by_digits[-digits:], []
        for act in reversed(acts):
            if act is not None and self._board.undoables[-1:] == [act]:
                self._board.undo()

    def choose_procedure(self, entry_id: str) -> None:
        """An act; refused in words where the camera cannot make what it needs."""
        entry = self._catalog.procedure(entry_id)
        if entry is None or not entry.selectable or not self._suits(entry):
            return
        self._choose(
            tr(entry.display_name),
            {DescriptionPart.PROCEDURE},
            lambda before: with_procedure(before, entry, self._catalog),
        )

    def _suits(self, entry: ProcedureEntry) -> bool:
        device = self._board.known.device
        kind = None if device is None else object_kind(device, entry)
        if isinstance(kind, KindMismatch):
            self._board.say(trouble(kind.words))
            return False
        return True

    def choose_region(self, scheme: str, code: str, side: str = "") -> None:
        """A site, with the side that a touch on the body map gives."""
        region = self._catalog.region(code, scheme)
        if region is None:
            return
        entry = self._board.known.choice.procedure
        if not is_about(entry, region):
            name = "" if entry is None else tr(entry.display_name)
            self._board.show(hint=tr("Not a site of: {procedure}", procedure=name))
            return
        self._put_site(region, Side(side) if side else None)

    def _put_site(self, region: Region, side: Side | None) -> None:
        self._choose(
            wording.site(Description(region=region, side=side)),
            {DescriptionPart.REGION, DescriptionPart.SIDE},
            lambda before: with_region(before, region, side, self._catalog),
        )

    def choose_side(self, side: Side) -> None:
        """A side. Nothing happens where the site does not have it."""
        choice = self._board.known.choice
        region = choice.region
        if region is None or side not in sides_of(choice):
            return
        if self._board.known.chosen:
            change: Change = lambda before: with_side(before, side, self._catalog)  # noqa: E731
        else:  # a draft without a site gets the one that is shown with the side
            change = lambda before: with_region(before, region, side, self._catalog)  # noqa: E731
        what = wording.site(Description(region=region, side=side))
        self._choose(what, {DescriptionPart.REGION, DescriptionPart.SIDE}, change)

    def choose(self, name: str, choice_id: str) -> None:
        """Purpose, keeping or consent."""
        part = DescriptionPart(name)
        choices: dict[DescriptionPart, Sequence[Choice]] = {
            DescriptionPart.PURPOSE: self._catalog.purposes,
            DescriptionPart.KEEP: self._catalog.keeps,
            DescriptionPart.CONSENT: self._catalog.consents,
        }
        choice = next(one for one in choices[part] if one.choice_id == choice_id)
        self._choose(
            tr(choice.label),
            {part},
            lambda before: with_choice(before, part, choice, self._catalog),
        )

    def turn(self, turn: Turn) -> None:
        """Turns the selected drafts, else the newest: that is how they are shown, and sent. Clips
        stay as they are, which is said where there was nothing else to turn.
        """
        known = self._board.known
        if self.let_go_of_lost():
            return
        asked = known.chosen or _open(known)[-1:]
        wanted = [shot for shot in asked if shot.clip is None]
        if asked and not wanted:
            self._board.say(words.clip_not_turned_message())
            return
        after = {shot.number: with_turn(shot.coding, turn) for shot in wanted}
        self._do(wording.turn_words(turn), after, known.panels, known.touched)

    def region_rows(self) -> tuple[ListRow, ...]:
        """What the list of sites offers."""
        return region_rows(self._board.known.choice, self._catalog)

    # ------------------------------------------------------------------------------- applying

    def _choose(self, what: str, parts: Iterable[DescriptionPart], change: Change) -> None:
        """Changes the selected drafts, or the panels and what drafts lack; it can be taken back."""
        known = self._board.known
        if self.let_go_of_lost():
            return
        if known.chosen:
            wanted = {shot.number for shot in known.chosen}
            after = {s.number: change(s.coding) for s in known.shots if s.number in wanted}
            panels, touched = known.panels, known.touched
            if known.stop is SendStop.MISSING and _fills(panels, change(panels)):
                panels = change(panels)  # what is chosen to solve the stop holds on
        else:
            panels, touched = change(known.panels), known.touched | frozenset(parts)
            after = {
                shot.number: changed
                for shot in _open(known)
                if _fills(shot.coding, changed := change(shot.coding))
            }
        self._do(what, after, panels, touched)

    def change_staying(self) -> None:
        """What Send offered: the pictures that stayed as they were become as the panels say."""
        known = self._board.known
        said, parts = known.panels.description, known.open_parts
        after = {shot.number: self._as_said(shot.coding, said, parts) for shot in known.staying}
        self._do(words.difference(said, parts), after, known.panels, frozenset())

    def _as_said(
        self, before: Coding, said: Description, parts: Iterable[DescriptionPart]
    ) -> Coding:
        values = {part.value: getattr(said, part.value) for part in parts}
        if values.keys() & {DescriptionPart.REGION.value, DescriptionPart.SIDE.value}:
            values |= {"region": said.region, "side": said.side}
        return coding(replace(before.chosen, **values), before.proposed, self._catalog)

    def _do(
        self,
        what: str,
        after: dict[int, Coding],
        panels: Coding,
        touched: frozenset[DescriptionPart],
    ) -> None:
        board, known = self._board, self._board.known
        changed = [
            (shot.number, shot.coding, after[shot.number])
            for shot in known.shots
            if shot.number in after and after[shot.number] != shot.coding
        ]
        parts = frozenset(
            part
            for part in DescriptionPart
            if getattr(panels.chosen, part.value) != getattr(known.panels.chosen, part.value)
        )
        asked = None if known.stop is SendStop.DIFFERS else known.stop  # to be asked anew
        board.show(hint="", message=None, stop=asked)
        if not changed and not parts:
            return
        act = _Act(known.panels, known.touched, parts, tuple(changed), board.taken)
        board.undoables.append(Undoable(what, lambda: self._take_back(what, act)))
        board.show(panels=panels, touched=touched)
        self._put({number: a for number, _, a in changed})
        self.end_stop()
        if known.stop is not SendStop.MISSING:
            n = sum(before.description != now.description for _, before, now in changed)
            self._tell(what, n, selected=bool(known.chosen))

    def _tell(self, what: str, changed: int, *, selected: bool) -> None:
        """Says how many pictures were changed, or how many stay as they are; either can be undone
        or changed by one act.
        """
        board = self._board
        if changed:
            board.say(words.filled_message(what, changed), board.undo)
            return
        staying, said = board.known.staying, board.known.panels.description
        is_half = MissingPart.SIDE in words.missing_of(said)  # the other half comes next
        if staying and not selected and not is_half:
            board.say(words.stays_message(what, len(staying)), self.change_staying)

    def _put(self, after: dict[int, Coding]) -> None:
        """Says it of pictures, here and on the disk."""
        shots: list[Shot] = []
        written: list[Shot] = []
        for shot in self._board.known.shots:
            now = replace(shot, coding=after.get(shot.number, shot.coding))
            shots.append(now)
            if now.description != shot.description:
                written.append(now)
        self._board.show(shots=tuple(shots))
        self.write(written)

    def _take_back(self, what: str, act: _Act) -> None:
        """Makes everything that an act changed as it was; what is not a draft any more stays."""
        board, known = self._board, self._board.known
        here = {shot.number: shot for shot in _open(known)}
        back = {
            number: before
            for number, before, after in act.shots
            if number in here and here[number].coding == after
        }
        touched = act.touched
        if board.taken != act.taken:  # a picture was taken by what is taken back now
            touched = known.touched | act.changed
        board.show(panels=act.panels, touched=touched, hint="", message=None)
        self._put(back)
        self.end_stop()
        left = sum(number not in back for number, _, _ in act.shots)
        board.say(words.taken_back_message(what, len(back), left, panels=bool(act.changed)))

    def for_the_next(self) -> Coding:
        """What the panels show becomes what the next picture gets, and this picture gets it."""
        known = self._board.known
        if known.chosen:  # the panels show what these share
            shared = common(tuple(shot.coding.chosen for shot in known.chosen))
            panels = coding(shared, known.choice, self._catalog, usual_site=True)
            self._board.show(panels=panels)
        return taken_with(self._board.known.panels)

    def write(self, shots: Iterable[Shot]) -> None:
        """Writes what was chosen; a picture on its way to the disk is written when it is kept."""
        same: dict[Description, dict[str, Description]] = {}
        for shot in shots:
            if shot.capture_id:
                same.setdefault(shot.description, {})[shot.capture_id] = shot.kept
        describe = self._board.services.exams.describe
        for description, seen in same.items():
            self._board.do(partial(describe, seen, description, self._board.operator))
        written = {capture_id for seen in same.values() for capture_id in seen}
        self._board.change(written, lambda shot: replace(shot, kept=shot.description))

    # ------------------------------------------------------------------------------- the stop

    def end_stop(self) -> None:
        """The stop ends by itself once nothing is missing any more."""
        known = self._board.known
        if known.stop is not SendStop.MISSING:
            return
        if missing_parts(known):
            self.select_wanting()
        else:
            self._board.show(stop=None, selected=frozenset())

    def select_wanting(self) -> None:
        """Selects the first drafts that lack something, as far as they are said to show the same:
        what is chosen now goes to them.
        """
        wanting = [s for s in self._board.known.drafts if words.missing_of(s.description)]
        if not wanting:
            return
        alike = [s for s in wanting if not differing(s.description, wanting[0].description)]
        self.select(shot.capture_id for shot in alike)

    # ------------------------------------------------------------------------------- selecting

    def click(self, capture_id: str, how: str) -> None:
        """Selects a draft alone (again: none), with `toggle` as well, with `range` up to it."""
        ids = [shot.capture_id for shot in self._board.known.drafts]
        if capture_id not in ids:
            return
        selected = set(self._board.known.selected)
        if how == "toggle":
            selected ^= {capture_id}
        elif how == "range" and selected:
            places = sorted([ids.index(capture_id), *(ids.index(i) for i in selected if i in ids)])
            selected = set(ids[places[0] : places[-1] + 1])
        else:
            selected = set() if selected == {capture_id} else {capture_id}
        self.select(selected)

    def select(self, capture_ids: Iterable[str]) -> None:
        """Selects drafts: the panels show what they share. Nothing: what the next picture gets."""
        drafts = {shot.capture_id for shot in self._board.known.drafts}
        self._board.show(selected=frozenset(drafts.intersection(capture_ids)), hint="")

    def let_go_of_lost(self) -> bool:
        """Says so where an act was for what is no draft any more, and selects nothing: it holds for
        no other picture. False where it is there, or nothing was selected.
        """
        board = self._board
        if not board.known.is_selection_lost:
            return False
        board.show(selected=frozenset(), hint="")
        board.say(words.selection_lost_message())
        return True

    def select_all(self) -> None:
        """All drafts, or none where all are selected."""
        ids = {shot.capture_id for shot in self._board.known.drafts}
        self.select(set() if ids <= self._board.known.selected else ids)


def _open(known: Known) -> tuple[Shot, ...]:
    """What may still be described: drafts, and pictures on their way to the disk."""
    return tuple(
        shot
        for shot in known.shots
        if shot.state is ImageState.DRAFT and shot.capture_id not in known.sending
    )


def _fills(before: Coding, after: Coding) -> bool:
    return only_fills(before.description, after.description)
