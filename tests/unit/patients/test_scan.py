"""What a code is allowed to be, and whose number it is then."""

import pytest

from capture_app.model.patient import PatientId
from capture_app.patients.finding.check_digits import is_proven
from capture_app.patients.finding.gs1 import element
from capture_app.patients.finding.scan import (
    DEFAULT_PATTERN,
    ScannedCode,
    ScannedNumber,
    ScanRules,
    Unread,
)
from capture_app.settings.scanning import Alphabet, CheckDigit, ScanPattern, Suffix

BARE = DEFAULT_PATTERN


def read(pattern: ScanPattern, text: str, suffix: Suffix | None = Suffix.ENTER) -> str | None:
    number = ScanRules((pattern,), "HOSP").read(ScannedCode(text, suffix))
    return None if isinstance(number, Unread) else number.value


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("0012345678", "0012345678"),
        (" 0012345678\r\n", "0012345678"),
        ("]C00012345678", "0012345678"),
        ("7^^^HOSP&1.2.3&ISO^MR", "7"),
        ("7^^^", "7"),
        ("\x1d7", "7"),
        ("", None),
        ("^^^HOSP", None),
        ("7\x07", None),
        ("9" * 65, None),
    ],
)
def test_without_patterns_a_code_is_a_record_number_of_the_feeds_own_authority(
    code: str, number: str | None
) -> None:
    assert read(BARE, code) == number
    told = ScanRules((), "HOSP").read(ScannedCode(code))
    assert isinstance(told, Unread) == (number is None)
    if isinstance(told, ScannedNumber):
        assert told.authority == "HOSP"


@pytest.mark.parametrize(
    ("pattern", "good", "number", "bad"),
    [
        (ScanPattern("p", prefix="P-"), "P-123", "123", ["123", "p-123", "123P-", "P-"]),
        (ScanPattern("p", prefix="MRN", prefix_is_part=True), "MRN12", "MRN12", ["12", "XMRN12"]),
        (ScanPattern("p", shortest=4, longest=5), "1234", "1234", ["123", "123456"]),
        (ScanPattern("p", alphabet=Alphabet.DIGITS), "0123", "0123", ["12A", "١٢٣", "12 3"]),
        (ScanPattern("p", alphabet=Alphabet.CAPITALS), "ab12", "AB12", ["AB-12", "Ä12"]),
        (ScanPattern("p", symbologies=("]C1", "]d2")), "]d2123", "123", ["123", "]C0123", "d2123"]),
        (
            ScanPattern("p", check_digit=CheckDigit.LUHN),
            "79927398713",
            "79927398713",
            ["7992739871"],
        ),
        (
            ScanPattern("p", check_digit=CheckDigit.LUHN, check_digit_is_part=False),
            "79927398713",
            "7992739871",
            ["79927398710"],
        ),
        (
            ScanPattern("p", gs1_element="8018", symbologies=("]C1", "]d2")),
            "]d2" + "8018" + "761234500000000017" + "\x1d" + "8019" + "3",
            "761234500000000017",
            ["]d2" + "8018" + "761234500000000018", "]d2" + "8018" + "76123450000000001"],
        ),
    ],
)
def test_a_pattern_allows_its_own_codes_alone(
    pattern: ScanPattern, good: str, number: str, bad: list[str]
) -> None:
    assert read(pattern, good) == number
    assert [read(pattern, code) for code in bad] == [None] * len(bad)


@pytest.mark.parametrize("allowed", list(Suffix))
@pytest.mark.parametrize("came", [*Suffix, None])
def test_the_suffix_is_the_patterns_and_the_camera_has_none(
    allowed: Suffix, came: Suffix | None
) -> None:
    assert read(ScanPattern("p", suffix=allowed), "7", came) == (
        "7" if came in (allowed, None) else None
    )


def test_a_code_that_two_authorities_may_have_given_is_nobodys() -> None:
    both = (ScanPattern("a", authority="A"), ScanPattern("b", authority="B"))
    assert ScanRules(both, "").read(ScannedCode("7")) is Unread.TWO_AUTHORITIES
    apart = (
        ScanPattern("a", authority="A", prefix="A"),
        ScanPattern("b", authority="B", prefix="B"),
    )
    assert ScanRules(apart, "").read(ScannedCode("B7")) == ScannedNumber("7", "B")
    same = (ScanPattern("one", longest=9), ScanPattern("two", shortest=5))
    assert ScanRules(same, "H").read(ScannedCode("1234567")) == ScannedNumber("1234567", "H")


