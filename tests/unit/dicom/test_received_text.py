"""Text of worklist answers in every character set that DICOM has, byte by byte."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataelem import RawDataElement
from pydicom.dataset import Dataset
from pydicom.tag import Tag

from capture_app.dicom.received_text import WorklistText
from capture_app.errors import FeedError

JIS = "山田".encode("iso2022_jp")  # with its escape sequences, back to ASCII at the end


def read(raw: bytes, *terms: str, keyword: str = "PatientName", absent: str = "ISO_IR 6") -> str:
    ds = Dataset()
    if terms:
        ds.SpecificCharacterSet = list(terms) if len(terms) > 1 else terms[0]
    tag = Tag(keyword)
    element: Any = RawDataElement(tag, "PN", len(raw), raw, 0, False, True)
    ds[tag] = element
    return WorklistText(ds, absent).of(ds, keyword)


@pytest.mark.parametrize(
    ("terms", "raw", "text"),
    [
        (("", "ISO 2022 IR 58"), b"Zhang^Wei=\x1b$)A\xd5\xc5^\x1b$)A\xce\xb0=", "Zhang^Wei=张^伟="),
        (("ISO 2022 IR 6", "ISO 2022 IR 58"), b"\x1b$)A\xd5\xc5^Wei", "张^Wei"),
        (("ISO 2022 IR 58",), b"Zhang=\xd5\xc5", "Zhang=张"),
        (("ISO 2022 IR 58",), b"Zhang=\x1b$)A\xd5\xc5", "Zhang=张"),
        (("ISO_IR 203",), "Œuvré".encode("iso8859_15"), "Œuvré"),
        (("ISO 2022 IR 203",), "Œuvré".encode("iso8859_15"), "Œuvré"),
        (("", "ISO 2022 IR 203"), b"\x1b-b\xbc", "Œ"),
        (("", "ISO 2022 IR 100"), b"M\x1b-A\xfcller", "Müller"),
        (("ISO 2022 IR 100", "ISO 2022 IR 144"), b"M\xfcller=\x1b-L\xb8\xd2", "Müller=Ив"),
        (("ISO 2022 IR 126",), "Διο".encode("iso8859_7"), "Διο"),
        (("", "ISO 2022 IR 126"), b"\x1b-F" + "Διο".encode("iso8859_7"), "Διο"),
        (("", "ISO 2022 IR 127"), b"\x1b-G" + "محمد".encode("iso8859_6"), "محمد"),
        (("", "ISO 2022 IR 138"), b"\x1b-H" + "שרון".encode("iso8859_8"), "שרון"),
        (("", "ISO 2022 IR 148"), b"\x1b-M" + "Şule".encode("iso8859_9"), "Şule"),
        (("", "ISO 2022 IR 166"), b"\x1b-T" + "สม".encode("iso8859_11"), "สม"),
        (("", "ISO 2022 IR 87"), b"Yamada=" + JIS, "Yamada=山田"),
        (("ISO 2022 IR 87",), b"Yamada=" + JIS, "Yamada=山田"),
        (("", "ISO 2022 IR 87", "ISO 2022 IR 159"), b"\x1b$(D0!\x1b(B^T", "丂^T"),
        (
            ("ISO 2022 IR 13", "ISO 2022 IR 87"),
            b"\xd4\xcf=\x1b$B;3ED\x1b(J=\x1b$B$d\x1b(J",
            "ﾔﾏ=山田=や",
        ),
        (("ISO_IR 13",), b"\xd4\xcf\xc0\xde^T", "ﾔﾏﾀﾞ^T"),
        (("", "ISO 2022 IR 149"), b"Hong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce", "Hong=洪^吉"),
        (("ISO 2022 IR 149",), b"Hong=\xfb\xf3", "Hong=洪"),
        (("GB18030",), "王^小东".encode("gb18030"), "王^小东"),
        (("GBK",), "王^小东".encode("gbk"), "王^小东"),
        (("ISO_IR 192",), "王^小东".encode(), "王^小东"),
        (("ISO_IR 6",), b"Doe", "Doe"),
        ((), b"Doe", "Doe"),
    ],
)
def test_names_in_every_set(terms: tuple[str, ...], raw: bytes, text: str) -> None:
    assert read(raw, *terms) == text


@pytest.mark.parametrize(
    ("terms", "raw"),
    [
        (("", "ISO 2022 IR 58"), b"\xd5\xc5"),  # nothing was switched to
        (("", "ISO 2022 IR 58"), b"\x1b$)A\xd5"),  # half a character
        (("", "ISO 2022 IR 58"), b"\x1b$)A\xd5\xc5^\xd5\xc5"),  # a component begins anew
        (("", "ISO 2022 IR 58"), b"\x1b$)C\xfb\xf3"),  # another set than the one that is named
        (("", "ISO 2022 IR 87"), b"\x1b$B;"),
        (("", "ISO 2022 IR 87"), b"\x1b%G\xd5"),
        (("", "ISO 2022 IR 87"), b"\x1b"),
        (("ISO_IR 13",), b"\x8e\xa0"),  # two bytes of Shift JIS
        (("ISO_IR 192", "ISO 2022 IR 87"), b"Yamada=" + JIS),
        (("ISO_IR 100",), "王".encode()),
    ],
)
def test_what_is_no_text_of_the_sets_is_refused(terms: tuple[str, ...], raw: bytes) -> None:
    with pytest.raises(FeedError):
        read(raw, *terms)


@pytest.mark.parametrize("term", ["EBCDIC", "ISO_IR 99", "CP1252", "ISO 2022 IR 87X"])
def test_a_set_that_is_not_known_is_refused(term: str) -> None:
    with pytest.raises(FeedError, match="character set"):
        read(b"Doe", "", term) if term == "ISO_IR 99" else read(b"Doe", term)


def test_a_backslash_within_a_character_divides_nothing() -> None:
    assert read(b"\x1b$B$\\\x1b(B", "", "ISO 2022 IR 87") == "ぼ"


TERMS = ("", "ISO_IR 100", "ISO 2022 IR 13", "ISO 2022 IR 58", "ISO 2022 IR 87", "ISO 2022 IR 149")


@given(
    st.lists(st.sampled_from(TERMS), min_size=1, max_size=3),
    st.lists(
        st.one_of(
            st.binary(max_size=4),
            st.sampled_from(
                [b"\x1b$B", b"\x1b$)A", b"\x1b$)C", b"\x1b(B", b"\x1b-A", b"\x1b", b"^="]
            ),
        ),
        max_size=8,
    ),
)
def test_any_bytes_are_text_or_refused(terms: list[str], parts: list[bytes]) -> None:
    with suppress(FeedError):
        text = read(b"".join(parts), *terms)
        assert "\x1b" not in text
        assert "\ufffd" not in text
