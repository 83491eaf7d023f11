import pytest

from capture_app.clock import FixedClock
from capture_app.hl7.ack import AckOutcome, Refusal, build_ack
from capture_app.hl7.split import Hl7Message, parse, parse_header

HEADER = (
    "MSH|^~\\&|ADT|HOSP|APP|SITE|20240702||ADT^A01^ADT_A01|ID42|P|2.5.1|||{accept}|{application}"
)


def header(accept: str = "", application: str = "", version: str = "2.5.1") -> Hl7Message:
    text = HEADER.format(accept=accept, application=application).replace("2.5.1", version)
    return parse_header(text.encode())


def answer(raw: bytes) -> Hl7Message:
    return parse(raw, default_charset="UNICODE UTF-8")


def test_original_mode_says_who_answers_whom_and_what(clock: FixedClock) -> None:
    ack = answer(build_ack(header(), AckOutcome.ACCEPTED, None, clock))
    msh, msa = ack.msh, ack.one("MSA")
    assert msa is not None
    assert (msh.text(3), msh.text(4), msh.text(5), msh.text(6)) == ("APP", "SITE", "ADT", "HOSP")
    assert (msh.text(9, 1), msh.text(9, 2), msh.text(11), msh.text(12)) == (
        *("ACK", "A01"),
        *("P", "2.5.1"),
    )
    assert 0 < len(msh.text(10)) <= 20
    assert (msa.text(1), msa.text(2)) == ("AA", "ID42")


def test_each_answer_has_a_control_id_of_its_own(clock: FixedClock) -> None:
    ids = {
        answer(build_ack(header(), AckOutcome.ACCEPTED, None, clock)).control_id for _ in range(9)
    }
    assert len(ids) == 9


def test_a_refusal_says_why_twice(clock: FixedClock) -> None:
    ack = answer(build_ack(header(), AckOutcome.REJECTED, Refusal("Not taken here.", "201"), clock))
    msa, err = ack.one("MSA"), ack.one("ERR")
    assert msa is not None
    assert err is not None
    assert (msa.text(1), msa.text(3)) == ("AR", "Not taken here.")
    assert (err.text(3, 1), err.text(3, 3), err.text(4), err.text(7)) == (
        *("201", "HL70357"),
        *("E", "Not taken here."),
    )


def test_older_versions_have_no_such_err_segment(clock: FixedClock) -> None:
    ack = answer(build_ack(header(version="2.3.1"), AckOutcome.ERROR, Refusal("No."), clock))
    assert ack.one("ERR") is None
    assert ack.msh.text(12) == "2.3.1"


@pytest.mark.parametrize(
    ("accept", "application", "outcome", "code"),
    [
        ("AL", "NE", AckOutcome.ACCEPTED, "CA"),
        ("AL", "AL", AckOutcome.ACCEPTED, "CA"),
        ("AL", "", AckOutcome.ERROR, "CE"),
        ("AL", "NE", AckOutcome.REJECTED, "CR"),
        ("ER", "NE", AckOutcome.REJECTED, "CR"),
        ("SU", "NE", AckOutcome.ACCEPTED, "CA"),
        ("NE", "AL", AckOutcome.ACCEPTED, "AA"),
        ("", "AL", AckOutcome.ERROR, "AE"),
        ("NE", "ER", AckOutcome.REJECTED, "AR"),
        ("ER", "NE", AckOutcome.ACCEPTED, None),
        ("SU", "NE", AckOutcome.ERROR, None),
        ("NE", "NE", AckOutcome.ACCEPTED, None),
        ("NE", "ER", AckOutcome.ACCEPTED, None),
    ],
)
def test_enhanced_mode_answers_at_the_level_that_is_asked_for(
    clock: FixedClock, accept: str, application: str, outcome: AckOutcome, code: str | None
) -> None:
    raw = build_ack(header(accept, application), outcome, None, clock)
    if code is None:
        assert raw == b""
        return
    msa = answer(raw).one("MSA")
    assert msa is not None
    assert msa.text(1) == code


def test_a_message_without_a_header_is_answered_too(clock: FixedClock) -> None:
    ack = answer(build_ack(None, AckOutcome.ERROR, Refusal("No MSH."), clock))
    msa = ack.one("MSA")
    assert msa is not None
    assert (msa.text(1), msa.text(2), msa.text(3)) == ("AE", "", "No MSH.")


def test_the_answer_speaks_in_the_delimiters_and_the_set_of_the_message(clock: FixedClock) -> None:
    raw = "MSH#*+!%#Bjørn#H###1##ADT*A01#7#P#2.5######8859/1".encode("latin-1")
    ack = build_ack(parse_header(raw), AckOutcome.ERROR, Refusal("a*b #c"), clock)
    assert ack.startswith(b"MSH#*+!%#CAPTURE_APP##Bj\xf8rn#H#")
    assert b"MSA#AE#7#a b  c\r" in ack
    assert b"#8859/1\r" in ack


def test_a_strange_event_is_not_sent_back(clock: FixedClock) -> None:
    text = HEADER.format(accept="", application="")
    raw = text.replace("ADT^A01^ADT_A01", r"ADT^\F\x^Y").encode()
    assert b"|ACK|" in build_ack(parse_header(raw), AckOutcome.REJECTED, None, clock)


@pytest.mark.parametrize(
    ("charset", "words"),
    [
        ("UNICODE UTF-8", "zu groß".encode()),
        ("8859/1", "zu groß".encode("latin-1")),
        ("8859/8", b"zu gro&#223;"),
        ("EBCDIC", b"zu gro&#223;"),
        ("", b"zu gro&#223;"),
    ],
)
def test_our_words_are_written_in_the_set_of_the_message(
    clock: FixedClock, charset: str, words: bytes
) -> None:
    text = HEADER.format(accept="", application="") + "||" + charset
    ack = build_ack(parse_header(text.encode()), AckOutcome.ERROR, Refusal("zu groß"), clock)
    assert b"MSA|AE|ID42|" + words + b"\r" in ack
    assert parse(ack, default_charset="ASCII").control_id


@pytest.mark.parametrize("field", range(3, 19))
@pytest.mark.parametrize(
    "poison", ["\\C2842\\", "\\XFF\\", "\\M2442\\", "O&#39;B", "~" * 600, "\xff"]
)
def test_whatever_stands_in_the_header_one_answer_is_given(
    clock: FixedClock, field: int, poison: str
) -> None:
    fields = HEADER.format(accept="AL", application="NE").split("|")
    fields += [""] * (18 - len(fields))
    fields[field - 1] = poison
    message = parse_header("|".join(fields).encode("latin-1"))
    ack = build_ack(message, AckOutcome.ERROR, Refusal("No."), clock)
    assert ack.count(b"\rMSA|") == 1
    assert parse_header(ack).message_type == "ACK"
