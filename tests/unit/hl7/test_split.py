import pytest

from capture_app.errors import MessageError
from capture_app.hl7.split import (
    MAX_SEGMENTS,
    Delimiters,
    Hl7Message,
    parse,
    parse_header,
    unescape,
)

MSH = r"MSH|^~\&|ADT|HOSP|APP|SITE|20240702093000||ADT^A01^ADT_A01|42|P|2.5.1"


def split(*segments: str, separator: str = "\r", charset: str = "UNICODE UTF-8") -> Hl7Message:
    return parse(separator.join(segments).encode(), default_charset=charset)


@pytest.mark.parametrize("separator", ["\r", "\n", "\r\n"])
def test_segments_may_be_divided_as_senders_do_it(separator: str) -> None:
    message = split(MSH, "EVN|A01|20240702", "PID|1||7^^^HOSP^MR", separator=separator)
    assert [segment.name for segment in message.segments] == ["MSH", "EVN", "PID"]
    pid = message.one("PID")
    assert pid is not None
    assert pid.text(3, 4) == "HOSP"


def test_fields_of_the_header_count_as_the_standard_counts() -> None:
    message = split(MSH)
    assert message.msh.raw(1) == "|"
    assert message.msh.raw(2) == r"^~\&"
    assert message.msh.text(3) == "ADT"
    assert message.message_type == "ADT"
    assert message.event == "A01"
    assert message.control_id == "42"


def test_an_old_sender_names_the_event_in_evn_alone() -> None:
    assert split(MSH.replace("ADT^A01^ADT_A01", "ADT"), "EVN|A03").event == "A03"


def test_other_delimiters_are_read_from_the_header() -> None:
    message = split("MSH#*+!%#ADT#HOSP###20240702##ADT*A04#1#P#2.3", "PID#1##7***H%1.2%ISO+8***N")
    pid = message.one("PID")
    assert pid is not None
    assert [number.text() for number in pid.repetitions(3)] == ["7", "8"]
    assert pid.text(3, 4, 2) == "1.2"
    assert message.event == "A04"


def test_short_encoding_characters_take_the_usual_ones_for_the_rest() -> None:
    assert split("MSH|^~|A|B|||1||ADT^A01|1|P|2.5").msh.delimiters == Delimiters()


@pytest.mark.parametrize("version", ["2.1", "2.3.1", "2.5", "2.8", "2.9", ""])
def test_any_version_is_taken(version: str) -> None:
    assert split(MSH.replace("2.5.1", version), "ZXY|1|site's own").one("ZXY") is not None


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "does not begin with an MSH"),
        (b"PID|1", "does not begin with an MSH"),
        (b"FHS|^~\\&|A\rBHS|^~\\&|A\rMSH|^~\\&|A", "batch"),
        (b"MSH", "delimiters"),
        (b"MSH|", "delimiters"),
        (b"MSH||A", "delimiters"),
        (b"MSH|^~\\&#!|A", "delimiters"),
        (b"MSH|^^\\&|A", "delimiters"),
        (b"MSH|^|A|B\rPID", None),
        (b"MSHA^~\\&A", "delimiters"),
        (b'MSH|"~\\&|A', "delimiters"),
    ],
)
def test_what_is_no_message_is_refused_in_words(raw: bytes, words: str | None) -> None:
    if words is None:
        parse(raw, default_charset="ASCII")
        return
    with pytest.raises(MessageError, match=words):
        parse(raw, default_charset="ASCII")


def test_a_message_of_nothing_but_segments_ends_at_a_bound() -> None:
    with pytest.raises(MessageError, match="too many segments"):
        split(MSH, *["NTE|1"] * MAX_SEGMENTS)


def test_a_field_of_nothing_but_repetitions_ends_at_a_bound() -> None:
    pid = split(MSH, "PID|1||" + "~".join(["1^^^H"] * 100_000)).one("PID")
    assert pid is not None
    with pytest.raises(MessageError, match="too many repetitions"):
        pid.repetitions(3)


