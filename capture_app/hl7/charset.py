"""Character sets of HL7 messages (HL7 table 0211), and decoding that never guesses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from capture_app.errors import MessageError
from capture_app.model.words import tr

CODECS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "ASCII": "ascii",
        "ISO IR6": "ascii",
        "8859/1": "iso8859_1",
        "8859/2": "iso8859_2",
        "8859/3": "iso8859_3",
        "8859/4": "iso8859_4",
        "8859/5": "iso8859_5",
        "8859/6": "iso8859_6",
        "8859/7": "iso8859_7",
        "8859/8": "iso8859_8",
        "8859/9": "iso8859_9",
        "8859/15": "iso8859_15",
        "UNICODE": "utf_8",
        "UNICODE UTF-8": "utf_8",
        "ISO IR14": "iso2022_jp_ext",
        "ISO IR87": "iso2022_jp_ext",
        "ISO IR159": "iso2022_jp_ext",
        "GB 18030-2000": "gb18030",
        "KS X 1001": "euc_kr",
        "BIG-5": "big5",
    }
)
"""MSH-18 -> codec. UTF-16 and UTF-32 cannot be framed by MLLP and are not here."""

_SPELLINGS: Final[Mapping[str, str]] = MappingProxyType(
    {re.sub(r"[^A-Z0-9]", "", term): codec for term, codec in CODECS.items()}
    | {"UTF8": "utf_8", "USASCII": "ascii", "LATIN1": "iso8859_1"}
    | {f"ISO8859{n}": f"iso8859_{n}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)}
)

# C0 and C1 controls that no text holds; ESC is legitimate only inside the ISO 2022 codecs, which
# take it away. A C1 control out of an ISO 8859 message is a Windows code page in disguise.
_CONTROLS: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f]")

# Of the single-byte sets, those in which two bytes that form a UTF-8 character spell no real word.
_NEVER_LOOKS_LIKE_UTF_8: Final = frozenset(
    {"iso8859_1", "iso8859_6", "iso8859_8", "iso8859_9", "iso8859_15"}
)


def codec_of(term: str) -> str:
    """The Python codec of a character set as MSH-18 or the settings name it.

    Raises MessageError for a set that is not known: decoding with another one would be a guess.
    """
    codec = CODECS.get(term)
    if codec is None:
        codec = _SPELLINGS.get(re.sub(r"[^A-Z0-9]", "", term.upper()))
    if codec is None:
        raise MessageError(tr("The character set named in MSH-18 is not known here."))
    return codec


def decode(raw: bytes, codec: str) -> str:
    """The text of a message; MessageError where the bytes are not of that character set.

    Nothing is replaced or left out: a name that cannot be read is refused, because a wrong one
    would be stored for ever.
    """
    try:
        text = raw.decode(codec)
    except (UnicodeDecodeError, ValueError):
        raise _wrong_bytes() from None
    if _CONTROLS.search(text):
        raise _wrong_bytes()
    if codec in _NEVER_LOOKS_LIKE_UTF_8 and not raw.isascii() and _is_utf_8(raw):
        raise _wrong_bytes()
    return text


def _is_utf_8(raw: bytes) -> bool:
    try:
        raw.decode("utf_8")
    except UnicodeDecodeError:
        return False
    return True


def _wrong_bytes() -> MessageError:
    return MessageError(tr("The message holds bytes that are not of its character set (MSH-18)."))
