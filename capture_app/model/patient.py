"""Who the patient is, as a feed told it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum


class Sex(StrEnum):
    """Patient's Sex (0010,0040). UNKNOWN is sent as an empty value."""

    MALE = "M"
    FEMALE = "F"
    OTHER = "O"
    UNKNOWN = ""


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A birth date of which only the year, or the year and the month, is known."""

    year: int
    month: int | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.year <= 9999 or (self.month is not None and not 1 <= self.month <= 12):
            message = "no such year or month"
            raise ValueError(message)

    def __str__(self) -> str:
        return f"{self.year:04}" if self.month is None else f"{self.year:04}-{self.month:02}"

    def agrees_with(self, day: date) -> bool:
        """Whether the day lies in this year or month."""
        return self.year == day.year and self.month in (None, day.month)


@dataclass(frozen=True, slots=True)
class NameGroup:
    """One component group of a person's name, in DICOM's order (PS3.5 6.2.1.2)."""

    family: str = ""
    given: str = ""
    middle: str = ""
    prefix: str = ""
    suffix: str = ""

    def __str__(self) -> str:
        parts = (self.family, self.given, self.middle, self.prefix, self.suffix)
        return "^".join(parts).rstrip("^")


@dataclass(frozen=True, slots=True)
class PersonName:
    """A person's name in up to three scripts."""

    alphabetic: NameGroup
    ideographic: NameGroup = NameGroup()
    phonetic: NameGroup = NameGroup()

    @property
    def pn(self) -> str:
        """The value for a PN element: groups joined by '=', trailing empty ones left out."""
        groups = (self.alphabetic, self.ideographic, self.phonetic)
        return "=".join(str(group) for group in groups).rstrip("=")

    @property
    def shown(self) -> str:
        """FAMILY, Given Middle: how a list shows it. Falls back to the native script."""
        group = self.alphabetic if str(self.alphabetic) else self.ideographic
        given = " ".join(part for part in (group.given, group.middle) if part)
        return ", ".join(part for part in (group.family.upper(), given) if part)

    @property
    def native(self) -> str:
        """The name in its own script where that is a second one, else empty."""
        if not str(self.alphabetic):
            return ""
        return "".join(part for part in (self.ideographic.family, self.ideographic.given) if part)


@dataclass(frozen=True, slots=True)
class PatientId:
    """An identifier and who issued it. Equal only when both are: MRN 1 of two hospitals differ."""

    value: str
    issuer: str
    """Issuer of Patient ID (0010,0021): CX-4 HD.1. May be empty."""
    universal_id: str = ""
    """Universal Entity ID (0040,0032): CX-4 HD.2."""
    universal_id_type: str = ""
    """Universal Entity ID Type (0040,0033): CX-4 HD.3, ISO, DNS, ..."""
    type_code: str = ""
    """CX-5: MR, PI, NI, ..."""

    @property
    def key(self) -> tuple[str, str]:
        """What makes two identifiers the same."""
        return (self.value, self.issuer)

    def completed_by(self, earlier: PatientId) -> PatientId:
        """The identifier with what an earlier statement of it says and this one leaves out: who
        says less does not say that the rest is not so. Itself where that one is another.
        """
        if self.value != earlier.value or self.issuer not in {"", earlier.issuer}:
            return self
        says_who = self if self.universal_id else earlier
        return PatientId(
            self.value,
            earlier.issuer,
            says_who.universal_id,
            says_who.universal_id_type,
            self.type_code or earlier.type_code,
        )


@dataclass(frozen=True, slots=True)
class Patient:
    """A person in the census. Nothing here was typed: all of it came from a feed."""

    patient_id: PatientId
    name: PersonName
    birth_date: date | None
    """The whole birth date; nothing less ever stands in an image."""
    sex: Sex
    other_ids: tuple[PatientId, ...] = ()
    partial_birth_date: PartialDate | None = None
    """What is known of the birth date where it is not known whole: shown, and asked for as the
    year of birth, but never written into an image."""
    identity_unknown: bool = False
    """The feed itself says that it does not know who this is (PID-31)."""

    def __post_init__(self) -> None:
        if self.birth_date is not None and self.partial_birth_date is not None:
            message = "a birth date is known whole or in part"
            raise ValueError(message)

    @property
    def birth_year(self) -> int | None:
        """The year of birth, if that much is known."""
        born = self.birth_date or self.partial_birth_date
        return born.year if born is not None else None

    @property
    def wording(self) -> str:
        """Name, birth date and sex in one line: what tells two people of one number apart."""
        born = self.birth_date or self.partial_birth_date or ""
        return f"{self.name.pn}\x1f{born}\x1f{self.sex}"

    def with_birth_date(self, said: date | PartialDate | None) -> Patient:
        """The patient with the birth date that a feed now states. A part takes nothing from a whole
        one known before, not even one that contradicts it, nor a year from its month.
        """
        if not isinstance(said, PartialDate):
            return replace(self, birth_date=said, partial_birth_date=None)
        if self.birth_date is not None:
            return self
        known = self.partial_birth_date
        if known is not None and said == PartialDate(known.year):
            return self
        return replace(self, partial_birth_date=said)

    def age_years(self, on: date) -> int | None:
        """Whole years of age on a day; None where the birth date is not known."""
        if self.birth_date is None:
            return None
        born = self.birth_date
        return on.year - born.year - ((on.month, on.day) < (born.month, born.day))
