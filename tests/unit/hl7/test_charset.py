import pytest

from capture_app.errors import MessageError
from capture_app.hl7.charset import codec_of, written_charset
from capture_app.hl7.split import parse
from capture_app.model.strict_text import decode, is_doubtful


def named(charset: str, family: bytes, default: str = "ASCII") -> str:
    raw = b"MSH|^~\\&|A|B|||1||ADT^A01|1|P|2.5||||||" + charset.encode() + b"\rPID|||7||" + family
    pid = parse(raw, default_charset=default).one("PID")
    assert pid is not None
    return pid.text(5)


@pytest.mark.parametrize(
    ("charset", "name", "codec"),
    [
        ("UNICODE UTF-8", "Nguyễn", "utf-8"),
        ("UNICODE UTF-8", "محمد", "utf-8"),
        ("UNICODE UTF-8", "王小明", "utf-8"),
        ("8859/1", "Müller", "latin-1"),
        ("8859/2", "Łukasz", "iso8859-2"),
        ("8859/5", "Иванов", "iso8859-5"),
        ("8859/6", "محمد", "iso8859-6"),
        ("8859/7", "Παπαδόπουλος", "iso8859-7"),
        ("8859/15", "Œuvré", "iso8859-15"),
        ("GB 18030-2000", "王小明", "gb18030"),
        ("KS X 1001", "김희중", "euc-kr"),
        ("BIG-5", "王小明", "big5"),
        ("~ISO IR87", "山田", "iso2022-jp"),
        ("ASCII~ISO IR87", "山田", "iso2022-jp"),
        ("utf-8", "Müller", "utf-8"),
        ("ISO-8859-1", "Müller", "latin-1"),
    ],
)
def test_names_in_the_set_that_the_message_names(charset: str, name: str, codec: str) -> None:
    assert named(charset, name.encode(codec)) == name


def test_the_site_says_the_set_of_a_message_that_names_none() -> None:
    assert named("", "Müller".encode("latin-1"), default="8859/1") == "Müller"
    with pytest.raises(MessageError, match="character set"):
        named("", "Müller".encode("latin-1"), default="ASCII")


@pytest.mark.parametrize(
    ("charset", "family"),
    [
        ("UNICODE UTF-8", "Müller".encode("latin-1")),
        ("ASCII", "Müller".encode()),
        ("8859/1", "Müller".encode()),  # UTF-8 under a wrong label: it would read as MÃ¼ller
        ("8859/1", "Dvořák".encode()),
        ("8859/1", b"O\x92Brien"),  # Windows-1252 under a wrong label
        ("8859/8", "Müller".encode("latin-1")),
        ("UNICODE UTF-8", b"\xed\xa0\x80"),
        ("UNICODE UTF-8", b"D\x00oe"),
        ("UNICODE UTF-8", "Doe\x85".encode()),
        ("8859/1", b"\x1b$B;3ED\x1b(B"),
    ],
)
def test_bytes_of_another_set_are_refused_never_guessed(charset: str, family: bytes) -> None:
    with pytest.raises(MessageError, match="character set"):
        named(charset, family)


@pytest.mark.parametrize("charset", ["UNICODE UTF-16", "EBCDIC", "8859/99"])
def test_a_set_that_is_not_known_is_refused(charset: str) -> None:
    with pytest.raises(MessageError, match="not known"):
        named(charset, b"Doe")


def test_cyrillic_that_happens_to_look_like_utf_8_is_read() -> None:
    # The bytes C2 B0 are a degree sign in UTF-8 and two letters here.
    assert decode("ТА".encode("iso8859-5"), codec_of("8859/5")) == "ТА"


@pytest.mark.parametrize(
    ("charset", "name", "codec"),
    [
        ("CP1250", "Šimek", "cp1250"),
        ("windows-1252", "Š’Œuvre", "cp1252"),
        ("cp1251", "Иванов", "cp1251"),
    ],
)
def test_code_pages_of_windows_are_read_where_they_are_named(
    charset: str, name: str, codec: str
) -> None:
    assert named(charset, name.encode(codec)) == name


def test_a_table_says_what_a_sender_means_by_a_name() -> None:
    assert written_charset("iso-8859-1", {"ISO 8859/1": "CP1252"}) == "CP1252"
    assert written_charset("8859/2", {"8859/1": "CP1252"}) == "8859/2"


@pytest.mark.parametrize("name", ["Müller^Jörg", "Éloïse", "O´Brien", "Doe", "Åse"])
def test_a_name_that_reads_like_one_is_not_doubted(name: str) -> None:
    assert not is_doubtful(name, is_latin_1=True)


@pytest.mark.parametrize(
    "name", ["³ukasz", "Kowalski^Pawe³", "¸ÒÐÝÞÒ", "îáãå", "Æ´°¡", "Ä¹ukasz", "MiÈka"]
)
def test_letters_of_another_set_are(name: str) -> None:
    assert is_doubtful(name, is_latin_1=True)


@pytest.mark.parametrize("name", ["MÃ¼ller", "M?ller^J?rg", "NguyÃªn"])
def test_a_name_that_was_spoilt_before_is_doubted_in_any_set(name: str) -> None:
    assert is_doubtful(name, is_latin_1=False)


def test_letters_of_the_world_are_not_in_a_set_that_has_them() -> None:
    assert not any(is_doubtful(name, is_latin_1=False) for name in ("Иванов", "محمد", "³", "Ã"))
