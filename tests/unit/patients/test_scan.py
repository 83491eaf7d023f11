import pytest

from capture_app.patients.finding.scan import scanned_number


@pytest.mark.parametrize(
    ("code", "number", "issuer"),
    [
        ("0012345678", "0012345678", None),
        (" 0012345678\r\n", "0012345678", None),
        ("]C00012345678", "0012345678", None),
        ("7^^^HOSP", "7", "HOSP"),
        ("7^^^HOSP&1.2.3&ISO^MR", "7", "HOSP"),
        ("]d17^^^HOSP^MR", "7", "HOSP"),
        ("7^^^", "7", None),
        ("\x1d7", "7", None),
        ("", "", None),
        ("^^^HOSP", "", "HOSP"),
    ],
)
def test_what_a_scanner_reads(code: str, number: str, issuer: str | None) -> None:
    assert scanned_number(code) == (number, issuer)
