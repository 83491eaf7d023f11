"""What three scans teach."""

import pytest

from capture_app.patients.finding.keyboard_layouts import as_scanned
from capture_app.patients.finding.learning import CannotLearn, Learnt, ScanSample, learn
from capture_app.settings.scanning import (
    Alphabet,
    CheckDigit,
    KeyboardLayout,
    Scanner,
    ScanPattern,
    Suffix,
)

NUMBERS = ("0009812204", "0012345678", "0012354687")


def samples(*texts: str, suffix: Suffix = Suffix.ENTER, gap: float = 0.02) -> list[ScanSample]:
    return [ScanSample(text, suffix, gap) for text in texts]


def taught(*texts: str, suffix: Suffix = Suffix.ENTER, known: tuple[str, ...] = NUMBERS) -> Learnt:
    learnt = learn(samples(*texts, suffix=suffix), known.__contains__)
    assert isinstance(learnt, Learnt)
    return learnt


def test_bare_numbers() -> None:
    learnt = taught(*NUMBERS)
    assert learnt.pattern == ScanPattern(
        "wristband", shortest=10, longest=10, alphabet=Alphabet.DIGITS
    )
    assert learnt.scanner == Scanner(gap_ms=31)
    assert not learnt.is_marked


def test_a_prefix_and_a_tab() -> None:
    learnt = taught(*(f"P-{number}" for number in NUMBERS), suffix=Suffix.TAB)
    pattern = learnt.pattern
    assert (pattern.prefix, pattern.prefix_is_part, pattern.suffix) == ("P-", False, Suffix.TAB)
    assert learnt.is_marked


def test_what_is_listed_says_what_is_part_of_the_number() -> None:
    texts = ("MRN1234", "MRN1335", "MRN9936")
    assert taught(*texts, known=texts).pattern.prefix_is_part
    assert not taught(*texts, known=("1234", "1335")).pattern.prefix_is_part
    checked = ("4006381333931", "5901234123457", "9780201379624")
    pattern = taught(*checked, known=tuple(c[:-1] for c in checked)).pattern
    assert (pattern.check_digit, pattern.check_digit_is_part) == (CheckDigit.GS1, False)
    assert taught(*checked, known=checked).pattern.check_digit_is_part


@pytest.mark.parametrize(
    ("layout", "typed"),
    [
        (KeyboardLayout.DE, ["+C10009812204", "+C10012345678", "+C10012354687"]),
        (KeyboardLayout.FR, ["àààç_&ééà'", "àà&é\"'(-è_", "àà&é\"('-_è"]),
    ],
)
def test_the_layout_of_the_computer(layout: KeyboardLayout, typed: list[str]) -> None:
    learnt = taught(*typed)
    assert learnt.scanner.keyboard_layout is layout
    assert as_scanned(typed[0], layout).endswith("0009812204")
    assert learnt.pattern.symbologies == (("]C1",) if layout is KeyboardLayout.DE else ())


def test_a_gsrn() -> None:
    numbers = ("761234500000000017", "761234500000000024", "761234500000000031")
    learnt = taught(*(f"]C18018{number}" for number in numbers), known=numbers)
    assert (learnt.pattern.gs1_element, learnt.pattern.symbologies) == ("8018", ("]C1",))
    assert (learnt.pattern.shortest, learnt.pattern.longest) == (18, 18)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (samples("1234", "1234", "1235"), CannotLearn.SAME_CODE),
        (
            [*samples("1234", "1235"), *samples("1236", suffix=Suffix.TAB)],
            CannotLearn.SUFFIXES_DIFFER,
        ),
        (samples("1234", "1235", "1236", gap=0.12), CannotLearn.TOO_SLOW),
        (samples("1234", "12351", "123611", suffix=Suffix.NONE), CannotLearn.NOT_WHOLE),
        (samples("1231", "1232", "1233", suffix=Suffix.NONE), CannotLearn.NOT_WHOLE),
    ],
)
def test_what_teaches_nothing_safe(given: list[ScanSample], why: CannotLearn) -> None:
    assert learn(given, lambda _number: False) is why
