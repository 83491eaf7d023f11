"""Saying what pictures show: before the shot or after it, for one or for all that lack it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

from PySide6.QtCore import QObject

from capture_app.dicom.kinds import KindMismatch, object_kind
from capture_app.exam.describing import (
    common,
    sides_of,
    with_procedure,
    with_region,
    with_side,
)
from capture_app.exam.rules import MissingPart, is_about
from capture_app.model.delivery import ImageState
from capture_app.model.procedure import Choice, Description, ProcedureEntry, Region, Side
from capture_app.model.words import tr, trn
from capture_app.ui.words import wording
from capture_app.ui.words.marks import Message
from capture_app.ui.words.shown import ListRow
from capture_app.ui.workspace.board import Board, trouble
from capture_app.ui.workspace.state import (
    CONSENT,
    KEEP,
    PURPOSE,
    Shot,
    missing_parts,
    region_rows,
)
from capture_app.ui.workspace.words import missing_of


class Describing(QObject):
    """The panels show the choice: it is what the next picture gets.

    A choice also goes to the selected drafts; without a selection it fills in what drafts still
    lack, and never overwrites: those that stay as they are are told, with an act that changes them.
    """

    def __init__(self, board: Board) -> None:
        super().__init__(board)
        self._board = board
        self._catalog = board.services.catalog

    # ------------------------------------------------------------------------------- choosing

    def filter(self, text: str) -> None:
        """Finds procedures as the text is typed."""
        self._board.show(filter_text=text)

    def press_digit(self, digit: int) -> None:
        """A key 1 to 9: the favourite on it."""
        favourites = self._board.favourites
        if 1 <= digit <= len(favourites):
            self.choose_procedure(favourites[digit - 1].entry_id)

    def choose_procedure(self, entry_id: str) -> None:
        """An act; refused in words where the camera cannot make what it needs."""
        entry = self._catalog.procedure(entry_id)
        if entry is None or not entry.selectable or not self._suits(entry):
            return
        self._apply(
            lambda before: with_procedure(before, entry, self._catalog),
            lambda before: before.procedure is None,
        )
        self._tell_who_stays(
            tr(entry.display_name),
            lambda said: said.procedure == entry,
            lambda said: with_procedure(said, entry, self._catalog),
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
        self._put_region(region, Side(side) if side else None)

    def _put_region(self, region: Region, side: Side | None) -> None:
        self._apply(
            lambda before: with_region(before, region, side),
            lambda before: before.region is None,
        )
        self._tell_of_site()

    def choose_side(self, side: Side) -> None:
        """A side. Nothing happens where the site does not have it."""
        choice = self._board.known.choice
        if side not in sides_of(choice):
            return
        self._apply(
            lambda before: with_side(before, side),
            lambda before: before.side is None and before.region == choice.region,
        )
        self._tell_of_site()

    def choose(self, name: str, choice_id: str) -> None:
        """Purpose, keeping or consent."""
        choices: Sequence[Choice] = {
            PURPOSE: self._catalog.purposes,
            KEEP: self._catalog.keeps,
            CONSENT: self._catalog.consents,
        }[name]
        choice = next(one for one in choices if one.choice_id == choice_id)
        self._apply(
            lambda before: _with_choice(before, name, choice),
            lambda before: getattr(before, name) is None,
        )

    def region_rows(self) -> tuple[ListRow, ...]:
        """What the list of sites offers."""
        return region_rows(self._board.known.choice, self._catalog)

    # ------------------------------------------------------------------------------- applying

    def _apply(
        self,
        change: Callable[[Description], Description],
        lacks_it: Callable[[Description], bool],
    ) -> None:
        known = self._board.known
        if known.selected:
            wanted = {shot.number for shot in known.chosen}
        else:
            drafts = (shot for shot in known.shots if shot.state is ImageState.DRAFT)
            wanted = {shot.number for shot in drafts if lacks_it(shot.description)}
        shots: list[Shot] = []
        touched: list[Shot] = []
        for shot in known.shots:
            after = change(shot.description) if shot.number in wanted else shot.description
            shots.append(replace(shot, description=after))
            if after != shot.description:
                touched.append(shots[-1])
        self._board.show(choice=change(known.choice), shots=tuple(shots), hint="")
        self.write(touched)
        self.end_stop()

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

    def end_stop(self) -> None:
        """The stop ends by itself once nothing is missing any more."""
        if self._board.known.stopped and not missing_parts(self._board.known):
            self._board.show(stopped=False, selected=frozenset())

    def _tell_of_site(self) -> None:
        choice = self._board.known.choice
        region, side = choice.region, choice.side
        if region is None or MissingPart.SIDE in missing_of(choice):
            return  # half a site: the other half comes next
        self._tell_who_stays(
            wording.site(choice),
            lambda said: (said.region, said.side) == (region, side),
            lambda said: with_region(said, region, side),
        )

    def _tell_who_stays(
        self,
        what: str,
        has_it: Callable[[Description], bool],
        change: Callable[[Description], Description],
    ) -> None:
        """Says so where pictures keep what was said of them before, and offers to change them."""
        known = self._board.known
        others = [shot for shot in known.drafts if not has_it(shot.description)]
        if known.selected or known.stopped or not others:
            return
        n = len(others)
        message = Message(
            tr("Next pictures: {what}.", what=what),
            trn("{n} picture stays as it is.", "{n} pictures stay as they are.", n),
            "info",
            act=trn("Change it too", "Change all {n}", n),
            act_icon="check",
        )
        self._board.say(message, lambda: self._change_too(others, change))

    def _change_too(
        self, shots: Sequence[Shot], change: Callable[[Description], Description]
    ) -> None:
        ids = frozenset(shot.capture_id for shot in shots)
        self._board.change(ids, lambda s: replace(s, description=change(s.description)))
        self.write(shot for shot in self._board.known.drafts if shot.capture_id in ids)

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
        """Selects drafts: the panels show what they share. Nothing: the panels stay as they are."""
        known = replace(self._board.known, selected=frozenset(capture_ids))
        choice = known.choice
        if known.chosen:
            choice = common(tuple(shot.description for shot in known.chosen))
        self._board.show(selected=known.selected, choice=choice, hint="")


def _with_choice(before: Description, name: str, choice: Choice) -> Description:
    if name == PURPOSE:
        return replace(before, purpose=choice)
    return replace(before, keep=choice) if name == KEEP else replace(before, consent=choice)
