"""A feed, an entry and frames for exams."""

from dataclasses import replace

from capture_app.clock import FixedClock
from capture_app.model.frame import Frame
from capture_app.model.patient import PatientId
from capture_app.model.procedure import Description
from capture_app.model.worklist import Doubt, FeedSource, IdentifiedBy, PatientListEntry, PersonNow
from capture_app.outbox.outbox import Outbox
from tests import sealing

SCAN = IdentifiedBy.SCAN


class Feed:
    """What the feeds say: the rows that were made last, and whatever a test says since."""

    def __init__(self) -> None:
        self.people: dict[tuple[str, str], PersonNow] = {}
        self.orders_of_others: frozenset[str] = frozenset()

    def get_now(self, number: PatientId) -> PersonNow | None:
        return self.people.get(number.key)

    def get_orders(self, _number: PatientId) -> frozenset[str]:
        return self.orders_of_others

    def says(self, entry: PatientListEntry) -> PatientListEntry:
        visits = (entry.encounter,) if entry.encounter else ()
        shares = Doubt.SHARED_VISIT_NUMBER in entry.doubts
        shared = frozenset(visit.visit_number for visit in visits if shares)
        now = PersonNow(entry.patient, visits, (entry,), entry.doubts, shared)
        self.people[entry.patient.patient_id.key] = now
        return entry


FEED = Feed()


def entry(clock: FixedClock, **changes: object) -> PatientListEntry:
    """A row, as the feed says it right now."""
    plain = PatientListEntry(
        sealing.MAI, sealing.VISIT, (sealing.ORDER,), FeedSource.ADT, clock.now()
    )
    return FEED.says(replace(plain, **changes))  # type: ignore[arg-type]


def as_kept(outbox: Outbox, *capture_ids: str) -> dict[str, Description]:
    """What a screen that is up to date shows."""
    return {capture_id: outbox.description_of(capture_id) for capture_id in capture_ids}


def frame(clock: FixedClock, **changes: object) -> Frame:
    plain = Frame(
        sealing.CAMERA.device_id,
        1,
        clock.now(),
        clock.monotonic(),
        sealing.pixels(),
        sealing.jpeg(),
    )
    return replace(plain, **changes)  # type: ignore[arg-type]
