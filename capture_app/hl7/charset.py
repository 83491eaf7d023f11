"""Character sets of HL7 messages (HL7 table 0211)."""

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
        **{f"CP{page}": f"cp{page}" for page in range(1250, 1259)},
    }
)
"""MSH-18 -> codec. The code pages of Windows are in no table of the standard, but in use; UTF-16
and UTF-32 cannot be framed by MLLP and are not here."""

_SPELLINGS: Final[Mapping[str, str]] = MappingProxyType(
    {re.sub(r"[^A-Z0-9]", "", term): codec for term, codec in CODECS.items()}
    | {"UTF8": "utf_8", "USASCII": "ascii", "LATIN1": "iso8859_1"}
    | {f"ISO8859{n}": f"iso8859_{n}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)}
    | {f"WINDOWS{page}": f"cp{page}" for page in range(1250, 1259)}
)


def codec_of(term: str) -> str:
    """The Python codec of a character set as MSH-18 or the settings name it.

    Raises MessageError for a set that is not known: decoding with another one would be a guess.
    """
    codec = CODECS.get(term)
    if codec is None:
        codec = _SPELLINGS.get(_plain(term))
    if codec is None:
        raise MessageError(tr("The character set named in MSH-18 is not known here."))
    return codec


def written_charset(term: str, charsets: Mapping[str, str]) -> str:
    """The set that a sender means by a term, by a table of what it names and what it writes."""
    meant = {_plain(named): written for named, written in charsets.items()}
    return meant.get(_plain(term), term)


def _plain(term: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", term.upper())
