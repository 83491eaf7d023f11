"""Decoding that never guesses: a name that is wrong once is wrong in the archive for ever."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

from capture_app.errors import MessageError
from capture_app.model.words import tr

# C0 and C1 controls that no text holds; ESC is legitimate only inside the ISO 2022 codecs, which
# take it away. A C1 control out of an ISO 8859 message is a Windows code page in disguise.
_CONTROLS: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f]")

_NO_TEXT: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ufffd\ud800-\udfff]")
# What stands in Latin-1 where other sets have letters; the two ordinals are part of names.
_SIGNS: Final = frozenset("¡¢£¤¥¦§¨©«¬®¯°±²³µ¶¸¹»¼½¾¿×÷")

# Of the single-byte sets, those in which two bytes that form a UTF-8 character spell no real word.
_NEVER_LOOKS_LIKE_UTF_8: Final = frozenset(
    {"iso8859_1", "iso8859_6", "iso8859_8", "iso8859_9", "iso8859_15", "cp1252", "cp1254"}
)


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


def is_readable(text: str) -> bool:
    """Whether the text is free of control characters (line ends and tabs apart), of the mark for a
    character that was lost on its way, and of halves of characters.
    """
    return (text.isascii() and text.isprintable()) or _NO_TEXT.search(text) is None


def is_doubtful(name: str, *, is_latin_1: bool) -> bool:
    """Whether a name that could be read looks like one that was spoilt on its way.

    A question mark stands within it, or UTF-8 was taken for Latin-1 and written as UTF-8 once more
    (`MÃ¼ller`); or it is said to be Latin-1 (`is_latin_1`) and reads like the letters of another
    script or region (`³ukasz`, Polish in ISO 8859-2): signs stand within words, capitals follow
    small letters, or a word has no plain letter at all.
    """
    if "?" in name or _is_twice_encoded(name):
        return True
    if not is_latin_1 or name.isascii():
        return False
    return any(map(_is_no_word, re.split(r"[\s^=.,'’-]+", name)))


def _is_twice_encoded(text: str) -> bool:
    if text.isascii():
        return False
    try:
        return _is_utf_8(text.encode("cp1252"))
    except UnicodeEncodeError:
        return False


def _is_no_word(word: str) -> bool:
    if word.isascii():
        return False
    if any(character in _SIGNS for character in word):
        return True
    if len(word) > 2 and not any(character.isascii() for character in word):
        return True
    return any(
        before.islower() and after.isupper() and not after.isascii()
        for before, after in pairwise(word)
    )


def _is_utf_8(raw: bytes) -> bool:
    try:
        raw.decode("utf_8")
    except UnicodeDecodeError:
        return False
    return True


def _wrong_bytes() -> MessageError:
    return MessageError(tr("The message holds bytes that are not of its character set (MSH-18)."))
