"""Where the pictures are taken: where the visit says, or a place that is picked."""

from __future__ import annotations

from collections.abc import Iterator

from PySide6.QtCore import QObject

from capture_app.model.encounter import Location
from capture_app.model.words import isolated, tr
from capture_app.ui.words import wording
from capture_app.ui.words.shown import ListRow
from capture_app.ui.workspace.board import Board, trouble

_VISIT = "visit"
_NONE = "none"


class Placing(QObject):
    """Lists wards, then the rooms of one, and has the pictures taken there from now on."""

    def __init__(self, board: Board) -> None:
        super().__init__(board)
        self._board = board

    @property
    def is_offered(self) -> bool:
        """Whether a place may be picked: the station goes to the patients."""
        return self._board.known.picks_place

    @property
    def chosen(self) -> str:
        """The row of the ward in use."""
        picked = self._board.known.picked
        return _VISIT if picked is None else _row_id(Location(picked.ward))

    @property
    def chosen_room(self) -> str:
        """The row of the ward and room in use."""
        picked = self._board.known.picked
        return "" if picked is None else _row_id(picked)

    def wards(self) -> tuple[ListRow, ...]:
        """What the visit says, and every ward of the open visits and of the settings."""
        encounter = self._board.known.standing.encounter
        said = wording.place(encounter.location if encounter is not None else None)
        visit = ListRow(_VISIT, tr("As the visit says"), note=said or tr("no place is known"))
        wards = dict.fromkeys(Location(one.ward) for one in self._places())
        rows = [ListRow(_row_id(ward), isolated(ward.ward)) for ward in wards]
        none = ListRow(_NONE, tr("No other place is known here"), usable=False)
        return (visit, *(rows or [none]))

    def rooms(self, ward_row: str) -> tuple[ListRow, ...]:
        """The ward alone, and its rooms; empty where a row of `wards` has none."""
        inside = [one for one in self._places() if _row_id(Location(one.ward)) == ward_row]
        rooms = [ListRow(_row_id(one), wording.place(one)) for one in inside if one.room]
        if not rooms:
            return ()
        ward = Location(inside[0].ward)
        return (ListRow(_row_id(ward), isolated(ward.ward), note=tr("no room")), *rooms)

    def choose(self, row_id: str) -> None:
        """Takes the next pictures there. In turn with the shutter: what was shot before stays."""
        board = self._board
        if board.known.ordering:
            return
        offered = {_row_id(one): one for one in self._places()}
        offered |= {_row_id(Location(one.ward)): Location(one.ward) for one in self._places()}
        place = offered.get(row_id)
        if place is None and row_id != _VISIT:
            board.say(trouble(tr("This place is not known any more.")))
            return
        if place == board.known.picked:
            return
        exam = board.exam
        board.acts.run(
            lambda: board.services.exams.pick_place(exam, place),
            owner=self,
            done=lambda _: board.show(picked=place),
            failed=lambda error: board.say(trouble(str(error))),
        )

    def _places(self) -> Iterator[Location]:
        """Each once, in the order of the alphabet; room 9 before room 10."""
        listed = (Location(one.ward) for one in self._board.services.settings.station.places)
        known = {*self._board.services.census.places(), *listed}
        return iter(sorted(known, key=lambda one: (one.ward, len(one.room), one.room)))


def _row_id(place: Location) -> str:
    return f"{place.ward}|{place.room}"
