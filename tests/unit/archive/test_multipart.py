import pytest
from hypothesis import given
from hypothesis import strategies as st

from capture_app.archive.multipart import RelatedInstance, single_part
from capture_app.model.part10_file import Part10File


@given(st.binary(max_size=2000))
def test_what_was_put_in_comes_out(content: bytes) -> None:
    body = RelatedInstance(Part10File.of(content), boundary="2.25.12345678901234567890")
    sent = b"".join(body)
    assert len(sent) == len(body)
    assert single_part(body.content_type, sent) == content


def test_a_large_file_goes_in_pieces() -> None:
    pieces = list(RelatedInstance(Part10File.of(b"x" * 1_000_000), boundary="b"))
    assert len(pieces) == 6
    assert max(map(len, pieces)) == 1 << 18


def test_preamble_epilogue_and_headers_in_any_case_are_left_out() -> None:
    part = b"--b\r\nCONTENT-TYPE: application/dicom\r\nX: y\r\n\r\nDATA\r\n--b--"
    body = b"preamble\r\n" + part + b"\r\nepilogue"
    assert single_part("Multipart/Related; Boundary=b; type=x", body) == b"DATA"


def test_an_answer_that_is_no_multipart_is_its_own_part() -> None:
    assert single_part("application/dicom; transfer-syntax=1.2", b"DATA") == b"DATA"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("", b"DATA"),
        ("text/html", b"<html>"),
        ("multipart/related", b"--b\r\n\r\nDATA\r\n--b--"),
        ("multipart/related; boundary=b", b""),
        ("multipart/related; boundary=b", b"--b--"),
        ("multipart/related; boundary=b", b"--b\r\nno end of the headers"),
        ("multipart/related; boundary=b", b"--b\r\n\r\nDATA"),
        ("multipart/related; boundary=b", b"--b\r\n\r\nDATA\r\n--b\r\n\r\nDATA\r\n--b--"),
    ],
)
def test_anything_but_one_part_is_refused(content_type: str, body: bytes) -> None:
    with pytest.raises(ValueError, match=r"multipart|part"):
        single_part(content_type, body)
