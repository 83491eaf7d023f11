"""The admissions system of a story: what it says of whom, as HL7 text, and what is true by now."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from capture_app.model.patient import NameGroup, Patient, PatientId, PersonName, Sex
from capture_app.patients.census.orders import WorklistAnswer, WorklistItem
from tests import sealing

AUTHORITY: Final = "ST ANNE"
ORDER: Final = sealing.ORDER
Wording = tuple[str, str, str]
"""Name, birth date and sex as DICOM has them."""
NAMES: Final = ("Roe^Rick", "Doe^Janet", "Nguyen^Mai", "Hansen^Ole", "Hansen^Ola")
BIRTHS: Final = ("19560714", "19610203", "20240701")


@dataclass(slots=True)
class Person:
    """One patient as admissions has it now."""

    number: str
    name: str
    born: str
    sex: str
    visit: str
    bed: str
    other: str = ""
    """A further identifier, of another authority or of a mother."""
    is_cancelled: bool = False
    is_out: bool = False
    retired: set[str] = field(default_factory=set)

    @property
    def wording(self) -> Wording:
        """As a picture must carry it."""
        return self.name, self.born, self.sex

    @property
    def numbers(self) -> set[str]:
        """Every record number that was this person's."""
        return {self.number, *self.retired}


def people() -> list[Person]:
    """Twins, a number that another hospital uses too, a mother with her baby's number, a trauma."""
    return [
        Person("1001", "Hansen^Ole", "20240701", "M", "V1", "12"),
        Person("1002", "Hansen^Ola", "20240701", "M", "V2", "14", "1001^^^CLINIC^MR"),
        Person("1003", "Nguyen^Mai", "19561204", "F", "V3", "16", "1004^^^ST ANNE^MO"),
        Person("1004", "Unknown^Trauma 7", "", "", "V4", "18"),
    ]


@dataclass(slots=True)
class Hospital:
    """Writes the messages, in the order in which all of it happens."""

    people: list[Person] = field(default_factory=people)
    written: int = 0

    def message(self, event: str, one: Person, at: datetime, *, prior: str = "") -> bytes:
        """One message about a person as they are now."""
        self.written += 1
        control, moment = f"S{self.written}", f"{at:%Y%m%d%H%M%S}"
        number = f"{one.number}^^^{AUTHORITY}^MR" + (f"~{one.other}" if one.other else "")
        sender, charset = "ADT|HOSP|CAP|SITE", "UNICODE UTF-8"
        segments = [
            f"MSH|^~\\&|{sender}|{moment}||ADT^{event}|{control}|P|2.5.1||||||{charset}",
            f"EVN|{event}|{moment}",
            f"PID|1||{number}||{one.name}||{one.born}|{one.sex or 'U'}",
        ]
        if prior:
            segments.append(f"MRG|{prior}^^^{AUTHORITY}^MR")
        else:
            segments.append(f"PV1|1|I|4B^^{one.bed}^{AUTHORITY}" + "|" * 16 + one.visit)
        return ("\r".join(segments) + "\r").encode()

    def worklist(self, one: Person | None, at: datetime) -> WorklistAnswer:
        """What the worklist answers: its order, for a person as named now; or nothing."""
        if one is None:
            return WorklistAnswer("mwl", (), at)
        name = PersonName(NameGroup(*one.name.split("^")))
        patient = Patient(PatientId(one.number, AUTHORITY), name, None, Sex.UNKNOWN)
        return WorklistAnswer("mwl", (WorklistItem(patient, None, ORDER),), at)

    def whose(self, number: str) -> Person:
        """The person with this record number, of now or of before."""
        return next(one for one in self.people if number in one.numbers)

    def renumber(self, one: Person) -> str:
        """Another number for a person; returns the one that is retired."""
        retired = one.number
        one.retired.add(retired)
        one.number = f"77{one.visit[1:]}{len(one.retired)}"
        return retired
