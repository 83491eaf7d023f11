"""What the receiver answers, keeps and refuses, and that no refusal leaves a patient in the log."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import structlog

from capture_app.clock import FixedClock
from capture_app.hl7.split import Hl7Message, Segment, parse
from capture_app.patients.census.census import Census, open_census
from capture_app.patients.sources.adt.receiver import AdtReceiver
from capture_app.settings.feeds import AdtFeed
from capture_app.settings.schema import Settings
from capture_app.store.cipher import Cipher

FEED = AdtFeed(assigning_authority="HOSP", default_charset="8859/1", port=1)

ADMIT = (
    "MSH|^~\\&|ADT|HOSP|APP|SITE|20240702080000||ADT^A01^ADT_A01|ID1|P|2.5.1||||||UNICODE UTF-8\r"
    "EVN|A01|20240702080000\r"
    "PID|1||CANARY7^^^HOSP^MR||Canary^Carla||19560714|F\r"
    "PV1|1|I|4B^12||||||||||||||||V1\r"
)


@pytest.fixture
def census(tmp_path: Path, clock: FixedClock) -> Iterator[Census]:
    settings = Settings(data_dir=tmp_path, adt=FEED)
    census = open_census(tmp_path, Cipher(b"k" * 32), clock, settings)
    yield census
    census.close()


@pytest.fixture
def receiver(census: Census, clock: FixedClock) -> AdtReceiver:
    return AdtReceiver(census, FEED, clock)


def part(answer: bytes, name: str) -> Segment:
    found = parse(answer, default_charset="UNICODE UTF-8").one(name)
    assert found is not None
    return found


def whole(answer: bytes) -> Hl7Message:
    return parse(answer, default_charset="UNICODE UTF-8")


def test_a_good_message_is_accepted(receiver: AdtReceiver, census: Census) -> None:
    msa = part(receiver.handle(ADMIT.encode()), "MSA")
    assert (msa.text(1), msa.text(2), msa.text(3)) == ("AA", "ID1", "")
    assert [entry.patient.name.pn for entry in census.find("canary")] == ["Canary^Carla"]
    assert census.dead_letters() == ()


REFUSED: dict[str, tuple[bytes | str, str, str, str | None]] = {
    "nothing": (b"", "AE", "does not begin with an MSH segment", None),
    "noise": (b"Canary Carla\x00\xff", "AE", "does not begin with an MSH segment", None),
    "batch": (b"FHS|^~\\&|" + ADMIT.encode(), "AE", "batch", None),
    "order": (ADMIT.replace("ADT^A01^ADT_A01", "ORM^O01"), "AR", "Only ADT messages", "200"),
    "result": (ADMIT.replace("ADT^A01^ADT_A01", "ORU^R01"), "AR", "Only ADT messages", "200"),
    "strange event": (ADMIT.replace("A01", "Z99"), "AR", "This ADT event is not taken", "201"),
    "old strange event": (
        ADMIT.replace("ADT^A01^ADT_A01", "ADT").replace("EVN|A01", "EVN|A99"),
        *("AR", "This ADT event is not taken", "201"),
    ),
    "leave of absence": (ADMIT.replace("A01", "A21"), "AR", "This ADT event is not taken", "201"),
    "merge": (ADMIT.replace("A01", "A40"), "AE", "a person has to look at it", "207"),
    "link of accounts": (ADMIT.replace("A01", "A18"), "AE", "a person has to look at it", "207"),
    "test data": (ADMIT.replace("|P|2.5.1", "|T|2.5.1"), "AR", "processing ID", "202"),
    "no processing ID": (ADMIT.replace("|P|2.5.1", "||2.5.1"), "AR", "processing ID", "202"),
    "another hospital": (
        ADMIT.replace("^^^HOSP", "^^^ELSEWHERE"),
        *("AE", "No identifier of the configured authority", "207"),
    ),
    "two numbers": (
        ADMIT.replace("CANARY7^^^HOSP^MR", "CANARY7^^^HOSP^MR~CANARY8^^^HOSP^MR"),
        *("AE", "More than one identifier", "207"),
    ),
    "no patient": (ADMIT.replace("PID|", "ZID|"), "AE", "no PID segment", "207"),
    "two patients": (ADMIT + "PID|2||8^^^HOSP^MR", "AE", "more than one PID", "207"),
    "endless name": (ADMIT.replace("Carla", "C" * 260), "AE", "too long", "207"),
    "cut name": (ADMIT.replace("Canary^Carla", "Canary\r^Carla"), "AE", "field was cut", "207"),
    "name cut before capitals": (
        ADMIT.replace("Canary^Carla", "Canary\rJAN|x"),
        *("AE", "field was cut", "207"),
    ),
    "cut header": (ADMIT.replace("|APP|", "|A\rPP|"), "AE", "field was cut", None),
    "header cut before the processing ID": (
        ADMIT.replace("|P|2.5.1", "|\rP|2.5.1"),
        *("AE", "field was cut", "207"),
    ),
    "lines run into one": (ADMIT.replace("\rPV1", "\nPV1"), "AE", "two ran into one", "207"),
    "two messages": (ADMIT + ADMIT, "AE", "several messages", "207"),
    "name in HTML": (ADMIT.replace("Carla", "O&#39;Carla"), "AE", "no text", "207"),
    "name that lost a letter": (ADMIT.replace("Carla", "C\ufffdrla"), "AE", "no text", "207"),
    "name of Windows": (
        ADMIT.replace("Carla", "O\x92Carla").replace("UNICODE UTF-8", "8859/1").encode("latin-1"),
        *("AE", "bytes", "207"),
    ),
    "wrong bytes": (ADMIT.replace("Carla", "Çarla").encode("latin-1"), "AE", "bytes", "207"),
    "unknown set": (ADMIT.replace("UNICODE UTF-8", "EBCDIC"), "AE", "not known", "207"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_used_is_refused_in_words_kept_and_the_feed_goes_on(
    receiver: AdtReceiver, census: Census, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    raw, code, words, error_code = REFUSED[case]
    raw = raw.encode() if isinstance(raw, str) else raw
    logged = _capture_the_log(monkeypatch)
    answer = receiver.handle(raw)
    msa = part(answer, "MSA")
    assert msa.text(1) == code
    assert words in msa.text(3)
    if error_code is not None:
        assert msa.text(2) == "ID1"
        assert part(answer, "ERR").text(3) == error_code
    (letter,) = census.dead_letters()
    assert (letter.message, letter.ack_code, letter.times) == (raw, code, 1)
    assert letter.reason == msa.text(3)
    assert census.find("") == ()
    assert b"MSA|AA" in receiver.handle(ADMIT.encode())
    assert len(census.find("canary")) == 1
    assert logged
    for entry in logged:
        assert "anary" not in str(entry).lower()
        assert "arla" not in str(entry).lower()
        assert "1956" not in str(entry)


def _capture_the_log(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    entries: list[Any] = []

    def keep(_logger: Any, _method: str, event: Any) -> Any:
        entries.append(dict(event))
        raise structlog.DropEvent

    structlog.configure(processors=[keep])
    return entries


def test_what_is_sent_again_and_again_is_kept_once_and_counted(
    receiver: AdtReceiver, census: Census, clock: FixedClock
) -> None:
    for _ in range(3):
        clock.advance(10)
        receiver.handle(ADMIT.replace("A01", "A40").encode())
    (letter,) = census.dead_letters()
    assert (letter.times, letter.received_at) == (3, clock.now())
    (status,) = census.feed_status()
    assert (status.dead_letters, status.last_message_at) == (1, clock.now())


def test_dead_letters_come_newest_first_and_as_many_as_asked(
    receiver: AdtReceiver, census: Census, clock: FixedClock
) -> None:
    for number in range(5):
        clock.advance(1)
        receiver.handle(f"noise {number}".encode())
    assert [letter.message for letter in census.dead_letters(2)] == [b"noise 4", b"noise 3"]


def test_a_message_that_is_too_long_is_refused_and_its_beginning_kept(
    receiver: AdtReceiver, census: Census
) -> None:
    msa = part(receiver.refuse_too_long(ADMIT.encode()), "MSA")
    assert (msa.text(1), msa.text(2)) == ("AE", "ID1")
    assert "longer than the settings allow" in msa.text(3)
    assert part(receiver.refuse_too_long(b"x" * 9), "MSA").text(1) == "AE"
    assert len(census.dead_letters()) == 2


def test_the_site_says_the_set_of_a_message_that_names_none(
    receiver: AdtReceiver, census: Census
) -> None:
    text = ADMIT.replace("UNICODE UTF-8", "").replace("Carla", "Çarla")
    assert b"MSA|AA" in receiver.handle(text.encode("latin-1"))
    assert census.find("")[0].patient.name.alphabetic.given == "Çarla"


def test_enhanced_mode_gets_a_commit_acknowledgement(receiver: AdtReceiver) -> None:
    asked = ADMIT.replace("|P|2.5.1||||||", "|P|2.5.1|||AL|NE||")
    assert part(receiver.handle(asked.encode()), "MSA").text(1) == "CA"
    merge = part(receiver.handle(asked.replace("A01", "A40").encode()), "MSA")
    assert merge.text(1) == "CE"
    strange = part(receiver.handle(asked.replace("A01", "Z99").encode()), "MSA")
    assert strange.text(1) == "CR"
    silent = ADMIT.replace("|P|2.5.1||||||", "|P|2.5.1|||NE|NE||")
    assert receiver.handle(silent.encode()) == b""


def test_a_fault_of_ours_is_told_kept_and_ends_nothing(
    census: Census, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = AdtReceiver(census, FEED, clock)
    logged = _capture_the_log(monkeypatch)
    with monkeypatch.context() as patched:
        patched.setattr("capture_app.patients.sources.adt.reading.read_event", lambda *_: 1 // 0)
        answer = receiver.handle(ADMIT.encode())
    assert part(answer, "MSA").text(1) == "AE"
    assert "feed-message-failed" in [entry["event"] for entry in logged]
    assert census.dead_letters()[0].message == ADMIT.encode()
    assert b"MSA|AA" in receiver.handle(ADMIT.encode())


def test_another_processing_id_can_be_the_sites(census: Census, clock: FixedClock) -> None:
    receiver = AdtReceiver(census, replace(FEED, processing_id="T"), clock)
    assert b"MSA|AA" in receiver.handle(ADMIT.replace("|P|2.5.1", "|T|2.5.1").encode())
    assert b"MSA|AR" in receiver.handle(ADMIT.encode())
