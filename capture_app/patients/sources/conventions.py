"""How one feed writes what the standards leave to a site, and what of it counts as not known."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final

from capture_app.hl7.dates import birth_date_of
from capture_app.model.encounter import Location
from capture_app.model.feed_note import NoteCode
from capture_app.model.patient import PartialDate, Sex
from capture_app.settings.feeds import AdtFeed, PlaceComponents, Worklist

OLDEST_YEARS: Final = 130
"""Nobody is older: a birth date before that stands for one that is not known."""
_ZONES: Final = timedelta(days=1)
"""A child may be born tomorrow by the calendar of another time zone."""

_SEX: Final[Mapping[str, Sex]] = MappingProxyType(
    {
        "M": Sex.MALE,
        "F": Sex.FEMALE,
        "O": Sex.OTHER,
        "A": Sex.OTHER,
        "N": Sex.OTHER,
        "U": Sex.UNKNOWN,
    }
)
"""Administrative Sex (HL7 table 0001); DICOM has the first three."""

BirthDate = date | PartialDate

_USUAL_PLACE: Final = PlaceComponents()


@dataclass(frozen=True, slots=True)
class Conventions:
    """The tables of one feed."""

    sex_codes: tuple[tuple[str, Sex], ...] = ()
    unknown_birth_dates: tuple[str, ...] = ()
    place: PlaceComponents = _USUAL_PLACE

    @classmethod
    def of(cls, feed: AdtFeed | Worklist) -> Conventions:
        """The tables that the settings of the feed give."""
        codes = (entry.rpartition("=") for entry in feed.sex_codes)
        return cls(
            tuple((code.strip().upper(), _SEX[sex]) for code, _, sex in codes),
            feed.unknown_birth_dates,
            feed.place,
        )

    def sex_of(self, code: str) -> Sex | None:
        """What a code says; None for one that nobody told us of."""
        said = code.upper()
        return dict(self.sex_codes).get(said, _SEX.get(said))

    def birth_date_of(self, text: str, today: date) -> tuple[BirthDate | None, NoteCode | None]:
        """What a birth date says, and the remark on it where that is not a whole day.

        No date comes back for what cannot be read, and for what stands for "not known".
        """
        if text[:8] in self.unknown_birth_dates or (text.isdigit() and not text.strip("0")):
            return None, NoteCode.UNKNOWN
        said = birth_date_of(text)
        if said is None:
            return None, NoteCode.UNREADABLE
        if not _is_possible(said, today):
            return None, NoteCode.UNKNOWN
        return said, NoteCode.PARTIAL if isinstance(said, PartialDate) else None

    def place_of(self, component: Callable[[int], str]) -> Location:
        """The place in a PL (PV1-3); `component` gives one of its components, counted from 1."""
        place = self.place
        return Location(
            *(
                component(number) if number else ""
                for number in (place.ward, place.room, place.bed, place.facility)
            )
        )


def _is_possible(born: BirthDate, today: date) -> bool:
    latest = today + _ZONES
    if isinstance(born, PartialDate):
        first = (born.year, born.month or 1)
        return today.year - OLDEST_YEARS <= born.year and first <= (latest.year, latest.month)
    return today.year - OLDEST_YEARS <= born.year and born <= latest


USUAL: Final = Conventions()
"""Of a feed that keeps to the standard."""