def test_two_patients_in_one_message_are_not_ours_to_choose_from() -> None:
    message = split(MSH, "PID|1||7", "PID|2||8")
    with pytest.raises(MessageError, match="more than one PID"):
        message.one("PID")


def test_empty_and_deleted_are_told_apart() -> None:
    pid = split(MSH, 'PID|1||7||""|').one("PID")
    assert pid is not None
    assert pid.is_valued(5)
    assert pid.text(5) == ""
    assert not pid.is_valued(6)
    assert not pid.is_valued(99)
    assert pid.repetitions(5) == ()


@pytest.mark.parametrize(
    ("escaped", "plain"),
    [
        (r"A\T\E", "A&E"),
        (r"\F\\S\\R\\E\\T\ ".strip(), "|^~\\&"),
        (r"one\.br\two", "one two"),
        (r"one\.sp+2\two", "one two"),
        (r"\H\loud\N\ ".strip(), "loud"),
        (r"M\XC3BC\ller", "Müller"),
        (r"DOMAIN\user", r"DOMAIN\user"),
        (r"a\b\c", r"a\b\c"),
        ("ends with \\", "ends with \\"),
        (r"\\T\ ".strip(), r"\&"),
    ],
)
def test_escapes(escaped: str, plain: str) -> None:
    assert unescape(escaped, Delimiters(), "utf_8") == plain


@pytest.mark.parametrize("escaped", [r"\XFF\x", r"\C2842\x", r"\M2442\x"])
def test_escapes_that_would_have_to_be_guessed_are_refused(escaped: str) -> None:
    with pytest.raises(MessageError):
        unescape(escaped, Delimiters(), "utf_8")


def test_the_header_alone_can_be_read_from_a_message_that_cannot() -> None:
    raw = MSH.encode() + b"\rPID|1||7^^^H||M\xfcller"
    assert parse_header(raw).control_id == "42"
    with pytest.raises(MessageError, match="character set"):
        parse(raw, default_charset="UNICODE UTF-8")


def test_a_byte_order_mark_and_blank_lines_are_passed_over() -> None:
    raw = b"\xef\xbb\xbf" + MSH.encode() + b"\r\r\rPID|1||7\r\r\n"
    assert len(parse(raw, default_charset="ASCII").segments) == 2


@pytest.mark.parametrize(
    "line",
    ["Jane^^^^^L||19560714|F", "^Jane||19560714", "JAN|x", "pid|1", "PIDX|1", " PID|1", "7", "Z1|"],
)
def test_a_line_that_does_not_begin_with_a_segments_name_was_cut_from_another(line: str) -> None:
    with pytest.raises(MessageError, match="field was cut"):
        split(MSH, "PID|1||7^^^HOSP^MR||Doe", line, "PV1|1|I")


def test_a_stray_line_end_of_the_other_kind_is_no_cut_segment_either() -> None:
    with pytest.raises(MessageError):
        split(MSH, "PID|1||7^^^HOSP^MR||Doe\rJane", "PV1|1|I", separator="\n")


def test_lines_that_end_in_two_ways_do_not_run_into_one() -> None:
    lines = (MSH, "PID|1||7^^^HOSP^MR||Doe", "PV1|1|I")
    with pytest.raises(MessageError, match="two ran into one"):
        parse(f"{lines[0]}\r{lines[1]}\n{lines[2]}".encode(), default_charset="ASCII")
    message = split(MSH, "PID|1||7^^^HOSP^MR||Doe", "NTE|1||noted\nPID and PV1 | later")
    assert [segment.name for segment in message.segments] == ["MSH", "PID", "NTE"]


def test_two_messages_in_one_frame_are_none() -> None:
    with pytest.raises(MessageError, match="several messages"):
        split(MSH, "PID|1||7", MSH, "EVN|A01")


@pytest.mark.parametrize("delimiter", ["\x01", "\x80", "ü", "\x7f"])
def test_delimiters_are_signs_that_can_be_printed(delimiter: str) -> None:
    with pytest.raises(MessageError, match="delimiters"):
        parse(f"MSH|{delimiter}~\\&|A".encode("latin-1"), default_charset="8859/1")
