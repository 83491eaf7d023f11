"""What becomes of messages as hospitals send them: from the wire to the list and into an image."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from pydicom.dataset import Dataset

from capture_app.clock import FixedClock
from capture_app.dicom.build import build
from capture_app.dicom.conformance import verify
from capture_app.model.feed_note import FeedNote, NoteCode
from capture_app.model.patient import PartialDate, Sex
from capture_app.model.worklist import PatientListEntry
from capture_app.patients.census.census import Census, open_census
from capture_app.patients.sources.adt.receiver import AdtReceiver
from capture_app.settings.feeds import AdtFeed, HtmlEntities
from capture_app.settings.schema import Settings
from capture_app.store.cipher import Cipher
from tests.sealing import exam, request

Sent = Callable[..., tuple[Census, list[str]]]
NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)


@pytest.fixture
def sent(tmp_path: Path) -> Iterator[Sent]:
    """Sends messages to a receiver of these settings; its census, and the codes it answered."""
    with ExitStack() as stack:

        def send(*messages: bytes, **settings: object) -> tuple[Census, list[str]]:
            feed = AdtFeed(assigning_authority="HOSP", **settings)  # type: ignore[arg-type]
            clock = FixedClock(NOW)
            census = open_census(
                tmp_path, Cipher(b"k" * 32), clock, Settings(data_dir=tmp_path, adt=feed)
            )
            stack.callback(census.close)
            receiver = AdtReceiver(census, feed, clock)
            answers = [receiver.handle(message) for message in messages]
            return census, [answer.split(b"\rMSA|")[1][:2].decode() for answer in answers]

        yield send


def message(
    pid: str,
    *,
    event: str = "A01",
    hour: int = 8,
    pv1: str = "PV1|1|I|4B^12^1||||||||||||||||V1",
    charset: str = "UNICODE UTF-8",
    codec: str = "utf-8",
) -> bytes:
    at = f"20261127{hour:02}0000"
    msh = f"MSH|^~\\&|ADT|HOSP|CAP|SITE|{at}||ADT^{event}|{at}{event}|P|2.5.1||||||{charset}"
    return "\r".join((msh, f"EVN|{event}|{at}", pid, pv1)).encode(codec) + b"\r"


def the_row(census: Census) -> PatientListEntry:
    (entry,) = census.find("")
    return entry


def image_of(entry: PatientListEntry) -> Dataset:
    ds = build(request(exam=exam(patient=entry.patient, encounter=entry.encounter)))
    verify(ds)
    return ds


DOE = "PID|1||1001^^^HOSP^MR||Doe^Jane||{born}|{sex}"
KNOWN = DOE.format(born="19560714", sex="F")


@pytest.mark.parametrize("html_entities", HtmlEntities)
def test_a_name_in_html_is_refused_or_whole(sent: Sent, html_entities: HtmlEntities) -> None:
    raw = message("PID|1||1001^^^HOSP^MR||O&#39;Brien^Pat||19560714|F")
    census, codes = sent(raw, html_entities=html_entities)
    if html_entities is HtmlEntities.REFUSE:
        assert (codes, census.find(""), len(census.dead_letters())) == (["AE"], (), 1)
    else:
        assert codes == ["AA"]
        assert the_row(census).patient.name.pn == "O'Brien^Pat"


@pytest.mark.parametrize("born", ["1956", "195607", "1956-07-14", "00000000", "00010101", ""])
def test_what_cannot_be_read_takes_no_birth_date_away(sent: Sent, born: str) -> None:
    census, codes = sent(
        message(KNOWN), message(DOE.format(born=born, sex="F"), event="A08", hour=9)
    )
    assert codes == ["AA", "AA"]
    assert the_row(census).patient.birth_date == date(1956, 7, 14)


@pytest.mark.parametrize("born", ["1957", "195608"])
def test_a_part_that_contradicts_the_whole_date_is_doubted_and_listed(
    sent: Sent, born: str
) -> None:
    said = message(DOE.format(born=born, sex="F"), event="A08", hour=9)
    census, codes = sent(message(KNOWN), said)
    assert codes == ["AA", "AA"]
    patient = the_row(census).patient
    assert (patient.birth_date, patient.partial_birth_date) == (date(1956, 7, 14), None)
    (doubted,) = census.noted_messages(codes=frozenset({NoteCode.CONTRADICTED}))
    assert (doubted.event, doubted.notes) == ("A08", (FeedNote("PID-7", NoteCode.CONTRADICTED),))
    assert census.feed_status()[0].noted == 1
    whole, _ = sent(message(DOE.format(born="19570714", sex="F"), event="A08", hour=10))
    assert the_row(whole).patient.birth_date == date(1957, 7, 14)


def test_only_two_quotes_delete(sent: Sent) -> None:
    deleted = message(DOE.format(born='""', sex='""'), event="A08", hour=9)
    patient = the_row(sent(message(KNOWN), deleted)[0]).patient
    assert (patient.birth_date, patient.sex) == (None, Sex.UNKNOWN)


@pytest.mark.parametrize("sex", ["W", "Female", "2", "M~F", "\\C2842\\"])
def test_a_sex_that_nobody_told_us_of_takes_none_away(sent: Sent, sex: str) -> None:
    said = message(DOE.format(born="19560714", sex=sex), event="A08", hour=9)
    assert the_row(sent(message(KNOWN), said)[0]).patient.sex is Sex.FEMALE


def test_a_year_alone_is_shown_and_in_no_image(sent: Sent) -> None:
    entry = the_row(sent(message(DOE.format(born="1956", sex="F")))[0])
    assert entry.patient.partial_birth_date == PartialDate(1956)
    assert image_of(entry).PatientBirthDate == ""


@pytest.mark.parametrize("born", ["00010101", "20991231", "18950101", "20261129"])
def test_a_birth_date_that_cannot_be_is_not_known(sent: Sent, born: str) -> None:
    entry = the_row(sent(message(DOE.format(born=born, sex="F")))[0])
    assert (entry.patient.birth_date, entry.patient.partial_birth_date) == (None, None)
    assert image_of(entry).PatientBirthDate == ""


def test_a_referrer_whose_name_is_too_long_keeps_no_patient_away(sent: Sent) -> None:
    practice = "Gemeinschaftspraxis fuer Innere Medizin und Allgemeinmedizin Muster und Partner"
    pv1 = f"PV1|1|I|4B^12^1|||||77^{practice}|||||||||||V1"
    census, codes = sent(message(KNOWN, pv1=pv1))
    assert codes == ["AA"]
    assert image_of(the_row(census)).ReferringPhysicianName == ""


def test_a_setting_lets_the_site_say_in_which_set_a_sender_writes(sent: Sent) -> None:
    pid = "PID|1||1001^^^HOSP^MR||Šimek^Zoë||19560714|F"
    raw = message(pid, charset="8859/1", codec="cp1252")
    census, codes = sent(raw, charsets=("8859/1=CP1252",))
    assert codes == ["AA"]
    assert the_row(census).patient.name.pn == "Šimek^Zoë"
    assert image_of(the_row(census)).PatientName == "Šimek^Zoë"


def test_without_it_the_message_is_refused_not_guessed(sent: Sent) -> None:
    pid = "PID|1||1001^^^HOSP^MR||Šimek^Zoë||19560714|F"
    census, codes = sent(message(pid, charset="8859/1", codec="cp1252"))
    assert (codes, census.find("")) == (["AE"], ())


def test_a_type_of_identifier_that_no_image_can_hold_vetoes_none(sent: Sent) -> None:
    pid = "PID|1||1011^^^HOSP^MR~77^^^AUSL^MÜDRZT||Foreign^Type^^^^^L||19560714|F"
    pv1 = "PV1|1|I|4B^3^12^KSUED|||||99^Okafor^Ada^^^Dr||MED|||||||||V1011^^^&1.2.3&ISO"
    ds = image_of(the_row(sent(message(pid, pv1=pv1))[0]))
    (other,) = ds.OtherPatientIDsSequence
    assert (other.PatientID, other.IssuerOfPatientID) == ("77", "AUSL")
    assert "IssuerOfPatientIDQualifiersSequence" not in other
    assert ds.IssuerOfAdmissionIDSequence[0].UniversalEntityID == "1.2.3"


@pytest.mark.parametrize("pid_5", ["", "^^^^^^L", '""'])
def test_a_patient_without_a_name_is_listed_and_has_an_image(sent: Sent, pid_5: str) -> None:
    entry = the_row(sent(message(f"PID|1||1001^^^HOSP^MR||{pid_5}||19560714|F"))[0])
    ds = image_of(entry)
    assert (ds.PatientID, ds.PatientName) == ("1001", "")


def test_a_very_long_name_is_shown_whole_and_left_out_of_the_image(sent: Sent) -> None:
    entry = the_row(sent(message("PID|1||1001^^^HOSP^MR||" + "Ab" * 40 + "^Jane||19560714|F"))[0])
    assert entry.patient.name.alphabetic.family == "Ab" * 40
    assert image_of(entry).PatientName == ""


@pytest.mark.parametrize("end", ["\r", "\r\n", "\n\r"])
def test_nothing_of_a_message_that_was_cut_is_believed(sent: Sent, end: str) -> None:
    pid = f"PID|1||1001^^^HOSP^MR||Do{end}e^Jane||19560714|F"
    census, codes = sent(message(pid))
    assert (codes, census.find(""), len(census.dead_letters())) == (["AE"], (), 1)