@pytest.mark.parametrize(
    ("scanned", "number", "is_of"),
    [
        (ScannedNumber("7", "HOSP"), PatientId("7", "HOSP"), True),
        (ScannedNumber("7", "1.2.3"), PatientId("7", "HOSP", "1.2.3", "ISO"), True),
        (ScannedNumber("7", "HOSP"), PatientId("7", "CLINIC"), False),
        (ScannedNumber("7", "HOSP"), PatientId("7", ""), False),
        (ScannedNumber("7", ""), PatientId("7", ""), True),
        (ScannedNumber("7", ""), PatientId("7", "HOSP"), False),
        (ScannedNumber("7", "1.2.3", ("HOSP", "")), PatientId("7", "HOSP", "1.2.3"), True),
        (ScannedNumber("7", "HOSP", ("CLINIC", "")), PatientId("7", "HOSP"), False),
        (ScannedNumber("7", "HOSP", ("HOSP", "9")), PatientId("7", "HOSP", "1.2.3"), False),
        (ScannedNumber("7", "", ("HOSP", "")), PatientId("7", ""), False),
        (ScannedNumber("7", "1.2.3", ("CLINIC", "")), PatientId("7", "", "1.2.3"), False),
        (ScannedNumber("7", "HOSP", ("", "9")), PatientId("7", "HOSP"), False),
    ],
)
def test_a_number_is_one_with_its_authority(
    scanned: ScannedNumber, number: PatientId, is_of: bool
) -> None:
    assert scanned.is_of(number) is is_of


@pytest.mark.parametrize(
    ("pattern", "is_marked"),
    [
        (BARE, False),
        (ScanPattern("p", symbologies=("]C1",)), True),
        (ScanPattern("p", prefix="P", alphabet=Alphabet.DIGITS), True),
        (ScanPattern("p", prefix="P"), False),  # a number may hold a P
        (ScanPattern("p", prefix="00", alphabet=Alphabet.DIGITS), False),
        (ScanPattern("p", prefix="P", alphabet=Alphabet.CAPITALS), False),
        (ScanPattern("p", prefix="-", alphabet=Alphabet.CAPITALS), True),
    ],
)
def test_a_code_proves_its_beginning_by_what_its_number_cannot_hold(
    pattern: ScanPattern, is_marked: bool
) -> None:
    rules = ScanRules((pattern,), "HOSP")
    assert rules.tells_a_whole_code is is_marked
    begin = pattern.symbologies[0] if pattern.symbologies else pattern.prefix
    code = f"{begin}123456"
    assert rules.is_marked(ScannedCode(code)) is is_marked
    if is_marked:
        assert not any(rules.is_marked(ScannedCode(code[i:])) for i in range(1, len(code)))


@pytest.mark.parametrize(
    ("rule", "good"),
    [
        (CheckDigit.GS1, "761234500000000017"),  # a GSRN
        (CheckDigit.GS1, "4006381333931"),
        (CheckDigit.LUHN, "79927398713"),
        (CheckDigit.MOD10, "123455"),  # the examples of HL7 v2.5.1, 2.A.14.4
        (CheckDigit.MOD11, "123455"),
        (CheckDigit.NHS, "9434765919"),
    ],
)
def test_a_check_digit_proves_the_others(rule: CheckDigit, good: str) -> None:
    assert is_proven(good, rule)
    wrong = [good[:-1] + digit for digit in "0123456789" if digit != good[-1]]
    assert not any(is_proven(number, rule) for number in wrong)
    assert not is_proven(good[-1], rule)
    assert not is_proven("A" + good, rule)


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("801812\x1d8019" + "3", "12"),
        ("\x1d801812", "12"),
        ("0112345678901231" + "801812", "12"),
        ("10LOT\x1d801812\x1d17271231", "12"),
        ("17271231801812", "12"),
        ("10LOT801812", None),  # no separator: it is part of the lot
        ("801812\x1d801813", None),
        ("0112345", None),
        ("8018", None),
        ("ABC", None),
        ("", None),
    ],
)
def test_the_element_of_a_gs1_code(code: str, value: str | None) -> None:
    assert element(code, "8018") == value
