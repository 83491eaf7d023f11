"""A census and the feed that fills it, for tests that look at what it then shows."""

from collections.abc import Callable
from datetime import timedelta

from capture_app.clock import FixedClock
from capture_app.hl7.build import Sender, build_adt
from capture_app.model.encounter import Encounter
from capture_app.model.patient import Patient
from capture_app.patients.census.census import Census
from capture_app.patients.census.orders import WorklistAnswer, WorklistItem
from capture_app.patients.finding.tabs import Tab
from capture_app.patients.sources.adt.receiver import AdtReceiver
from capture_app.settings.feeds import AdtFeed
from capture_app.store.cipher import Cipher
from tests.unit.patients.people import AS_OF, an_order

CIPHER = Cipher(b"k" * 32)

FEED = AdtFeed(assigning_authority="HOSP", port=1)

Opener = Callable[..., Census]


class Feed:
    """Sends built messages straight into a receiver."""

    def __init__(self, census: Census, clock: FixedClock, feed: AdtFeed = FEED) -> None:
        self.receiver = AdtReceiver(census, feed, clock)
        self._clock = clock
        self._sent = 0

    def send(
        self, event: str, patient: Patient, visit: Encounter | None = None, *, minutes_ago: int = 0
    ) -> bytes:
        self._sent += 1
        at = self._clock.now() - timedelta(minutes=minutes_ago)
        message = build_adt(
            event, patient, visit, control_id=f"M{self._sent}", at=at, sender=Sender()
        )
        answer = self.receiver.handle(message)
        assert b"MSA|AA|" in answer, answer
        return message


def shown(census: Census, text: str = "", tab: Tab = Tab.ALL) -> list[tuple[str, str]]:
    return [
        (entry.patient.patient_id.value, entry.encounter.visit_number if entry.encounter else "")
        for entry in census.find(text, tab=tab)
    ]


# ---------------------------------------------------------------------------- with a worklist


def item(patient: Patient, visit: Encounter | None = None, accession: str = "ACC1") -> WorklistItem:
    return WorklistItem(patient, visit, an_order(accession))


def answer(*items: WorklistItem, name: str = "ris") -> WorklistAnswer:
    return WorklistAnswer(name, items, AS_OF)
