"""Visits that are over and move from one patient to the next: each stays over."""

from capture_app.model.feed_note import NoteCode
from tests.unit.patients.adt_said import ADMITTED, OPEN, ROE, Told, said

MOVED = said("A45", "0900", pid=ROE, more="MRG|1001^^^HOSP^MR||||V1")
RENAMED = said("A45", "0900", pid=ROE, visit="V7", more="MRG|1001^^^HOSP^MR||||V1")
BACK = said("A45", "1000", more="MRG|1002^^^HOSP^MR||||V1")
POE = "1003^^^HOSP^MR||Poe^Pia||19560714|F"

MOVED_ON: dict[str, tuple[tuple[bytes, ...], Told, tuple[NoteCode, ...]]] = {
    "a visit that is over moves, and under another number": (
        (ADMITTED, said("A03", "0830"), RENAMED),
        {("1002", "V7"): ("closed", "4B 12 1")},
        (),
    ),
    "a visit that is over moves, and back again": (
        (ADMITTED, said("A03", "0830"), MOVED, BACK),
        {("1001", "V1"): ("closed", "4B 12 1")},
        (),
    ),
    "a visit that is over moves, and back again under the old number": (
        (
            *(ADMITTED, said("A03", "0830"), RENAMED),
            said("A45", "1000", more="MRG|1002^^^HOSP^MR||||V7"),
        ),
        {("1001", "V1"): ("closed", "4B 12 1")},
        (),
    ),
    "a visit that is over moves, and back again after its end was cancelled there": (
        (ADMITTED, said("A03", "0830"), MOVED, said("A13", "0930", pid=ROE), BACK),
        {("1001", "V1"): OPEN},
        (),
    ),
    "a visit that is over moves, and to a third patient": (
        (
            *(ADMITTED, said("A03", "0830"), RENAMED),
            said("A45", "1000", pid=POE, visit="V8", more="MRG|1002^^^HOSP^MR||||V7"),
        ),
        {("1003", "V8"): ("closed", "4B 12 1")},
        (),
    ),
    "a visit that is over moves, and an update of who lost it": (
        (ADMITTED, said("A03", "0830"), MOVED, said("A08", "0930")),
        {("1002", "V1"): ("closed", "4B 12 1")},
        (),
    ),
}
