"""Messages of a feed in few words, and what a census then tells."""

from datetime import UTC, datetime

from capture_app.clock import FixedClock
from capture_app.patients.census.census import Census
from capture_app.patients.sources.adt.receiver import AdtReceiver
from capture_app.settings.feeds import AdtFeed

FEED = AdtFeed(assigning_authority="HOSP", port=1, zone="UTC")

NOW = datetime(2026, 11, 27, 20, tzinfo=UTC)

DOE = "1001^^^HOSP^MR||Doe^Jane||19560714|F"

ROE = "1002^^^HOSP^MR||Roe^Rick||19560714|M"

BED = "4B^12^1"


def said(
    event: str,
    at: str,
    *,
    pid: str = DOE,
    place: str = BED,
    visit: str = "V1",
    account: str = "",
    kind: str = "I",
    evn_2: str | None = None,
    evn_6: str = "",
    discharged: str = "",
    more: str = "",
    sender: str = "ADT",
    has_visit: bool = True,
) -> bytes:
    """One message of 27 November 2026, `at` hours and minutes; what is left out is not said."""
    msh_7 = f"20261127{at}00"
    pid_fields = [*pid.split("|"), *[""] * 12][:14]
    segments = [
        f"MSH|^~\\&|{sender}|HOSP|CAP|SITE|{msh_7}||ADT^{event}|{at}{event}{sender}{pid[:4]}|P|2.5.1",
        f"EVN|{event}|{msh_7 if evn_2 is None else evn_2}||||{evn_6}",
        f"PID|1||{'|'.join(pid_fields)}||{account}",
    ]
    if has_visit:
        segments.append(f"PV1|1|{kind}|{place}" + "|" * 16 + visit + "|" * 26 + discharged)
    return "\r".join([*segments, *filter(None, [more])]).encode()


ADMITTED = said("A01", "0800")


Told = dict[tuple[str, str], tuple[str, str]]
"""By number and visit the state and the place."""

OPEN = ("open", "4B 12 1")

ADMITTED = said("A01", "0800")


def told(census: Census) -> Told:
    found: Told = {}
    for entry in census.find(""):
        visit, number = entry.encounter, entry.patient.patient_id.value
        if visit is None:
            found[number, ""] = ("", "")
            continue
        place = visit.location
        key = (number, visit.visit_number)
        while key in found:
            key = (number, key[1] + " ")
        where = " ".join(filter(None, (place.ward, place.room, place.bed)))
        found[key] = (str(visit.state), where)
    return found


def send(census: Census, *messages: bytes, answer: bytes = b"MSA|AA") -> None:
    receiver = AdtReceiver(census, FEED, FixedClock(NOW))
    for message in messages:
        assert answer in receiver.handle(message)
